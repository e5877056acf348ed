"""Ctrl-C where Python drops exceptions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from fauxto import cli

DROPPED = """
import time
from fauxto.cli.interruption import keep_interrupts

class Last:
    def __del__(self):
        raise {error}

keep_interrupts()
Last()
time.sleep({seconds})
print("went on")
"""


def ended(error: str, seconds: float, start: str = "") -> subprocess.CompletedProcess[str]:
    program = start + DROPPED.format(error=error, seconds=seconds)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=False)


IGNORED = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
"""


@pytest.mark.parametrize(
    ("error", "start"), [("KeyboardInterrupt", ""), ("SystemExit", ""), ("KeyboardInterrupt", IGNORED)]
)
def test_an_interrupt_that_a_destructor_swallowed_comes_again(error: str, start: str) -> None:
    done = ended(error, 90, start)
    assert done.returncode != 0
    assert "went on" not in done.stdout
    assert "Exception ignored" not in done.stderr


def test_other_errors_of_destructors_are_shown_as_ever() -> None:
    done = ended("ValueError('odd')", 0)
    assert (done.returncode, done.stdout) == (0, "went on\n")
    assert "ValueError: odd" in done.stderr


def test_the_command_line_keeps_interrupts_from_its_first_import_on() -> None:
    program = "import sys, fauxto.cli as cli; cli.keep_interrupts(); print(type(sys.unraisablehook.others).__name__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "builtin_function_or_method\n"  # taken over once


def raising(error: ImportError, cause: BaseException | None) -> Callable[..., None]:
    def commands(**_: object) -> None:
        raise error from cause

    return commands


def test_an_interrupt_that_broke_the_import_of_a_library_is_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    between = RuntimeError("loading failed")
    between.__context__ = KeyboardInterrupt()
    for cause in (KeyboardInterrupt(), between):
        monkeypatch.setattr(cli, "commands", raising(ImportError("initialization failed"), cause))
        with pytest.raises(SystemExit) as ended:
            cli.main([])
        assert ended.value.code == 130
    monkeypatch.setattr(cli, "commands", raising(ImportError("no such library"), None))
    with pytest.raises(ImportError, match="no such library"):
        cli.main([])
