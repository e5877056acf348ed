"""Metadata inside metadata: blocks in an EXIF block, in Photoshop's resources, and in ImageMagick's raw profiles."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import islice

from fauxto.images import tiff
from fauxto.images.container import Block, Kind

MAX_INSIDE = 50
"""Blocks inside of one; honest ones hold three."""

RAW_PROFILE = "Raw profile type "
"""What the keyword of a PNG's text begins with where ImageMagick stored a block in it."""

EXIF_LEAD = re.compile(rb".{0,6}?(?=II\*\0|MM\0\*)", re.DOTALL)
"""What may stand in front of an EXIF block's TIFF header, such as "Exif" and two NULs, or only one."""

_XMP_LEAD, _PHOTOSHOP_LEAD = b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"
_PROFILE = re.compile(r"\n?([^\n]*)\n\s*\d+\n")
_RESOURCES = {0x0404: Kind.IPTC, 0x0422: Kind.EXIF, 0x0423: Kind.EXIF, 0x0424: Kind.XMP}
_MAX_RESOURCES = 1_000


def whole(kind: Kind, block: bytes) -> Block:
    """Return a block that was put together or unpacked."""
    return Block(kind, block, 0, len(block))


def unwrap(kind: Kind, block: bytes) -> Iterator[Block]:
    """Yield the blocks inside an EXIF block or Photoshop's resources, as far as they are sound; none in others."""
    if kind is Kind.EXIF:
        lead = EXIF_LEAD.match(block)
        try:
            yield from islice(tiff.embedded(block[lead.end() :] if lead else block), MAX_INSIDE)
        except (ValueError, struct.error):
            return  # whoever reads the EXIF block says that it is damaged
    elif kind is Kind.PHOTOSHOP:
        yield from islice(_resources(block), MAX_INSIDE)


def _resources(block: bytes) -> Iterator[Block]:
    """Yield from Photoshop's image resources: "8BIM", number, name, length, data, each padded to even length."""
    position = 0
    for _ in range(_MAX_RESOURCES):
        if not block.startswith(b"8BIM", position) or len(block) < position + 12:
            return
        (number,) = struct.unpack_from(">H", block, position + 4)
        position += 6 + (block[position + 6] + 2) // 2 * 2
        if len(block) < position + 4:
            return
        (length,) = struct.unpack_from(">I", block, position)
        position += 4
        if number in _RESOURCES:
            yield Block(_RESOURCES[number], block, position, position + length)
        position += length + length % 2


def raw_profile(text: str) -> Block | None:
    """Return the block in a raw profile: a name, the length, and the bytes as hexadecimal digits, in lines.

    Which block it is, its first bytes say, not its name: a profile called APP1 may be EXIF or XMP, one called iptc
    Photoshop's resources. None for anything else, such as a colour profile.

    Raises:
        ValueError: It isn't in this form.
    """
    head = _PROFILE.match(text)
    if head is None:
        raise ValueError("no raw profile")
    profile = bytes.fromhex(text[head.end() :].rstrip("\0"))
    if EXIF_LEAD.match(profile):
        return whole(Kind.EXIF, profile)
    if profile.startswith((b"8BIM", _PHOTOSHOP_LEAD)):
        return whole(Kind.PHOTOSHOP, profile.removeprefix(_PHOTOSHOP_LEAD))
    if profile.startswith(b"\x1c"):
        return whole(Kind.IPTC, profile)
    if profile.startswith(_XMP_LEAD) or head[1] == "xmp":
        return whole(Kind.XMP, profile.removeprefix(_XMP_LEAD))
    return None
