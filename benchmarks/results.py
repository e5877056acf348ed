"""Where results go: one JSON file a benchmark, with the machine and the command that wrote it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shlex
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"


def write(name: str, figures: dict[str, Any], packages: tuple[str, ...]) -> Path:
    """Write `figures` to results/NAME.json beside what they depend on, and return the file's path."""
    spec = sys.modules["__main__"].__spec__
    module = spec.name.removesuffix(".__main__") if spec else f"benchmarks: {name}"
    words = (Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:])
    made_by = {
        "command": shlex.join(["python", "-m", module, *words]),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "packages": {package: importlib.metadata.version(package) for package in packages},
    }
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps({"made_by": made_by, **figures}, indent=2) + "\n", encoding="utf-8")
    return path
