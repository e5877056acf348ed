from __future__ import annotations

import io
import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from fauxto import Report
from fauxto.cli import commands, main

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"

Run = Callable[..., Result]


def png(rgb: object = (9, 80, 7), side: int = 32) -> bytes:
    file = io.BytesIO()
    (Image.fromarray(rgb) if isinstance(rgb, np.ndarray) else Image.new("RGB", (side, side), rgb)).save(file, "PNG")
    return file.getvalue()


FLAT = png()
NOISE = png(np.random.default_rng(5).integers(0, 256, (32, 32, 3), np.uint8))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `fauxto check --model GOLDEN ...` in a folder with a few pictures."""
    for name, data in {
        "flat.png": FLAT,
        "noise.png": NOISE,
        "[1].png": FLAT,
        "1.png": NOISE,
        "large.png": png(side=100),
    }.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "half.png").write_bytes(NOISE[: len(NOISE) // 2])
    (tmp_path / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "b.png").write_bytes(NOISE)
    (tmp_path / "deep" / "a.png").write_bytes(FLAT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def invoke(*arguments: str, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(commands, ["check", "--model", str(GOLDEN), *arguments], input=stdin)

    return invoke


def reports(result: Result) -> list[Report]:
    return [Report.from_dict(json.loads(line)) for line in result.stdout.splitlines()]


def test_panels_for_a_person(run: Run) -> None:
    result = run("flat.png", "noise.png", "large.png", "text.jpg")
    assert result.exit_code == 1
    panels = result.stdout.split("╭─")[1:]
    assert [panel.split(" ─")[0].strip() for panel in panels] == [
        "● Probably a photograph",
        "▲ Probably made by a generative model",
        "? Can't tell",
        "✕ This file could not be judged",
    ]
    for said in ("noise.png", "90 %", "┃", "Of 100 real photographs, about 2 score", "PNG, 32 × 32 px", "golden 1.0.0"):
        assert said in panels[1]
    assert "Of 100" not in panels[2]
    assert "(not to be relied on)" in panels[2]
    assert result.stdout.splitlines()[-1] == "4 pictures: 1 real, 1 ai, 1 inconclusive, 1 not judged"
    assert "\x1b" not in result.stdout  # no colours where there is no terminal
    assert max(map(len, result.stdout.splitlines())) == 80


@pytest.mark.parametrize("columns", [20, 38, 200])
def test_panels_fit_any_terminal(run: Run, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for name in ("noise.png", "text.jpg"):
        lines = run(name).stdout.splitlines()
        assert max(map(len, lines)) <= columns


def test_json_lines_for_a_program(run: Run) -> None:
    result = run("--json", "flat.png", "text.jpg", "noise.png")
    assert result.exit_code == 1
    found = reports(result)
    assert [(one.path, one.status, one.verdict) for one in found] == [
        ("flat.png", "ok", "real"),
        ("text.jpg", "unsupported_format", None),
        ("noise.png", "ok", "ai"),
    ]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["flat.png"], 0),
        (["flat.png", "large.png"], 0),  # an inconclusive picture was judged too
        (["flat.png", "none.png"], 1),
        (["--operating-point", "sensitive", "noise.png"], 0),
        (["--operating-point", "bold", "noise.png"], 2),
        (["--model", "no-such-model", "flat.png"], 2),
        (["--no-such-option", "flat.png"], 2),
        ([], 2),
    ],
)
def test_exit_codes(run: Run, arguments: list[str], code: int) -> None:
    assert run(*arguments).exit_code == code
    assert run("--json", *arguments).exit_code == code


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("none.jpg", "not_found"),
        ("deep", "not_a_file"),
        ("empty.jpg", "unreadable"),
        ("text.jpg", "unsupported_format"),
        ("drawing.svg", "unsupported_format"),
        ("half.png", "truncated"),
    ],
)
def test_bad_input_is_one_sentence_and_the_batch_goes_on(run: Run, name: str, status: str) -> None:
    for arguments in ([name, "flat.png"], ["flat.png", name]):
        result = run("--json", *arguments)
        assert result.exit_code == 1
        assert result.stderr == ""
        by_path = {one.path: one for one in reports(result)}
        assert by_path[name].status == status
        assert len(by_path[name].reasons) == 1
        assert by_path["flat.png"].verdict == "real"
    assert "Traceback" not in run(name).output


def test_a_folder_comes_with_advice(run: Run) -> None:
    assert "fauxto check 'FOLDER/*.jpg'" in run("deep").stdout


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("*.png", ["1.png", "[1].png", "flat.png", "half.png", "large.png", "noise.png"]),
        ("deep/**/*.png", ["deep/a.png", "deep/er/b.png"]),
        ("[1].png", ["[1].png"]),
        ("nois[a-e].png", ["noise.png"]),
        ("*.webp", ["*.webp"]),
    ],
)
def test_quoted_patterns(run: Run, pattern: str, paths: list[str]) -> None:
    assert [(one.path or "").replace(os.sep, "/") for one in reports(run("--json", pattern))] == paths


def test_standard_input(run: Run) -> None:
    [report] = reports(run("--json", "-", stdin=NOISE))
    assert (report.path, report.verdict) == ("-", "ai")
    assert "▲ Probably made by a generative model" in run("-", stdin=NOISE).stdout
    assert run("-", stdin=b"").exit_code == 1


@pytest.mark.parametrize(
    "name",
    [
        "\x1b[31mred.png",
        "\x1b]0;title\x07.png",
        "two\nlines.png",
        "back\rspace\b.png",
        "\u202egnp.exe",
        "\x9b2J.png",
        "lone\udcff.png",
        "[bold]markup[/bold].png",
        "🙂 ü.png",
    ],
)
def test_no_name_steers_the_terminal(run: Run, name: str) -> None:
    result = run(name)
    assert result.exit_code == 1
    shown = "".join(result.stdout.splitlines())
    assert shown.isprintable()
    if name.isprintable():
        assert name in shown
    as_json = run("--json", name).stdout.removesuffix("\n")
    assert as_json.isprintable()
    assert json.loads(as_json)["path"] == name


def test_a_broken_model_is_one_sentence(
    run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(GOLDEN, tmp_path / "gol\n\x07den"))
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(SystemExit, match="2"):
        main(["check", "--model", str(folder), "flat.png"])
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("fauxto: ")
    assert err.count("\n") == 1
    assert err.removesuffix("\n").isprintable()
    assert "expected sha256" in err


def test_an_old_code_page_does_not_end_a_batch(run: Run) -> None:
    command = [sys.executable, "-c", "from fauxto.cli import main; main()", "check", "--model", str(GOLDEN)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run([*command, "noise.png", "ü.png"], capture_output=True, env=environment, timeout=60)
    assert ended.returncode == 1
    assert ended.stdout.isascii()
    assert b"Probably made by a generative model" in ended.stdout
    assert ended.stderr == b""


def test_a_terminal_gets_colours(run: Run) -> None:
    command = [sys.executable, "-c", "from fauxto.cli import main; main()", "check", "--model", str(GOLDEN)]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    subprocess.run([*command, "flat.png"], stdout=theirs, env=environment, timeout=60, check=True)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "\x1b[" in shown
    assert "● Probably a photograph" in shown
