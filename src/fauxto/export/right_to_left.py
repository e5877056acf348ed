"""Texts in Hebrew, Arabic and the like for a page that sets one letter after the other from left to right."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

_ALEFS = "\u0622\u0623\u0625\u0627"
_UNITS = re.compile(f"\u0644[{_ALEFS}]|.", re.DOTALL)
_MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")


def _forms() -> dict[str, dict[str, str]]:
    """Return the forms of Arabic letters, and of lam with an alef, by position: Unicode's presentation forms."""
    forms: dict[str, dict[str, str]] = {}
    for form in map(chr, (*range(0xFB50, 0xFE00), *range(0xFE70, 0xFEFD))):
        position, *codes = unicodedata.decomposition(form).split() or [""]
        letters = "".join(chr(int(code, 16)) for code in codes)
        if position.startswith("<") and (len(letters) == 1 or (len(letters) == 2 and _UNITS.fullmatch(letters))):
            forms.setdefault(letters, {})[position.strip("<>")] = form
    return forms


_FORMS = _forms()
_JOINING = dict.fromkeys(("isolated", "final", "initial", "medial"), "\u0640")  # the stroke that lengthens a word


def is_right_to_left(text: str) -> bool:
    """Tell whether a text has letters that run from right to left."""
    return any(unicodedata.bidirectional(character) in ("R", "AL") for character in text)


def joined(text: str, font: Collection[str]) -> str:
    """Return a text with each Arabic letter in the form that its neighbours ask for (Unicode 16, section 9.2).

    A form that isn't among the characters of the `font` leaves its letter as it was.
    """
    units = _UNITS.findall(text)
    letters = [(place, _forms_of(unit)) for place, unit in enumerate(units) if not unicodedata.combining(unit[0])]
    for (_, before), (place, forms), (_, after) in zip(
        [(0, {}), *letters], letters, [*letters[1:], (0, {})], strict=False
    ):
        follows, leads = "initial" in before and "final" in forms, "initial" in forms and "final" in after
        position = ("medial" if leads else "final") if follows else "initial" if leads else "isolated"
        form = forms.get(position, "")
        units[place] = form if form and form in font else units[place]
    return "".join(units)


def reordered(line: str) -> str:
    """Return a line of a text that runs from left to right as it is seen (Unicode Standard Annex 9)."""
    from fpdf.bidi import BidiParagraph
    from fpdf.enums import TextDirection

    characters = BidiParagraph(line, TextDirection.LTR).get_reordered_characters()
    return "".join(
        character.character.translate(_MIRRORED) if character.embedding_level % 2 else character.character
        for character in characters
    )


def _forms_of(unit: str) -> dict[str, str]:
    return _JOINING if unit == "\u0640" else _FORMS.get(unit, {})
