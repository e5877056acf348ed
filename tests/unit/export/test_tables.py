"""The tables: every file is opened again, by a reader that isn't ours; no report, however strange, breaks one."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from fauxto import Evidence, Lean, Reason, Report, Says, Status, Trust, Verdict, export
from fauxto.errors import ConfigError
from fauxto.evidence import SOURCES
from fauxto.export import columns, jsonl

EMPTY = Report(path=None, status=Status.TRUNCATED)
NAMES = [
    "=cmd|'/c calc'!A1",
    "+1",
    "-1.jpg",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\0x",
    "\n=1",
    " =1",
    "＝1",
    "＋1",
    "﹣1",
    "＠x",
    "two\nlines",
    "a;=1,b",
    '"><script>alert(1)</script>',
    "\u202egnp.exe",
    "lone\udcff.png",
    "\ud800",
    "写真 🙂 é.jpg",
    "x" * 100_000,
    "",
]


@pytest.fixture(scope="module")
def full(full_report: Report) -> Report:
    """A report with a formula in it, and with sources of evidence that have no columns of their own."""
    evidence = (
        Evidence("generator_metadata", Says.AI, Trust.DECLARED, '=HYPERLINK("x")', {"prompt": "a\ncat", "deep": [1]}),
        Evidence("plug_in", Says.REAL, Trust.INFERRED, "A trace.", {}),
        Evidence("other_plug_in", Says.NOTHING, Trust.DECLARED, "A stamp.", {"found": True}),
        Evidence("silent_plug_in", Says.NOTHING, Trust.INFERRED, "No trace.", {}),
    )
    return replace(full_report, probability=0.25, score=-3.5, fpr_at_score=1e-3, evidence=evidence)


@pytest.fixture(scope="module")
def reports(full: Report) -> list[Report]:
    named = (Report(path=name, status=Status.OK, reasons=(Reason("note", f"{name}."),)) for name in NAMES)
    return [full, EMPTY, *named]


def read_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


def test_json_lines_lose_nothing(reports: list[Report], tmp_path: Path) -> None:
    assert export.write(iter(reports), tmp_path / "out.jsonl", "jsonl") == len(reports)
    assert list(jsonl.read(tmp_path / "out.jsonl")) == reports
    lines = (tmp_path / "out.jsonl").read_text("ascii").split("\n")
    assert [json.loads(line) for line in lines[:-1]] == [json.loads(json.dumps(one.to_dict())) for one in reports]


def test_a_spreadsheet_runs_nothing_and_sees_a_line_a_report(reports: list[Report], tmp_path: Path) -> None:
    export.write(reports, tmp_path / "out.csv", "csv")
    data = (tmp_path / "out.csv").read_bytes()
    rows = read_csv(data)
    assert len(rows) == data.count(b"\n") - 1 == data.count(b"\r\n") - 1 == len(reports)
    for row, name in zip(rows[2:], NAMES, strict=True):
        assert row["path"].isprintable()
        starts_a_formula = name.strip()[:1] in tuple("=+-@＝＋﹣＠") or name[:1] in set("\t\r\n\0\u202e\ud800")
        assert row["path"].startswith("'") == starts_a_formula
        if name.isprintable() and len(name) < 1_000:
            assert row["path"] == ("'" + name if starts_a_formula else name)
    # In a spreadsheet that splits at semicolons too, the quotes keep a cell whole.
    assert b'"a;=1,b"' in data
    row = rows[0]
    assert (row["score"], row["probability"], row["width"], row["stability_flips"]) == ("-3.5", "0.25", "512", "0")
    assert b',0.25,-3.5,0.001,0,2,"' in data  # numbers stay numbers, the negative ones too
    assert row["generator_metadata_summary"] == '\'=HYPERLINK("x")'
    assert row["reasons"] == "declared_ai: the file declares it. | pixels_ai: the probability of AI is 0.9700."
    assert set(rows[1].values()) == {"", "truncated"}


def test_parquet_is_typed_and_keeps_names(reports: list[Report], full: Report, tmp_path: Path) -> None:
    export.write(reports, tmp_path / "out.parquet", "parquet")
    table = parquet.read_table(tmp_path / "out.parquet")
    kinds = {"text": pyarrow.string(), "integer": pyarrow.int64(), "number": pyarrow.float64()}
    assert [(field.name, field.type) for field in table.schema] == [
        (column.name, kinds[column.kind]) for column in columns.COLUMNS
    ]
    paths = table["path"].to_pylist()[2:]
    for kept, name in zip(paths, NAMES, strict=True):
        if name == "lone\udcff.png":
            assert kept == "lone\\udcff.png"
        elif len(name) < 1_000 and name != "\ud800":
            assert kept == name
    first, second = table.slice(0, 2).to_pylist()
    assert first == columns.row(full)
    assert first["other_evidence"] == "plug_in: real (inferred): A trace. | other_plug_in: nothing (declared): A stamp."
    assert {name for name, cell in second.items() if cell is not None} == {"status"}


def test_every_built_in_source_has_its_columns(full: Report) -> None:
    names = {column.name for column in columns.COLUMNS}
    assert {f"{source}_{part}" for source in SOURCES for part in ("says", "trust", "summary")} <= names
    assert list(columns.row(full)) == [column.name for column in columns.COLUMNS]


def test_a_lean_has_its_column_in_every_table(full: Report, tmp_path: Path) -> None:
    leaning = replace(full, verdict=Verdict.INCONCLUSIVE, lean=Lean.REAL)
    for format in ("csv", "parquet"):
        export.write([leaning, full, EMPTY], tmp_path / f"out.{format}", format)
    assert [row["lean"] for row in read_csv((tmp_path / "out.csv").read_bytes())] == ["real", "none", ""]
    assert parquet.read_table(tmp_path / "out.parquet")["lean"].to_pylist() == ["real", "none", None]


def test_the_part_that_was_judged_has_its_columns(full: Report, tmp_path: Path) -> None:
    export.write([full, replace(full, crop=None)], tmp_path / "out.parquet", "parquet")
    table = parquet.read_table(tmp_path / "out.parquet")
    names = ("crop_x", "crop_y", "crop_width", "crop_height")
    assert [table[name].to_pylist() for name in names] == [[16, None], [32, None], [400, None], [300, None]]


def test_every_column_is_in_the_reference() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/exports.md").read_text()
    for column in columns.COLUMNS:
        assert f"`{column.name}`" in page


def test_memory_is_bounded_and_row_groups_too(tmp_path: Path) -> None:
    """Each report is made, written and let go; Parquet keeps a row group of them and no more."""
    alive = 0
    most = 0

    class Counted(str):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def reports() -> Iterator[Report]:
        nonlocal alive, most
        for number in range(10_000):
            alive += 1
            most = max(most, alive)
            yield Report(path=Counted(number), status=Status.OK)

    for format in export.FORMATS:
        most = 0
        assert export.write(reports(), tmp_path / f"out.{format}", format) == 10_000
        assert most < 5_000
    groups = parquet.ParquetFile(tmp_path / "out.parquet").metadata
    assert groups.num_rows == 10_000
    assert max(groups.row_group(group).num_rows for group in range(groups.num_row_groups)) <= 4_096


@pytest.mark.parametrize("format", export.FORMATS)
def test_what_came_before_a_failure_is_kept(full: Report, tmp_path: Path, format: str) -> None:
    def failing() -> Iterator[Report]:
        yield full
        yield EMPTY
        raise KeyboardInterrupt

    path = tmp_path / f"out.{format}"
    with pytest.raises(KeyboardInterrupt):
        export.write(failing(), path, format)
    if format == "jsonl":
        assert list(jsonl.read(path)) == [full, EMPTY]
    elif format == "csv":
        assert [row["status"] for row in read_csv(path.read_bytes())] == ["ok", "truncated"]
    else:
        assert parquet.read_table(path)["status"].to_pylist() == ["ok", "truncated"]


def test_an_open_file_stays_open(full: Report) -> None:
    for format in export.FORMATS:
        file = io.BytesIO()
        export.write([full], file, format)
        assert file.getvalue()


def test_a_cut_last_line_is_passed_over_and_any_other_damage_told(full: Report, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    export.write([full, EMPTY], path, "jsonl")
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert list(jsonl.read(path)) == [full]
    path.write_bytes(whole[:-1])
    assert list(jsonl.read(path)) == [full, EMPTY]
    for damage in (b"{}\n", b"\n", b"[1]\n", b"\xff\n", b'{"version": 2}\n'):
        path.write_bytes(whole + damage + whole)
        with pytest.raises(ValueError, match=r"line 3 of .*out\.jsonl"):
            list(jsonl.read(path))


def test_formats_by_ending() -> None:
    assert [export.format_of(f"a.b/out.{ending}") for ending in ("jsonl", "CSV", "parquet")] == list(export.FORMATS)
    for path in ("out.xlsx", "out", ".csv"):
        with pytest.raises(ConfigError, match=r"has no known ending"):
            export.format_of(path)
    with pytest.raises(ConfigError, match=r"no format of tables"):
        export.open_table(io.BytesIO(), "xlsx")


def test_without_pyarrow_the_extra_is_named(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from fauxto import export, MissingExtraError\n"
        "export.write([], 'out.csv', 'csv')\n"
        "try: export.write([], 'out.parquet', 'parquet')\n"
        "except MissingExtraError as error: print(error)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "'.[export]'" in ended.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
