"""`fauxto traces`: pictures of traces, and what can't be drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from fauxto.cli import commands, main

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `fauxto traces` in a folder with noise with a wave in it, a picture with a pasted part, and a tiny one."""
    monkeypatch.chdir(tmp_path)
    rows, columns = np.mgrid[:300, :400]
    noise = np.random.default_rng(4).normal(128, 8, rows.shape) + 8 * np.cos(
        2 * np.pi * (0.25 * columns + 0.125 * rows)
    )
    picture = PIL.Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8)).convert("RGB")
    picture.save("wave.png")
    picture.resize((20, 20)).save("tiny.png")
    picture.save("saved.jpg", quality=60)
    with PIL.Image.open("saved.jpg") as saved:
        pasted = saved.convert("RGB")
    pasted.paste(picture.crop((100, 100, 200, 200)), (100, 100))
    pasted.save("pasted.png")
    Path("text.jpg").write_text("no picture")
    return lambda *arguments, **options: CliRunner().invoke(commands, ["traces", *arguments], **options)


def written(folder: str) -> dict[str, NDArray[np.uint8]]:
    pictures = {}
    for path in Path(folder).iterdir():
        with PIL.Image.open(path, formats=["PNG"]) as picture:
            pictures[path.name] = np.asarray(picture)
    return pictures


def test_all_pictures_are_written_and_explained(run: Run) -> None:
    result = run("wave.png", "--out", "new/folder")
    assert result.exit_code == 0, result.output
    pictures = written("new/folder")
    assert {name: one.shape for name, one in pictures.items()} == {
        "error-levels.png": (300, 400),
        "noise.png": (300, 400),
        "jpeg-ghosts.png": (3 * (18 * 4 + 16), 4 * (25 * 4 + 16)),
        "spectrum.png": (768, 768, 3),
    }
    for said in (
        "shows no trace of an earlier JPEG compression",
        "error-levels.png: how much each pixel changes",
        "noise.png: the finest grain",
        "jpeg-ghosts.png: how well each block fits the JPEG qualities 40, 45,",
        "at +0.250, +0.125 cycles per pixel (across, down), on the grid of a JPEG's blocks",
    ):
        assert said in result.stdout
    again = run("-", "--out", "from-stdin", input=Path("wave.png").read_bytes())
    assert again.stdout.replace("from-stdin", "new/folder") == result.stdout


def test_what_was_pasted_stands_out(run: Run) -> None:
    assert run("pasted.png", "--out", "out").exit_code == 0
    levels = written("out")["error-levels.png"]
    inside = levels[104:196, 104:196].mean()
    assert inside > 1.2 * levels[:, 208:].mean()


def test_a_picture_too_small_for_a_spectrum_has_its_error_levels(run: Run) -> None:
    result = run("tiny.png", "--out", "out")
    assert result.exit_code == 1
    assert result.stderr == "fauxto: the picture has 20 x 20 pixels; a spectrum needs 32 per side\n"
    assert written("out").keys() == {"error-levels.png", "noise.png", "jpeg-ghosts.png"}


@pytest.mark.parametrize(("name", "says"), [("text.jpg", "isn't a picture"), ("none\x1b.jpg", "there is no file")])
def test_what_is_no_picture_is_one_sentence(run: Run, name: str, says: str) -> None:
    result = run(name, "--out", "out")
    assert (result.exit_code, result.stdout) == (1, "")
    assert says in result.stderr
    assert result.stderr.removesuffix("\n").isprintable()
    assert not Path("out").exists()


def test_nothing_is_overwritten(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    Path("out").mkdir()
    Path("out/spectrum.png").write_bytes(Path("wave.png").read_bytes())
    Path("linked").mkdir()
    Path("linked/error-levels.png").symlink_to("../precious.png")
    for image, there in (("out/spectrum.png", "out/spectrum.png"), ("wave.png", "linked/error-levels.png")):
        with pytest.raises(SystemExit, match="2"):
            main(["traces", image, "--out", str(Path(there).parent)])
        captured = capfd.readouterr()
        assert captured.out == ""
        assert captured.err == f"fauxto: {there} already exists; move it away, or give another folder with --out\n"
    assert Path("out/spectrum.png").read_bytes() == Path("wave.png").read_bytes()
    assert written("out").keys() == {"spectrum.png"}
    assert not Path("precious.png").exists()


def test_without_a_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(SystemExit, match="1"):
        main(["traces", "-", "--out", "out"])
    assert capfd.readouterr().err.startswith("fauxto: ")
    assert not Path("out").exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["traces", "wave.png", "--out", "text.jpg/out"])
    assert capfd.readouterr().err == "fauxto: text.jpg/out: Not a directory\n"
