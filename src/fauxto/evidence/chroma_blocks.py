"""The blocks of chrominance in which the package invisible-watermark hides its bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_BLOCKS = 96
"""Blocks per side of the window that is analysed: 768 pixels."""

_SIDE = 8
"""Pixels per side of a block: 4 coefficients of the Haar approximation, each of 2 x 2 pixels."""

# OpenCV's weights of U (ITU-R BT.601) for R, G, B, times 0.5: the Haar approximation is half of a 2 x 2 sum.
_U = 0.5 * 0.492 * np.array([-0.299, -0.587, 1 - 0.114], np.float32)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks of the Haar approximation of U.

    Attributes:
        coefficients: float32 [4, 4, N], without the offset that the writer adds to U.
        index: int64 [N], each block's number in the whole picture, counted row by row.
    """

    coefficients: NDArray[np.float32]
    index: NDArray[np.int64]

    def outliers(self) -> NDArray[np.float32]:
        """Return float32 [N]: for each block, the coefficient (except the first) farthest from their mean.

        This finds the one that the writer changed, even if it is no longer the largest.
        """
        candidates = self.coefficients.reshape(16, -1)[1:]
        lowest, highest = candidates.min(axis=0), candidates.max(axis=0)
        outliers: NDArray[np.float32] = np.where(lowest + highest > 2 * candidates.mean(axis=0), highest, lowest)
        return outliers

    def singular_values(self, offset: float) -> NDArray[np.float32]:
        """Return float32 [N]: each block's largest singular value, with `offset` added to every coefficient.

        Uses power iteration from a vector of ones, which is close to the answer when the offset is large.
        """
        blocks = self.coefficients + np.float32(offset)
        left = blocks.sum(axis=1)
        right = (blocks * left[:, None]).sum(axis=0)
        image = (blocks * right[None]).sum(axis=1)
        values: NDArray[np.float32] = np.sqrt((image**2).sum(axis=0) / (right**2).sum(axis=0))
        return values


def chroma_blocks(rgb: NDArray[np.uint8]) -> tuple[Blocks, Blocks]:
    """Cut the centre of a picture into blocks, aligned to the picture's top left corner.

    Args:
        rgb: uint8 [height, width, 3]; at most `MOST_BLOCKS` blocks per side are used.

    Returns:
        The blocks of U, and those of U with red and blue swapped.
    """
    rows, columns = rgb.shape[0] // _SIDE, rgb.shape[1] // _SIDE
    height, width = min(rows, MOST_BLOCKS), min(columns, MOST_BLOCKS)
    top, left = (rows - height) // 2, (columns - width) // 2
    index = (np.arange(top, top + height)[:, None] * columns + np.arange(left, left + width)).ravel()
    window = rgb[_SIDE * top : _SIDE * (top + height), _SIDE * left : _SIDE * (left + width)]
    pairs = window[0::2].astype(np.uint16) + window[1::2]
    sums = [(pairs[:, 0::2, channel] + pairs[:, 1::2, channel]).astype(np.float32) for channel in range(3)]
    blue = _U[0] * sums[0] + _U[1] * sums[1] + _U[2] * sums[2]
    red = _U[2] * sums[0] + _U[1] * sums[1] + _U[0] * sums[2]
    return _cut(blue, index), _cut(red, index)


def _cut(plane: NDArray[np.float32], index: NDArray[np.int64]) -> Blocks:
    height, width = (side // 4 for side in plane.shape)
    blocks = plane.reshape(height, 4, width, 4).transpose(1, 3, 0, 2).reshape(4, 4, -1)
    return Blocks(np.ascontiguousarray(blocks), index)
