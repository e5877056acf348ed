"""The frame of the HTML pages that fauxto writes into files: one file each, no script, nothing from elsewhere.

The laboratory's pages and the reports on pictures share it, and so their look. The service's own page is apart.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from fauxto import palette

_COLOURS = palette.variables(
    paper=palette.PAPER,
    ink=palette.INK,
    soft=palette.SOFT,
    rule=palette.RULE,
    band=palette.BAND,
    link=palette.LINK,
)
_STYLE = _COLOURS + Path(__file__).with_name("page.css").read_text(encoding="utf-8")
_NUMBER = re.compile(r"[+\-−]?[\d,]+(\.\d+)?(e[+-]?\d+)?\s?%?")


def document(title: str, body: str, *, style: str = "", has_style_attributes: bool = False) -> str:
    """Return a whole page.

    Args:
        title: Text; it is escaped here.
        body: HTML, in which every stranger's text has been escaped.
        style: CSS of this kind of page, after what all share.
        has_style_attributes: Whether the body needs them (plots do); else the browser is told to follow none.

    Returns:
        The page, whose policy lets a browser run no script and load nothing that isn't in the page.
    """
    css = _STYLE + style
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode("ascii")
    styles = "'unsafe-inline'" if has_style_attributes else f"'sha256-{digest}'"
    policy = f"default-src 'none'; img-src data:; style-src {styles}; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{html.escape(title)}</title>\n<style>{css}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def table(header: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """Return a table as HTML; columns that hold only numbers are set flush right.

    Args:
        header: Names of the columns.
        rows: Cells, shown as `str` shows them (None as a dash); each row as long as the header.
        caption: One sentence under the table.
    """
    cells = [["–" if cell is None else str(cell) for cell in row] for row in rows]
    filled = [[row[column] for row in cells if row[column] != "–"] for column in range(len(header))]
    numeric = [bool(column) and all(map(_NUMBER.fullmatch, column)) for column in filled]

    def line(tag: str, texts: Sequence[str]) -> str:
        elements = (
            f"<{tag}{' class=number' if right else ''}>{html.escape(text)}</{tag}>"
            for text, right in zip(texts, numeric, strict=True)
        )
        return f"<tr>{''.join(elements)}</tr>"

    lines = "".join(line("td", row) for row in cells)
    return (
        f'<figure><div class="scroll" tabindex="0"><table><thead>{line("th", header)}</thead>'
        f"<tbody>{lines}</tbody></table></div>{figure_caption(caption)}</figure>"
    )


def figure_caption(text: str) -> str:
    """Return a caption as HTML, or nothing where there is no text."""
    return f"<figcaption>{html.escape(text)}</figcaption>" if text else ""
