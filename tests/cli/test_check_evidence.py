"""`fauxto check` shows what files carry: in short, or as cards; names and places when asked; with any trust list."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import PIL.Image
import PIL.PngImagePlugin
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from fauxto import Basis, Evidence, Lean, Reason, Report, Says, Trust, Verdict, bundles
from fauxto.cli import commands
from fauxto.cli.evidence_card import evidence_card
from fauxto.cli.report_line import report_line
from fauxto.cli.report_panel import report_panel
from fauxto.evidence import SOURCES
from fauxto.evidence.content_credentials import trust_list
from fauxto.export.notebook import card
from fauxto.palette import TERMINAL
from fauxto.wording import Group

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
TITLES = [source.title for source in SOURCES.values()]
ARTIST = 0x013B

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `fauxto check --model GOLDEN ...` in a folder with a plain picture and one that declares a generator."""
    text, exif = PIL.PngImagePlugin.PngInfo(), PIL.Image.Exif()
    text.add_text("parameters", "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 32x32, Model: sd14")
    exif[ARTIST] = "Ada Lovelace"
    picture = PIL.Image.radial_gradient("L").resize((32, 32)).convert("RGB")  # smooth, which the bundle takes as real
    picture.save(tmp_path / "plain.png")
    picture.save(tmp_path / "declared.png", pnginfo=text, exif=exif)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return lambda *arguments: CliRunner().invoke(commands, ["check", "--model", str(GOLDEN), *arguments])


def words(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.replace("│", " ").split())


def test_in_short_only_what_says_something_is_told(run: Run) -> None:
    assert not [title for title in TITLES if title in words(run("plain.png"))]
    assert "no content credential" not in words(run("plain.png"))
    shown = words(run("declared.png"))
    assert shown.count("declares that it was generated") == 1
    assert "? Can't tell" in shown  # the pixels say the opposite


def test_cards_of_all_sources(run: Run) -> None:
    shown = words(run("--evidence", "plain.png"))
    found = [shown.index(f"{title} · nothing about how the picture was made · ") for title in TITLES]
    assert found == sorted(found)
    assert "no content credential" in shown
    assert "outcome: none" in shown
    shown = words(run("--evidence", "declared.png"))
    assert "Generator metadata · made or edited by a generative model · declared, not proven" in shown
    assert "sd14" in shown
    assert "Ada Lovelace" not in shown


def test_names_are_shown_when_asked_for(run: Run) -> None:
    for arguments in (["--evidence"], ["--json"]):
        assert "Ada Lovelace" not in run(*arguments, "declared.png").stdout
        assert "Ada Lovelace" in run(*arguments, "--personal", "declared.png").stdout


def test_json_has_all_evidence(run: Run) -> None:
    for arguments in ([], ["--evidence"]):
        report = json.loads(run("--json", *arguments, "plain.png").stdout)
        assert [evidence["source"] for evidence in report["evidence"]] == list(SOURCES)


def test_a_trust_list_of_ones_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.pem").write_text(trust_list.load().pem)
    assert run("--trust-list", "mine.pem", "plain.png").exit_code == 0
    (tmp_path / "text.pem").write_text("none")
    for name in ("text.pem", "absent.pem"):
        result = run("--trust-list", name, "plain.png")
        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr.startswith(f"fauxto: the trust list '{name}' can't be used (")
        assert result.stderr.count("\n") == 1


HOSTILE = {
    "text\x1b[31m": "red\x1b[31m\u202e\r\nnew line [bold]markup[/bold]",
    "long": "x" * 100_000,
    "flat": [True, False, None, 1.5, "é"],
    "empty": [],
    "mapping": {},
    7: "a number for a name",
    "many": [{"number": number, "inside": [{"deep": {"deeper": [1, None, 2.5]}}]} for number in range(1_000)],
}


@pytest.mark.parametrize("width", [20, 80])
def test_no_card_steers_the_terminal_or_runs_wild(width: int) -> None:
    evidence = Evidence("strange\x1b[2J_source", Says.AI, Trust.SIGNED, "A\x07 summary.", HOSTILE)  # type: ignore[arg-type]
    file = io.StringIO()
    Console(file=file, width=width).print(evidence_card(evidence))
    lines = file.getvalue().splitlines()
    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines)) <= width
    assert len(lines) < 30 * (320 // width + 2)
    shown = " ".join(" ".join(lines).split())
    if width == 80:
        for said in ("[bold]markup[/bold]", "flat: yes, no, None, 1.5, é", "more lines", "signed by a trusted signer"):
            assert said in shown


def panel(report: Report, *, show_evidence: bool, width: int = 88) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width)
    console.print(report_panel(report, bundles.load(GOLDEN), "balanced", console, show_evidence=show_evidence))
    return " ".join(file.getvalue().replace("│", " ").split())


def test_a_probability_that_isnt_reliable_has_no_colour(full_report: Report) -> None:
    outside = replace(full_report, reasons=(Reason("too_small", "it is small."),))
    for report, reliable in ((full_report, True), (outside, False)):
        file = io.StringIO()
        console = Console(file=file, width=88, force_terminal=True, color_system="256")
        console.print(report_panel(report, bundles.load(GOLDEN), "balanced", console))
        (scale,) = (line for line in file.getvalue().splitlines() if " generated" in line and "photograph " in line)
        assert (f"[38;5;{TERMINAL[Verdict.REAL][6:-1]}m" in scale) is reliable


@pytest.mark.parametrize("show_evidence", [False, True])
def test_a_tampered_credential_stands_among_what_was_found(full_report: Report, *, show_evidence: bool) -> None:
    tampered = Evidence("content_credentials", Says.NOTHING, Trust.DECLARED, "It was changed.", {"outcome": "tampered"})
    report = replace(full_report, evidence=(*full_report.evidence, tampered))
    says, found = panel(report, show_evidence=show_evidence).split(Group.FOUND)
    found, _, nothing = found.partition(Group.NOTHING)
    assert "The file declares it." in says
    assert "It was changed." in found
    assert ("No trace of an earlier compression." in nothing) == show_evidence
    assert "No trace" not in says + found


def test_cant_tell_leans_beside_its_headline(full_report: Report) -> None:
    report = replace(full_report, verdict=Verdict.INCONCLUSIVE, basis=Basis.PIXELS, lean=Lean.AI)
    assert "? Can't tell · leans generated; not enough to say so" in panel(report, show_evidence=False)
    assert "leans" not in panel(replace(report, lean=Lean.NONE), show_evidence=False)
    assert "Can't tell" in panel(report, show_evidence=False, width=30)
    assert report_line(report).plain.endswith("(leans generated; not enough to say so)")
    assert "</strong> leans generated; not enough to say so" in card(report)
