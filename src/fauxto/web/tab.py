"""The visitor's tab: what it has on the page outlives a change of part, a rerun and a reload."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from fauxto import palette
from fauxto.web import language
from fauxto.web.batch import Batch
from fauxto.web.tab_memory import TabMemory, Work

LISTS = ("given", "waiting")
"""Files for Check and Check many."""

_DICTS = ("judged", "explanations", "crops", "case")
_KEPT = (
    *LISTS,
    *_DICTS,
    "batch",
    "operating_point",
    language.KEY,
    "sample",
    "many-name",
    "many-verdicts",
    *(f"{tabs}-{code}" for tabs in ("many-tabs", "lab-tabs") for code in language.LANGUAGES),
    "lab-explore",
    "lab-audit",
    "lab-runs",
)


def _weigh(work: Work) -> int:
    files: int = sum(len(file.data) for name in LISTS for file in work.get(name, ()))
    shown = list(work.get("judged", {}).values())  # a run that goes on may add to them
    previews: int = sum(judged.preview.nbytes for judged in shown if judged.preview is not None)
    batch: Batch | None = work.get("batch")
    return files + previews + (batch.bytes_kept if batch else 0)


def _empty(work: Work) -> None:
    for name in (*LISTS, *_DICTS, "batch"):
        if work.get(name) is not None:
            work[name].clear()


MEMORY = TabMemory(_weigh, _empty)


@st.cache_resource(scope="session", show_spinner=False, on_release=MEMORY.leave)
def _visit(secret: str) -> str:
    """Note that this session shows a tab, until the session's connection ends."""
    MEMORY.enter(secret)
    return secret


def _text(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


_connect = st.components.v2.component(
    "fauxto_tab",
    css=f":root {{ --fauxto-ring: {palette.RING} }}\n{_text('page.css')}",
    js=_text("tab.js"),
    isolate_styles=False,
)
_tell = st.components.v2.component(
    "fauxto_status",
    html='<p role="status" class="fauxto-unseen"></p>',
    js=_text("status.js"),
    isolate_styles=False,
)


@contextmanager
def kept() -> Iterator[None]:
    """Give the page's run what the tab has, and keep what it has when the run ends, however it does.

    A run may leave in the session's state a `status` to read out and, as `newest`, the key of the card to show.
    """
    _recall()
    _keep()
    state = st.session_state
    state["status"] = ""
    place = st.container(key="tab-place")
    with place:
        data = {"secret": state["tab-secret"], "answered": _secret_kept(), "language": language.current()}
        _connect(key="tab", data=data, on_kept_change=lambda: None)
    try:
        yield
        with place:
            _tell(key="tab-status", data={"status": state["status"], "newest": state.get("newest", "")})
    finally:
        _keep()


def _recall() -> None:
    """Fill the session with the work of the tab that it belongs to, and widgets with what a change of part dropped."""
    state = st.session_state
    if "tab-secret" not in state:
        state["tab-secret"] = MEMORY.open()
    before = state["tab-secret"]
    asked = _secret_kept()
    if asked != before and MEMORY.work(asked) is not None:
        state["tab-secret"] = asked
    secret = _visit(state["tab-secret"])
    work = MEMORY.work(secret)
    if work is None:  # forgotten: the session was cut off for long
        del state["tab-secret"]
        _recall()
        return
    for name, value in work.items():
        if secret != before or name not in state:
            state[name] = value
    for name in LISTS:
        state.setdefault(name, [])
    for name in _DICTS:
        state.setdefault(name, {})


def _secret_kept() -> str:
    """Return the secret that the browser kept from before a reload; "" if it told none."""
    return str(st.session_state.get("tab", {}).get("kept") or "")


def _keep() -> None:
    work = MEMORY.work(st.session_state["tab-secret"])
    if work is not None:
        work.update({name: st.session_state[name] for name in _KEPT if name in st.session_state})
