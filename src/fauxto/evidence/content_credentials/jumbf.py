"""How much there is in a credential: c2pa takes time that grows with the square of some of its parts.

A credential is boxes in boxes (JUMBF, ISO/IEC 19566-5): manifests, in each a claim, assertions and a signature. At
these bounds the worst that we could build keeps c2pa busy for about half a second; honest ones stay far below.
"""

from __future__ import annotations

from fauxto.images import isobmff

MAX_BOXES = 3_000
MAX_CLAIMS = 100_000
"""Bytes of all claims together: lists of references."""
MAX_STATEMENTS = 500_000
"""Bytes of all other statements together; certificates, time stamps and thumbnails don't count."""

_STATEMENTS = {b"cbor", b"json"}
_LABEL = 17  # in a description box, behind a type and flags


def check_size(store: bytes) -> None:
    """Raise ValueError for a credential with more parts than an honest one has."""
    boxes = claims = statements = 0
    waiting = [(0, len(store), b"")]
    while waiting:
        start, stop, label = waiting.pop()
        for kind, _, payload, end in isobmff.boxes(store, start, stop):
            boxes += 1
            if boxes > MAX_BOXES:
                raise ValueError(f"it has more than {MAX_BOXES} boxes")
            if kind == b"jumd":
                label = store[payload + _LABEL : end].partition(b"\0")[0]
            elif kind == b"jumb":
                waiting.append((payload, end, b""))
            elif label.startswith(b"c2pa.claim"):
                claims += end - payload
            elif kind in _STATEMENTS and label != b"c2pa.signature":
                statements += end - payload
    if claims > MAX_CLAIMS or statements > MAX_STATEMENTS:
        raise ValueError(f"it states too much, in {claims + statements} bytes")
