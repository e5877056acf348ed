"""Who may import whom, read from the source: imports inside functions and for type checkers count too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"

# Lowest first: a room imports from the rows above its own alone. `fauxto` is the package's own file, with the public
# names; rooms below it import them from where they are made.
LAYERS = (
    {"limits", "cores", "report", "domain", "choices", "addresses"},
    {"errors", "palette"},
    {"images", "preprocessing"},
    {"jpeg_tables", "bundles", "client", "inside", "reencoding", "fetching"},
    {"evidence", "verdict", "wording", "error_rates", "options"},
    {"detector"},
    {"fauxto"},
    {"explain"},
    {"export"},
    {"scan"},
    {"service", "lab"},
    {"web"},
    {"cli"},
)
FACES = {"web", "cli"}
"""What shows both houses to a person; all other rooms but `lab` are the runtime."""

BASE = {"limits", "report", "domain", "choices", "errors", "addresses"}
"""All that the two roads into the runtime may lean on."""

SHOWN_IN_NOTEBOOKS = ("fauxto.report", "fauxto.export.notebook")
"""The one import that goes up: a report shows itself as a card when a notebook asks it to, and then alone."""

MOST_LINES = 320
MOST_LINES_OF_A_FUNCTION = 60


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted(SOURCE.rglob("*.py"))}


def room(module: str) -> str:
    """`fauxto.images.png` is in `images`; the package's own file is `fauxto`."""
    return module.split(".")[1] if "." in module else module


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imported(module: str) -> Iterator[str]:
    """The modules of this project that a module imports, whenever it does."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: imports are absolute here"
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in MODULES else str(node.module) for name in inside]
        else:
            continue
        yield from (name for name in names if name.partition(".")[0] == "fauxto")


@cache
def arrows() -> dict[tuple[str, str], list[str]]:
    """From room to room, with the imports that make the arrow."""
    found: dict[tuple[str, str], list[str]] = {}
    for module in MODULES:
        for target in imported(module):
            if room(module) != room(target) and (module, target) != SHOWN_IN_NOTEBOOKS:
                found.setdefault((room(module), room(target)), []).append(f"{module} imports {target}")
    return found


def test_every_room_has_its_layer() -> None:
    placed = [name for layer in LAYERS for name in layer]
    assert len(placed) == len(set(placed))
    assert {room(module) for module in MODULES} == set(placed), "give a new room its place in LAYERS"


@pytest.mark.parametrize("name", sorted(set().union(*LAYERS)))
def test_a_room_imports_from_lower_layers_alone(name: str) -> None:
    height = {room: number for number, layer in enumerate(LAYERS) for room in layer}
    wrong = [
        line for (a, b), lines in arrows().items() if a == name and height[b] >= height[a] for line in sorted(lines)
    ]
    assert wrong == []


def test_no_two_rooms_import_each_other() -> None:
    both = {(a, b) for a, b in arrows() if a < b and (b, a) in arrows()}
    assert {(a, b): arrows()[a, b] + arrows()[b, a] for a, b in both} == {}


def test_the_runtime_never_imports_the_laboratory() -> None:
    assert [lines for (a, b), lines in arrows().items() if b == "lab" and a not in FACES] == []
    assert {a for a, b in arrows() if b == "lab"} == FACES  # or this test would look for something that isn't there


@pytest.mark.parametrize("name", ["images", "preprocessing"])
def test_the_ways_in_for_pixels_lean_on_the_base_alone(name: str) -> None:
    assert {b for a, b in arrows() if a == name} <= BASE


def test_a_file_fits_the_eye() -> None:
    lengths = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in MODULES.items()}
    assert {module: lines for module, lines in lengths.items() if lines > MOST_LINES} == {}


def test_a_function_fits_the_screen() -> None:
    lengths = {
        f"{module}.{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}
