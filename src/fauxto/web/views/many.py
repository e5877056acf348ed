"""The page Check many: hundreds of files or a ZIP, judged in the background."""

from __future__ import annotations

import streamlit as st

from fauxto.detector import Detector
from fauxto.web import drop_zone, session
from fauxto.web.batch import Batch
from fauxto.web.language import _
from fauxto.web.many_results import show_newest, show_results
from fauxto.web.uploads import MOST_BYTES_WAITING, MOST_FILES, Given, count, read
from fauxto.wording import passed_over, printable

DROP_HERE = "Drop pictures or ZIP archives here"
SECONDS_BETWEEN_LOOKS = 0.5
NEWEST_SHOWN = 10


def main() -> None:
    """Build the page."""
    st.title(_("Check many pictures"), anchor=False)
    detector = session.detector()
    st.markdown(
        _(
            "Up to {most:,} pictures at once. Each gets its own verdict; a file that can't be judged is a row that "
            "says why. They stay in the memory of the computer that runs this page.",
            most=MOST_FILES,
        )
    )
    waiting = drop_zone.drop_zone(_(DROP_HERE), "waiting", most=MOST_FILES, most_bytes=MOST_BYTES_WAITING)
    session.choose_operating_point("many")
    if waiting:
        offer(waiting, detector)
    batch: Batch | None = st.session_state.get("batch")
    if batch is None:
        return
    if not batch.has_ended:
        watch(batch)
        return
    judged = _("{count:,} of {total:,} files were judged.", count=len(batch.checked), total=batch.total)
    if not batch.is_complete:
        st.warning(judged, icon=":material/warning:")
        if batch.problem:
            st.text(printable(batch.problem))
    if batch.passed_over:
        st.caption(f"{_(passed_over(batch.passed_over))}.")
    st.session_state["status"] = judged
    if batch.checked:
        point = session.point_in_words(batch.detector.operating_point)
        st.caption(_("Judged at the operating point *{point}*.", point=point))
        show_results(batch.checked, batch.detector)


def offer(waiting: list[Given], detector: Detector) -> None:
    """Offer to check what was dropped; the page lets go of it as soon as the batch has it."""
    given = count(waiting)
    if given > MOST_FILES:
        words = _("Only the first {most:,} of {count:,} files will be judged.", most=MOST_FILES, count=given)
        st.warning(words, icon=":material/warning:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(_("Check them"), icon=":material/play_arrow:", on_click=start, args=(detector, given))
        words = _("Put away ({count:,})", count=given)
        st.button(words, icon=":material/close:", type="tertiary", on_click=put_away)


def start(detector: Detector, given: int) -> None:
    """Start the batch; the one before ends."""
    files = read([*st.session_state["waiting"]], detector.limits)
    st.session_state["batch"] = Batch(detector, files, min(given, MOST_FILES))
    drop_zone.put_away("waiting")


def put_away() -> None:
    """Forget what waits to be checked."""
    drop_zone.put_away("waiting")


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def watch(batch: Batch) -> None:
    """Show how far a batch has come, until it has ended."""
    if batch.has_ended:
        st.rerun()
    done = len(batch.checked)
    progress = _("{count:,} of {total:,} judged", count=done, total=batch.total)
    if (seconds := batch.seconds_left()) is not None:
        progress = _("{progress}, {time} left", progress=progress, time=in_words(seconds))
    st.progress(min(done / max(batch.total, 1), 1.0), progress)
    if st.button(_("Stop here"), icon=":material/stop:", key="stop"):
        batch.stop()
    if newest := batch.checked[: -NEWEST_SHOWN - 1 : -1]:
        show_newest(newest)


def in_words(seconds: float) -> str:
    """Return a stretch of time in a unit that fits it."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


main()
