"""One judged file as a card: the verdict in plain words, the picture, what it rests on, and views to look closer.

What may hold a file's own words (name, reasons, evidence) goes through `st.text`, which interprets neither HTML nor
Markdown.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fauxto import wording
from fauxto.addresses import is_address
from fauxto.detector import Detector
from fauxto.errors import FauxtoError
from fauxto.evidence import content_credentials
from fauxto.evidence.content_credentials.timeline import Timeline
from fauxto.export import case_file, groups
from fauxto.export.record import Case
from fauxto.inside import marked
from fauxto.report import Report
from fauxto.web import closer_look, crop_tool, downloads, language, looking, metadata_tab
from fauxto.web.evidence_cards import show_evidence
from fauxto.web.judging import Judged
from fauxto.web.language import _
from fauxto.web.look import LOOKS, row_picture_html
from fauxto.web.reverse_search import show_links
from fauxto.web.scale import scale_html
from fauxto.wording import printable


class Showing(NamedTuple):
    """How a card is shown.

    Attributes:
        name: What the page calls the file.
        caption: Our own words on the picture, in Markdown.
        is_row: Whether the card is a row among many, which opens on demand.
        put_away: What takes the picture off the page; None where nothing does.
        can_crop: Whether a part can be chosen, which the caller has to judge then (`crop_tool.chosen`).
    """

    name: str
    caption: str = ""
    is_row: bool = False
    put_away: Callable[[], None] | None = None
    can_crop: bool = False


@st.fragment
def show_card(judged: Judged, detector: Detector, key: str, showing: Showing) -> None:
    """Show one file; `key` tells this card's widgets from those of others.

    Words come before the picture, for a phone's small screen and for those who listen.
    """
    with st.container(border=True, key=f"card-{key}"):
        if not showing.is_row:
            _show_whole(judged, detector, key, showing)
            return
        _show_row(judged, key, showing)
        closer = st.expander(_("Look closer"), on_change="rerun", key=f"{key}-closer")
        if closer.open:
            with closer:
                _show_whole(judged, detector, key, showing)


def _show_row(judged: Judged, key: str, showing: Showing) -> None:
    report = judged.report
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-{key}"):
        st.html(row_picture_html(judged.thumbnail), width="content")
        with st.container(gap=None):
            _show_headline(report)
            st.text(printable(showing.name))
            if report.probability is not None:
                st.caption(_("Probability that it was generated: {reading}", reading=_(groups.reading(report))))
            else:
                st.text(printable(_(next(iter(wording.telling_reasons(report)), ""))))
            if showing.caption:
                st.caption(showing.caption)
        _show_put_away(key, showing)


def _show_whole(judged: Judged, detector: Detector, key: str, showing: Showing) -> None:
    """Show everything on a file; of a row, what it doesn't show yet."""
    report = judged.report
    words, picture = st.columns([3, 2], gap="medium")
    with words:
        if not showing.is_row:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.text(printable(showing.name), width="stretch")
                _show_put_away(key, showing)
            if showing.caption:
                st.caption(showing.caption)
            _show_headline(report)
        _show_meaning(report, detector)
    if judged.preview is not None:
        picture.image(marked(judged.preview, report), width="stretch", alt=_("The picture as fauxto decoded it"))
        _show_tabs(judged, judged.preview, detector, key, showing.can_crop)
        show_links(report.path if is_address(report.path or "") else None, key)
    elif report.evidence:
        show_evidence(report.evidence)


def _show_put_away(key: str, showing: Showing) -> None:
    if showing.put_away is not None and st.button(
        _("Put away"), icon=":material/close:", type="tertiary", key=f"{key}-away", on_click=showing.put_away
    ):
        st.rerun()  # the page, for the card's own run ends with the card


def _show_headline(report: Report) -> None:
    look, finding = LOOKS[report.verdict], wording.finding(report)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.header(f":{look.colour}[{look.icon} {_(finding.headline)}]", anchor=False, width="content")
        if finding.lean:
            st.badge(_(finding.lean), icon=":material/balance:", color="gray")


def _show_meaning(report: Report, detector: Detector) -> None:
    st.markdown(_(wording.finding(report).meaning))
    bundle = detector.bundle_of(report)
    scale = case_file.scale(report, bundle, detector.operating_point)
    if scale is not None:  # greyed where the picture is outside the model's domain
        st.html(scale_html(scale))
        st.caption(" ".join(map(_, case_file.probability(report, bundle))))
    for reason in wording.telling_reasons(report):
        st.text(printable(_(reason)))


def _show_tabs(judged: Judged, preview: NDArray[np.uint8], detector: Detector, key: str, can_crop: bool) -> None:
    """Show the views behind tabs; only the open one is made, and the others show meanwhile that they are waiting.

    A click on a tab doesn't end another card's run, such as that of a map: until it has ended, the tab waits.
    """
    views: dict[str, Callable[[], None]] = {
        _("What the file says"): lambda: show_evidence(judged.report.evidence, lambda: _timeline(judged, detector)),
        _("Metadata"): lambda: metadata_tab.show(judged, detector, key),
        _("Look closer"): lambda: looking.show(judged, detector, key),
        _("Where the score comes from"): lambda: closer_look.show_heat_map(judged, preview, detector, key),
        **({_("A part of it"): lambda: crop_tool.show(judged, preview, key)} if can_crop else {}),
        _("File facts"): lambda: closer_look.show_facts(judged, detector),
        _("Report"): lambda: _show_report(judged, detector, key),
    }
    for tab, show in zip(
        st.tabs(list(views), on_change="rerun", key=language.key(f"{key}-tabs")), views.values(), strict=True
    ):
        with tab:
            if not tab.open:
                st.status(_("Working …"))
                continue
            with st.spinner(_("Working …")):
                try:
                    show()
                except FauxtoError as error:  # a fragment's run is out of the page's reach
                    st.error(_("This view can't be shown."))
                    st.text(str(error))


def _ask_for_case(key: str) -> Case:
    """Ask for what the examiner writes into a report; the next picture's form begins with the same case and name."""
    kept: dict[str, str] = st.session_state.setdefault("case", {})  # Streamlit forgets a form that isn't in view
    keys = {field: f"{key}-{field}" for field in ("number", "examiner", "notes")}
    for field, own in keys.items():
        st.session_state.setdefault(own, kept.get(own, kept.get(field, "")))
    is_filled = any(st.session_state[own] for own in keys.values())
    with st.expander(_("For a case file: number, examiner, notes (optional)"), expanded=is_filled):
        number = st.text_input(_("Case number"), key=keys["number"], max_chars=100)
        examiner = st.text_input(_("Examiner"), key=keys["examiner"], max_chars=100)
        notes = st.text_area(_("Notes"), key=keys["notes"], max_chars=4_000)
    kept.update(zip(keys.values(), (number, examiner, notes), strict=True))
    kept.update({field: words for field, words in (("number", number), ("examiner", examiner)) if words})
    return Case(number, examiner, notes)


def _timeline(judged: Judged, detector: Detector) -> Timeline | None:
    image, options = judged.report.image, detector.options
    if image is None:
        return None
    return content_credentials.read_timeline(judged.data, image.format, options.limits, trust_list=options.trust_list)


def _show_report(judged: Judged, detector: Detector, key: str) -> None:
    words = _(
        "One page for a case file, in English: the picture, the verdict, the evidence, the method and its limits."
    )
    st.markdown(words)
    case = _ask_for_case(f"{key}-{judged.report.image and judged.report.image.sha256}")
    is_personal = st.checkbox(_("With what tells of people, devices and places"), key=f"{key}-report-personal")
    explanation = closer_look.explanation_made(judged)
    with st.container(horizontal=True):
        for file in downloads.of_one(judged, detector, explanation, case, personal=is_personal):
            downloads.button(file, key)
    with st.expander(_("As data")):
        st.json(json.dumps(judged.report.to_dict()))
