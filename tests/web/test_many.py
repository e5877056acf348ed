"""The logic of the page Check many, run by Streamlit's own test harness, without a browser."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable

import pyarrow.parquet
import pypdf
import pytest
from streamlit.testing.v1 import AppTest

from fauxto.detector import Detector
from fauxto.errors import BundleFormatError
from fauxto.report import Report, Status
from fauxto.web import downloads, many_results
from fauxto.web.batch import Checked

Png = Callable[..., bytes]
HOSTILE = '"><img src=x onerror=alert(1)>.jpg'


@pytest.fixture
def page(open_page: Callable[[str], AppTest]) -> AppTest:
    return open_page("many")


def check(page: AppTest, *files: tuple[str, bytes]) -> None:
    page.file_uploader[0].set_value([(name, data, "application/octet-stream") for name, data in files])
    page.run()
    page.button[0].click().run()
    page.session_state["batch"].join(60)
    page.run()
    assert not page.exception


def open_tab(page: AppTest, title: str) -> None:
    page.session_state["many-tabs-en"] = title
    page.run()
    assert not page.exception


def names(page: AppTest) -> list[str]:
    return list(page.dataframe[0].value["Name"])


def test_an_empty_page_offers_only_the_way_in(page: AppTest) -> None:
    assert not page.exception
    assert len(page.file_uploader) == 1
    assert not page.button
    assert not page.tabs


def test_files_and_archives_become_a_table_in_their_order(page: AppTest, png: Png) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("inside.png", png("photograph"))
    check(
        page, ("a.png", png("generated")), ("broken.jpg", b"text"), ("z.zip", archive.getvalue()), ("", png("between"))
    )
    table = page.dataframe[0].value
    assert names(page) == ["a.png", "broken.jpg", "inside.png", ""]
    assert list(table["Verdict"]) == ["Generated", "Not judged", "Photograph", "Can't tell"]
    assert [round(one) if one == one else None for one in table["Probability"]] == [87, None, 4, 50]
    assert table["Picture"][0].startswith("data:image/")
    assert "isn't a picture" in table["Why"][1]


def test_what_a_mac_added_is_a_number_and_no_row(page: AppTest, png: Png) -> None:
    archive = io.BytesIO()
    kept = bytes.fromhex("0005160700020000") + b"Mac OS X        " + bytes(60)
    with zipfile.ZipFile(archive, "w") as made:
        for name in ("a.png", "._real.png"):
            made.writestr(name, png("photograph"))
        for name in ("__MACOSX/._a.png", ".DS_Store", "photo.jpg"):
            made.writestr(name, kept)
    check(page, ("z.zip", archive.getvalue()), ("._b.png", kept))
    assert names(page) == ["a.png", "._real.png"]
    captions = [caption.value for caption in page.caption]
    assert "4 files that macOS and Windows keep for themselves were passed over." in captions
    assert not page.warning


def test_the_table_is_filtered_by_verdict_and_name(page: AppTest, png: Png) -> None:
    check(page, ("a.png", png("generated")), ("b.png", png("photograph")), ("ab.png", png("photograph")))
    assert page.pills[0].options == ["Generated (1)", "Photograph (2)"]
    page.pills[0].set_value([":material/photo_camera: Photograph (2)"]).run()
    assert names(page) == ["b.png", "ab.png"]
    page.text_input[0].set_value("A").run()
    assert names(page) == ["ab.png"]
    page.text_input[0].set_value("nowhere").run()
    assert "Nothing fits" in page.info[0].value


def test_a_row_opens_the_card_of_its_file(page: AppTest, png: Png) -> None:
    check(page, ("a.png", png("generated")), ("b.png", png("photograph")))
    page.session_state["many-table"] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    page.run()
    assert not page.exception
    assert "Probably a photograph" in page.header[0].value
    assert page.text[0].value == "b.png"
    assert "What the file says" in [tab.label for tab in page.tabs]


def test_no_cell_of_the_table_is_a_formula(page: AppTest, png: Png) -> None:
    """Streamlit offers every table as CSV, as it stands."""
    check(page, ("=1+1.png", png("generated")), ("-1.png", b"text"))
    assert names(page) == ["'=1+1.png", "'-1.png"]


def test_a_batch_that_was_stopped_says_how_far_it_came(page: AppTest, png: Png) -> None:
    check(page, ("a.png", png("generated")))
    assert not page.warning
    page.session_state["batch"].total = 3
    page.run()
    assert page.warning[0].value == "1 of 3 files were judged."


def test_what_waits_and_what_was_judged_stay_on_a_change_of_part(page: AppTest, png: Png) -> None:
    check(page, ("a.png", png("generated")))
    page.file_uploader[0].set_value([("b.png", png("photograph"), "image/png")])
    page.run()
    open_tab(page, "Charts")
    page.switch_page("views/check.py").run().switch_page("views/many.py").run()
    assert not page.exception
    assert [button.label for button in page.button] == ["Check them", "Put away (1)"]
    assert page.get("vega_lite_chart")
    page.button[1].click().run()
    assert not page.button


def test_the_gallery_and_the_charts_hold_every_verdict(page: AppTest, png: Png) -> None:
    check(
        page,
        ("a.png", png("generated")),
        (HOSTILE, png("photograph")),
        ("b.png", b"text"),
        ("l.png", png("between", 640, 640)),
    )
    open_tab(page, "Gallery")
    assert [re.sub(r":\w+\[:\S+ |\]", "", one.value) for one in page.header] == [
        "Generated · 1",
        "Photograph · 1",
        "Can't tell · 1",
        "Not judged · 1",
    ]
    galleries = "".join(one.proto.body for one in page.get("html"))
    assert galleries.count("<figure") == 4
    assert galleries.count("<img") == 3
    assert "&lt;img src=x" in galleries
    assert "unsupported format" in galleries
    open_tab(page, "Charts")
    assert len(page.get("vega_lite_chart")) == 2
    open_tab(page, "Downloads")
    assert [one.label for one in page.get("download_button")] == ["CSV", "JSON Lines", "Parquet", "HTML", "PDF"]


def test_the_model_failing_is_said_and_what_was_judged_stays(
    page: AppTest, png: Png, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Detector, source: bytes, *, name: str) -> Report:
        if name == "b.png":
            raise BundleFormatError("no network")
        return Report.unjudged(name, Status.TRUNCATED, "It ends.")

    monkeypatch.setattr(Detector, "analyze", fails)
    check(page, ("a.png", png("generated")), ("b.png", png("generated")))
    assert page.warning[0].value == "1 of 2 files were judged."
    assert page.text[0].value == "no network"
    assert names(page) == ["a.png"]


def test_the_downloads_hold_every_report(png: Png, golden_detector: Detector) -> None:
    given = [("a.png", png("generated")), (HOSTILE, png("photograph")), ("=cmd|' /c calc'!A1", b"text")]
    checked = [Checked(golden_detector.analyze(data, name=name)) for name, data in given]
    made = {file.name: file.make() for file in downloads.of_many(checked)}
    rows = list(csv.DictReader(io.StringIO(made["fauxto.csv"].decode("utf-8-sig"))))
    assert [row["verdict"] for row in rows] == ["ai", "real", ""]
    assert [row["path"] for row in rows] == ["a.png", HOSTILE, "'=cmd|' /c calc'!A1"]
    assert made["fauxto.jsonl"].count(b"\n") == 3
    assert pyarrow.parquet.read_table(io.BytesIO(made["fauxto.parquet"]))["path"].to_pylist() == [
        name for name, _ in given
    ]
    assert b"&lt;img src=x onerror" in made["fauxto.html"]
    assert b"<img src=x" not in made["fauxto.html"]
    said = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made["fauxto.pdf"])).pages)
    assert "a.png" in said
    assert "onerror" in said


def test_a_long_gallery_comes_in_pages(monkeypatch: pytest.MonkeyPatch, page: AppTest, png: Png) -> None:
    monkeypatch.setattr(many_results, "GALLERY_PAGE", 2)
    check(page, *((f"{number}.png", png("generated")) for number in range(3)))
    open_tab(page, "Gallery")
    [shown] = page.get("html")
    assert shown.proto.body.count("<figure") == 2
    assert "2.png" not in shown.proto.body
