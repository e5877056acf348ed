"""What a file carries about how it was made: cards with what a source says and what that is worth.

A card's own words stand beside a stranger's: those (summaries, details) go through `st.text` and `st.json`, which
interpret neither HTML nor Markdown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import streamlit as st

from fauxto.report import Evidence, Says, Trust
from fauxto.wording import SAYS, TRUST, printable

_TITLES = {
    "content_credentials": "Content credentials",
    "generator_metadata": "Notes of a generator",
    "camera_metadata": "Notes of a camera",
    "compression": "Compression history",
    "watermarks": "Invisible watermarks",
}
_Look = tuple[str, Literal["orange", "blue", "green", "yellow", "gray"]]

_SAYS: Mapping[Says, _Look] = {
    Says.AI: (":material/auto_awesome:", "orange"),
    Says.REAL: (":material/photo_camera:", "blue"),
}
_TRUST: Mapping[Trust, _Look] = {
    Trust.SIGNED: (":material/verified:", "green"),
    Trust.DECLARED: (":material/edit_note:", "yellow"),
    Trust.INFERRED: (":material/query_stats:", "gray"),
}


def show_evidence(evidence: Iterable[Evidence]) -> None:
    """Show a card for each source that says something, and what the others looked for in one place."""
    everything = list(evidence)
    silent = [one for one in everything if one.says is Says.NOTHING]
    if len(silent) == len(everything):
        st.markdown(
            "The file says nothing about how the picture was made. Most files don't: that is no sign either way."
        )
    for one in everything:
        if one.says is not Says.NOTHING:
            _show_card(one)
    if silent:
        with st.expander(f"What was looked for without a finding ({len(silent)})"):
            for one in silent:
                _show_title(one)
                st.text(printable(one.summary))


def _show_title(one: Evidence) -> None:
    if one.source in _TITLES:
        st.markdown(f"**{_TITLES[one.source]}**", width="content")
    else:  # a plug-in's name
        st.text(printable(one.source))


def _show_card(one: Evidence) -> None:
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _show_title(one)
            icon, colour = _SAYS[one.says]
            st.badge(f"says: {SAYS[one.says]}", icon=icon, color=colour)
            icon, colour = _TRUST[one.trust]
            st.badge(TRUST[one.trust], icon=icon, color=colour)
        st.text(printable(one.summary))
        if one.details:
            with st.expander("Details"):
                st.json(dict(one.details))
