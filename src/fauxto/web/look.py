"""How verdicts look on the page: an icon, a colour and a word each, so that none is told by its colour alone."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from fauxto import palette
from fauxto.export.thumbnails import Thumbnail
from fauxto.report import Verdict
from fauxto.web.language import _
from fauxto.wording import printable


class Look(NamedTuple):
    """How one verdict looks.

    Attributes:
        english: A word for tables and charts, where a headline has no room.
        icon: Streamlit's name of an icon.
        colour: Streamlit's name of a colour.
        paint: The same colour for charts, readable on light and on dark ground.
    """

    english: str
    icon: str
    colour: str
    paint: str

    @property
    def word(self) -> str:
        """The word in the visitor's language."""
        return _(self.english)


_WORDS: Mapping[Verdict | None, tuple[str, str]] = {
    Verdict.AI: ("Generated", ":material/auto_awesome:"),
    Verdict.REAL: ("Photograph", ":material/photo_camera:"),
    Verdict.INCONCLUSIVE: ("Can't tell", ":material/help:"),
    None: ("Not judged", ":material/block:"),
}

LOOKS: Mapping[Verdict | None, Look] = {
    verdict: Look(word, icon, palette.STREAMLIT[verdict], palette.FILL[verdict])
    for verdict, (word, icon) in _WORDS.items()
}

_TERM = "opacity:0.8;font-size:0.8rem"
_VALUE = "margin:0;padding:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums"
_COLUMNS = "repeat(auto-fill,minmax(min(100%,11rem),1fr))"
_GRID = f"display:grid;grid-template-columns:{_COLUMNS};gap:0.75rem 1.25rem;margin:0;padding:0"


def facts_html(facts: Iterable[tuple[str, object]]) -> str:
    """Return named facts as an HTML list; what a file may have written is escaped."""
    items = "".join(
        f'<div><dt style="{_TERM}">{html.escape(name)}</dt>'
        f'<dd style="{_VALUE}">{html.escape(printable(str(value)))}</dd></div>'
        for name, value in facts
    )
    return f'<dl style="{_GRID}">{items}</dl>'


def row_picture_html(picture: Thumbnail | None) -> str:
    """Return a small square picture as HTML, or an empty square."""
    style = (
        f"width:4.5rem;height:4.5rem;object-fit:cover;border-radius:0.5rem;display:block;background:{palette.NEUTRAL}33"
    )
    if picture is None:
        return f'<div style="{style}" aria-hidden="true"></div>'
    return f'<img src="{picture.address}" alt="{_("The picture as fauxto decoded it")}" style="{style}">'
