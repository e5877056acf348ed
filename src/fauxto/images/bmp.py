"""The outside of a Windows bitmap (BITMAPFILEHEADER and the BITMAP...HEADER structures of Windows GDI)."""

from __future__ import annotations

import struct

from PIL.BmpImagePlugin import BmpImageFile

from fauxto.errors import ImageError
from fauxto.images.container import Container, Format, check_pixels
from fauxto.limits import Limits
from fauxto.report import Status

_HEADER_SIZES = (12, 40, 52, 56, 64, 108, 124)
_UNCOMPRESSED, _BITFIELDS = 0, 3


def matches(data: bytes) -> bool:
    """Tell whether a file is a bitmap; "BM" alone would be any text that starts so."""
    return data.startswith(b"BM") and len(data) >= 18 and struct.unpack_from("<I", data, 14)[0] in _HEADER_SIZES


def read(data: bytes, limits: Limits) -> Container:
    """Read a bitmap's header. `pixels` ends where the header says that the file ends.

    Raises:
        EOFError, struct.error: The file ends too early.
        ImageError: `unreadable`, `too_large`, or `unsupported_mode` for run-length coding: it's slow, and no
            photograph has it.
    """
    file_bytes, _, offset, header_size = struct.unpack_from("<4I", data, 2)
    if header_size == _HEADER_SIZES[0]:
        width, height, _, bits = struct.unpack_from("<4H", data, 18)
        compression = _UNCOMPRESSED
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
        height = abs(height)
    if compression not in (_UNCOMPRESSED, _BITFIELDS):
        raise ImageError(Status.UNSUPPORTED_MODE, "the BMP is compressed; save it as PNG")
    if width <= 0 or height == 0:
        raise ImageError(Status.UNREADABLE, "the BMP holds no picture; the file is damaged")
    check_pixels(width, height, limits)
    pixels_end = offset + (width * bits + 31) // 32 * 4 * height
    if pixels_end > len(data):
        raise EOFError
    end = file_bytes if pixels_end <= file_bytes <= len(data) else pixels_end
    return Container(pixels=data[:end], end=end)


FORMAT = Format(
    name="BMP",
    label="BMP",
    media_type="image/bmp",
    suffixes=(".bmp", ".dib"),
    is_lossless=True,
    matches=matches,
    read=read,
    open=BmpImageFile,
)
