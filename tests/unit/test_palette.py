"""Colours are defined in one place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.color import Color

import fauxto
from fauxto import palette

SOURCE = Path(fauxto.__file__).parent
COLOUR = re.compile(r"#(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{6}|[0-9a-fA-F]{3,4})\b")


def test_no_other_file_defines_a_colour() -> None:
    files = [path for suffix in ("py", "css") for path in SOURCE.rglob(f"*.{suffix}") if path.name != "palette.py"]
    defined = {str(path.relative_to(SOURCE)): COLOUR.findall(path.read_text()) for path in files}
    # Black and white in a plot stand for ink and paper, which the page puts in their place.
    assert {path: colours for path, colours in defined.items() if colours} == {
        "lab/html_report.py": ["#000000", "#ffffff"]
    }


def test_the_forms_of_a_colour() -> None:
    assert palette.rgb("#0172b2") == (1, 114, 178)
    css = palette.variables(ink=palette.Tones("#000001", "#fffffe"), map_ai="#d55e00")
    assert css.splitlines() == [
        ":root { --ink: #000001; --map-ai: #d55e00; }",
        "@media (prefers-color-scheme: dark) { :root { --ink: #fffffe; --map-ai: #d55e00; } }",
    ]


@pytest.mark.parametrize("ground", ["#ffffff", "#000000"])
@pytest.mark.parametrize("name", [*palette.TERMINAL.values(), *palette.SHORTCUT_TERMINAL.values()])
def test_the_terminals_colours_are_readable_on_light_and_dark_ground(name: str, ground: str) -> None:
    letters, paper = (_luminance(colour) for colour in (Color.parse(name).get_truecolor(), palette.rgb(ground)))
    assert (max(letters, paper) + 0.05) / (min(letters, paper) + 0.05) >= 3  # WCAG 2.2's least, for bold and symbols


def _luminance(colour: tuple[int, int, int]) -> float:
    """Return the relative luminance of WCAG 2.2."""
    red, green, blue = (
        (part / 255 + 0.055) ** 2.4 / 1.055**2.4 if part > 10 else part / 255 / 12.92 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
