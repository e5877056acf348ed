"""The page Check many: hundreds of files or a ZIP, judged in the background."""

from __future__ import annotations

import streamlit as st

from fauxto.web import session
from fauxto.web.batch import Batch
from fauxto.web.many_results import show_results
from fauxto.web.uploads import MOST_FILES, count, read
from fauxto.wording import passed_over, printable

DROP_HERE = "Drop pictures or ZIP archives here"
SECONDS_BETWEEN_LOOKS = 0.5


def main() -> None:
    """Build the page."""
    st.title("Check many pictures", anchor=False)
    detector = session.detector()
    st.markdown(
        f"Up to {MOST_FILES:,} pictures at once. Each gets its own verdict; a file that can't be judged is a row that "
        "says why. They stay in the memory of the computer that runs this page."
    )
    uploads = st.file_uploader(DROP_HERE, accept_multiple_files=True, key="many-uploads")
    batch: Batch | None = st.session_state.get("batch")
    given = count(uploads)
    if given > MOST_FILES:
        st.warning(f"Only the first {MOST_FILES:,} of {given:,} files will be judged.", icon=":material/warning:")
    if uploads and st.button("Check them", icon=":material/play_arrow:"):
        files = read(uploads, detector.limits)
        batch = st.session_state["batch"] = Batch(detector, files, min(given, MOST_FILES))
    if batch is None:
        return
    if not batch.has_ended:
        watch(batch)
        return
    if not batch.is_complete:
        st.warning(f"{len(batch.checked):,} of {batch.total:,} files were judged.", icon=":material/warning:")
        if batch.problem:
            st.text(printable(batch.problem))
    if batch.passed_over:
        st.caption(f"{passed_over(batch.passed_over)}.")
    if batch.checked:
        st.caption(f"Judged at the operating point *{session.POINTS[batch.detector.operating_point].lower()}*.")
        show_results(batch.checked, batch.detector)


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def watch(batch: Batch) -> None:
    """Show how far a batch has come, until it has ended."""
    if batch.has_ended:
        st.rerun()
    done = len(batch.checked)
    progress = f"{done:,} of {batch.total:,} judged"
    if (seconds := batch.seconds_left()) is not None:
        progress += f", {in_words(seconds)} left"
    st.progress(min(done / max(batch.total, 1), 1.0), progress)
    if st.button("Stop here", icon=":material/stop:", key="stop"):
        batch.stop()


def in_words(seconds: float) -> str:
    """Return a stretch of time in a unit that fits it."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


main()
