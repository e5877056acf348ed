"""The message in the lowest bits of an alpha channel ("stealth pnginfo"), as NovelAI and a WebUI extension write it.

The bits run down the columns: 15 bytes of signature, the length of the message in bits as a 32-bit big-endian number,
and the message, a UTF-8 text, in the second variant compressed with gzip. A signature of 120 bits doesn't occur by
chance.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from fauxto.evidence.untrusted import UnreadableError

_PLAIN, _COMPRESSED = b"stealth_pnginfo", b"stealth_pngcomp"
_HEADER_BYTES = len(_PLAIN) + 4
_GZIP = 16 + zlib.MAX_WBITS


def read(alpha: NDArray[np.uint8], max_bytes: int) -> str | None:
    """Return the message in an alpha channel, or None without one.

    Args:
        alpha: uint8 [height, width].
        max_bytes: Largest message, stored and unpacked.

    Raises:
        UnreadableError: The signature is there, but not the message.
    """
    header = _bytes(alpha, 0, _HEADER_BYTES)
    signature = header[: len(_PLAIN)]
    if signature not in (_PLAIN, _COMPRESSED):
        return None
    length = int.from_bytes(header[len(_PLAIN) :], "big") // 8
    message = _bytes(alpha, _HEADER_BYTES, min(length, max_bytes))
    if len(message) < length:
        raise UnreadableError("the message in the alpha channel is cut off or too large")
    if signature == _PLAIN:
        return message.decode("utf-8", "replace")
    inflater = zlib.decompressobj(_GZIP)
    try:
        text = inflater.decompress(message, max_bytes)
    except zlib.error as error:
        raise UnreadableError("the message in the alpha channel is damaged") from error
    if not inflater.eof:
        raise UnreadableError("the message in the alpha channel is cut off or too large")
    return text.decode("utf-8", "replace")


def _bytes(alpha: NDArray[np.uint8], start: int, count: int) -> bytes:
    """Return `count` bytes from the lowest bits, or fewer where the picture ends."""
    first, last = 8 * start, 8 * (start + count)
    height = alpha.shape[0]
    columns = alpha[:, first // height : -(-last // height)]
    bits = columns.T.reshape(-1)[first - first // height * height :][: 8 * count] & 1
    return np.packbits(bits[: len(bits) // 8 * 8]).tobytes()
