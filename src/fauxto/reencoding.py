"""What a mild re-encoding does to a picture: shrunk and saved as a JPEG, as messengers and social networks do.

The stability check of a verdict re-encodes the picture (docs/reference/report.md), and the laboratory's
degradations are built on the same functions.
"""

from __future__ import annotations

import io

import numpy as np
import PIL.Image

from fauxto.preprocessing import Pixels, resize

LONGEST_SIDE = 512
"""In pixels, of a re-encoded picture."""

_QUALITY = 60


def reencode(rgb: Pixels) -> Pixels:
    """Return a picture, uint8 [h, w, 3], shrunk to at most 512 pixels a side and saved as a JPEG of quality 60."""
    return jpeg(shrink(rgb, LONGEST_SIDE), _QUALITY)


def shrink(rgb: Pixels, longest: int) -> Pixels:
    """Shrink a picture, uint8 [h, w, 3], to at most `longest` pixels a side, proportions kept.

    A picture that is no larger is returned as it is.
    """
    height, width = rgb.shape[:2]
    factor = longest / max(height, width)
    return rgb if factor >= 1 else resize(rgb, max(1, round(height * factor)), max(1, round(width * factor)))


def jpeg(rgb: Pixels, quality: int) -> Pixels:
    """Return what is left of a picture, uint8 [h, w, 3], that is saved as a JPEG of a `quality` from 1 to 95."""
    file = io.BytesIO()
    PIL.Image.fromarray(rgb).save(file, "JPEG", quality=quality)
    return np.asarray(PIL.Image.open(file, formats=["JPEG"]))
