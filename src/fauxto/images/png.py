"""The outside of a PNG, animated or not (W3C Portable Network Graphics, third edition)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from PIL import Image as PillowImage
from PIL.PngImagePlugin import PngImageFile

from fauxto.errors import ImageError
from fauxto.images.container import (
    MAX_PARTS_WITH_CREDENTIAL,
    MAX_TEXTS,
    Block,
    Container,
    Format,
    Kind,
    bounded,
    check_pixels,
)
from fauxto.limits import Limits
from fauxto.report import Reason, Status

_XMP_KEYWORD = "XML:com.adobe.xmp"
_LABEL = b"AIGC"  # a private chunk with the label of GB 45438-2025, by the practice guide TC260-PG-20258A
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_METADATA = frozenset((b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME", b"caBX"))
_GREY, _RGB = 0, 2
_CHANNELS = {_GREY: 1, _RGB: 3, 3: 1, 4: 2, 6: 4}
_INFLATE_STEP = 1 << 20

# Adam7's passes: first column, first row, column step, row step.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start, end) of each whole chunk up to and with IEND; its payload is `data[start + 8 : end - 4]`.

    Where a file is cut, the last chunk that is yielded isn't IEND.
    """
    start, kind = len(_SIGNATURE), b""
    while kind != b"IEND" and start + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        end = start + 12 + length
        if end > len(data):
            return
        yield kind, start, end
        start = end


def _chunk(kind: bytes, payload: bytes) -> bytes:
    body = kind + payload
    return struct.pack(">I", len(payload)) + body + struct.pack(">I", zlib.crc32(body))


def _cut_chunk(data: bytes) -> bytes:
    """Return what is there of a cut IDAT as a chunk; nothing for a chunk without pixels.

    Raises:
        EOFError: It holds pixels of another frame.
    """
    length, kind = struct.unpack(">I4s", data[:8].ljust(8, b"\0"))
    if kind == b"fdAT":
        raise EOFError
    return _chunk(kind, data[8 : 8 + length]) if kind == b"IDAT" else b""


def read(data: bytes, limits: Limits) -> Container:
    """Walk a PNG. `pixels` keeps IHDR, PLTE, tRNS, IDAT and IEND: the still picture of an animated PNG.

    Where the file is cut, `pixels` has what is there of the data, and IEND; `is_whole` tells whether it suffices.

    Raises:
        EOFError, struct.error: The file ends too early.
        ImageError: `unreadable`, `unsupported_format`, `unsupported_mode` or `too_large`.
    """
    if data[12:16] == b"CgBI":
        raise ImageError(
            Status.UNSUPPORTED_FORMAT,
            "the file is an Apple-optimised PNG (CgBI), as apps for the iPhone hold them, which only Apple's programs "
            "read; save it there as PNG or JPEG",
        )
    first, width, height, depth, colour = struct.unpack_from(">8sIIBB", data, len(_SIGNATURE))
    check_pixels(width, height, limits)
    kept = [_SIGNATURE]
    exif = icc = None
    notes: tuple[Reason, ...] = ()
    frames, end = 0, len(_SIGNATURE)
    still_is_a_frame = False
    seen: set[bytes] = set()
    for kind, start, end in bounded(chunks(data)):
        if kind in (b"IHDR", b"PLTE", b"tRNS", b"IDAT"):
            if zlib.crc32(data[start + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
                raise ImageError(Status.UNREADABLE, f"the PNG's {kind.decode()} is damaged: its checksum is wrong")
            kept.append(data[start:end])
        elif kind == b"fcTL":
            frames += 1
            still_is_a_frame |= b"IDAT" not in seen
        elif kind == b"eXIf":
            exif = data[start + 8 : end - 4]
        elif kind == b"iCCP" and kind not in seen:
            icc, notes = _profile(data[start + 8 : end - 4], limits)
        seen.add(kind)
    is_closed = b"IEND" in seen
    if not is_closed:
        kept.append(_cut_chunk(data[end:]))
        if b"IDAT" not in seen and not kept[-1]:
            raise EOFError
        end = len(data)
    kept.append(_chunk(b"IEND", b""))
    if first != b"\0\0\0\rIHDR" or (is_closed and b"IDAT" not in seen):
        raise ImageError(Status.UNREADABLE, "the PNG holds no picture; the file is damaged")
    if b"tRNS" in seen and colour in (_GREY, _RGB) and depth not in (1, 8):
        raise ImageError(
            Status.UNSUPPORTED_MODE,
            f"the PNG makes one of its {depth}-bit colours transparent (tRNS); save it with an alpha channel",
        )
    frames = max(1, frames if still_is_a_frame else frames + 1)
    return Container(
        pixels=b"".join(kept),
        end=end,
        frames=min(frames, limits.max_frames),
        exif=exif,
        icc=icc,
        notes=notes,
        is_closed=is_closed,
    )


def _profile(payload: bytes, limits: Limits) -> tuple[bytes | None, tuple[Reason, ...]]:
    """Inflate an iCCP chunk (name, NUL, method, zlib data) to at most `limits.max_metadata_bytes`."""
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(payload[payload.index(b"\0") + 2 :], limits.max_metadata_bytes)
    except (ValueError, zlib.error):
        profile = b""
    if not profile or not inflater.eof:
        sentence = "the colour profile is damaged or too large; colours are read as sRGB."
        return None, (Reason("metadata_unreadable", sentence),)
    return profile, ()


def is_whole(picture: PillowImage.Image, outside: Container) -> bool:
    """Tell whether the compressed data filled the decoded `picture` to its last row.

    Where the zlib stream ends early but properly, Pillow leaves the missing rows zero and says nothing. If the last
    row is zero, the file is interlaced or its end is missing, the bytes that the stream holds are counted.
    """
    pixels = outside.pixels
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", pixels, 16)
    if outside.is_closed and not interlaced and any(picture.crop((0, height - 1, width, height)).tobytes()):
        return True
    missing = 0
    for column, row, across, down in _PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - column) // across), -(-(height - row) // down)
        if columns > 0 and rows > 0:
            missing += rows * (1 + (columns * depth * _CHANNELS[colour] + 7) // 8)
    inflater = zlib.decompressobj()
    for kind, start, end in chunks(pixels):
        compressed = pixels[start + 8 : end - 4] if kind == b"IDAT" else b""
        while compressed and missing > 0:
            missing -= len(inflater.decompress(compressed, _INFLATE_STEP))
            compressed = inflater.unconsumed_tail
    return missing <= 0


def metadata(data: bytes, limits: Limits) -> Iterator[Block]:
    """Yield eXIf, one text more than `MAX_TEXTS`, some of which may be XMP, and the label AIGC."""
    texts = 0
    for kind, start, end in chunks(data):
        if kind == b"eXIf":
            yield Block(Kind.EXIF, data, start + 8, end - 4)
        elif kind == _LABEL and texts <= MAX_TEXTS:
            texts += 1
            yield Block(Kind.TEXT, data, start + 8, end - 4, keyword=_LABEL.decode())
        elif kind in (b"tEXt", b"zTXt", b"iTXt") and texts <= MAX_TEXTS:
            texts += 1
            yield _text(data, kind, start, end, limits)


def _text(data: bytes, kind: bytes, start: int, end: int, limits: Limits) -> Block:
    is_too_large = end - start > limits.max_metadata_bytes
    if is_too_large or zlib.crc32(data[start + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
        return Block(Kind.TEXT, data, start, end, keyword="", is_unusable=True)
    raw_keyword, _, value = data[start + 8 : end - 4].partition(b"\0")
    keyword = raw_keyword.decode("latin-1")
    is_packed = kind == b"zTXt"
    if kind == b"zTXt":  # the method of compression, which is always zlib
        value = value[1:]
    elif kind == b"iTXt":  # whether it's packed, how, in which language, and the keyword in that language
        is_packed, value = value[:1] == b"\1", value[2:].split(b"\0", 2)[-1]
    holds = Kind.XMP if keyword == _XMP_KEYWORD else Kind.TEXT
    return Block(holds, value, 0, len(value), keyword=keyword, is_packed=is_packed)


def credential(data: bytes) -> Iterator[bytes]:
    """Yield the chunk caBX; raises ImageError (too_large) for too many chunks."""
    parts = bounded(chunks(data), MAX_PARTS_WITH_CREDENTIAL)
    return (data[start + 8 : end - 4] for kind, start, end in parts if kind == b"caBX")


def metadata_parts(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield each chunk with a text, EXIF, a time or the credential; raises as `credential`."""
    parts = bounded(chunks(data), MAX_PARTS_WITH_CREDENTIAL)
    return ((start, end) for kind, start, end in parts if kind in _METADATA)


FORMAT = Format(
    name="PNG",
    label="PNG",
    media_type="image/png",
    suffixes=(".png", ".apng"),
    is_lossless=True,
    matches=lambda data: data.startswith(_SIGNATURE),
    read=read,
    open=PngImageFile,
    is_whole=is_whole,
    metadata=metadata,
    credential=credential,
    metadata_parts=metadata_parts,
)
