"""One self-contained HTML page out of prose, tables and plots: no scripts, no network, every text escaped.

Plots are inlined as SVG, so they stay sharp, follow the reader's light or dark theme and use the page's font.
"""

from __future__ import annotations

import html
import io
import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fauxto import palette
from fauxto.export.page import document, figure_caption, table
from fauxto.export.text import shown
from fauxto.export.thumbnails import Thumbnail

_PLOT_STYLE: Any = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=palette.SERIES),
    "grid.color": f"{palette.NEUTRAL}4d",
    "grid.linewidth": 0.6,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}


_STYLE = """
.pictures { list-style: none; padding: 0; margin: 1.2rem 0; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); }
.pictures li { min-width: 0; font-size: 0.8rem; line-height: 1.35; overflow-wrap: anywhere; }
.pictures img, .pictures .none { display: grid; width: 100%; aspect-ratio: 1; object-fit: contain;
  place-items: center; background: var(--band); border-radius: 6px; color: var(--soft); }
.pictures b { display: block; margin-top: 0.35rem; }
pre { overflow-x: auto; padding: 0.9rem 1.1rem; background: var(--band); border-radius: 6px; font-size: 0.85rem; }
"""


def plot_grid(
    rows: int = 1, columns: int = 1, *, width: float = 9.6, height: float = 4.0
) -> tuple[Figure, NDArray[Any]]:
    """Make a figure in the house style, without matplotlib's global state.

    Args:
        rows: Rows of axes.
        columns: Columns of axes.
        width: Width in inches (the page shows an inch as 96 pixels where there is room).
        height: Height in inches.

    Returns:
        The figure and its axes, always an array of shape [rows, columns].
    """
    with mpl.rc_context(_PLOT_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, np.asarray(figure.subplots(rows, columns, squeeze=False))


class HtmlPage:
    """A page that is filled from top to bottom and written once.

    Example:
        >>> page = HtmlPage("Evaluation", "paper-cnn on CIFAKE")
        >>> page.section("Accuracy", "One paragraph.\\n\\nAnother one.")
        >>> page.table(["label", "images"], [["real", 10], ["ai", 12]], "Images by label.")
        >>> page.write("report.html")
    """

    def __init__(self, title: str, subtitle: str = "") -> None:
        self._title = title
        self._subtitle = subtitle
        self._sections: list[str] = []
        self._body: list[str] = []
        self._figures = itertools.count(1)

    def section(self, title: str, prose: str = "") -> None:
        """Start a section; blank lines separate the paragraphs of `prose`."""
        self._sections.append(title)
        self._body.append(f'<h2 id="section-{len(self._sections)}">{html.escape(title)}</h2>')
        self._body += [f"<p>{html.escape(text.strip())}</p>" for text in prose.split("\n\n") if text.strip()]

    def table(self, header: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> None:
        """Add a table, as `fauxto.export.page.table` draws it."""
        self._body.append(table(header, rows, caption))

    def figure(self, figure: Figure, caption: str, alt: str) -> None:
        """Add a matplotlib figure.

        Black means "ink" and white means "paper": both follow the reader's theme. Take another colour,
        such as `palette.ON_SHADE.light`, for what must stay. Artists of many thousand points should be `rasterized`.

        Args:
            figure: The plot; its background is dropped.
            caption: One or two sentences under the plot.
            alt: What the plot shows, for readers who can't see it.
        """
        svg = _inline_svg(figure, salt=f"{self._title}-{next(self._figures)}")
        image = svg.replace("<svg", f'<svg role="img" aria-label="{html.escape(alt)}"', 1)
        self._body.append(f"<figure>{image}{figure_caption(caption)}</figure>")

    def printed(self, text: str, caption: str = "") -> None:
        """Add a text as a program printed it."""
        self._body.append(f'<figure><pre tabindex="0">{html.escape(text)}</pre>{figure_caption(caption)}</figure>')

    def pictures(self, pictures: Iterable[tuple[Thumbnail | None, str, str]]) -> None:
        """Add pictures side by side: each with a line in bold and one beneath; None where it can't be shown."""
        tiles = "".join(
            "<li>"
            + (f'<img src="{picture.address}" alt="">' if picture else '<span class="none">not shown</span>')
            + f"<b>{html.escape(title)}</b>{html.escape(shown(words, 80))}</li>"
            for picture, title, words in pictures
        )
        self._body.append(f'<ul class="pictures">{tiles}</ul>')

    def link(self, address: str, words: str) -> None:
        """Add a link to a file beside the page."""
        self._body.append(f'<p><a href="{html.escape(quote(address))}">{html.escape(words)}</a></p>')

    def write(self, path: str | Path) -> Path:
        """Write the page and return its path."""
        contents = "".join(
            f'<a href="#section-{number}">{html.escape(title)}</a>'
            for number, title in enumerate(self._sections, start=1)
        )
        body = (
            f"<header><h1>{html.escape(self._title)}</h1>"
            f'<p class="subtitle">{html.escape(self._subtitle)}</p></header>\n'
            f'<nav aria-label="Contents">{contents}</nav>\n' + "\n".join(self._body)
        )
        target = Path(path)
        target.write_text(document(self._title, body, style=_STYLE, has_style_attributes=True), encoding="utf-8")
        return target


def _inline_svg(figure: Figure, salt: str) -> str:
    """Return the figure as an `<svg>` element that takes ink, paper and font from the page around it."""
    buffer = io.StringIO()
    # The salt keeps the ids of two figures on one page apart, and the page the same from run to run.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        figure.savefig(
            buffer,
            format="svg",
            transparent=True,
            metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")),
        )
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]  # without the XML prologue, which has no place inside HTML
    svg = re.sub(r'\s+(xmlns(:\w+)?|version)="[^"]*"', "", svg)  # HTML knows the namespaces of SVG
    svg = re.sub(r'<g id="[A-Za-z.]+_\d+">', "<g>", svg)  # "axes_1" would occur once a figure
    svg = re.sub(r"(stroke|fill): #000000", r"\1: currentColor", svg)
    return re.sub(r"(stroke|fill): #ffffff", r"\1: var(--paper)", svg)
