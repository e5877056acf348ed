"""JPEG XL (ISO/IEC 18181-1 and -2): a codestream, bare or in boxes; needs the extra `formats`."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO

from PIL import Image as PillowImage

from fauxto.errors import ImageError
from fauxto.images.container import MAX_PARTS_WITH_CREDENTIAL, Block, Container, Format, Kind, bounded, check_pixels
from fauxto.images.isobmff import boxes
from fauxto.limits import Limits
from fauxto.report import Reason, Status

COST = 2
"""Memory for a pixel beside other formats' (`check_pixels`): the decoder may work on floating-point numbers."""

_CODESTREAM = b"\xff\x0a"
_BOXES = b"\0\0\0\x0cJXL \r\n\x87\n"
_KNOWN = {b"JXL ", b"ftyp", b"jxll", b"jxli", b"jxlc", b"jxlp", b"jbrd", b"Exif", b"xml ", b"jumb", b"brob"}
_KNOWN |= {b"free", b"skip", b"uuid"}
_LAST_PART = 0x80000000
_METADATA = {b"Exif": Kind.EXIF, b"xml ": Kind.XMP}
_TIFF_HEADERS = (b"II*\0", b"MM\0*")
_ASPECTS = ((1, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # from 1 on
_MODES = ("L", "LA", "RGB", "RGBA", "I;16")


class _Bits:
    """Reads fields of bits, the lowest bit of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise EOFError
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return value


def _size(bits: _Bits) -> tuple[int, int]:
    """Read a SizeHeader: (width, height)."""
    is_small = bits.take(1)

    def side() -> int:
        return 8 * (bits.take(5) + 1) if is_small else 1 + bits.take((9, 13, 18, 30)[bits.take(2)])

    height = side()
    aspect = bits.take(3)
    across, down = _ASPECTS[aspect]
    return (height * across // down if aspect else side()), height


def _is_animated(bits: _Bits) -> bool:
    """Read the start of the ImageMetadata behind a SizeHeader, as far as to whether there is an AnimationHeader."""
    if bits.take(1) or not bits.take(1):  # everything is as usual; no extra fields
        return False
    bits.take(3)  # the orientation, which the decoder undoes
    if bits.take(1):
        _size(bits)
    has_preview = bits.take(1)
    return not has_preview and bool(bits.take(1))


def read(data: bytes, limits: Limits) -> Container:
    """Walk a JPEG XL. `pixels` is the bare codestream; what it takes to make a JPEG of it again is left out.

    A bare codestream has no stated length; its decoder finds out whether it is cut.

    Raises:
        EOFError, struct.error: The file ends too early.
        ImageError: `too_large`.
    """
    stream, end, is_closed = data, len(data), True
    if data.startswith(_BOXES):
        parts = []
        end, is_complete = 0, False
        for kind, _, payload, box_end in bounded(boxes(data, 0, len(data))):
            if kind not in _KNOWN:
                break
            if box_end > len(data):
                end, is_closed = len(data), kind in (b"jxlc", b"jxlp")
                break
            end = box_end
            if kind == b"jxlc" or kind == b"jxlp":
                parts.append(data[payload + 4 * (kind == b"jxlp") : box_end])
                is_complete |= kind == b"jxlc" or bool(struct.unpack_from(">I", data, payload)[0] & _LAST_PART)
        if not is_complete:
            raise EOFError
        stream = b"".join(parts)
    bits = _Bits(stream[len(_CODESTREAM) : 64])
    width, height = _size(bits)
    check_pixels(width, height, limits, COST)
    notes: tuple[Reason, ...] = ()
    if _is_animated(bits):
        notes = (Reason("animated", "the file holds several pictures; only one was read."),)
    return Container(pixels=stream, end=end, notes=notes, is_closed=is_closed)


def open_jxl(file: BytesIO) -> PillowImage.Image:
    """Decode a codestream with pillow-jxl-plugin, which only those have who asked for it.

    Raises:
        ImageError: `unsupported_format`: it isn't installed; `truncated`, as the decoder doesn't tell a codestream that
            is cut from one that is damaged; or `unsupported_mode`.
    """
    try:
        from pillow_jxl import Decoder
    except ImportError as error:
        raise ImageError(
            Status.UNSUPPORTED_FORMAT,
            "the file is a JPEG XL, which needs the extra 'formats': pip install '.[formats]' in fauxto's checkout",
        ) from error
    try:
        _, info, pixels, icc, _ = Decoder(num_threads=0)(file.getvalue())
    except RuntimeError as error:
        raise ImageError(Status.TRUNCATED, "the JPEG XL ends too early or is damaged; get the whole file") from error
    if info.mode not in _MODES:
        raise ImageError(
            Status.UNSUPPORTED_MODE, f"fauxto doesn't read a JPEG XL of mode {info.mode}; save it as 8-bit PNG"
        )
    picture = PillowImage.frombytes(info.mode, (info.width, info.height), pixels)
    picture.info["icc_profile"] = icc
    return picture


def metadata(data: bytes, limits: Limits) -> Iterator[Block]:
    """Yield the boxes "Exif" and "xml "; one packed with Brotli ("brob") is unusable: Python can't unpack it."""
    for kind, _, payload, end in bounded(boxes(data, 0, len(data))) if data.startswith(_BOXES) else ():
        inner = data[payload : payload + 4]
        if kind == b"brob" and inner in _METADATA:
            yield Block(_METADATA[inner], data, payload, end, is_unusable=True)
        elif kind == b"Exif" and inner not in _TIFF_HEADERS:  # four bytes say where the TIFF structure starts
            yield Block(Kind.EXIF, data, payload + 4 + int.from_bytes(inner, "big"), end)
        elif kind in _METADATA:
            yield Block(_METADATA[kind], data, payload, end)


def credential(data: bytes) -> Iterator[bytes]:
    """Yield the box "jumb" whose content is C2PA; raises as `boxes`, and ImageError (too_large) for too many."""
    if data.startswith(_BOXES):
        for kind, start, payload, end in bounded(boxes(data, 0, len(data)), MAX_PARTS_WITH_CREDENTIAL):
            if kind == b"jumb" and data.startswith(b"c2pa", payload + 8):
                yield data[start:end]


FORMAT = Format(
    name="JXL",
    label="JPEG XL",
    media_type="image/jxl",
    suffixes=(".jxl",),
    is_lossless=False,
    matches=lambda data: data.startswith((_CODESTREAM, _BOXES)),
    read=read,
    open=open_jxl,
    metadata=metadata,
    credential=credential,
)
