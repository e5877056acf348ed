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
from fauxto.detector import Detector
from fauxto.errors import FauxtoError
from fauxto.evidence import content_credentials
from fauxto.evidence.content_credentials.timeline import Timeline
from fauxto.export import case_file
from fauxto.inside import marked
from fauxto.report import Report
from fauxto.web import closer_look, crop_tool, downloads, looking, metadata_tab
from fauxto.web.evidence_cards import show_evidence
from fauxto.web.judging import Judged
from fauxto.web.look import LOOKS
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
        "What the file says": lambda: show_evidence(judged.report.evidence, lambda: _timeline(judged, detector)),
        "Metadata": lambda: metadata_tab.show(judged, detector, key),
        "Look closer": lambda: looking.show(judged, detector, key),
        "Where the score comes from": lambda: closer_look.show_heat_map(judged, preview, detector, key),
        **({"A part of it": lambda: crop_tool.show(judged, preview, key)} if can_crop else {}),
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


def _timeline(judged: Judged, detector: Detector) -> Timeline | None:
    image, options = judged.report.image, detector.options
    if image is None:
        return None
    return content_credentials.read_timeline(judged.data, image.format, options.limits, trust_list=options.trust_list)


def _show_report(judged: Judged, detector: Detector, key: str) -> None:
    st.markdown("One page for a case file: the picture, the verdict, the evidence, the method and its limits.")
    is_personal = st.checkbox("With what tells of people, devices and places", key=f"{key}-report-personal")
    with st.container(horizontal=True):
        for file in downloads.of_one(judged, detector, closer_look.explanation_made(judged), personal=is_personal):
            downloads.button(file, key)
    with st.expander("As data"):
        st.json(json.dumps(judged.report.to_dict()))
