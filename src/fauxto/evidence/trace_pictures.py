"""Renders traces in the pixels for people: error levels, noise, JPEG ghosts, the average spectrum, the histogram."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import PIL.Image
import PIL.ImageChops
import PIL.ImageFilter
from numpy.typing import NDArray

from fauxto import palette
from fauxto.images import Image

ERROR_LEVEL_QUALITY = 90
ERROR_LEVEL_GAIN = 16

NOISE_GAIN = 8
GHOST_QUALITIES = tuple(range(40, 100, 5))

GHOST_BLOCK = 16
"""Pixels per side of a block of `jpeg_ghosts`, and so of the smallest picture that has any."""

SPECTRUM_SIDE = 256
"""Cells per side of a spectrum, unless the picture is smaller."""

SMALLEST_SIDE = 32
"""Pixels per side of the smallest picture that has a spectrum."""

_TILE = 2048
_MOST_TILES = 8
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
_MOST_PEAKS = 16
_LOWEST_FREQUENCY = 1 / 16
_NEIGHBOURHOOD = 9
_LEAST_DECIBELS = 6.0
_LEAST_DEVIATIONS = 6.0
_DARKEST, _LIGHTEST = 1, 99.9  # percentiles of the spectrum's drawing
_MAGNIFIED = 3
_BOX = 4  # cells from a peak to the box around it
_BOX_COLOUR = palette.rgb(palette.BOX)
_DEVIATIONS_OF_MEDIAN = 1.4826  # a normal distribution's standard deviation over its median absolute deviation


def error_level_map(image: Image) -> NDArray[np.uint8]:
    """Show how much each pixel changes when the picture is saved as a JPEG again (error level analysis).

    Parts with a different compression history, such as pasted ones, may stand out; edges and fine texture always do:
    N. Krawetz, "A Picture's Worth... Digital Image Analysis and Forensics" (2007).

    Returns:
        uint8 [height, width]: the largest change of the three channels, times `ERROR_LEVEL_GAIN`, at most 255.
    """
    height, width = image.rgb.shape[:2]
    levels: NDArray[np.uint8] = np.empty((height, width), np.uint8)
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            tile = (slice(top, top + _TILE), slice(left, left + _TILE))
            levels[tile] = _error_levels(np.ascontiguousarray(image.rgb[tile]))
    return levels


def _error_levels(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    change = np.abs(_saved(rgb, ERROR_LEVEL_QUALITY).astype(np.int16) - rgb).max(axis=2)
    levels: NDArray[np.uint8] = np.minimum(change * ERROR_LEVEL_GAIN, 255).astype(np.uint8)
    return levels


def _saved(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return pixels, uint8 [H, W, 3] or grey [H, W], as they are after saving them as a JPEG."""
    file = BytesIO()
    PIL.Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling="4:4:4")
    with PIL.Image.open(file, formats=["JPEG"]) as saved:
        return np.asarray(saved)


def noise_residual(image: Image) -> NDArray[np.uint8]:
    """Show the fine noise: what the luminance has beyond the median of each pixel's 3 x 3 neighbours.

    A part from another source, or smoothed, may have another grain: B. Mahdian and S. Saic, "Using noise
    inconsistencies for blind image forensics" (2009).

    Returns:
        uint8 [height, width]: the residual times `NOISE_GAIN`, on a middle grey of 128.
    """
    grey = PIL.Image.fromarray(image.rgb).convert("L")
    smooth = grey.filter(PIL.ImageFilter.MedianFilter(3))
    return np.asarray(PIL.ImageChops.subtract(grey, smooth, scale=1 / NOISE_GAIN, offset=128))


def jpeg_ghosts(image: Image) -> NDArray[np.uint8]:
    """Show how well each block fits each JPEG quality: a part that was once saved at a quality is dark there.

    H. Farid, "Exposing Digital Forgeries From JPEG Ghosts" (2009), on the luminance. It needs the part to be on the
    grid of its own blocks, and the later quality to be higher.

    Returns:
        uint8 [len(GHOST_QUALITIES), height // GHOST_BLOCK, width // GHOST_BLOCK]: the mean squared change when the
        picture is saved at a quality, from 0 for a block's best quality to 255 for its worst.

    Raises:
        ValueError: The picture has fewer than `GHOST_BLOCK` pixels per side.
    """
    rows, columns = (side // GHOST_BLOCK for side in image.rgb.shape[:2])
    if not rows or not columns:
        raise ValueError(f"the picture has fewer than {GHOST_BLOCK} pixels per side, so it has no JPEG ghosts")
    grey = np.asarray(PIL.Image.fromarray(image.rgb).convert("L"))[: rows * GHOST_BLOCK, : columns * GHOST_BLOCK]
    changes = np.empty((len(GHOST_QUALITIES), rows, columns), np.float32)
    blocks = _TILE // GHOST_BLOCK
    for top, left in itertools.product(range(0, rows, blocks), range(0, columns, blocks)):
        down, across = slice(top, top + blocks), slice(left, left + blocks)
        tile = grey[top * GHOST_BLOCK : down.stop * GHOST_BLOCK, left * GHOST_BLOCK : across.stop * GHOST_BLOCK]
        for number, quality in enumerate(GHOST_QUALITIES):
            change = np.square(_saved(tile, quality).astype(np.float32) - tile)
            squares = change.reshape(len(tile) // GHOST_BLOCK, GHOST_BLOCK, -1, GHOST_BLOCK).mean((1, 3))
            changes[number, down, across] = squares
    best = changes.min(axis=0)
    ghosts: NDArray[np.uint8] = (255 * (changes - best) / np.maximum(changes.max(axis=0) - best, 1e-6)).astype(np.uint8)
    return ghosts


def draw_ghosts(ghosts: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay the maps of `jpeg_ghosts` side by side, four in a row, each with a margin, a block as 4 x 4 pixels.

    Returns:
        uint8 [height, width], row by row from the lowest quality to the highest.
    """
    large = np.pad(ghosts.repeat(4, 1).repeat(4, 2), ((0, 0), (8, 8), (8, 8)), constant_values=255)
    count, height, width = large.shape
    sheet: NDArray[np.uint8] = large.reshape(count // 4, 4, height, width).swapaxes(1, 2).reshape(-1, 4 * width)
    return sheet


def histogram(image: Image) -> NDArray[np.int64]:
    """Count the levels of a picture.

    Returns:
        int64 [3, 256]: how many pixels have each level of red, green and blue.
    """
    return np.array(PIL.Image.fromarray(image.rgb).histogram(), np.int64).reshape(3, 256)


def average_spectrum(image: Image) -> NDArray[np.float32]:
    """Average the spectra of the high-pass filtered tiles of a picture.

    Upsampling inside a generator may leave peaks: X. Zhang, S. Karaman and S.-F. Chang, "Detecting and Simulating
    Artifacts in GAN Fake Images" (2019); R. Corvi et al., "Intriguing Properties of Synthetic Images" (2023). So may
    JPEG blocks, scaling, and woven fabric.

    Returns:
        float32 [n, n], power in decibels, frequency zero at [n // 2, n // 2]; n is `SPECTRUM_SIDE` or the
        picture's shorter side, if that is less.

    Raises:
        ValueError: The picture has fewer than `SMALLEST_SIDE` pixels per side.
    """
    height, width = image.rgb.shape[:2]
    side = min(SPECTRUM_SIDE, height // 2 * 2, width // 2 * 2)
    if side < SMALLEST_SIDE:
        raise ValueError(f"the picture has {width} x {height} pixels; a spectrum needs {SMALLEST_SIDE} per side")
    window = np.outer(np.hanning(side), np.hanning(side)).astype(np.float32)
    tops, lefts = _places(height, side), _places(width, side)
    power = np.zeros((side, side), np.float64)
    for top in tops:
        for left in lefts:
            tile = image.rgb[top : top + side, left : left + side].astype(np.float32) @ _LUMINANCE
            power += np.abs(np.fft.fft2(_detail(tile) * window)) ** 2
    decibels = 10 * np.log10(power / (len(tops) * len(lefts)) + 1e-6)
    spectrum: NDArray[np.float32] = np.fft.fftshift(decibels).astype(np.float32)
    return spectrum


def _places(length: int, side: int) -> list[int]:
    """Return the tiles' start positions: evenly spaced, half overlapping, at most `_MOST_TILES`."""
    count = min(2 * length // side - 1, _MOST_TILES)
    places: list[int] = np.linspace(0, length - side, count).astype(int).tolist()
    return places


def _detail(tile: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a tile less the mean of each pixel's 3 x 3 neighbours."""
    padded = np.pad(tile, 1, mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    detail: NDArray[np.float32] = tile - (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9
    return detail


@dataclass(frozen=True, slots=True)
class Peak:
    """A peak of a spectrum.

    Attributes:
        x: Cycles per pixel from left to right, -0.5 to 0.5.
        y: Cycles per pixel from top to bottom, 0 to 0.5; the other half of a spectrum mirrors this one.
        decibels: Height above the median of its neighbourhood.
        is_of_eights: Whether both frequencies are multiples of 1/8, like the peaks left by JPEG's 8 x 8 blocks or by
            upsampling by 2, 4 or 8.
    """

    x: float
    y: float
    decibels: float
    is_of_eights: bool


def spectral_peaks(spectrum: NDArray[np.float32]) -> list[Peak]:
    """Find the peaks of an average spectrum, the highest first, 16 at most."""
    half = _NEIGHBOURHOOD // 2
    padded = np.pad(spectrum, half, mode="wrap")
    neighbours = np.lib.stride_tricks.sliding_window_view(padded, (_NEIGHBOURHOOD, _NEIGHBOURHOOD))
    height = spectrum - np.median(neighbours, axis=(2, 3))
    deviation = _DEVIATIONS_OF_MEDIAN * float(np.median(np.abs(height)))
    frequencies = np.fft.fftshift(np.fft.fftfreq(len(spectrum)))
    y, x = np.meshgrid(frequencies, frequencies, indexing="ij")
    is_peak = (
        (height >= max(_LEAST_DECIBELS, _LEAST_DEVIATIONS * deviation))
        & (spectrum >= neighbours[:, :, half - 1 : half + 2, half - 1 : half + 2].max(axis=(2, 3)))
        & (np.hypot(x, y) >= _LOWEST_FREQUENCY)
        & ((y > 0) | (np.isin(y, (0, -0.5)) & ((x >= 0) | (x == -0.5))))  # the other half of the spectrum mirrors it
    )
    peaks = [
        Peak(
            x=float(x[cell]),
            y=abs(float(y[cell])),
            decibels=round(float(height[cell]), 1),
            is_of_eights=bool((8 * x[cell]).is_integer() and (8 * y[cell]).is_integer()),
        )
        for cell in zip(*np.nonzero(is_peak), strict=True)
    ]
    return sorted(peaks, key=lambda peak: -peak.decibels)[:_MOST_PEAKS]


def draw_spectrum(spectrum: NDArray[np.float32], peaks: Sequence[Peak]) -> NDArray[np.uint8]:
    """Draw a spectrum with a box around each of its peaks, and around the peak's mirror image.

    Returns:
        uint8 [3 n, 3 n, 3]: brighter means more power; from left to right and from top to bottom, frequencies
        of -0.5 to 0.5 cycles per pixel.
    """
    side = len(spectrum)
    darkest, lightest = np.percentile(spectrum, (_DARKEST, _LIGHTEST))
    grey = np.clip((spectrum - darkest) / max(lightest - darkest, 1e-6), 0, 1)
    drawing = np.repeat((255 * grey).astype(np.uint8)[..., None], 3, axis=2).repeat(_MAGNIFIED, 0).repeat(_MAGNIFIED, 1)
    for peak in peaks:
        for x, y in ((peak.x, peak.y), (-peak.x, -peak.y)):
            row, column = (round(side * (frequency + 0.5)) % side for frequency in (y, x))
            _draw_box(drawing, row, column)
    return drawing


def _draw_box(drawing: NDArray[np.uint8], row: int, column: int) -> None:
    """Draw a box around a cell, clipped to the drawing."""
    (top, left), side = (_MAGNIFIED * (place - _BOX) for place in (row, column)), _MAGNIFIED * (2 * _BOX + 1)
    bottom, right = top + side - 1, left + side - 1
    height, width = drawing.shape[:2]
    rows, columns = slice(max(top, 0), bottom + 1), slice(max(left, 0), right + 1)
    for edge in (top, bottom):
        if 0 <= edge < height:
            drawing[edge, columns] = _BOX_COLOUR
    for edge in (left, right):
        if 0 <= edge < width:
            drawing[rows, edge] = _BOX_COLOUR
