"""From an uploaded file to what the page keeps of it."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from fauxto.detector import Detector
from fauxto.report import Report, Status, Verdict
from fauxto.web.judging import as_download, judge, preview
from fauxto.web.scale import scale_html


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (32, 32, (640, 640)),
        (1, 1, (640, 640)),
        (16, 48, (208, 624)),
        (400, 300, (400, 300)),
        (3000, 1500, (640, 320)),
        (1, 10_000, (1, 640)),
        (10_000, 1, (640, 1)),
    ],
)
def test_a_preview_fits_the_page(height: int, width: int, expected: tuple[int, int]) -> None:
    shown = preview(np.full((height, width, 3), 200, np.uint8))
    assert shown.shape == (*expected, 3)
    assert (shown == 200).all()


def test_a_tiny_preview_is_enlarged_without_mixing_pixels() -> None:
    rgb = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
    assert (preview(rgb)[::160, ::160] == rgb).all()
    assert len(np.unique(preview(rgb).reshape(-1, 3), axis=0)) == 16


def test_a_preview_shows_what_was_judged(golden_bundle: Path) -> None:
    """Upright by its orientation, and white where it is transparent, whatever colour hides there."""
    picture = PIL.Image.new("RGBA", (40, 20), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, 20, 20))
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # turned a quarter to the right when shown
    file = BytesIO()
    picture.save(file, "PNG", exif=exif)
    shown = judge(Detector(golden_bundle), file.getvalue(), "turned.png").preview
    assert shown is not None
    assert shown.shape == (640, 320, 3)
    assert (shown[0, 0] == (0, 0, 255)).all()
    assert (shown[-1, -1] == 255).all()


def test_a_file_without_a_picture_has_no_preview(golden_bundle: Path) -> None:
    judged = judge(Detector(golden_bundle), b"text", "text.jpg")
    assert judged.preview is None
    assert judged.report.status is Status.UNSUPPORTED_FORMAT


def test_downloads_read_back_as_the_same_reports() -> None:
    reports = [
        Report("one\u2028.png", Status.OK, Verdict.AI, probability=0.97, reasons=("pixels_ai: Much.",)),
        Report('"><b>\n.jpg', Status.TRUNCATED),
    ]
    name, media_type, text = as_download(reports[:1])
    assert (name, media_type) == ("fauxto-report.json", "application/json")
    assert Report.from_dict(json.loads(text)) == reports[0]
    name, media_type, text = as_download(reports)
    assert (name, media_type) == ("fauxto-reports.jsonl", "application/x-ndjson")
    assert [Report.from_dict(json.loads(line)) for line in text.splitlines()] == reports


def test_the_scale_says_in_words_what_it_shows_and_greys_what_is_no_finding() -> None:
    counts, greyed = (scale_html(0.9, 0.25, 0.75, counts=counts) for counts in (True, False))
    assert "90 % on a scale" in counts
    assert "90.00%" in counts
    assert "25.00%" in counts
    assert "75.00%" in counts
    assert counts != greyed
