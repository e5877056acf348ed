"""Very many files, in small: memory and the time to resume don't grow with them, and others read the tables."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pandas
import pytest

from fauxto import export
from fauxto.export import parquet
from fauxto.report import Report, Status
from fauxto.scan.items import Item, Row, row_of
from fauxto.scan.journal import Journal
from fauxto.scan.sources import Sources

FILES = 4_000


def row_of_file(number: int) -> Row:
    report = Report.unjudged(f"{number}", Status.UNREADABLE, "a sentence of a usual length, which says what happened")
    return row_of(Item(f"{37 * number % FILES:08}", f"{number}", ""), report)


def peak(journal: Journal, path: Path) -> int:
    """Bytes of Python's objects, at most, while a journal is filled, asked and written as a table."""
    tracemalloc.start()
    try:
        for number in range(FILES):
            journal.add(row_of_file(number))
        journal.counts()
        export.write(journal.reports(), path, path.suffix[1:])
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("format", export.FORMATS)
def test_a_table_of_many_rows_takes_no_memory_and_pandas_opens_it(
    tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_ROWS", 512)  # as many as it holds
    table = tmp_path / f"out.{format}"
    with Journal(tmp_path / "j", {}, resume=False) as journal:
        assert peak(journal, table) < 4_000_000
    if format == "jsonl":
        frame = pandas.read_json(table, lines=True)
    else:
        frame = pandas.read_csv(table) if format == "csv" else pandas.read_parquet(table)
    assert frame["path"].nunique() == len(frame) == FILES


def test_a_listing_of_many_files_takes_no_memory(tmp_path: Path) -> None:
    for number in range(FILES):
        (tmp_path / f"{number:032}.jpg").touch()
    for source in (tmp_path, tmp_path / "*.jpg"):
        tracemalloc.start()
        assert Sources([str(source)]).count() == FILES
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 1_000_000
