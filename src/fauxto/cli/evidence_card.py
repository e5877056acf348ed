"""One piece of evidence as a card for the terminal; its texts are untrusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from fauxto.evidence import title
from fauxto.palette import TERMINAL
from fauxto.report import Evidence
from fauxto.wording import SAYS, TRUST, printable

_MAX_LINES = 24
_MAX_LENGTH = 300
_INDENT = 2


def evidence_card(evidence: Evidence) -> Group:
    """Return a source's statement, its trust, its summary, and its details as far as they fit."""
    heading = Text(printable(title(evidence.source)), style="bold")
    heading.append(f" · {SAYS[evidence.says]} · {TRUST[evidence.trust]}", style="not bold")
    if evidence.is_tampered:
        heading.stylize(TERMINAL[None])
    lines = list(_lines(evidence.details, _INDENT))
    if len(lines) > _MAX_LINES:
        lines[_MAX_LINES:] = [(_INDENT, f"… {len(lines) - _MAX_LINES} more lines; --json has all")]
    return Group(heading, _indented(evidence.summary, _INDENT), *(_indented(line, by, "dim") for by, line in lines))


def _indented(line: str, by: int, style: str = "") -> Padding:
    line = printable(line)
    shown = line if len(line) <= _MAX_LENGTH else line[:_MAX_LENGTH] + "…"
    return Padding(Text(shown, style=style, overflow="fold"), (0, 0, 0, by))


def _lines(details: Mapping[str, object], indent: int) -> Iterator[tuple[int, str]]:
    """Yield (indent, line) for each value; nested values get their own lines."""
    for key, value in details.items():
        name = str(key).replace("_", " ")
        for item in value if isinstance(value, list | tuple) and any(map(_is_nested, value)) else [value]:
            if isinstance(item, Mapping) and any(map(_is_nested, item.values())):
                yield indent, f"{name}:"
                yield from _lines(item, indent + _INDENT)
            else:
                yield indent, f"{name}: {_flat(item)}"


def _is_nested(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple)


def _flat(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{str(key).replace('_', ' ')} {_flat(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_flat, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
