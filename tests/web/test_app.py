"""The page's logic, run by Streamlit's own test harness, without a browser."""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from streamlit.testing.v1 import AppTest

from fauxto.detector import Detector
from fauxto.errors import BundleFormatError
from fauxto.report import Report, Status
from fauxto.web.launch import PAGE

GENERATED, PHOTOGRAPH, BETWEEN = 127, 0, 80


def png(roughness: int, width: int = 32, height: int = 32) -> bytes:
    """A smooth slope, or rough blocks: the golden network takes rough pictures for generated ones."""
    rng = np.random.default_rng(1)
    blocks = rng.integers(-roughness, roughness + 1, (height // 2, width // 2, 1)).repeat(2, 0).repeat(2, 1)
    ground = 128 if roughness else 4 * np.arange(width)[None, :, None]
    rgb = (blocks + ground).repeat(3, 2).clip(0, 255).astype(np.uint8)
    file = BytesIO()
    PIL.Image.fromarray(rgb).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def page(golden_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(sys, "argv", [str(PAGE), str(golden_bundle)])
    return AppTest.from_file(PAGE, default_timeout=60).run()


def upload(page: AppTest, *files: tuple[str, bytes]) -> None:
    page.file_uploader[0].set_value([(name, data, "application/octet-stream") for name, data in files])
    page.run()
    assert not page.exception


def headlines(page: AppTest) -> list[str]:
    return [shown.value for shown in page.subheader[:-1]]  # the last one heads what the page can't tell


def texts(page: AppTest) -> list[str]:
    """What a browser shows character by character."""
    return [shown.value for shown in page.text]


def markup(page: AppTest) -> str:
    """Everything that a browser would read as Markdown or HTML."""
    marked = [*page.markdown, *page.caption, *page.subheader, *page.title, *page.error]
    return "\n".join([*(one.value for one in marked), *(one.proto.body for one in page.get("html"))])


def test_an_empty_page_says_what_it_cannot_tell(page: AppTest) -> None:
    assert not page.exception
    assert "like photographs whose shorter side is 16 to 64 px." in " ".join(page.markdown[-1].value.split())
    assert headlines(page) == []
    assert not page.get("download_button")


@pytest.mark.parametrize(
    ("data", "headline", "caption"),
    [
        (png(GENERATED), "Probably made by a generative model", "**87 %**. Of 100 real photographs, about 2"),
        (png(PHOTOGRAPH), "Probably a photograph", "**4 %**. Of 100 real photographs, about 100"),
        (png(BETWEEN), "Can't tell", "**50 %**. Of 100 real photographs, about 8"),
        (png(GENERATED, 640, 480), "Can't tell", "is no finding here"),
        (png(GENERATED, 8, 8), "Can't tell", "is no finding here"),
    ],
    ids=["generated", "photograph", "between", "too large", "too small"],
)
def test_verdicts_in_plain_words(page: AppTest, data: bytes, headline: str, caption: str) -> None:
    upload(page, ("picture.png", data))
    [shown] = headlines(page)
    assert headline in shown
    assert caption in page.caption[0].value
    assert texts(page)[0] == "picture.png"


@pytest.mark.parametrize(
    "data",
    [b"", b"x", b"no picture at all", png(GENERATED)[:300], b"<svg xmlns='http://www.w3.org/2000/svg'/>"],
    ids=["empty", "one byte", "text", "half a PNG", "SVG"],
)
def test_a_file_that_is_no_picture_gets_a_sentence(page: AppTest, data: bytes) -> None:
    upload(page, ("picture.jpg", data))
    assert "could not be judged" in headlines(page)[0]
    name, reason = texts(page)
    assert name == "picture.jpg"
    assert reason.endswith(".")
    assert not page.caption


def test_one_bad_file_leaves_the_others_alone_and_in_order(page: AppTest) -> None:
    upload(page, ("a.png", png(GENERATED)), ("b.jpg", b"text"), ("c.png", png(PHOTOGRAPH)))
    expected = ["Probably made by", "could not be judged", "Probably a photograph"]
    assert [one in shown for one, shown in zip(expected, headlines(page), strict=True)] == [True] * 3
    [button] = page.get("download_button")
    assert button.proto.label == "Download 3 reports (JSON Lines)"


def test_a_picture_is_judged_once_however_often_the_page_reruns(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []

    def analyze(self: Detector, source: bytes, *, name: str) -> Report:
        judged.append(name)
        return Report(name, Status.TRUNCATED)

    monkeypatch.setattr(Detector, "analyze", analyze)
    upload(page, ("a.png", png(GENERATED)), ("b.png", png(PHOTOGRAPH)))
    page.run()
    assert judged == ["a.png", "b.png"]


@pytest.mark.parametrize("data", [png(GENERATED), b"text"], ids=["picture", "text"])
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
def test_a_file_name_is_shown_as_plain_text_only(page: AppTest, name: str, telling: str, data: bytes) -> None:
    upload(page, (name, data))
    assert telling not in markup(page)
    assert telling in texts(page)[0]
    assert all(shown.isprintable() for shown in texts(page))


def test_a_model_that_cannot_be_used_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(PAGE), str(tmp_path / "nowhere")])
    page = AppTest.from_file(PAGE, default_timeout=60).run()
    assert not page.exception
    assert page.error[0].value == "The model can't be used."
    assert "nowhere" in texts(page)[0]
    assert not page.file_uploader


def test_a_network_that_fails_at_its_first_picture_is_said_in_a_sentence(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Detector, source: bytes, *, name: str) -> Report:
        raise BundleFormatError("ONNX Runtime can't open model.onnx")

    monkeypatch.setattr(Detector, "analyze", fails)
    upload(page, ("a.png", png(GENERATED)))
    assert page.error[0].value == "The model can't be used."
    assert texts(page) == ["ONNX Runtime can't open model.onnx"]
