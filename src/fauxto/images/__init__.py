"""The one gate through which a stranger's picture comes in: bytes -> `Image` (8-bit sRGB pixels and `FileFacts`).

Whatever the bytes are, `decode` returns an `Image` or raises ImageError. Nothing else in fauxto opens an image.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePath
from typing import BinaryIO, NamedTuple

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Image import Transpose
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from fauxto.errors import ImageError
from fauxto.images import bmp, gif, isobmff, jpeg, png, tiff, webp
from fauxto.images.colour import to_srgb
from fauxto.images.container import Container
from fauxto.limits import Limits
from fauxto.report import Status

__all__ = ["FileFacts", "Image", "decode", "read_bytes"]


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a file is.

    Attributes:
        format: JPEG, PNG, WEBP, BMP, GIF, TIFF, AVIF or HEIF.
        bytes: Size of the file in bytes.
        sha256: Of the file's bytes, in hexadecimal.
        width: In pixels, after orientation.
        height: In pixels, after orientation.
        mode: Pillow's name of the pixel mode as stored, such as RGB, CMYK, P or I;16.
        orientation: As EXIF counts it, 1 (upright) to 8; already applied to the pixels.
        frames: Frames or pages, counted up to `Limits.max_frames`.
        icc_profile: Description of the embedded colour profile that was applied; None without a usable one.
        trailing_bytes: Bytes behind the image's own end, which were not read.
        notes: Sentences, each led by a stable word and a colon ("animated: ...").
    """

    format: str
    bytes: int
    sha256: str
    width: int
    height: int
    mode: str
    orientation: int
    frames: int
    icc_profile: str | None
    trailing_bytes: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A decoded picture: `rgb` is read-only uint8 [height, width, 3] in sRGB, upright, on white where transparent."""

    rgb: NDArray[np.uint8]
    facts: FileFacts
