from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fauxto import error_rates
from fauxto.bundles import registry
from fauxto.cli import commands

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"


@pytest.fixture
def weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The package's folder of bundles, with the golden one alone in it."""
    shutil.copytree(GOLDEN, tmp_path / "golden")
    monkeypatch.setattr(registry, "WEIGHTS", tmp_path)
    monkeypatch.setattr(registry, "entry_points", lambda **_: ())
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def models(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["models", *arguments])


def test_the_table_names_each_model(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = models()
    assert listed.exit_code == 0
    for said in ("golden", "1.0.0", "a short side of 16 to 64 px", "31 parameters", "497 bytes", "A toy for the tests"):
        assert said in listed.stdout
    assert "default" not in listed.stdout
    monkeypatch.setattr("fauxto.bundles.DEFAULTS", ("golden",))
    assert "default" in models().stdout


def test_the_age_of_the_trust_lists_stands_below_the_table(weights: Path) -> None:
    [signers, time_stamps] = models().stdout.splitlines()[-2:]
    assert re.fullmatch(r"  C2PA trust list: 28 certificates as of 7 July 2026 \(\d+ days ago\)\.", signers)
    assert "time-stamping authorities: 22 certificates as of 5 August 2026 (" in time_stamps
    assert "trust list" not in models("golden").stdout


def test_json_lines(weights: Path) -> None:
    [line] = models("--json").stdout.splitlines()
    plain = json.loads(line)
    assert {key: plain[key] for key in ("name", "version", "bytes", "default")} == {
        "name": "golden",
        "version": "1.0.0",
        "bytes": 497,
        "default": False,
    }
    described = json.loads((GOLDEN / "bundle.json").read_text())
    assert described["input"].pop("view") == "whole"  # of format 1; it is shown in format 2
    described |= {"format": 2, "families": {}, "input": {"views": ["whole"], "crops": 0, **described["input"]}}
    described["domain"]["max_unlikeness"] = None
    assert {key: plain[key] for key in described} == described
    assert plain.keys() - described.keys() == {"bytes", "default", "metrics"}
    assert plain["metrics"] is None
    assert models("golden", "--json").stdout == models(str(GOLDEN), "--json").stdout == line + "\n"


def test_json_holds_what_was_measured(measured_bundle: Path) -> None:
    plain = json.loads(models(str(measured_bundle), "--json").stdout)
    assert plain["metrics"] == json.loads((measured_bundle / "metrics.json").read_text())


def test_a_card_stands_below_what_was_measured(weights: Path) -> None:
    card = (GOLDEN / "CARD.md").read_text()
    for shown in (models("golden").stdout, models(str(GOLDEN)).stdout):
        assert shown == f"{error_rates.NOT_MEASURED}\n\n{card}"


def test_a_card_does_not_steer_the_terminal(weights: Path) -> None:
    (weights / "golden" / "CARD.md").write_text("# a\x1b[31m card\n\x9b2J\n")
    assert models("golden").stdout.endswith("\n# a\\x1b[31m card\n\\x9b2J\n")


def test_a_broken_model_does_not_hide_the_others(weights: Path) -> None:
    (weights / "broken").mkdir()
    (weights / "broken" / "bundle.json").write_text("{}")
    for arguments in ((), ("--json",)):
        listed = models(*arguments)
        assert listed.exit_code == 1
        assert "A toy for the tests" in listed.stdout
        assert listed.stderr.startswith("fauxto: broken: ")
        assert listed.stderr.count("\n") == 1


def test_an_unknown_model_is_a_wrong_command(weights: Path) -> None:
    listed = models("no-such-model")
    assert listed.exit_code == 2
    assert listed.stderr.startswith("fauxto: no bundle is called 'no-such-model'")
    assert "installed: golden" in listed.stderr
