"""Traces of an earlier JPEG compression in the pixels of a photograph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fauxto.jpeg_tables import Table

LARGEST_SIDE = 512
"""Pixels per side of the centre crop that is analysed."""

_BLOCK = 8
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)

# The 8-point DCT as a matrix: row k is the k-th cosine.
_FREQUENCY, _PLACE = np.mgrid[:_BLOCK, :_BLOCK]
_DCT = np.cos((2 * _PLACE + 1) * _FREQUENCY * np.pi / (2 * _BLOCK)).astype(np.float32) / 2
_DCT[0] /= np.sqrt(2)

# The first frequencies in zigzag order, as row-major indices into a block.
_FREQUENCIES = np.array([0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4])

_MOST_STEPS = 40

_FEWEST_IN_A_BIN = 12
_FEWEST_BINS = 100

# Caps each bin: a few odd bins, as from flat or overexposed areas, aren't a pattern.
_MOST_OF_A_BIN = 25.0

# Rounding in the decoder moves a coefficient by about 0.3. With steps of 2 or more, that separates unchanged pixels
# from changed ones, whose coefficients are 0.25 steps from the nearest multiple on average.
_MIN_STEP = 2
_MOST_OFF = 0.2


def requantisation(rgb: NDArray[np.uint8], luminance: Table) -> float | None:
    """Measure how strongly the DCT coefficients of a decoded JPEG suggest double quantisation.

    Coefficients quantised once have smooth histograms. A second quantisation with other steps leaves some bins too full
    or too empty, at regular intervals: A. C. Popescu and H. Farid, "Statistical Tools for Digital Forensics" (2004).
    Here every bin is compared with the geometric mean of its two neighbours.

    Args:
        rgb: uint8 [height, width, 3], straight from the decoder.
        luminance: The file's quantisation steps in zigzag order.

    Returns:
        The mean squared deviation of the histograms' bins, in units of the variance expected by chance:
        about 1 after one compression. None where it can't be measured: too little detail, steps of 1 throughout or of
        0, which a damaged file states, or pixels that were changed after decoding (rotated, or converted to another
        colour space).
    """
    steps = np.array(luminance, np.float32)[: len(_FREQUENCIES), None]
    if not steps.all():
        return None
    multiples = _coefficients(_middle(rgb)) / steps
    rounded = np.rint(multiples)
    usable = (rounded != 0) & (steps >= _MIN_STEP)
    if not usable.any() or np.abs(multiples - rounded)[usable].mean() > _MOST_OFF:
        return None
    rounded[0] -= np.median(rounded[0].astype(np.int64))  # of floats, it first imports numpy.ma for .1 s
    deviations = np.concatenate([_deviations(row, first=2 * (place > 0)) for place, row in enumerate(rounded)])
    if len(deviations) < _FEWEST_BINS:
        return None
    return float(np.minimum(deviations, _MOST_OF_A_BIN).mean())


def jpeg_grid(rgb: NDArray[np.uint8]) -> tuple[float, tuple[int, int]]:
    """Measure how clearly the pixels of a lossless file show the block grid of a JPEG.

    In a JPEG, pixels jump more often at block edges than beside them: W. Li, Y. Yuan and N. Yu,
    "Passive detection of doctored JPEG image via block artifact grid extraction" (2009).

    Args:
        rgb: uint8 [height, width, 3], at least 24 pixels per side.

    Returns:
        The grid's strength, in standard deviations over the seven other possible offsets (the weaker of the two
        axes), and the grid's offset (x, y) from the picture's corner, each 0 to 7.
    """
    luma = _middle(rgb)
    (down, y), (across, x) = (_grid(luma, axis) for axis in (0, 1))
    return min(down, across), (x, y)


def _middle(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the luminance of whole 8 x 8 blocks in the centre of a picture, float32 [height, width]."""
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
    """Compare one frequency's histogram bins with their neighbours, from `first` steps from zero on."""
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
    """Return the grid's strength along one axis, and the position of its first line."""
    jumps = np.abs(np.diff(np.moveaxis(luma, axis, 0), axis=0))
    larger = (jumps[1:-1] > np.maximum(jumps[:-2], jumps[2:])).mean(axis=1)
    shares = np.array([larger[place::_BLOCK].mean() for place in range(_BLOCK)])
    place = int(shares.argmax())
    others = np.delete(shares, place)
    return float((shares[place] - others.mean()) / (others.std() + 1e-3)), (place + 2) % _BLOCK
