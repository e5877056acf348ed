"""The outside of a TIFF (Adobe TIFF 6.0), and EXIF's one tag that changes the picture.

An EXIF block is a TIFF structure as well, so both are read by `read_directory`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from PIL.TiffImagePlugin import TiffImageFile

from fauxto.errors import ImageError
from fauxto.images.container import Block, Container, Format, Kind, check_pixels
from fauxto.limits import Limits
from fauxto.report import Status

MAX_VALUES = 200_000
"""Values of one tag, such as the strips of a picture: each becomes a few Python objects in the decoder."""

MAX_COPIES = 64
"""Reduced copies of a picture: a pyramid has one for each halving."""

MAX_SAMPLES = 6
"""Channels of a pixel; Pillow reads no more."""

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_STRIP_OFFSETS, _ORIENTATION, _SAMPLES, _ROWS_PER_STRIP, _STRIP_BYTES = 273, 274, 277, 278, 279
_PLANAR, _PREDICTOR, _COLOR_MAP = 284, 317, 320
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES = 322, 323, 324, 325
_SUBFILE_TYPE, _JPEG_TABLES, _DNG_VERSION = 254, 347, 50706
_SUB_DIRECTORIES, _EXTRA_SAMPLES, _SAMPLE_FORMAT, _ICC = 330, 338, 339, 34675
_METADATA = {700: Kind.XMP, 33723: Kind.IPTC, 34377: Kind.PHOTOSHOP}
_CREDENTIAL = 0xCD41

_SINGLE = {_WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER, _SAMPLES, _ROWS_PER_STRIP, _PLANAR, _PREDICTOR}
_SINGLE |= {_TILE_WIDTH, _TILE_HEIGHT}
_MANY = {_BITS, _STRIP_OFFSETS, _STRIP_BYTES, _TILE_OFFSETS, _TILE_BYTES, _EXTRA_SAMPLES, _SAMPLE_FORMAT, _COLOR_MAP}

# Kept as they are: tables and colour coding of JPEG, whose values may be of any type.
_OF_JPEG = {_JPEG_TABLES, 529, 530, 531, 532}

_NONE, _LZW, _DEFLATE, _PACKBITS, _OLD_DEFLATE, _JPEG = 1, 5, 8, 32773, 32946, 7
_WHITE_IS_ZERO, _PALETTE, _CMYK, _YCBCR = 0, 3, 5, 6
_UNSIGNED = 1

_HEADERS = {b"II*\0": "<", b"MM\0*": ">"}
_LONG = 4
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}
_INTEGERS = {3: "H", 4: "I", 13: "I"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One directory entry; `offset` is where its values lie, `raw` the 12 bytes of the entry itself."""

    type: int
    count: int
    offset: int
    raw: bytes


def byte_order(data: bytes) -> str:
    """Return struct's sign for the byte order of a TIFF structure: "<" or ">".

    Raises:
        ValueError: `data` doesn't start with a TIFF header.
    """
    for header, order in _HEADERS.items():
        if data.startswith(header):
            return order
    raise ValueError("no TIFF header")


def read_directory(data: bytes, order: str, start: int) -> tuple[dict[int, Entry], int]:
    """Return the entries by tag of the directory at `start`, and the next directory's offset (0: none).

    Raises:
        struct.error: The directory lies outside `data`.
    """
    (count,) = struct.unpack_from(order + "H", data, start)
    entries: dict[int, Entry] = {}
    for position in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, values, offset = struct.unpack_from(order + "HHII", data, position)
        if _TYPE_BYTES.get(kind, 0) * values <= 4:
            offset = position + 8
        entries.setdefault(tag, Entry(kind, values, offset, data[position : position + 12]))
    (following,) = struct.unpack_from(order + "I", data, start + 2 + 12 * count)
    return entries, following


def integers(data: bytes, order: str, entry: Entry) -> tuple[int, ...]:
    """Return the values of a SHORT or LONG entry.

    Raises:
        KeyError: The entry has another type.
        struct.error: Its values lie outside `data`.
        ImageError: `too_large`: it has more than `MAX_VALUES`.
    """
    if entry.count > MAX_VALUES:
        raise ImageError(Status.TOO_LARGE, f"a tag of the TIFF has {entry.count} values, the limit is {MAX_VALUES}")
    return struct.unpack_from(f"{order}{entry.count}{_INTEGERS[entry.type]}", data, entry.offset)


def exif_orientation(exif: bytes) -> int:
    """Return the orientation, 1 to 8, that an EXIF block states; 1 where it states none.

    Raises:
        ValueError, KeyError, IndexError, struct.error, ImageError: The block can't be read.
    """
    exif = exif.removeprefix(b"Exif\0\0")
    order = byte_order(exif)
    (start,) = struct.unpack_from(order + "I", exif, 4)
    entries, _ = read_directory(exif, order, start)
    if _ORIENTATION not in entries:
        return 1
    value = integers(exif, order, entries[_ORIENTATION])[0]
    return value if 1 <= value <= 8 else 1


def read(data: bytes, limits: Limits) -> Container:
    """Walk a TIFF. `pixels` is the file with a new directory behind it that has only tags about the pixels.

    Raises:
        EOFError, struct.error: The file ends too early.
        ImageError: `unreadable`, `unsupported_format`, `unsupported_mode` or `too_large`.
    """
    order = byte_order(data)
    (start,) = struct.unpack_from(order + "I", data, 4)
    entries, following = read_directory(data, order, start)
    if not _is_full_picture(data, order, entries):
        raise ImageError(
            Status.UNSUPPORTED_FORMAT,
            "the TIFF has nested directories, as raw camera files do; develop or export it as JPEG, PNG or plain TIFF",
        )
    try:
        tags = {tag: integers(data, order, entries[tag]) for tag in (_SINGLE | _MANY) & entries.keys()}
        if any(len(tags[tag]) != 1 for tag in _SINGLE & tags.keys()):
            raise ValueError
        check_pixels(tags[_WIDTH][0], tags[_HEIGHT][0], limits)
        _check_mode(tags)
        _check_storage(tags, data, limits)
    except (KeyError, IndexError, ValueError, ZeroDivisionError) as error:
        raise ImageError(Status.UNREADABLE, "the TIFF's directory is damaged; save the picture anew") from error
    for entry in (entries[tag] for tag in _OF_JPEG & entries.keys()):
        if entry.offset + _TYPE_BYTES.get(entry.type, 0) * entry.count > len(data):
            raise EOFError
    icc = None
    if _ICC in entries:
        icc = data[entries[_ICC].offset : entries[_ICC].offset + entries[_ICC].count]
    return Container(
        pixels=_with_directory(
            data, order, [entries[tag].raw for tag in sorted(entries) if tag in tags.keys() | _OF_JPEG]
        ),
        end=len(data),
        frames=_count_pages(data, order, start, following, limits),
        exif=data,
        icc=icc,
    )


def _is_full_picture(data: bytes, order: str, entries: dict[int, Entry]) -> bool:
    """Tell whether nested directories hold only reduced copies of the first one's picture, as those of a pyramid do.

    In a raw camera file it's the other way round, or the first picture isn't developed: a DNG says so.
    """
    if _DNG_VERSION in entries:
        return False
    if _SUB_DIRECTORIES not in entries:
        return True

    def facts(directory: dict[int, Entry]) -> tuple[bool, int]:
        values = {tag: integers(data, order, directory[tag])[0] for tag in (_SUBFILE_TYPE, _WIDTH) if tag in directory}
        return bool(values.get(_SUBFILE_TYPE, 0) & 1), values[_WIDTH]

    try:
        is_reduced, width = facts(entries)
        starts = integers(data, order, entries[_SUB_DIRECTORIES])
        copies = [facts(read_directory(data, order, start)[0]) for start in starts[:MAX_COPIES]]
    except (KeyError, IndexError, struct.error):
        return False
    return not is_reduced and all(is_copy and copy_width < width for is_copy, copy_width in copies)


def _check_mode(tags: dict[int, tuple[int, ...]]) -> None:
    """Raise ImageError (unsupported_mode) for what Pillow would read wrongly, or what no photograph needs."""
    compression = tags.get(_COMPRESSION, (_NONE,))[0]
    photometric = tags[_PHOTOMETRIC][0]
    bits = set(tags.get(_BITS, (1,)))
    problem = None
    if compression not in (_NONE, _LZW, _DEFLATE, _OLD_DEFLATE, _PACKBITS, _JPEG):
        problem = f"compression {compression}"
    elif photometric not in ((0, 1, 2, _CMYK, _YCBCR) if compression == _JPEG else (0, 1, 2, _PALETTE, _CMYK)):
        problem = f"colour space {photometric}"
    elif set(tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))) != {_UNSIGNED}:
        problem = "signed or floating-point samples"
    elif not bits <= ({8} if compression == _JPEG else {1, 2, 4, 8, 16}) or (
        photometric == _WHITE_IS_ZERO and bits == {16}
    ):
        problem = f"{max(bits)}-bit samples of colour space {photometric}"
    if problem:
        raise ImageError(Status.UNSUPPORTED_MODE, f"fauxto doesn't read a TIFF with {problem}; save it as 8-bit PNG")


def _check_storage(tags: dict[int, tuple[int, ...]], data: bytes, limits: Limits) -> None:
    """Check that every strip or tile is there; EOFError if one lies behind the end, or is a JPEG without EOI."""
    (width,), (height,) = tags[_WIDTH], tags[_HEIGHT]
    samples, planar = tags.get(_SAMPLES, (1,))[0], tags.get(_PLANAR, (1,))[0]
    if _TILE_WIDTH in tags:
        columns, rows = tags[_TILE_WIDTH][0], tags[_TILE_HEIGHT][0]
        offsets, counts = tags[_TILE_OFFSETS], tags[_TILE_BYTES]
    else:
        columns, rows = width, min(height, tags.get(_ROWS_PER_STRIP, (height,))[0])
        offsets, counts = tags[_STRIP_OFFSETS], tags[_STRIP_BYTES]
    check_pixels(columns, rows, limits)
    if not 0 < samples <= MAX_SAMPLES:
        raise ValueError
    planes = samples if planar == 2 else 1
    if len(counts) != len(offsets) or len(offsets) < math.ceil(width / columns) * math.ceil(height / rows) * planes:
        raise ValueError
    for offset, count in zip(offsets, counts, strict=True):
        if offset + count > len(data):
            raise EOFError
        if tags.get(_COMPRESSION) == (_JPEG,) and data.rfind(b"\xff\xd9", offset, offset + count) < 0:
            raise EOFError


def _with_directory(data: bytes, order: str, raw_entries: list[bytes]) -> bytes:
    padding = b"\0" * (-len(data) % 2)
    directory = struct.pack(order + "H", len(raw_entries)) + b"".join(raw_entries) + b"\0\0\0\0"
    start = struct.pack(order + "I", len(data) + len(padding))
    return b"".join((data[:4], start, memoryview(data)[8:], padding, directory))


def _count_pages(data: bytes, order: str, first: int, following: int, limits: Limits) -> int:
    """Follow the chain of directories, as far as it is sound, up to `limits.max_frames`."""
    seen = {first, 0}
    while following not in seen and len(seen) <= limits.max_frames:
        seen.add(following)
        try:
            (count,) = struct.unpack_from(order + "H", data, following)
            (following,) = struct.unpack_from(order + "I", data, following + 2 + 12 * count)
        except struct.error:
            break
    return len(seen) - 1


def metadata(data: bytes, limits: Limits) -> Iterator[Block]:
    """Yield the whole file as EXIF: like any EXIF block, it may hold others."""
    yield Block(Kind.EXIF, data, 0, len(data))


def embedded(data: bytes) -> Iterator[Block]:
    """Yield the blocks inside an EXIF block: the tags of its first directory that hold XMP, IPTC or Photoshop's.

    Args:
        data: A TIFF structure, without a lead.

    Raises:
        ValueError, struct.error: It is damaged.
    """
    order = byte_order(data)
    (start,) = struct.unpack_from(order + "I", data, 4)
    for position in range(start + 2, start + 2 + 12 * struct.unpack_from(order + "H", data, start)[0], 12):
        tag, kind, count, offset = struct.unpack_from(order + "HHII", data, position)
        if tag in _METADATA and count > 4:
            width = 4 if kind == _LONG else 1  # some writers count an IPTC block in LONGs
            yield Block(_METADATA[tag], data, offset, offset + width * count)


def credential(data: bytes) -> Iterator[bytes]:
    """Yield the tag that holds a content credential; raises as `read_directory`."""
    if entry := _first_directory(data).get(_CREDENTIAL):
        yield data[entry.offset : entry.offset + entry.count]


def _first_directory(data: bytes) -> dict[int, Entry]:
    order = byte_order(data)
    (start,) = struct.unpack_from(order + "I", data, 4)
    return read_directory(data, order, start)[0]


FORMAT = Format(
    name="TIFF",
    label="TIFF",
    media_type="image/tiff",
    suffixes=(".tif", ".tiff"),
    is_lossless=True,
    matches=lambda data: data.startswith(tuple(_HEADERS)),
    read=read,
    open=TiffImageFile,
    several="several_pictures",
    metadata=metadata,
    credential=credential,
)
