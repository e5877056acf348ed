"""A place to drop files that remembers them: the page's own list, not Streamlit's widget, holds what was dropped."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.typing import UploadedFile

from fauxto.web.language import ngettext
from fauxto.web.uploads import Given


def drop_zone(label: str, name: str, *, most: int, most_bytes: int, most_megabytes: int | None = None) -> list[Given]:
    """Show a place to drop files and return what the tab holds of them, the latest first.

    Args:
        label: What to drop.
        name: Of the list in the session's state.
        most: Files that the list takes.
        most_bytes: Bytes that the list takes.
        most_megabytes: Of one file; None for as many as the server takes.
    """
    widget = _widget(name)
    st.file_uploader(
        label,
        accept_multiple_files=True,
        key=widget,
        max_upload_size=most_megabytes,
        on_change=_take_uploads,
        args=(name, widget, most, most_bytes),
    )
    st.session_state[_shown(name)] = {upload.file_id for upload in st.session_state[widget]}
    if count := refused(name):
        st.warning(
            ngettext(
                "{count:,} of these files was not taken: there is room for {most:,} files of {size:,} GB together. Put "
                "some away first.",
                "{count:,} of these files were not taken: there is room for {most:,} files of {size:,} GB together. "
                "Put some away first.",
                count,
                most=most,
                size=most_bytes // 2**30,
            ),
            icon=":material/warning:",
        )
    files: list[Given] = st.session_state[name]
    return files


def take(name: str, files: Sequence[Given], most: int, most_bytes: int) -> None:
    """Put files in front of a list, as far as there is room; the place says how many weren't taken."""
    given: list[Given] = st.session_state[name]
    room = most_bytes - sum(len(file.data) for file in given)
    taken: list[Given] = []
    for file in files:
        if len(given) + len(taken) < most and len(file.data) <= room:
            room -= len(file.data)
            taken.append(file)
    given[:0] = taken
    st.session_state[_refused(name)] = len(files) - len(taken)
    if taken:
        st.session_state["newest"] = f"card-{taken[0].id}"


def refused(name: str) -> int:
    """Return how many of the latest files a list had no room for."""
    count: int = st.session_state.get(_refused(name), 0)
    return count


def put_away(name: str, id: str | None = None) -> None:
    """Take one file, or all, from a list; the widget is made anew without what it showed."""
    given: list[Given] = st.session_state[name]
    given[:] = [] if id is None else [file for file in given if file.id != id]
    st.session_state[_number(name)] = st.session_state.get(_number(name), 0) + 1
    st.session_state.pop(_refused(name), None)


def as_given(uploads: Sequence[UploadedFile]) -> list[Given]:
    """Return uploads as files of ours."""
    return [Given(upload.file_id, upload.name, upload.getvalue()) for upload in uploads]


def _take_uploads(name: str, widget: str, most: int, most_bytes: int) -> None:
    """Take what is new in the widget, and put away what the visitor took out of it."""
    given: list[Given] = st.session_state[name]
    shown = st.session_state.get(_shown(name), set())
    gone = shown - {upload.file_id for upload in st.session_state[widget]}
    given[:] = [file for file in given if file.id not in gone]
    uploads = [upload for upload in st.session_state[widget] if isinstance(upload, UploadedFile)]
    if new := [upload for upload in uploads if upload.file_id not in shown]:
        take(name, as_given(new), most, most_bytes)
    _release(uploads)


def _release(uploads: Sequence[UploadedFile]) -> None:
    """Have Streamlit forget files that we hold; it would keep them until the session ends, and beyond."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for upload in uploads:
            context.uploaded_file_mgr.remove_file(context.session_id, upload.file_id)


def _widget(name: str) -> str:
    return f"{name}-uploads-{st.session_state.get(_number(name), 0)}"


def _number(name: str) -> str:
    return f"{name}-number"


def _shown(name: str) -> str:
    return f"{name}-shown"


def _refused(name: str) -> str:
    return f"{name}-refused"
