"""`fauxto watch` as a process: signals, kills, a webhook, sorting."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fauxto.cli import commands
from fauxto.export import jsonl
from fauxto.options import DetectorOptions
from fauxto.report import Report, Status
from fauxto.scan import Scan
from fauxto.scan.items import Item, row_of

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
SECONDS = 250


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """`picture(name, seed)`: put a picture into the folder `inbox` of the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))  # no desktop
    Path("inbox").mkdir()

    def picture(name: str, seed: int) -> None:
        rough = np.random.default_rng(seed).integers(0, 256, (16, 16, 1), np.uint8).repeat(2, 0).repeat(2, 1)
        Image.fromarray(rough.repeat(3, 2)).save(f"unfinished-{name}")
        Path(f"unfinished-{name}").rename(f"inbox/{name}")

    return picture


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address, and what was posted there."""
    messages: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", messages
    server.shutdown()
    server.server_close()


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from fauxto.cli import main; main()", "watch", "inbox", "--interval", "0.2"]
    command += ["--model", str(GOLDEN), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def names() -> list[str]:
    return [Path(str(report.path)).name for report in jsonl.read("inbox.jsonl")] if Path("inbox.jsonl").exists() else []


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills by POSIX's signals")
def test_it_goes_on_after_a_kill_and_ends_well_when_it_is_told_to(
    picture: Callable[[str, int], None], webhook: tuple[str, list[dict[str, Any]]]
) -> None:
    address, messages = webhook
    picture("a.png", 1)
    options = ("--webhook", address, "--sort", "move", "sorted")
    first = start(*options)
    wait_for(lambda: Path("sorted/ai/a.png").exists() and len(messages) == 1)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    picture("b.png", 2)
    picture("a.png", 3)  # another one of that name
    second = start(*options)
    wait_for(lambda: len(names()) == 3 and len(messages) == 3)
    os.killpg(second.pid, signal.SIGTERM)
    out, error = second.communicate(timeout=SECONDS)
    assert (second.returncode, error) == (0, "")
    assert "rows go to inbox.jsonl; it has 1 row so far; Ctrl-C ends it" in out
    assert out.count("inbox/") == 2
    assert out.endswith("stopped; inbox.jsonl has 3 rows\n")
    assert names() == ["a.png", "a.png", "b.png"]
    assert len(list(Path("sorted/ai").iterdir())) == 3
    assert list(Path("inbox").iterdir()) == []
    assert sorted(message["report"]["path"] for message in messages) == ["inbox/a.png", "inbox/a.png", "inbox/b.png"]
    assert messages[0]["text"] == "Probably made by a generative model: a.png"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing"], "missing isn't a folder of this machine"),
        (["s3://bucket"], "isn't a folder of this machine"),
        (["inbox", "--webhook", "ftp://host/x"], "--webhook takes an address such as"),
        (["inbox", "--out", "inbox.xlsx"], "has no known ending for tables"),
        (["inbox", "--sort", "move", "inbox/sorted"], "lies inside"),
    ],
)
def test_mistakes_are_one_sentence(picture: Callable[[str, int], None], arguments: list[str], message: str) -> None:
    ended = CliRunner().invoke(commands, ["watch", *arguments, "--model", str(GOLDEN)])
    assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1)
    assert message in ended.stderr
    assert not list(Path().glob("*.jsonl*"))


def refused(*arguments: str) -> str:
    ended = CliRunner().invoke(commands, ["watch", *arguments, "--model", str(GOLDEN)])
    assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1)
    return ended.stderr


def test_a_file_that_no_watch_began_is_not_its_table(picture: Callable[[str, int], None]) -> None:
    Path("inbox.jsonl").write_text("the table of a finished scan")
    assert "inbox.jsonl is there already and belongs to no watch" in (message := refused("inbox"))
    assert "--out" in message
    assert Path("inbox.jsonl").read_text() == "the table of a finished scan"


@pytest.mark.parametrize("is_running", [True, False])
@pytest.mark.parametrize("watched", [True, False])
def test_the_table_of_another_is_not_its_table(
    picture: Callable[[str, int], None], is_running: bool, watched: bool
) -> None:
    Path("other/inbox").mkdir(parents=True)
    job = Scan(["other/inbox"], Path("inbox.jsonl"), DetectorOptions(str(GOLDEN)), watched=watched)
    with job:
        job.journal.add(row_of(Item("a", "a", "a"), Report("a", Status.NOT_FOUND)))
        job.write()
        table = Path("inbox.jsonl").read_bytes()
        message = refused("inbox") if is_running else ""
    message = message or refused("inbox")
    assert f"inbox.jsonl.journal {'is being written' if is_running else 'belongs to'}" in message
    assert f"the {'watch' if watched else 'scan'} of other/inbox (started in {Path.cwd()})" in message
    assert "give another --out" in message
    assert Path("inbox.jsonl").read_bytes() == table
    ended = CliRunner().invoke(commands, ["scan", "inbox", "--out", "inbox.jsonl", "--model", str(GOLDEN)])
    assert ended.exit_code == 2
    assert "other/inbox" in ended.stderr
    assert Path("inbox.jsonl").read_bytes() == table
