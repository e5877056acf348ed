"""What a file carries about how it was made: cards with what a source says and what that is worth.

A card's own words stand beside a stranger's: those (summaries, details) go through `st.text` and `st.json`, which
interpret neither HTML nor Markdown, and a credential's timeline is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import streamlit as st

from fauxto.evidence import SOURCES, title
from fauxto.evidence.content_credentials.timeline import Timeline
from fauxto.export import metadata_section
from fauxto.report import Evidence, Says, Trust
from fauxto.web.language import _
from fauxto.wording import SAYS, TRUST, Group, grouped, printable

_Look = tuple[str, Literal["orange", "blue", "green", "yellow", "gray"]]

_SAYS: Mapping[Says, _Look] = {
    Says.AI: (":material/auto_awesome:", "orange"),
    Says.REAL: (":material/photo_camera:", "blue"),
    Says.NOTHING: (":material/help:", "gray"),
}
_TRUST: Mapping[Trust, _Look] = {
    Trust.SIGNED: (":material/verified:", "green"),
    Trust.DECLARED: (":material/edit_note:", "yellow"),
    Trust.INFERRED: (":material/query_stats:", "gray"),
}


def show_evidence(evidence: Iterable[Evidence], read_timeline: Callable[[], Timeline | None] = lambda: None) -> None:
    """Show the groups of evidence: a card for each source that says or found something, the others in one place.

    Args:
        evidence: The evidence.
        read_timeline: Reads the file's content credential as a timeline, which stands in its card.
    """
    groups = grouped(evidence)
    silent = groups.pop(Group.NOTHING)
    if not any(groups.values()):
        st.markdown(
            _("The file says nothing about how the picture was made. Most files don't: that is no sign either way.")
        )
    for group, pieces in groups.items():
        if pieces:
            st.subheader(_(group), anchor=False)
        for piece in pieces:
            _show_card(piece, read_timeline() if piece.is_credential else None)
    if silent:
        with st.expander(f"{_(Group.NOTHING)} ({len(silent)})"):
            for piece in silent:
                _show_title(piece)
                st.text(printable(_(piece.summary)))


def _show_title(evidence: Evidence) -> None:
    if evidence.source in SOURCES:
        st.markdown(f"**{_(title(evidence.source))}**", width="content")
    else:  # a plug-in's words
        st.text(printable(title(evidence.source)))


def _show_card(evidence: Evidence, timeline: Timeline | None) -> None:
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _show_title(evidence)
            icon, colour = _SAYS[evidence.says]
            is_silent = evidence.says is Says.NOTHING  # the whole sentence has no room on a phone
            says = _("says: {what}", what=_(SAYS[evidence.says]))
            st.badge(_("says nothing about how it was made") if is_silent else says, icon=icon, color=colour)
            icon, colour = _TRUST[evidence.trust]
            st.badge(_(TRUST[evidence.trust]), icon=icon, color=colour)
            if evidence.is_tampered:
                st.badge(_("doesn't match the picture"), icon=":material/gpp_bad:", color="red")
        st.text(printable(_(evidence.summary)))
        if timeline is not None:
            st.html(f"<style>{metadata_section.STYLE}</style>{metadata_section.timeline(timeline, _)}")
        elif evidence.details:
            with st.expander(_("Details")):
                st.json(dict(evidence.details))
