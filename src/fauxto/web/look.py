"""How verdicts look on the page: an icon, a colour and a word each, so that none is told by its colour alone."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from fauxto.report import Verdict
from fauxto.wording import printable


class Look(NamedTuple):
    """How one verdict looks.

    Attributes:
        word: For tables and charts, where a headline has no room.
        icon: Streamlit's name of an icon.
        colour: Streamlit's name of a colour.
        paint: The same colour for charts, readable on light and on dark ground.
    """

    word: str
    icon: str
    colour: str
    paint: str


LOOKS: Mapping[Verdict | None, Look] = {
    Verdict.AI: Look("Generated", ":material/auto_awesome:", "orange", "#e8710a"),
    Verdict.REAL: Look("Photograph", ":material/photo_camera:", "blue", "#3b82f6"),
    Verdict.INCONCLUSIVE: Look("Can't tell", ":material/help:", "gray", "#7d8590"),
    None: Look("Not judged", ":material/block:", "red", "#d1242f"),
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
