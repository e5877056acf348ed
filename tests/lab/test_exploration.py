"""The exploration report: the measures behind it, and the page."""

from __future__ import annotations

import html
import re
from functools import partial
from html.parser import HTMLParser

import numpy as np
import pytest
from typer.testing import CliRunner

from fauxto.cli import commands
from fauxto.errors import DatasetError
from fauxto.lab.datasets.exploration import explore
from fauxto.lab.datasets.pixel_statistics import cut_squares, radial_profile, summarise
from fauxto.lab.datasets.writer import Candidate, write_dataset


def test_measures_of_pictures_whose_measures_are_known():
    flat = np.full((8, 8, 3), (200, 100, 50), np.uint8)
    stripes = np.zeros((8, 8, 3), np.uint8)
    stripes[:, ::2] = 255
    measures = summarise(np.stack([flat, stripes])).measures
    expected = {
        "brightness": (0.299 * 200 + 0.587 * 100 + 0.114 * 50, 127.5),
        "contrast": (0, 127.5),
        "red": (200, 127.5),
        "green": (100, 127.5),
        "blue": (50, 127.5),
        "colourfulness": (150, 0),
        "saturation": (255 * 150 / 200, 0),
        "fine detail": (0, 127.5),
    }
    assert {name: tuple(values.tolist()) for name, values in measures.items()} == {
        name: pytest.approx(values, abs=1e-3) for name, values in expected.items()
    }


def test_averages_do_not_depend_on_the_pieces(monkeypatch, photo):
    squares = np.stack([photo[top : top + 16, :16] for top in range(0, 400, 16)])
    whole = summarise(squares)
    monkeypatch.setattr("fauxto.lab.datasets.pixel_statistics._CHUNK_PIXELS", 1_000)
    pieces = summarise(squares)
    assert whole.mean_picture == pytest.approx(squares.mean(axis=0))
    assert whole.histogram.sum(axis=1) == pytest.approx([1, 1, 1])
    assert whole.histogram[0, 0] == pytest.approx((squares[..., 0] == 0).mean())
    assert pieces.log_spectrum == pytest.approx(whole.log_spectrum)
    assert pieces.histogram == pytest.approx(whole.histogram)
    assert pieces.measures["contrast"] == pytest.approx(whole.measures["contrast"])


@pytest.mark.parametrize(("down", "across"), [(4, 0), (0, 9), (-3, 7), (15, 15)])
def test_a_wave_shows_at_its_frequency_in_the_spectrum(down, across):
    y, x = np.mgrid[:32, :32]
    wave = 128 + 60 * np.cos(2 * np.pi * (down * y + across * x) / 32)
    spectrum = summarise(np.rint(wave)[None, ..., None].repeat(3, axis=3).astype(np.uint8)).log_spectrum
    highest = {tuple(place) for place in np.argwhere(spectrum > spectrum.max() - 1e-3) - 16}
    assert highest == {(down, across), (-down, -across)}


def test_a_ring_shows_at_its_frequency_in_the_profile():
    y, x = np.mgrid[-16:16, -16:16]
    frequencies, power = radial_profile((np.abs(np.hypot(y, x) - 5) < 0.5).astype(float))
    assert frequencies.tolist() == [step / 32 for step in range(1, 17)]
    assert power.tolist() == [float(step == 5) for step in range(1, 17)]


def test_squares_are_cut_from_the_centre_and_never_enlarged(photo):
    squares = cut_squares([photo, photo[:20], photo[:32, :33]], 32)
    assert squares.shape == (2, 32, 32, 3)
    assert np.array_equal(squares[0], photo[240:272, 240:272])
    assert np.array_equal(squares[1], photo[:32, :32])


def write(out, photo, encode, *, sizes, labels=("real", "ai"), classes=(None,), name="toy"):
    candidates = []
    for number in range(24):
        height, width = sizes[number % len(sizes)]
        data = encode(photo[number * 8 : number * 8 + height, :width], "PNG")
        candidates.append(
            Candidate(
                f"{number}.png",
                labels[number % len(labels)],
                None,
                "<script>alert(1)</script>",
                classes[number // 2 % len(classes)],
                {"train": 1.0},
                partial(bytes, data),
                1.0,
            )
        )
    return write_dataset(out, {"name": name}, candidates)


PAGES = {
    "one size": {"sizes": [(32, 32)], "classes": ("cat", r"<b>dog</b> & $\no$")},
    "many sizes": {"sizes": [(32, 32), (40, 90), (64, 33)]},
    "one label": {"sizes": [(32, 48)], "labels": ("ai",), "classes": ("cat",)},
    "flat pictures": {"sizes": [(32, 32)], "flat": True},
}


@pytest.mark.parametrize("case", PAGES)
def test_a_page_for_every_kind_of_set(tmp_path, photo, encode, case):
    options = dict(PAGES[case])
    pixels = np.zeros_like(photo) if options.pop("flat", False) else photo
    dataset = write(tmp_path / "data", pixels, encode, name='<img src=x onerror="alert(1)">', **options)
    page = explore(dataset, tmp_path / "page.html").read_text(encoding="utf-8")
    both = options.get("labels") is None
    assert page.count("<svg") == 7 + ("classes" in options)
    assert page.count("ai − real") == (2 if both else 0)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    elements = Elements(page)
    assert not elements.tags & {"script", "img", "link", "iframe", "object", "b"}
    assert elements.targets
    for name in filter(None, options.get("classes", ())):
        assert f">{html.escape(name, quote=False)}</text>" in page
    assert all(one.startswith(("#", "data:image/png;base64,")) for one in elements.targets)


class Elements(HTMLParser):
    """The tags of a page, and every address that an attribute of them names."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.targets = set(), set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name in ("src", "href", "xlink:href"):
                self.targets.add(value)
            self.targets.update(re.findall(r"url\((.*?)\)", value or ""))


def test_pixels_of_val_and_test_are_not_described(tmp_path, photo, encode):
    candidates = [
        Candidate(f"{split}{number}", label, None, "x", None, {split: 1.0}, partial(bytes, encode(pixels, "PNG")), 1.0)
        for split, pixels in (("train", photo[:16, :16]), ("test", np.zeros((16, 16, 3), np.uint8)))
        for number, label in enumerate(("real", "ai"))
    ]
    page = explore(write_dataset(tmp_path / "data", {"name": "toy"}, candidates), tmp_path / "page.html").read_text()
    brightness = (photo[:16, :16] @ [0.299, 0.587, 0.114]).mean()
    assert f"<td>brightness</td><td class=number>{brightness:.1f}</td>" in page


def test_the_command_line_writes_the_page(tmp_path, photo, encode):
    write(tmp_path / "data", photo, encode, sizes=[(16, 16)])
    arguments = ["data", "explore", str(tmp_path / "data"), "--out", str(tmp_path / "page.html")]
    assert CliRunner().invoke(commands, arguments).exit_code == 0
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


def test_pictures_without_detail_are_refused(tmp_path, photo, encode):
    dataset = write(tmp_path / "data", photo, encode, sizes=[(4, 32)])
    with pytest.raises(DatasetError, match="smaller than 8 pixels"):
        explore(dataset, tmp_path / "page.html")
