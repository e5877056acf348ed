"""Links to search engines, addresses that are pasted, and what a report's files are called."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from fauxto import ImageError, Limits, Report, Status, fetching
from fauxto.export.record import Case
from fauxto.web import downloads, reverse_search
from fauxto.web.judging import Judged
from fauxto.web.launch import PAGE
from fauxto.web.session import FETCH_URLS

ADDRESS = "https://example.org/a b.png?x=1&y=2#z"


def test_an_address_is_shared_whole_and_an_uploaded_picture_not_at_all() -> None:
    for link in reverse_search.links(ADDRESS).values():
        assert ADDRESS in [
            value.removeprefix("imgurl:") for values in parse_qs(urlsplit(link).query).values() for value in values
        ]
    assert [urlsplit(link).query for link in reverse_search.links(None).values()] == [""] * 4
    assert list(reverse_search.links(None)) == ["TinEye", "Google Lens", "Bing", "Yandex"]


@pytest.fixture
def page(golden_bundle: Path, arguments: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page Check, started with --fetch-urls."""
    monkeypatch.setattr(sys, "argv", [*arguments(golden_bundle), FETCH_URLS])
    return AppTest.from_file(PAGE, default_timeout=60).run()


def test_a_pasted_address_is_fetched_and_goes_into_the_links(
    page: AppTest, png: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def read(address: str, limits: Limits) -> bytes:
        asked.append(address)
        return png("photograph")

    monkeypatch.setattr(fetching, "read", read)
    page.chat_input[0].set_value(" https://example.org/a.png ").run()
    assert not page.exception
    page.run()
    assert asked == ["https://example.org/a.png"]
    assert "Probably a photograph" in page.header[0].value
    links = [button.proto.url for button in page.get("link_button")]
    assert links == list(reverse_search.links("https://example.org/a.png").values())
    assert any("sends the picture's address" in shown.value for shown in page.markdown)


def test_what_isnt_fetched_is_said(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(address: str, limits: Limits) -> bytes:
        raise ImageError(Status.UNREADABLE, "the address isn't fetched: only http and https are fetched")

    monkeypatch.setattr(fetching, "read", read)
    page.chat_input[0].set_value("<b>words</b>").run()
    assert not page.exception
    assert page.warning[0].value == "There is no picture to judge."
    assert page.text[0].value == "The address isn't fetched: only http and https are fetched."


def test_a_case_goes_into_the_report_and_its_notes_to_no_other_picture(
    open_page: Callable[[str], AppTest], png: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page("check")
    kinds = ("photograph", "generated")
    page.file_uploader[0].set_value([(f"{kind}.png", png(kind), "image/png") for kind in kinds])
    page.run()
    for file_id, _ in page.session_state["judged"]:
        page.session_state[f"{file_id}-tabs-en"] = "Report"
    page.run()
    page.text_input[0].set_value("2026-17")
    page.text_area[0].set_value("Came by post.").run()
    page.run()
    assert not page.exception
    assert [field.value for field in page.text_area] == ["Came by post.", ""]
    page.file_uploader[0].set_value([("third.png", png("between"), "image/png")]).run()
    [(file_id, _)] = page.session_state["judged"]
    page.session_state[f"{file_id}-tabs-en"] = "Report"
    page.run()
    assert not page.exception
    assert ([field.value for field in page.text_input], page.text_area[0].value) == (["2026-17", ""], "")
    links = [button.proto.url for button in page.get("link_button")]
    assert links == list(reverse_search.links(None).values())


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("holiday.jpg", "holiday-fauxto.pdf"),
        ("album.zip!/2026/写真.tar.png", "写真.tar-fauxto.pdf"),
        ("https://example.org/a/b.png?x=/c", "b-fauxto.pdf"),
        ('a:"b"\u202e\n\udcff.jpg', "a__b____-fauxto.pdf"),
        (".jpg", "jpg-fauxto.pdf"),
        ("写" * 200, "写" * 50 + "-fauxto.pdf"),
        (None, "picture-fauxto.pdf"),
    ],
)
def test_a_reports_file_is_called_after_the_picture(path: str | None, name: str) -> None:
    report = Report(path, Status.OK)
    judged = Judged(report, None)
    files = downloads.of_one(judged, None, None, Case())  # type: ignore[arg-type]
    assert files[0].name == name
    assert json.loads(files[2].make())["path"] == path
