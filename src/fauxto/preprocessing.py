"""From a decoded picture to what a network is fed; the runtime and the laboratory both go through here."""

from __future__ import annotations

from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from fauxto.bundles.bundle import Input


def resize(rgb: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize the whole picture, by Pillow's bilinear filter (which averages when it shrinks).

    Args:
        rgb: uint8 [h, w, 3].
        height: Rows of the result.
        width: Columns of the result.

    Returns:
        uint8 [height, width, 3]; `rgb` itself where it has that size already.
    """
    if rgb.shape[:2] == (height, width):
        return rgb
    picture = PIL.Image.fromarray(rgb).resize((width, height), PIL.Image.Resampling.BILINEAR)
    return np.asarray(picture)


def normalise(pixels: NDArray[np.uint8], into: Input) -> NDArray[np.float32]:
    """Return (pixels * scale - mean) / std as float32, in the shape [N, H, W, 3] of `pixels`."""

    def single(numbers: Any) -> NDArray[np.float32]:
        return np.asarray(numbers, np.float32)

    return (pixels * single(into.scale) - single(into.mean)) / single(into.std)
