"""The licences of the locked packages against a list of those that we accept: python -m requirements.licences [LOCK...]

A package's licence is what its metadata declares (PEP 639's expression, else the older field or classifiers), as an
expression of SPDX. What declares none that can be read stands in `_LOOKED_UP`, by hand, and what we accept in spite of
its licence in `EXCEPTIONS`, with the reason.

Exit code: 0 every licence is accepted, 1 one isn't or is unknown.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from license_expression import ExpressionError, LicenseExpression, get_spdx_licensing

FOLDER = Path(__file__).parent
ACCEPTED = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "HPND", "ISC", "MIT", "MIT-0", "MIT-CMU"),
        *("MPL-2.0", "PSF-2.0", "Unlicense", "Zlib"),
    }
)
"""What asks for no more than to be named, and MPL, which asks for the source of its own files alone."""
EXCEPTIONS = {
    "fpdf2": "LGPL-3.0-only: imported as it is published, and anyone may put another version in its place",
    "pillow-jxl-plugin": "GPL-3.0-or-later: only in the extra `formats`, and only JPEG XL needs it; who passes on an "
    "image or an installation that holds it does so under the GPL's terms, with which Apache-2.0 is compatible",
}
_LOOKED_UP = {  # in the repository or the licence file of each
    "axe-playwright-python": "MIT",
    "colorama": "BSD-3-Clause",
    "hatchling": "MIT",
    "namex": "Apache-2.0",
    "tensorflow": "Apache-2.0",
    "tomlkit": "MIT",
    "trove-classifiers": "Apache-2.0",
    "tzdata": "Apache-2.0",
}
_SPDX = get_spdx_licensing()
_OLDER_FIELDS = {  # of the field License, and of classifiers
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD 3-Clause": "BSD-3-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "PSFL": "PSF-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


@dataclass(frozen=True)
class Package:
    """A line of a lock file; `licence` is an expression of SPDX, or "" where none is known."""

    name: str
    version: str
    licence: str

    @property
    def is_accepted(self) -> bool:
        """Whether its licence is one of those that we accept, or it is an exception."""
        return self.name in EXCEPTIONS or (bool(self.licence) and _is_accepted(_SPDX.parse(self.licence)))


def main(locks: list[str]) -> int:
    """Check these lock files, or all, print what isn't accepted and return the exit code."""
    paths = [Path(lock) for lock in locks] or sorted(FOLDER.glob("*.lock"))
    packages = {package for path in paths for package in locked(path)}
    refused = sorted((package for package in packages if not package.is_accepted), key=lambda package: package.name)
    for package in refused:
        print(f"licences: {package.name} {package.version}: {package.licence or 'unknown'}; see {Path(__file__).name}")
    if not refused:
        print(f"licences: those of {len(packages)} packages are accepted.")
    return int(bool(refused))


def locked(lock: Path) -> Iterator[Package]:
    """Yield the packages of a lock file, each once."""
    pins = re.findall(r"^([\w.-]+)==([^ ;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    for name, version in sorted(set(pins)):
        yield Package(name, version, _LOOKED_UP.get(name) or declared(name))


def declared(name: str) -> str:
    """Return the licence that an installed package declares; "" where it declares none, or isn't installed."""
    try:
        metadata = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
    classifiers = [
        line.rsplit(" :: ", 1)[1]
        for line in metadata.get_all("Classifier", [])
        if line.startswith("License :: OSI Approved :: ")
    ]
    declarations = [*metadata.get_all("License-Expression", []), *metadata.get_all("License", [])]
    declarations.append(" OR ".join(map(_spdx, classifiers)))
    return next((expression for text in declarations if (expression := _spdx(text.strip()))), "")


def is_spdx(text: str) -> bool:
    """Return whether it is an expression of SPDX."""
    return bool(_spdx(text))


def _spdx(field: str) -> str:
    """Return a field as an expression of SPDX, "" where it is none."""
    expression = _OLDER_FIELDS.get(field, field)
    try:
        return str(_SPDX.parse(expression, validate=True)) if expression else ""
    except ExpressionError:
        return ""


def _is_accepted(expression: LicenseExpression) -> bool:
    if not hasattr(expression, "args") or not expression.args:
        return str(expression) in ACCEPTED
    choose = any if expression.operator.strip() == "OR" else all
    return choose(map(_is_accepted, expression.args))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
