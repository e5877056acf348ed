"""Pictures that a program holds as pixels already: saved without loss in memory, they pass the same gate as files."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from fauxto.errors import ImageError
from fauxto.images import Image, decode
from fauxto.images.container import check_pixels
from fauxto.limits import Limits
from fauxto.report import Status

FORMAT = "pixels"
"""What stands in a report for the format of a file."""

_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"})


def from_pixels(source: PIL.Image.Image | NDArray[np.uint8], limits: Limits) -> Image:
    """Return a picture that isn't a file (any more) as if it had been decoded from one.

    Args:
        source: A PIL image, of which the colour profile and EXIF's orientation count as they do in a file; or an array,
            uint8 [H, W, 3] or [H, W, 4] in sRGB, or grey [H, W] or [H, W, 1].
        limits: Only `max_pixels` and `max_full_pixels` count here.

    Returns:
        Its facts have the format "pixels" and the sha256 of `rgb`, row by row; all else is as in a lossless file.

    Raises:
        ImageError: `too_large`, `unsupported_mode`, or what `decode` finds in a PIL image that isn't loaded yet.
        TypeError: An array of another type or shape.
    """
    picture = source if isinstance(source, PIL.Image.Image) else _of_array(source)
    check_pixels(*picture.size, limits)
    file = io.BytesIO()
    options: dict[str, Any] = {"exif": picture.info.get("exif") or b""}
    try:
        if picture.mode not in _MODES:
            sentence = f"a PIL image of mode {picture.mode} isn't supported; give picture.convert('RGB')"
            raise ImageError(Status.UNSUPPORTED_MODE, sentence)
        # TIFF costs a fifth, but has no transparent colours.
        has_colours = picture.mode == "P" or "transparency" in picture.info
        picture.save(file, "PNG" if has_colours else "TIFF", **options)
    except ImageError:
        raise
    except Exception as error:  # a PIL image may not have been loaded yet, and decoders raise nearly anything
        message = " ".join(str(error).split())[:200]
        raise ImageError(Status.UNREADABLE, f"the PIL image has no usable pixels ({message})") from error
    image = decode(file.getvalue(), replace(limits, max_bytes=file.tell()))
    return replace(
        image, facts=replace(image.facts, format=FORMAT, sha256=hashlib.sha256(image.rgb.tobytes()).hexdigest())
    )


def _of_array(pixels: NDArray[np.uint8]) -> PIL.Image.Image:
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or channels not in (1, 3, 4) or not pixels.size:
        raise TypeError(
            "an array of pixels is uint8 [H, W, 3], [H, W, 4] or [H, W] with values of 0 to 255, "
            f"not {pixels.dtype} {list(pixels.shape)}; convert it first"
        )
    return PIL.Image.fromarray(pixels.squeeze(2) if pixels.ndim == 3 and channels == 1 else pixels)
