"""From any pixel mode that Pillow decodes to 8-bit sRGB without transparency."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageCms

from fauxto.errors import ImageError
from fauxto.report import Status

BACKGROUND = (255, 255, 255)
"""What lies behind a transparent picture: white, as on most pages, and as most sites flatten it into a JPEG."""

SAME_AS_SRGB = 2
"""Largest difference in levels, over a grid of colours, that a profile may make and still be held to be sRGB."""

_GRID = np.stack(np.meshgrid(*[np.arange(0, 256, 17, dtype=np.uint8)] * 3), axis=-1).reshape(16, 256, 3)

_PLAIN = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB", "RGBX": "RGB", "CMYK": "CMYK"}
_WITH_ALPHA = {"LA": "LA", "La": "LA", "RGBA": "RGBA", "RGBa": "RGBA", "PA": "RGBA"}
_WITH_TRANSPARENT_COLOUR = {"1": "LA", "L": "LA", "P": "RGBA", "RGB": "RGBA"}
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")


def to_srgb(
    image: PillowImage.Image, icc: bytes | None
) -> tuple[PillowImage.Image, PillowImage.Image | None, str | None]:
    """Convert a loaded picture to mode RGB, in sRGB and composited on `BACKGROUND`.

    Args:
        image: In any mode that a decoder gives.
        icc: An embedded ICC profile; without one, colours are taken as sRGB and CMYK is inverted naively.

    Returns:
        The picture; its alpha channel in mode L, None without one; and the profile's description, None where there
        is no profile or it can't be used.

    Raises:
        ImageError: `unsupported_mode`.
    """
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
