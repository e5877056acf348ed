"""`fauxto check --explain MAP.png --report FILE`: one picture, a map with its test's outcome, a report."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pypdf
import pytest
from typer.testing import CliRunner, Result

from fauxto.cli import commands
from fauxto.explain import Deletion, Explanation

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"

Run = Callable[..., Result]


def png(rgb: np.ndarray) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(rgb).save(file, "PNG")
    return file.getvalue()


def rough_corner() -> bytes:
    """A smooth slope with one rough quarter; the golden network takes rough pictures for generated ones."""
    y, x = np.mgrid[:64, :64]
    rgb = np.stack([2 * x, 2 * y, x + y], axis=-1).astype(np.uint8)
    rgb[:32, :32] = np.random.default_rng(5).integers(0, 256, (16, 16, 1), np.uint8).repeat(2, 0).repeat(2, 1)
    return png(rgb)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `fauxto check --model GOLDEN ...` in a folder with a few pictures."""
    (tmp_path / "rough.png").write_bytes(rough_corner())
    (tmp_path / "large.png").write_bytes(png(np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)))
    (tmp_path / "text.jpg").write_text("no picture")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def invoke(*arguments: str, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(commands, ["check", "--model", str(GOLDEN), *arguments], input=stdin)

    return invoke


def test_a_map_and_a_report(run: Run) -> None:
    result = run("--json", "--explain", "map.png", "--report", "out.html", "rough.png")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["path"] == "rough.png"  # what is said of the map doesn't get between
    assert "map.png: orange points to a generated picture" in result.stderr
    assert "This map was tested and" in result.stderr
    drawn = np.asarray(PIL.Image.open("map.png")).astype(int)
    assert drawn.shape == (1600, 1600, 3)
    redness = drawn[..., 0] - drawn[..., 2]
    assert redness[:700, :700].mean() > redness[900:, 900:].mean() + 10
    page = Path("out.html").read_text()
    assert "Where the score comes from" in page
    assert page.count('src="data:image/') == 2
    assert run("--report", "out.pdf", "rough.png").stderr == ""
    [sheet] = pypdf.PdfReader("out.pdf").pages
    assert "rough.png" in sheet.extract_text()
    assert "Where the score comes from" not in sheet.extract_text()


def test_a_map_that_failed_is_written_when_asked_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(rgb: np.ndarray, detector: object, shape: object) -> Explanation:
        return Explanation(np.eye(4, dtype=np.float32), Deletion(0.25, 1.0, 0.9, 1.1, (0.5,)))

    monkeypatch.setattr("fauxto.cli.case_file.explain", fails)
    result = run("--explain", "map.png", "--report", "out.html", "rough.png")
    assert result.exit_code == 0, result.output
    assert "No map was written; --explain-anyway" in result.stderr
    assert "no part of the picture explains the score" in result.stderr
    assert not Path("map.png").exists()
    result = run("--explain", "map.png", "--explain-anyway", "--report", "out.html", "rough.png")
    assert "map.png: orange points to a generated picture" in result.stderr
    assert "no part of the picture explains the score" in result.stderr
    with PIL.Image.open("map.png") as drawn:
        assert drawn.size == (1600, 1600)
    page = Path("out.html").read_text()
    assert page.count('src="data:image/') == 1  # the picture alone
    assert "no part of the picture explains the score" in page


def test_standard_input(run: Run) -> None:
    result = run("--explain", "map.png", "--report", "out.html", "-", stdin=rough_corner())
    assert result.exit_code == 0, result.output
    assert Path("map.png").exists()
    assert Path("out.html").exists()


@pytest.mark.parametrize(("name", "code"), [("large.png", 0), ("text.jpg", 1), ("absent.jpg", 1)])
def test_where_there_is_nothing_to_explain_the_report_says_why(run: Run, name: str, code: int) -> None:
    result = run("--explain", "map.png", "--report", "out.html", name)
    assert result.exit_code == code
    assert "No map: the model wasn't made for pictures like this one" in result.stderr
    assert not Path("map.png").exists()
    assert name in Path("out.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--explain", "map.png", "rough.png", "large.png"], "take one picture"),
        (["--report", "out.pdf", "*.png"], "take one picture"),
        (["--explain", "map.jpg", "rough.png"], "needs that ending"),
        (["--report", "out.docx", "rough.png"], "needs that ending"),
        (["--examiner", "Ann", "rough.png"], "name its file with --report"),
        (["--explain", "rough.png", "rough.png"], "would overwrite the picture"),
        (["--explain", "no/such/folder/map.png", "rough.png"], "No such file or directory"),
    ],
)
def test_wrong_commands_are_one_sentence_and_write_nothing(run: Run, arguments: list[str], said: str) -> None:
    before = {path.name: path.read_bytes() for path in Path().iterdir()}
    result = run(*arguments)
    assert result.exit_code in (1, 2)
    assert said in (result.stderr or str(result.exception))
    assert {path.name: path.read_bytes() for path in Path().iterdir()} == before


def test_a_crop_is_judged_alone_and_shown(run: Run) -> None:
    result = run("--crop", "0,0,32,32", "--json", "--explain", "map.png", "--explain-anyway", "rough.png")
    assert result.exit_code == 0, result.output
    plain = json.loads(result.stdout)
    assert plain["crop"] == {"x": 0, "y": 0, "width": 32, "height": 32}
    assert any(reason.startswith("crop: only the part that was asked for") for reason in plain["reasons"])
    assert plain["image"]["width"] == 64
    assert plain["probability"] != json.loads(run("--json", "rough.png").stdout)["probability"]
    panel = " ".join(run("--crop", "0,0,32,32", "--report", "out.html", "rough.png").stdout.replace("│", " ").split())
    assert "Only the part that was asked for was judged: 32 x 32 px at x 0, y 0." in panel
    assert "Part that was judged" in Path("out.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("crop", "says"),
    [
        ("40,0,32,32", "reaches beyond the picture of 64 x 64 px"),
        ("0,0,0,9", "width and height 1 or more"),
        ("1,2,3", "isn't four whole numbers"),
        ("a,b,c,d", "isn't four whole numbers"),
        ("0,0,1.5,9", "isn't four whole numbers"),
    ],
)
def test_a_crop_that_is_none_is_a_wrong_command(run: Run, crop: str, says: str) -> None:
    result = run("--crop", crop, "rough.png")
    assert result.exit_code == 2
    assert says in " ".join((result.stderr + str(result.exception)).replace("│", " ").split())


def test_a_crop_is_of_one_picture(run: Run) -> None:
    result = run("--crop", "0,0,32,32", "rough.png", "large.png")
    assert result.exit_code != 0
    assert "--crop, --explain and --report take one picture" in result.stderr + str(result.exception)
