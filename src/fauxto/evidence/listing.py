"""All that the metadata of a file states, as a person reads it: every field by its name, and what stands out."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import PIL.ExifTags
from numpy.typing import NDArray

from fauxto import images
from fauxto.evidence import camera_metadata, content_credentials, exif, iptc, metadata, thumbnail, xmp
from fauxto.evidence.content_credentials.timeline import Timeline
from fauxto.evidence.generator_metadata import fields as generator_fields
from fauxto.evidence.generator_metadata.fields import Fields
from fauxto.evidence.metadata import Metadata
from fauxto.evidence.personal_fields import is_personal
from fauxto.images import Image
from fauxto.images.source import File
from fauxto.limits import Limits
from fauxto.report import Evidence

MAX_FIELDS = 1_000
MAX_NAME = 100
MAX_VALUE = 4_000
"""Characters of one value; a note in it says where more were cut."""
MAX_TOTAL = 400_000
"""Characters of all values of a file; what comes after is counted, not listed."""

_POINTERS = (0x8769, 0x8825, 0xA005)  # to other directories, of EXIF, GPS and interoperability
_SHORT_BYTES = 16
_OF_THUMBNAIL = "thumbnail_differs"  # `FileMetadata.thumbnail_sentence` says it
_HISTORY = "xmpMM:History"
_DATASETS = {**iptc.NAMES, **iptc.OTHER_NAMES}
_DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the metadata; its texts are bounded, and control characters in them are written as their codes.

    Attributes:
        where: The kind of block: "EXIF", "EXIF GPS", "XMP", "IPTC", "PNG text", "JPEG comment", ...
        name: Its name there; "" for a comment.
        value: Its value as text; the only control character in it is the line break.
    """

    where: str
    name: str
    value: str


@dataclass(frozen=True, slots=True, eq=False)
class FileMetadata:
    """What the metadata of a file states; anyone can write it.

    Attributes:
        glance: (label, text) of what people look for first: time, camera, lens, exposure, programs.
        edits: A line for each step of XMP's history, the oldest first.
        notes: Sentences on where it contradicts the picture.
        fields: Every field, by kind of block; without those of people, devices and places unless asked for.
        withheld: How many fields were left out because nobody asked for them.
        unlisted: How many were left out because the file has too many.
        position: Latitude and longitude in degrees, if asked for and stated.
        thumbnail: The picture in EXIF, uint8 RGB [H, W, 3] as stored; None without one that can be read.
        comparison: How the thumbnail compares with the picture (`fauxto.evidence.thumbnail.compare`); may be empty.
        credential: The content credential as a timeline; None without one that can be read.
        unreadable: A sentence for each part that can't be read.
    """

    glance: tuple[tuple[str, str], ...]
    edits: tuple[str, ...]
    notes: tuple[str, ...]
    fields: tuple[Field, ...]
    withheld: int
    unlisted: int
    position: tuple[float, float] | None
    thumbnail: NDArray[np.uint8] | None = field(repr=False)
    comparison: dict[str, Any]
    credential: Timeline | None
    unreadable: tuple[str, ...]

    def matching(self, query: str) -> tuple[Field, ...]:
        """Return the fields that have every word of a query in their place, name or value, in any case."""
        words = query.casefold().split()
        return tuple(
            listed
            for listed in self.fields
            if all(word in f"{listed.where} {listed.name} {listed.value}".casefold() for word in words)
        )

    @property
    def thumbnail_sentence(self) -> str:
        """How the thumbnail compares with the picture, in words."""
        if self.thumbnail is None:
            return "EXIF holds no thumbnail that can be read."
        correlation = self.comparison.get("correlation")
        if correlation is None:
            return "EXIF holds a thumbnail, but it or the picture is too even to compare them."
        if correlation < camera_metadata.SAME_PICTURE:
            return (
                "The thumbnail in EXIF shows a different picture, or another part of this one. Cropping and editing "
                "can do that; so can a program that copies metadata."
            )
        return "The thumbnail in EXIF shows the same picture. That proves nothing: editors write a new one."

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists, texts and numbers, ready for `json.dumps`; of pictures, what they are."""
        position = self.position and dict(zip(("latitude", "longitude"), self.position, strict=True))
        return {
            "glance": dict(self.glance),
            "edits": list(self.edits),
            "notes": list(self.notes),
            "fields": [dataclasses.asdict(listed) for listed in self.fields],
            "withheld": self.withheld,
            "unlisted": self.unlisted,
            "position": position,
            "thumbnail": self.comparison or None,
            "credential": None if self.credential is None else self.credential.to_dict(),
            "unreadable": list(self.unreadable),
        }


def read_metadata(
    source: File, *, personal: bool = False, limits: Limits = _DEFAULT_LIMITS, trust_list: Path | None = None
) -> FileMetadata:
    """Read all that the metadata of a picture file states.

    Args:
        source: A path, the bytes of a file, or a file open for reading bytes.
        personal: Whether to return what tells of people, devices and places, the position among it.
        limits: Limits on the file.
        trust_list: PEM file of certificate authorities to trust for content credentials; None for the built-in list.

    Raises:
        ImageError: The file can't be read, or isn't a picture that fauxto decodes.
        ConfigError: The trust list can't be used.
    """
    data = images.read_bytes(source, limits)
    return read(data, images.decode(data, limits), limits, personal=personal, trust_list=trust_list)


def read(
    data: bytes, image: Image, limits: Limits, *, personal: bool = False, trust_list: Path | None = None
) -> FileMetadata:
    """Do what `read_metadata` does, for a file that is decoded already."""
    parsed = metadata.parse(data, image.facts.format, limits)
    of_generators = generator_fields.parse(data, image, limits)
    camera = camera_metadata.read(data, image, limits)
    stated = dict.fromkeys(_all(parsed, of_generators, limits))
    wanted = [listed for listed in stated if personal or not _is_personal(listed)]
    fields = tuple(_bounded(wanted))
    edits = [line for line in _edits(parsed.xmp) if personal or not is_personal("", line)]
    return FileMetadata(
        glance=tuple(
            (label, _visible(text)) for label, text in _glance(camera) if personal or not is_personal("", text)
        ),
        edits=tuple(map(_cut, edits)),
        notes=tuple(_sentence(note) for note in camera.details.get("notes", ()) if not note.startswith(_OF_THUMBNAIL)),
        fields=fields,
        withheld=len(stated) - len(wanted),
        unlisted=len(wanted) - len(fields),
        position=camera_metadata.position(parsed) if personal else None,
        thumbnail=thumbnail.decode(parsed.exif.thumbnail) if parsed.exif.thumbnail else None,
        comparison=camera.details.get("thumbnail", {}),
        credential=content_credentials.read_timeline(data, image.facts.format, limits, trust_list=trust_list),
        unreadable=tuple(dict.fromkeys(of_generators.unreadable)),
    )


def _sentence(note: str) -> str:
    """Return a note without the word for programs that leads it."""
    sentence = note.partition(": ")[2]
    return sentence[:1].upper() + sentence[1:]


def _is_personal(listed: Field) -> bool:
    if re.fullmatch(r"tag 0x[0-9A-F]{4}|dataset \d+", listed.name) and re.search(r"[^\W\d_]{3}", listed.value):
        return not listed.value.endswith("not shown")  # nobody knows what a text in a field without a name tells of
    return is_personal(f"{listed.where} {listed.name}", listed.value)


def _all(parsed: Metadata, of_generators: Fields, limits: Limits) -> Iterator[Field]:
    """Yield every field with a value."""
    fields = (
        *_exif_fields("EXIF", parsed.exif.image, {**PIL.ExifTags.TAGS, **exif.TEXTS}, limits),
        *_exif_fields("EXIF GPS", parsed.exif.gps, PIL.ExifTags.GPSTAGS, limits),
        *(Field("XMP", name, value) for name, value in parsed.xmp.values()),
        *(Field("IPTC", _DATASETS.get(dataset, f"dataset {dataset}"), value) for dataset, value in parsed.datasets),
        *(
            Field(text.container, text.name, text.value)
            for text in parsed.texts
            if text.container not in ("EXIF", "XMP", "IPTC")
        ),
        *(
            Field(where, name, value)
            for where in generator_fields.IN_PIXELS
            for name, value in of_generators.groups.get(where, {}).items()
        ),
    )
    yield from (
        Field(_visible(listed.where), _visible(listed.name[:MAX_NAME]), _cut(listed.value))
        for listed in fields
        if listed.value.strip()
    )


def _exif_fields(where: str, tags: exif.Tags, names: Mapping[int, str], limits: Limits) -> Iterator[Field]:
    left = limits.max_metadata_bytes  # many tags may name the same bytes
    for directory in tags.directories:
        for tag, entry in directory.entries.items():
            if tag in _POINTERS:
                continue
            left -= entry.count
            value = _exif_value(directory, tag) if left >= 0 else f"{entry.count:,} values, not shown"
            yield Field(where, names.get(tag, f"tag 0x{tag:04X}"), value)


def _exif_value(directory: exif.Directory, tag: int) -> str:
    """Return a value as text: its own, its numbers, or how much it is where it is neither."""
    if tag in exif.TEXTS or directory.is_text(tag):
        return directory.text(tag) or ""
    if (numbers := directory.numbers(tag)) is not None:
        return ", ".join(f"{number:.7g}" if math.isfinite(number) else "undefined" for number in numbers)
    raw = directory.raw(tag)
    if raw is not None and len(raw) <= _SHORT_BYTES and raw.isascii() and raw.decode("ascii").isprintable():
        return raw.decode("ascii")  # versions, such as "0232"
    return f"{directory.entries[tag].count:,} {'values' if raw is None else 'bytes'}, not shown"


def _bounded(fields: Iterable[Field]) -> Iterator[Field]:
    """Yield fields as long as they fit."""
    left = MAX_TOTAL
    for listed in islice(fields, MAX_FIELDS):
        left -= len(listed.value)
        if left < 0:
            return
        yield listed


def _cut(value: str) -> str:
    if len(value) <= MAX_VALUE:
        return _visible(value)
    return f"{_visible(value[:MAX_VALUE])} [cut: {len(value):,} characters in the file]"


def _visible(text: str) -> str:
    """Write every control character, bidi mark and the like as its code; keep line breaks."""
    return "".join(
        character
        if character.isprintable() or character == "\n"
        else " "
        if character == "\t"
        else character.encode("unicode_escape").decode("ascii")
        for character in text.replace("\r\n", "\n").replace("\r", "\n")
    )


def _edits(properties: xmp.Xmp) -> Iterator[str]:
    """Yield a line for each event of XMP's history: what was done, when, with which program."""
    events: dict[str, dict[str, str]] = {}
    for path, value in properties.values():
        place, _, name = path.partition("/stEvt:")
        if place.startswith(_HISTORY) and name:
            events.setdefault(place, {})[name] = value
    for event in events.values():
        yield ", ".join(filter(None, (event.get(name, "") for name in ("action", "when", "softwareAgent"))))


def _glance(camera: Evidence) -> Iterator[tuple[str, str]]:
    details = camera.details
    make, model = details.get("make", ""), details.get("model", "")
    seconds = details.get("exposure_seconds")
    exposure = (
        seconds and (f"1/{1 / seconds:.4g} s" if 0 < seconds < 0.3 else f"{seconds:g} s"),
        (number := details.get("f_number")) and f"f/{number:g}",
        (number := details.get("iso")) and f"ISO {number:g}",
        (number := details.get("focal_length_mm")) and f"{number:g} mm",
        (number := details.get("focal_length_35mm")) and f"({number:g} mm in 35 mm film)",
    )
    yield from (
        (label, text)
        for label, text in (
            ("Taken", details.get("taken")),
            (
                "Camera",
                model if make and model.lower().startswith(make.split()[0].lower()) else f"{make} {model}".strip(),
            ),
            ("Lens", details.get("lens")),
            ("Exposure", ", ".join(filter(None, exposure))),
            ("Programs, oldest first", ", ".join(details.get("software", ()))),
        )
        if text
    )
