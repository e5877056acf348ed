"""One judged file as a card: the picture, the verdict in plain words, what it rests on, and views to look closer.

What may hold a file's own words (name, reasons, evidence) goes through `st.text`, which interprets neither HTML nor
Markdown.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fauxto import wording
from fauxto.addresses import is_address
from fauxto.detector import Detector
from fauxto.errors import FauxtoError
from fauxto.export import case_file
from fauxto.export.record import Case
from fauxto.inside import marked
from fauxto.report import Report
from fauxto.web import closer_look, crop_tool, downloads
from fauxto.web.evidence_cards import show_evidence
from fauxto.web.judging import Judged
from fauxto.web.look import LOOKS
from fauxto.web.reverse_search import show_links
from fauxto.web.scale import scale_html
from fauxto.wording import printable

_WORKING = "Working …"


@st.fragment
def show_card(judged: Judged, detector: Detector, key: str, caption: str = "", *, can_crop: bool = False) -> None:
    """Show one file.

    Args:
        judged: The file.
        detector: What judged it.
        key: Tells this card's widgets from those of others.
        caption: Our own words on the picture, in Markdown.
        can_crop: Whether a part can be chosen, which the caller has to judge then (`crop_tool.chosen`).
    """
    report = judged.report
    with st.container(border=True, key=f"card-{key}"):
        picture, words = st.columns([2, 3], gap="medium")
        with picture:
            if judged.preview is not None:
                st.image(marked(judged.preview, report), width="stretch", alt="The picture as fauxto decoded it")
            st.text(printable(report.path or ""))
            if caption:
                st.caption(caption)
        with words:
            _show_verdict(report, detector)
        if judged.preview is not None:
            _show_tabs(judged, judged.preview, detector, key, can_crop)
            show_links(report.path if is_address(report.path or "") else None, key)
        elif report.evidence:
            show_evidence(report.evidence)


def _show_verdict(report: Report, detector: Detector) -> None:
    look, finding = LOOKS[report.verdict], wording.finding(report)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.header(f":{look.colour}[{look.icon} {finding.headline}]", anchor=False, width="content")
        if finding.lean:
            st.badge(finding.lean, icon=":material/balance:", color="gray")
    st.markdown(finding.meaning)
    bundle = detector.bundle_of(report)
    scale = case_file.scale(report, bundle, detector.operating_point)
    if scale is not None:  # greyed where the picture is outside the model's domain
        st.html(scale_html(scale))
        st.caption(" ".join(case_file.probability(report, bundle)))
    for reason in wording.telling_reasons(report):
        st.text(printable(reason))


def _show_tabs(judged: Judged, preview: NDArray[np.uint8], detector: Detector, key: str, can_crop: bool) -> None:
    """Show the views behind tabs; only the open one is made, and the others show meanwhile that they are waiting.

    A click on a tab doesn't end another card's run, such as that of a map: until it has ended, the tab waits.
    """
    views: dict[str, Callable[[], None]] = {
        "What the file says": lambda: show_evidence(judged.report.evidence),
        "Where the score comes from": lambda: closer_look.show_heat_map(judged, preview, detector, key),
        **({"A part of it": lambda: crop_tool.show(judged, preview, key)} if can_crop else {}),
        "Spectrum": lambda: closer_look.show_spectrum(judged, detector),
        "Compression": lambda: closer_look.show_compression(judged, detector),
        "File facts": lambda: closer_look.show_facts(judged, detector),
        "Report": lambda: _show_report(judged, detector, key),
    }
    for tab, show in zip(st.tabs(list(views), on_change="rerun", key=f"{key}-tabs"), views.values(), strict=True):
        with tab:
            if not tab.open:
                st.status(_WORKING)
                continue
            with st.spinner(_WORKING):
                try:
                    show()
                except FauxtoError as error:  # a fragment's run is out of the page's reach
                    st.error("This view can't be shown.")
                    st.text(str(error))


def _ask_for_case(key: str) -> Case:
    """Ask for what the examiner writes into a report; the next picture's form begins with the same case and name."""
    kept: dict[str, str] = st.session_state.setdefault("case", {})  # Streamlit forgets a form that isn't in view
    keys = {field: f"{key}-{field}" for field in ("number", "examiner", "notes")}
    for field, own in keys.items():
        st.session_state.setdefault(own, kept.get(own, kept.get(field, "")))
    is_filled = any(st.session_state[own] for own in keys.values())
    with st.expander("For a case file: number, examiner, notes (optional)", expanded=is_filled):
        number = st.text_input("Case number", key=keys["number"], max_chars=100)
        examiner = st.text_input("Examiner", key=keys["examiner"], max_chars=100)
        notes = st.text_area("Notes", key=keys["notes"], max_chars=4_000)
    kept.update(zip(keys.values(), (number, examiner, notes), strict=True))
    kept.update({field: words for field, words in (("number", number), ("examiner", examiner)) if words})
    return Case(number, examiner, notes)


def _show_report(judged: Judged, detector: Detector, key: str) -> None:
    st.markdown("One page for a case file: the picture, the verdict, the evidence, the method and its limits.")
    case = _ask_for_case(f"{key}-{judged.report.image and judged.report.image.sha256}")
    with st.container(horizontal=True):
        for file in downloads.of_one(judged, detector, closer_look.explanation_made(judged), case):
            downloads.button(file, key)
    with st.expander("As data"):
        st.json(json.dumps(judged.report.to_dict()))
