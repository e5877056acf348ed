"""What tabs have on the page: who finds it, how long it is kept, and how much of it."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import pytest
from streamlit.testing.v1 import AppTest

from fauxto.web import tab, tab_memory
from fauxto.web.tab_memory import CLOSED_SECONDS, TabMemory, Work
from fauxto.web.uploads import Given

Png = Callable[..., bytes]


@pytest.fixture
def memory() -> TabMemory:
    return TabMemory(lambda work: len(work.get("data", b"")), Work.clear)


def close(memory: TabMemory, work: Work) -> str:
    """Visit a new tab, fill it and leave it."""
    secret = memory.open()
    memory.enter(secret)
    found = memory.work(secret)
    assert found is not None
    found.update(work)
    memory.leave(secret)
    return secret


def test_only_the_secret_leads_to_a_tabs_work(memory: TabMemory) -> None:
    secret = close(memory, {"data": b"x"})
    assert memory.work(secret) == {"data": b"x"}
    assert len(secret) >= 43  # 256 bits
    assert memory.open() != secret
    assert memory.work("") is None
    assert memory.work(secret[:-1]) is None


def test_a_closed_tab_is_forgotten_after_a_while_and_an_open_one_never(memory: TabMemory) -> None:
    secret = close(memory, {"data": b"x"})
    work = memory.work(secret)
    memory.sweep(monotonic() + CLOSED_SECONDS - 10)
    assert memory.work(secret) is work
    memory.enter(secret)
    memory.sweep(monotonic() + 100 * CLOSED_SECONDS)
    assert memory.work(secret) is work
    memory.leave(secret)
    memory.sweep(monotonic() + CLOSED_SECONDS)
    assert memory.work(secret) is None
    assert work == {}  # also where something still holds on to it


def test_a_tab_that_two_sessions_show_is_open_until_both_have_left(memory: TabMemory) -> None:
    secret = close(memory, {"data": b"x"})
    memory.enter(secret)
    memory.enter(secret)
    memory.leave(secret)
    memory.sweep(monotonic() + CLOSED_SECONDS)
    assert memory.work(secret) is not None


def test_closed_tabs_are_bounded_and_the_longest_closed_goes_first(
    memory: TabMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tab_memory, "CLOSED_BYTES", 10)
    first, second, third = (close(memory, {"data": bytes(4)}) for _ in range(3))
    memory.sweep(monotonic())
    assert memory.work(first) is not None  # a reload takes a moment
    memory.sweep(monotonic() + 61)
    assert [memory.work(secret) is not None for secret in (first, second, third)] == [False, True, True]
    monkeypatch.setattr(tab_memory, "MOST_CLOSED", 1)
    memory.sweep(monotonic() + 61)
    assert [memory.work(secret) is not None for secret in (second, third)] == [False, True]


def test_closed_tabs_are_swept_without_another_visitor(memory: TabMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[float] = []
    monkeypatch.setattr(tab_memory, "SECONDS_BETWEEN_SWEEPS", 0.01)
    monkeypatch.setattr(TabMemory, "sweep", lambda self, now: swept.append(now))
    close(memory, {})
    end = monotonic() + 30
    while len(swept) < 2 and monotonic() < end:
        pass
    assert len(swept) >= 2
    memory._tabs.clear()


def test_a_new_session_with_the_tabs_secret_has_its_work(open_page: Callable[[str], AppTest], png: Png) -> None:
    before = open_page("check")
    before.file_uploader[0].set_value([("a.png", png("generated"), "image/png")])
    before.run()
    before.pills[0].select("A photograph").run()
    before.radio[0].set_value("sensitive").run()
    work = tab.MEMORY.work(before.session_state["tab-secret"])
    assert work is not None
    assert [(file.name, file.data) for file in work["given"]] == [("a.png", png("generated"))]
    assert len(work["judged"]) == 2
    assert tab._weigh(work) > len(png("generated"))

    after = open_page("check")
    assert len(after.header) == 1
    after.session_state["tab"] = {"kept": before.session_state["tab-secret"]}
    after.run()
    assert not after.exception
    assert len(after.header) == 3
    assert after.pills[0].value == "A photograph"
    assert after.radio[0].value == "sensitive"
    assert after.session_state["tab-secret"] == before.session_state["tab-secret"]


def test_a_secret_that_nobody_drew_leads_nowhere(open_page: Callable[[str], AppTest]) -> None:
    page = open_page("check")
    own = page.session_state["tab-secret"]
    page.session_state["tab"] = {"kept": "guessed"}
    page.run()
    assert not page.exception
    assert page.session_state["tab-secret"] == own
    assert tab.MEMORY.work("guessed") is None


def test_what_a_forgotten_tab_had_is_emptied() -> None:
    work: Work = {"given": [Given("1", "a.png", b"x")], "judged": {}, "sample": "A photograph"}
    tab._empty(work)
    assert work["given"] == []


def test_no_visitor_pushes_out_what_others_have(memory: TabMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tab_memory, "CLOSED_BYTES", 10)
    monkeypatch.setattr(tab_memory, "MOST_CLOSED", 2)
    monkeypatch.setattr(tab_memory, "monotonic", lambda: 0.0)
    kept = close(memory, {"data": bytes(8)})
    monkeypatch.setattr(tab_memory, "monotonic", lambda: 50.0)
    large, *empty = [close(memory, {"data": bytes(99)}), *(close(memory, {}) for _ in range(5))]
    memory.sweep(100.0)
    assert [memory.work(secret) is not None for secret in (kept, large)] == [True, True]
    memory.sweep(115.0)
    assert [memory.work(secret) is not None for secret in (kept, large, *empty)] == [True] + [False] * 6
