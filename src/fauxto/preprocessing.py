"""From a decoded picture to what a network is fed; the runtime and the laboratory both go through here."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from fauxto.bundles.bundle import Input

Pixels = NDArray[np.uint8]

_QUALITY = 80  # of the mild re-encodings


def views(rgb: Pixels, into: Input) -> Pixels:
    """Return what a network looks at of one picture.

    Args:
        rgb: uint8 [h, w, 3].
        into: Whose `view` is "whole" (the whole picture, resized) or "tiles" (the same, then the most detailed tile of
            each quarter at native resolution; a picture smaller than a tile is enlarged to its size first).

    Returns:
        uint8 [V, height, width, 3], V from 1 to 5.
    """
    if into.view == "whole":
        return resize(rgb, into.height, into.width)[np.newaxis]
    whole = PIL.Image.fromarray(rgb).resize((into.width, into.height), PIL.Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.stack([np.asarray(whole), *_tiles(rgb, into.height, into.width)])


def resize(rgb: Pixels, height: int, width: int) -> Pixels:
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


def re_encoded(seen: Pixels) -> list[Pixels]:
    """Return mildly re-encoded copies of a picture's views, uint8 [V, H, W, 3] each: a verdict should survive them.

    One is a JPEG of good quality, the other was shrunk by a tenth and enlarged again.
    """
    return [np.stack([_as_jpeg(one) for one in seen]), np.stack([_softened(one) for one in seen])]


def normalise(pixels: Pixels, into: Input) -> NDArray[np.float32]:
    """Return (pixels * scale - mean) / std as float32, in the shape [N, H, W, 3] of `pixels`."""

    def single(numbers: Any) -> NDArray[np.float32]:
        return np.asarray(numbers, np.float32)

    return (pixels * single(into.scale) - single(into.mean)) / single(into.std)


def _tiles(rgb: Pixels, height: int, width: int) -> list[Pixels]:
    """Cut the tile with the most detail from each quarter, none twice."""
    rows, columns = rgb.shape[:2]
    if rows < height or columns < width:
        factor = max(height / rows, width / columns)
        rgb = resize(rgb, max(height, round(rows * factor)), max(width, round(columns * factor)))
        rows, columns = rgb.shape[:2]
    corners = {
        max((_detail(rgb[y : y + height, x : x + width]), y, x) for y in down for x in across)[1:]: None
        for down in _halves(rows, height)
        for across in _halves(columns, width)
    }
    return [rgb[y : y + height, x : x + width] for y, x in corners]


def _halves(length: int, tile: int) -> list[list[int]]:
    """Return where tiles may begin in the first and in the second half of a side."""
    last, half = length - tile, length // 2
    return [sorted({low, (low + high) // 2, high}) for low, high in ((0, max(0, half - tile)), (min(half, last), last))]


def _detail(tile: Pixels) -> float:
    """Return the mean step between neighbours, of every fourth row of green."""
    return float(np.abs(np.diff(tile[::4, :, 1].astype(np.int16), axis=1)).mean())


def _as_jpeg(rgb: Pixels) -> Pixels:
    file = io.BytesIO()
    PIL.Image.fromarray(rgb).save(file, "JPEG", quality=_QUALITY)
    return np.asarray(PIL.Image.open(file))


def _softened(rgb: Pixels) -> Pixels:
    height, width = rgb.shape[:2]
    return resize(resize(rgb, height * 9 // 10, width * 9 // 10), height, width)
