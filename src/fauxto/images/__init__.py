"""The one gate through which a stranger's picture comes in: bytes -> `Image`, 8-bit sRGB pixels and `FileFacts`.

Whatever the bytes are, `decode` returns an `Image` or raises ImageError. Nothing else in fauxto opens a picture that it
hasn't just saved itself (rule 2 of docs/architecture.md).

    formats.py      the allow-list: one row a format, sniffed by content
    container.py    what a `Format` has, and what all walkers share
    jpeg.py ...     one file a format: all that fauxto knows of it, from its first bytes to its metadata
    isobmff.py isobmff_items.py    the boxes of AVIF and HEIF, and the metadata in them
    colour.py       any pixel mode -> sRGB without transparency
    source.py       path or open file -> bytes
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Transpose

from fauxto.errors import ImageError
from fauxto.images import tiff
from fauxto.images.colour import to_srgb
from fauxto.images.container import Container, Format, check_pixels
from fauxto.images.formats import name_mismatch, sniff
from fauxto.images.source import check_bytes, read_bytes
from fauxto.limits import Limits
from fauxto.report import Reason, Status

__all__ = ["UPRIGHT", "FileFacts", "Image", "decode", "read_bytes"]

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

# How Pillow and libheif word what isn't plain damage.
_PILLOW_SAYS = {
    "truncated": Status.TRUNCATED,
    "end of file": Status.TRUNCATED,
    "security limit": Status.TOO_LARGE,
    "unsupported": Status.UNSUPPORTED_MODE,
    "unknown pixel mode": Status.UNSUPPORTED_MODE,
}

_DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a file is.

    Attributes:
        format: The name of its `Format`, such as JPEG or WEBP.
        bytes: Size of the file in bytes.
        sha256: Of the file's bytes, in hexadecimal.
        width: In pixels, after orientation.
        height: In pixels, after orientation.
        mode: Pillow's name of the pixel mode as stored, such as RGB, CMYK, P or I;16.
        orientation: As EXIF counts it, 1 (upright) to 8; already applied to the pixels.
        frames: Frames or pages, counted up to `Limits.max_frames`.
        icc_profile: Description of the embedded colour profile that was applied; None without a usable one.
        trailing_bytes: Bytes behind the image's own end, which were not read.
        notes: What is odd about the file, such as "animated" or "trailing_data".
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
    notes: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A decoded picture.

    Attributes:
        rgb: Read-only uint8 [height, width, 3], sRGB, upright, on white where transparent.
        facts: What the file is.
        alpha: Read-only uint8 [height, width], upright: the opacity of each pixel as stored, which says nothing of
            how the picture looks on white but may hold a message. None for a picture without transparency.
    """

    rgb: NDArray[np.uint8]
    facts: FileFacts
    alpha: NDArray[np.uint8] | None = None


def decode(data: bytes, limits: Limits = _DEFAULT_LIMITS, *, name: str | None = None) -> Image:
    """Decode the first picture of a file, known by its content; docs/reference/images.md has every rule.

    Args:
        data: The whole file.
        limits: What the picture may cost; checked on the file's headers, before any pixel is allocated.
        name: The file's name, only to note where its ending belies the content.

    Raises:
        ImageError: `unreadable`, `unsupported_format`, `unsupported_mode`, `too_large` or `truncated`. No other
            exception leaves this function, whatever the bytes.
    """
    check_bytes(len(data), limits)
    format = sniff(data)
    kind = format.name
    try:
        outside = format.read(data, limits)
    except (EOFError, IndexError, struct.error) as error:
        raise ImageError(Status.TRUNCATED, f"the {kind} ends too early; get the whole file") from error
    try:
        return _decode(data, format, outside, limits, name)
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(Status.TOO_LARGE, f"the {kind} doesn't fit into memory; save the picture smaller") from error
    except Exception as error:  # on damaged data Pillow raises nearly anything
        message = " ".join(str(error).split())
        status = next((status for words, status in _PILLOW_SAYS.items() if words in message.lower()), Status.UNREADABLE)
        raise ImageError(status, f"the {kind} can't be decoded ({message[:200]}); save it anew") from error


def _decode(data: bytes, format: Format, outside: Container, limits: Limits, name: str | None) -> Image:
    picture = format.open(BytesIO(outside.pixels))
    check_pixels(*picture.size, limits)
    mode = picture.mode
    picture.load()
    if not format.is_whole(picture, outside.pixels):
        raise ImageError(Status.TRUNCATED, f"the pixel data of the {format.name} ends too early; get the whole file")

    notes = [*outside.notes, *name_mismatch(name, format.name)]
    icc = outside.icc or picture.info.get("icc_profile")
    rgb, alpha, icc_profile = to_srgb(picture, icc if icc and len(icc) <= limits.max_metadata_bytes else None)
    if icc and icc_profile is None:
        notes.append(Reason("metadata_unreadable", "the colour profile can't be used; colours were read as sRGB."))
    exif = outside.exif or picture.info.get("exif")
    orientation = 1
    try:
        orientation = tiff.exif_orientation(exif) if exif else 1
    except (ValueError, KeyError, IndexError, struct.error, ImageError):
        notes.append(Reason("metadata_unreadable", "the EXIF block is damaged; the picture was taken as upright."))
    if orientation in UPRIGHT:
        rgb = rgb.transpose(UPRIGHT[orientation])
        alpha = alpha and alpha.transpose(UPRIGHT[orientation])

    frames = outside.frames or min(getattr(picture, "n_frames", 1), limits.max_frames)
    if frames > 1:
        count = f"at least {frames}" if frames == limits.max_frames else frames
        notes.append(Reason(format.several, f"the file holds {count} pictures; only the first was read."))
    trailing = len(data) - outside.end
    if trailing:
        sentence = f"{trailing} bytes follow the end of the picture; they were not read."
        notes.append(Reason("trailing_data", sentence))
    facts = FileFacts(
        format=format.name,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        width=rgb.width,
        height=rgb.height,
        mode=mode,
        orientation=orientation,
        frames=frames,
        icc_profile=icc_profile,
        trailing_bytes=trailing,
        notes=tuple(notes),
    )
    return Image(
        np.frombuffer(rgb.tobytes(), np.uint8).reshape(rgb.height, rgb.width, 3),
        facts,
        None if alpha is None else np.frombuffer(alpha.tobytes(), np.uint8).reshape(rgb.height, rgb.width),
    )
