"""What `make app` says while it installs, and where it can't; a stand-in takes pip's place."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a POSIX shell installs")


def install(folder: Path, pip: str, python: str = "true") -> subprocess.CompletedProcess[str]:
    """Install `app` into `folder`, where `pip` is the shell's code of `python -m pip install`."""
    program = folder / "bin/python"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$3" = install ] || exit 0\n{pip}\n')
    program.chmod(0o755)
    (folder / "lib/python3.11/site-packages/pandas/tests").mkdir(parents=True)
    command = ["sh", "requirements/install.sh", python, str(folder), "app"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_it_says_what_it_installs_what_it_downloads_and_how_much_that_is(tmp_path: Path) -> None:
    ended = install(tmp_path, "echo Collecting numpy; echo '  Downloading numpy-2.whl (16.8 MB)'; echo noise")
    assert (ended.returncode, ended.stderr) == (0, "")
    first, *downloads, last = ended.stdout.splitlines()
    assert "0.6 GB" in first
    assert "ONNX Runtime" in first
    assert downloads == ["  numpy-2.whl (16.8 MB)"] * 2  # pip is called twice
    assert last.startswith(f"Installed; {tmp_path} takes ")
    assert [path.name for path in (tmp_path / "lib/python3.11/site-packages").rglob("*")] == ["pandas"]


@pytest.mark.parametrize(
    ("pip", "sentence"),
    [
        ("echo 'WARNING: Retrying after connection broken by NewConnectionError'; exit 1", "no package index can be"),
        ("echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES'; exit 1", "can't install what requirements/app.lock"),
    ],
)
def test_what_went_wrong_with_pip_is_one_sentence(tmp_path: Path, pip: str, sentence: str) -> None:
    ended = install(tmp_path, pip)
    assert ended.returncode != 0
    assert sentence in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "install.log" in ended.stderr


@pytest.mark.parametrize(
    ("python", "sentence"), [("no-such-python", "there is no 'no-such-python'"), ("false", "'false' is older than")]
)
def test_the_interpreter_is_named_where_it_wont_do(tmp_path: Path, python: str, sentence: str) -> None:
    ended = install(tmp_path, "exit 1", python)
    assert ended.returncode != 0
    assert sentence in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "make PYTHON=" in ended.stderr


def test_what_judges_pictures_is_installed_without_what_trains() -> None:
    packages = {
        name: {line.partition("==")[0] for line in (ROOT / f"requirements/{name}.lock").read_text().splitlines()}
        for name in ("app", "lab")
    }
    trains = {"tensorflow", "tensorflow-cpu", "keras", "scikit-learn", "matplotlib"}
    assert not packages["app"] & trains
    assert packages["lab"] >= trains
    assert packages["app"] >= {"onnxruntime", "streamlit", "pillow-heif"}
