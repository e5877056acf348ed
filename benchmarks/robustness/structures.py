"""Where the parts of a file begin and end, and how a part is sealed again once it was changed.

A part is a segment, chunk, block, box, directory entry or header; the parts of a file, joined, are the file. Damaged
files are cut as far as they can be read. What a part holds may have parts of its own (`inside`): boxes in boxes, an
EXIF block in a chunk, elements in an XMP packet.
"""

from __future__ import annotations

import contextlib
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from fauxto.errors import ImageError
from fauxto.evidence.wrappings import EXIF_LEAD
from fauxto.images import gif, isobmff, jpeg, png, tiff, webp

_BLOCK = 512  # of a tar
_ZIP_RECORD = re.compile(rb"PK(?=\x01\x02|\x03\x04|\x05\x06|\x06\x06|\x06\x07|\x07\x08)")
_MARKUP = re.compile(rb'(?=<)|(?<=>)|(?=["{}\[\],])')
_FULL_BOXES = {b"meta": 12, b"iinf": 14, b"iref": 12, b"dref": 16}
_BOXES = (
    dict.fromkeys((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"iprp", b"ipco", b"jumb"), 8) | _FULL_BOXES
)


def as_it_is(part: bytes) -> bytes:
    """Leave a part as it is."""
    return part


@dataclass(frozen=True, slots=True)
class Structure:
    """What is known of one kind of file or block.

    Attributes:
        cuts: Yields the offsets at which parts begin; it may raise what our walkers raise.
        seal: Makes the length and the checksum in a part right.
        seal_all: Does the same for what all parts share.
    """

    cuts: Callable[[bytes], Iterable[int]]
    seal: Callable[[bytes], bytes] = as_it_is
    seal_all: Callable[[bytes], bytes] = as_it_is

    def parts(self, data: bytes) -> list[bytes]:
        """Cut a file into its parts, as far as it can be read; none is empty."""
        places = {0, len(data)}
        with contextlib.suppress(EOFError, IndexError, ValueError, struct.error, ImageError):
            places.update(place for place in self.cuts(data) if place < len(data))
        return [data[start:end] for start, end in pairwise(sorted(places))]


def inside(part: bytes) -> tuple[int, Structure] | None:
    """Return where in a part something with parts of its own begins, and what it is; None for nothing of the kind."""
    if (start := _BOXES.get(part[4:8], 0)) and len(part) > start:
        return start, BOXES
    if (start := part.find(b"jumb", 8) - 4) > 0:
        return start, BOXES
    if (header := re.search(rb"II\*\0|MM\0\*", part[:64])) and EXIF_LEAD.match(part[max(0, header.start() - 6) :]):
        return header.start(), EXIF
    if (start := part.find(b"8BIM", 0, 64)) >= 0:
        return start, RESOURCES
    if (text := re.search(rb"<[\w?]|\{\"", part)) and len(part) > 16:
        return text.start(), TEXT
    return None


def _of_jpeg(data: bytes) -> Iterator[int]:
    yield 2
    for _, start, end in jpeg.segments(data):
        yield from (start, end)


def _seal_segment(part: bytes) -> bytes:
    """Set the length of a JPEG's segment; scan data and markers without a length stay."""
    if part[:1] != b"\xff" or len(part) < 4 or part[1] in (0xD8, 0xD9):
        return part
    return part[:2] + struct.pack(">H", min(len(part) - 2, 0xFFFF)) + part[4:]


def _of_png(data: bytes) -> Iterator[int]:
    yield from (start for _, start, _ in png.chunks(data))


def _seal_chunk(part: bytes) -> bytes:
    if len(part) < 12 or part.startswith(b"\x89PNG"):
        return part
    return struct.pack(">I", len(part) - 12) + part[4:-4] + struct.pack(">I", zlib.crc32(part[4:-4]))


def _of_riff(data: bytes) -> Iterator[int]:
    yield from (start for _, start, _ in webp.chunks(data))


def _seal_riff_chunk(part: bytes) -> bytes:
    if len(part) < 8 or part.startswith(b"RIFF"):
        return part
    return part[:4] + struct.pack("<I", len(part) - 8) + part[8:] + bytes(len(part) % 2)


def _seal_riff(data: bytes) -> bytes:
    return data[:4] + struct.pack("<I", max(0, len(data) - 8)) + data[8:]


def _of_gif(data: bytes) -> Iterator[int]:
    yield 13
    for _, start, end in gif.blocks(data):
        yield from (start, end)


def _of_tiff(data: bytes) -> Iterator[int]:
    """Yield the places of the directories, their entries, and the values that these point to."""
    order = tiff.byte_order(data)
    yield 4
    (start,) = struct.unpack_from(order + "I", data, 4)
    waiting, seen = [start, 8], set[int]()
    while waiting and len(seen) < 16:
        start = waiting.pop()
        if start in seen:
            continue
        seen.add(start)
        entries, following = tiff.read_directory(data, order, start)
        yield start
        yield from range(start + 2, start + 2 + 12 * len(entries) + 4, 12)
        yield from (entry.offset for entry in entries.values())
        pointers = [entries[tag] for tag in (0x8769, 0x8825, 330) if tag in entries]
        waiting += [following, *(struct.unpack(order + "I", entry.raw[8:])[0] for entry in pointers)]


def _of_boxes(data: bytes) -> Iterator[int]:
    for _, start, _, end in isobmff.boxes(data, 0, len(data)):
        yield from (start, end)


def _seal_box(part: bytes) -> bytes:
    return struct.pack(">I", len(part)) + part[4:] if len(part) >= 8 else part


def _of_zip(data: bytes) -> Iterator[int]:
    for record in _ZIP_RECORD.finditer(data):
        yield from (record.start(), record.start() + 30)


def _seal_zip(data: bytes) -> bytes:
    """Set where the directory lies and how long it is."""
    end, directory = data.rfind(b"PK\5\6"), data.find(b"PK\1\2")
    if directory < 0 or end < directory or len(data) < end + 20:
        return data
    count = data.count(b"PK\1\2", directory, end)
    return data[: end + 8] + struct.pack("<HHII", count, count, end - directory, directory) + data[end + 20 :]


def _seal_block(part: bytes) -> bytes:
    """Set the checksum of a tar's header, which is that of a block with spaces in its place."""
    if part[257:262] != b"ustar" or len(part) < _BLOCK:
        return part
    total = sum(part[:148]) + sum(part[156:_BLOCK]) + 8 * 32
    return part[:148] + b"%06o\0 " % total + part[156:]


def _of_resources(data: bytes) -> Iterator[int]:
    yield from (match.start() for match in re.finditer(rb"8BIM|\x1c[\1-\x09]", data))


EXIF = Structure(_of_tiff)
BOXES = Structure(_of_boxes, _seal_box)
RESOURCES = Structure(_of_resources)
TEXT = Structure(lambda data: (match.start() for match in _MARKUP.finditer(data)))

STRUCTURES = {
    "JPEG": Structure(_of_jpeg, _seal_segment),
    "PNG": Structure(_of_png, _seal_chunk),
    "WEBP": Structure(_of_riff, _seal_riff_chunk, _seal_riff),
    "GIF": Structure(_of_gif),
    "BMP": Structure(lambda data: (14, 54)),
    "TIFF": EXIF,
    "AVIF": BOXES,
    "HEIF": BOXES,
    "JXL": BOXES,
    "ZIP": Structure(_of_zip, seal_all=_seal_zip),
    "TAR": Structure(lambda data: range(0, len(data), _BLOCK), _seal_block),
}
"""The structures of files, by format."""
