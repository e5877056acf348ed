"""What a report on a picture is about: the case, and what tells the file, the model and the report from all others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from fauxto import wording
from fauxto.addresses import is_address
from fauxto.export.text import MAX_NAME, shown, utc, version
from fauxto.report import Report, Status

_MAX_NOTES = 4_000
_HASHED = "All bytes of the file, not its pixels. SHA-256 identifies it; SHA-1 and MD5 are for older records."


@dataclass(frozen=True, slots=True)
class Case:
    """What the examiner may write into a report: the case's number, their name, and notes in any number of lines."""

    number: str = ""
    examiner: str = ""
    notes: str = ""


def case_lines(case: Case) -> Iterator[tuple[str, str]]:
    """Yield the names and values of what the examiner gave, but for the notes."""
    for label, words in (("Case number", case.number), ("Examiner", case.examiner)):
        if words:
            yield label, shown(words, MAX_NAME)


def notes(case: Case) -> Iterator[str]:
    """Yield the notes line by line, printable and bounded."""
    yield from map(wording.printable, case.notes[:_MAX_NOTES].splitlines())
    if len(case.notes) > _MAX_NOTES:
        yield f"… [cut: {len(case.notes):,} characters]"


def facts(
    report: Report, name: str, operating_point: str, time: datetime, data: bytes | None
) -> Iterator[tuple[str, str]]:
    """Yield what identifies the file, the model and the report; the arguments are those of `case_file.assemble`."""
    yield "File", name
    if is_address(report.path or ""):
        yield "Fetched from", report.path or ""
    if report.image is not None:
        image = report.image
        yield "Picture", f"{image.format}, {image.width:,} × {image.height:,} px"
    if report.crop is not None:
        yield "Part that was judged", f"{report.crop}"
    if data is not None:
        yield "Size of the file", f"{len(data):,} bytes"
        yield "SHA-256 of the file", hashlib.sha256(data).hexdigest()
        yield "SHA-1 of the file", hashlib.sha1(data, usedforsecurity=False).hexdigest()
        yield "MD5 of the file", hashlib.md5(data, usedforsecurity=False).hexdigest()
        yield "What is hashed", _HASHED
    elif report.image is not None:
        yield "SHA-256 of the file", report.image.sha256
    if report.model is not None:
        yield "Model", f"{report.model.name} {report.model.version}, operating point '{operating_point}'"
        yield "SHA-256 of the model", report.model.sha256
    if report.score is not None:
        yield "Raw score", f"{report.score:.4f}"
    if report.status is not Status.OK:
        yield "Status", report.status
    yield "Program", f"fauxto {version()}"
    yield "Time of the report", utc(time)
