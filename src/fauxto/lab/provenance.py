"""What a record says of where it comes from: the code's revision and the versions of libraries."""

from __future__ import annotations

import hashlib
import importlib.metadata
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fauxto.lab.recipe import Recipe


def versions(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of those of the named packages that are installed."""
    return {name: version for name in names if (version := _version(name))}


def git_revision() -> str:
    """Return the revision of the checkout that this code runs from, with a mark when it was changed."""
    here = Path(__file__).parent
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],  # noqa: S607
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()


def start_of(
    recipe: Recipe, dataset_name: str, manifest_sha256: str, weights: Path | None, command: str
) -> dict[str, Any]:
    """Return what a record says of where a run starts from."""
    return {
        "command": command,
        "git_revision": git_revision(),
        "dataset": dataset_name,
        "manifest_sha256": manifest_sha256,
        "weights_sha256": hashlib.sha256(weights.read_bytes()).hexdigest() if weights else None,
        "libraries": versions(_LIBRARIES[recipe.backend]),
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


_LIBRARIES = {
    "torch": ("keras", "numpy", "torch"),
    "tensorflow": ("keras", "numpy", "tensorflow", "tensorflow-cpu"),  # which goes by two names
}
"""The names of what decides a result."""
