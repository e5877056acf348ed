"""The commands that the command line proposes work as printed."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from fauxto.cli.hints import how_to_check, next_step


def test_a_next_step_can_be_pasted_into_a_shell() -> None:
    line = next_step("fauxto", "calibrate", Path("my run"), "--data", Path("$HOME's; pictures"))
    assert shlex.split(line.removeprefix("Next: ")) == ["fauxto", "calibrate", "my run", "--data", "$HOME's; pictures"]


@pytest.mark.parametrize(
    "address", ["https://example.org/a b.png", "http://example.org/?a=1&b='$(c)'", "s3://bucket/a"]
)
def test_an_address_is_quoted(address: str) -> None:
    assert shlex.split(how_to_check(address))[2] == address
