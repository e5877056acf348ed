from __future__ import annotations

import dataclasses
import errno
import io
import json
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner, Result

from fauxto import Basis, Report, bundles
from fauxto.cli import commands, main
from fauxto.cli.report_line import report_line

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"

Run = Callable[..., Result]


def png(rgb: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG")
    return file.getvalue()


def slope(side: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[:side, :side]
    return np.stack([2 * x, 2 * y, x], axis=-1).astype(np.uint8)


# The golden network takes rough pictures for generated ones.
SMOOTH = png(slope(32))
ROUGH = png(np.random.default_rng(5).integers(0, 256, (16, 16, 1), np.uint8).repeat(2, 0).repeat(2, 1).repeat(3, 2))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `fauxto check --model GOLDEN ...` in a folder with a few pictures."""
    for name, data in {
        "smooth.png": SMOOTH,
        "rough.png": ROUGH,
        "[1].png": SMOOTH,
        "1.png": ROUGH,
        "large.png": png(slope(100)),
    }.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "half.png").write_bytes(ROUGH[: len(ROUGH) // 2])
    (tmp_path / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "hollow").mkdir()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "b.png").write_bytes(ROUGH)
    (tmp_path / "deep" / "a.png").write_bytes(SMOOTH)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def invoke(*arguments: str, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(commands, ["check", "--model", str(GOLDEN), *arguments], input=stdin)

    return invoke


def reports(result: Result) -> list[Report]:
    return [Report.from_dict(json.loads(line)) for line in result.stdout.splitlines()]


def test_panels_for_a_person(run: Run) -> None:
    result = run("--full", "smooth.png", "rough.png", "large.png", "text.jpg")
    assert result.exit_code == 1
    panels = result.stdout.split("╭─")[1:]
    assert [panel.split(" ─")[0].strip() for panel in panels] == [
        "● Probably a photograph",
        "▲ Probably made by a generative model",
        "? Can't tell",
        "✕ This file could not be judged",
    ]
    for said in ("rough.png", "87 %", "┃", "How many photographs score this high", "PNG, 32 × 32 px", "golden 1.0.0"):
        assert said in panels[1]
    assert "score this high" not in panels[2]
    assert "(not reliable)" in panels[2]
    assert result.stdout.splitlines()[-1] == "4 pictures: 1 real, 1 ai, 1 inconclusive, 1 not judged"
    assert "\x1b" not in result.stdout  # no colours where there is no terminal
    assert max(map(len, result.stdout.splitlines())) == 80


@pytest.mark.parametrize("columns", [20, 38, 200])
def test_panels_fit_any_terminal(run: Run, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for name in ("rough.png", "text.jpg"):
        lines = run(name).stdout.splitlines()
        assert max(map(len, lines)) <= columns


def test_json_lines_for_a_program(run: Run) -> None:
    result = run("--json", "smooth.png", "text.jpg", "rough.png")
    assert result.exit_code == 1
    found = reports(result)
    assert [(one.path, one.status, one.verdict) for one in found] == [
        ("smooth.png", "ok", "real"),
        ("text.jpg", "unsupported_format", None),
        ("rough.png", "ok", "ai"),
    ]


def test_the_largest_model_of_its_own_choice_is_opened_ahead(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("fauxto.bundles.model.open_ahead", asked.append)
    assert run("smooth.png").exit_code == 0
    assert asked == []  # --model names another
    assert CliRunner().invoke(commands, ["check", "smooth.png"]).exit_code == 0
    assert asked == [max(bundles.DEFAULTS, key=lambda name: len(bundles.load(name).model))]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["smooth.png"], 0),
        (["smooth.png", "large.png"], 0),  # an inconclusive picture was judged too
        (["smooth.png", "none.png"], 1),
        (["--operating-point", "sensitive", "rough.png"], 0),
        (["--operating-point", "bold", "rough.png"], 2),
        (["--model", "no-such-model", "smooth.png"], 2),
        (["--no-such-option", "smooth.png"], 2),
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
        ("pipe", "not_a_file"),
        ("hollow", "not_found"),
        ("https://example.org/a.png", "not_found"),
        ("empty.jpg", "unreadable"),
        ("text.jpg", "unsupported_format"),
        ("drawing.svg", "unsupported_format"),
        ("half.png", "truncated"),
    ],
)
def test_bad_input_is_one_sentence_and_the_batch_goes_on(run: Run, name: str, status: str) -> None:
    for arguments in ([name, "smooth.png"], ["smooth.png", name]):
        result = run("--json", *arguments)
        assert result.exit_code == 1
        assert result.stderr == ""
        by_path = {one.path: one for one in reports(result)}
        assert by_path[name].status == status
        assert len(by_path[name].reasons) == 1
        assert by_path["smooth.png"].verdict == "real"
    assert "Traceback" not in run(name).output


def test_four_pictures_get_a_line_each(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")  # a line is never cut nor broken
    result = run("smooth.png", "rough.png", "large.png", "text.jpg", "none.png")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "● real                  4 %  smooth.png",
        "▲ ai                   87 %  rough.png",
        "? inconclusive               large.png  (out of domain)",
        "✕ not judged                 text.jpg  (unsupported format)",
        "✕ not judged                 none.png  (not found)",
        "5 pictures: 1 real, 1 ai, 1 inconclusive, 2 not judged; --full shows why",
    ]
    assert run("smooth.png", "rough.png", "1.png").stdout.count("╭") == 3
    for option in ("--full", "--evidence"):
        assert run(option, *["smooth.png"] * 4).stdout.count("╭") == 4
    assert len(reports(run("--json", *["smooth.png"] * 4))) == 4


def test_a_line_says_what_a_verdict_rests_on_but_the_pixels(full_report: Report) -> None:
    assert report_line(full_report).plain == "▲ ai                   97 %  album/holiday.jpg  (declared metadata)"
    assert report_line(dataclasses.replace(full_report, path="a\nb\x1b[1m")).plain.isprintable()


def test_a_line_says_that_a_part_was_judged(full_report: Report) -> None:
    report = dataclasses.replace(full_report, basis=Basis.PIXELS)
    assert "(a part of it)" in report_line(report).plain
    assert "part" not in report_line(dataclasses.replace(report, crop=None)).plain


def test_a_folder_is_judged_as_a_scan_would(run: Run) -> None:
    Path("deep/.DS_Store").write_bytes(b"\0")
    Path("deep/notes.txt").write_text("no picture")
    for folder in ("deep", "dee*", "deep/**"):
        result = run("--json", folder, "hollow")
        assert result.exit_code == 1
        assert [(one.path, one.status) for one in reports(result)] == [
            ("deep/a.png", "ok"),
            ("deep/er/b.png", "ok"),
            ("deep/notes.txt", "unsupported_format"),
            ("hollow", "not_found"),
        ]
    assert "The folder holds no file." in run("hollow").stdout


def test_an_address_comes_with_the_command_that_fetches_it(run: Run) -> None:
    shown = " ".join(run("https://example.org/a.png?b=1&c=$(d)").stdout.replace("│", " ").split())
    assert "is an address, and fauxto fetches none" in shown
    assert "curl -sL 'https://example.org/a.png?b=1&c=$(d)' | fauxto check -" in shown


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["smooth.png"], "fauxto check smooth.png"),
        (["two words.jpg", "b.jpg"], "fauxto check 'two words.jpg'"),
        (["deep"], "fauxto check deep"),
        (["https://example.org/a"], "curl -sL https://example.org/a | fauxto check -"),
    ],
)
def test_a_picture_in_the_place_of_a_command(
    run: Run, capsys: pytest.CaptureFixture[str], words: list[str], command: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert capsys.readouterr().err == f"fauxto: {words[0]!r} isn't a command; to judge it: {command}\n"


def test_a_mistyped_command_is_not_taken_for_a_picture(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["chekc"])
    assert "No such command 'chekc'" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["check --model ", "models ", "evaluate ", "scan --model "])
def test_names_of_models_are_completed(words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "phototypes").mkdir()
    monkeypatch.chdir(tmp_path)
    environment = {"COMP_WORDS": f"fauxto {words}pho", "COMP_CWORD": str(len(words.split()) + 1)}
    asked = CliRunner().invoke(commands, prog_name="fauxto", env={**environment, "_FAUXTO_COMPLETE": "complete_bash"})
    assert asked.stdout.split() == ["photos", "phototypes/"]


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("*.png", ["1.png", "[1].png", "half.png", "large.png", "rough.png", "smooth.png"]),
        ("deep/**/*.png", ["deep/a.png", "deep/er/b.png"]),
        ("[1].png", ["[1].png"]),
        ("roug[f-j].png", ["rough.png"]),
        ("*.webp", ["*.webp"]),
    ],
)
def test_quoted_patterns(run: Run, pattern: str, paths: list[str]) -> None:
    assert [(one.path or "").replace(os.sep, "/") for one in reports(run("--json", pattern))] == paths


def test_standard_input(run: Run) -> None:
    [report] = reports(run("--json", "-", stdin=ROUGH))
    assert (report.path, report.verdict) == ("-", "ai")
    assert "▲ Probably made by a generative model" in run("-", stdin=ROUGH).stdout
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
        main(["check", "--model", str(folder), "smooth.png"])
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("fauxto: ")
    assert err.count("\n") == 1
    assert err.removesuffix("\n").isprintable()
    assert "expected sha256" in err


def test_an_old_code_page_does_not_end_a_batch(run: Run) -> None:
    command = [sys.executable, "-c", "from fauxto.cli import main; main()", "check", "--model", str(GOLDEN)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run([*command, "rough.png", "ü.png"], capture_output=True, env=environment, timeout=60)
    assert ended.returncode == 1
    assert ended.stdout.isascii()
    assert b"Probably made by a generative model" in ended.stdout
    assert ended.stderr == b""


@pytest.mark.parametrize("no_color", [False, True])
def test_a_terminal_gets_colours_unless_it_wants_none(run: Run, no_color: bool) -> None:
    command = [sys.executable, "-c", "from fauxto.cli import main; main()", "check", "--model", str(GOLDEN)]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    if no_color:
        environment["NO_COLOR"] = "1"
    subprocess.run([*command, *["smooth.png"] * 4], stdout=theirs, env=environment, timeout=60, check=True)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert bool(re.search(r"\x1b\[[\d;]*[34]\d", shown)) is not no_color
    assert shown.count("● real") == 4


FAUXTO = [sys.executable, "-c", "from fauxto.cli import main; main()"]


def test_an_output_that_cannot_be_written_is_one_sentence(run: Run) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [*FAUXTO, "check", "--json", "--model", str(GOLDEN), "smooth.png"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert ended.returncode == 2
    assert ended.stderr.decode() == f"fauxto: {os.strerror(errno.ENOSPC)}\n"


def test_a_reader_that_goes_away_ends_it_quietly(run: Run) -> None:
    command = [*FAUXTO, "check", "--json", "--model", str(GOLDEN), *["smooth.png"] * 2000]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(60) != 0
    assert said == b""


def test_closed_standard_input_cannot_be_read(run: Run) -> None:
    command = f"exec {shlex.join([*FAUXTO, 'check', '--json', '--model', str(GOLDEN), '-'])} <&-"
    ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert json.loads(ended.stdout)["status"] == "unreadable"


@pytest.mark.slow
def test_a_batch_that_is_interrupted_leaves_whole_lines(run: Run) -> None:
    command = [*FAUXTO, "check", "--json", "--model", str(GOLDEN), *["smooth.png", "rough.png"] * 5000]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        said = process.stderr.read()
        assert process.wait(60) != 0
    assert b"Traceback" not in said
    assert (first + rest).endswith(b"\n")
    found = [Report.from_dict(json.loads(line)) for line in (first + rest).splitlines()]
    assert 0 < len(found) < 10_000
    assert [one.path for one in found] == (["smooth.png", "rough.png"] * 5000)[: len(found)]


def test_judging_opens_no_network_connection(run: Run, photograph_files: dict[str, Path]) -> None:
    """In a fresh process: nor does any import."""
    script = """
import sys

def refuse(event, arguments):
    if event.startswith("socket.") and event != "socket.__new__":
        raise AssertionError(f"{event} {arguments}")

sys.addaudithook(refuse)
import socket
try:
    socket.create_connection(("127.0.0.1", 9))
except AssertionError:
    pass
else:
    sys.exit("the guard doesn't work")

from fauxto import Detector
from fauxto.cli import main

bundle, *paths = sys.argv[1:]
detector = Detector(bundle)
assert all(report.status == "ok" for report in [*map(detector.analyze, paths), *detector.analyze_many(paths)])
main(["check", "--model", bundle, *paths])
"""
    paths = [*map(str, photograph_files.values()), "smooth.png"]
    ended = subprocess.run([sys.executable, "-c", script, str(GOLDEN), *paths], capture_output=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, b"")
