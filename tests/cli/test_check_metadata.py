"""`fauxto check --metadata`: every field and the credential's timeline, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fauxto import Report
from fauxto.cli import commands, main

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
CASE = str(Path(__file__).parents[1] / "public_cases" / "s01_signed_edit.jpg")
SECRETS = ("48.858", "Jane Example", "012345678", "Paris", "GPSLatitude")

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "100")
    return lambda *arguments, **options: CliRunner().invoke(
        commands, ["check", "--model", str(GOLDEN), "--metadata", *arguments], **options
    )


def test_fields_and_timeline_are_printed_and_places_only_when_asked_for(run: Run) -> None:
    shown = run(CASE)
    assert shown.exit_code == 0
    assert shown.stdout.index("● Camera Maker") < shown.stdout.index("● Editing House")
    for said in ("Taken", "1/250 s, f/2.8", "shows a different picture", "dc:subject 2", "--personal shows them"):
        assert said in shown.stdout
    assert not [secret for secret in SECRETS if secret in shown.output]
    assert all(line.isprintable() for line in shown.stdout.splitlines())
    asked = run(CASE, "--personal")
    assert not [secret for secret in SECRETS if secret not in asked.stdout]
    assert "48.858222, 2.2945" in asked.stdout


def test_json_has_one_more_key(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("text")
    shown = run("--json", CASE, str(tmp_path / "text.jpg"))
    assert shown.exit_code == 1
    first, second = map(json.loads, shown.stdout.splitlines())
    assert Report.from_dict(first).path == CASE
    assert first["metadata"]["glance"]["Camera"] == "Canon EOS R5"
    assert first["metadata"]["position"] is None
    assert first["metadata"]["credential"]["entries"][0]["who"] == "Camera Maker"
    assert second["metadata"] is None
    assert not [secret for secret in SECRETS if secret in shown.stdout]
    [piped] = map(json.loads, run("--json", "-", "--personal", input=Path(CASE).read_bytes()).stdout.splitlines())
    assert piped["metadata"]["position"] == {"latitude": 48.858222, "longitude": 2.2945}


def test_it_is_part_of_a_report_anyway(run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["check", "--model", str(GOLDEN), "--metadata", "--report", str(tmp_path / "x.html"), CASE])
    assert "--metadata goes without --crop, --explain, --report" in capfd.readouterr().err
    written = tmp_path / "report.html"
    main_arguments = ["check", "--model", str(GOLDEN), "--report", str(written), CASE]
    assert CliRunner().invoke(commands, main_arguments).exit_code == 0
    page = written.read_text()
    assert "LensModel" in page
    assert "<img src=x" not in page
    assert not [secret for secret in SECRETS if secret in page]
