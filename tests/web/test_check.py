"""The logic of the page Check, run by Streamlit's own test harness, without a browser."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from fauxto.detector import Detector
from fauxto.errors import BundleFormatError
from fauxto.explain import Deletion, passes
from fauxto.report import Lean, Report, Status
from fauxto.web import session, uploads
from fauxto.web.launch import PAGE
from fauxto.web.samples import samples

Png = Callable[..., bytes]


@pytest.fixture
def page(open_page: Callable[[str], AppTest]) -> AppTest:
    return open_page("check")


def upload(page: AppTest, *files: tuple[str, bytes]) -> None:
    page.file_uploader[0].set_value([(name, data, "application/octet-stream") for name, data in files])
    page.run()
    assert not page.exception


def headlines(page: AppTest) -> list[str]:
    return [shown.value for shown in page.header[:-1]]  # the last one heads what the page can't tell


def texts(page: AppTest) -> list[str]:
    """What a browser shows character by character."""
    return [shown.value for shown in page.text]


def open_tab(page: AppTest, title: str) -> None:
    [(file_id, _)] = page.session_state["judged"]
    page.session_state[f"{file_id}-tabs-en"] = title
    page.run()
    assert not page.exception


def test_an_empty_page_says_what_it_cannot_tell(page: AppTest) -> None:
    assert not page.exception
    said = " ".join(page.markdown[-1].value.split())
    assert "like photographs whose shorter side is 16 to 64 px (golden)" in said
    assert "not stored, and sent nowhere else" in said
    assert headlines(page) == []
    assert not page.get("download_button")


@pytest.mark.parametrize(
    ("kind", "size", "headline", "caption"),
    [
        (
            "generated",
            (32, 32),
            "Probably made by a generative model",
            "87 %. How many photographs score this",
        ),
        ("photograph", (32, 32), "Probably a photograph", "4 %. How many photographs score this"),
        ("between", (32, 32), "Can't tell", "50 %. How many photographs score this"),
        ("generated", (640, 480), "Can't tell", "means nothing here"),
        ("generated", (8, 8), "Can't tell", "means nothing here"),
    ],
    ids=["generated", "photograph", "between", "too large", "too small"],
)
def test_verdicts_in_plain_words(
    page: AppTest, png: Png, kind: str, size: tuple[int, int], headline: str, caption: str
) -> None:
    upload(page, ("picture.png", png(kind, *size)))
    [shown] = headlines(page)
    assert headline in shown
    assert caption in page.caption[0].value
    assert texts(page)[0] == "picture.png"


def test_the_reasons_leave_out_what_the_scale_shows(page: AppTest, png: Png) -> None:
    upload(page, ("picture.jpg", png("between")))
    scale = page.get("html")[0].proto.body
    assert "photograph<br>up to 25 %" in scale
    assert "generated<br>from 75 %" in scale
    assert texts(page)[:2] == ["picture.jpg", "The name ends in .jpg, but the file is a PNG."]
    assert not any("probability of AI" in said for said in texts(page))


def test_what_nobody_foresaw_is_a_card_like_any_other(page: AppTest, png: Png, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(self: Detector, source: bytes, *, name: str) -> Report:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(Detector, "analyze", breaks)
    upload(page, ("a.png", png("generated")))
    assert "could not be judged" in headlines(page)[0]
    assert texts(page) == ["a.png", "ZeroDivisionError: by zero."]


@pytest.mark.parametrize(
    "data",
    [b"", b"x", b"no picture at all", b"\x89PNG\r\n\x1a\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>"],
    ids=["empty", "one byte", "text", "head of a PNG", "SVG"],
)
def test_a_file_that_is_no_picture_gets_a_sentence(page: AppTest, data: bytes) -> None:
    upload(page, ("picture.jpg", data))
    assert "could not be judged" in headlines(page)[0]
    name, reason = texts(page)
    assert name == "picture.jpg"
    assert reason.endswith(".")
    assert not page.caption
    assert not page.tabs


@pytest.mark.parametrize("closed", [True, False])
def test_a_picture_without_its_end_mark_is_judged_and_the_page_says_so(page: AppTest, png: Png, closed: bool) -> None:
    whole = png("generated", 32, 32)
    upload(page, ("a.png", whole if closed else whole[:-12]))
    shown = " ".join([*texts(page), *(part.value for part in page.markdown)])
    assert ("mark at the end of the PNG is missing" in shown) != closed


def test_one_bad_file_leaves_the_others_alone_and_in_order(page: AppTest, png: Png) -> None:
    upload(page, ("a.png", png("generated")), ("b.jpg", b"text"), ("c.png", png("photograph")))
    expected = ["Probably made by", "could not be judged", "Probably a photograph"]
    assert [one in shown for one, shown in zip(expected, headlines(page), strict=True)] == [True] * 3


def test_a_picture_is_judged_once_however_often_the_page_reruns(
    page: AppTest, png: Png, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = []

    def analyze(self: Detector, source: bytes, *, name: str) -> Report:
        judged.append(name)
        return Report(name, Status.TRUNCATED)

    monkeypatch.setattr(Detector, "analyze", analyze)
    upload(page, ("a.png", png("generated")), ("b.png", png("photograph")))
    page.run()
    assert judged == ["a.png", "b.png"]


def test_forty_pictures_are_rows_which_open_on_demand(page: AppTest, png: Png) -> None:
    upload(page, *((f"{number}.jpg", b"x") for number in range(39)), ("a.png", png("generated")))
    assert len(headlines(page)) == 40
    assert "40 pictures · Generated: 1 · Not judged: 39" in [text.value for text in page.markdown]
    assert not page.tabs
    [(file_id, _)] = (key for key, judged in page.session_state["judged"].items() if judged.report.verdict)
    page.session_state[f"{file_id}-closer"] = True
    page.run()
    assert "What the file says" in [tab.label for tab in page.tabs]


def test_more_pictures_than_the_page_bears_are_counted(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "CHECK_FILES", 12)
    page.run()
    upload(page, *((f"{number}.jpg", b"x") for number in range(13)))
    assert len(headlines(page)) == 12
    assert page.warning[0].value.startswith("1 of these files was not taken: there is room for 12 files")


def test_the_latest_pictures_come_first_and_each_can_be_put_away(page: AppTest, png: Png) -> None:
    page.chat_input[0].upload("a.png", png("photograph"), "image/png").run()
    page.chat_input[0].upload("b.png", png("generated"), "image/png").run()
    assert [text for text in texts(page) if text.endswith(".png")] == ["b.png", "a.png"]
    assert page.session_state["status"] == ("b.png: Probably made by a generative model. a.png: Probably a photograph.")
    page.button[0].click().run()
    assert [text for text in texts(page) if text.endswith(".png")] == ["a.png"]


def test_the_operating_point_is_chosen_where_the_pictures_are(page: AppTest, png: Png) -> None:
    upload(page, ("a.png", png("between")))
    assert page.radio[0].value == "balanced"
    page.radio[0].set_value("sensitive").run()
    assert [point for _, point in page.session_state["judged"]] == ["sensitive"]
    page.switch_page("views/models.py").run()
    assert page.radio[0].value == "sensitive"
    page.switch_page("views/check.py").run()
    assert page.radio[0].value == "sensitive"
    assert len(headlines(page)) == 1


def test_pasted_pictures_stay_until_they_are_put_away(page: AppTest, png: Png) -> None:
    page.chat_input[0].upload("image.png", png("photograph"), "image/png").run()
    assert not page.exception
    assert "Probably a photograph" in headlines(page)[0]
    page.run()
    assert len(headlines(page)) == 1
    page.button[0].click().run()
    assert headlines(page) == []


def test_an_address_is_not_fetched(page: AppTest) -> None:
    page.chat_input[0].set_value("http://host.example/picture.jpg").run()
    assert "fetches nothing" in page.info[0].value
    assert headlines(page) == []


@pytest.mark.parametrize("title", list(samples()))
def test_every_sample_can_be_tried_and_says_where_it_comes_from(page: AppTest, title: str) -> None:
    page.pills[0].select(title).run()
    assert not page.exception
    assert texts(page)[0] == samples()[title].name
    assert page.caption[0].value == samples()[title].origin
    assert len(headlines(page)) == 1


def test_evidence_that_says_something_is_a_card_and_the_rest_one_list(page: AppTest) -> None:
    page.pills[0].select("A drawing with a generator's note").run()
    badges = [shown.value for shown in page.markdown if "badge" in shown.value]
    assert len(badges) == 2
    assert "generative model" in badges[0]
    assert "declared" in badges[1]
    assert any("Stable Diffusion WebUI" in said for said in texts(page))
    assert [one.label for one in page.expander][-1] == "Looked for, nothing found (4)"


def test_the_views_behind_the_tabs(page: AppTest, png: Png) -> None:
    upload(page, ("picture.png", png("generated", 64, 64)))
    open_tab(page, "Where the score comes from")
    assert [one.label for one in page.slider] == ["How much of the map to lay over the picture"]
    assert "This map was tested" in (*page.success, *page.warning)[0].value
    _, mapped = (shown.proto.imgs[0].url for shown in page.image)
    page.slider[0].set_value(0).run()
    picture, unmapped = (shown.proto.imgs[0].url for shown in page.image)
    assert picture == unmapped != mapped
    open_tab(page, "File facts")
    facts = page.get("html")[-1].proto.body
    assert "64 × 64 px" in facts
    assert "golden 1.0.0" in facts
    open_tab(page, "Report")
    assert [one.label for one in page.get("download_button")] == ["PDF", "HTML", "JSON"]
    assert json.loads(page.json[0].value)["path"] == "picture.png"


def test_a_map_is_made_in_small_steps_so_that_a_visitor_can_leave(
    page: AppTest, png: Png, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streamlit ends a run only where the page calls it: a map in one step would hold up every other click."""
    asked, score_pixels = [], Detector.score_pixels

    def counted(self: Detector, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64]:
        asked.append(len(pictures))
        return score_pixels(self, pictures)

    monkeypatch.setattr(Detector, "score_pixels", counted)
    upload(page, ("picture.png", png("generated", 64, 64)))
    open_tab(page, "Where the score comes from")
    assert max(asked) <= 4
    assert passes(64, 64) - 7 <= sum(asked) <= passes(64, 64)


def test_a_map_that_failed_is_shown_when_asked_for(page: AppTest, png: Png, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Deletion, "passed", False)
    upload(page, ("picture.png", png("generated", 64, 64)))
    open_tab(page, "Where the score comes from")
    assert page.warning[0].value == "This map was tested and failed: no part of the picture explains the score."
    assert not page.slider
    assert len(page.image) == 1
    page.toggle[0].set_value(True).run()
    assert not page.exception
    assert len(page.image) == 2
    assert page.slider
    assert page.warning


def test_a_tab_that_waits_says_so(page: AppTest, png: Png) -> None:
    upload(page, ("picture.png", png("generated", 64, 64)))
    assert [shown.label for shown in page.status] == ["Working …"] * 6  # all but the open one
    open_tab(page, "File facts")
    assert [shown.label for shown in page.status] == ["Working …"] * 6


def test_cant_tell_leans_beside_its_headline(page: AppTest, png: Png, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(page, ("picture.png", png("between")))
    assert not any("leans" in shown.value for shown in page.markdown)
    monkeypatch.setattr("fauxto.detector.lean", lambda *_: Lean.AI)
    upload(page, ("other.png", png("between")))
    assert headlines(page)[0].endswith("Can't tell]")
    assert any("leans generated; not enough to say so" in shown.value for shown in page.markdown)


def test_a_part_is_judged_in_the_place_of_the_whole_until_undone(page: AppTest, png: Png) -> None:
    upload(page, ("picture.png", png("generated", 64, 64)))
    open_tab(page, "A part of it")
    assert [shown.value for shown in page.slider] == [(0, 64), (0, 64)]
    [judge_part] = [button for button in page.button if button.label == "Judge this part"]
    assert judge_part.disabled
    whole = page.image[0].proto.imgs[0].url
    page.slider[0].set_value((8, 40)).run()
    assert "32 × 64 of 64 × 64 px" in [shown.value for shown in page.caption]
    [judge_part] = [button for button in page.button if button.label == "Judge this part"]
    judge_part.click().run()
    assert not page.exception
    assert any("Only the part that was asked for was judged: 32 x 64 px at x 8, y 0." in said for said in texts(page))
    assert page.image[0].proto.imgs[0].url != whole  # dimmed around the part
    [undo] = [button for button in page.button if button.label == "Undo"]
    undo.click().run()
    assert not any("part that was asked for" in said for said in texts(page))
    assert [shown.value for shown in page.slider] == [(0, 64), (0, 64)]


def test_no_map_explains_a_picture_outside_the_models_domain(page: AppTest, png: Png) -> None:
    upload(page, ("picture.png", png("generated", 640, 480)))
    open_tab(page, "Where the score comes from")
    assert "outside the model's domain" in page.caption[-1].value
    assert not page.slider


@pytest.mark.parametrize("data", [None, b"text"], ids=["picture", "text"])
@pytest.mark.parametrize(
    ("name", "telling"),
    [
        ('"><img src=x onerror=alert(1)>.jpg', "onerror"),
        ("![](http://host.example/seen.png) **bold** :red[red] $x$.jpg", "host.example"),
        ("gpj.\u202egnp", "gpj"),
        ("two\nlines.jpg", "lines"),
        ("../../etc/passwd", "passwd"),
        ("😀" * 60 + ".jpg", "😀"),
    ],
)
def test_a_file_name_is_shown_as_plain_text_only(
    page: AppTest, png: Png, markup: Callable[[AppTest], str], name: str, telling: str, data: bytes | None
) -> None:
    upload(page, (name, png("generated") if data is None else data))
    assert telling not in markup(page)
    assert telling in texts(page)[0]
    assert all(shown.isprintable() for shown in texts(page))


def test_a_model_that_cannot_be_used_is_said_in_a_sentence(
    tmp_path: Path, arguments: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", arguments(tmp_path / "nowhere"))
    page = AppTest.from_file(PAGE, default_timeout=60).run()
    assert not page.exception
    assert page.error[0].value == "The model can't be used."
    assert "nowhere" in texts(page)[0]
    assert not page.file_uploader


def test_a_network_that_fails_at_its_first_picture_is_said_in_a_sentence(
    page: AppTest, png: Png, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Detector, source: bytes, *, name: str) -> Report:
        raise BundleFormatError("ONNX Runtime can't open model.onnx")

    monkeypatch.setattr(Detector, "analyze", fails)
    upload(page, ("a.png", png("generated")))
    assert page.error[0].value == "The model can't be used."
    assert texts(page) == ["ONNX Runtime can't open model.onnx"]


def test_a_pasted_picture_without_room_is_refused_at_once(
    page: AppTest, png: Png, monkeypatch: pytest.MonkeyPatch
) -> None:
    pasted = SimpleNamespace(file_id="1", name="image.png", getvalue=lambda: png("generated"))
    messages = iter([SimpleNamespace(files=[pasted], text="")])
    monkeypatch.setattr(uploads, "CHECK_FILES", 0)
    monkeypatch.setattr(st, "chat_input", lambda *_, **__: next(messages, None))
    page.run()
    assert "1 of these files was not taken" in page.warning[0].value


def test_on_touch_an_address_can_be_typed_where_one_may_be_given(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = (Path(PAGE).parent / "page.css").read_text(encoding="utf-8").rpartition("coarse")[2]
    boxes = []
    for arguments in ([], [session.FETCH_URLS]):
        monkeypatch.setattr(sys, "argv", [*sys.argv[:2], *arguments])
        shown = [str(getattr(node, "proto", "")) for node in page.run()._tree]
        boxes += [key for key in ("paste", "paste-or-address") if any(f'-{key}"' in proto for proto in shown)]
    assert boxes == ["paste", "paste-or-address"]
    assert ".st-key-paste {" in hidden
    assert "paste-or-address" not in hidden
