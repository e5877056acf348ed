"""The outside of a WebP (RFC 9649)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from PIL.WebPImagePlugin import WebPImageFile

from fauxto.errors import ImageError
from fauxto.images.container import Block, Container, Format, Kind, bounded, check_pixels
from fauxto.limits import Limits
from fauxto.report import Status

COST = 1.25
"""Memory for a pixel beside other formats' (`check_pixels`): the decoder keeps several canvases, 15 bytes in all."""

_RIFF_HEADER = 12
_PIXELS = (b"VP8 ", b"VP8L", b"ANMF")
_METADATA = {b"EXIF": Kind.EXIF, b"XMP ": Kind.XMP, b"XMP\0": Kind.XMP}  # the last by mistake, as ExifTool knows


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start, end) of each chunk inside the RIFF; its payload is `data[start + 8 : end]`.

    Where the file is cut, the last chunk may end behind it.
    """
    stop = min(_riff_end(data), len(data))
    start = _RIFF_HEADER
    while start + 8 <= stop:
        kind, length = struct.unpack_from("<4sI", data, start)
        end = start + 8 + length
        yield kind, start, end
        start = end + (length & 1)


def _riff_end(data: bytes) -> int:
    (length,) = struct.unpack_from("<I", data, 4)
    return int(8 + length)


def read(data: bytes, limits: Limits) -> Container:
    """Walk a WebP. libwebp parses the rest; its metadata chunks are handed out undecoded.

    Where the RIFF is cut behind the last chunk of pixels, `pixels` ends with that chunk.

    Raises:
        EOFError, struct.error: The file ends too early.
        ImageError: `unreadable` or `too_large`.
    """
    check_pixels(*_size(data), limits, COST)
    frames = last = 0
    for kind, _, chunk_end in bounded(chunks(data)):
        frames += kind == b"ANMF"
        last = chunk_end if kind in _PIXELS else last
    end = _riff_end(data)
    pixels = data[:end]
    is_closed = end <= len(data)
    if not is_closed:
        if not 0 < last <= len(data):
            raise EOFError
        end = len(data)
        body = data[8:last] + b"\0" * (last & 1)
        pixels = b"RIFF" + struct.pack("<I", len(body)) + body
    return Container(pixels=pixels, end=end, frames=min(max(1, frames), limits.max_frames), is_closed=is_closed)


def _size(data: bytes) -> tuple[int, int]:
    """Return the canvas that the first chunk states; libwebp allocates it when the file is opened."""
    kind, payload = data[_RIFF_HEADER : _RIFF_HEADER + 4], _RIFF_HEADER + 8
    if kind == b"VP8X":
        low = struct.unpack_from("<HBHB", data, payload + 4)
        return 1 + low[0] + (low[1] << 16), 1 + low[2] + (low[3] << 16)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, payload + 1)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, payload + 6)
        return width & 0x3FFF, height & 0x3FFF
    raise ImageError(Status.UNREADABLE, "the WebP holds no picture; the file is damaged")


def metadata(data: bytes, limits: Limits) -> Iterator[Block]:
    """Yield the chunks "EXIF" and "XMP "."""
    for kind, start, end in chunks(data):
        if kind in _METADATA:
            yield Block(_METADATA[kind], data, start + 8, end)


def credential(data: bytes) -> Iterator[bytes]:
    """Yield the chunk "C2PA"."""
    return (data[start + 8 : end] for kind, start, end in chunks(data) if kind == b"C2PA")


def metadata_parts(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield each chunk with EXIF, XMP or the credential, with its padding; raises as `chunks`."""
    parts = ((start, end) for kind, start, end in chunks(data) if kind in (*_METADATA, b"C2PA"))
    return ((start, end + (end - start) % 2) for start, end in parts)


FORMAT = Format(
    name="WEBP",
    label="WebP",
    media_type="image/webp",
    suffixes=(".webp",),
    is_lossless=False,
    matches=lambda data: data.startswith(b"RIFF") and data[8:12] == b"WEBP",
    read=read,
    open=WebPImageFile,
    metadata=metadata,
    credential=credential,
    metadata_parts=metadata_parts,
)
