"""From any pixel mode that Pillow decodes to upright 8-bit sRGB without transparency."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageCms
from PIL.Image import Transpose

from fauxto.errors import ImageError
from fauxto.report import Status

BACKGROUND = (255, 255, 255)
"""What lies behind a transparent picture: white, as on most pages, and as most sites flatten it into a JPEG."""

UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
"""By EXIF's orientation, what makes a picture upright; 1 is upright already."""

SIDEWAYS = (5, 6, 7, 8)
"""The orientations whose rows become columns."""

_UPSIDE_DOWN = (3, 4, 6, 7)  # the first row becomes the last row or column

SAME_AS_SRGB = 2
"""Largest difference in levels, over a grid of colours, that a profile may make and still be held to be sRGB."""

_PIXELS_AT_ONCE = 1 << 20

_GRID = np.stack(np.meshgrid(*[np.arange(0, 256, 17, dtype=np.uint8)] * 3), axis=-1).reshape(16, 256, 3)

_PLAIN = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB", "RGBX": "RGB", "CMYK": "CMYK"}
_WITH_ALPHA = {"LA": "LA", "La": "LA", "RGBA": "RGBA", "RGBa": "RGBA", "PA": "RGBA"}
_WITH_TRANSPARENT_COLOUR = {"1": "LA", "L": "LA", "P": "RGBA", "RGB": "RGBA"}
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")


def to_srgb(
    image: PillowImage.Image, icc: bytes | None, orientation: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None, str | None]:
    """Convert a loaded picture to upright sRGB, composited on `BACKGROUND`.

    It goes strip by strip, so that hardly more memory is needed than for the picture and the result.

    Args:
        image: In any mode that a decoder gives.
        icc: An embedded ICC profile; without one, colours are taken as sRGB and CMYK is inverted naively.
        orientation: As EXIF counts it, 1 to 8.

    Returns:
        Read-only uint8 [height, width, 3]; the alpha channel, read-only uint8 [height, width], None without one; and
        the profile's description, None where there is no profile or it can't be used.

    Raises:
        ImageError: `unsupported_mode`.
    """
    width, height = image.size
    shape = (width, height) if orientation in SIDEWAYS else (height, width)
    rgb = np.empty((*shape, 3), np.uint8)
    alpha = None
    description = None
    rows = max(1, _PIXELS_AT_ONCE // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        strip = image.crop((0, top, width, bottom))
        colours, opacity, description = _strip_to_srgb(strip, icc)
        is_last_first = orientation in _UPSIDE_DOWN
        place = slice(height - bottom, height - top) if is_last_first else slice(top, bottom)
        where = (slice(None), place) if orientation in SIDEWAYS else (place, slice(None))
        rgb[where] = _upright(colours, orientation)
        if opacity is not None:
            alpha = np.empty(shape, np.uint8) if alpha is None else alpha
            alpha[where] = _upright(opacity, orientation)
    rgb.flags.writeable = False
    if alpha is not None:
        alpha.flags.writeable = False
    return rgb, alpha, description


def _upright(image: PillowImage.Image, orientation: int) -> NDArray[np.uint8]:
    return np.asarray(image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image)


def _strip_to_srgb(
    image: PillowImage.Image, icc: bytes | None
) -> tuple[PillowImage.Image, PillowImage.Image | None, str | None]:
    """Return a strip in mode RGB, its alpha channel in mode L or None, and the description of a profile in use."""
    colours, alpha = _split(image)
    rgb, description = None, None
    if icc is not None:
        rgb, description = _apply_profile(colours, icc)
    if rgb is None:
        rgb = colours if colours.mode == "RGB" else colours.convert("RGB")
    if alpha is not None:
        opaque = PillowImage.new("RGB", rgb.size, BACKGROUND)
        opaque.paste(rgb, mask=alpha)
        rgb = opaque
    return rgb, alpha, description


def _split(image: PillowImage.Image) -> tuple[PillowImage.Image, PillowImage.Image | None]:
    """Return the colours in mode L, RGB or CMYK, and the alpha channel in mode L if there is one."""
    mode = image.mode
    if mode in _SIXTEEN_BITS:
        # The high byte, as Pillow itself takes from 16-bit RGB; convert("L") would clip at 255.
        return PillowImage.fromarray((np.asarray(image) >> 8).astype(np.uint8)), None
    if "transparency" in image.info and mode in _WITH_TRANSPARENT_COLOUR:
        target = _WITH_TRANSPARENT_COLOUR[mode]
    elif mode in _WITH_ALPHA:
        target = _WITH_ALPHA[mode]
    elif mode in _PLAIN:
        target = _PLAIN[mode]
        return (image if mode == target else image.convert(target)), None
    else:
        raise ImageError(Status.UNSUPPORTED_MODE, f"fauxto doesn't read pixels of mode {mode}; save it as 8-bit PNG")
    bands = (image if mode == target else image.convert(target)).split()
    return (bands[0] if target == "LA" else PillowImage.merge("RGB", bands[:3])), bands[-1]


def _apply_profile(image: PillowImage.Image, icc: bytes) -> tuple[PillowImage.Image | None, str | None]:
    """Return the picture in sRGB and the profile's description, or None twice where lcms can't use the profile."""
    try:
        space, description, transform = _transform(icc, image.mode)
    except (OSError, ValueError):
        return None, None
    if transform is None:
        return image.convert("RGB"), description
    if image.mode == "L" and space == "RGB":
        image = image.convert("RGB")
    return transform.apply(image), description


@lru_cache(maxsize=8)
def _transform(icc: bytes, mode: str) -> tuple[str, str, ImageCms.ImageCmsTransform | None]:
    """Return the profile's colour space, description and way to sRGB; None for a profile that is sRGB.

    A grey picture with an RGB profile is common: its way leads through RGB.
    """
    profile = ImageCms.ImageCmsProfile(BytesIO(icc))
    space = profile.profile.xcolor_space.strip()
    description = "".join(filter(str.isprintable, profile.profile.profile_description or "unnamed"))[:200]
    source = "RGB" if mode == "L" and space == "RGB" else mode
    transform = ImageCms.ImageCmsTransform(
        profile, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")), source, "RGB"
    )
    if source == "RGB":
        grid = PillowImage.fromarray(_GRID)
        change = np.abs(np.asarray(transform.apply(grid), np.int16) - _GRID)
        if change.max() <= SAME_AS_SRGB:
            return space, description, None
    return space, description, transform
