"""Bounds the size of a credential, because c2pa's run time is quadratic in some of its parts.

A credential is made of nested boxes (JUMBF, ISO/IEC 19566-5): manifests, each with a claim, assertions and a signature.
At these limits the worst case that we could build takes c2pa about half a second; legitimate ones stay far below.
"""

from __future__ import annotations

from fauxto.images import isobmff

MAX_BOXES = 3_000
MAX_CLAIMS = 100_000
"""Bytes of all claims together: lists of references."""
MAX_STATEMENTS = 500_000
"""Bytes of all other assertions together, without certificates, time stamps and thumbnails."""

_STATEMENTS = {b"cbor", b"json"}
_LABEL = 17  # offset in a description box, after type and flags


def check_size(store: bytes) -> None:
    """Raise ValueError for a credential with more parts than legitimate ones have."""
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
        raise ValueError(f"its claims and assertions have {claims + statements} bytes, more than fauxto reads")
