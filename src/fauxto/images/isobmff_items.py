"""The metadata items of an AVIF or HEIF: what its meta box lists as EXIF or XMP (ISO/IEC 23008-12, annex A)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice

from fauxto.images.container import Block, Kind, bounded
from fauxto.images.isobmff import FULL_BOX, boxes
from fauxto.limits import Limits

MAX_ITEMS = 10_000
MAX_EXTENTS = 16
"""Pieces of an item; writers make one."""

_XMP_TYPE = b"application/rdf+xml"
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_IN_FILE, _IN_META_BOX = 0, 1


def metadata(data: bytes, limits: Limits) -> Iterator[Block]:
    """Yield each EXIF or XMP item of the first meta box, and each box of type uuid with XMP (specification, part 3).

    Raises:
        struct.error, IndexError, ImageError: A box is damaged, or there are too many.
    """
    has_items = False
    for kind, _, payload, end in bounded(boxes(data, 0, len(data))):
        if kind == b"meta" and not has_items:
            has_items = True
            yield from _find_in_meta(data, payload + FULL_BOX, end, limits)
        elif kind == b"uuid" and data.startswith(_XMP_BOX, payload):
            yield Block(Kind.XMP, data, payload + len(_XMP_BOX), end)


def _find_in_meta(data: bytes, start: int, stop: int, limits: Limits) -> Iterator[Block]:
    parts = {kind: (payload, end) for kind, _, payload, end in bounded(boxes(data, start, stop))}
    if not {b"iinf", b"iloc"} <= parts.keys():
        return
    kinds = dict(_kinds(data, *parts[b"iinf"]))
    bases = {_IN_FILE: 0, _IN_META_BOX: parts.get(b"idat", (len(data), 0))[0]}
    for item, method, extents in islice(_places(data, parts[b"iloc"][0]), MAX_ITEMS):
        if item not in kinds or method not in bases:
            continue
        base = bases[method]
        content, begin, end = data, base + extents[0][0], base + sum(extents[0])
        if len(extents) > 1:
            is_too_large = sum(length for _, length in extents) > limits.max_metadata_bytes
            content = b"" if is_too_large else b"".join(data[base + at : base + at + length] for at, length in extents)
            begin, end = 0, len(content)
        skipped = 0
        if kinds[item] is Kind.EXIF and end - begin > 4:  # four bytes say where in the item the TIFF structure starts
            skipped = 4 + struct.unpack_from(">I", content, begin)[0]
        yield Block(kinds[item], content, begin + skipped, end, is_unusable=begin == end)


def _kinds(data: bytes, payload: int, stop: int) -> Iterator[tuple[int, Kind]]:
    """Yield (item, EXIF or XMP) from an item information box."""
    start = payload + FULL_BOX + (2 if data[payload] == 0 else 4)
    for kind, _, entry, end in bounded(boxes(data, start, stop)):
        version = data[entry]
        if kind != b"infe" or version not in (2, 3):
            continue
        item, _, item_type = struct.unpack_from(">HH4s" if version == 2 else ">IH4s", data, entry + FULL_BOX)
        if item_type == b"Exif":
            yield item, Kind.EXIF
        elif item_type == b"mime" and _XMP_TYPE in data[entry : min(end, entry + 200)].split(b"\0"):
            yield item, Kind.XMP


def _places(data: bytes, payload: int) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Yield (item, construction method, extents) of each item in an item location box, an extent as (offset, length).

    Items of more than `MAX_EXTENTS` extents are left out.
    """
    version, sizes = data[payload], struct.unpack_from(">BB", data, payload + FULL_BOX)
    offset_bytes, length_bytes, base_bytes = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4
    index_bytes = sizes[1] & 15 if version else 0
    id_bytes = 2 if version < 2 else 4
    position = payload + FULL_BOX + 2

    def take(count: int) -> int:
        nonlocal position
        if position + count > len(data):
            raise IndexError
        position += count
        return int.from_bytes(data[position - count : position], "big")

    for _ in range(take(id_bytes)):
        item = take(id_bytes)
        method = take(2) & 15 if version else _IN_FILE
        take(2)
        base = take(base_bytes)
        extents = take(2)
        extent_bytes = index_bytes + offset_bytes + length_bytes
        if extents == 0:
            continue
        if extents > MAX_EXTENTS:
            position += extents * extent_bytes
            continue
        places = []
        for _ in range(extents):
            take(index_bytes)
            offset, length = take(offset_bytes), take(length_bytes)
            places.append((base + offset, length))
        yield item, method, places
