"""The outside of a JPEG (ITU-T T.81 | ISO/IEC 10918-1, annex B)."""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from PIL import Image as PillowImage
from PIL.JpegImagePlugin import JpegImageFile

from fauxto.errors import ImageError
from fauxto.images import jpeg_end
from fauxto.images.container import MAX_TEXTS, Block, Container, Format, Kind, bounded
from fauxto.limits import Limits
from fauxto.report import Status

MAX_SCANS = 100
"""Progressive scans: encoders write about ten, and each costs a pass over the whole picture. Above `FULL_SIZE`, as many
fewer as the picture is larger."""

_USUAL_SCANS = 16

MAX_METADATA_SEGMENTS = 128
"""Segments with metadata that are read: 8 MB."""

_SOI = b"\xff\xd8"
_EOI, _SOS = 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP11, _APP13, _APP14, _APP15, _COM = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xEF, 0xFE
_STANDALONE = (0x01, 0xD8)
_METADATA = frozenset((_APP0, _APP1, _APP13, _COM))
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset((0xC2, 0xCA))  # with Huffman and with arithmetic coding

_EXIF_LEAD = b"Exif\0\0"
_TIFF_HEADERS = (b"II*\0", b"MM\0*")
_XMP_LEAD = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED_XMP_LEAD = b"http://ns.adobe.com/xmp/extension/\0"
_EXTENDED_XMP_PART = struct.Struct(">32sII")  # the digest of the whole, its length, the offset of this part
_PHOTOSHOP_LEAD = b"Photoshop 3.0\0"
_LEADS = {_APP1: (_EXIF_LEAD, _XMP_LEAD, _EXTENDED_XMP_LEAD), _APP13: (_PHOTOSHOP_LEAD,)}
_WRONG_XMP_LEAD = re.compile(rb"(?:http|XMP\0)[^<]{0,60}(?=<\?xpacket |<x:xmpmeta\s|<rdf:RDF\s)")
_BOX_INSTANCE, _BOX_CONTENT = slice(6, 8), slice(28, 32)  # of an APP11 segment: JPEG XT's box number, JUMBF's type
_FIRST_BOX_SEGMENT, _NEXT_BOX_SEGMENT = 12, 20  # where data starts: the next ones repeat the box's header

# In entropy-coded data 0xFF is followed by 0 or is a restart marker; 0xFF may also be repeated before a marker.
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")

FULL_SIZE = 64_000_000
"""Pixels of the largest JPEG that is decoded in full; of larger ones libjpeg decodes a half, a quarter or an eighth."""

MAX_DECODER_BYTES = 640_000_000
"""Memory for decoding one JPEG: 4 bytes a decoded pixel, and 2 for each coefficient of the whole picture, whatever the
scale, where a component's data is spread over several scans."""


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start, end) of each segment up to and with EOI; what lies between two segments is scan data.

    Raises:
        EOFError: The file, or the picture in front of the next SOI marker, ends before its EOI marker.
        ImageError: `unreadable` for an impossible length, `too_large` for too many markers, with a segment or not.
    """
    position = len(_SOI)
    has_scan = False
    for _ in bounded(itertools.repeat(None)):
        match = _MARKER.search(data, position)
        if match is None:
            raise EOFError
        start, position = match.span()
        marker = data[start + 1]
        if marker == _EOI:
            yield marker, start, position
            return
        if marker in _STANDALONE:
            if has_scan and marker == _SOI[1]:
                raise EOFError
            continue
        has_scan |= marker == _SOS
        (length,) = struct.unpack_from(">H", data, position)
        position += length
        if length < 2:
            raise ImageError(Status.UNREADABLE, "the JPEG has a segment of impossible length; the file is damaged")
        if position > len(data):
            raise EOFError
        yield marker, start, position


def read(data: bytes, limits: Limits) -> Container:
    """Walk a JPEG. `pixels` has lost every APPn but JFIF's and Adobe's, which tell how colours are coded.

    Raises:
        EOFError, struct.error: The file ends before its first scan.
        ImageError: `unreadable`, `unsupported_mode`, `too_large` or `truncated`.
    """
    kept = [_SOI]
    exif = None
    profile: dict[int, bytes] = {}
    frame: tuple[int, int] | None = None
    scans: list[int] = []
    first_scan = end = 0
    is_closed = False
    body = jpeg_end.without_trailer(data)
    try:
        for marker, start, end in segments(body):
            is_closed = marker == _EOI
            if marker == _SOS:
                first_scan = first_scan or start
                scans.append(start)
            if first_scan:
                continue
            if marker == _APP1 and exif is None and data.startswith(_EXIF_LEAD, start + 4, end):
                exif = data[start + 4 : end]
            elif marker == _APP2 and data.startswith(b"ICC_PROFILE\0", start + 4, end) and end - start > 18:
                profile[data[start + 16]] = data[start + 18 : end]
            if marker in _FRAMES:
                _check_frame(data, start)
                frame = marker, start
            if marker in (_APP0, _APP14) or not (_APP0 <= marker <= _APP15 or marker == _COM):
                kept.append(data[start:end])
    except (EOFError, struct.error):
        if not scans:
            raise
        end = jpeg_end.end_of_scan(body, end)
    if frame is None or not scans:
        raise ImageError(Status.UNREADABLE, "the JPEG holds no picture; the file is damaged")
    if len(scans) > MAX_SCANS:
        raise ImageError(Status.TOO_LARGE, f"the JPEG has {len(scans)} scans, the limit is {MAX_SCANS}; save it anew")
    if not _has_every_scan(data, *frame, scans):
        raise ImageError(Status.TRUNCATED, "the JPEG lacks scans of its picture; get the whole file")
    scale = _scale(data, *frame, scans, limits)
    kept.append(data[first_scan:end] if is_closed else jpeg_end.close(data[first_scan:end]))
    icc = b"".join(profile[number] for number in sorted(profile)) or None
    return Container(b"".join(kept), end, exif=exif, icc=icc, is_closed=is_closed, scale=scale)


def _check_frame(data: bytes, start: int) -> None:
    precision, components = data[start + 4], data[start + 9]
    if precision != 8 or components not in (1, 3, 4):
        raise ImageError(
            Status.UNSUPPORTED_MODE,
            f"the JPEG has {components} components of {precision} bits; fauxto reads 1, 3 or 4 components of 8 bits",
        )


def _scale(data: bytes, frame_marker: int, frame: int, scans: list[int], limits: Limits) -> int:
    """Return by what the decoder divides both sides so that it keeps to `FULL_SIZE` and `MAX_DECODER_BYTES`.

    Pillow's own bound holds as well, for what is decoded.
    """
    height, width = struct.unpack_from(">HH", data, frame + 5)
    if width * height > limits.max_pixels:
        raise ImageError(
            Status.TOO_LARGE, f"the picture has {width} x {height} pixels; the limit is {limits.max_pixels} in all"
        )
    if len(scans) > _USUAL_SCANS and len(scans) * width * height > MAX_SCANS * FULL_SIZE:
        raise ImageError(Status.TOO_LARGE, f"the JPEG has too many scans ({len(scans)}) for its size; save it anew")
    most = min(FULL_SIZE, PillowImage.MAX_IMAGE_PIXELS or FULL_SIZE)
    coefficients = 0
    if frame_marker in _PROGRESSIVE or len(scans) > 1:
        factors = [divmod(data[frame + 11 + 3 * number], 16) for number in range(data[frame + 9])]
        across, down = (max(1, *axis) for axis in zip(*factors, strict=True))
        coefficients = sum(2 * width * height * x * y // (across * down) for x, y in factors)
    for scale in (1, 2, 4, 8):
        decoded = -(-width // scale) * -(-height // scale)
        if decoded <= most and coefficients + 4 * decoded <= MAX_DECODER_BYTES:
            return scale
    raise ImageError(
        Status.TOO_LARGE,
        f"the JPEG has {width} x {height} pixels and is progressive, which takes {coefficients >> 20} MB to decode; "
        "save it smaller, or not as a progressive JPEG",
    )


def _has_every_scan(data: bytes, frame_marker: int, frame: int, scans: list[int]) -> bool:
    """Tell whether the scans bring all 64 coefficients of each component down to their last bit.

    A scan of a progressive JPEG brings some coefficients (Ss to Se) down to some bit (Al); a file that is cut between
    two scans and closed again decodes without complaint, to less detail. Other scans bring a component whole.
    """
    lacking = {data[frame + 10 + 3 * number]: set(range(64)) for number in range(data[frame + 9])}
    for scan in scans:
        count = data[scan + 4]
        first, last, bits = struct.unpack_from("3B", data, scan + 5 + 2 * count)
        if frame_marker not in _PROGRESSIVE:
            first, last, bits = 0, 63, 0
        for number in range(count if bits & 15 == 0 else 0):
            lacking.get(data[scan + 5 + 2 * number], set()).difference_update(range(first, last + 1))
    return not any(lacking.values())


def metadata(data: bytes, limits: Limits) -> Iterator[Block]:
    """Yield every block of the segments before the first scan, one comment more than `MAX_TEXTS`; raises as `segments`.

    What is spread over several segments is put together: EXIF (as ExifTool does it: a segment that doesn't start with a
    TIFF header continues the one before), extended XMP (XMP specification, part 3) and Photoshop's resources.
    """
    exif: list[list[bytes]] = []
    packets: list[bytes] = []
    extended: list[bytes] = []
    photoshop: list[bytes] = []
    left, comments = MAX_METADATA_SEGMENTS, 0
    for marker, start, end in segments(data):
        start += 4
        if marker == _SOS or left == 0:
            break
        if marker == _COM and comments <= MAX_TEXTS:
            comments += 1
            yield Block(Kind.TEXT, data, start, end, keyword="")
        lead, begin = _lead(data, marker, start, end)
        if lead is None:
            continue
        left -= 1
        content = data[begin:end]
        if lead == _EXIF_LEAD:
            if not exif or content.startswith(_TIFF_HEADERS):
                exif.append([])
            exif[-1].append(content)
        else:
            {_XMP_LEAD: packets, _EXTENDED_XMP_LEAD: extended, _PHOTOSHOP_LEAD: photoshop}[lead].append(content)
    yield from (_joined(Kind.EXIF, parts) for parts in exif)
    yield from (_joined(Kind.XMP, [packet]) for packet in packets)
    yield from _extended_xmp(extended, packets)
    if photoshop or left == 0:
        yield replace(_joined(Kind.PHOTOSHOP, photoshop), is_unusable=left == 0)


def _lead(data: bytes, marker: int, start: int, end: int) -> tuple[bytes | None, int]:
    """Return the lead of a segment's kind of metadata, None without any, and where its content starts.

    Some writers put another byte at the end of EXIF's lead, or capitals, and cut or change XMP's; ExifTool 12.57
    (Image/ExifTool.pm, APP1) reads these, too.
    """
    for lead in _LEADS.get(marker, ()):
        if data.startswith(lead, start, end):
            return lead, start + len(lead)
    if marker == _APP1 and data[start : min(start + 5, end)].upper() == b"EXIF\0":
        return _EXIF_LEAD, start + len(_EXIF_LEAD)
    if marker == _APP1 and (wrong := _WRONG_XMP_LEAD.match(data, start, end)):
        return _XMP_LEAD, wrong.end()
    return None, start


def _joined(kind: Kind, parts: list[bytes]) -> Block:
    block = b"".join(parts)
    return Block(kind, block, 0, len(block))


def _extended_xmp(segments: list[bytes], packets: list[bytes]) -> Iterator[Block]:
    """Put together each extended XMP whose digest a main packet names; others are of an earlier state of the file."""
    parts: dict[bytes, list[tuple[int, int, bytes]]] = {}
    for segment in segments:
        if len(segment) > _EXTENDED_XMP_PART.size:
            digest, length, offset = _EXTENDED_XMP_PART.unpack_from(segment)
            parts.setdefault(digest, []).append((offset, length, segment[_EXTENDED_XMP_PART.size :]))
    for digest, pieces in parts.items():
        if not any(digest in packet for packet in packets):
            continue
        pieces.sort()
        block = _joined(Kind.XMP, [piece for _, _, piece in pieces])
        sound = all(length == block.end for _, length, _ in pieces) and all(
            offset + len(piece) == following for (offset, _, piece), (following, _, _) in pairwise(pieces)
        )
        yield replace(block, is_unusable=not sound)


def credential(data: bytes) -> Iterator[bytes]:
    """Yield the pieces of a JUMBF box of content type "c2pa" from APP11 segments; raises as `segments`."""
    return (data[piece:end] for _, _, piece, end in _unscanned(data) if piece < end)


def metadata_parts(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield SOI, and each segment before the first scan with metadata or the credential; raises as `segments`.

    Not those that say how pixels are decoded or shown: tables, the frame, ICC and Adobe's colour transform.
    """
    yield 0, len(_SOI)
    yield from ((start, end) for marker, start, piece, end in _unscanned(data) if marker in _METADATA or piece < end)


def _unscanned(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield (marker, start, piece, end) of each segment before the first scan; the credential's piece ends with it."""
    instance = None
    for marker, start, end in segments(data):
        if marker == _SOS:
            return
        segment = data[start:end] if marker == _APP11 else b""
        piece = end
        if instance is not None and segment[_BOX_INSTANCE] == instance:
            piece = start + _NEXT_BOX_SEGMENT
        elif segment[_BOX_CONTENT] == b"c2pa":
            instance = segment[_BOX_INSTANCE]
            piece = start + _FIRST_BOX_SEGMENT
        yield marker, start, piece, end


FORMAT = Format(
    name="JPEG",
    label="JPEG",
    media_type="image/jpeg",
    suffixes=(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    is_lossless=False,
    matches=lambda data: data.startswith(_SOI + b"\xff"),
    read=read,
    open=JpegImageFile,
    is_whole=jpeg_end.is_whole,
    metadata=metadata,
    credential=credential,
    metadata_parts=metadata_parts,
)
