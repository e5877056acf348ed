"""The metadata fields that generators use, parsed once for all readers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fauxto.evidence import metadata
from fauxto.evidence.exif import Exif, user_comment
from fauxto.evidence.generator_metadata import stealth
from fauxto.evidence.metadata import Text
from fauxto.evidence.untrusted import JsonTexts, UnreadableError
from fauxto.evidence.xmp import Xmp
from fauxto.images import Image
from fauxto.limits import Limits

IN_PIXELS = "alpha channel", "lowest bits"
"""Where in the pixels a message may be; the names of its group."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Input of the readers.

    Attributes:
        texts: Every text of the file in every block, but comments of a JPEG in prose.
        groups: Texts by keyword, grouped by container: the text chunks of a PNG, the properties of XMP; the message in
            the alpha channel or in the lowest bits of the colours, or any text that is a JSON object of such texts.
        exif: The EXIF directories.
        user_comment: The text of EXIF's UserComment.
        xmp: The XMP properties.
        iptc: The texts of IPTC-IIM by dataset.
        json: Parses JSON in any of these.
        unreadable: A sentence for each part that can't be read.
    """

    texts: tuple[Text, ...]
    groups: Mapping[str, Mapping[str, str]]
    exif: Exif
    user_comment: str | None
    xmp: Xmp
    iptc: Mapping[int, str]
    json: JsonTexts
    unreadable: tuple[str, ...]

    def settings(self) -> Iterator[tuple[str, str]]:
        """Yield (location, text) of each text that may hold generation settings, wherever it is."""
        for text in self.texts:
            yield text.where, text.value
        for container, texts in self.groups.items():
            if container not in ("PNG text", "XMP") and "parameters" in texts:  # those two are among the texts
                yield f"{container} 'parameters'", texts["parameters"]

    def objects(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (location, object) of each text that is a JSON object, and of the message in the pixels.

        `unreadable` has those that can't be read.
        """
        for text in self.texts:
            with contextlib.suppress(UnreadableError):
                if (parsed := self.json.parse(text.value)) is not None:
                    yield text.where, parsed
        yield from ((name, dict(self.groups[name])) for name in IN_PIXELS if name in self.groups)

    def named(self, *names: str) -> Iterator[Text]:
        """Yield each text whose field has one of these names, in any container."""
        return (text for text in self.texts if text.name in names)


def parse(data: bytes, image: Image, limits: Limits) -> Fields:
    """Parse the metadata of a file and the message in its pixels, as far as they are valid."""
    parsed = metadata.parse(data, image.facts.format, limits)
    unreadable = list(parsed.unreadable)
    json = JsonTexts()
    # A JPEG's comment is mostly prose, which declares nothing; Fooocus wrote its settings there, as JSON.
    texts = tuple(
        text for text in parsed.texts if text.container != "JPEG comment" or text.value.lstrip().startswith("{")
    )
    in_xmp = {text.name: text.value for text in reversed(texts) if text.container == "XMP"}
    groups: dict[str, Mapping[str, str]] = {"PNG text": parsed.png_text, "XMP": in_xmp}
    for text in texts:
        try:
            groups[text.where] = {**_texts(json, text.value), **groups.get(text.where, {})}
        except UnreadableError as error:
            unreadable.append(str(error))
    in_alpha = None if image.alpha is None else image.alpha[..., None]
    for name, samples in zip(IN_PIXELS, (in_alpha, image.rgb), strict=True):
        try:
            stored = None if samples is None else stealth.as_stored(samples, image.facts.orientation)
            message = None if stored is None else stealth.read(stored, limits.max_metadata_bytes)
            groups[name] = {} if message is None else _texts(json, message) or {"parameters": message}
        except UnreadableError as error:
            unreadable.append(str(error))
    return Fields(
        texts=texts,
        groups={container: group for container, group in groups.items() if group or container == "PNG text"},
        exif=parsed.exif,
        user_comment=user_comment(parsed.exif.photo),
        xmp=parsed.xmp,
        iptc=parsed.iptc,
        json=json,
        unreadable=tuple(unreadable),
    )


def _texts(json: JsonTexts, message: str) -> dict[str, str]:
    """Return the texts in a JSON object, which some writers use like PNG text chunks."""
    parsed = json.parse(message) or {}
    return {keyword: value for keyword, value in parsed.items() if isinstance(value, str)}
