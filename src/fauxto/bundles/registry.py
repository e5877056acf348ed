"""Installed bundles: those in this package, and those of other packages.

A package adds a bundle by an entry point in the group `fauxto.bundles`: its name is the bundle's, its value the Python
package (a folder) with the files. None of that package's code is run.
"""

from __future__ import annotations

import importlib.util
from importlib.metadata import entry_points
from pathlib import Path

from fauxto.bundles.bundle import Bundle, read
from fauxto.errors import BundleFormatError, BundleNotFoundError

DEFAULTS = ("cifake-resnet", "photos")
"""The default bundles, each for the pictures of its domain; the largest comes last."""

ENTRY_POINTS = "fauxto.bundles"
WEIGHTS = Path(__file__).parent / "weights"


def names() -> list[str]:
    """Return the names of all bundles that are installed, in alphabetical order."""
    return sorted({*embedded(), *(point.name for point in entry_points(group=ENTRY_POINTS))})


def load(bundle: str | Path) -> Bundle:
    """Load a bundle and check everything except running its network.

    Args:
        bundle: The name of an installed bundle, or a folder. Installed names take precedence over folders.

    Raises:
        BundleNotFoundError: There is no such bundle; the message lists those that exist.
        BundleFormatError: A file is missing or breaks the contract.
        ModelIntegrityError: model.onnx isn't the file that bundle.json describes.
    """
    folder = _installed(bundle) if isinstance(bundle, str) else None
    if folder is None:
        return _read_folder(Path(bundle))
    loaded = read(folder)
    if loaded.name != bundle:
        raise BundleFormatError(f"the bundle installed as {bundle!r} in {folder} calls itself {loaded.name!r}")
    return loaded


def _read_folder(folder: Path) -> Bundle:
    try:
        exists = folder.exists()
    except OSError:  # no path that this system can have
        exists = False
    if not exists:
        installed = ", ".join(names()) or "none"
        raise BundleNotFoundError(f"no bundle is called {str(folder)!r}, nor is it a folder; installed: {installed}")
    return read(folder)


def embedded() -> list[str]:
    """Return the names of the bundles that come with fauxto."""
    return [path.parent.name for path in WEIGHTS.glob("*/bundle.json")]


def _installed(name: str) -> Path | None:
    if name in embedded():
        return WEIGHTS / name
    for point in entry_points(group=ENTRY_POINTS, name=name):
        package, *below = point.module.split(".")
        try:
            spec = importlib.util.find_spec(package)  # of a package inside another it would import that one
        except (ImportError, ValueError):
            spec = None
        for location in (spec and spec.submodule_search_locations) or ():
            folder = Path(location, *below)
            if folder.is_dir():
                return folder
        raise BundleNotFoundError(f"the bundle {name!r} should be in the package {point.module}, which isn't there")
    return None
