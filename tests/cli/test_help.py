"""Every command explains itself, and docs/reference/cli.md names every command and option."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from fauxto.cli import commands

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from walk(child, (*path, name))


EVERY = dict(walk(typer.main.get_command(commands)))


def test_these_are_the_commands() -> None:
    assert {path for path, command in EVERY.items() if not hasattr(command, "commands")} == {
        ("check",),
        ("traces",),
        ("models",),
        ("scan",),
        ("watch",),
        ("bench",),
        ("app",),
        ("serve",),
        ("data", "import", "cifake"),
        ("data", "import", "folders"),
        ("data", "import", "photos"),
        ("data", "audit"),
        ("data", "explore"),
        ("train",),
        ("evaluate",),
        ("calibrate",),
        ("pack",),
    }


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help_explains_the_command_and_each_parameter(path: tuple[str, ...]) -> None:
    command = EVERY[path]
    shown = CliRunner().invoke(commands, [*path, "--help"])
    assert shown.exit_code == 0
    assert command.help
    words = shown.stdout.split()
    assert " ".join(command.help.split("\n\n")[0].split()) in " ".join(words)
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{parameter.name} of {path} has no help"
        assert set(parameter.opts if parameter.param_type_name == "option" else ()) <= set(words)


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_the_reference_names_the_command_and_each_parameter(path: tuple[str, ...]) -> None:
    sections = dict(re.findall(r"^##+ `(fauxto[^`]*)`\n(.*?)(?=^##|\Z)", PAGE.read_text(), re.M | re.S))
    section = sections[" ".join(("fauxto", *path))].replace("\\|", "|")
    for parameter in EVERY[path].params:
        is_argument = parameter.param_type_name == "argument"
        written = [parameter.metavar or parameter.name.upper()] if is_argument else parameter.opts
        for name in (*written, *parameter.secondary_opts):
            assert f"`{name}" in section, f"{name} isn't in the section of {' '.join(path)}"


@pytest.mark.parametrize("name", ["check", "scan", "watch", "bench", "app", "serve"])
def test_every_command_that_judges_takes_the_options_of_a_detector(name: str) -> None:
    options = {option for parameter in EVERY[(name,)].params for option in parameter.opts}
    assert {"--model", "--operating-point", "--personal", "--trust-list"} <= options
