"""From a decoded picture to what a network is fed; the runtime and the laboratory both go through here."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from fauxto.bundles.bundle import Input

Pixels = NDArray[np.uint8]

_SENT_SIDE, _SENT_QUALITY = 512, 60  # of a picture that was sent on


def resize(rgb: Pixels, height: int, width: int) -> Pixels:
    """Resize the whole picture, by Pillow's bilinear filter (which averages when it shrinks).

    Where it shrinks more than four times, whole pixels are averaged first, which is several times faster.

    Args:
        rgb: uint8 [h, w, 3].
        height: Rows of the result.
        width: Columns of the result.

    Returns:
        uint8 [height, width, 3]; `rgb` itself where it has that size already.
    """
    if rgb.shape[:2] == (height, width):
        return rgb
    picture = PIL.Image.fromarray(rgb).resize((width, height), PIL.Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(picture)


def shrunk(rgb: Pixels) -> Pixels:
    """Shrink a picture to at most 512 pixels a side, proportions kept; a smaller one stays as it is."""
    height, width = rgb.shape[:2]
    factor = _SENT_SIDE / max(height, width)
    return rgb if factor >= 1 else resize(rgb, max(1, round(height * factor)), max(1, round(width * factor)))


def sent_on(rgb: Pixels) -> Pixels:
    """Return what becomes of a shrunk picture, uint8 [H, W, 3], that is saved as a JPEG (quality 60) on its way."""
    file = io.BytesIO()
    PIL.Image.fromarray(rgb).save(file, "JPEG", quality=_SENT_QUALITY)
    return np.asarray(PIL.Image.open(file, formats=["JPEG"]))


def normalise(pixels: Pixels, into: Input) -> NDArray[np.float32]:
    """Return (pixels * scale - mean) / std as float32, in the shape [N, H, W, 3] of `pixels`."""

    def single(numbers: Any) -> NDArray[np.float32]:
        return np.asarray(numbers, np.float32)

    return (pixels * single(into.scale) - single(into.mean)) / single(into.std)
