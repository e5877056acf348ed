"""CSV for spreadsheets: a row a report, in the columns of `fauxto.export.columns`."""

from __future__ import annotations

import csv
import io
import unicodedata

from fauxto.export.columns import COLUMNS, row
from fauxto.export.table import TableWriter, Target
from fauxto.report import Report
from fauxto.wording import printable

_BEGINS_A_FORMULA = frozenset("=+-@")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # without it, Excel takes the file for a code page's


class CsvWriter(TableWriter):
    """Writes CSV as RFC 4180 has it: UTF-8, CRLF, every text in quotes and on one line, numbers bare.

    A text that a spreadsheet would take for a formula gets an apostrophe in front; what isn't printable (controls, line
    ends, changes of direction, halves of characters) is escaped. JSON Lines and Parquet keep names as they are.
    """

    def __init__(self, target: Target) -> None:
        """Open the file and write the names of the columns."""
        super().__init__(target)
        self._file.write(_BYTE_ORDER_MARK + ",".join(column.name for column in COLUMNS).encode() + b"\r\n")

    def write(self, report: Report) -> None:
        """Add one report."""
        line = io.StringIO()
        cells = [harmless(cell) if isinstance(cell, str) else cell for cell in row(report).values()]
        csv.writer(line, quoting=csv.QUOTE_NONNUMERIC).writerow(["" if cell is None else cell for cell in cells])
        self._file.write(line.getvalue().encode())


def harmless(text: str) -> str:
    """Return a text printable, with an apostrophe in front if it begins like a formula, also in full-width forms."""
    first = text.lstrip()[:1]
    is_formula = unicodedata.normalize("NFKC", first) in _BEGINS_A_FORMULA
    return f"'{printable(text)}" if is_formula or not text[:1].isprintable() else printable(text)
