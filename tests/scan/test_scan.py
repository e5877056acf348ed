"""A scan from its sources to its table, and back after it was killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from fauxto import export
from fauxto.detector import Detector
from fauxto.errors import ConfigError, FauxtoError, MissingExtraError
from fauxto.export import jsonl
from fauxto.options import DetectorOptions
from fauxto.report import Report, Status
from fauxto.scan import Scan
from fauxto.scan.files import replaced
from fauxto.scan.items import Item, row_of

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"

# Kills of the test below; `FAUXTO_KILLS=20` for a thorough run.
KILLS = int(os.environ.get("FAUXTO_KILLS", "2"))


def scanned(sources: list[object], out: Path, golden: DetectorOptions, **options: object) -> list[Report]:
    with Scan([str(source) for source in sources], out, golden) as scan:
        scan.run(**options)
        scan.write()
        scan.finish()
    assert not list(out.parent.glob(f"{out.name}?*"))
    return list(jsonl.read(out)) if out.suffix == ".jsonl" else []


def test_a_thousand_files_of_which_fifty_are_broken_in_ten_ways(
    tmp_path: Path,
    golden: DetectorOptions,
    pictures: Callable[[int], bytes],
    broken: dict[str, tuple[bytes, Status]],
) -> None:
    expected = {}
    for number in range(1000):
        way = (number // 20) % 10 if number % 20 == 7 else None
        name, (data, status) = ("fine.img", (pictures(number), Status.OK)) if way is None else list(broken.items())[way]
        path = tmp_path / "photos" / f"{number % 10}" / f"{number:04}-{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        expected[str(path)] = status
    assert Counter(expected.values())[Status.OK] == 950
    reports = scanned([tmp_path / "photos"], tmp_path / "out.jsonl", golden)
    assert {report.path: report.status for report in reports} == expected
    assert len(reports) == 1000
    assert all((report.verdict is None) == (report.status != "ok") for report in reports)
    detector = Detector.from_options(golden)
    for report in reports[::50]:
        assert report.path is not None
        alone = detector.analyze(report.path)
        assert (alone.score, alone.verdict, alone.evidence) == (report.score, report.verdict, report.evidence)


def test_every_kind_of_source_gives_the_same_scores_and_every_format_the_same_rows(
    tmp_path: Path, golden: DetectorOptions, pictures: Callable[[int], bytes]
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.jpg").write_bytes(pictures(number + 1))
    with tarfile.open(tmp_path / "photos.tar", "w") as archive:
        archive.add(folder, "photos")
    (tmp_path / "list.csv").write_text("path\n" + "".join(f"photos/{number}.jpg\n" for number in range(6)))
    out = tmp_path / "out.jsonl"
    sources = [folder, tmp_path / "photos.tar", tmp_path / "list.csv", folder.as_uri()]
    by_source = [scanned([source], out, golden, workers=1) for source in sources]
    assert [[report.score for report in reports] for reports in by_source] == [
        [report.score for report in by_source[0]]
    ] * len(sources)
    assert None not in {report.score for report in by_source[0]}

    together = scanned(sources, out, golden, workers=1)
    assert len(together) == 24
    assert all(not report.milliseconds for report in together)
    for format in ("csv", "parquet"):
        scanned(sources, tmp_path / f"out.{format}", golden, workers=1)
        export.write(together, tmp_path / f"expected.{format}", format)
        assert (tmp_path / f"out.{format}").read_bytes() == (tmp_path / f"expected.{format}").read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(300 + 60 * KILLS)
def test_killed_at_random_and_resumed_it_equals_a_clean_run(
    tmp_path: Path, golden: DetectorOptions, pictures: Callable[[int], bytes]
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(400):
        (folder / f"{number}.jpg").write_bytes(pictures(number) if number % 9 else b"broken")
    clean = tmp_path / "clean.jsonl"
    scanned([folder], clean, golden)
    out = tmp_path / "out.jsonl"
    journal = tmp_path / "out.jsonl.journal"
    command = [sys.executable, "-c", "from fauxto.cli import main; main()", "scan", str(folder), "--out", str(out)]
    command += ["--model", str(GOLDEN), "--resume"]
    rng = random.Random(7)
    kills = 0
    while True:
        started = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
        if kills < KILLS:
            until = time.monotonic() + 60
            while not journal.exists() and started.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 3.0))
            started.kill()
            kills += 1
        _, error = started.communicate(timeout=200)
        _wait_until_gone(started.pid)
        if started.returncode != -signal.SIGKILL:
            assert started.returncode == 0, error
            if kills >= KILLS:
                break
            out.unlink()  # it came to its end before the kill: once more from the start
    assert out.read_bytes() == clean.read_bytes()
    assert not journal.exists()


def _wait_until_gone(group: int) -> None:
    """Whoever kills the scan leaves none of its processes behind."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError(f"processes of the group {group} live on")


def test_a_cut_scan_repeats_nothing(tmp_path: Path, golden: DetectorOptions, pictures: Callable[[int], bytes]) -> None:
    for number in range(20):
        (tmp_path / f"{number}.jpg").write_bytes(pictures(number))
    sources, out = [str(tmp_path / "*.jpg")], tmp_path / "out.jsonl"

    def stop(done: int, total: int | None) -> None:
        assert total == 20
        if done == 7:
            raise KeyboardInterrupt

    with Scan(sources, out, golden) as scan, pytest.raises(KeyboardInterrupt):
        scan.run(workers=1, on_progress=stop)
    assert not out.exists()
    with Scan(sources, out, golden, resume=True) as scan:
        assert scan.run(workers=1) == 13
        assert scan.run(workers=1) == 0
        scan.write()
    assert len(list(jsonl.read(out))) == 20


def test_a_resumed_scan_tries_again_what_took_too_long_and_leaves_the_rest_as_it_was(
    tmp_path: Path, golden: DetectorOptions, pictures: Callable[[int], bytes]
) -> None:
    for number in range(4):
        (tmp_path / f"{number}.jpg").write_bytes(pictures(number) if number != 2 else b"broken")
    sources, out = [str(tmp_path / "*.jpg")], tmp_path / "out.jsonl"
    late, gone = (str(tmp_path / name) for name in ("1.jpg", "gone.jpg"))
    with Scan(sources, out, golden) as scan:
        for key in (late, gone):
            scan.journal.add(row_of(Item(key, key, key), Report.unjudged(key, Status.TIMED_OUT, "no")))
        assert scan.run(workers=1) == 3
        scan.write()
    before = list(jsonl.read(out))
    assert [report.status for report in before] == ["ok", "timed_out", "unsupported_format", "ok", "timed_out"]
    seen: list[tuple[int, int | None]] = []
    with Scan(sources, out, golden, resume=True) as scan:
        assert scan.run(workers=1, on_progress=lambda done, total: seen.append((done, total))) == 1
        assert scan.run(workers=1) == 0
        scan.write()
    after = list(jsonl.read(out))
    assert seen == [(3, 4), (4, 4)]
    assert (after[1].path, after[1].status) == (late, "ok")
    assert [*after[:1], *after[2:]] == [*before[:1], *before[2:]]


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("out.xlsx", "has no known ending for tables"),
        ("no/such/out.csv", "doesn't exist; create it first"),
        ("folder.csv", "is a folder; give a file name"),
        ("list.csv", "is one of the sources and would be overwritten"),
    ],
)
@pytest.mark.parametrize("is_page", [False, True])
def test_what_can_be_known_is_said_before_the_work(
    tmp_path: Path, golden: DetectorOptions, out: str, message: str, is_page: bool
) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "list.csv").touch()
    sources = [str(tmp_path), str(tmp_path / "list.csv")]
    if not is_page:
        with pytest.raises(ConfigError, match=message):
            Scan(sources, tmp_path / out, golden)
    elif out != "out.xlsx":
        with pytest.raises(ConfigError, match=message):
            Scan(sources, tmp_path / "out.csv", golden, pages=[tmp_path / out])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.csv", "list.csv"]


def test_a_table_and_a_page_have_two_names(tmp_path: Path, golden: DetectorOptions) -> None:
    with pytest.raises(ConfigError, match="can't be both the table and a page"):
        Scan([str(tmp_path)], tmp_path / "out.csv", golden, pages=[tmp_path / "out.csv"])


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    with replaced(path) as file:
        file.write(b"whole")
        assert not path.exists()
    with pytest.raises(TypeError), replaced(path) as file:
        file.writelines([b"half", None])  # type: ignore[list-item]
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_kill_left_of_a_page_is_no_input(
    tmp_path: Path, golden: DetectorOptions, pictures: Callable[[int], bytes]
) -> None:
    (tmp_path / "1.jpg").write_bytes(pictures(1))
    (tmp_path / "page.html.unfinished").touch()
    (tmp_path / "out.csv.unfinished").touch()
    with Scan([str(tmp_path)], tmp_path / "out.csv", golden, pages=[tmp_path / "page.html"]) as scan:
        assert scan.run(workers=1) == 1


def test_a_scan_goes_on_only_where_its_names_mean_the_same_files(
    tmp_path: Path, golden: DetectorOptions, pictures: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder / "photos").mkdir(parents=True)
        (tmp_path / folder / "photos" / "1.jpg").write_bytes(pictures(1))
    out = tmp_path / "out.jsonl"
    monkeypatch.chdir(tmp_path / "one")
    with Scan(["photos"], out, golden) as scan:
        scan.run(workers=1)
    monkeypatch.chdir(tmp_path / "two")
    with pytest.raises(ConfigError, match=r"the scan of photos \(started in .*one\), with another source"):
        Scan(["photos"], out, golden, resume=True)
    monkeypatch.chdir(tmp_path / "one")
    with Scan(["photos"], out, golden, resume=True) as scan:
        assert scan.run(workers=1) == 0


def test_a_full_disk_is_one_sentence_and_costs_no_row(
    tmp_path: Path, golden: DetectorOptions, pictures: Callable[[int], bytes]
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number}.jpg").write_bytes(pictures(number))
    out = tmp_path / "out.jsonl"
    with Scan([str(folder)], out, golden) as scan:
        scan.journal._database.execute("PRAGMA max_page_count = 12")
        with pytest.raises(FauxtoError, match=r"can't be written \(database or disk is full\).*continue with --resume"):
            scan.run(workers=1)
    with Scan([str(folder)], out, golden, resume=True) as scan:
        scan.run(workers=1)
        scan.write()
        scan.finish()
    assert len(list(jsonl.read(out))) == 60


def test_missing_pyarrow_is_known_before_the_work(
    tmp_path: Path, golden: DetectorOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[export\]'"):
        Scan([str(tmp_path)], tmp_path / "out.parquet", golden)
    assert list(tmp_path.iterdir()) == []


def test_scanning_imports_no_extra_until_it_is_needed() -> None:
    script = "import sys, fauxto.scan.ray; print({'ray', 'pyarrow', 'fsspec'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("set()\n", "")
