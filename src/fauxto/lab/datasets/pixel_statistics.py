"""What the pixels of many pictures have in common: measures per picture, their average, their average spectrum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fauxto.lab.degradations.functions import LUMA

_CHUNK_PIXELS = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class PixelSummary:
    """Squares of one size, summed up; grey levels and colours are on a scale of 0 to 255.

    Attributes:
        measures: Name of a measure to its value for each picture, float32 [N].
        histogram: Share of pixels at each level, float64 [3, 256], for red, green and blue.
        mean_picture: float64 [side, side, 3].
        log_spectrum: Mean log10 power by frequency, float64 [side, side], frequency 0 in the middle.
    """

    measures: dict[str, NDArray[np.float32]]
    histogram: NDArray[np.float64]
    mean_picture: NDArray[np.float64]
    log_spectrum: NDArray[np.float64]


def cut_squares(pictures: Iterable[NDArray[np.uint8]], side: int) -> NDArray[np.uint8]:
    """Cut the centre square out of each picture whose sides are long enough, at native resolution.

    Args:
        pictures: uint8 [height, width, 3] each.
        side: In pixels.

    Returns:
        uint8 [N, side, side, 3].
    """
    squares = []
    for rgb in pictures:
        top, left = ((length - side) // 2 for length in rgb.shape[:2])
        if min(top, left) >= 0:
            squares.append(rgb[top : top + side, left : left + side])
    return np.array(squares, dtype=np.uint8).reshape(-1, side, side, 3)


def summarise(squares: NDArray[np.uint8]) -> PixelSummary:
    """Sum up uint8 [N, side, side, 3], N at least 1, in pieces that fit any memory."""
    count, side = squares.shape[:2]
    pieces = np.array_split(squares, -(-squares[..., 0].size // _CHUNK_PIXELS))
    measured = [_measure(piece) for piece in pieces]
    histogram = sum(_histogram(piece) for piece in pieces)
    return PixelSummary(
        measures={name: np.concatenate([picture[name] for picture in measured]) for name in measured[0]},
        histogram=histogram / (count * side * side),
        mean_picture=sum(piece.sum(axis=0, dtype=np.float64) for piece in pieces) / count,
        log_spectrum=np.fft.fftshift(sum(_log_power(piece).sum(axis=0) for piece in pieces) / count),
    )


def radial_profile(log_spectrum: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average a centred spectrum over all directions.

    After R. Durall et al., "Watch Your Up-Convolution: CNN Based Generative Deep Neural Networks Are Failing to
    Reproduce Spectral Distributions", CVPR 2020.

    Args:
        log_spectrum: float64 [side, side], frequency 0 in the middle.

    Returns:
        Frequencies in cycles per pixel, up to 0.5, and the mean at each, both float64 [side // 2].
    """
    side = len(log_spectrum)
    steps = np.arange(side) - side // 2
    radius = np.rint(np.hypot(steps[:, None], steps)).astype(np.int64)
    sums = np.bincount(radius.ravel(), weights=log_spectrum.ravel())
    means = sums / np.bincount(radius.ravel())
    shown = slice(1, side // 2 + 1)  # frequency 0 is the brightness, and beyond 0.5 only the corners are left
    return np.arange(len(means))[shown] / side, means[shown]


def _measure(squares: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    luma = squares @ LUMA
    highest, lowest = squares.max(axis=3).astype(np.float32), squares.min(axis=3)
    across, down = np.abs(np.diff(luma, axis=2)), np.abs(np.diff(luma, axis=1))
    means = squares.mean(axis=(1, 2), dtype=np.float32)
    return {
        "brightness": luma.mean(axis=(1, 2)),
        "contrast": luma.std(axis=(1, 2)),
        "red": means[:, 0],
        "green": means[:, 1],
        "blue": means[:, 2],
        "colourfulness": (highest - lowest).mean(axis=(1, 2)),
        "saturation": 255 * ((highest - lowest) / np.maximum(highest, 1)).mean(axis=(1, 2)),
        "fine detail": (across.mean(axis=(1, 2)) + down.mean(axis=(1, 2))) / 2,
    }


def _histogram(squares: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.stack([np.bincount(squares[..., channel].ravel(), minlength=256) for channel in range(3)]).astype(float)


def _log_power(squares: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return log10 of the power spectra, float64 [N, side, side], under a Hann window against edge effects."""
    luma = squares @ LUMA
    window = np.hanning(luma.shape[1] + 2)[1:-1]
    spectrum = np.fft.fft2((luma - luma.mean(axis=(1, 2), keepdims=True)) * np.outer(window, window))
    return np.log10(np.abs(spectrum) ** 2 + 1e-3)
