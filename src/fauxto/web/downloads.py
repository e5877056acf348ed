"""Reports on their way out of the page; each file is made when its button is pressed, in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import PurePath
from typing import NamedTuple

import streamlit as st

from fauxto import export, images
from fauxto.addresses import file_name
from fauxto.detector import Detector
from fauxto.explain import Explanation
from fauxto.export import case_file, html, pdf
from fauxto.export.case_file import CaseFile
from fauxto.export.record import Case
from fauxto.report import Report
from fauxto.web import metadata_tab
from fauxto.web.batch import Checked
from fauxto.web.judging import Judged

_FORBIDDEN = '<>:"/\\|?*'
"""In names of files on Windows."""
_MOST_LETTERS = 50  # of up to four bytes each: names of files have 255 bytes


class Download(NamedTuple):
    """A file to offer: what its button says, its name and media type, and what makes its bytes."""

    label: str
    name: str
    media_type: str
    make: Callable[[], bytes]


def button(file: Download, key: str) -> None:
    """Show a file's button; pressing it doesn't run the page anew."""
    st.download_button(
        file.label,
        file.make,
        file.name,
        file.media_type,
        icon=":material/download:",
        on_click="ignore",
        key=f"{key}-{file.name}",
    )


def of_one(
    judged: Judged, detector: Detector, explanation: Explanation | None, case: Case, *, personal: bool = False
) -> list[Download]:
    """Return the forms of one picture's report; its map is part of them where one was made.

    The metadata in PDF and HTML is without what tells of people and places, unless it is asked for by `personal`.
    """
    name = _stem(judged.report)
    assembled = partial(_case_file, judged, detector, explanation, case, personal=personal)
    return [
        Download("PDF", f"{name}.pdf", "application/pdf", lambda: pdf.report(assembled())),
        Download("HTML", f"{name}.html", "text/html", lambda: html.report(assembled()).encode()),
        Download("JSON", f"{name}.json", "application/json", partial(_json, judged.report)),
    ]


def of_many(checked: Sequence[Checked]) -> list[Download]:
    """Return the forms of many pictures' reports."""
    return [
        Download("CSV", "fauxto.csv", "text/csv", partial(_table, checked, "csv")),
        Download("JSON Lines", "fauxto.jsonl", "application/x-ndjson", partial(_table, checked, "jsonl")),
        Download("Parquet", "fauxto.parquet", "application/vnd.apache.parquet", partial(_table, checked, "parquet")),
        Download("HTML", "fauxto.html", "text/html", partial(_gallery, checked)),
        Download("PDF", "fauxto.pdf", "application/pdf", partial(_sheets, checked)),
    ]


def _stem(report: Report) -> str:
    """Return what a report's files are called before their endings: "holiday-fauxto" for holiday.jpg."""
    stem = PurePath(file_name(report.path or "")).stem[:_MOST_LETTERS]
    kept = "".join(letter if letter.isprintable() and letter not in _FORBIDDEN else "_" for letter in stem)
    return f"{kept.strip('. ') or 'picture'}-fauxto"


def _case_file(
    judged: Judged, detector: Detector, explanation: Explanation | None, case: Case, *, personal: bool
) -> CaseFile:
    return case_file.assemble(
        judged.report,
        images.decode(judged.data, detector.limits).rgb,
        bundle=detector.bundle_of(judged.report),
        operating_point=detector.operating_point,
        time=datetime.now(UTC),
        explanation=explanation,
        data=judged.data,
        case=case,
        metadata=metadata_tab.read(judged, detector, personal=personal),
    )


def _gallery(checked: Sequence[Checked]) -> bytes:
    return html.gallery(((entry.report, entry.thumbnail) for entry in checked), time=datetime.now(UTC)).encode()


def _sheets(checked: Sequence[Checked]) -> bytes:
    return pdf.gallery(((entry.report, entry.thumbnail) for entry in checked), time=datetime.now(UTC))


def _json(report: Report) -> bytes:
    return json.dumps(report.to_dict(), indent=2).encode("ascii") + b"\n"


def _table(checked: Sequence[Checked], format: str) -> bytes:
    file = BytesIO()
    export.write((entry.report for entry in checked), file, format)
    return file.getvalue()
