"""`fauxto check --fetch-urls`: pictures by their address, without a network; tests/security has the refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from typer.testing import CliRunner, Result

from fauxto import ImageError, Limits, Status, fetching
from fauxto.cli import commands

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
ADDRESS = "https://example.org/album/a.png?size=2"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What was fetched, in a folder with smooth.png, which is what lies at every address that isn't private."""
    y, x = np.mgrid[:32, :32]
    PIL.Image.fromarray(np.stack([2 * x, 2 * y, x], axis=-1).astype(np.uint8)).save(tmp_path / "smooth.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    asked: list[str] = []

    def read(address: str, limits: Limits) -> bytes:
        asked.append(address)
        if "private" in address:
            raise ImageError(Status.UNREADABLE, "the address isn't fetched: its host isn't on the public internet")
        return (tmp_path / "smooth.png").read_bytes()

    monkeypatch.setattr(fetching, "read", read)
    return asked


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["check", "--model", str(GOLDEN), *arguments])


def test_addresses_are_judged_in_the_order_of_the_arguments(asked: list[str]) -> None:
    given = ["smooth.png", ADDRESS, ADDRESS, "http://private.example/b.png", "s3://bucket/key", "smooth.png"]
    result = run("--json", "--fetch-urls", *given)
    reports = [json.loads(line) for line in result.stdout.splitlines()]
    assert [report["path"] for report in reports] == given
    assert [report["verdict"] for report in reports] == ["real", "real", "real", None, "real", "real"]
    assert reports[3]["status"] == "unreadable"
    assert reports[3]["reasons"] == ["unreadable: the address isn't fetched: its host isn't on the public internet"]
    assert asked == given[1:5]
    assert result.exit_code == 1


def test_nothing_is_fetched_unless_it_is_asked_for(asked: list[str]) -> None:
    result = run(ADDRESS)
    assert asked == []
    assert result.exit_code == 1
    assert "--fetch-urls" in " ".join(result.stdout.replace("│", " ").split())


def test_a_file_with_an_addresss_name_is_a_file(asked: list[str]) -> None:
    Path("https:").mkdir()
    Path("smooth.png").rename("https:/a.png")
    assert run("--fetch-urls", "https://a.png").exit_code == 0
    assert asked == []


def test_a_report_on_a_fetched_picture_says_from_where_and_for_which_case(asked: list[str]) -> None:
    case = ["--case-number", "2026-17", "--examiner", "Ann", "--notes", "Seen on the\nfront page."]
    result = run("--fetch-urls", "--report", "out.html", *case, ADDRESS)
    assert result.exit_code == 0, result.output
    page = Path("out.html").read_text()
    for words in (
        "<h1>a.png</h1>",
        ADDRESS,
        "2026-17",
        "Ann",
        "<p>Seen on the</p><p>front page.</p>",
        "MD5 of the file",
    ):
        assert words in page
    assert run("--fetch-urls", "--report", "out.html", "http://private.example/b.png").exit_code == 1
    assert "its host isn&#x27;t on the public internet" in Path("out.html").read_text()
