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
from rich.progress import track

PART_BYTES = 48 * 1024**2
"""Of a part at most: one that is there is done, so that little is lost to a cut, and any of them is easy to move."""

_WORKERS = 2


class Rows(Sequence[NDArray[np.generic]]):
    """An array [N, ...] in parts, read from disk as it is asked for."""

    def __init__(self, parts: Sequence[Path], rows_a_part: int) -> None:
        self._parts = [np.load(path, mmap_mode="r", allow_pickle=False) for path in parts]
        self._rows_a_part = rows_a_part

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __getitem__(self, row: int) -> NDArray[np.generic]:  # type: ignore[override]  # no slices
        part, place = divmod(int(row), self._rows_a_part)
        return self._parts[part][place]

    def whole(self) -> NDArray[np.generic]:
        """Return everything as one array in memory."""
        return np.concatenate(self._parts)


def key(*ingredients: object) -> str:
    """Return a short hash of everything that decides a cached value: modules by their code, the rest as JSON."""
    plain = [
        hashlib.sha256(Path(str(part.__file__)).read_bytes()).hexdigest() if isinstance(part, ModuleType) else part
        for part in ingredients
    ]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:16]


def rows(
    folder: Path, name: str, count: int, row_bytes: int, compute: Callable[[int], NDArray[np.generic]]
) -> Rows:
    """Return the cached array of a name, after computing what is missing.

    Args:
        folder: Where caches lie.
        name: What the array is called: words for people and a `key`.
        count: How many rows it has.
        row_bytes: Size of a row.
        compute: From a row's number to the row, always of one shape and dtype; asked in several threads.
    """
    rows_a_part = max(1, PART_BYTES // row_bytes)
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    starts = range(0, count, rows_a_part)
    parts = [home / f"{number:04}.npy" for number in range(len(starts))]
    missing = [(part, start) for part, start in zip(parts, starts, strict=True) if not part.is_file()]
    with ThreadPoolExecutor(_WORKERS) as pool:
        for part, start in track(missing, name, disable=not missing):
            array = np.stack(list(pool.map(compute, range(start, min(start + rows_a_part, count)))))
            write_atomically(part, lambda file, array=array: np.save(file, array, allow_pickle=False))
    return Rows(parts, rows_a_part)


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Have a file written under another name and give it its own at the end: it is whole or not there."""
    unfinished = path.with_name(f"unfinished-{path.name}")
    write(unfinished)
    unfinished.replace(path)
