"""Finds the metadata blocks of a file, whatever its format, and returns them undecoded as far as possible.

Each format's file in `fauxto.images` says where its blocks are, with the same parser that the decoder uses, so nothing
behind the end of the picture is read. If a block occurs twice, the first counts.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from fauxto.errors import ImageError
from fauxto.evidence.exif import decode_text
from fauxto.images.container import Block, Kind
from fauxto.images.formats import FORMATS
from fauxto.limits import Limits

_EVERY_CREDENTIAL_HAS = b"jumb"


@dataclass(frozen=True, slots=True)
class Blocks:
    """The metadata blocks of one file.

    Attributes:
        exif: A TIFF structure, with or without its "Exif" prefix; for a TIFF, the whole file.
        xmp: The XML of the main XMP packet; the extended XMP of a JPEG is not read.
        iptc: IPTC-IIM datasets.
        png_text: The texts of a PNG by keyword, unpacked, without its XMP.
        unreadable: A sentence for each block that can't be used.
    """

    exif: bytes | None = None
    xmp: str | None = None
    iptc: bytes | None = None
    png_text: Mapping[str, str] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()


def find(data: bytes, format: str, limits: Limits) -> Blocks:
    """Find the metadata blocks of a file that has been decoded.

    Args:
        data: The whole file.
        format: Its `FileFacts.format`.
        limits: `max_metadata_bytes` bounds each block as stored, each text unpacked, and all of them together.
    """
    collector = _Collector(len(data), format, limits.max_metadata_bytes)
    try:
        for block in FORMATS[format].metadata(data, limits):
            collector.take(block)
    except (EOFError, IndexError, ValueError, struct.error, ImageError):
        collector.note("the metadata of the file is damaged")
    return Blocks(
        exif=collector.first.get(Kind.EXIF),
        xmp=_decode_xmp(collector.first.get(Kind.XMP)),
        iptc=collector.first.get(Kind.IPTC),
        png_text=collector.texts,
        unreadable=tuple(collector.unreadable),
    )


def find_credential(data: bytes, format: str) -> bytes:
    """Return a file's content credential, a JUMBF box; empty if it has none.

    Args:
        data: The whole file, already decoded once.
        format: Its `FileFacts.format`.

    Raises:
        EOFError, IndexError, ValueError, struct.error, ImageError: The file is damaged, or has too many parts.
    """
    if _EVERY_CREDENTIAL_HAS not in data:  # most files have none and needn't be parsed
        return b""
    return b"".join(FORMATS[format].credential(data))


class _Collector:
    """Collects the blocks of a file, within the limits."""

    def __init__(self, file_bytes: int, format: str, max_bytes: int) -> None:
        self.first: dict[Kind, bytes] = {}
        self.texts: dict[str, str] = {}
        self.unreadable: dict[str, None] = {}
        self._file_bytes = file_bytes
        self._format = format
        self._max_bytes = max_bytes
        self._text_bytes_left = max_bytes

    def note(self, sentence: str) -> None:
        self.unreadable[sentence] = None

    def take(self, block: Block) -> None:
        if block.keyword is None:
            self._take_whole(block)
            return
        try:
            self._take_text(block, block.keyword)
        except (ValueError, zlib.error):
            self.note(f"a text chunk of the {self._format} is damaged or too large")

    def _take_whole(self, block: Block) -> None:
        size = block.end - block.start
        if block.kind in self.first:
            return
        if (
            size > self._max_bytes and size != self._file_bytes
        ):  # a TIFF is its own EXIF, and its size is already bounded
            self.note(f"the {block.kind} block is too large ({size} bytes)")
        else:
            self.first[block.kind] = block.data[block.start : block.end]

    def _take_text(self, block: Block, keyword: str) -> None:
        if block.is_unusable or self._text_bytes_left <= 0:
            raise ValueError
        if keyword in self.texts or (block.kind is Kind.XMP and Kind.XMP in self.first):
            return
        value = block.data[block.start : block.end]
        if block.is_packed:
            value = self._unpack(value)
        self._text_bytes_left -= len(value)
        if self._text_bytes_left < 0:
            raise ValueError
        if block.kind is Kind.XMP:
            self.first[Kind.XMP] = value
        else:
            self.texts[keyword] = decode_text(value)

    def _unpack(self, packed: bytes) -> bytes:
        inflater = zlib.decompressobj()
        allowed, self._text_bytes_left = self._text_bytes_left, 0  # nothing more is unpacked after a decompression bomb
        value = inflater.decompress(packed, allowed + 1)
        if not inflater.eof:
            raise ValueError
        self._text_bytes_left = allowed
        return value


def _decode_xmp(packet: bytes | None) -> str | None:
    if packet is None:
        return None
    encoding = "utf-16" if packet.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    return packet.decode(encoding, "replace").strip("\ufeff\0 \r\n\t")
