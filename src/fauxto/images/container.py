"""What every file format has in common: a `Format` says all that fauxto knows of one.

Each format has a module that ends in its value, `FORMAT`. Its `read(data, limits) -> Container` walks the file's own
structure and hands the decoder only what makes up the first picture: no metadata, no further frames, nothing behind the
end. So what a stranger wrote into the metadata never reaches Pillow, and a file that ends too early is found out here.
As soon as the walker knows the picture's size, it calls `check_pixels`.

A walker may run off the end of `data`: the IndexError, struct.error or EOFError that follows means "truncated".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from typing import TypeVar

import PIL.Image

from fauxto.errors import ImageError
from fauxto.limits import Limits
from fauxto.report import Reason, Status

MAX_PARTS = 500_000
"""Segments, chunks or blocks that a walker visits: half a second; an honest file of 100 MB has fewer."""

MAX_PARTS_WITH_CREDENTIAL = 15_000
"""Chunks or top-level boxes of a file with a content credential: its reader takes 10 microseconds for each of them."""

MAX_TEXTS = 256
"""Texts and comments of a file that are read."""

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Container:
    """The outside of one file.

    Attributes:
        pixels: A file of the same format that holds the first picture alone, for the decoder.
        end: Offset in bytes of the first byte behind the image.
        frames: Frames or pages, counted up to `Limits.max_frames`; None where only the decoder knows them.
        exif: The EXIF block, a TIFF structure with or without its "Exif" lead; None where the decoder reports it.
        icc: The ICC profile; None where there is none or the decoder reports it.
        notes: For `FileFacts.notes`.
        is_closed: Whether the file's end mark is there; without it, `pixels` is closed nevertheless.
        scale: By what a JPEG's decoder is to divide both sides: 1, 2, 4 or 8.
    """

    pixels: bytes
    end: int
    frames: int | None = 1
    exif: bytes | None = None
    icc: bytes | None = None
    notes: tuple[Reason, ...] = ()
    is_closed: bool = True
    scale: int = 1


class Kind(StrEnum):
    """What a block of metadata holds."""

    EXIF = "EXIF"
    """A TIFF structure, with or without its "Exif" lead."""
    XMP = "XMP"
    """The XML of an XMP packet."""
    IPTC = "IPTC"
    """IPTC-IIM datasets."""
    PHOTOSHOP = "Photoshop"
    """Photoshop's image resources, which may hold EXIF, XMP and IPTC."""
    TEXT = "text"
    """A text with a keyword, or a comment, whose keyword is empty."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block of metadata in its proper place, `data[start:end]`, which nobody has looked at yet.

    Attributes:
        kind: What it holds.
        data: The file, or what was put together from parts of it.
        start: Offset in bytes of the block.
        end: As the file states it; it may lie behind the end of `data`.
        keyword: Of a text; None for what isn't stored as a text.
        is_packed: Whether a text is compressed with zlib.
        is_unusable: Whether the format's own check of a block failed, a part of it is missing, or a text is larger than
            the limits allow.
    """

    kind: Kind
    data: bytes
    start: int
    end: int
    keyword: str | None = None
    is_packed: bool = False
    is_unusable: bool = False


def is_always_whole(picture: PIL.Image.Image, outside: Container) -> bool:
    """Say that a decoded picture is whole: for formats whose decoder complains where data runs out."""
    return True


def no_blocks(data: bytes, limits: Limits) -> Iterator[Block]:
    """Find no metadata: for formats in which neither cameras nor generators write any."""
    return iter(())


def no_credential(data: bytes) -> Iterator[bytes]:
    """Find no content credential: for formats in which it has no proper place."""
    return iter(())


def no_parts(data: bytes) -> Iterator[tuple[int, int]]:
    """Find no part that a signature may leave out: for formats whose signatures name parts by their kind, or none."""
    return iter(())


@dataclass(frozen=True, slots=True)
class Format:
    """All that fauxto knows of one file format.

    Attributes:
        name: As `FileFacts.format` has it, in capitals.
        label: As people write it.
        media_type: As HTTP names it.
        suffixes: Endings of file names that promise this format, in lower case.
        is_lossless: Whether every file of it keeps the pixels of a photograph as they were.
        matches: Tells by its first bytes whether a file is of this format; any bytes may come.
        read: Walks the outside of a file.
        open: The decoder, called by its class, so that no other parser of Pillow's ever sees the bytes.
        is_whole: Whether a decoded picture is filled to its end, where the decoder would not complain.
        several: The word of the note on a file with more than one frame.
        metadata: Yields the blocks of metadata that lie in their proper places, in the order of the file. It may raise
            what a walker raises, and ValueError.
        credential: Yields the pieces of the content credential, a JUMBF box, from its proper place (C2PA
            specification 2.2, annex A); it may raise the same.
        metadata_parts: Yields (start, end) in bytes of each part that a signature may leave out, in the file's order:
            metadata and the credential, which neither hold pixels nor change how they look; it may raise the same.
    """

    name: str
    label: str
    media_type: str
    suffixes: tuple[str, ...]
    is_lossless: bool
    matches: Callable[[bytes], bool]
    read: Callable[[bytes, Limits], Container]
    open: Callable[[BytesIO], PIL.Image.Image]
    is_whole: Callable[[PIL.Image.Image, Container], bool] = is_always_whole
    several: str = "animated"
    metadata: Callable[[bytes, Limits], Iterator[Block]] = no_blocks
    credential: Callable[[bytes], Iterator[bytes]] = no_credential
    metadata_parts: Callable[[bytes], Iterator[tuple[int, int]]] = no_parts


def check_pixels(width: int, height: int, limits: Limits, cost: float = 1.0) -> None:
    """Raise ImageError (too_large) for a picture of more pixels than may be decoded in full.

    Pillow's own bound stays the ceiling, so that its warning never comes up: to go higher, raise both.

    Args:
        width: In pixels.
        height: In pixels.
        limits: The limits.
        cost: How many times more memory the format's decoder takes for a pixel than most do.
    """
    most = min(limits.max_pixels, int(limits.max_full_pixels / cost))
    most = min(most, PIL.Image.MAX_IMAGE_PIXELS or most)
    if width * height > most:
        raise ImageError(Status.TOO_LARGE, f"the picture has {width} x {height} pixels; the limit is {most} in all")


def reduce(picture: PIL.Image.Image, scale: int) -> None:
    """Have libjpeg decode a JPEG that isn't loaded yet at 1/`scale` of its sides, rounded up."""
    if scale > 1:
        picture.draft(None, (picture.width // scale, picture.height // scale))


def bounded(parts: Iterable[Part], most: int = MAX_PARTS) -> Iterator[Part]:
    """Pass `parts` on; raise ImageError (too_large) when there are more than `most`."""
    for count, part in enumerate(parts):
        if count == most:
            raise ImageError(Status.TOO_LARGE, f"the file consists of more than {most} parts; save it anew")
        yield part
