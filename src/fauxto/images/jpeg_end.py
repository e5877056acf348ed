"""How a JPEG ends, where its EOI marker is missing or its scan data ran out before it."""

from __future__ import annotations

import re
import struct
from hashlib import shake_128
from io import BytesIO

from PIL import Image as PillowImage
from PIL.JpegImagePlugin import JpegImageFile

from fauxto.images.container import Container, reduce

_EOI = b"\xff\xd9"
_SEGMENT = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_RESTARTS = range(0xD0, 0xD8)
_ROWS_AT_ONCE = 256

# What a decoder gets to see only when the picture's own data ran out: enough for the blocks of a few MCUs, some of
# which may lie outside the picture. The bits have no pattern. Each filler has its opposite, so that no symbol of the
# picture's code begins as both do, and there are two pairs, as two symbols may mean the same.
_FILLERS = tuple(
    bytes(byte ^ turned for byte in shake_128(seed).digest(4096).translate(None, b"\x00\xff"))
    for seed in (b"1", b"2")
    for turned in (0, 0xFF)
)
_PER_RESTART = 256


def close(scans: bytes, filler: bytes = _FILLERS[0]) -> bytes:
    """Return scan data with meaningless bits behind it, some for each restart interval that may follow, and EOI."""
    scans = scans.rstrip(b"\xff")  # with the filler behind it, 0xFF would be a marker
    last = max((scans.rfind(bytes((0xFF, marker))), marker) for marker in _RESTARTS)
    following = last[1] - _RESTARTS[0] + 1 if last[0] >= 0 else 0
    intervals = (bytes((0xFF, _RESTARTS[(following + number) % 8])) for number in range(8))
    return b"".join((scans, filler, *(restart + filler[:_PER_RESTART] for restart in intervals), _EOI))


def without_trailer(data: bytes) -> bytes:
    """Return a JPEG without the trailer of Samsung's phones, which may hold markers and whole pictures.

    The trailer ends in a directory, "SEFH", whose entries tell how far in front of it their data starts, the
    directory's length and "SEFT" (as ExifTool's Samsung.pm reads it, version 12.57).
    """
    if not data.endswith(b"SEFT"):
        return data
    directory = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    if directory < 0 or not data.startswith(b"SEFH", directory):
        return data
    entries = data[directory + 12 : len(data) - 8]
    offsets = (offset for _, offset, _ in struct.iter_unpack("<3I", entries[: len(entries) // 12 * 12]))
    start = directory - max(offsets, default=0)
    return data[:start] if start > 0 else data


def end_of_scan(data: bytes, scan: int) -> int:
    """Return the offset of the first byte behind the scan data of a JPEG that has no EOI marker.

    Zeros at the end are filler, as of a file whose space was reserved, but a single one belongs to the data.

    Args:
        data: The file, without a trailer.
        scan: Where the data of its last scan starts.
    """
    cut = _SEGMENT.search(data, scan)
    stop = cut.start() if cut else len(data)
    end = scan + len(data[scan:stop].rstrip(b"\0"))
    if end == stop - 1 or (end < stop and data[end - 1] == 0xFF):  # 0xFF in the data is followed by a zero
        return end + 1
    return scan + len(data[scan:end].rstrip(b"\xff"))


def is_whole(picture: PillowImage.Image, outside: Container) -> bool:
    """Tell whether the scan data reached to the last block of the decoded `picture`.

    Where scan data runs out before EOI (a file cut in half and closed again), libjpeg fills up with mid-grey and says
    nothing. If the last pixel is grey, the file is decoded once more with meaningless bits before EOI: a decoder that
    has all its data never looks at them. A file that had no EOI is closed with such bits anyway, and decoded with
    others in their place.
    """
    if outside.is_closed:
        last = picture.getpixel((picture.width - 1, picture.height - 1))
        if not set(last if isinstance(last, tuple) else (last,)) <= {127, 128}:
            return True
        return _decodes_to(picture, close(outside.pixels[: -len(_EOI)]), outside.scale)
    scans = outside.pixels[: outside.pixels.rindex(_FILLERS[0])]
    return all(_decodes_to(picture, close(scans, filler), outside.scale) for filler in _FILLERS[1:])


def _decodes_to(picture: PillowImage.Image, pixels: bytes, scale: int) -> bool:
    again = JpegImageFile(BytesIO(pixels))
    reduce(again, scale)
    return all(
        picture.crop(box).tobytes() == again.crop(box).tobytes()
        for top in range(0, picture.height, _ROWS_AT_ONCE)
        for box in [(0, top, picture.width, min(top + _ROWS_AT_ONCE, picture.height))]
    )
