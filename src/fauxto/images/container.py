"""What every file format has in common: the outside of a file, read before any pixel is decoded.

Each format has a module with one function, `read(data, limits) -> Container`. It walks the file's own structure and
hands the decoder only what makes up the first picture: no metadata, no further frames, nothing behind the end. So
what a stranger wrote into the metadata never reaches Pillow, and a file that ends too early is found out here. As
soon as the walker knows the picture's size, it calls `check_pixels`.

A walker may run off the end of `data`: the IndexError, struct.error or EOFError that follows means "truncated".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import PIL.Image

from fauxto.errors import ImageError
from fauxto.limits import Limits
from fauxto.report import Reason, Status

MAX_PARTS = 500_000
"""Segments, chunks or blocks that a walker visits: half a second; an honest file of 100 MB has fewer."""

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
    """

    pixels: bytes
    end: int
    frames: int | None = 1
    exif: bytes | None = None
    icc: bytes | None = None
    notes: tuple[Reason, ...] = ()


def check_pixels(width: int, height: int, limits: Limits) -> None:
    """Raise ImageError (too_large) for a picture of more pixels than the limit allows.

    Pillow's own bound stays the ceiling, so that its warning never comes up: to go higher, raise both.
    """
    most = min(limits.max_pixels, PIL.Image.MAX_IMAGE_PIXELS or limits.max_pixels)
    if width * height > most:
        raise ImageError(Status.TOO_LARGE, f"the picture has {width} x {height} pixels; the limit is {most} in all")


def bounded(parts: Iterable[Part]) -> Iterator[Part]:
    """Pass `parts` on; raise ImageError (too_large) when there are more than `MAX_PARTS`."""
    for count, part in enumerate(parts):
        if count == MAX_PARTS:
            raise ImageError(Status.TOO_LARGE, f"the file consists of more than {MAX_PARTS} parts; save it anew")
        yield part
