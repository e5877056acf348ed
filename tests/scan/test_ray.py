"""The engine on Ray: the same rows as the local one's, also when actors die. One small Ray of two CPUs for all tests.

Slow to start: `FAUXTO_RAY_FILES=2000` compares two thousand files.
"""

from __future__ import annotations

import json
import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow.parquet
import pytest

from fauxto.detector import Detector
from fauxto.errors import FauxtoError, MissingExtraError
from fauxto.options import DetectorOptions
from fauxto.report import Status
from fauxto.scan import Scan
from fauxto.scan import ray as engine
from fauxto.scan.items import Item
from fauxto.scan.journal import Journal
from fauxto.scan.sources import Files

pytest.importorskip("ray", reason="the extra 'scale' isn't installed")

FILES = int(os.environ.get("FAUXTO_RAY_FILES", "200"))

pytestmark = [
    pytest.mark.slow,
    # Ray's own code warns and leaves files open; nothing of ours is hushed in tests/scan/test_scan.py.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::UserWarning"),
    pytest.mark.timeout(600 + FILES),
]


@pytest.fixture(scope="module")
def small_ray() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        here = str(Path(__file__).parent)
        patch.syspath_prepend(here)
        patch.setenv("PYTHONPATH", os.pathsep.join([here, os.environ.get("PYTHONPATH", "")]))
        patch.setattr(engine, "_STORE_BYTES", 128 * 1024 * 1024)
        ray = engine._ray()
        engine._start(ray, None)
        yield ray
        ray.shutdown()


@pytest.fixture(scope="module")
def odd(small_ray: Any) -> ModuleType:
    import odd_detector

    return odd_detector


def table(sources: list[Path], out: Path, golden: DetectorOptions, which: str, **options: Any) -> bytes:
    with Scan([str(source) for source in sources], out, golden, **options) as scan:
        scan.run(which, workers=2)
        scan.write()
        scan.finish()
    return out.read_bytes()


def test_ray_and_the_local_engine_write_the_same_table(
    small_ray: Any,
    tmp_path: Path,
    golden: DetectorOptions,
    pictures: Callable[[int], bytes],
    broken: dict[str, tuple[bytes, Status]],
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number}.jpg").write_bytes(pictures(number))
    for name, (data, _) in broken.items():
        (folder / name).write_bytes(data)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for number in range(20):
            archive.writestr(f"{number}.jpg", pictures(number))
    cells = [pictures(number) for number in range(20)]
    pyarrow.parquet.write_table(pyarrow.table({"bytes": cells}), tmp_path / "x.parquet")
    sources = [folder, tmp_path / "x.zip", tmp_path / "x.parquet"]
    local = table(sources, tmp_path / "local.jsonl", golden, "local")
    assert local.count(b"\n") == FILES + len(broken) + 40
    assert table(sources, tmp_path / "ray.jsonl", golden, "ray") == local

    out = tmp_path / "both.jsonl"  # begun here, finished there
    with Scan([str(source) for source in sources], out, golden) as scan, pytest.raises(KeyboardInterrupt):
        scan.run(workers=1, on_progress=lambda done, total: _stop_at(done, 90))
    assert table(sources, out, golden, "ray", resume=True) == local


def _stop_at(done: int, most: int) -> None:
    if done == most:
        raise KeyboardInterrupt


def test_an_actor_that_dies_loses_no_row(odd: ModuleType, tmp_path: Path) -> None:
    names = [f"good-{number}" for number in range(60)]
    names[10], names[35] = "once-1", "once-2"  # each ends its actor's process at the first try
    shard = Files(tuple(Item(name, name, b"x", 1) for name in names))
    with Journal(tmp_path / "journal", {}, resume=False) as journal:
        rows = list(engine.run([shard], journal, odd.OddOptions(tmp_path), workers=2))
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"once-1", "once-2"}
    assert sorted(row.key for row in rows) == sorted(names)
    assert {row.status for row in rows} == {"ok"}


@pytest.mark.parametrize("name", ["crash-1", "spin-1"])
def test_a_picture_that_ends_every_actor_ends_the_scan(
    odd: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(engine, "_TRIES", 1)
    shard = Files(tuple(Item(name, name, b"x", 1) for name in ("good-1", name, "good-2")))
    with Journal(tmp_path / "journal", {}, resume=False) as journal:
        rows = engine.run([shard], journal, odd.OddOptions(tmp_path, seconds=1.0), workers=1)
        with pytest.raises(FauxtoError, match=r"Ray gave up: .*; --resume without --engine ray goes on"):
            list(rows)


def test_more_parts_than_ray_is_given_at_once(odd: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_PARTS", 2)
    names = [f"good-{number}" for number in range(5 * engine._ITEMS)]
    shard = Files(tuple(Item(name, name, b"x", 1) for name in names))
    with Journal(tmp_path / "journal", {}, resume=False) as journal:
        rows = list(engine.run([shard], journal, odd.OddOptions(tmp_path), workers=2))
    assert sorted(row.key for row in rows) == sorted(names)


def test_a_data_set_of_ray_is_judged_in_place(
    small_ray: Any, tmp_path: Path, golden: DetectorOptions, pictures: Callable[[int], bytes]
) -> None:
    rows = [{"path": f"{number}.jpg", "bytes": pictures(number)} for number in range(8)]
    rows.append({"path": "text.jpg", "bytes": b"no picture"})
    engine.judged(small_ray.data.from_items(rows), golden, workers=1).write_parquet(str(tmp_path / "out"))
    found = pyarrow.parquet.read_table(tmp_path / "out").sort_by("path").to_pylist()
    assert [row["path"] for row in found] == sorted(row["path"] for row in rows)
    assert [row["status"] for row in found] == ["ok"] * 8 + ["unsupported_format"]
    assert [row["verdict"] is None for row in found] == [False] * 8 + [True]
    first = Detector.from_options(golden, threads=1).analyze(rows[0]["bytes"])
    assert (found[0]["probability"], json.loads(found[0]["report"])["score"]) == (first.probability, first.score)


def test_without_ray_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, golden: DetectorOptions
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    (tmp_path / "x.jpg").touch()
    with (
        Scan([str(tmp_path / "x.jpg")], tmp_path / "out.jsonl", golden) as scan,
        pytest.raises(MissingExtraError, match=r"pip install '\.\[scale\]'"),
    ):
        scan.run("ray")


def test_a_ray_that_cannot_start_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, golden: DetectorOptions
) -> None:
    import ray

    def init(*_: object, **__: object) -> None:
        raise Exception("Failed to start.\nThe current node timed out during startup.")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    (tmp_path / "x.jpg").touch()
    with (
        Scan([str(tmp_path / "x.jpg")], tmp_path / "out.jsonl", golden) as scan,
        pytest.raises(FauxtoError, match=r"^Ray gave up: The current node timed out during startup; --resume without"),
    ):
        scan.run("ray")
