"""Read PyTorch's weight files without PyTorch: the zip of today's and the plain pickle of before 1.6.

Both hold a pickle in which a tensor is a call that names a storage, a shape and strides. Only those calls are known
here; a pickle that asks for anything else is refused, so that a weight file can't run code.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fauxto.errors import DatasetError

_TYPES = {"HalfStorage": np.float16, "FloatStorage": np.float32, "LongStorage": np.int64}
_HEADERS = 3  # in the old form: a magic number, a version, facts of the machine

Array = NDArray[np.generic]
Weights = Mapping[str, Array]


def read(path: Path) -> Weights:
    """Read a state dict.

    Raises:
        DatasetError: It isn't one, or holds something other than half, float and long tensors.
    """
    try:
        stored = _read_zip(path) if zipfile.is_zipfile(path) else _read_old(path)
        return {name: tensor.array() for name, tensor in stored.items()}
    except (OSError, KeyError, EOFError, ValueError, TypeError, AttributeError, pickle.UnpicklingError) as error:
        raise DatasetError(f"{path} isn't a file of PyTorch weights that can be read here: {error}") from error


class _Storage:
    """The numbers behind one or more tensors; in the old form they follow the pickle that names them."""

    def __init__(self, kind: type[np.generic], size: int) -> None:
        self.kind, self.size = kind, size
        self.numbers: Array | None = None


class _Tensor:
    def __init__(self, storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def array(self) -> Array:
        width = self.storage.numbers.itemsize
        reach = self.offset + sum((side - 1) * step for side, step in zip(self.shape, self.strides, strict=True))
        if self.offset < 0 or min(self.strides, default=0) < 0 or reach >= len(self.storage.numbers):
            raise ValueError("a tensor reaches beyond its storage")
        steps = [step * width for step in self.strides]
        return np.lib.stride_tricks.as_strided(self.storage.numbers[self.offset :], self.shape, steps).copy()


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *rest: _Tensor(storage, offset, shape, strides)
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> _Storage:
        _, kind, key, _, size, *_ = pid
        return self.storages.setdefault(key, _Storage(kind, size))


def _read_zip(path: Path) -> Mapping[str, _Tensor]:
    with zipfile.ZipFile(path) as file:
        (name,) = (one for one in file.namelist() if one.endswith("/data.pkl"))
        unpickler = _Unpickler(io.BytesIO(file.read(name)))
        tensors = unpickler.load()
        for key, storage in unpickler.storages.items():
            storage.numbers = np.frombuffer(file.read(f"{name.removesuffix('.pkl')}/{key}"), storage.kind)
    return tensors


def _read_old(path: Path) -> Mapping[str, _Tensor]:
    with path.open("rb") as file:
        for _ in range(_HEADERS):
            _Unpickler(file).load()
        unpickler = _Unpickler(file)
        tensors = unpickler.load()
        for key in _Unpickler(file).load():
            storage = unpickler.storages[key]
            file.read(8)  # its size once more
            storage.numbers = np.frombuffer(file.read(storage.size * np.dtype(storage.kind).itemsize), storage.kind)
    return tensors
