"""What a batch found, as a table, a gallery by verdict, charts and downloads."""

from __future__ import annotations

import hashlib
import html
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from fauxto import images, palette, wording
from fauxto.detector import Detector
from fauxto.export import groups
from fauxto.export.csv import harmless
from fauxto.export.thumbnails import fit
from fauxto.report import Verdict
from fauxto.web import downloads, language
from fauxto.web.batch import Checked
from fauxto.web.drawing import Row, Span, bars, histogram
from fauxto.web.judging import PREVIEW_SIDE, Judged
from fauxto.web.language import _
from fauxto.web.look import LOOKS
from fauxto.web.picture_card import Showing, show_card
from fauxto.web.short_names import short_names
from fauxto.wording import printable

GALLERY_PAGE = 60
"""Pictures of one verdict that are shown at once."""

_CELL = "margin:0;width:8.5rem"
_PICTURE = "width:8.5rem;height:8.5rem;object-fit:cover;border-radius:0.5rem;display:block"
_NAME = "font-size:0.8rem;line-height:1.3;margin-top:0.3rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap"
_GRID = "display:flex;flex-wrap:wrap;gap:1rem"


def show_results(checked: Sequence[Checked], detector: Detector) -> None:
    """Show everything on a batch's files."""
    names = short_names(entry.report.path or "" for entry in checked)
    counts = Counter(entry.report.verdict for entry in checked)
    chosen = _choose(counts)
    sought = st.text_input(_("Part of the name"), key="many-name", icon=":material/search:", live=True) or ""
    shown = [
        entry
        for entry in checked
        if entry.report.verdict in chosen and sought.casefold() in (entry.report.path or "").casefold()
    ]
    if not shown:
        st.info(_("Nothing fits: choose other verdicts, or another part of the name."), icon=":material/search_off:")
    table, gallery, charts, files = st.tabs(
        [_("Table"), _("Gallery"), _("Charts"), _("Downloads")], on_change="rerun", key=language.key("many-tabs")
    )
    if table.open and shown:
        with table:
            show_table(shown, names, detector)
    if gallery.open:
        with gallery:
            show_gallery(shown, names)
    if charts.open:
        with charts:
            show_charts(checked)
    if files.open:
        with files:
            show_downloads(checked)


def _choose(counts: Mapping[Verdict | None, int]) -> list[Verdict | None]:
    """Ask which verdicts to show; none chosen means all."""
    present = [verdict for verdict in LOOKS if counts[verdict]]
    titles = {
        f"{LOOKS[verdict].icon} {LOOKS[verdict].word} ({_count(counts[verdict])})": verdict for verdict in present
    }
    if not set(st.session_state.get("many-verdicts") or []) <= titles.keys():  # chosen in another batch
        st.session_state["many-verdicts"] = []
    picked = st.pills(_("Show only"), list(titles), selection_mode="multi", key="many-verdicts")
    return [titles[title] for title in picked if title in titles] or present


def _count(number: int) -> str:
    return _("{count:,}", count=number)


def show_newest(newest: Sequence[Checked]) -> None:
    """Show the last few files of a batch that goes on."""
    names = short_names(entry.report.path or "" for entry in newest)
    st.dataframe(
        [_row(entry, names) for entry in newest],
        hide_index=True,
        row_height=52,
        alt=_("The {count} files that were judged last, the latest first", count=len(newest)),
        column_config=_columns(),
    )


def show_table(shown: Sequence[Checked], names: Mapping[str, str], detector: Detector) -> None:
    """Show a row for each file, and the card of the one that is chosen in it."""
    st.caption(_("Click a column's head to sort by it, and the box in front of a row to look closer."))
    selected = st.dataframe(
        [_row(entry, names) for entry in shown],
        hide_index=True,
        row_height=52,
        on_select="rerun",
        selection_mode="single-row",
        key="many-table",
        alt=_("A table of {count} files with their verdicts", count=len(shown)),
        column_config=_columns(),
    )
    for number in selected.selection.rows:
        if number < len(shown):
            _show_entry(shown[number], names, detector)


def _columns() -> dict[str, Any]:
    return {
        _("Picture"): st.column_config.ImageColumn(width="small"),
        _("Name"): st.column_config.TextColumn(width="medium"),
        _("Probability"): st.column_config.ProgressColumn(
            min_value=0,
            max_value=100,
            format="%.0f %%",
            help=_("That it was generated, from its pixels alone. Empty: the picture is outside the model's domain."),
        ),
        _("Why"): st.column_config.TextColumn(width="large"),
    }


def _row(entry: Checked, names: Mapping[str, str]) -> dict[str, object]:
    """Return a row of the table, which Streamlit offers as CSV too: no cell may be a formula in there."""
    report = entry.report
    return {
        _("Picture"): entry.thumbnail and entry.thumbnail.address,
        _("Name"): harmless(names[report.path or ""]),
        _("Verdict"): LOOKS[report.verdict].word,
        _("Probability"): 100 * report.probability
        if report.probability is not None and wording.is_in_domain(report)
        else None,
        _("Why"): harmless(_(next(iter(wording.telling_reasons(report)), wording.finding(report).meaning))),
        _("Width"): report.image and report.image.width,
        _("Height"): report.image and report.image.height,
        _("Format"): report.image and report.image.format,
        _("Model"): report.model and report.model.name,
    }


def _show_entry(entry: Checked, names: Mapping[str, str], detector: Detector) -> None:
    shown = fit(images.decode(entry.data, detector.limits).rgb, PREVIEW_SIDE) if entry.data else None
    note = "" if shown is not None or entry.thumbnail is None else _("Look closer at it on the page Check.")
    name = names[entry.report.path or ""]
    key = f"chosen-{hashlib.sha256((entry.report.path or '').encode(errors='replace')).hexdigest()[:16]}"
    show_card(Judged(entry.report, shown, entry.data), detector, key, Showing(name, note))


def show_gallery(shown: Sequence[Checked], names: Mapping[str, str]) -> None:
    """Show thumbnails under their verdicts."""
    st.caption(_("Below each picture: the probability that it was generated, from its pixels alone."))
    for verdict, look in LOOKS.items():
        of_verdict = [entry for entry in shown if entry.report.verdict is verdict]
        if not of_verdict:
            continue
        st.header(f":{look.colour}[{look.icon} {look.word}] · {_count(len(of_verdict))}", anchor=False)
        pages = -(-len(of_verdict) // GALLERY_PAGE)
        page = st.pagination(pages, key=f"gallery-{look.english}") if pages > 1 else 1
        st.html(gallery_html(of_verdict[(page - 1) * GALLERY_PAGE : page * GALLERY_PAGE], names))


def gallery_html(shown: Sequence[Checked], names: Mapping[str, str]) -> str:
    """Return thumbnails with names and probabilities as HTML; the names are escaped."""
    return f'<div style="{_GRID}">{"".join(_figure(entry, names[entry.report.path or ""]) for entry in shown)}</div>'


def _figure(entry: Checked, called: str) -> str:
    name, reading = html.escape(printable(called)), html.escape(_(groups.reading(entry.report)))
    picture = (
        f'<img src="{entry.thumbnail.address}" alt="{name}" loading="lazy" style="{_PICTURE}">'
        if entry.thumbnail
        else f'<div style="{_PICTURE};background:{palette.NEUTRAL}33" aria-hidden="true"></div>'
    )
    caption = f'<figcaption style="{_NAME}" title="{name}">{name}<br>{reading}</figcaption>'
    return f'<figure style="{_CELL}">{picture}{caption}</figure>'


def show_charts(checked: Sequence[Checked]) -> None:
    """Show how many files got which verdict, and how the probabilities lie."""
    counts = Counter(file.report.verdict for file in checked)
    colours = {look.word: look.paint for look in LOOKS.values()}
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(_("**Files by verdict**"))
        rows = [
            Row(f"{look.word}: {_count(counts[verdict])}", [Span(look.word, 0.0, counts[verdict] / len(checked))])
            for verdict, look in LOOKS.items()
        ]
        bars(rows, colours, _("of all files"), whole=False, has_legend=False).show()
    probabilities = [
        (LOOKS[file.report.verdict].word, file.report.probability)
        for file in checked
        if file.report.probability is not None and wording.is_in_domain(file.report)
    ]
    with right:
        st.markdown(_("**Probabilities of the pictures in the models' domains**"))
        if not probabilities:
            st.caption(_("None of these pictures is in a model's domain."))
            return
        words = _("A histogram of {count} probabilities, coloured by verdict", count=len(probabilities))
        histogram(probabilities, colours, _("probability that it was generated"), words).show()


def show_downloads(checked: Sequence[Checked]) -> None:
    """Offer the reports on all files of the batch, whatever the table shows."""
    st.markdown(_("The reports on all {count:,} files, in English, whatever is chosen above.", count=len(checked)))
    with st.container(horizontal=True):
        for file in downloads.of_many(checked):
            downloads.button(file, "many")
    st.caption(
        _(
            "Names of files are part of every download. Spreadsheets can't take a name for a formula, and the pages "
            "hold no scripts."
        )
    )
