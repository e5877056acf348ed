"""The metadata fields that generators use, parsed once for all readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fauxto.evidence import metadata
from fauxto.evidence.exif import Exif, user_comment
from fauxto.evidence.generator_metadata import stealth
from fauxto.evidence.untrusted import JsonTexts, UnreadableError
from fauxto.evidence.xmp import Xmp
from fauxto.images import Image
from fauxto.limits import Limits

SETTINGS = ("parameters", "Comment", "UserComment", "metadata", "generation_data")
"""Keywords of texts that programs write their settings under."""

EXIF_TEXTS = {0x010E: "EXIF ImageDescription", 0x010F: "EXIF Make", 0x0110: "EXIF Model"}
"""Tags of the first directory that programs write settings into, against their meaning."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Input of the readers.

    Attributes:
        groups: Texts by keyword, grouped by container: the text chunks of a PNG; the message in the alpha channel or in
            the lowest bits of the colours, or a UserComment with such texts.
        exif: The EXIF directories.
        user_comment: The text of EXIF's UserComment.
        xmp: The XMP properties.
        iptc: The texts of IPTC-IIM by dataset.
        json: Parses JSON in any of these.
        unreadable: A sentence for each part that can't be read.
    """

    groups: Mapping[str, Mapping[str, str]]
    exif: Exif
    user_comment: str | None
    xmp: Xmp
    iptc: Mapping[int, str]
    json: JsonTexts
    unreadable: tuple[str, ...]

    def settings(self) -> Iterator[tuple[str, str]]:
        """Yield (location, text) of each field that may hold generation settings."""
        for container, texts in self.groups.items():
            yield from ((f"{container} '{key}'", texts[key]) for key in SETTINGS if key in texts)
        if self.user_comment is not None:
            yield "EXIF UserComment", self.user_comment
        for tag, where in EXIF_TEXTS.items():
            if value := self.exif.image.text(tag):
                yield where, value


def parse(data: bytes, image: Image, limits: Limits) -> Fields:
    """Parse the metadata of a file and the message in its pixels, as far as they are valid."""
    parsed = metadata.parse(data, image.facts.format, limits)
    unreadable = list(parsed.unreadable)
    json = JsonTexts()
    comment = user_comment(parsed.exif.photo)
    groups = {"PNG text": parsed.png_text}
    try:
        groups["EXIF UserComment"] = _texts(json, comment or "")
    except UnreadableError as error:
        unreadable.append(str(error))
    in_alpha = None if image.alpha is None else image.alpha[..., None]
    for name, samples in (("alpha channel", in_alpha), ("lowest bits", image.rgb)):
        try:
            stored = None if samples is None else stealth.as_stored(samples, image.facts.orientation)
            message = None if stored is None else stealth.read(stored, limits.max_metadata_bytes)
            groups[name] = {} if message is None else _texts(json, message) or {"parameters": message}
        except UnreadableError as error:
            unreadable.append(str(error))
    return Fields(groups, parsed.exif, comment, parsed.xmp, parsed.iptc, json, tuple(unreadable))


def _texts(json: JsonTexts, message: str) -> dict[str, str]:
    """Return the texts in a JSON object, which some writers use like PNG text chunks."""
    parsed = json.parse(message) or {}
    return {keyword: value for keyword, value in parsed.items() if isinstance(value, str)}
