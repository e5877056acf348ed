"""The fields of a file in which generators write, parsed once for all readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fauxto.evidence import metadata
from fauxto.evidence.exif import Exif, user_comment
from fauxto.evidence.generator_metadata import stealth
from fauxto.evidence.untrusted import UnreadableError, json_object
from fauxto.evidence.xmp import Xmp
from fauxto.images import Image
from fauxto.limits import Limits


@dataclass(frozen=True, slots=True)
class Fields:
    """What the readers look at.

    Attributes:
        groups: Texts by keyword, each group with its container's name: the text chunks of a PNG; the message in an
            alpha channel or a UserComment that holds such texts.
        exif: The EXIF directories.
        user_comment: The text of EXIF's UserComment.
        xmp: The XMP properties.
        iptc: The texts of IPTC-IIM by dataset.
        unreadable: A sentence on each part that is there but can't be read.
    """

    groups: Mapping[str, Mapping[str, str]]
    exif: Exif
    user_comment: str | None
    xmp: Xmp
    iptc: Mapping[int, str]
    unreadable: tuple[str, ...]

    def settings(self) -> Iterator[tuple[str, str]]:
        """Yield (where, text) of each field that generators fill with the settings of a run."""
        for container, texts in self.groups.items():
            if "parameters" in texts:
                yield f"{container} 'parameters'", texts["parameters"]
        if self.user_comment is not None:
            yield "EXIF UserComment", self.user_comment


def parse(data: bytes, image: Image, limits: Limits) -> Fields:
    """Parse the metadata of a file and the message in its alpha channel, as far as they are sound."""
    found = metadata.parse(data, image.facts.format, limits)
    unreadable = list(found.unreadable)
    comment = user_comment(found.exif.photo)
    groups = {"PNG text": found.png_text}
    try:
        groups["EXIF UserComment"] = _texts(comment or "")
    except UnreadableError as error:
        unreadable.append(str(error))
    try:
        message = None if image.alpha is None else stealth.read(image.alpha, limits.max_metadata_bytes)
        groups["alpha channel"] = {} if message is None else _texts(message) or {"parameters": message}
    except UnreadableError as error:
        unreadable.append(str(error))
    return Fields(groups, found.exif, comment, found.xmp, found.iptc, tuple(unreadable))


def _texts(message: str) -> dict[str, str]:
    """Return the texts in a JSON object, which some writers use in the manner of PNG text chunks."""
    parsed = json_object(message) or {}
    return {keyword: value for keyword, value in parsed.items() if isinstance(value, str)}
