"""Parquet for programs: a row a report, in the typed columns of `fauxto.export.columns`; needs the extra `export`."""

from __future__ import annotations

from fauxto.errors import MissingExtraError
from fauxto.export.columns import COLUMNS, Cell, row
from fauxto.export.table import TableWriter, Target
from fauxto.report import REPORT_VERSION, Report

_ROWS = 4_096
"""Of a row group: what is kept in memory before it is written."""


class ParquetWriter(TableWriter):
    """Writes one row group for each few thousand reports; the schema is the same for every file.

    Texts are kept as they are, but for halves of characters (in paths that are no valid Unicode), which UTF-8 can't
    hold: they are escaped as Python escapes them.
    """

    def __init__(self, target: Target) -> None:
        """Open the file; MissingExtraError where PyArrow isn't installed."""
        try:
            import pyarrow
            from pyarrow import parquet
        except ModuleNotFoundError as error:
            raise MissingExtraError("export", "writing Parquet") from error
        super().__init__(target)
        types = {"text": pyarrow.string(), "integer": pyarrow.int64(), "number": pyarrow.float64()}
        fields = [
            pyarrow.field(column.name, types[column.kind], metadata={"meaning": column.meaning}) for column in COLUMNS
        ]
        self._schema = pyarrow.schema(fields, metadata={"fauxto_report_version": str(REPORT_VERSION)})
        self._parquet = parquet.ParquetWriter(self._file, self._schema, compression="zstd")
        self._to_batch = pyarrow.RecordBatch.from_pylist
        self._rows: list[dict[str, Cell]] = []

    def write(self, report: Report) -> None:
        """Add one report; it reaches the file with its row group."""
        self._rows.append({name: _utf8(cell) if isinstance(cell, str) else cell for name, cell in row(report).items()})
        if len(self._rows) == _ROWS:
            self._write_rows()

    def _write_rows(self) -> None:
        rows, self._rows = self._rows, []
        self._parquet.write_batch(self._to_batch(rows, schema=self._schema))

    def _finish(self) -> None:
        try:
            if self._rows:
                self._write_rows()
        finally:
            self._parquet.close()


def _utf8(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
