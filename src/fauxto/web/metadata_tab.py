"""The tab with all that a file's metadata states, to search; what tells of people and places only when asked for."""

from __future__ import annotations

import streamlit as st

from fauxto import images
from fauxto.detector import Detector
from fauxto.evidence import listing
from fauxto.evidence.listing import Field, FileMetadata
from fauxto.export import metadata_section
from fauxto.export.thumbnails import thumbnail
from fauxto.web.judging import Judged
from fauxto.web.language import _

PERSONAL = "Show what tells of people, devices and places, the position too"


def show(judged: Judged, detector: Detector, key: str) -> None:
    """Show the metadata of a picture."""
    st.markdown(_(metadata_section.WORTH))
    is_personal = st.toggle(_(PERSONAL), value=detector.options.personal, key=f"{key}-personal")
    metadata = _read_once(judged, detector, personal=is_personal)
    _html(metadata_section.fields(_glance(metadata)))
    if metadata.position is not None:
        st.markdown(_("**Position**, latitude and longitude, to copy into a map (which then knows it too)"))
        st.code(metadata_section.position_in_words(metadata.position), language=None)
    elif is_personal:
        st.caption(_("The file states no position."))
    if metadata.thumbnail is not None and judged.preview is not None:
        sentence = _(metadata.thumbnail_sentence)
        _html(metadata_section.both(metadata.thumbnail, thumbnail(judged.preview), sentence, say=_))
    _show_fields(metadata, key)


def read(judged: Judged, detector: Detector, *, personal: bool) -> FileMetadata:
    """Read a picture's metadata under the detector's limits and trust list."""
    image, options = images.decode(judged.data, detector.limits), detector.options
    return listing.read(judged.data, image, options.limits, personal=personal, trust_list=options.trust_list)


def _read_once(judged: Judged, detector: Detector, *, personal: bool) -> FileMetadata:
    """Do what `read` does; the session keeps the last, so that a search needs no new."""
    of = (judged.report.image, personal)
    if st.session_state.get("metadata", (None,))[0] != of:
        st.session_state["metadata"] = (of, read(judged, detector, personal=personal))
    metadata: FileMetadata = st.session_state["metadata"][1]
    return metadata


def _show_fields(metadata: FileMetadata, key: str) -> None:
    withheld = metadata_section.what_is_withheld(metadata)
    if not metadata.fields:
        st.markdown(_(metadata_section.NO_FIELDS))
    else:
        query = st.text_input(
            _("Search {count:,} fields", count=len(metadata.fields)), key=f"{key}-search", placeholder="lens, gps, 2026"
        )
        matching = metadata.matching(query)
        if query:
            words = _("{count:,} of {total:,} fields match.", count=len(matching), total=len(metadata.fields))
            st.markdown(words)
        _html(metadata_section.fields(matching))
    if withheld:
        st.caption(_(withheld))


def _glance(metadata: FileMetadata) -> list[Field]:
    """Return what people look for first; of its words, ours in the visitor's language."""
    notes = {*metadata.notes, *metadata.unreadable}
    rows = metadata_section.glance_rows(metadata)
    return [Field("", _(label), _(words) if words in notes else words) for label, words in rows]


def _html(html: str) -> None:
    """Show HTML in which every stranger's text has been escaped, with the style of a report's section."""
    if html:
        st.html(f"<style>{metadata_section.STYLE}</style>{html}")
