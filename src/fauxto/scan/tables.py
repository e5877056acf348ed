"""The rows of CSV and Parquet tables that name pictures by their paths, or (Parquet) hold their bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from fauxto.addresses import is_address
from fauxto.errors import ConfigError, MissingExtraError
from fauxto.limits import Limits
from fauxto.report import Report, Status
from fauxto.scan import stores
from fauxto.scan.items import STORE_ERROR, IsDone, Item

_DEFAULT_COLUMNS = ("path", "image", "bytes")
_MAX_LINE = 1024 * 1024
_BYTES = 32 * 1024 * 1024
_ROWS = 1024
"""Of a Parquet file, what is held at once at most; rows that are larger come one at a time."""

_DAMAGE = (  # what PyArrow's own errors derive from, and the csv module's
    OSError,
    ValueError,
    RuntimeError,
    MemoryError,
    csv.Error,
)


def is_table(location: str) -> bool:
    """Tell by its ending whether a path or address is that of a table."""
    return stores.name_of(location).endswith((".csv", ".parquet"))


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the keys of its rows are `LOCATION#NUMBER`, counted from 1. Relative paths start from its folder.

    `column` holds a path or an address, or in Parquet the bytes of a file, bare or as `{"bytes": ..., "path": ...}`
    (as data sets on Hugging Face have them). None for the first of `path`, `image` and `bytes` that there is.
    """

    location: str
    column: str | None = None

    @property
    def prefix(self) -> str:
        """What the keys of its rows begin with."""
        return f"{self.location}#"

    def count(self) -> int | None:
        """Return the number of a local Parquet file's rows; a CSV would have to be read to its end."""
        if self._is_csv() or is_address(self.location):
            return None
        try:
            with stores.open_location(self.location) as file:
                return int(_parquet(file).metadata.num_rows)
        except _DAMAGE:
            return None

    def items(self, limits: Limits, is_done: IsDone) -> Iterator[Item]:
        """Yield the rows; a table that turns out damaged ends in one item that says so, whose key is the prefix.

        Raises:
            ConfigError: It has no such column.
            MissingExtraError: PyArrow isn't installed.
        """
        try:
            with closing(stores.open_location(self.location)) as file:
                cells = self._csv_cells(file) if self._is_csv() else self._parquet_cells(file)
                for number, cell in enumerate(cells, start=1):
                    key = f"{self.prefix}{number:012}"
                    if not is_done(key):
                        yield self._item(key, f"{self.prefix}{number}", cell)
        except _DAMAGE as error:
            if is_done(self.prefix):
                return
            status = Status.NOT_FOUND if isinstance(error, FileNotFoundError) else Status.UNREADABLE
            sentence = f"the rest isn't readable: {error}"
            word = STORE_ERROR if stores.is_fault(error) else "damaged_table"
            yield Item(self.prefix, self.prefix, Report.unjudged(None, status, sentence, word=word))

    def _is_csv(self) -> bool:
        return stores.name_of(self.location).endswith(".csv")

    def _item(self, key: str, row_name: str, cell: Any) -> Item:
        if isinstance(cell, dict):
            path, cell = cell.get("path"), cell.get("bytes") or cell.get("path")
            row_name = f"{row_name}/{path}" if isinstance(path, str) and isinstance(cell, bytes) else row_name
        if isinstance(cell, bytes):
            return Item(key, row_name, cell, len(cell), is_cell=True)
        if not cell:
            empty = Report.unjudged(None, Status.NOT_FOUND, "the row names no picture", word="empty_cell")
            return Item(key, row_name, empty)
        if not isinstance(cell, str):
            raise ConfigError(
                f"the column of {self.location} holds neither paths nor bytes but {cell!r:.80}; "
                "choose another with --column"
            )
        if not is_address(cell):
            is_remote = is_address(self.location)
            source = stores.parent(self.location) + cell if is_remote else str(Path(self.location).parent / cell)
        elif cell.partition("://")[0] in stores.SCHEMES:
            source = cell
        else:
            sentence = "fauxto reads from object stores, not the web"
            return Item(key, cell, Report.unjudged(None, Status.UNREADABLE, sentence, word="no_store"))
        return Item(key, cell, source, is_cell=True)

    def _csv_cells(self, file: BinaryIO) -> Iterator[str | None]:
        with io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="") as text:
            rows = csv.reader(lines(text))
            column = self._choose(next(rows, []))
            for row in rows:
                if row:
                    yield row[column] if column < len(row) else None

    def _parquet_cells(self, file: BinaryIO) -> Iterator[Any]:
        table = _parquet(file)
        names = table.schema_arrow.names
        name = names[self._choose(names)]
        groups = [table.metadata.row_group(number) for number in range(table.num_row_groups)]
        a_row = max((group.total_byte_size // max(1, group.num_rows) for group in groups), default=0)
        rows = max(1, min(_ROWS, _BYTES // max(1, a_row)))
        for batch in table.iter_batches(rows, columns=[name], use_threads=False):
            yield from batch.column(0).to_pylist()

    def _choose(self, names: list[str]) -> int:
        for column in (self.column,) if self.column else _DEFAULT_COLUMNS:
            if column in names:
                return names.index(column)
        raise ConfigError(
            f"{self.location} has no column {' or '.join((self.column,) if self.column else _DEFAULT_COLUMNS)}; "
            f"choose one of its own with --column: {', '.join(names[:20]) or 'it has none'}"
        )


def _parquet(file: BinaryIO) -> Any:
    try:
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise MissingExtraError("export", "reading Parquet") from error
    # Read page by page: a column of pictures doesn't fit into memory.
    return parquet.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False)


def lines(text: io.TextIOWrapper) -> Iterator[str]:
    """Yield the lines of a text; csv.Error where one is longer than any table's."""
    while line := text.readline(_MAX_LINE):
        if len(line) == _MAX_LINE:
            raise csv.Error(f"a line has more than {_MAX_LINE:,} characters")
        yield line
