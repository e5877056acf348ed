"""Where a content credential lies in each format (C2PA specification 2.2, annex A).

Each format has one proper place for it. A credential anywhere else, behind the end of the picture above all, is none.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from fauxto.images import gif, isobmff, jpeg, png, tiff, webp

Part = TypeVar("Part")

MAX_PARTS = 15_000
"""Chunks or top-level boxes of a file with a credential; c2pa takes 10 microseconds for each chunk of a PNG."""

MAX_STRUCTURE = 100_000
"""Bytes of the boxes that may hold boxes, in an AVIF or HEIF; c2pa's time grows with the square of their number."""

_EVERY_CREDENTIAL_HAS = b"jumb"

_APP11, _START_OF_SCAN = 0xEB, 0xDA
_INSTANCE, _CONTENT_TYPE = slice(6, 8), slice(28, 32)  # of an APP11 segment: JPEG XT's box number, JUMBF's type
_FIRST_SEGMENT, _NEXT_SEGMENT = 12, 20  # where data starts: the next ones repeat the box's header
_GIF_NAME = b"\x21\xff\x0bC2PA_GIF"
_GIF_HEADER = 14
_TIFF_TAG = 0xCD41
_WITHOUT_BOXES = {b"mdat", b"idat", b"free", b"skip", b"wide", b"uuid", b"jumb"}
_BOX_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def extract(data: bytes, format: str) -> bytes:
    """Return a file's content credential, a JUMBF box; nothing without one.

    Args:
        data: The whole file, which the gate has decoded.
        format: `FileFacts.format` of it.

    Raises:
        EOFError, IndexError, ValueError, struct.error, ImageError: The file is damaged, or has too many parts.
    """
    if _EVERY_CREDENTIAL_HAS not in data or format not in _FINDERS:
        return b""
    return b"".join(_FINDERS[format](data))


def _in_jpeg(data: bytes) -> Iterator[bytes]:
    instance = None
    for marker, start, end in jpeg.segments(data):
        if marker == _START_OF_SCAN:
            return
        segment = data[start:end] if marker == _APP11 else b""
        if instance is not None and segment[_INSTANCE] == instance:
            yield segment[_NEXT_SEGMENT:]
        elif segment[_CONTENT_TYPE] == b"c2pa":
            instance = segment[_INSTANCE]
            yield segment[_FIRST_SEGMENT:]


def _in_png(data: bytes) -> Iterator[bytes]:
    return (data[start + 8 : end - 4] for kind, start, end in _few(png.chunks(data)) if kind == b"caBX")


def _in_webp(data: bytes) -> Iterator[bytes]:
    return (data[start + 8 : end] for kind, start, end in webp.chunks(data) if kind == b"C2PA")


def _in_gif(data: bytes) -> Iterator[bytes]:
    for _, start, end in gif.blocks(data):
        if data.startswith(_GIF_NAME, start):
            position = start + _GIF_HEADER
            while position < end:
                following = position + 1 + data[position]
                yield data[position + 1 : following]
                position = following


def _in_tiff(data: bytes) -> Iterator[bytes]:
    order = tiff.byte_order(data)
    (start,) = struct.unpack_from(order + "I", data, 4)
    entries, _ = tiff.read_directory(data, order, start)
    if entry := entries.get(_TIFF_TAG):
        yield data[entry.offset : entry.offset + entry.count]


def _in_boxes(data: bytes) -> Iterator[bytes]:
    structure = 0
    for kind, start, payload, end in _few(isobmff.boxes(data, 0, len(data))):
        if kind == b"uuid" and data.startswith(_BOX_UUID, payload):
            box = data.find(_EVERY_CREDENTIAL_HAS, payload, end) - 4  # behind a purpose and an offset
            yield data[box:end] if box > 0 else b""
        structure += 0 if kind in _WITHOUT_BOXES else end - start
    if structure > MAX_STRUCTURE:
        raise ValueError(f"the file's structure has {structure} bytes, the limit is {MAX_STRUCTURE}")


def _few(parts: Iterable[Part]) -> Iterator[Part]:
    for number, part in enumerate(parts):
        if number == MAX_PARTS:
            raise ValueError(f"the file has more than {MAX_PARTS} parts")
        yield part


_FINDERS: Mapping[str, Callable[[bytes], Iterator[bytes]]] = {
    "JPEG": _in_jpeg,
    "PNG": _in_png,
    "WEBP": _in_webp,
    "GIF": _in_gif,
    "TIFF": _in_tiff,
    "AVIF": _in_boxes,
    "HEIF": _in_boxes,
}
