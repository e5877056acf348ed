"""IPTC-IIM (version 4.2): the datasets of the application record."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from fauxto.evidence.exif import decode_text

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

_MARKER, _APPLICATION_RECORD = 0x1C, 2
_EXTENDED = 0x8000
_MAX_DATASETS = 1_000


def datasets(block: bytes) -> Iterator[tuple[int, str]]:
    """Yield (dataset number, text) of each dataset of record 2, up to the first damage."""
    position = 0
    for _ in range(_MAX_DATASETS):
        if len(block) < position + 5 or block[position] != _MARKER:
            return
        record, dataset, length = struct.unpack_from(">BBH", block, position + 1)
        position += 5
        if length >= _EXTENDED or position + length > len(block):
            return
        if record == _APPLICATION_RECORD:
            yield dataset, decode_text(block[position : position + length].rstrip(b"\0")).strip()
        position += length
