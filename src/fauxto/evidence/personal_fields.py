"""Which fields of a file's metadata tell of a person or a place: by their name, or by what stands in them.

Rather one field too many than one too few: a reader who asks sees all of them.
"""

from __future__ import annotations

import re

# In any place of a name, for names without capitals and spaces.
_STEMS = re.compile(
    r"gps|latitude|longitude|altitude|geo(?!metr)|(?<!subject)location|serial|owner|photographer|copyright|by-?line"
    r"|person(?!alit)|address|contact|telephone|e-?mail|username|creator(?!.?tool)",
    re.IGNORECASE,
)
# As words of a name.
_WORDS = frozenset(
    {
        "artist", "author", "authors", "city", "computer", "country", "county", "credit", "district", "editor", "face",
        "faces", "host", "lat", "license", "licensor", "lng", "lon", "name", "names", "people", "phone", "place",
        "postal", "province", "region", "regions", "rights", "state", "street", "supplier", "town", "venue", "writer",
        "zip",
    }
)  # fmt: skip
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NO_PERSON = re.compile(
    r"(Document|Page|Preset|Profile|Look|Model|Color|Colour|Layer|Lens|Camera|Parameter|Generator|Instrument)Name",
    re.IGNORECASE,
)

# A position in the ways of ISO 6709, XMP, degrees and plain decimals; the name of one in a text; an address; a folder.
_TELLING = re.compile(
    r"[+-]\d{2,6}(?:\.\d+)?[+-]\d{3,7}(?:\.\d+)?(?![\d.])"
    r"|\b\d{1,3},\d{1,2}(?:\.\d+|,\d{1,2}(?:\.\d+)?)?[NSEW]\b"
    r"|\d{1,3}(?:\.\d+)?\s?(?:°|º|deg\b)[^A-Za-z]{0,20}[NSEW]\b"
    r"|(?<![\d.])[+-]?\d{1,2}\.\d{3,}\s?[,;/ ]\s?[+-]?\d{1,3}\.\d{3,}(?![\d.])"
    r"|latitude|longitude|\bgps|\bgeo:"
    r"|(?<![^\s@])[^\s@]{1,64}@[^\s@]{1,200}\.[a-z]{2}"
    r"|[/\\](?:Users|home)[/\\]",
    re.IGNORECASE,
)


def is_personal(name: str, value: str) -> bool:
    """Tell whether a field, by its name ("EXIF GPSLatitude") or its text, tells of a person, a device or a place."""
    return _is_personal_name(name) or _TELLING.search(value) is not None


def _is_personal_name(name: str) -> bool:
    if _STEMS.search(name):
        return True
    words = {word.lower() for word in _WORD.findall(_NO_PERSON.sub("", name))}
    return not words.isdisjoint(_WORDS)
