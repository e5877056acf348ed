"""What TensorFlow notes about this processor reaches no one, and all else does."""

from __future__ import annotations

import os
import sys

import pytest

from fauxto.lab.backend import without_notes

NOTES = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    "I0000 00:00:1795736579.930430   17112 port.cc:153] oneDNN custom operations are on.\n"
    "To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow.\n"
)
ERROR = "E0000 00:00:1795736579.930430   17112 port.cc:153] it failed\n"


def test_notes_are_dropped_and_errors_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with without_notes():
        os.write(2, (NOTES + ERROR).encode())
        sys.stderr.write("a warning\n")
    os.write(2, b"after\n")
    assert sorted(capfd.readouterr().err.splitlines()) == sorted([ERROR.strip(), "a warning", "after"])


def _fail() -> None:
    with without_notes():
        os.write(2, ERROR.encode())
        raise KeyError


def test_an_exception_comes_through(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError):
        _fail()
    assert capfd.readouterr().err == ERROR
