"""The pictures of a data set as sequences: viewed in its packed pixels, or decoded from files one at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fauxto.errors import DatasetError
from fauxto.images import decode, read_bytes


def pixel_sha256(rgb: NDArray[np.uint8]) -> str:
    """Return the sha256 of a picture's size and pixels, uint8 [H, W, 3], in hexadecimal."""
    digest = hashlib.sha256("{}x{}:".format(*rgb.shape[:2]).encode())
    digest.update(np.ascontiguousarray(rgb).data)
    return digest.hexdigest()


class PixelRows(Sequence[NDArray[np.uint8]]):
    """Pictures of different sizes, each uint8 [height, width, 3], viewed in the memory-mapped pixels."""

    def __init__(self, pixels: NDArray[np.uint8], offsets: NDArray[np.int64], sizes: NDArray[np.int64]) -> None:
        self._pixels = pixels
        self._offsets = offsets
        self._sizes = sizes

    def __len__(self) -> int:
        return len(self._offsets)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:  # type: ignore[override]  # no slices
        height, width = self._sizes[index]
        start = self._offsets[index]
        return self._pixels[start : start + height * width * 3].reshape(height, width, 3)


class FileRows(Sequence[NDArray[np.uint8]]):
    """Whole pictures of any size, each uint8 [height, width, 3], decoded anew whenever one is asked for.

    Asking raises `DatasetError` where the file isn't the one that was imported any more, and `ImageError` where
    it is gone.

    Attributes:
        files: Where each picture lies.
    """

    def __init__(self, files: Sequence[Path], sha256: Sequence[str]) -> None:
        self.files = files
        self._sha256 = sha256

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:  # type: ignore[override]  # no slices
        image = decode(read_bytes(self.files[index]))
        if image.facts.sha256 != self._sha256[index]:
            raise DatasetError(f"{self.files[index]} has changed since it was imported; import the data set again")
        return image.rgb
