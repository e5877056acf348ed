"""Models that are opened while the command line is still being read."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from fauxto import bundles, cli
from fauxto.bundles import model
from fauxto.cli import head_start
from fauxto.errors import BundleFormatError

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"


def opening() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "fauxto-open"]


def test_the_models_of_a_check_are_opened_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(model, "load_model", lambda name: asked.append(name) or model.Model(bundles.load(GOLDEN)))
    head_start.give(["a.jpg"])
    for thread in opening():
        thread.join()
    assert asked == list(bundles.DEFAULTS)


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--model", "x", "a.jpg"], ["a.jpg", "--model=x"]])
def test_no_model_is_opened_that_may_not_be_needed(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_start, "_open_models", lambda: pytest.fail("it was opened"))
    head_start.give(arguments)
    assert not opening()


def test_a_model_that_cannot_be_opened_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(name: str, threads: int | None = None) -> model.Model:
        raise BundleFormatError(f"{name} is broken")

    monkeypatch.setattr(model, "load_model", broken)
    monkeypatch.setattr("fauxto.detector.load_model", broken)
    with pytest.raises(SystemExit) as end:
        cli.main(["check", "no-such-file.jpg"])
    for thread in opening():
        thread.join()
    assert end.value.code == 2
    assert capfd.readouterr().err == "fauxto: cifake-resnet is broken\n"
