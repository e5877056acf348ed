"""Traces of an earlier JPEG compression in the pixels of a photograph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fauxto.jpeg_tables import Table

LARGEST_SIDE = 512
"""Pixels a side of the middle of the picture that is looked at."""

_BLOCK = 8
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)

# The DCT of 8 numbers as a matrix: row k holds the k-th cosine.
_FREQUENCY, _PLACE = np.mgrid[:_BLOCK, :_BLOCK]
_DCT = np.cos((2 * _PLACE + 1) * _FREQUENCY * np.pi / (2 * _BLOCK)).astype(np.float32) / 2
_DCT[0] /= np.sqrt(2)

# The frequencies that come first in zigzag order, as indices into a block that lies row by row.
_FREQUENCIES = np.array([0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4])

_MOST_STEPS = 40

_FEWEST_IN_A_BIN = 12
_FEWEST_BINS = 100

# No bin may count for more: a few odd bins, as flat or overexposed areas make them, aren't a pattern.
_MOST_OF_A_BIN = 25.0

# A decoder's rounding moves a coefficient by about 0.3, so that from steps of 2 on, untouched pixels are told from
# others, whose coefficients lie anywhere between two multiples: 0.25 steps from the nearer one on average.
_SMALLEST_TELLING_STEP = 2
_MOST_OFF = 0.2


def requantisation(rgb: NDArray[np.uint8], luminance: Table) -> float | None:
    """Measure how much the DCT coefficients of a decoded JPEG look as if they had been quantised twice.

    Coefficients that were quantised once have smooth histograms. Quantising them a second time with other steps leaves
    some bins of the histogram too full or too empty, at regular distances: A. C. Popescu and H. Farid, "Statistical
    Tools for Digital Forensics" (2004). Here every bin is compared with the geometric mean of its two neighbours.

    Args:
        rgb: uint8 [height, width, 3], straight from the decoder.
        luminance: The file's quantisation steps in zigzag order.

    Returns:
        The mean squared deviation of the histograms' bins, in units of what chance allows: about 1 after one
        compression. None where it can't be measured: too little detail, steps of 1 throughout, or pixels that were
        changed after decoding (turned, or converted to another colour space).
    """
    steps = np.array(luminance, np.float32)[: len(_FREQUENCIES), None]
    multiples = _coefficients(_middle(rgb)) / steps
    rounded = np.rint(multiples)
    telling = (rounded != 0) & (steps >= _SMALLEST_TELLING_STEP)
    if not telling.any() or np.abs(multiples - rounded)[telling].mean() > _MOST_OFF:
        return None
    rounded[0] -= np.median(rounded[0])
    deviations = np.concatenate([_deviations(row, first=2 * (place > 0)) for place, row in enumerate(rounded)])
    if len(deviations) < _FEWEST_BINS:
        return None
    return float(np.minimum(deviations, _MOST_OF_A_BIN).mean())


def jpeg_grid(rgb: NDArray[np.uint8]) -> tuple[float, tuple[int, int]]:
    """Measure how clearly pixels that come from a lossless file show the block grid of a JPEG.

    At the edges of its blocks a JPEG's pixels jump more often than they do beside them: W. Li, Y. Yuan and N. Yu,
    "Passive detection of doctored JPEG image via block artifact grid extraction" (2009).

    Args:
        rgb: uint8 [height, width, 3], at least 24 pixels a side.

    Returns:
        How far the grid stands out, in standard deviations of the other seven places that it could have, the weaker of
        the two directions; and the grid's offset (x, y) from the picture's corner, each 0 to 7.
    """
    luma = _middle(rgb)
    (down, y), (across, x) = (_grid(luma, axis) for axis in (0, 1))
    return min(down, across), (x, y)


def _middle(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the luminance of whole 8 x 8 blocks in the middle of a picture, float32 [height, width]."""
    sides = [min(side, LARGEST_SIDE) // _BLOCK * _BLOCK for side in rgb.shape[:2]]
    top, left = ((side - used) // 2 // _BLOCK * _BLOCK for side, used in zip(rgb.shape[:2], sides, strict=True))
    luma: NDArray[np.float32] = rgb[top : top + sides[0], left : left + sides[1]].astype(np.float32) @ _LUMINANCE
    return luma


def _coefficients(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the first DCT coefficients of every block, float32 [len(_FREQUENCIES), blocks]."""
    height, width = luma.shape
    blocks = (luma - 128).reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).swapaxes(1, 2)
    spectra = (_DCT @ blocks @ _DCT.T).reshape(-1, _BLOCK * _BLOCK)
    coefficients: NDArray[np.float32] = spectra[:, _FREQUENCIES].T
    return coefficients


def _deviations(multiples: NDArray[np.float32], first: int) -> NDArray[np.float64]:
    """Compare the bins of one frequency's histogram with their neighbours, those at least `first` steps from zero."""
    most = _MOST_STEPS + 1
    inside = multiples[np.abs(multiples) <= most].astype(np.int64)
    counts = np.bincount(inside + most, minlength=2 * most + 1) + 0.5
    logs = np.log(counts)
    deviations = (logs[1:-1] - (logs[:-2] + logs[2:]) / 2) ** 2
    variances = 1 / counts[1:-1] + (1 / counts[:-2] + 1 / counts[2:]) / 4
    enough = np.maximum(counts[1:-1], (counts[:-2] + counts[2:]) / 2) >= _FEWEST_IN_A_BIN
    far = np.abs(np.arange(-_MOST_STEPS, _MOST_STEPS + 1)) >= first
    kept: NDArray[np.float64] = (deviations / variances)[enough & far]
    return kept


def _grid(luma: NDArray[np.float32], axis: int) -> tuple[float, int]:
    """Return how far the grid stands out along one axis, and the place of its first line behind the corner."""
    jumps = np.abs(np.diff(np.moveaxis(luma, axis, 0), axis=0))
    larger = (jumps[1:-1] > np.maximum(jumps[:-2], jumps[2:])).mean(axis=1)
    shares = np.array([larger[place::_BLOCK].mean() for place in range(_BLOCK)])
    place = int(shares.argmax())
    others = np.delete(shares, place)
    return float((shares[place] - others.mean()) / (others.std() + 1e-3)), (place + 2) % _BLOCK
