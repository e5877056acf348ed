"""Photographs and AI pictures from public repositories, listed in a table: 256 x 256 windows, or the whole pictures.

The folder to import holds two tables, and the windows that the first one names:

    manifest.csv     a row per window, cut at native resolution without re-encoding
    originals.csv    a row per whole picture, with or without a window; they lie in a folder of their own

Beside this module lies a table of more whole pictures in the same form, which we listed ourselves (`OWN_TABLE`); those
of them that are in the folder of the whole pictures are taken too.

Splits are the tables' own. They are by repository, and so is `source`: pictures of one repository resemble each other,
and an evaluation on sources never seen must not have met any of them.
"""

from __future__ import annotations

import csv
import hashlib
import lzma
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from fauxto.errors import DatasetError, ImageError
from fauxto.lab.datasets.manifest import LABELS, Dataset
from fauxto.lab.datasets.sources import fingerprint, read_file
from fauxto.lab.datasets.splitting import SPLITS
from fauxto.lab.datasets.writer import Candidate, OnProgress, Whole, write_dataset
from fauxto.report import Status
from fauxto.scan.archives import is_plain

WINDOWS_TABLE, ORIGINALS_TABLE = "manifest.csv", "originals.csv"
OWN_TABLE = Path(__file__).parent / "photo-originals-own.csv.xz"

_WINDOW_COLUMNS = (
    "path",
    "label",
    "generator",
    "split",
    "width",
    "height",
    "format",
    "origin_repo",
    "origin_sha256",
    "sha256",
)
_ORIGINAL_COLUMNS = ("path", "label", "source", "split", "repo", "sha256")

_Row = Mapping[str, str]


def import_photos(
    source: str | Path,
    out: str | Path,
    *,
    originals: str | Path | None = None,
    on_progress: OnProgress = lambda progress: None,
) -> Dataset:
    """Import the windows, or with `originals` whole pictures, whose files stay where they are.

    A window's row tells the size and format of the picture that it was cut out of: these are the shortcuts that a
    model could take. Of the whole pictures, test takes those that a window is from, which were chosen so that
    few sources don't outweigh the others; the other splits take all. Files that are missing, or whose sha256 isn't the
    table's, are skipped.

    Args:
        source: The folder of the tables.
        out: The folder to make.
        originals: Folder of the whole pictures, `<split>/<path>` by the columns of originals.csv. Some may be missing.
        on_progress: Called with how far the import is.

    Raises:
        DatasetError: A table or folder is missing or damaged, a repository stands in two splits, none of the files
            could be used, or `out` holds something else.
    """
    source = Path(source).resolve()
    if originals is None:
        table = source / WINDOWS_TABLE
        rows = _read_table(table, _WINDOW_COLUMNS, repository="origin_repo")
        origin = {"name": "photos", "source": source.name, "source_sha256": fingerprint(table)}
        return write_dataset(Path(out), origin, _windows(source, rows), on_progress=on_progress)
    files = Path(originals).resolve()
    if not files.is_dir():
        raise DatasetError(f"there is no folder at {files}; check the path")
    windows = _read_table(source / WINDOWS_TABLE, _WINDOW_COLUMNS, repository="origin_repo")
    windowed = {row["origin_sha256"] for row in windows}
    table = source / ORIGINALS_TABLE
    rows = [
        row
        for row in _read_table(table, _ORIGINAL_COLUMNS, repository="repo")
        if row["split"] != "test" or row["sha256"] in windowed
    ]
    rows += [row for row in _read_table(OWN_TABLE, _ORIGINAL_COLUMNS, repository="repo") if _is_there(files, row)]
    origin = {
        "name": "photo-originals",
        "source": source.name,
        "source_sha256": fingerprint(table),
        "own_table_sha256": fingerprint(OWN_TABLE),
        "originals_there_sha256": _fingerprint_there(files, rows),
    }
    return write_dataset(Path(out), origin, _originals(files, rows), files=files, on_progress=on_progress)


def _windows(folder: Path, rows: list[_Row]) -> Iterator[Candidate]:
    for count, row in enumerate(rows, start=1):
        yield Candidate(
            path=row["path"],
            label=row["label"],
            generator=row["generator"] or None,
            source=row["origin_repo"],
            object_class=None,
            shares={row["split"]: 1.0},
            read=partial(_read_checked, folder, row["path"], row["sha256"]),
            done=count / len(rows),
            whole=Whole(int(row["width"]), int(row["height"]), row["format"]),
        )


def _originals(folder: Path, rows: list[_Row]) -> Iterator[Candidate]:
    for count, row in enumerate(rows, start=1):
        path = _original(row)
        yield Candidate(
            path=path,
            label=row["label"],
            generator=row["source"] if row["label"] == "ai" else None,
            source=row["repo"],
            object_class=None,
            shares={row["split"]: 1.0},
            read=partial(_read_checked, folder, path, row["sha256"]),
            done=count / len(rows),
            style=row.get("style") or None,
        )


def _original(row: _Row) -> str:
    return f"{row['split']}/{row['path']}"


def _fingerprint_there(folder: Path, rows: list[_Row]) -> str:
    """Return the sha256 of the names of the whole pictures that are there: with more of them, it's another set."""
    there = sorted(_original(row) for row in rows if _is_there(folder, row))
    return hashlib.sha256("\n".join(there).encode()).hexdigest()


def _is_there(folder: Path, row: _Row) -> bool:
    return is_plain(name := _original(row)) and (folder / name).is_file()


def _read_checked(folder: Path, name: str, sha256: str) -> bytes:
    data = read_file(folder / name, name)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ImageError(Status.UNREADABLE, "it isn't the file that the table names: its sha256 differs")
    return data


def _read_table(table: Path, columns: tuple[str, ...], *, repository: str) -> list[_Row]:
    """Read a table and check what the import relies on, so that no later step meets a surprise."""
    try:
        opened = lzma.open if table.suffix == ".xz" else open
        with opened(table, "rt", encoding="utf-8", newline="") as file:
            rows: list[_Row] = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error, lzma.LZMAError) as error:
        raise DatasetError(f"{table} can't be read as a table: {error}") from error
    splits_of: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        values = {column: row.get(column) for column in columns}
        if missing := [column for column, value in values.items() if value is None]:
            raise DatasetError(f"{table}: row {number} has no {', '.join(missing)}")
        if row["label"] not in LABELS or row["split"] not in SPLITS:
            raise DatasetError(f"{table}: row {number} has the label {row['label']!r} and the split {row['split']!r}")
        if not all(row[side].isdecimal() for side in ("width", "height") if side in columns):
            raise DatasetError(f"{table}: row {number} has a size that is no number")
        if splits_of.setdefault(row[repository], row["split"]) != row["split"]:
            raise DatasetError(f"{table}: row {number} puts {row[repository]} into a second split, {row['split']}")
    if not rows:
        raise DatasetError(f"{table} has no row")
    return rows
