"""IPTC-IIM (version 4.2): the datasets of the application record."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from fauxto.evidence.exif import decode_text
from fauxto.evidence.untrusted import UnreadableError

BY_LINE, CITY, SUB_LOCATION, PROVINCE, COUNTRY = 80, 90, 92, 95, 101
CREDIT, CAPTION = 110, 120

NAMES: Mapping[int, str] = {
    5: "title",
    25: "keywords",
    40: "instructions",
    65: "program",
    CREDIT: "credit",
    115: "source",
    116: "copyright",
    CAPTION: "caption",
}
"""The datasets that may say how a picture was made."""

OTHER_NAMES: Mapping[int, str] = {
    7: "edit status",
    10: "urgency",
    15: "category",
    20: "supplemental category",
    22: "fixture identifier",
    26: "content location code",
    27: "content location name",
    55: "date created",
    60: "time created",
    62: "digital creation date",
    63: "digital creation time",
    70: "program version",
    BY_LINE: "by-line",
    85: "by-line title",
    CITY: "city",
    SUB_LOCATION: "sub-location",
    PROVINCE: "province or state",
    100: "country code",
    COUNTRY: "country",
    103: "original transmission reference",
    105: "headline",
    118: "contact",
    122: "writer or editor",
}
"""Others that a person may want to read, by their names in IIM 4.2."""

_MARKER, _APPLICATION_RECORD = 0x1C, 2
_EXTENDED = 0x8000
_MAX_DATASETS, _MAX_LENGTH_BYTES = 1_000, 8


def datasets(block: bytes) -> Iterator[tuple[int, str]]:
    """Yield (dataset number, text) of each dataset of record 2.

    Raises:
        UnreadableError: The block is damaged behind what was yielded.
    """
    position = 0
    for _ in range(_MAX_DATASETS):
        if not block[position : position + 5].strip(b"\0"):  # its end, or padding
            return
        if len(block) < position + 5 or block[position] != _MARKER:
            raise _damaged()
        record, dataset, length = struct.unpack_from(">BBH", block, position + 1)
        position += 5
        if length >= _EXTENDED:  # the length of the length
            start, position = position, position + length - _EXTENDED
            length = int.from_bytes(block[start : min(position, start + _MAX_LENGTH_BYTES)], "big")
        if position + length > len(block):
            raise _damaged()
        if record == _APPLICATION_RECORD:
            yield dataset, decode_text(block[position : position + length].rstrip(b"\0")).strip()
        position += length


def _damaged() -> UnreadableError:
    return UnreadableError("the IPTC block is damaged")
