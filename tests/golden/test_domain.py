"""Pictures of no kind that a network was measured on get no verdict, whatever their score."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fauxto import Detector, Verdict
from fauxto.domain import objection

GOLDEN = Path(__file__).parent / "bundle"

Pixels = NDArray[np.uint8]
RNG = np.random.default_rng(19)


def flat(red: int, green: int, blue: int, side: int = 32) -> Pixels:
    return np.full((side, side, 3), (red, green, blue), np.uint8)


def noise(height: int, width: int) -> Pixels:
    return RNG.integers(0, 256, (height, width, 3), np.uint8)


def grey_noise(side: int) -> Pixels:
    return RNG.normal(128, 20, (side, side, 1)).clip(0, 255).astype(np.uint8).repeat(3, axis=2)


def text(height: int, width: int, size: int, ink: str = "black", paper: str = "white") -> Pixels:
    picture = Image.new("RGB", (width, height), paper)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size)
    for line in range(0, height, size + 3):
        draw.text((2, line), "The quick brown fox jumps over the lazy dog. " * 4, fill=ink, font=font)
    return np.asarray(picture)


def drawing(side: int) -> Pixels:
    picture = Image.new("RGB", (side, side), "gold")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((2, 2, side * 2 // 3, side * 2 // 3), fill="navy", outline="white")
    draw.rectangle((side // 2, side // 2, side, side), fill="darkred")
    return np.asarray(picture)


def screenshot(side: int) -> Pixels:
    """Windows of many colours with a title and some lines of text in each; no colour rules."""
    picture = Image.new("RGB", (side, side))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(14)
    for number in range(36):
        left, top = number % 6 * side // 6, number // 6 * side // 6
        colour = tuple(int(one) for one in np.random.default_rng(number).integers(40, 256, 3))
        draw.rectangle((left, top, left + side // 6, top + side // 6), fill=colour)
        for line in range(3):
            draw.text((left + 4, top + 4 + 18 * line), "File Edit View", fill="black", font=font)
    return np.asarray(picture)


def as_jpeg(rgb: Pixels) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=75)
    return np.asarray(Image.open(file))


REFUSED = {
    "white": (flat(255, 255, 255), "is of one colour"),
    "black": (flat(0, 0, 0), "is of one colour"),
    "grey, large": (flat(127, 127, 127, 64), "is of one colour"),
    "red": (flat(200, 10, 10), "is of one colour"),
    "one pixel": (flat(9, 9, 9, 1), "is of one colour"),
    "noise": (noise(64, 64), "is noise or small print"),
    "noise as JPEG": (as_jpeg(noise(64, 64)), "is noise or small print"),
    "grey noise": (grey_noise(32), "is noise or small print"),
    "strip of noise": (noise(32, 5000), "is a strip of 5000 x 32 px"),
    "upright strip": (noise(65, 32), "is a strip of 32 x 65 px"),
    "text screenshot": (text(48, 400, 12), "is a strip of 400 x 48 px"),
    "text": (text(64, 96, 12), "is "),
    "large print": (text(64, 64, 20), "is "),
    "light text on dark": (text(64, 100, 16, "white", "black"), "is "),
    "text as JPEG": (as_jpeg(text(64, 64, 16)), "is "),
    "drawing": (drawing(32), "has very few colours"),
    "large drawing": (drawing(400), "has very few colours"),
    "screenshot": (screenshot(900), "is made of even areas"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_photograph_is_told_apart(name: str) -> None:
    rgb, said = REFUSED[name]
    assert (objection(rgb) or "").startswith(said)


@pytest.mark.parametrize("name", [name for name, (rgb, _) in REFUSED.items() if 16 <= min(rgb.shape[:2]) <= 64])
def test_it_is_scored_and_gets_no_verdict(name: str, encode: Callable[..., bytes]) -> None:
    report = Detector(GOLDEN).analyze(encode(REFUSED[name][0], "PNG"))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert str(report.reasons[0]).startswith("out_of_domain: the picture ")
    assert report.score is not None


@pytest.mark.parametrize("side", [32, 64, 200])
def test_photographs_are_let_in(photographs: dict[str, Pixels], side: int) -> None:
    for name, rgb in photographs.items():
        square = min(rgb.shape[:2])
        shrunk = Image.fromarray(rgb[:square, :square]).resize((side, side), Image.Resampling.BILINEAR)
        assert objection(np.asarray(shrunk)) is None, name
        assert objection(rgb[:square, : 2 * square]) is None, name
