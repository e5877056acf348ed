"""Reports as HTML: one picture on a page for a case file, or many in a gallery by verdict.

Each is one file without scripts or outside addresses. Every text goes through `html.escape`, and before that through
`wording.printable`, so that no name steers the page or turns its direction.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby, starmap
from pathlib import Path

from fauxto import palette, wording
from fauxto.export import metadata_section
from fauxto.export.case_file import Card, CaseFile, Scale
from fauxto.export.groups import CAUTION, TITLES, Pictures, group, name, reading
from fauxto.export.page import document, table
from fauxto.export.text import shown, utc
from fauxto.export.thumbnails import Thumbnail
from fauxto.report import Report, Says, Verdict
from fauxto.wording import Group

_COLOURS = palette.variables(
    ai=palette.TEXT[Verdict.AI],
    ai_fill=palette.FILL[Verdict.AI],
    real=palette.TEXT[Verdict.REAL],
    real_fill=palette.FILL[Verdict.REAL],
    doubt=palette.TEXT[Verdict.INCONCLUSIVE],
    alarm=palette.TEXT[None],
)
_STYLE = _COLOURS + Path(__file__).with_name("report.css").read_text(encoding="utf-8") + metadata_section.STYLE
_CLASSES = {Verdict.AI: "ai", Verdict.REAL: "real", Verdict.INCONCLUSIVE: "inconclusive", None: "unjudged"}


def report(case: CaseFile) -> str:
    """Return the report on one picture as a page."""
    sections = [_verdict(case)]
    if case.evidence:
        groups = "".join(starmap(_group, groupby(case.evidence, key=lambda card: card.group)))
        sections.append(_section("What the file carries", groups))
    if case.map:
        words = _paragraphs([case.map])
        overlay = "" if case.overlay is None else _picture(case.overlay, "The map, in words below")
        sections.append(
            _section("Where the score comes from", f'<div class="map">{overlay}{words}</div>' if overlay else words)
        )
    sections += [
        _section("How it was judged", _paragraphs(case.method)),
        _section("What this can't tell", _items(case.limits)),
        *([_section("Notes of the examiner", _paragraphs(case.notes))] if case.notes else []),
        _section("Record", _facts(case.facts)),
        "" if case.metadata is None else metadata_section.section(case.metadata, case.picture),
        "<details><summary>The whole report as data</summary>"
        f'<pre tabindex="0">{html.escape(case.data)}</pre></details>',
    ]
    header = (
        f'<header><p class="kind">fauxto report on a picture</p><h1>{html.escape(case.name)}</h1>'
        f"{_facts(case.case) if case.case else ''}</header>"
    )
    return document(f"fauxto report: {case.name}", header + "\n".join(sections), style=_STYLE)


def gallery(pictures: Pictures, *, time: datetime, title: str = "Pictures, by verdict") -> str:
    """Return many reports as a page: counts, a gallery by verdict, and a table.

    At most `groups.MOST` pictures of a verdict are kept and shown, so that the page and the memory stay bounded.

    Args:
        pictures: Reports, each with its picture by `fauxto.export.thumbnails.thumbnail` where there is one.
        time: Of the page, with its time zone.
        title: Of the page.

    Raises:
        ValueError: The time has no time zone.
    """
    groups = group(pictures)
    line = f"{groups.line}; page of {utc(time)}"
    counts = "".join(_count(verdict, count, groups.total) for verdict, count in groups.counts.items())
    parts = [
        f'<header><h1>{html.escape(shown(title))}</h1><p class="subtitle">{line}</p></header>',
        f'<ul class="counts">{counts}</ul>',
        f"<p>{CAUTION}</p>",
    ]
    for verdict, members in groups.members.items():
        if members:
            tiles = "".join(_tile(report, picture) for report, picture in members)
            parts.append(_section(groups.heading(verdict), f'<ul class="gallery">{tiles}</ul>'))
    rows = [_row(report) for members in groups.members.values() for report, _ in members]
    if rows:
        header = ["name", "verdict", "probability", "rests on", "picture", "reason"]
        parts.append(_section("As a table", table(header, rows)))
    return document(shown(title), "\n".join(parts), style=_STYLE)


def _verdict(case: CaseFile) -> str:
    picture = "" if case.picture is None else _picture(case.picture, f"The picture {case.name}")
    shape = "" if picture else " wide"
    lean = f' <span class="lean">{html.escape(case.finding.lean)}</span>' if case.finding.lean else ""
    return (
        f'<section class="verdict {_CLASSES[case.verdict]}{shape}">{picture}<div>'
        f"<h2>{_symbol(case.verdict)} {html.escape(case.finding.headline)}{lean}</h2>"
        f'<p class="meaning">{html.escape(case.finding.meaning)}</p>'
        f"{_scale(case.scale) if case.scale else ''}"
        f"{_paragraphs([case.probability] if case.probability else [])}{_items(case.reasons)}</div></section>"
    )


def _scale(scale: Scale) -> str:
    """Draw the scale as SVG in percent of its width, which needs no style attributes."""
    real, ai, marker = (f"{share:.2%}" for share in (scale.real_below, scale.ai_above, scale.probability))
    ends = [(0.0, scale.real_below, "real"), (scale.real_below, scale.ai_above, "between"), (scale.ai_above, 1.0, "ai")]
    bands = "".join(
        f'<rect class="{kind}" x="{low:.2%}" width="{high - low:.2%}" y="10" height="14"/>' for low, high, kind in ends
    )
    parts = "".join(f"<span>{' '.join(part)}</span>" for part in scale.parts)
    ticks = "".join(f'<line x1="{x}" x2="{x}" y1="7" y2="27"/>' for x in dict.fromkeys((real, ai)))
    return (
        f'<figure class="scale{"" if scale.counts else " void"}">'
        f'<svg role="img" aria-label="{html.escape(scale.words)}" width="100%" height="34">'
        '<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<rect class="hatch" width="3" height="7"/></pattern></defs>{bands}{ticks}'
        f'<g transform="translate(-3)"><rect class="marker" x="{marker}" y="2" width="6" height="30" rx="3"/></g></svg>'
        f'<div class="ends" aria-hidden="true">{parts}</div></figure>'
    )


def _group(title: str, cards: Iterable[Card]) -> str:
    return f'<h3>{title}</h3><ul class="cards">{"".join(map(_card, cards))}</ul>'


def _card(card: Card) -> str:
    source, summary = html.escape(card.source), html.escape(card.summary)
    if card.says is Says.NOTHING:
        kind = "silent" if card.group is Group.NOTHING else "alarm" if card.is_alarm else ""
        return f'<li class="card {kind}"><p class="source">{source}</p><p>{summary}</p></li>'
    return (
        f'<li class="card"><p class="source">{source} <span class="trust {card.trust}">{card.trust}</span></p>'
        f'<p>{summary}</p><p class="worth">{html.escape(card.worth)}</p></li>'
    )


def _count(verdict: Verdict | None, count: int, total: int) -> str:
    share = f"{count / total:.2%}" if total else "0%"
    return (
        f'<li class="{_CLASSES[verdict]}"><strong>{count:,}</strong> {_symbol(verdict)} {TITLES[verdict]}'
        '<svg width="100%" height="6" aria-hidden="true"><rect class="track" width="100%" height="6"/>'
        f'<rect class="bar" width="{share}" height="6"/></svg></li>'
    )


def _symbol(verdict: Verdict | None) -> str:
    return f'<span aria-hidden="true">{wording.SYMBOLS[verdict]}</span>'


def _tile(report: Report, picture: Thumbnail | None) -> str:
    # The name stands below the picture, so that the picture needs no words of its own.
    image = '<div class="no-picture">no picture</div>' if picture is None else _picture(picture, "")
    return (
        f'<li class="{_CLASSES[report.verdict]}">{image}<p class="name">{html.escape(name(report))}</p>'
        f'<p class="reading">{_symbol(report.verdict)} {html.escape(reading(report))}</p></li>'
    )


def _row(report: Report) -> Sequence[object]:
    image = report.image
    size = None if image is None else shown(f"{image.format}, {image.width} × {image.height}", 200)
    reason = shown(wording.as_sentence(report.reasons[0]), 200) if report.reasons else None
    probability = None if report.probability is None else reading(report)
    return name(report), report.verdict or "not judged", probability, report.basis, size, reason


def _picture(picture: Thumbnail, alt: str) -> str:
    return f'<img src="{picture.address}" width="{picture.width}" height="{picture.height}" alt="{html.escape(alt)}">'


def _section(title: str, body: str) -> str:
    return f"<section><h2>{html.escape(title)}</h2>{body}</section>"


def _paragraphs(texts: Iterable[str]) -> str:
    return "".join(f"<p>{html.escape(text)}</p>" for text in texts)


def _items(texts: Iterable[str]) -> str:
    items = "".join(f"<li>{html.escape(text)}</li>" for text in texts)
    return f'<ul class="items">{items}</ul>' if items else ""


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    items = "".join(f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>" for name, value in facts)
    return f'<dl class="facts">{items}</dl>'
