from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from fauxto.report import (
    Basis,
    Evidence,
    ImageSummary,
    ModelSummary,
    Report,
    Says,
    Stability,
    Status,
    Trust,
    Verdict,
)

FULL = Report(
    path="holiday.jpg",
    status=Status.OK,
    verdict=Verdict.AI,
    basis=Basis.DECLARED_METADATA,
    probability=0.97,
    score=3.4,
    fpr_at_score=0.004,
    stability=Stability(flips=0, of=4),
    reasons=("declared_ai: An XMP field names a generator.",),
    evidence=(Evidence("generator_metadata", Says.AI, Trust.DECLARED, "An XMP field.", {"field": "x", "all": [1, 2]}),),
    image=ImageSummary(1024, 768, "JPEG", "ab" * 32),
    model=ModelSummary("golden", "1.0.0", "cd" * 32),
    milliseconds={"decode": 9.0, "model": 31.5},
)
FAILED = Report(path=None, status=Status.TRUNCATED, reasons=("truncated: It ends too early.",))


@pytest.mark.parametrize("report", [FULL, FAILED], ids=["full", "failed"])
def test_a_report_survives_json(report: Report) -> None:
    assert Report.from_dict(json.loads(json.dumps(report.to_dict()))) == report


def test_json_of_a_report_is_version_1_of_the_schema() -> None:
    # The literal is the contract with every program that reads our reports: a change needs a new version number.
    assert json.loads(json.dumps(FULL.to_dict())) == {
        "version": 1,
        "path": "holiday.jpg",
        "status": "ok",
        "verdict": "ai",
        "basis": "declared metadata",
        "probability": 0.97,
        "score": 3.4,
        "fpr_at_score": 0.004,
        "stability": {"flips": 0, "of": 4},
        "reasons": ["declared_ai: An XMP field names a generator."],
        "evidence": [
            {
                "source": "generator_metadata",
                "says": "ai",
                "trust": "declared",
                "summary": "An XMP field.",
                "details": {"field": "x", "all": [1, 2]},
            }
        ],
        "image": {"width": 1024, "height": 768, "format": "JPEG", "sha256": "ab" * 32},
        "model": {"name": "golden", "version": "1.0.0", "sha256": "cd" * 32},
        "milliseconds": {"decode": 9.0, "model": 31.5},
    }


def test_a_failed_report_has_every_key_too() -> None:
    assert FAILED.to_dict().keys() == FULL.to_dict().keys()


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version 2 is unknown"):
        Report.from_dict({**FULL.to_dict(), "version": 2})


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Report)])
def test_a_missing_field_is_refused(field: str) -> None:
    plain = FULL.to_dict()
    del plain[field]
    with pytest.raises(KeyError, match=field):
        Report.from_dict(plain)


def test_a_report_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        FULL.verdict = Verdict.REAL  # type: ignore[misc]


def test_the_reference_names_every_key_and_word() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "report.md").read_text()
    keys = [field.name for kind in (Report, Evidence, ImageSummary) for field in dataclasses.fields(kind)]
    for word in (*keys, *Status, *Verdict, *Basis, *Says, *Trust):
        assert f"`{word}`" in page or f'"{word}"' in page, word
