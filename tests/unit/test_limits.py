"""The limit on processor time, by the process that it ends."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from fauxto.limits import CLOCK_FACTOR, Limits, took_too_long

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no such timer")

SCRIPT = """
import sys, threading, time
from fauxto.limits import processor_time

def spin(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass

with processor_time(0.2):
    {inside}
spin(0.4)  # outside nothing is limited
print("done")
"""


@pytest.mark.parametrize(
    ("inside", "ends"),
    [
        ("pass", False),
        ("time.sleep(0.4)", False),
        ("spin(9)", True),
        ("thread = threading.Thread(target=spin, args=(9,)); thread.start(); thread.join()", True),
        ("import re; re.match('(a|a)*$', 'a' * 60 + 'b')", True),  # C code that never returns to Python
    ],
)
def test_a_process_ends_when_it_has_used_its_time(inside: str, ends: bool) -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT.format(inside=inside)], capture_output=True, text=True)
    assert took_too_long(ended.returncode) == ends
    assert (ended.stdout, ended.stderr) == ("" if ends else "done\n", "")


def test_other_ends_are_told_apart() -> None:
    assert not any(took_too_long(code) for code in (None, 0, 1, -signal.SIGKILL, signal.SIGPROF))


def test_the_clock_gives_a_busy_machine_time() -> None:
    assert Limits(max_seconds=3).clock_seconds == 3 * CLOCK_FACTOR
