"""The outside of a GIF (CompuServe GIF89a)."""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Iterator

from PIL.GifImagePlugin import GifImageFile

from fauxto.errors import ImageError
from fauxto.images.container import Block, Container, Format, Kind, bounded, check_pixels
from fauxto.limits import Limits
from fauxto.report import Status

_SIGNATURES = (b"GIF87a", b"GIF89a")
_HEADER = 13
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_GRAPHIC_CONTROL = 0xF9
_CONTROL, _CONTROL_BYTES = bytes((_EXTENSION, _GRAPHIC_CONTROL, 4)), 8
_FULL_SUB_BLOCKS = re.compile(rb"(?:\xff.{255})*+", re.DOTALL)
_COMMENT = 0xFE
_XMP = b"\x21\xff\x0bXMP DataXMP"  # an application extension
_XML_STARTS = (b"<", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0")
_BLANKS = (b"\0", b"\t", b"\n", b"\r", b" ")
_CREDENTIAL = b"\x21\xff\x0bC2PA_GIF"  # an application extension
_APPLICATION_HEADER = 14


def blocks(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (kind, start, end) of each whole block up to and with the trailer.

    Where a file is cut, or zeros stand in the trailer's place, the last block that is yielded isn't the trailer.

    Raises:
        IndexError: The file ends before its first block.
        ImageError: `unreadable` for a block of unknown kind, `too_large` for too many sub-blocks.
    """
    steps = bounded(itertools.repeat(None))
    start = _HEADER + _palette_bytes(data[10])
    while start < len(data):
        kind = data[start]
        if kind == _TRAILER:
            yield kind, start, start + 1
            return
        if kind == _EXTENSION:
            end = start + 2
        elif kind == _IMAGE and start + 10 <= len(data):
            end = start + 11 + _palette_bytes(data[start + 9])
        elif kind == _IMAGE or not data[start:].strip(b"\0"):
            return
        else:
            raise ImageError(Status.UNREADABLE, f"the GIF has a block of unknown kind {kind}; the file is damaged")
        if full := _FULL_SUB_BLOCKS.match(data, end):  # most are
            end = full.end()
        length = 1
        while length:  # a sub-block of length 0 is the last
            next(steps)
            if end >= len(data):
                return
            length = data[end]
            end += 1 + length
        yield kind, start, end
        start = end


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def read(data: bytes, limits: Limits) -> Container:
    """Walk a GIF. `pixels` keeps the palettes, the first frame and its graphic control.

    Of a frame that is cut, no more may be missing than the empty sub-block at its end.

    Raises:
        EOFError, IndexError, struct.error: The file ends too early.
        ImageError: `unreadable` or `too_large`.
    """
    width, height = struct.unpack_from("<HH", data, 6)
    check_pixels(width, height, limits)
    palette_end = _HEADER + _palette_bytes(data[10])
    control = picture = b""
    frames, kind, end = 0, None, palette_end
    for kind, start, end in blocks(data):
        if kind == _IMAGE:
            frames += 1
            if frames == 1:
                picture = data[start:end]
        elif kind == _EXTENSION and data[start + 1] == _GRAPHIC_CONTROL and not frames:
            control = data[start:end]
    is_closed = kind == _TRAILER
    if not is_closed and data[end : end + 1] == bytes((_IMAGE,)):
        whole = data + b"\0"
        if len(whole) not in (stop for _, start, stop in blocks(whole)):
            raise EOFError
        frames += 1
        picture = picture or whole[end:]
    elif not is_closed and _lacks_a_frame(data, end, kind):
        raise EOFError
    if not frames:
        if not is_closed:
            raise EOFError
        raise ImageError(Status.UNREADABLE, "the GIF holds no picture; the file is damaged")
    # The first frame may reach over the edge of the screen; Pillow then enlarges the picture.
    left, top, columns, rows = struct.unpack_from("<4H", picture, 1)
    check_pixels(max(width, left + columns), max(height, top + rows), limits)
    return Container(
        pixels=data[:palette_end] + control + picture + bytes((_TRAILER,)),
        end=end if is_closed else len(data),
        frames=min(frames, limits.max_frames),
        is_closed=is_closed,
    )


def _lacks_a_frame(data: bytes, end: int, kind: int | None) -> bool:
    """Tell of a GIF without trailer whether pixels are missing behind its last whole block, of `kind`, up to `end`.

    A graphic control announces a frame. Where zeros follow an image whose data ends in zeros, they are in its place.
    """
    announced = data.startswith(_CONTROL, end) or data.startswith(_CONTROL, end - _CONTROL_BYTES)
    return announced or (kind == _IMAGE and end < len(data) and not data[end - 2])


def credential(data: bytes) -> Iterator[bytes]:
    """Yield the sub-blocks of the application extension C2PA_GIF; raises as `blocks`."""
    for _, start, end in blocks(data):
        if data.startswith(_CREDENTIAL, start):
            yield from _sub_blocks(data, start + _APPLICATION_HEADER, end)


def _sub_blocks(data: bytes, position: int, end: int) -> Iterator[bytes]:
    while position < end:
        following = position + 1 + data[position]
        yield data[position + 1 : following]
        position = following


def metadata(data: bytes, limits: Limits) -> Iterator[Block]:
    """Yield each comment and each XMP packet; raises as `blocks`.

    XMP lies in an application extension as it is, not cut into sub-blocks; the "magic trailer" behind it leads a reader
    who takes its bytes for lengths to the end (XMP specification, part 3). Writers that cut it are understood as well.
    """
    for kind, start, end in blocks(data):
        is_too_large = end - start > limits.max_metadata_bytes
        if kind == _EXTENSION and data[start + 1] == _COMMENT:
            comment = b"" if is_too_large else b"".join(_sub_blocks(data, start + 2, end))
            yield Block(Kind.TEXT, comment, 0, len(comment), keyword="", is_unusable=is_too_large)
        elif data.startswith(_XMP, start):
            start += _APPLICATION_HEADER
            if is_too_large or not _is_cut(data, start):
                yield Block(Kind.XMP, data, start, end)
            else:
                packet = b"".join(_sub_blocks(data, start, end))
                yield Block(Kind.XMP, packet, 0, len(packet))


def _is_cut(data: bytes, start: int) -> bool:
    """Tell whether XML begins behind the length of a sub-block, not at `start` itself."""
    length, following = data[start : start + 1], data[start + 1 : start + 2]
    return data.startswith(_XML_STARTS, start + 1) and length not in _BLANKS and (length != b"<" or following == b"<")


FORMAT = Format(
    name="GIF",
    label="GIF",
    media_type="image/gif",
    suffixes=(".gif",),
    is_lossless=False,  # 256 colours hold no photograph
    matches=lambda data: data.startswith(_SIGNATURES),
    read=read,
    open=GifImageFile,
    metadata=metadata,
    credential=credential,
)
