"""What a type checker makes of the public names: mypy reads this file (`make check`), nothing runs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal, assert_type

from fauxto import (
    Basis,
    Client,
    ConfigError,
    Detector,
    Evidence,
    FauxtoError,
    ImageError,
    ImageSummary,
    Limits,
    MissingExtraError,
    ModelSummary,
    Report,
    Says,
    ServiceError,
    Stability,
    Status,
    Trust,
    Verdict,
)


def a_detector_takes_paths_bytes_and_files(detector: Detector, path: Path, file: BinaryIO) -> None:
    assert_type(detector.analyze(path), Report)
    assert_type(detector.analyze("picture.jpg"), Report)
    assert_type(detector.analyze(b"bytes", name="picture.jpg"), Report)
    assert_type(detector.analyze(file), Report)
    assert_type(detector.analyze_many([path, path]), Iterator[Report])
    assert_type(detector.analyze_many(["picture.jpg", b"bytes", file]), Iterator[Report])
    detector.analyze(7)  # type: ignore[arg-type]
    detector.analyze_many(7)  # type: ignore[arg-type]


def a_detector_is_made_of_few_things() -> None:
    Detector()
    Detector("cifake-resnet", limits=Limits(max_pixels=1_000_000))
    Detector(Path("bundle"), operating_point="cautious")
    Detector(limits=1_000_000)  # type: ignore[arg-type]


def a_client_takes_a_detectors_place(client: Client, path: Path) -> None:
    assert_type(client.analyze(path), Report)
    assert_type(client.analyze_many([path]), Iterator[Report])
    with client as same:
        assert_type(same, Client)


def a_report_has_these_fields(report: Report) -> None:
    assert_type(report.path, str | None)
    assert_type(report.status, Status)
    assert_type(report.verdict, Verdict | None)
    assert_type(report.basis, Basis | None)
    assert_type(report.probability, float | None)
    assert_type(report.score, float | None)
    assert_type(report.fpr_at_score, float | None)
    assert_type(report.stability, Stability | None)
    assert_type(report.evidence, tuple[Evidence, ...])
    assert_type(report.image, ImageSummary | None)
    assert_type(report.model, ModelSummary | None)
    assert_type(report.milliseconds, Mapping[str, float])
    assert_type(report.to_dict(), dict[str, Any])
    assert_type(Report.from_dict({}), Report)
    report.verdict = Verdict.AI  # type: ignore[misc]


def evidence_has_these_fields(evidence: Evidence) -> None:
    assert_type(evidence.source, str)
    assert_type(evidence.says, Says)
    assert_type(evidence.trust, Trust)
    assert_type(evidence.summary, str)
    assert_type(evidence.details, Mapping[str, Any])


def words_are_enums_that_are_strings(verdict: Verdict, status: Status) -> None:
    as_text: tuple[str, str] = (verdict, status)
    assert_type(as_text, tuple[str, str])
    assert_type(Verdict("ai"), Verdict)
    if verdict is Verdict.AI:
        assert_type(verdict, Literal[Verdict.AI])


def errors_carry_what_they_are_about(image: ImageError, extra: MissingExtraError, service: ServiceError) -> None:
    assert_type(image.status, Status)
    assert_type(extra.extra, str)
    assert_type(service.status, int | None)
    assert_type(service.request_id, str | None)
    every: tuple[FauxtoError, ...] = (image, extra, service, ConfigError("a sentence"))
    assert_type(every, tuple[FauxtoError, ...])
