"""What a base install may import, proved in fresh interpreters."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import fauxto

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
LABORATORY = {
    "keras",
    "matplotlib",
    "onnx",
    "pandas",
    "pyarrow",
    "scipy",
    "sklearn",
    "streamlit",
    "tensorflow",
    "tf2onnx",
}
HEAVY = LABORATORY | {"PIL", "numpy", "onnxruntime"}

JUDGE = f"""
import io, PIL.Image
from fauxto import Detector
file = io.BytesIO()
PIL.Image.new("RGB", (32, 32)).save(file, "PNG")
report = Detector({str(GOLDEN)!r}).analyze(file.getvalue())
assert report.status == "ok", report
"""
HELP = """
from fauxto.cli import main
try:
    main(["--help"])
except SystemExit as end:
    assert end.code == 0
"""
CHECK = f"""
from fauxto.cli import main
try:
    main(["check", "--model", {str(GOLDEN)!r}, "no-such-file.jpg"])
except SystemExit as end:
    assert end.code == 1
"""


WEB = Path(fauxto.__file__).parent / "web"


@pytest.mark.parametrize("module", sorted(WEB.glob("*.py")), ids=lambda module: module.name)
def test_the_page_does_without_the_command_line(module: Path) -> None:
    assert "fauxto.cli" not in module.read_text()


@pytest.mark.parametrize(
    ("script", "forbidden"),
    [
        ("import fauxto", HEAVY | {"rich", "typer"}),
        (HELP, HEAVY | {"pydantic", "rich"}),
        (JUDGE, LABORATORY | {"pydantic", "rich", "typer"}),
        (CHECK, LABORATORY | {"pydantic"}),
    ],
    ids=["import", "help", "judge", "check"],
)
def test_imports_none_of(script: str, forbidden: set[str]) -> None:
    script += "\nimport json, sys\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    imported = {name.partition(".")[0] for name in json.loads(ended.stderr.splitlines()[-1])}
    assert "fauxto" in imported
    assert not imported & forbidden
