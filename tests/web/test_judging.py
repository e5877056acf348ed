"""From an uploaded file to what the page keeps of it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import PIL.Image

from fauxto.detector import Detector
from fauxto.export.case_file import Scale
from fauxto.report import Status
from fauxto.web.judging import judge
from fauxto.web.scale import scale_html


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


def test_the_scale_says_in_words_what_it_shows_and_greys_what_is_no_finding() -> None:
    counts, greyed = (scale_html(Scale(0.9, 0.25, 0.75, counts)) for counts in (True, False))
    assert "90 % on a scale" in counts
    assert "from 25 % to 75 % is inconclusive" in counts
    assert "90.00%" in counts
    assert "25.00%" in counts
    assert "75.00%" in counts
    assert counts != greyed
