"""Metadata that can't be read is noted wherever a person or a program looks, and isn't said to name nothing."""

from __future__ import annotations

import datetime
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fauxto import Detector, Report, wording
from fauxto.cli import commands
from fauxto.export.case_file import assemble
from fauxto.export.columns import row
from fauxto.export.html import report as html_report

GOLDEN = Path(__file__).resolve().parents[2] / "golden/bundle"
BROKEN_XMP = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:"

# What is unreadable, and the words on it.
UNREADABLE: dict[str, tuple[Callable[[Any, Any], bytes], str]] = {
    "XMP of a JPEG": (lambda make, exif: make("JPEG", xmp=BROKEN_XMP), "The XMP packet isn't well-formed XML."),
    "XMP of a WebP": (lambda make, exif: make("WEBP", xmp=BROKEN_XMP), "The XMP packet isn't well-formed XML."),
    "a text of a PNG": (
        lambda make, exif: make("PNG", chunks=((b"zTXt", b"parameters\0\0no zlib"),)),
        "A text chunk of the PNG is damaged or too large.",
    ),
    "a raw profile": (
        lambda make, exif: make("PNG", text={"Raw profile type exif": "\nexif\n  4\n45x6"}),
        "A text chunk of the PNG is damaged or too large.",
    ),
    "the second EXIF": (
        lambda make, exif: jpeg(make, b"Exif\0\0" + exif({0x010F: "Canon"}), b"Exif\0\0II*\0\xff\xff\xff\xff"),
        "The EXIF block is damaged.",
    ),
    "a part of the EXIF": (  # the Exif IFD behind the end of the block
        lambda make, exif: make("PNG", exif=b"MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1\0\xff\0\0\0\0\0\0"),
        "A part of the EXIF block is damaged.",
    ),
    "a text of the EXIF": (
        lambda make, exif: make("WEBP", exif=b"MM\0*\0\0\0\x08\0\1\1\x31\0\2\0\0\0\x99\0\0\0\x08\0\0\0\0"),
        "A text of the EXIF block is cut off.",
    ),
    "IPTC": (
        lambda make, exif: make("JPEG", iptc=b"\x1c\x02\x6e\x00\x63Made with"),
        "The IPTC block is damaged.",
    ),
    "JSON": (
        lambda make, exif: make("PNG", text={"prompt": '{"a":' * 200_000}),
        "A JSON text is nested too deeply.",
    ),
}


def jpeg(make: Any, *blocks: bytes) -> bytes:
    plain: bytes = make("JPEG")
    segments = b"".join(struct.pack(">BBH", 0xFF, 0xE1, len(block) + 2) + block for block in blocks)
    return plain[:2] + segments + plain[2:]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(GOLDEN)


def notes(report: Report) -> list[str]:
    return [wording.as_sentence(reason) for reason in report.reasons if reason.word == "metadata_unreadable"]


@pytest.mark.parametrize("name", UNREADABLE)
def test_it_is_a_reason_and_no_summary_says_that_nothing_is_named(
    name: str, detector: Detector, with_metadata: Any, exif_block: Any
) -> None:
    build, words = UNREADABLE[name]
    report = detector.analyze(build(with_metadata, exif_block))
    assert report.status == "ok"
    assert [note for note in notes(report) if note.startswith(words)]
    assert notes(report)[-1] in wording.telling_reasons(report)  # which is what the page shows
    summaries = {piece.source: piece.summary for piece in report.evidence}
    assert summaries["generator_metadata"].startswith("A part of the metadata can't be read and may name a generator")
    for summary in summaries.values():
        assert "names no generator" not in summary
        assert "names no camera" not in summary or name == "JSON"


def test_what_is_declared_all_the_same_is_said(detector: Detector, with_metadata: Any) -> None:
    file = with_metadata("PNG", xmp=BROKEN_XMP, text={"parameters": "a\nSteps: 20, Sampler: b, Seed: 1, Size: 8x8"})
    report = detector.analyze(file)
    assert report.basis in ("declared metadata", "conflict")
    assert len(notes(report)) == 1


def test_readable_metadata_is_not_noted(
    detector: Detector, with_metadata: Any, exif_block: Any, xmp_packet: Any
) -> None:
    for file in (with_metadata("JPEG"), with_metadata("PNG", exif=exif_block({0x010F: "Canon"}), xmp=xmp_packet())):
        report = detector.analyze(file)
        assert notes(report) == []
        assert "can't be read" not in " ".join(piece.summary for piece in report.evidence)


def test_what_the_decoder_notes_is_not_noted_twice(detector: Detector, with_metadata: Any) -> None:
    report = detector.analyze(with_metadata("JPEG", exif=b"no TIFF structure"))
    assert notes(report) == ["The EXIF block is damaged; the picture was taken as upright."]


def test_without_evidence_nothing_is_read(with_metadata: Any) -> None:
    assert notes(Detector(GOLDEN, evidence=False).analyze(with_metadata("JPEG", xmp=BROKEN_XMP))) == []


def test_the_command_line_and_every_export_show_it(detector: Detector, with_metadata: Any, tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(with_metadata("JPEG", xmp=BROKEN_XMP))
    run = CliRunner().invoke(commands, ["check", str(path), "--model", str(GOLDEN), "--json"])
    reasons = json.loads(run.stdout)["reasons"]
    assert any(reason.startswith("metadata_unreadable: the XMP packet isn't well-formed XML") for reason in reasons)
    panel = CliRunner().invoke(commands, ["check", str(path), "--model", str(GOLDEN)])
    assert "The XMP packet isn't well-formed XML." in " ".join(panel.stdout.replace("│", " ").split())

    report = detector.analyze(path)
    assert "metadata_unreadable: the XMP packet isn't well-formed XML" in str(row(report)["reasons"])
    now = datetime.datetime.now(datetime.UTC)
    case = assemble(report, None, bundle=detector.bundles[0], operating_point=detector.operating_point, time=now)
    assert "The XMP packet isn&#x27;t well-formed XML." in html_report(case)
