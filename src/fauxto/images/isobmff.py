"""What AVIF and HEIF share: the boxes of the ISO base media file format (ISO/IEC 14496-12, 23008-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from fauxto.images.container import MAX_PARTS_WITH_CREDENTIAL, Container, bounded
from fauxto.limits import Limits

MAX_STRUCTURE = 100_000
"""Bytes of the boxes that may hold boxes, in a file with a content credential; its reader's time grows with the square
of their number."""

_MAX_BRANDS = 64

# What follows the last of these isn't part of the picture.
_TOP_LEVEL = {b"ftyp", b"styp", b"meta", b"meco", b"moov", b"moof", b"mfra", b"mdat", b"idat", b"free", b"skip"}
_TOP_LEVEL |= {b"wide", b"uuid", b"pdin", b"sidx", b"ssix", b"prft", b"emsg", b"jumb"}
FULL_BOX = 4
"""Bytes of version and flags in front of a full box's payload."""

_WITHOUT_BOXES = {b"mdat", b"idat", b"free", b"skip", b"wide", b"uuid", b"jumb"}
_CREDENTIAL = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # of a box of type uuid


def brands(data: bytes) -> set[bytes]:
    """Return the brands that a file's ftyp box names; none without such a box."""
    if data[4:8] != b"ftyp" or len(data) < 16:
        return set()
    (length,) = struct.unpack_from(">I", data)
    named = data[8:12] + data[16 : min(length, 16 + 4 * _MAX_BRANDS)]
    return {named[start : start + 4] for start in range(0, len(named), 4)}


def boxes(data: bytes, start: int, stop: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield (type, start, payload, end) of each box between `start` and `stop`; the last may end behind `stop`.

    Raises:
        struct.error: A box header lies behind the end of `data`.
    """
    while start + 8 <= stop:
        length, kind = struct.unpack_from(">I4s", data, start)
        payload = start + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, payload)
            payload += 8
        end = start + length if length else stop
        if end < payload:
            return
        yield kind, start, payload, end
        start = end


def read(data: bytes, limits: Limits) -> Container:
    """Walk an AVIF or HEIF. `pixels` hides the EXIF item: a rotation is stated outside it, and Pillow would parse it.

    Raises:
        EOFError, struct.error: The file ends too early.
        ImageError: `too_large` for too many boxes.
    """
    end = 0
    lists: list[tuple[int, int]] = []
    for kind, _, payload, box_end in bounded(boxes(data, 0, len(data))):
        if kind not in _TOP_LEVEL:
            break
        end = box_end
        if end > len(data):
            raise EOFError
        if kind == b"meta":
            inside = bounded(boxes(data, payload + FULL_BOX, end))
            lists += ((start, min(stop, end)) for kind, start, _, stop in inside if kind == b"iinf")
    return Container(pixels=_without_exif(data[:end], lists), end=end, frames=None)


def _without_exif(data: bytes, lists: list[tuple[int, int]]) -> bytes:
    """Give each item of type "Exif" in the item lists, which don't overlap, a type that nothing knows."""
    parts: list[bytes | memoryview] = []
    done = 0
    for start, stop in lists:
        parts += [memoryview(data)[done:start], data[start:stop].replace(b"Exif", b"none")]
        done = stop
    return b"".join((*parts, memoryview(data)[done:]))


def credential(data: bytes) -> Iterator[bytes]:
    """Yield the content credential from its box of type uuid, behind a purpose and an offset.

    Raises:
        struct.error: A box header lies behind the end of `data`.
        ValueError, ImageError: There are too many boxes, or too many that may hold boxes.
    """
    structure = 0
    for kind, start, payload, end in bounded(boxes(data, 0, len(data)), MAX_PARTS_WITH_CREDENTIAL):
        if kind == b"uuid" and data.startswith(_CREDENTIAL, payload):
            box = data.find(b"jumb", payload, end) - 4
            yield data[box:end] if box > 0 else b""
        structure += 0 if kind in _WITHOUT_BOXES else end - start
    if structure > MAX_STRUCTURE:
        raise ValueError(f"the file's structure has {structure} bytes, the limit is {MAX_STRUCTURE}")
