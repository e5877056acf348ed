"""EXIF (CIPA DC-008): reads tags on demand, and checks each value against the end of its block."""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fauxto.evidence.untrusted import UnreadableError
from fauxto.evidence.wrappings import EXIF_LEAD
from fauxto.images.tiff import Entry, byte_order, read_directory

MAX_ENTRIES = 1_000
"""Entries of one directory; cameras write fewer than a hundred."""

MAX_BYTES = 4 * 1024 * 1024
"""Bytes of one text; the largest legitimate ones are generator settings."""

_EXIF_DIRECTORY, _GPS_DIRECTORY = 0x8769, 0x8825
_THUMBNAIL_OFFSET, _THUMBNAIL_BYTES = 0x0201, 0x0202

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED, _SIGNED_RATIONAL, _IFD, _UTF8 = 1, 2, 3, 4, 5, 7, 10, 13, 129
_NUMBERS = {_BYTE: "B", _SHORT: "H", _LONG: "I", _RATIONAL: "II", _SIGNED_RATIONAL: "ii", _IFD: "I"}
_MAX_NUMBERS = 16
_NUMBERLESS = (_BYTE, _ASCII, _UNDEFINED, _UTF8)

_USER_COMMENT = 0x9286
_WINDOWS = {0x9C9B: "XPTitle", 0x9C9C: "XPComment", 0x9C9D: "XPAuthor", 0x9C9E: "XPKeywords", 0x9C9F: "XPSubject"}
TEXTS: Mapping[int, str] = {
    0x000B: "ProcessingSoftware",
    0x010D: "DocumentName",
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x011D: "PageName",
    0x0131: "Software",
    0x013B: "Artist",
    0x8298: "Copyright",
    0x9213: "ImageHistory",
    _USER_COMMENT: "UserComment",
    0xA436: "ImageTitle",
    0xA43A: "RAWDevelopingSoftware",
    0xA43B: "ImageEditingSoftware",
    0xA43C: "MetadataEditingSoftware",
    **_WINDOWS,
}
"""The tags that hold free text, by the name that EXIF 3.0 (CIPA DC-008), TIFF, Exiv2 or Windows gives them."""


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
        if entry is None or entry.type not in _NUMBERLESS or entry.count > MAX_BYTES:
            return None
        value = self.block[entry.offset : entry.offset + entry.count]
        return value if len(value) == entry.count else None

    def is_text(self, tag: int) -> bool:
        """Tell whether a tag has the type of texts, whatever it is for."""
        return tag in self.entries and self.entries[tag].type in (_ASCII, _UTF8)

    def is_cut(self, tag: int) -> bool:
        """Tell whether a text or undefined value reaches over the end of the block, or is too large."""
        entry = self.entries.get(tag)
        return entry is not None and entry.type in _NUMBERLESS and self.raw(tag) is None

    def text(self, tag: int) -> str | None:
        """Return a text without padding, decoded as UTF-8 or else Latin-1; None if empty.

        UserComment and Windows' tags have encodings of their own.
        """
        value = self.raw(tag)
        if value is None:
            return None
        if tag == _USER_COMMENT:
            return _user_comment(value, self.order)
        if tag in _WINDOWS:
            return value.decode("utf-16-le", "replace").partition("\0")[0].strip() or None
        return decode_text(value.partition(b"\0")[0]).strip() or None

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
class Tags:
    """The tags of several directories: of each tag, the first value that can be read counts."""

    directories: tuple[Directory, ...] = ()

    def __contains__(self, tag: int) -> bool:
        return any(tag in directory for directory in self.directories)

    def texts(self, tag: int) -> list[str]:
        """Return the different texts that a tag has."""
        return list(dict.fromkeys(text for directory in self.directories if (text := directory.text(tag))))

    def text(self, tag: int) -> str | None:
        """Return the first text of a tag; None without one."""
        return next(iter(self.texts(tag)), None)

    def numbers(self, tag: int) -> tuple[float, ...] | None:
        """Return the first numbers of a tag, as `Directory.numbers`."""
        values = (directory.numbers(tag) for directory in self.directories)
        return next((value for value in values if value is not None), None)

    def number(self, tag: int) -> float | None:
        """Return the first finite number of a tag."""
        values = (directory.number(tag) for directory in self.directories)
        return next((value for value in values if value is not None), None)


@dataclass(frozen=True, slots=True)
class Exif:
    """The tags of all EXIF blocks of a file, and the JPEG thumbnail in them.

    Writers put tags into the wrong directory (Pillow's `exif[0x9286] = ...` puts UserComment into IFD 0), so `image`
    looks for them in the Exif IFD too, and `photo` in IFD 0.

    Attributes:
        image: Make, model, software and the like (IFD 0).
        photo: How the picture was taken (Exif IFD).
        gps: Where (GPS IFD).
        thumbnail: The bytes of a JPEG, not decoded yet.
        damage: A sentence for each part that can't be read.
    """

    image: Tags = field(default_factory=Tags)
    photo: Tags = field(default_factory=Tags)
    gps: Tags = field(default_factory=Tags)
    thumbnail: bytes | None = None
    damage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Parsed:
    """One EXIF block: its directories, the thumbnail, and what is damaged."""

    image: Directory = field(default_factory=Directory)
    photo: Directory = field(default_factory=Directory)
    gps: Directory = field(default_factory=Directory)
    thumbnail: bytes | None = None
    damage: tuple[str, ...] = ()


def parse(*blocks: bytes) -> Exif:
    """Read the directories of EXIF blocks as far as they are valid.

    Args:
        blocks: TIFF structures, with or without their "Exif" lead. Offsets are unsigned, no directory is followed
            twice, and values are read on demand.
    """
    parsed = [_parse(block) for block in blocks]
    image, photo, gps = ([getattr(block, name) for block in parsed] for name in ("image", "photo", "gps"))
    return Exif(
        Tags((*image, *photo)),
        Tags((*photo, *image)),
        Tags(tuple(gps)),
        next((block.thumbnail for block in parsed if block.thumbnail), None),
        tuple(dict.fromkeys(sentence for block in parsed for sentence in block.damage)),
    )


def _parse(block: bytes) -> _Parsed:
    if lead := EXIF_LEAD.match(block):
        block = block[lead.end() :]
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
        return _Parsed(damage=("the EXIF block is damaged",))
    damage: dict[str, None] = {}

    def directory_of(tag: int) -> Directory:
        try:
            return directory_at(int(image.number(tag) or 0))[0] if tag in image else Directory()
        except (ValueError, struct.error):
            damage["a part of the EXIF block is damaged"] = None
            return Directory()

    photo, gps = directory_of(_EXIF_DIRECTORY), directory_of(_GPS_DIRECTORY)
    if any(directory.is_cut(tag) for directory in (image, photo) for tag in TEXTS):
        damage["a text of the EXIF block is cut off"] = None
    thumbnail = None
    if following:
        try:
            thumbnail = _thumbnail(directory_at(following)[0])
        except (ValueError, struct.error):
            damage["the thumbnail of the EXIF block is damaged"] = None
    return _Parsed(image, photo, gps, thumbnail, tuple(damage))


def _thumbnail(directory: Directory) -> bytes | None:
    offset, length = directory.number(_THUMBNAIL_OFFSET), directory.number(_THUMBNAIL_BYTES)
    if not offset or not length:
        return None
    thumbnail = directory.block[int(offset) : int(offset) + int(length)]
    return thumbnail if thumbnail.startswith(b"\xff\xd8\xff") else None


def texts(exif: Exif) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of each tag with free text, wherever it is."""
    for tag, name in TEXTS.items():
        for text in exif.image.texts(tag):
            yield name, text


def user_comment(photo: Tags) -> str | None:
    """Return the text of UserComment (0x9286)."""
    return photo.text(_USER_COMMENT)


def _user_comment(value: bytes, order: str) -> str | None:
    """Decode a UserComment, whose first eight bytes name its encoding.

    Writers disagree on the byte order of UNICODE, and some write UTF-8 or UTF-16 without a code, so all are detected.
    """
    code, text = value[:8], value[8:]
    if code == b"UNICODE\0":
        return _decode_utf16(text, order) or None
    if code not in (b"ASCII\0\0\0", b"JIS\0\0\0\0\0", bytes(8)):
        text = value
        if text.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in text[:2]:
            return _decode_utf16(text, order) or None
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
