"""The metadata of a file: all its blocks, parsed as far as they are valid, and every text in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fauxto.evidence import blocks, exif, iptc, xmp
from fauxto.evidence.untrusted import UnreadableError, one_line
from fauxto.limits import Limits

MAX_NAME = 60
"""Characters of a field's name from the file that stand in a `Text.where`."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a file.

    Attributes:
        container: What kind of block it is in: "PNG text", "EXIF", "XMP", "IPTC", "JPEG comment", "GIF comment".
        name: Its field's name there, such as "parameters", "UserComment" or "DigitalSourceType", without a namespace;
            empty for a comment.
        value: The text.
        where: Container and field, for a person.
    """

    container: str
    name: str
    value: str
    where: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """The parsed metadata of a file.

    Attributes:
        exif: The EXIF directories; empty ones without EXIF.
        xmp: The XMP properties; none without XMP.
        iptc: The first text of each dataset of IPTC-IIM.
        datasets: Every dataset of IPTC-IIM with its text.
        png_text: The first text of a PNG by keyword.
        texts: Every text in every block, in the order of the kinds above.
        unreadable: A sentence for each part that can't be read.
    """

    exif: exif.Exif
    xmp: xmp.Xmp
    iptc: Mapping[int, str]
    datasets: tuple[tuple[int, str], ...]
    png_text: Mapping[str, str]
    texts: tuple[Text, ...]
    unreadable: tuple[str, ...]


def parse(data: bytes, format: str, limits: Limits) -> Metadata:
    """Find and parse the metadata blocks of a decoded file; see `blocks.find` for the arguments."""
    raw = blocks.find(data, format, limits)
    directories = exif.parse(*raw.exif)
    properties = xmp.Xmp({})
    faults: list[str] = []
    try:
        properties = xmp.parse(*raw.xmp)
    except UnreadableError as error:
        faults.append(str(error))
    datasets: list[tuple[int, str]] = []
    for block in raw.iptc:
        try:
            datasets.extend(iptc.datasets(block))
        except UnreadableError as error:
            faults.append(str(error))
    texts = (*_named(raw.texts, format), *_texts(directories, properties, datasets))
    return Metadata(
        exif=directories,
        xmp=properties,
        iptc=dict(reversed(datasets)),
        datasets=tuple(datasets),
        png_text={keyword: value for keyword, value in reversed(raw.texts) if keyword},
        texts=tuple(dict.fromkeys(texts)),
        unreadable=(*raw.unreadable, *directories.damage, *faults, *properties.damage),
    )


def _named(texts: tuple[tuple[str, str], ...], format: str) -> Iterator[Text]:
    for keyword, value in texts:
        container = f"{format} text" if keyword else f"{format} comment"
        yield Text(container, keyword, value, f"{container} '{one_line(keyword, MAX_NAME)}'" if keyword else container)


def _texts(directories: exif.Exif, properties: xmp.Xmp, datasets: list[tuple[int, str]]) -> Iterator[Text]:
    for name, value in exif.texts(directories):
        yield Text("EXIF", name, value, f"EXIF {name}")
    for where, name, value in properties.named_texts():
        yield Text("XMP", name, value, one_line(where, MAX_NAME))
    for dataset, value in datasets:
        if dataset in iptc.NAMES:
            yield Text("IPTC", iptc.NAMES[dataset], value, f"IPTC {iptc.NAMES[dataset]}")
