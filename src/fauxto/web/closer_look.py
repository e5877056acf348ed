"""Views of one picture that are made when they are asked for: the heat map and the facts of its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fauxto import images, wording
from fauxto.detector import Detector
from fauxto.explain import Explanation, explain, passes
from fauxto.inside import judged_part
from fauxto.report import Report
from fauxto.web.judging import Judged
from fauxto.web.language import _
from fauxto.web.look import facts_html

_UNITS = ("bytes", "kB", "MB")
_AT_ONCE = 4


def show_heat_map(judged: Judged, preview: NDArray[np.uint8], detector: Detector, key: str) -> None:
    """Show where in the picture the score comes from, if the map passed its test, or else when asked to."""
    if not wording.is_in_domain(judged.report):
        st.caption(_("This picture is outside the model's domain, so there is no score that a map could explain."))
        return
    explanation = _explain(judged, detector)
    preview = judged_part(preview, judged.report)
    if not explanation.faithful:
        st.warning(_(explanation.sentence), icon=":material/warning:")
        if not st.toggle(_("Show the map anyway"), key=f"{key}-anyway"):
            return
    picture, words = st.columns([3, 2], gap="medium")
    with words:
        strength = st.slider(
            _("How much of the map to lay over the picture"), 0, 100, 80, 5, format="%d %%", key=f"{key}-map"
        )
        st.markdown(
            _(
                ":orange[■] Vermilion points to a generated picture, :blue[■] blue for a photograph, grey for neither. "
                "A map shows what moved the score, not what is wrong with the picture."
            )
        )
        if explanation.faithful:
            st.success(_(explanation.sentence), icon=":material/check:")
    with picture:
        st.image(
            _blend(preview, explanation.overlay(preview), strength / 100),
            alt=_("The picture in grey, with the parts that point to a generated picture or to a photograph coloured"),
            width="stretch",
        )


def _blend(under: NDArray[np.uint8], over: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Lay one picture over another of the same size; `share` in [0, 1] is how much of the upper one is seen."""
    mixed = under.astype(np.float32) * (1 - share) + over.astype(np.float32) * share
    return np.rint(mixed).astype(np.uint8)


def _explain(judged: Judged, detector: Detector) -> Explanation:
    """Explain a picture once a session, for it takes many runs of the network."""
    made = explanation_made(judged)
    if made is None:
        rgb = judged_part(images.decode(judged.data, detector.limits).rgb, judged.report)
        scorer = _ScorerWithProgress(detector, passes(*rgb.shape[:2]))
        made = explain(detector.reduced(rgb), scorer, rgb.shape)
        scorer.bar.empty()
        st.session_state["explanations"][judged.report.image, judged.report.crop] = made
    return made


class _ScorerWithProgress:
    """Scores for `explain`, a few pictures at once, and shows how far it has come.

    Each time that it does, Streamlit can end the run, so that a visitor who goes on needn't wait for the map.
    """

    def __init__(self, detector: Detector, total: int) -> None:
        self._words = _("Looking where the score comes from …")
        self.bar = st.progress(0.0, self._words)
        self._detector = detector
        self._done, self._total = 0, total

    def score_pixels(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64]:
        scores = []
        for start in range(0, len(pictures), _AT_ONCE):
            scores.append(self._detector.score_pixels(pictures[start : start + _AT_ONCE]))
            self._done += len(scores[-1])
            self.bar.progress(min(self._done / self._total, 1.0), self._words)
        return np.concatenate(scores)


def explanation_made(judged: Judged) -> Explanation | None:
    """Return the explanation of a picture if this session has made one."""
    made: dict[object, Explanation] = st.session_state.setdefault("explanations", {})
    return made.get((judged.report.image, judged.report.crop))


def show_facts(judged: Judged, detector: Detector) -> None:
    """Show what the file is, and what judged it."""
    st.html(facts_html(_facts(images.decode(judged.data, detector.limits).facts, judged.report)))


def _facts(facts: images.FileFacts, report: Report) -> Iterator[tuple[str, object]]:
    yield _("Format"), facts.format
    yield _("Size of the file"), size_in_words(facts.bytes)
    yield _("Width × height"), _("{width:,} × {height:,} px", width=facts.width, height=facts.height)
    if report.crop is not None:
        yield _("Part that was judged"), report.crop
    yield _("Pixels stored as"), facts.mode
    yield _("Colour profile"), facts.icc_profile or _("none")
    turned = _("turned (EXIF {number})", number=facts.orientation)
    yield _("Orientation"), _("upright") if facts.orientation == 1 else turned
    yield _("Pictures in the file"), facts.frames
    yield _("Bytes behind the picture"), facts.trailing_bytes
    yield "SHA-256", facts.sha256
    if report.model is not None:
        yield _("Judged by"), f"{report.model.name} {report.model.version}"
        yield _("SHA-256 of the network"), report.model.sha256
    yield _("Time it took"), _("{time:,.0f} ms", time=sum(report.milliseconds.values()))


def size_in_words(count: float) -> str:
    """Return a number of bytes in a unit that fits it."""
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return _("{count:.{digits}f} {unit}", count=count, digits=int(unit > 0), unit=_UNITS[unit])
