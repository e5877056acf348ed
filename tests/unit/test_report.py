from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from fauxto.report import (
    Basis,
    Crop,
    Evidence,
    ImageSummary,
    Lean,
    Reason,
    Report,
    Says,
    Status,
    Trust,
    Verdict,
)

FAILED = Report.unjudged(None, Status.TRUNCATED, "It ends too early.")


def test_a_report_survives_json(full_report: Report) -> None:
    for report in (full_report, FAILED):
        assert Report.from_dict(json.loads(json.dumps(report.to_dict()))) == report


def test_what_could_not_be_judged_has_a_reason_of_its_own_or_its_status() -> None:
    assert FAILED.reasons == (Reason("truncated", "It ends too early."),)
    assert (FAILED.verdict, FAILED.score, FAILED.image, FAILED.model) == (None,) * 4
    bomb = Report.unjudged("a.zip", Status.UNREADABLE, "it unpacks to too much", word="archive_bomb")
    assert list(map(str, bomb.reasons)) == ["archive_bomb: it unpacks to too much"]


def test_json_of_a_report_is_version_1_of_the_schema(full_report: Report) -> None:
    # The literal is the contract with every program that reads our reports: a change needs a new version number.
    assert json.loads(json.dumps(full_report.to_dict())) == {
        "version": 1,
        "path": "album/holiday.jpg",
        "status": "ok",
        "verdict": "ai",
        "basis": "declared metadata",
        "probability": 0.97,
        "score": 3.5,
        "fpr_at_score": 0.02,
        "stability": {"flips": 0, "of": 2},
        "reasons": ["declared_ai: the file declares it.", "pixels_ai: the probability of AI is 0.9700."],
        "evidence": [
            {
                "source": "compression",
                "says": "nothing",
                "trust": "inferred",
                "summary": "No trace of an earlier compression.",
                "details": {},
            },
            {
                "source": "generator_metadata",
                "says": "ai",
                "trust": "declared",
                "summary": "The file declares it.",
                "details": {"prompt": "a\ncat"},
            },
        ],
        "image": {"width": 512, "height": 384, "format": "JPEG", "sha256": "ab" * 32},
        "model": {"name": "golden", "version": "1.0.0", "sha256": "cd" * 32},
        "milliseconds": {"decode": 9.0, "evidence": 2.0, "model": 31.5},
        "lean": "none",
        "crop": {"x": 16, "y": 32, "width": 400, "height": 300},
    }


def test_a_failed_report_has_every_key_too(full_report: Report) -> None:
    assert FAILED.to_dict().keys() == full_report.to_dict().keys()


def test_an_unknown_version_is_refused(full_report: Report) -> None:
    with pytest.raises(ValueError, match="version 2 is unknown"):
        Report.from_dict({**full_report.to_dict(), "version": 2})


def test_a_report_from_before_there_was_a_lean_has_none(full_report: Report) -> None:
    plain = dataclasses.replace(full_report, lean=Lean.AI).to_dict()
    assert Report.from_dict(plain).lean is Lean.AI
    del plain["lean"]
    assert Report.from_dict(plain).lean is Lean.NONE


def test_a_report_from_before_there_were_crops_is_about_the_whole(full_report: Report) -> None:
    plain = full_report.to_dict()
    assert Report.from_dict(plain).crop == full_report.crop
    del plain["crop"]
    assert Report.from_dict(plain).crop is None


@pytest.mark.parametrize(
    "field", [field.name for field in dataclasses.fields(Report) if field.name not in ("lean", "crop")]
)
def test_a_missing_field_is_refused(full_report: Report, field: str) -> None:
    plain = full_report.to_dict()
    del plain[field]
    with pytest.raises(KeyError, match=field):
        Report.from_dict(plain)


def test_a_report_cannot_be_changed(full_report: Report) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        full_report.verdict = Verdict.REAL  # type: ignore[misc]


def test_the_reference_names_every_key_and_word() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "report.md").read_text()
    keys = [field.name for kind in (Report, Crop, Evidence, ImageSummary) for field in dataclasses.fields(kind)]
    for word in (*keys, *Status, *Verdict, *Basis, *Says, *Trust, *Lean):
        assert f"`{word}`" in page or f'"{word}"' in page, word


def test_a_report_is_one_line_in_a_console(full_report: Report) -> None:
    assert repr(full_report) == "<Report: 'album/holiday.jpg' ai (declared metadata), probability 0.97>"
    assert repr(Report.unjudged("a\nb\u202e.jpg", Status.TRUNCATED, "it ends too early")) == (
        r"<Report: 'a\nb\u202e.jpg' not judged (truncated)>"
    )
    assert repr(dataclasses.replace(full_report, path=None, probability=None)) == "<Report: ai (declared metadata)>"
