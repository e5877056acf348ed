"""The page itself: Streamlit runs this file from top to bottom at every click (`fauxto app` starts it)."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

from fauxto import wording
from fauxto.bundles import Bundle
from fauxto.detector import Detector
from fauxto.errors import FauxtoError
from fauxto.report import Report, Says, Verdict
from fauxto.web.judging import Judged, as_download, judge
from fauxto.web.scale import scale_html
from fauxto.wording import printable

DROP_HERE = "Drop pictures here: JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF"
LOOK = {  # Streamlit's words for an icon and a colour
    Verdict.AI: (":material/auto_awesome:", "orange"),
    Verdict.REAL: (":material/photo_camera:", "blue"),
    Verdict.INCONCLUSIVE: (":material/help:", "gray"),
    None: (":material/block:", "red"),
}


@st.cache_resource(show_spinner="Loading the model …")
def load_detector(model: str | None) -> Detector:
    """Load the bundle once for all visitors."""
    return Detector(model)


def main() -> None:
    """Build the page; the launcher hands over the bundle's name or folder as the only argument, if any."""
    st.set_page_config("fauxto", page_icon=Path(__file__).with_name("icon.svg"), layout="centered")
    st.title("Photograph, or made by a generative model?", anchor=False)
    try:
        detector = load_detector(sys.argv[1] if len(sys.argv) > 1 else None)
        st.markdown("fauxto says which a picture probably is, how sure it is, and when it can't tell.")
        judged = judge_uploads(detector)
    except FauxtoError as error:  # a network may fail as late as at its first picture
        st.error("The model can't be used.")
        st.text(str(error))
        return
    for one in judged:
        show_judged(one, detector)
    if judged:
        show_download([one.report for one in judged])
    show_limits(detector.bundle)


def judge_uploads(detector: Detector) -> list[Judged]:
    """Show the drop zone and judge what is in it, each file once, however often the page reruns."""
    uploads = st.file_uploader(DROP_HERE, accept_multiple_files=True)
    before: dict[str, Judged] = st.session_state.get("judged", {})
    judged: dict[str, Judged] = {}
    for number, upload in enumerate(uploads, start=1):
        if upload.file_id in before:
            judged[upload.file_id] = before[upload.file_id]
            continue
        with st.spinner(f"Looking at picture {number} of {len(uploads)} …"):
            judged[upload.file_id] = judge(detector, upload.getvalue(), upload.name)
    st.session_state["judged"] = judged
    return list(judged.values())


def show_judged(one: Judged, detector: Detector) -> None:
    """Show one file: its picture, the verdict in plain words, the probability and the reasons.

    What may hold a file's own words (name, reasons, evidence) goes through `st.text`, which interprets
    neither HTML nor Markdown.
    """
    report, finding = one.report, wording.finding(one.report)
    icon, colour = LOOK[report.verdict]
    with st.container(border=True):
        picture, words = st.columns([2, 3], gap="medium")
        with picture:
            if one.preview is not None:
                st.image(one.preview, width="stretch", alt="The picture as fauxto decoded it")
            st.text(printable(report.path or ""), wrap=False)
        with words:
            st.subheader(f":{colour}[{icon} {finding.headline}]", anchor=False)
            st.markdown(finding.meaning)
            if report.probability is not None:
                show_probability(report, report.probability, detector)
            for reason in report.reasons:
                st.text(wording.split_reason(reason)[1])
            for evidence in report.evidence:
                if evidence.says is not Says.NOTHING:
                    st.text(evidence.summary)
        with st.expander("The whole report"):
            st.json(report.to_dict())


def show_probability(report: Report, probability: float, detector: Detector) -> None:
    """Show the calibrated probability on its scale, greyed where the model doesn't speak for the picture."""
    point = detector.bundle.operating_points[detector.operating_point]
    counts = wording.is_in_domain(report)
    st.html(scale_html(probability, point.real_below, point.ai_above, counts=counts))
    if not counts:
        st.caption(f"The raw reading, {wording.percent(probability)}, is no finding here.")
        return
    said = f"Probability that it was generated: **{wording.percent(probability)}**."
    if report.fpr_at_score is not None:
        said += f" {wording.share_of_photographs(report.fpr_at_score, detector.bundle.real_score_quantiles.fpr[-1])}"
    st.caption(said)


def show_download(reports: list[Report]) -> None:
    """Offer the reports as one file."""
    name, media_type, text = as_download(reports)
    what = "the report (JSON)" if len(reports) == 1 else f"{len(reports)} reports (JSON Lines)"
    icon = ":material/download:"
    st.download_button(f"Download {what}", text, name, media_type, icon=icon, on_click="ignore")


def show_limits(bundle: Bundle) -> None:
    """Say on the page itself what a verdict isn't worth."""
    st.subheader("What it can't tell", anchor=False)
    st.markdown(
        f"""
- **Other pictures.** The model in use, {bundle.name}, speaks only for pictures like photographs whose shorter side is
  {bundle.domain.short_sides}. Any other gets "can't tell", and that is no finding either way.
- **Proof.** It takes some photographs for generated pictures and some generated pictures for photographs,
  most of all those of generators that it has never seen.
- **Edits.** It doesn't say whether a photograph was retouched, staged or put in a false context.

Your pictures stay in the memory of the computer that runs this page: not stored, and sent nowhere else.
"""
    )


main()
