"""The message in the lowest bits of a picture ("stealth pnginfo"), written by NovelAI and a WebUI extension.

It is in the alpha channel or, without one, in the colours. The bits run down the columns, and in colours through red,
green and blue of each pixel: 15 bytes of signature, the length of the message in bits as a 32-bit
big-endian number, and the message, UTF-8 text, gzip-compressed in the second variant. A signature of 120 bits doesn't
occur by chance.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from fauxto.evidence.untrusted import UnreadableError

_PLAIN, _COMPRESSED = (b"stealth_pnginfo", b"stealth_rgbinfo"), (b"stealth_pngcomp", b"stealth_rgbcomp")
_SIGNATURE_BYTES = len(_PLAIN[0])
_HEADER_BYTES = _SIGNATURE_BYTES + 4
_GZIP = 16 + zlib.MAX_WBITS


def as_stored(samples: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo the EXIF orientation: return upright samples as stored in the file, as a view.

    Args:
        samples: uint8 [height, width, channels].
        orientation: EXIF orientation, 1 to 8.
    """
    if orientation >= 5:
        samples = samples.swapaxes(0, 1)
    rows = -1 if orientation in (3, 4, 6, 7) else 1
    columns = -1 if orientation in (2, 3, 7, 8) else 1
    return samples[::rows, ::columns]


def read(samples: NDArray[np.uint8], max_bytes: int) -> str | None:
    """Return the message in an alpha channel or in colours, or None.

    Args:
        samples: uint8 [height, width, channels].
        max_bytes: Size limit of the message, both stored and unpacked.

    Raises:
        UnreadableError: There is a signature, but the message can't be read.
    """
    header = _bytes(samples, 0, _HEADER_BYTES)
    signature = header[:_SIGNATURE_BYTES]
    if signature not in _PLAIN + _COMPRESSED:
        return None
    length = int.from_bytes(header[_SIGNATURE_BYTES:], "big") // 8
    message = _bytes(samples, _HEADER_BYTES, min(length, max_bytes))
    if len(message) < length:
        raise UnreadableError("the message in the lowest bits is cut off or too large")
    if signature in _PLAIN:
        return message.decode("utf-8", "replace")
    inflater = zlib.decompressobj(_GZIP)
    try:
        text = inflater.decompress(message, max_bytes)
    except zlib.error as error:
        raise UnreadableError("the message in the lowest bits is damaged") from error
    if not inflater.eof:
        raise UnreadableError("the message in the lowest bits is cut off or too large")
    return text.decode("utf-8", "replace")


def _bytes(samples: NDArray[np.uint8], start: int, count: int) -> bytes:
    """Return `count` bytes from the lowest bits, or fewer at the end of the picture."""
    first, last = 8 * start, 8 * (start + count)
    column = samples.shape[0] * samples.shape[2]  # bits per column
    columns = samples[:, first // column : -(-last // column)]
    bits = columns.swapaxes(0, 1).reshape(-1)[first - first // column * column :][: 8 * count] & 1
    return np.packbits(bits[: len(bits) // 8 * 8]).tobytes()
