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
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from fauxto.errors import ImageError
from fauxto.images import tiff
from fauxto.images.colour import SIDEWAYS, UPRIGHT, to_srgb
from fauxto.images.container import Container, Format, check_pixels, reduce
from fauxto.images.formats import name_mismatch, sniff
from fauxto.images.source import check_bytes, read_bytes
from fauxto.limits import Limits
from fauxto.report import Reason, Status

__all__ = ["UPRIGHT", "FileFacts", "Image", "decode", "read_bytes"]

# How Pillow and libheif word what isn't plain damage.
_PILLOW_SAYS = {
    "truncated": Status.TRUNCATED,
    "end of file": Status.TRUNCATED,
    "security limit": Status.TOO_LARGE,
    "unsupported": Status.UNSUPPORTED_MODE,
    "unknown pixel mode": Status.UNSUPPORTED_MODE,
}

# What phones and cameras put behind a picture.
_BEHIND = {
    re.compile(rb"\xff\xd8\xff"): "another JPEG, as in MPO and Ultra HDR files",
    re.compile(rb"(?s).{0,4}(ftyp|mpvd)|.{0,8}MotionPhoto_Data"): "a video, as in motion photos",
}
_SNIFFED = 4096

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
        rgb: Read-only uint8 [height, width, 3], sRGB, upright, on white where transparent. Height and width are those
            of `facts` divided by `scale`, rounded up.
        facts: What the file is.
        alpha: Read-only uint8 [height, width], upright: the opacity of each pixel as stored, which says nothing of
            how the picture looks on white but may hold a message. None for a picture without transparency.
        scale: By what both sides were divided when a very large JPEG was decoded: 1 (not at all), 2, 4 or 8. Traces of
            single pixels are lost above 1.
    """

    rgb: NDArray[np.uint8]
    facts: FileFacts
    alpha: NDArray[np.uint8] | None = None
    scale: int = 1


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
    width, height = picture.size
    reduce(picture, outside.scale)
    check_pixels(*picture.size, limits)
    mode = picture.mode
    picture.load()
    if not format.is_whole(picture, outside):
        raise ImageError(Status.TRUNCATED, f"the pixel data of the {format.name} ends too early; get the whole file")

    exif = outside.exif or picture.info.get("exif")
    orientation, is_damaged = 1, False
    try:
        orientation = tiff.exif_orientation(exif) if exif else 1
    except (ValueError, KeyError, IndexError, struct.error, ImageError):
        is_damaged = True
    icc = outside.icc or picture.info.get("icc_profile")
    rgb, alpha, icc_profile = to_srgb(
        picture, icc if icc and len(icc) <= limits.max_metadata_bytes else None, orientation
    )
    notes = [*outside.notes, *name_mismatch(name, format.name)]
    if icc and icc_profile is None:
        notes.append(Reason("metadata_unreadable", "the colour profile can't be used; colours were read as sRGB."))
    if is_damaged:
        notes.append(Reason("metadata_unreadable", "the EXIF block is damaged; the picture was taken as upright."))
    frames = outside.frames or min(getattr(picture, "n_frames", 1), limits.max_frames)
    if frames > 1:
        count = f"at least {frames}" if frames == limits.max_frames else frames
        notes.append(Reason(format.several, f"the file holds {count} pictures; only the first was read."))
    notes.extend(_notes(data, format, outside))
    facts = FileFacts(
        format=format.name,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        width=height if orientation in SIDEWAYS else width,
        height=width if orientation in SIDEWAYS else height,
        mode=mode,
        orientation=orientation,
        frames=frames,
        icc_profile=icc_profile,
        trailing_bytes=len(data) - outside.end,
        notes=tuple(notes),
    )
    return Image(rgb, facts, alpha, outside.scale)


def _notes(data: bytes, format: Format, outside: Container) -> Iterator[Reason]:
    """Note how the file ends, and whether the picture was decoded smaller."""
    if not outside.is_closed:
        yield Reason("end_missing", f"the mark at the end of the {format.name} is missing; its pixels are all there.")
    if trailing := len(data) - outside.end:
        start = data[outside.end : outside.end + _SNIFFED].lstrip(b"\0")
        what = next((f" ({what})" for sign, what in _BEHIND.items() if sign.match(start)), "")
        yield Reason("trailing_data", f"{trailing} bytes follow the end of the picture{what}; they were not read.")
    if outside.scale > 1:
        part = {2: "half", 4: "a quarter of", 8: "an eighth of"}[outside.scale]
        yield Reason("decoded_smaller", f"the picture is very large and was judged at {part} its width and height.")
