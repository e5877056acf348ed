"""The outside of an AVIF or HEIF: boxes of the ISO base media file format (ISO/IEC 14496-12, 23008-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from fauxto.images.container import Container, bounded
from fauxto.limits import Limits

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_MAX_BRANDS = 64

# What follows the last of these isn't part of the picture.
_TOP_LEVEL = {b"ftyp", b"styp", b"meta", b"meco", b"moov", b"moof", b"mfra", b"mdat", b"idat", b"free", b"skip"}
_TOP_LEVEL |= {b"wide", b"uuid", b"pdin", b"sidx", b"ssix", b"prft", b"emsg", b"jumb"}
_FULL_BOX = 4  # version and flags in front of a full box's payload


def brand(data: bytes) -> str | None:
    """Return "AVIF" or "HEIF" for a file whose ftyp box names such a brand, else None."""
    if data[4:8] != b"ftyp" or len(data) < 16:
        return None
    (length,) = struct.unpack_from(">I", data)
    brands = data[8:12] + data[16 : min(length, 16 + 4 * _MAX_BRANDS)]
    named = {brands[start : start + 4] for start in range(0, len(brands), 4)}
    if named & _AVIF_BRANDS:
        return "AVIF"
    return "HEIF" if named & _HEIF_BRANDS else None


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
    pixels = data
    for kind, _, payload, box_end in bounded(boxes(data, 0, len(data))):
        if kind not in _TOP_LEVEL:
            break
        end = box_end
        if end > len(data):
            raise EOFError
        if kind == b"meta":
            pixels = _without_exif(data, payload + _FULL_BOX, end)
    return Container(pixels=pixels[:end], end=end, frames=None)


def _without_exif(data: bytes, start: int, stop: int) -> bytes:
    """Give each item of type "Exif" in a meta box's item list a type that nothing knows."""
    for kind, item_start, _, item_stop in bounded(boxes(data, start, stop)):
        if kind == b"iinf":
            items = data[item_start:item_stop].replace(b"Exif", b"none")
            return b"".join((memoryview(data)[:item_start], items, memoryview(data)[item_stop:]))
    return data
