"""Colours are defined in one place."""

from __future__ import annotations

import re
from pathlib import Path

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
