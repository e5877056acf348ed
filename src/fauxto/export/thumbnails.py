"""Pictures as reports show them: made anew from decoded pixels, so that nothing of the file comes along."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from fauxto.images import jpeg, png

_JPEG: Mapping[str, int] = {"quality": 88, "subsampling": 0}


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture encoded by us, without metadata; `width` and `height` in pixels."""

    width: int
    height: int
    media_type: str
    data: bytes = field(repr=False)

    @property
    def address(self) -> str:
        """The picture as a data address, for HTML."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode('ascii')}"


def thumbnail(rgb: NDArray[np.uint8], side: int = 240) -> Thumbnail:
    """Encode a picture so that its longer side has `side` pixels at most.

    Args:
        rgb: uint8 [H, W, 3].
        side: 1 or more. A picture less than half as large is enlarged in crisp squares.
    """
    shown = fit(rgb, side)
    is_crisp = shown.shape != rgb.shape and shown.size > rgb.size
    file = io.BytesIO()
    picture = PIL.Image.fromarray(shown)
    format = png.FORMAT if is_crisp else jpeg.FORMAT
    picture.save(file, format.name, **({} if is_crisp else _JPEG))
    height, width = shown.shape[:2]
    return Thumbnail(width, height, format.media_type, file.getvalue())


def fit(rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return a picture reduced to `side` pixels at most, or, if it is tiny, enlarged in crisp squares.

    Args:
        rgb: uint8 [H, W, 3].
        side: Of the longer side, 1 or more.
    """
    times = side // max(rgb.shape[:2])
    if times >= 2:
        return rgb.repeat(times, axis=0).repeat(times, axis=1)
    picture = PIL.Image.fromarray(rgb)
    picture.thumbnail((side, side), reducing_gap=3.0)
    return np.asarray(picture)
