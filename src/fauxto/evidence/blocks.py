"""The blocks of metadata that a file carries in their proper places, undecoded as far as possible.

Each format has its own: segments before the first scan of a JPEG, chunks of a PNG or WebP, tags of a TIFF, items of
an AVIF or HEIF. The walkers are those of the gate, so nothing behind the end of the picture is ever looked at. Where
a block occurs twice the first one counts. The comments of a JPEG are anyone's prose and are left alone. GIF and BMP
have no block that a camera or generator writes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fauxto.errors import ImageError
from fauxto.evidence import box_items
from fauxto.evidence.exif import decode_text
from fauxto.images import jpeg, png, tiff, webp
from fauxto.limits import Limits

MAX_TEXTS = 256
MAX_PHOTOSHOP_SEGMENTS = 64

_EXIF_LEAD = b"Exif\0\0"
_XMP_LEAD = b"http://ns.adobe.com/xap/1.0/\0"
_PHOTOSHOP_LEAD = b"Photoshop 3.0\0"
_XMP_KEYWORD = "XML:com.adobe.xmp"
_START_OF_SCAN, _APP1, _APP13 = 0xDA, 0xE1, 0xED
_IPTC_RESOURCE, _MAX_RESOURCES = 0x0404, 1_000
_TIFF_XMP, _TIFF_IPTC = 700, 33723


@dataclass(frozen=True, slots=True)
class Blocks:
    """The metadata blocks of one file.

    Attributes:
        exif: A TIFF structure, with or without its "Exif" lead; of a TIFF the whole file.
        xmp: The XML of the main XMP packet; the extended XMP of a JPEG is not read.
        iptc: IPTC-IIM datasets.
        png_text: The texts of a PNG by keyword, unpacked, without its XMP.
        unreadable: A sentence on each block that is there but can't be used.
    """

    exif: bytes | None = None
    xmp: str | None = None
    iptc: bytes | None = None
    png_text: Mapping[str, str] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()


def find(data: bytes, format: str, limits: Limits) -> Blocks:
    """Find the metadata blocks of a file that the gate has decoded.

    Args:
        data: The whole file.
        format: `FileFacts.format` of it.
        limits: `max_metadata_bytes` bounds each block as stored, each text of a PNG unpacked, and all of them together.
    """
    collector = _Collector(limits.max_metadata_bytes)
    if format in _FINDERS:
        try:
            _FINDERS[format](data, collector)
        except (EOFError, IndexError, ValueError, struct.error, ImageError):
            collector.note("the metadata of the file is damaged")
    return Blocks(
        exif=collector.first.get("EXIF"),
        xmp=_decode_xmp(collector.first.get("XMP")),
        iptc=collector.first.get("IPTC"),
        png_text=collector.texts,
        unreadable=tuple(collector.unreadable),
    )


class _Collector:
    """Takes what a finder finds, within the limits."""

    def __init__(self, max_bytes: int) -> None:
        self.first: dict[str, bytes] = {}
        self.texts: dict[str, str] = {}
        self.unreadable: dict[str, None] = {}
        self.max_bytes = max_bytes
        self._text_bytes_left = max_bytes

    def note(self, sentence: str) -> None:
        self.unreadable[sentence] = None

    def block(self, name: str, data: bytes, start: int, end: int) -> None:
        if name in self.first:
            return
        if end - start > self.max_bytes:
            self.note(f"the {name} block is too large ({end - start} bytes)")
        else:
            self.first[name] = data[start:end]

    def text(self, kind: bytes, payload: bytes) -> None:
        """Take a text chunk of a PNG: tEXt, zTXt or iTXt."""
        if self._text_bytes_left <= 0:
            raise ValueError
        raw_keyword, _, value = payload.partition(b"\0")
        keyword = raw_keyword.decode("latin-1")
        if keyword in self.texts or (keyword == _XMP_KEYWORD and "XMP" in self.first):
            return
        packed = kind == b"zTXt"
        if kind == b"zTXt":
            value = value[1:]
        elif kind == b"iTXt":
            packed, value = value[:1] == b"\1", value[2:].split(b"\0", 2)[-1]
        if packed:
            value = self._unpack(value)
        self._text_bytes_left -= len(value)
        if self._text_bytes_left < 0:
            raise ValueError
        if keyword == _XMP_KEYWORD:
            self.first["XMP"] = value
        else:
            self.texts[keyword] = decode_text(value)

    def _unpack(self, packed: bytes) -> bytes:
        inflater = zlib.decompressobj()
        allowed, self._text_bytes_left = self._text_bytes_left, 0  # no second chance behind a bomb
        value = inflater.decompress(packed, allowed + 1)
        if not inflater.eof:
            raise ValueError
        self._text_bytes_left = allowed
        return value


def _find_in_jpeg(data: bytes, collector: _Collector) -> None:
    photoshop = []
    for marker, start, end in jpeg.segments(data):
        if marker == _START_OF_SCAN:
            break
        if marker == _APP1 and data.startswith(_EXIF_LEAD, start + 4, end):
            collector.block("EXIF", data, start + 4, end)
        elif marker == _APP1 and data.startswith(_XMP_LEAD, start + 4, end):
            collector.block("XMP", data, start + 4 + len(_XMP_LEAD), end)
        elif marker == _APP13 and data.startswith(_PHOTOSHOP_LEAD, start + 4, end):
            photoshop.append(data[start + 4 + len(_PHOTOSHOP_LEAD) : end])
    _find_iptc(b"".join(photoshop[:MAX_PHOTOSHOP_SEGMENTS]), collector)


def _find_iptc(resources: bytes, collector: _Collector) -> None:
    """Find the IPTC block among Photoshop's image resources: "8BIM", number, name, length, data, each padded."""
    position = 0
    for _ in range(_MAX_RESOURCES):
        if not resources.startswith(b"8BIM", position) or len(resources) < position + 12:
            return
        (number,) = struct.unpack_from(">H", resources, position + 4)
        position += 6 + (resources[position + 6] + 2) // 2 * 2
        (length,) = struct.unpack_from(">I", resources, position)
        position += 4
        if number == _IPTC_RESOURCE:
            collector.block("IPTC", resources, position, position + length)
        position += length + length % 2


def _find_in_png(data: bytes, collector: _Collector) -> None:
    texts = 0
    for kind, start, end in png.chunks(data):
        if kind == b"eXIf":
            collector.block("EXIF", data, start + 8, end - 4)
        elif kind in (b"tEXt", b"zTXt", b"iTXt") and texts < MAX_TEXTS:
            texts += 1
            try:
                collector.text(kind, _checked(data, start, end, collector.max_bytes))
            except (ValueError, zlib.error):
                collector.note("a text chunk of the PNG is damaged or too large")


def _checked(data: bytes, start: int, end: int, max_bytes: int) -> bytes:
    """Return the payload of a PNG chunk; ValueError where it's too large or its checksum is wrong."""
    if end - start > max_bytes or zlib.crc32(data[start + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
        raise ValueError
    return data[start + 8 : end - 4]


def _find_in_webp(data: bytes, collector: _Collector) -> None:
    names = {b"EXIF": "EXIF", b"XMP ": "XMP"}
    for kind, start, end in webp.chunks(data):
        if kind in names:
            collector.block(names[kind], data, start + 8, end)


def _find_in_tiff(data: bytes, collector: _Collector) -> None:
    collector.first["EXIF"] = data
    order = tiff.byte_order(data)
    (start,) = struct.unpack_from(order + "I", data, 4)
    entries, _ = tiff.read_directory(data, order, start)
    for tag, name in ((_TIFF_XMP, "XMP"), (_TIFF_IPTC, "IPTC")):
        if tag in entries:
            width = 4 if entries[tag].type == 4 else 1  # some writers count an IPTC block in LONGs
            collector.block(name, data, entries[tag].offset, entries[tag].offset + width * entries[tag].count)


def _find_in_boxes(data: bytes, collector: _Collector) -> None:
    for name, start, end in box_items.find(data):
        collector.block(name, data, start, end)


_FINDERS: Mapping[str, Callable[[bytes, _Collector], None]] = {
    "JPEG": _find_in_jpeg,
    "PNG": _find_in_png,
    "WEBP": _find_in_webp,
    "TIFF": _find_in_tiff,
    "AVIF": _find_in_boxes,
    "HEIF": _find_in_boxes,
}


def _decode_xmp(packet: bytes | None) -> str | None:
    if packet is None:
        return None
    encoding = "utf-16" if packet.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    return packet.decode(encoding, "replace").strip("\ufeff\0 \r\n\t")
