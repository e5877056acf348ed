"""The card that a notebook shows for a report."""

from __future__ import annotations

import dataclasses
import re

import pytest

from fauxto import Report, Status, wording


def test_a_card_says_what_the_panel_says(full_report: Report) -> None:
    card = full_report._repr_html_()
    finding = wording.finding(full_report)
    for words in (
        finding.headline,
        "album/holiday.jpg",
        "97 %",
        "The file declares it.",
        "JPEG, 512 × 384 px",
        "golden",
    ):
        assert words in card
    assert "<script" not in card
    assert "not reliable" not in card
    assert len(card) < 2000


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\" onload='x'", "a\n\u202eb<b>", "&amp;"])
def test_no_text_steers_the_notebook(full_report: Report, text: str) -> None:
    assert full_report.image is not None
    assert full_report.model is not None
    hostile = dataclasses.replace(
        full_report,
        path=text,
        reasons=tuple(dataclasses.replace(reason, sentence=text) for reason in full_report.reasons),
        image=dataclasses.replace(full_report.image, format=text),
        model=dataclasses.replace(full_report.model, name=text),
    )
    plain, shown = full_report._repr_html_(), hostile._repr_html_()
    assert re.findall(r"<[^>]*>", shown) == re.findall(r"<[^>]*>", plain)
    assert shown.isprintable()


def test_what_was_not_judged_has_a_card_too() -> None:
    card = Report.unjudged(None, Status.TRUNCATED, "the JPEG ends too early; get the whole file")._repr_html_()
    assert "could not be judged" in card
    assert "The JPEG ends too early; get the whole file." in card
