"""EXIF (CIPA DC-008): reads tags on demand, and checks each value against the end of its block."""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from fauxto.evidence.untrusted import UnreadableError
from fauxto.images.tiff import Entry, byte_order, read_directory

MAX_ENTRIES = 1_000
"""Entries of one directory; cameras write fewer than a hundred."""

MAX_BYTES = 4 * 1024 * 1024
"""Bytes of one text; the largest legitimate ones are generator settings."""

_EXIF_DIRECTORY, _GPS_DIRECTORY = 0x8769, 0x8825
_THUMBNAIL_OFFSET, _THUMBNAIL_BYTES = 0x0201, 0x0202

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED, _SIGNED_RATIONAL = 1, 2, 3, 4, 5, 7, 10
_NUMBERS = {_BYTE: "B", _SHORT: "H", _LONG: "I", _RATIONAL: "II", _SIGNED_RATIONAL: "ii"}
_MAX_NUMBERS = 16


@dataclass(frozen=True, slots=True)
class Directory:
    """One directory of tags; a tag that is absent or can't be read is None."""

    block: bytes = b""
    order: str = "<"
    entries: Mapping[int, Entry] = field(default_factory=dict)

    def __contains__(self, tag: int) -> bool:
        return tag in self.entries

    def raw(self, tag: int) -> bytes | None:
        """Return the bytes of a text or undefined value."""
        entry = self.entries.get(tag)
        if entry is None or entry.type not in (_BYTE, _ASCII, _UNDEFINED) or entry.count > MAX_BYTES:
            return None
        value = self.block[entry.offset : entry.offset + entry.count]
        return value if len(value) == entry.count else None

    def text(self, tag: int) -> str | None:
        """Return a text without padding, decoded as UTF-8 or else Latin-1; None if empty."""
        value = self.raw(tag)
        return None if value is None else decode_text(value.partition(b"\0")[0]).strip() or None

    def numbers(self, tag: int) -> tuple[float, ...] | None:
        """Return integers as int and fractions as float; NaN where a denominator is zero."""
        entry = self.entries.get(tag)
        if entry is None or entry.type not in _NUMBERS or not 0 < entry.count <= _MAX_NUMBERS:
            return None
        try:
            values = struct.unpack_from(self.order + _NUMBERS[entry.type] * entry.count, self.block, entry.offset)
        except struct.error:
            return None
        if len(_NUMBERS[entry.type]) == 1:
            return values
        fractions = zip(values[::2], values[1::2], strict=True)
        return tuple(numerator / denominator if denominator else math.nan for numerator, denominator in fractions)

    def number(self, tag: int) -> float | None:
        """Return the first number of a value; None if not finite."""
        values = self.numbers(tag)
        return values[0] if values and math.isfinite(values[0]) else None


@dataclass(frozen=True, slots=True)
class Exif:
    """The directories of an EXIF block, and the JPEG thumbnail in it.

    Attributes:
        image: Make, model, software and the like (IFD 0).
        photo: How the picture was taken (Exif IFD).
        gps: Where (GPS IFD).
        thumbnail: The bytes of a JPEG, not decoded yet.
        damage: A sentence for each part that can't be read.
    """

    image: Directory = field(default_factory=Directory)
    photo: Directory = field(default_factory=Directory)
    gps: Directory = field(default_factory=Directory)
    thumbnail: bytes | None = None
    damage: tuple[str, ...] = ()


def parse(block: bytes) -> Exif:
    """Read the directories of an EXIF block as far as it is valid.

    Args:
        block: A TIFF structure, with or without its "Exif" prefix. Offsets are unsigned, no directory is followed
            twice, and values are read on demand.
    """
    block = block.removeprefix(b"Exif\0\0")
    padded = functools.cache(lambda: block + bytes(4))  # once, because a block may be a whole TIFF

    def directory_at(start: int) -> tuple[Directory, int]:
        """Return the directory at `start` and the next one's offset; 0 if the writer left that out."""
        (count,) = struct.unpack_from(order + "H", block, start)
        if count > MAX_ENTRIES:
            raise UnreadableError(f"an EXIF directory has {count} entries")
        whole = block if start + 2 + 12 * count + 4 <= len(block) else padded()
        entries, following = read_directory(whole, order, start)
        return Directory(whole, order, entries), following

    try:
        order = byte_order(block)
        (start,) = struct.unpack_from(order + "I", block, 4)
        image, following = directory_at(start)
    except (ValueError, struct.error):
        return Exif(damage=("the EXIF block is damaged",))
    damage: dict[str, None] = {}

    def directory_of(tag: int) -> Directory:
        try:
            return directory_at(int(image.number(tag) or 0))[0] if tag in image else Directory()
        except (ValueError, struct.error):
            damage["a part of the EXIF block is damaged"] = None
            return Directory()

    photo, gps = directory_of(_EXIF_DIRECTORY), directory_of(_GPS_DIRECTORY)
    thumbnail = None
    if following:
        try:
            thumbnail = _thumbnail(directory_at(following)[0])
        except (ValueError, struct.error):
            damage["the thumbnail of the EXIF block is damaged"] = None
    return Exif(image, photo, gps, thumbnail, tuple(damage))


def _thumbnail(directory: Directory) -> bytes | None:
    offset, length = directory.number(_THUMBNAIL_OFFSET), directory.number(_THUMBNAIL_BYTES)
    if not offset or not length:
        return None
    thumbnail = directory.block[int(offset) : int(offset) + int(length)]
    return thumbnail if thumbnail.startswith(b"\xff\xd8\xff") else None


def user_comment(photo: Directory) -> str | None:
    """Return the text of UserComment (0x9286), whose first eight bytes name its encoding.

    Writers disagree on the byte order of UNICODE, and some write UTF-8 without a code, so both are detected.
    """
    value = photo.raw(0x9286)
    if value is None:
        return None
    code, text = value[:8], value[8:]
    if code == b"UNICODE\0":
        return _decode_utf16(text, photo.order)
    if code not in (b"ASCII\0\0\0", bytes(8)):
        text = value
    return decode_text(text.rstrip(b"\0 ")).strip("\0 ") or None


def _decode_utf16(text: bytes, order: str) -> str:
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return text.decode("utf-16", "replace").rstrip("\0 ")
    even, odd = text[::2].count(0), text[1::2].count(0)
    if not even and not odd and text.isascii():
        return decode_text(text)
    big_endian = even > odd or (even == odd and order == ">")
    return text.decode("utf-16-be" if big_endian else "utf-16-le", "replace").rstrip("\0 ")


def decode_text(text: bytes) -> str:
    """Decode as UTF-8, or else as Latin-1, which any bytes are."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")
