"""Reports on their way out of the page; each file is made when its button is pressed, in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from typing import NamedTuple

import streamlit as st

from fauxto import export, images
from fauxto.detector import Detector
from fauxto.explain import Explanation
from fauxto.export import case_file, html, pdf
from fauxto.export.case_file import CaseFile
from fauxto.report import Report
from fauxto.web import metadata_tab
from fauxto.web.batch import Checked
from fauxto.web.judging import Judged


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
    judged: Judged, detector: Detector, explanation: Explanation | None, *, personal: bool = False
) -> list[Download]:
    """Return the forms of one picture's report; its map is part of them where one was made.

    The metadata in PDF and HTML is without what tells of people and places, unless it is asked for by `personal`.
    """
    case = partial(_case_file, judged, detector, explanation, personal=personal)
    return [
        Download("PDF", "fauxto-report.pdf", "application/pdf", lambda: pdf.report(case())),
        Download("HTML", "fauxto-report.html", "text/html", lambda: html.report(case()).encode()),
        Download("JSON", "fauxto-report.json", "application/json", partial(_json, judged.report)),
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


def _case_file(judged: Judged, detector: Detector, explanation: Explanation | None, *, personal: bool) -> CaseFile:
    return case_file.assemble(
        judged.report,
        images.decode(judged.data, detector.limits).rgb,
        bundle=detector.bundle_of(judged.report),
        operating_point=detector.operating_point,
        time=datetime.now(UTC),
        explanation=explanation,
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
