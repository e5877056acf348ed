"""Exports of reports.

    jsonl.py csv.py parquet.py    many reports for programs and spreadsheets, streamed through `TableWriter`
    columns.py                    the columns of the flat tables
    html.py pdf.py                one picture for a case file, or many by verdict, for people
    case_file.py groups.py        their content, before it is drawn
    record.py                     the case, the file's size and hashes
    notebook.py                   one report as a small card, for notebooks
    page.py sheet.py              the page templates
    right_to_left.py              Hebrew and Arabic for a page that is set from left to right
    text.py thumbnails.py         texts and pictures for all of them

docs/reference/exports.md documents the formats.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from fauxto.errors import ConfigError
from fauxto.export.csv import CsvWriter
from fauxto.export.jsonl import JsonlWriter
from fauxto.export.parquet import ParquetWriter
from fauxto.export.table import TableWriter, Target
from fauxto.report import Report

__all__ = ["FORMATS", "TableWriter", "format_of", "open_table", "write"]

FORMATS: dict[str, type[TableWriter]] = {"jsonl": JsonlWriter, "csv": CsvWriter, "parquet": ParquetWriter}
"""The formats of tables by name, which is also the ending of their files."""


def format_of(path: str | PurePath) -> str:
    """Return the format that a file's ending names.

    Raises:
        ConfigError: It names none.
    """
    ending = PurePath(path).suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        endings = ", ".join(f".{name}" for name in FORMATS)
        raise ConfigError(f"{str(path)!r} has no known ending for tables; use one of {endings}")
    return ending


def open_table(target: Target, format: str) -> TableWriter:
    """Open a writer on a path or an open binary file.

    Args:
        target: Where to write; a path's file is made anew.
        format: A name of `FORMATS`.

    Raises:
        ConfigError: There is no such format.
        MissingExtraError: The format's library isn't installed.
        OSError: The file can't be made.
    """
    if format not in FORMATS:
        raise ConfigError(f"{format!r} is no format of tables; choose one of {', '.join(FORMATS)}")
    return FORMATS[format](target)


def write(reports: Iterable[Report], target: Target, format: str) -> int:
    """Write reports as they come, without keeping them, and return how many there were; raises as `open_table`."""
    count = 0
    with open_table(target, format) as table:
        for report in reports:
            table.write(report)
            count += 1
    return count
