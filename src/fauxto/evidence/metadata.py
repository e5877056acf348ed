"""The metadata of a file: its blocks, parsed as far as they are valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fauxto.evidence import blocks, exif, iptc, xmp
from fauxto.evidence.untrusted import UnreadableError
from fauxto.limits import Limits


@dataclass(frozen=True, slots=True)
class Metadata:
    """The parsed metadata of a file.

    Attributes:
        exif: The EXIF directories; empty ones without EXIF.
        xmp: The XMP properties; none without XMP.
        iptc: The texts of IPTC-IIM by dataset.
        png_text: The texts of a PNG by keyword.
        unreadable: A sentence for each part that can't be read.
    """

    exif: exif.Exif
    xmp: xmp.Xmp
    iptc: Mapping[int, str]
    png_text: Mapping[str, str]
    unreadable: tuple[str, ...]


def parse(data: bytes, format: str, limits: Limits) -> Metadata:
    """Find and parse the metadata blocks of a decoded file; see `blocks.find` for the arguments."""
    raw = blocks.find(data, format, limits)
    directories = exif.parse(raw.exif) if raw.exif is not None else exif.Exif()
    unreadable = [*raw.unreadable, *directories.damage]
    properties = xmp.Xmp({})
    if raw.xmp is not None:
        try:
            properties = xmp.parse(raw.xmp)
        except UnreadableError as error:
            unreadable.append(str(error))
    datasets = iptc.parse(raw.iptc) if raw.iptc is not None else {}
    return Metadata(directories, properties, datasets, raw.png_text, tuple(unreadable))
