"""Commands that the command line proposes; each works as printed."""

from __future__ import annotations

import shlex
from pathlib import Path

from fauxto.addresses import is_address


def how_to_check(source: str) -> str:
    """Return the command that judges a path or, as fauxto fetches none by itself, an address."""
    if is_address(source):
        return f"curl -sL {shlex.quote(source)} | fauxto check -"
    return f"fauxto check {shlex.quote(source)}"


def next_step(*words: str | Path) -> str:
    """Return the line that names the next command."""
    return f"Next: {shlex.join(map(str, words))}"
