"""Writes what an installation of fauxto is made of, as CycloneDX 1.6 in JSON: python -m requirements.sbom FOLDER

A file for each lock that people install from: FOLDER/fauxto-VERSION-LOCK.cdx.json. It lists the locked packages with
their licences and what each needs, and what fauxto brings along itself: models, fonts, certificates and samples. The
same commit gives the same bytes, since its date is the bill's.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import subprocess
import sys
import tomllib
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from requirements import licences

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = {"app": ("app", "formats"), "lab": ("app", "formats", "lab"), "serve": ("serve", "formats")}
"""The extras behind each lock, as the Makefile has them."""
WEIGHTS = "src/fauxto/bundles/weights"
MODELS = {"cifake-resnet": "Apache-2.0", "paper-cnn": "Apache-2.0", "photos": "Apache-2.0 AND MIT"}
"""Licences of the models, and below of other files that we didn't write: NOTICE says where each comes from."""
FILES = {
    "src/fauxto/evidence/trust/c2pa-trust-list.pem": "CC-BY-4.0",
    "src/fauxto/evidence/trust/c2pa-tsa-trust-list.pem": "CC-BY-4.0",
    "src/fauxto/export/fonts/DejaVuSans.ttf": "Bitstream Vera, Arev and public domain",
    "src/fauxto/export/fonts/DroidSansFallback.ttf": "Apache-2.0",
    "src/fauxto/web/samples/cat.jpg": "CC0-1.0",
    "src/fauxto/web/samples/coffee.jpg": "CC0-1.0",
}


def main(arguments: list[str]) -> None:
    """Write the bills into the folder that is named."""
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    seconds = subprocess.check_output(["git", "log", "-1", "--format=%ct"], cwd=ROOT, text=True)  # noqa: S607
    for lock in EXTRAS:
        path = folder / f"fauxto-{_project()['version']}-{lock}.cdx.json"
        path.write_text(bill(lock, datetime.fromtimestamp(int(seconds), UTC)), encoding="utf-8")
        print(f"wrote {path}")


def bill(lock: str, date: datetime) -> str:
    """Return the bill of one lock, such as "serve", as JSON; the same for the same files and date."""
    components: dict[str, list[Component]] = {}  # by name: a lock may have one version for each Python
    for package in licences.locked(licences.FOLDER / f"{lock}.lock"):
        components.setdefault(package.name, []).append(_component(package, ComponentType.LIBRARY))
    bundled = [*_models(), *_files()]
    project = licences.Package("fauxto", _project()["version"], _project()["license"])
    root = _component(project, ComponentType.APPLICATION)
    bom = Bom(
        components=[*chain.from_iterable(components.values()), *bundled],
        metadata=BomMetaData(component=root, timestamp=date),
    )
    for name, needed in _needs(lock, set(components)).items():
        more = bundled if name == "fauxto" else []
        for component in components.get(name, [root]):
            bom.register_dependency(component, [*chain.from_iterable(map(components.__getitem__, needed)), *more])
    contents = "\n".join(sorted(f"{part.bom_ref} {part.version}" for part in bom.components))
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"{lock} {date.isoformat()} {contents}")
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)
    return json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n"


def _needs(lock: str, locked: set[str]) -> dict[str, set[str]]:
    """Return what each package of a lock needs of the others, from fauxto down, extras included.

    Markers are taken by the system that this runs on; what another one needs more is listed without an edge.
    """
    needs: dict[str, set[str]] = {}
    todo, done = [("fauxto", frozenset(EXTRAS[lock]))], set()
    while todo:
        name, extras = todo.pop()
        if (name, extras) in done:
            continue
        done.add((name, extras))
        edges = needs.setdefault(name, set())
        for requirement in _requirements(name, extras):
            needed = canonicalize_name(requirement.name)
            if needed in locked:
                edges.add(needed)
            if needed in locked or needed == "fauxto":
                todo.append((needed, frozenset(requirement.extras)))
    return needs


def _requirements(name: str, extras: Iterable[str]) -> list[Requirement]:
    """Return what an installed package requires with these extras."""
    if name == "fauxto":
        optional = _project()["optional-dependencies"]
        lines = [*_project()["dependencies"], *(line for extra in extras for line in optional[extra])]
    else:
        try:
            lines = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:  # another system's
            lines = []
    requirements = map(Requirement, lines)
    wanted = ("", *extras)
    return [each for each in requirements if not each.marker or any(each.marker.evaluate({"extra": e}) for e in wanted)]


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def _models() -> list[Component]:
    return [
        Component(
            type=ComponentType.MACHINE_LEARNING_MODEL,
            name=about["name"],
            version=about["version"],
            description=about["summary"],
            bom_ref=f"{WEIGHTS}/{name}",
            licenses=[_licence(licence)],
            hashes=[_sha256(about["model_sha256"])],
        )
        for name, licence in MODELS.items()
        for about in [json.loads((ROOT / WEIGHTS / name / "bundle.json").read_text(encoding="utf-8"))]
    ]


def _files() -> list[Component]:
    return [
        Component(
            type=ComponentType.FILE,
            name=Path(path).name,
            bom_ref=path,
            licenses=[_licence(licence)],
            hashes=[
                HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256((ROOT / path).read_bytes()).hexdigest())
            ],
        )
        for path, licence in FILES.items()
    ]


def _component(package: licences.Package, type_: ComponentType) -> Component:
    purl = PackageURL("pypi", name=package.name, version=package.version)
    return Component(
        type=type_,
        name=package.name,
        version=package.version,
        purl=purl,
        bom_ref=purl.to_string(),
        licenses=[_licence(package.licence)] if package.licence else [],
    )


def _sha256(digits: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digits)


def _licence(licence: str) -> DisjunctiveLicense | LicenseExpression:
    """Return a licence by its identifier, by an expression of them, or by a name that SPDX has none for."""
    if not licences.is_spdx(licence):
        return DisjunctiveLicense(name=licence)
    return LicenseExpression(licence) if " " in licence else DisjunctiveLicense(id=licence)


if __name__ == "__main__":
    main(sys.argv[1:])
