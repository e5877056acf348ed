"""The tabs Metadata and Look closer, without a browser: what is shown, what only when asked for, and what it costs."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pypdf
import pytest
from streamlit.testing.v1 import AppTest

from fauxto.detector import Detector
from fauxto.export.record import Case
from fauxto.web import downloads, looking, viewer
from fauxto.web.judging import judge

CASE = Path(__file__).parents[1] / "public_cases" / "s01_signed_edit.jpg"
SECRETS = ("48.858", "Jane Example", "012345678", "Paris", "GPSLatitude")

Png = Callable[..., bytes]


@pytest.fixture
def page(open_page: Callable[[str], AppTest]) -> AppTest:
    return open_page("check")


def give(page: AppTest, name: str, data: bytes, tab: str) -> None:
    page.file_uploader[0].set_value([(name, data, "image/jpeg")])
    page.run()
    [(file_id, _)] = page.session_state["judged"]
    page.session_state[f"{file_id}-tabs-en"] = tab
    page.run()
    assert not page.exception


def html(page: AppTest) -> str:
    return "".join(shown.proto.body for shown in page.get("html"))


def test_metadata_is_searched_and_escaped_and_private_until_asked_for(page: AppTest) -> None:
    give(page, "edit.jpg", CASE.read_bytes(), "Metadata")
    shown = html(page)
    assert "RF24-105mm F4 L IS USM" in shown
    assert "shows a different picture" in shown
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown
    assert "<img src=x" not in shown
    assert "gpj.\\u202egnp" in shown
    everything = shown + "".join(str(element.value) for element in (*page.text, *page.markdown, *page.caption))
    assert not [secret for secret in SECRETS if secret in everything]
    assert not page.code
    [search] = page.text_input
    search.set_value("lens").run()
    assert "1 of 25 fields match." in [shown.value for shown in page.markdown]
    assert "LensModel" in html(page)
    assert "dc:subject" not in html(page)
    page.text_input[0].set_value("").run()
    page.toggle[0].set_value(True).run()
    assert page.code[0].value == "48.858222, 2.2945"
    assert not [secret for secret in SECRETS[1:] if secret not in html(page)]


def test_a_file_without_metadata_says_so(page: AppTest, png: Png) -> None:
    give(page, "plain.png", png("photograph"), "Metadata")
    assert any("no fields of metadata" in shown.value for shown in page.markdown)
    assert not page.text_input


def test_a_credential_is_a_timeline(page: AppTest) -> None:
    give(page, "edit.jpg", CASE.read_bytes(), "What the file says")
    shown = html(page)
    assert shown.index("Camera Maker") < shown.index("Editing House")
    assert "Edited in part by a generative model, with Test Agent" in shown
    assert shown.count("not trusted") == 2
    assert shown.count('src="data:image/') == 4
    assert not [details for details in page.json if "manifests" in details.value]


def test_reports_have_the_metadata_and_what_is_personal_only_when_ticked(golden_detector: Detector) -> None:
    judged = judge(golden_detector, CASE.read_bytes(), "edit.jpg")

    def made(personal: bool) -> list[downloads.Download]:
        return downloads.of_one(judged, golden_detector, None, Case(), personal=personal)

    for personal in (False, True):
        files = {file.label: file.make() for file in made(personal)}
        sheet = pypdf.PdfReader(io.BytesIO(files["PDF"]))
        for said in (files["HTML"].decode(), "".join(sheet_page.extract_text() for sheet_page in sheet.pages)):
            assert "Camera Maker" in said
            assert "LensModel" in said
            assert [secret in said for secret in SECRETS] == [personal] * len(SECRETS)
        assert not [secret for secret in SECRETS if secret in files["JSON"].decode()]


def panes(page: AppTest) -> list[dict[str, Any]]:
    data = [json.loads(component.proto.json or "{}") for component in page.get("bidi_component")]
    [shown] = [entry["panes"] for entry in data if isinstance(entry, dict) and "panes" in entry]
    assert isinstance(shown, list)
    return shown


@pytest.mark.parametrize("view", ["Picture", "Error level", "Noise", "JPEG ghost"])
def test_a_view_is_shown_alone_and_beside_a_second_picture(page: AppTest, png: Png, view: str) -> None:
    give(page, "picture.png", png("generated", 64, 48), "Look closer")
    page.segmented_control[0].set_value(view).run()
    assert not page.exception
    assert looking.words(view) in [shown.value for shown in page.markdown]
    [pane] = panes(page)
    assert (pane["words"], pane["width"], pane["height"]) == ("picture.png", 64, 48)
    assert pane["address"].startswith("data:image/png;base64,")
    page.file_uploader[1].set_value(("second.png", png("photograph", 32, 32), "image/png")).run()
    assert not page.exception
    assert [pane["words"] for pane in panes(page)] == ["picture.png", "second.png"]


@pytest.mark.parametrize("view", ["Spectrum", "Histogram"])
def test_what_is_no_map_is_drawn(page: AppTest, png: Png, view: str) -> None:
    give(page, "picture.png", png("generated", 64, 64), "Look closer")
    page.segmented_control[0].set_value(view).run()
    assert not page.exception
    assert looking.words(view) in [shown.value for shown in page.markdown]


def test_what_is_too_small_or_no_picture_is_said(page: AppTest, png: Png) -> None:
    give(page, "tiny.png", png("photograph", 12, 12), "Look closer")
    page.file_uploader[1].set_value(("no.png", b"text", "image/png")).run()
    assert any("can't be shown" in shown.value for shown in page.text)
    page.segmented_control[0].set_value("JPEG ghost").run()
    assert not page.exception
    assert any("fewer than 16 pixels" in shown.value for shown in page.caption)


def test_of_a_large_picture_a_part_is_looked_at() -> None:
    rgb = np.zeros((5000, 9000, 3), np.uint8)
    side = looking.LARGEST_SIDE
    for across, down in ((0.0, 0.0), (0.5, 0.5), (1.0, 1.0)):
        part = looking.part(rgb, across, down)
        assert part.shape == (side, side, 3)
        offset = part.ctypes.data - rgb.ctypes.data
        assert (offset // rgb.strides[0] % 16, offset % rgb.strides[0] // 3 % 16) == (0, 0)
    assert looking.part(rgb[:100, :200], 1.0, 1.0).shape == (100, 200, 3)


def test_a_large_picture_goes_to_the_browser_as_a_jpeg_and_a_small_one_as_it_is() -> None:
    large = viewer.encoded(np.zeros((2100, 2000), np.uint8))
    assert (large.media_type, large.width, large.height) == ("image/jpeg", 2000, 2100)
    pixels = np.random.default_rng(1).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    small = viewer.encoded(pixels)
    with PIL.Image.open(io.BytesIO(small.data), formats=["PNG"]) as shown:
        assert np.array_equal(np.asarray(shown), pixels)
