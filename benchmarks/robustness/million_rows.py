"""A scan of very many tiny files: memory stays flat, `--resume` starts soon, and every reader opens the tables.

python -m benchmarks.robustness.million_rows [--files 1000000] [--fewer 10000] [--pictures 300] [--model cifake-resnet]
    [--folder FOLDER]

Two trees, of few files and of many, hold links to the same few hundred pictures, whose results are reused by content:
what is measured is everything around the network. Each scan is stopped when all but a thousand files are done, and
resumed in another process, with a clock from its start to its first new row. Then the rows are written as JSON Lines,
CSV and Parquet, which pandas opens, and DuckDB where it is installed. Takes 15 minutes for a million files on two quiet
cores, and 4 GB in FOLDER.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import PIL.Image
from skimage import data

from benchmarks import results
from benchmarks.robustness import goals
from fauxto import export
from fauxto.options import DetectorOptions
from fauxto.scan import Scan
from fauxto.scan.measuring import peak_memory

_LEFT = 1_000
_IN_A_FOLDER = 1_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Scan both trees, print what they took and write results/million-rows.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=goals.ROWS, help="of the large tree")
    parser.add_argument("--fewer", type=int, default=10_000, help="of the small tree")
    parser.add_argument("--pictures", type=int, default=300, help="different ones")
    parser.add_argument("--model", default="cifake-resnet")
    parser.add_argument("--folder", type=Path, help="where the trees and tables go; by default a temporary one")
    options = parser.parse_args(arguments)
    figures: dict[str, Any] = {"pictures": options.pictures, "model": options.model, "scans": []}
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        for count in (options.fewer, options.files):
            figures["scans"].append(scanned(Path(temporary), count, options.pictures, options.model))
            print(figures["scans"][-1], flush=True)
    few, many = figures["scans"]
    figures["memory_growth"] = round(many["peak_megabytes"] / few["peak_megabytes"], 3)
    figures["goals_met"] = {
        f"memory at most {goals.ROWS_MEMORY} times": figures["memory_growth"] <= goals.ROWS_MEMORY,
        f"resumed within {goals.RESUME_SECONDS:g} seconds": many["resume_seconds"] <= goals.RESUME_SECONDS,
    }
    print({name: value for name, value in figures.items() if name != "scans"})
    print(f"wrote {results.write('million-rows', figures, ('fauxto', 'numpy', 'pillow', 'pandas', 'pyarrow')).name}")
    if missed := [goal for goal, is_met in figures["goals_met"].items() if not is_met]:
        raise SystemExit(f"missed: {', '.join(missed)}")


def scanned(folder: Path, count: int, pictures: int, model: str) -> dict[str, Any]:
    """Return what a scan of a tree of `count` files took, stopped and resumed, and what readers make of its tables."""
    place = folder / str(count)
    started = time.perf_counter()
    make_tree(place / "tree", count, pictures)
    figures: dict[str, Any] = {"files": count, "tree_seconds": _since(started)}
    for part in (_stopped, _resumed, _tables):  # each in a process of its own, whose memory is its own
        with ProcessPoolExecutor(1, max_tasks_per_child=1) as pool:
            came = pool.submit(part, place, count, model).result()
        figures["peak_megabytes"] = max(came.pop("peak_megabytes"), figures.get("peak_megabytes", 0))
        figures |= came
    return figures


def make_tree(folder: Path, count: int, pictures: int) -> None:
    """Write `pictures` different small JPEGs, and `count` hard links to them, a thousand in a folder."""
    folder.mkdir(parents=True)
    photograph = PIL.Image.fromarray(data.astronaut())
    made = folder.with_name("pictures")
    made.mkdir()
    for number in range(pictures):
        left, top = 37 * number % 448, 53 * number % 448
        photograph.crop((left, top, left + 64, top + 64)).save(made / f"{number}.jpg", quality=88)
    for number in range(count):
        inside = folder / f"{number // _IN_A_FOLDER:04}"
        if number % _IN_A_FOLDER == 0:
            inside.mkdir()
        (inside / f"{number:07}.jpg").hardlink_to(made / f"{number % pictures}.jpg")


def _stopped(place: Path, count: int, model: str) -> dict[str, Any]:
    most = max(count - _LEFT, count // 2)

    def stop(done: int, _: int | None) -> None:
        if done == most:
            raise KeyboardInterrupt

    started = time.perf_counter()
    with peak_memory() as peak, _scan(place, model) as scan, contextlib.suppress(KeyboardInterrupt):
        scan.run(on_progress=stop)
    seconds = time.perf_counter() - started
    journal = (place / "table.jsonl.journal").stat().st_size
    return {
        "scan_seconds": round(seconds, 1),
        "files_per_second": round(most / seconds),
        "journal_bytes_a_row": round(journal / most),
        "peak_megabytes": round(max(peak, default=0) / 1e6),
    }


def _resumed(place: Path, count: int, model: str) -> dict[str, Any]:
    moments: dict[int, float] = {}
    started = time.perf_counter()
    with peak_memory() as peak, _scan(place, model, resume=True) as scan:
        opened = time.perf_counter() - started
        scan.run(on_progress=lambda done, _: moments.update({done: moments.get(done, time.perf_counter() - started)}))
        first = sorted(moments)[1]  # after that of the start
        scan.write()
        assert scan.journal.done() == count
    return {
        "journal_open_seconds": round(opened, 1),
        "resume_seconds": round(moments[first], 1),
        "peak_megabytes": round(max(peak, default=0) / 1e6),
    }


def _tables(place: Path, count: int, model: str) -> dict[str, Any]:
    seconds = {}
    with peak_memory() as peak, _scan(place, model, resume=True) as scan:
        for format in export.FORMATS:
            started = time.perf_counter()
            export.write(scan.journal.reports(), place / f"table.{format}", format)
            seconds[format] = _since(started)
        started = time.perf_counter()
        scan.failed_sources()
        scan.journal.counts()
        seconds["summary"] = _since(started)
        scan.finish()
    sizes = {format: round((place / f"table.{format}").stat().st_size / 1e6, 1) for format in export.FORMATS}
    return {
        "write_seconds": seconds,
        "table_megabytes": sizes,
        "readers": {"pandas": _pandas(place, count), "DuckDB": _duckdb(place, count)},
        "peak_megabytes": round(max(peak, default=0) / 1e6),
    }


def _pandas(place: Path, count: int) -> str:
    import pandas

    paths = [
        pandas.read_parquet(place / "table.parquet", columns=["path"])["path"],
        pandas.read_csv(place / "table.csv", usecols=["path"])["path"],
    ]
    for chunk in [path.nunique() for path in paths]:
        assert chunk == count, f"pandas sees {chunk} paths"
    lines = sum(len(chunk) for chunk in pandas.read_json(place / "table.jsonl", lines=True, chunksize=10_000))
    assert lines == count, f"pandas sees {lines} lines"
    return "opens all three"


def _duckdb(place: Path, count: int) -> str:
    try:
        import duckdb
    except ModuleNotFoundError:
        return "not installed: not tried"
    for format in export.FORMATS:
        query = f"SELECT count(DISTINCT path) FROM '{place / f'table.{format}'}'"
        ((paths,),) = duckdb.sql(query).fetchall()
        assert paths == count, f"DuckDB sees {paths} paths in {format}"
    return "opens all three"


def _scan(place: Path, model: str, *, resume: bool = False) -> Scan:
    return Scan([str(place / "tree")], place / "table.jsonl", DetectorOptions(model), resume=resume)


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 1)


if __name__ == "__main__":
    main()
