"""A base install: judging works, and whatever needs an extra says which."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
LABORATORY = ("keras", "matplotlib", "onnx", "pandas", "pyarrow", "scipy", "sklearn", "tensorflow", "tf2onnx")
EXTRAS = ("pillow_heif", "streamlit", "fastapi", "fsspec", "ray", *LABORATORY)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command line in an interpreter that can't find the extras' packages."""
    script = f"import sys; sys.modules.update(dict.fromkeys({EXTRAS!r})); from fauxto.cli import main; main()"
    return subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=120)


def test_a_base_install_judges(tmp_path: Path) -> None:
    Image.new("RGB", (32, 32)).save(tmp_path / "black.png")
    ended = run("check", "--model", str(GOLDEN), str(tmp_path / "black.png"))
    assert (ended.returncode, ended.stderr) == (0, "")


def test_judging_leaves_nothing_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, picture = tmp_path / "home", tmp_path / "black.png"
    home.mkdir()
    Image.new("RGB", (32, 32)).save(picture)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    for variable in ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert run("check", "--model", str(GOLDEN), str(picture)).returncode == 0
    assert list(home.rglob("*")) == []


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        ("app", "app"),
        ("serve", "serve"),
        ("scan SOURCE --out OUT.parquet", "export"),
        ("scan s3://bucket --out OUT.csv", "scale"),
        ("scan SOURCE --out OUT.csv --engine ray", "scale"),
        ("data import cifake SOURCE --out OUT", "lab"),
        ("data import folders REAL AI --out OUT", "lab"),
        ("data audit FOLDER", "lab"),
        ("data explore FOLDER --out OUT", "lab"),
        ("train --network paper-cnn --data FOLDER --run RUN", "lab"),
        ("evaluate RUN --data FOLDER", "lab"),
        ("evaluate --real FOLDER --ai FOLDER", "lab"),
        ("calibrate RUN --data FOLDER", "lab"),
        ("pack RUN --out OUT --summary Toy.", "lab"),
    ],
)
def test_a_missing_extra_is_named(command: str, extra: str) -> None:
    ended = run(*command.split())
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.endswith(f" needs the extra '{extra}': pip install '.[{extra}]' in fauxto's checkout\n")
    assert ended.stderr.count("\n") == 1
