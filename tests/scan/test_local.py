"""The local engine: a row an input, whatever the input does to the process that judges it."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from fauxto import limits
from fauxto.errors import FauxtoError
from fauxto.scan import local
from fauxto.scan.items import Item, Row


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import odd_detector

    return odd_detector


def items(*names: str) -> list[Item]:
    return [Item(name, name, b"x", 1) for name in names]


def said(rows: Iterator[Row]) -> dict[str, str]:
    """The status of each row, and the first word of its reason where there is one."""
    found = {}
    for row in rows:
        assert row.key not in found
        reasons = json.loads(row.report)["reasons"]
        found[row.key] = reasons[0].partition(":")[0] if reasons else row.status
    return found


@pytest.mark.slow
def test_what_kills_hangs_or_fails_costs_its_own_row_only(odd: ModuleType, tmp_path: Path) -> None:
    names = [f"good-{number}" for number in range(30)]
    odd_names = ["crash-1", "once-1", "bug-1", "hang-1", "once-2", "spin-1", "slow-1"]
    mixed = [*names[:5], *odd_names, *names[5:]]
    found = said(local.run(items(*mixed), odd.OddOptions(tmp_path, seconds=1.0), 2))
    expected = {"crash-1": "crashed", "bug-1": "internal_error", "hang-1": "timed_out", "spin-1": "timed_out"}
    assert found == {**dict.fromkeys(mixed, "ok"), **expected}
    assert multiprocessing.active_children() == []


def test_processor_time_is_what_counts(odd: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for two seconds, as on a busy machine, is judged; what spins isn't."""
    monkeypatch.setattr(limits, "CLOCK_FACTOR", 10_000)
    rows = list(local.run(items("slow-1", "spin-1"), odd.OddOptions(tmp_path, seconds=0.4), 1))
    assert {row.key: json.loads(row.report)["reasons"] for row in rows} == {
        "slow-1": [],
        "spin-1": ["timed_out: judging it took more than 0.4 seconds of processor time"],
    }


def test_what_sleeps_for_ever_is_ended_by_the_clock(odd: ModuleType, tmp_path: Path) -> None:
    (row,) = local.run(items("hang-1"), odd.OddOptions(tmp_path, seconds=0.2), 1)
    assert json.loads(row.report)["reasons"] == ["timed_out: judging it took longer than 2 seconds"]


STOPPED = """
if __name__ == "__main__":
    import sys
    from pathlib import Path
    from odd_detector import OddOptions
    from fauxto.scan import local
    from fauxto.scan.items import Item

    items = [Item(name, name, b"x", 1) for name in ("good-1", "slow-1", "good-2")]
    for row in local.run(items, OddOptions(Path(sys.argv[1]), seconds=0.5), 1):
        print(row.key, row.status, flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no job control")
def test_a_scan_that_sleeps_takes_no_picture_for_late(tmp_path: Path) -> None:
    (tmp_path / "stopped.py").write_text(STOPPED)
    scan = subprocess.Popen(
        [sys.executable, str(tmp_path / "stopped.py"), str(tmp_path)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]),
        },
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert scan.stdout is not None
    said = scan.stdout.readline()
    while not (tmp_path / "slow-1").exists():  # it is being judged, for two seconds
        time.sleep(0.05)
    os.killpg(scan.pid, signal.SIGSTOP)  # as Ctrl-Z: every process of the group gets it
    time.sleep(8)
    os.killpg(scan.pid, signal.SIGCONT)
    said += scan.communicate(timeout=100)[0]
    assert said.splitlines() == ["good-1 ok", "slow-1 ok", "good-2 ok"]


@pytest.mark.parametrize(("names", "starts"), [(["good-1", "model-1", "good-2"], True), (["good-1"], False)])
def test_what_no_picture_would_survive_ends_the_scan(
    odd: ModuleType, tmp_path: Path, names: list[str], starts: bool
) -> None:
    with pytest.raises(FauxtoError, match="the network fails" if starts else "can't start"):
        list(local.run(items(*names), odd.OddOptions(tmp_path, starts=starts), 1))
    assert multiprocessing.active_children() == []


def test_a_worker_that_is_killed_as_it_starts_is_replaced_a_few_times(odd: ModuleType, tmp_path: Path) -> None:
    rows = local.run(items("good-1", "good-2"), odd.OddOptions(tmp_path, killed_starts=2), 1)
    assert said(rows) == {"good-1": "ok", "good-2": "ok"}
    with pytest.raises(FauxtoError, match="are killed as they start; do they lack memory"):
        list(local.run(items("good-1"), odd.OddOptions(tmp_path, killed_starts=99), 1))
    assert multiprocessing.active_children() == []


def test_inputs_are_taken_only_as_they_are_judged(odd: ModuleType, tmp_path: Path) -> None:
    taken: Counter[str] = Counter()

    def endless() -> Iterator[Item]:
        while True:
            taken["items"] += 1
            yield Item(str(taken["items"]), "good", b"x", 1)

    rows = local.run(endless(), odd.OddOptions(tmp_path), 2)
    for _ in range(50):
        next(rows)
    ahead = taken["items"] - 50
    rows.close()
    assert ahead <= 3 * local._ITEMS + local._ITEMS
    assert multiprocessing.active_children() == []


def test_a_handful_holds_no_more_than_some_megabytes() -> None:
    large = [Item(str(number), "", b"", 20 * 1024 * 1024) for number in range(8)]
    assert [len(handful) for handful in local._handfuls(large)] == [1, 2, 2, 2, 1]
    assert [len(handful) for handful in local._handfuls(items(*map(str, range(30))))] == [1, 2, 4, 8, 8, 7]


def test_no_input_starts_no_process(odd: ModuleType, tmp_path: Path) -> None:
    assert list(local.run([], odd.OddOptions(tmp_path, starts=False), 2)) == []


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals that go to a thread")
def test_ctrl_c_waits_until_a_process_has_started_whichever_thread_it_comes_to() -> None:
    done, started = threading.Event(), []
    thread = threading.Thread(target=done.wait)
    thread.start()

    def interrupted_start() -> None:
        with local._without_ctrl_c():
            signal.pthread_kill(thread.ident, signal.SIGINT)
            time.sleep(0.2)
            started.append(True)

    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted_start()
    finally:
        done.set()
        thread.join()
    assert started
