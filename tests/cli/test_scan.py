from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from fauxto.cli import commands
from fauxto.export import jsonl

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Run a command with the golden model beside a folder `photos` of three pictures and a text."""
    monkeypatch.chdir(tmp_path)
    y, x = np.mgrid[:32, :32]
    smooth = np.stack([2 * x, 2 * y, x], axis=-1).astype(np.uint8)
    rough = np.random.default_rng(5).integers(0, 256, (16, 16, 1), np.uint8).repeat(2, 0).repeat(2, 1).repeat(3, 2)
    (tmp_path / "photos" / "sub").mkdir(parents=True)
    from PIL import Image

    Image.fromarray(smooth).save("photos/smooth.png")
    Image.fromarray(rough).save("photos/rough.png")
    Image.fromarray(rough[::-1]).save("photos/sub/rough.png")
    (tmp_path / "photos" / "text.jpg").write_text("no picture")
    return lambda *arguments: CliRunner().invoke(commands, [*arguments, "--model", str(GOLDEN)])


def verdicts(out: str = "out.jsonl") -> dict[str, str | None]:
    return {str(report.path): report.verdict for report in jsonl.read(out)}


EXPECTED = {
    "photos/rough.png": "ai",
    "photos/smooth.png": "real",
    "photos/sub/rough.png": "ai",
    "photos/text.jpg": None,
}


def test_a_scan_ends_with_a_summary_and_a_table(run: Callable[..., Result]) -> None:
    Path("photos/link.png").symlink_to("smooth.png")
    ended = run("scan", "photos", "--out", "out.jsonl", "--workers", "1")
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.splitlines() == [
        "4 inputs: 2 ai, 1 real, 1 not judged",
        "not judged: 1 unsupported_format",
        "skipped 1 symbolic link; --follow-symlinks follows them",
        "wrote out.jsonl",
    ]
    assert verdicts() == EXPECTED
    assert list(verdicts()) == sorted(EXPECTED)


def test_a_page_shows_the_pictures(run: Callable[..., Result]) -> None:
    ended = run("scan", "photos", "--out", "photos/out.csv", "--html", "photos/page.html", "--workers", "1")
    assert ended.exit_code == 0, ended.output
    page = Path("photos/page.html").read_text()
    assert page.count("<img ") == 3
    assert "photos/text.jpg" in page
    again = run("scan", "photos", "--out", "photos/out.csv", "--html", "photos/page.html", "--workers", "1")
    assert "4 inputs" in again.stdout  # what the scan wrote is no input


def test_a_scan_of_nothing(run: Callable[..., Result]) -> None:
    Path("empty").mkdir()
    ended = run("scan", "empty", "--out", "out.csv")
    assert (ended.exit_code, ended.stdout) == (0, "found no pictures\nwrote out.csv\n")
    ended = run("scan", "nowhere", "--out", "out.csv", "--workers", "1")
    assert (ended.exit_code, ended.stdout.splitlines()[1]) == (1, "not judged: 1 not_found")


def test_a_named_source_that_fails_is_an_exit_code_and_a_sentence(run: Callable[..., Result]) -> None:
    Path("cut.zip").write_bytes(b"PK\3\4")
    Path("other.txt").write_text("no picture")
    Path("empty.jpg").touch()
    ended = run(
        "scan", "photos", "nowhere", "none/*.jpg", "cut.zip", "gone.tar", "other.txt", "empty.jpg", "--out", "o.csv"
    )
    assert ended.exit_code == 1
    *sentences, progress = ended.stderr.splitlines() or [""]
    sentences.append(progress)
    assert [line.split(": ")[:2] for line in sentences] == [
        ["fauxto", "nowhere"],
        ["fauxto", "none/*.jpg"],
        ["fauxto", "cut.zip"],
        ["fauxto", "gone.tar"],
    ]
    assert "wrote o.csv" in ended.stdout
    assert run("scan", "photos", "other.txt", "--out", "p.csv").exit_code == 0


def test_without_a_terminal_it_logs_how_far_it_is(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("scan", "photos", "--out", "out.csv", "--workers", "1").stderr == ""
    monkeypatch.setattr(importlib.import_module("fauxto.cli.scan"), "_LOG_SECONDS", 0.0)
    lines = run("scan", "photos", "--out", "out.csv", "--workers", "1").stderr.splitlines()
    assert len(lines) == 5
    assert re.fullmatch(r"judged 4 of 4, [\d.,]+/s", lines[-1])


@pytest.mark.parametrize("how", ["copy", "move", "link"])
def test_sorting(run: Callable[..., Result], how: str) -> None:
    Path("more").mkdir()
    Path("more/rough.png").write_bytes(Path("photos/sub/rough.png").read_bytes())  # of a name that is there already
    before = {path: path.read_bytes() for path in Path().rglob("*.png")}
    arguments = ["scan", "photos", "more", "--out", "out.jsonl", "--workers", "1", "--sort", how, "sorted"]
    ended = run(*arguments)
    assert ended.exit_code == 0, ended.output
    assert "sorted 4 files" in ended.stdout
    names = {path.relative_to("sorted").as_posix() for path in Path("sorted").rglob("*.png")}
    second = next(name for name in names if "-" in name)
    assert names == {"ai/rough.png", "ai/sub/rough.png", "real/smooth.png", second}
    assert re.fullmatch(r"ai/rough-[0-9a-f]{8}\.png", second)
    contents = {Path("sorted", name).read_bytes() for name in names}
    assert contents == set(before.values())
    assert all(path.is_symlink() == (how == "link") for path in Path("sorted").rglob("*.png"))
    assert all(path.exists() == (how != "move") for path in before)
    assert Path("photos/text.jpg").exists()
    assert run(*arguments).exit_code == 0
    assert {path.relative_to("sorted").as_posix() for path in Path("sorted").rglob("*.png")} == names


def test_moving_loses_no_file(run: Callable[..., Result]) -> None:
    """Neither one of the same name and the same first digits, as anyone can make them, nor what a link leads to."""
    Path("outside.png").write_bytes(Path("photos/smooth.png").read_bytes())
    Path("photos/sub/link.png").symlink_to("../../outside.png")
    digits = hashlib.sha256(Path("photos/rough.png").read_bytes()).hexdigest()[:8]
    Path("sorted/ai").mkdir(parents=True)
    for name in ("rough.png", f"rough-{digits}.png"):
        Path("sorted/ai", name).write_bytes(b"another picture")
    before = Path("photos/rough.png").read_bytes(), Path("photos/smooth.png").read_bytes()
    ended = run(
        "scan", "photos", "--out", "out.jsonl", "--workers", "1", "--follow-symlinks", "--sort", "move", "sorted"
    )
    assert ended.exit_code == 0, ended.output
    assert Path(f"sorted/ai/rough-{digits}-2.png").read_bytes() == before[0]
    assert {Path("sorted/ai", name).read_bytes() for name in ("rough.png", f"rough-{digits}.png")} == {
        b"another picture"
    }
    for name in ("sorted/real/smooth.png", "sorted/real/sub/link.png", "outside.png"):
        assert Path(name).read_bytes() == before[1]
    assert not list(Path("photos").rglob("*.png"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["photos", "--out", "out.jsonl", "--sort", "move", "photos/text.jpg"], "is a file; name a folder"),
        (["photos", "--out", "out.jsonl", "--html", "no/such/page.html"], "doesn't exist; create it first"),
        (["list.csv", "--out", "list.csv"], "would be overwritten"),
        (["photos", "--out", "out.jsonl", "--sort", "move", "photos/sorted"], "lies inside"),
        (["photos/smooth.png", "--out", "out.jsonl", "--watch"], "--watch works only with local folders"),
        (["photos", "--out", "out.jsonl", "--watch", "--engine", "ray"], "--watch works only with local folders"),
        (["photos", "--out", "out.xlsx"], "has no known ending for tables"),
        (["http://localhost/", "--out", "out.jsonl"], "is no address of an object store"),
        (["list.csv", "--out", "out.jsonl", "--column", "file"], "has no column file"),
    ],
)
def test_mistakes_are_one_sentence(run: Callable[..., Result], arguments: list[str], message: str) -> None:
    Path("list.csv").write_text("path\nx.jpg\n")
    ended = run("scan", *arguments)
    assert ended.exit_code == 2
    assert message in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not list(Path().glob("out.*"))  # a slip leaves nothing that --resume would have to know of


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from fauxto.cli import main; main()", "scan", *arguments, "--model", str(GOLDEN)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 100
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_says_how_to_go_on(run: Callable[..., Result], number: signal.Signals) -> None:
    smooth = Path("photos/smooth.png").read_bytes()
    for index in range(3000):
        Path("photos", f"{index}.png").write_bytes(smooth)
    journal = Path("out.jsonl.journal-wal")
    scan = start("photos", "--out", "out.jsonl", "--workers", "1")
    wait_for(lambda: journal.exists() and journal.stat().st_size > 100_000)  # rows were committed
    os.killpg(scan.pid, number)  # as a terminal's Ctrl-C: every process of the group gets it
    _, error = scan.communicate(timeout=100)
    assert scan.returncode == 130
    stopped = re.fullmatch(r"stopped; ([\d,]+) rows are saved. Run the same command with --resume to continue\n", error)
    assert stopped, error
    assert 0 < int(stopped[1].replace(",", "")) < 3004
    refused = run("scan", "photos", "--out", "out.jsonl")
    assert (refused.exit_code, "continue it with --resume" in refused.stderr) == (2, True)
    resumed = run("scan", "photos", "--out", "out.jsonl", "--resume")
    assert "3,004 inputs" in resumed.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for child processes in /proc")
def test_stopped_while_it_starts_it_says_no_more_than_that(run: Callable[..., Result]) -> None:
    scan = start("photos", "--out", "out.jsonl", "--workers", "2")
    children = Path(f"/proc/{scan.pid}/task/{scan.pid}/children")
    wait_for(lambda: len(children.read_text().split()) > 1)  # they import for a while
    os.kill(scan.pid, signal.SIGSTOP)  # or it might end them before they say a word
    os.killpg(scan.pid, signal.SIGINT)
    time.sleep(2)
    os.kill(scan.pid, signal.SIGCONT)
    _, error = scan.communicate(timeout=100)
    assert (scan.returncode, error.count("\n")) == (130, 1), error
    assert re.fullmatch(r"stopped; \d rows are saved. Run the same command with --resume to continue\n", error)


@pytest.mark.slow
def test_watching_judges_what_arrives_until_it_is_stopped(run: Callable[..., Result]) -> None:
    scan = start("photos", "--out", "out.jsonl", "--watch", "--interval", "0.2", "--workers", "1")
    wait_for(lambda: Path("out.jsonl").exists() and len(verdicts()) == 4)
    Path("photos/later.png").write_bytes(Path("photos/smooth.png").read_bytes())
    wait_for(lambda: len(verdicts()) == 5)
    os.killpg(scan.pid, signal.SIGINT)
    said, error = scan.communicate(timeout=100)
    assert (scan.returncode, error) == (0, "")
    assert "5 inputs: 2 ai, 2 real, 1 not judged" in said
    assert verdicts() == {**EXPECTED, "photos/later.png": "real"}
    again = start("photos", "--out", "out.jsonl", "--watch", "--interval", "0.2", "--resume")
    Path("photos/last.png").write_bytes(Path("photos/smooth.png").read_bytes())
    wait_for(lambda: len(verdicts()) == 6)
    os.killpg(again.pid, signal.SIGTERM)
    assert again.communicate(timeout=100)[1] == ""


@pytest.mark.slow
def test_bench(run: Callable[..., Result], photo: NDArray[np.uint8]) -> None:
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000  # this process counts too, with what tests loaded
    ended = run("bench", "photos", "--json", "--workers", "1")
    assert ended.exit_code == 0, ended.output
    measured = json.loads(ended.stdout)
    (cost,) = measured["costs"]
    assert (cost["size"], cost["pictures"], measured["unjudged"], measured["workers"]) == ("under 0.5 MP", 3, 1, 1)
    assert set(cost["milliseconds"]) == {"decode", "evidence", "model"}
    assert measured["images_per_second"] > 0
    if sys.platform == "linux":
        assert 20 < measured["peak_megabytes"] < 1500 + ours
    shown = run("bench", "photos", "--workers", "1", "--count", "2").stdout
    for word in ("decode", "pictures/s", "peak memory"):
        assert word in shown


def test_bench_of_nothing(run: Callable[..., Result]) -> None:
    Path("empty").mkdir()
    ended = run("bench", "empty")
    assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1)
