"""Finds every metadata block of a file, whatever its format and however it is wrapped, and returns them undecoded.

Each format's file in `fauxto.images` says where its blocks are, with the same parser that the decoder uses, so nothing
behind the end of the picture is read; `wrappings.py` knows the blocks inside of blocks. A block counts wherever it is
and however often there is one; identical ones count once.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter, deque
from dataclasses import dataclass

from fauxto.errors import ImageError
from fauxto.evidence import wrappings
from fauxto.evidence.exif import decode_text
from fauxto.images.container import MAX_TEXTS, Block, Kind
from fauxto.images.formats import FORMATS
from fauxto.limits import Limits

MAX_BLOCKS = 16
"""Blocks of one kind, texts aside; honest files have two or three."""

_SHARE = 2
"""All blocks of a file together may have as many times the bytes of the largest one."""

_EVERY_CREDENTIAL_HAS = b"jumb"
_READ = (Kind.EXIF, Kind.XMP, Kind.IPTC)


@dataclass(frozen=True, slots=True)
class Blocks:
    """The metadata blocks of one file, each kind in the order of the file.

    Attributes:
        exif: TIFF structures, with or without their "Exif" lead; for a TIFF, the whole file.
        xmp: XMP packets in any encoding; the extended XMP of a JPEG is a packet of its own.
        iptc: IPTC-IIM datasets.
        texts: Texts of a PNG, unpacked, by keyword; comments of a JPEG or GIF, whose keyword is empty.
        unreadable: A sentence for each block that can't be used.
    """

    exif: tuple[bytes, ...] = ()
    xmp: tuple[bytes, ...] = ()
    iptc: tuple[bytes, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    unreadable: tuple[str, ...] = ()


def find(data: bytes, format: str, limits: Limits) -> Blocks:
    """Find the metadata blocks of a file that has been decoded.

    Args:
        data: The whole file.
        format: Its `FileFacts.format`.
        limits: `max_metadata_bytes` bounds each block as stored, each text unpacked, and all texts together; twice as
            much, all blocks together.
    """
    collector = _Collector(len(data), format, limits.max_metadata_bytes)
    try:
        for block in FORMATS[format].metadata(data, limits):
            collector.take(block)
    except (EOFError, IndexError, ValueError, struct.error, ImageError):
        collector.note("the metadata of the file is damaged")
    exif, xmp, iptc = (tuple(collector.blocks[kind]) for kind in _READ)
    return Blocks(exif, xmp, iptc, tuple(collector.texts), tuple(collector.unreadable))


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
        self.blocks: dict[Kind, list[bytes]] = {kind: [] for kind in Kind}
        self.texts: list[tuple[str, str]] = []
        self.unreadable: dict[str, None] = {}
        self._counts: Counter[Kind] = Counter()
        self._file_bytes = file_bytes
        self._format = format
        self._max_bytes = max_bytes
        self._text_bytes_left = max_bytes
        self._block_bytes_left = _SHARE * max_bytes

    def note(self, sentence: str) -> None:
        self.unreadable[sentence] = None

    def take(self, block: Block) -> None:
        """Take a block and those inside it; what can't be used is noted."""
        queue = deque([block])
        while queue:
            taken = queue.popleft()
            content = self._take_whole(taken) if taken.keyword is None else self._take_stored_as_text(taken)
            if content is not None:
                queue.extend(wrappings.unwrap(content.kind, content.data))

    def _take_whole(self, block: Block) -> Block | None:
        """Return the block, cut out of its surroundings, if it is a new one within the limits."""
        size = block.end - block.start
        self._counts[block.kind] += 1
        if self._counts[block.kind] > MAX_BLOCKS:
            self.note(f"the file has more than {MAX_BLOCKS} blocks of {block.kind}")
        elif size > self._max_bytes and size != self._file_bytes:  # a TIFF is its own EXIF, of a size that is bounded
            self.note(f"the {block.kind} block is too large ({size} bytes)")
        elif block.is_unusable:
            self.note(f"a part of the {block.kind} block is missing")
        else:
            content = block.data[block.start : block.end]
            if len(content) < size:
                self.note(f"the {block.kind} block is cut off")
            if content in self.blocks[block.kind]:
                return None
            if size != self._file_bytes:
                self._block_bytes_left -= len(content)
            if self._block_bytes_left < 0:  # none further is read: parsing takes many times their size
                self._block_bytes_left = 0
                self.note(f"the blocks of metadata have more than {_SHARE * self._max_bytes} bytes in all")
                return None
            self.blocks[block.kind].append(content)
            return wrappings.whole(block.kind, content)
        return None

    def _take_stored_as_text(self, block: Block) -> Block | None:
        """Take a text, or what is stored as one: XMP, or a block in a raw profile, which is returned."""
        keyword = block.keyword or ""
        self._counts[Kind.TEXT] += 1
        if self._counts[Kind.TEXT] > MAX_TEXTS:
            self.note(f"the {self._format} has more than {MAX_TEXTS} texts")
            return None
        try:
            value = self._text(block)
            if block.kind is Kind.XMP:
                return self._take_whole(wrappings.whole(Kind.XMP, value))
            if keyword.startswith(wrappings.RAW_PROFILE):
                profile = wrappings.raw_profile(value.decode("latin-1"))
                return None if profile is None else self._take_whole(profile)
        except (ValueError, zlib.error):
            self.note(f"a text chunk of the {self._format} is damaged or too large")
            return None
        self.texts.append((keyword, decode_text(value).strip("\0\ufeff")))  # programs in C write their last NUL too
        return None

    def _text(self, block: Block) -> bytes:
        if block.is_unusable or self._text_bytes_left <= 0:
            raise ValueError
        value = block.data[block.start : block.end]
        if block.is_packed:
            value = self._unpack(value)
        self._text_bytes_left -= len(value)
        if self._text_bytes_left < 0:
            raise ValueError
        return value

    def _unpack(self, packed: bytes) -> bytes:
        inflater = zlib.decompressobj()
        allowed, self._text_bytes_left = self._text_bytes_left, 0  # nothing more is unpacked after a decompression bomb
        value = inflater.decompress(packed, allowed + 1)
        if not inflater.eof:
            raise ValueError
        self._text_bytes_left = allowed
        return value
