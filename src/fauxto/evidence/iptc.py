"""IPTC-IIM (version 4.2): the datasets of the application record."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from fauxto.evidence.exif import decode_text

BY_LINE, CITY, SUB_LOCATION, PROVINCE, COUNTRY = 80, 90, 92, 95, 101
CREDIT, CAPTION = 110, 120

_MARKER, _APPLICATION_RECORD = 0x1C, 2
_EXTENDED = 0x8000
_MAX_DATASETS = 1_000


def parse(block: bytes) -> Mapping[int, str]:
    """Return the first value of each dataset of record 2, by dataset number, up to the first damage."""
    values: dict[int, str] = {}
    position = 0
    for _ in range(_MAX_DATASETS):
        if len(block) < position + 5 or block[position] != _MARKER:
            break
        record, dataset, length = struct.unpack_from(">BBH", block, position + 1)
        position += 5
        if length >= _EXTENDED or position + length > len(block):
            break
        if record == _APPLICATION_RECORD:
            values.setdefault(dataset, decode_text(block[position : position + length].rstrip(b"\0")).strip())
        position += length
    return values
