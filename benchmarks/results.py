"""Where results go, one JSON file a benchmark with the command that wrote it, and how pages of docs tell them."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import platform
import shlex
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fauxto import bundles
from fauxto.cores import cores

FOLDER = Path(__file__).parent / "results"


def write(name: str, figures: dict[str, Any], packages: tuple[str, ...]) -> Path:
    """Write `figures` to results/NAME.json beside what they depend on, and return the file's path."""
    spec = sys.modules["__main__"].__spec__
    module = spec.name.removesuffix(".__main__") if spec else f"benchmarks: {name}"
    words = (Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:])
    made_by = {
        "date": f"{datetime.date.today()}",
        "command": shlex.join(["python", "-m", module, *words]),
        "python": platform.python_version(),
        "cores": cores(),
        "packages": {package: importlib.metadata.version(package) for package in packages},
        "models": {name: bundles.load(name).version for name in bundles.DEFAULTS},
    }
    path = path_of(name)
    path.write_text(json.dumps({"made_by": made_by, **figures}, indent=2) + "\n", encoding="utf-8")
    return path


def path_of(name: str) -> Path:
    """Return results/NAME.json."""
    return FOLDER / f"{name}.json"


def read(name: str) -> dict[str, Any]:
    """Return what results/NAME.json holds."""
    figures: dict[str, Any] = json.loads(path_of(name).read_text(encoding="utf-8"))
    return figures


def reached(is_reached: bool) -> str:
    """Return the word that a page has for a goal."""
    return "reached" if is_reached else "**missed**"


def paragraph(text: str) -> str:
    """Return a text, its white space normalised, as a paragraph of Markdown."""
    return textwrap.fill(" ".join(text.split()), 120, break_on_hyphens=False, break_long_words=False) + "\n"


def table(heading: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Return a table in Markdown."""
    columns = list(heading)
    lines: list[Iterable[object]] = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"
