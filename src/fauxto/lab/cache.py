"""What is slow to compute, kept in parts under a key of everything that decides it.

A cache that is used in silence after its ingredients changed is worse than none: the key has to hold the data, the
code and the network.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from fauxto import images
from fauxto.lab.provenance import versions
from fauxto.scan.files import replaced

Array = NDArray[np.generic]

_ROWS_A_PART = 64
"""A part that is there is done: little is lost to a cut. Of views of 224 x 224 pixels, so many are 10 MB."""

_ROWS_AT_ONCE = 16
_LIBRARIES = ("numpy", "onnxruntime", "pillow", "pillow-heif")
_WORKERS = 2


class Rows(Sequence[Array]):
    """An array [N, ...] in parts, read from disk as it is asked for.

    Attributes:
        name: What it is called, with the key of everything that decides it.
    """

    def __init__(self, name: str, parts: Sequence[Path]) -> None:
        self.name = name
        self._parts = [np.load(path, mmap_mode="r", allow_pickle=False) for path in parts]

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __getitem__(self, row: int) -> Array:  # type: ignore[override]  # no slices
        part, place = divmod(int(row), _ROWS_A_PART)
        return np.asarray(self._parts[part][place])

    def whole(self) -> Array:
        """Return everything as one array in memory."""
        return np.concatenate(self._parts)


def key(*ingredients: object) -> str:
    """Return a short hash of everything that decides a cached value: modules by their code, the rest as JSON.

    The code that decodes pictures, the versions of the libraries and the form of the cache are always among it.
    """
    decoders = sorted(Path(images.__file__).parent.glob("*.py"))
    always = [[hashlib.sha256(path.read_bytes()).hexdigest() for path in decoders], versions(_LIBRARIES), _ROWS_A_PART]
    plain = always + [
        hashlib.sha256(Path(str(part.__file__)).read_bytes()).hexdigest() if isinstance(part, ModuleType) else part
        for part in ingredients
    ]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:16]


def rows(folder: Path, name: str, count: int, compute: Callable[[range], Array]) -> Rows:
    """Return the cached array of a name, after computing what is missing.

    Args:
        folder: Where caches lie.
        name: What the array is called: words for people and a `key`.
        count: How many rows it has.
        compute: From a few rows' numbers to those rows, [n, ...]; asked in several threads.
    """
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    starts = range(0, count, _ROWS_A_PART)
    parts = [home / f"{number:04}.npy" for number in range(len(starts))]
    missing = [(part, start) for part, start in zip(parts, starts, strict=True) if not part.is_file()]
    with ThreadPoolExecutor(_WORKERS) as pool:
        for part, start in track(missing, name, console=Console(stderr=True), disable=not missing):
            end = min(start + _ROWS_A_PART, count)
            few = [range(first, min(first + _ROWS_AT_ONCE, end)) for first in range(start, end, _ROWS_AT_ONCE)]
            array = np.concatenate(list(pool.map(compute, few)))
            with replaced(part) as file:
                np.save(file, array, allow_pickle=False)
    return Rows(name, parts)
