"""What a release holds: the same bits from every checkout, a bill of what is in it, and no licence that surprises."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cyclonedx.schema
import jsonschema_rs
import pytest
from requirements import licences, sbom

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = Path(cyclonedx.schema.__file__).parent / "_res"
DATE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(sbom.bill("serve", DATE))
    return document


def test_the_bill_keeps_the_schema_of_cyclonedx(bill: dict[str, Any]) -> None:
    def schema(name: str) -> Any:
        return json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_text(encoding="utf-8"))

    others = {f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json": schema(name) for name in ("spdx", "jsf-0.82")}
    registry = jsonschema_rs.Registry(list(others.items()))
    jsonschema_rs.validator_for(schema("bom-1.6"), registry=registry).validate(bill)


def test_the_bill_lists_each_locked_package_with_its_licence_and_what_needs_it(bill: dict[str, Any]) -> None:
    packages = {(package.name, package.version) for package in licences.locked(ROOT / "requirements/serve.lock")}
    libraries = [component for component in bill["components"] if component["type"] == "library"]
    assert {(component["name"], component["version"]) for component in libraries} == packages
    assert [component["name"] for component in bill["components"] if not component.get("licenses")] == []
    needed = {ref for part in bill["dependencies"] for ref in part.get("dependsOn", [])}
    alone = {component["name"] for component in bill["components"] if component["bom-ref"] not in needed}
    assert alone <= {"colorama", "tzdata"}  # those are for Windows


def test_the_bill_lists_the_models_by_the_hashes_of_their_bundles(bill: dict[str, Any]) -> None:
    models = {part["name"]: part for part in bill["components"] if part["type"] == "machine-learning-model"}
    bundles = [json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / sbom.WEIGHTS).glob("*/bundle.json")]
    assert models.keys() == {bundle["name"] for bundle in bundles}
    for bundle in bundles:
        assert models[bundle["name"]]["hashes"] == [{"alg": "SHA-256", "content": bundle["model_sha256"]}]


def test_every_file_that_others_wrote_is_in_the_bill_and_in_the_notice() -> None:
    notice = " ".join((ROOT / "NOTICE").read_text(encoding="utf-8").split())
    named = set(re.findall(r"src/fauxto/[\w/.-]+\.\w+", notice))
    others = {".ttf", ".otf", ".woff2", ".jpg", ".jpeg", ".png", ".pem", ".icc", ".onnx"}
    paths = {path.relative_to(ROOT).as_posix() for path in (ROOT / "src").rglob("*") if path.suffix in others}
    ours = "src/fauxto/web/samples/signed.jpg"
    shipped = {path for path in paths if not path.startswith(sbom.WEIGHTS) and path != ours}
    assert shipped == set(sbom.FILES)
    assert named == set(sbom.FILES)


def test_the_same_files_and_date_give_the_same_bill() -> None:
    assert sbom.bill("app", DATE) == sbom.bill("app", DATE)


def test_the_bills_are_of_the_extras_that_the_makefile_locks() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for lock, extras in sbom.EXTRAS.items():
        recipe = re.search(rf"^{lock}\.lock:\n\t(.+)$", makefile, re.MULTILINE)
        assert recipe is not None
        assert tuple(re.findall(r"--extra (\w+)", recipe[1])) == extras


def test_the_licences_of_all_locked_packages_are_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    assert (licences.main([]), "accepted" in capsys.readouterr().out) == (0, True)


@pytest.mark.parametrize(
    ("licence", "accepted"),
    [
        ("MIT", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("MIT AND (AGPL-3.0-only OR BSD-3-Clause)", True),
        ("AGPL-3.0-only", False),
        ("", False),
    ],
)
def test_a_licence_is_accepted_where_its_terms_are(licence: str, accepted: bool) -> None:
    assert licences.Package("package", "1", licence).is_accepted is accepted


def test_a_package_without_a_known_licence_fails_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = tmp_path / "new.lock"
    lock.write_text("no-such-package==1.0 \\\n    --hash=sha256:00\n")
    assert licences.main([str(lock)]) == 1
    assert "no-such-package 1.0: unknown" in capsys.readouterr().out


def test_exceptions_are_packages_that_are_locked() -> None:
    names = {package.name for lock in licences.FOLDER.glob("*.lock") for package in licences.locked(lock)}
    assert names >= licences.EXCEPTIONS.keys()


def test_the_build_takes_what_the_project_says() -> None:
    (backend,) = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    assert backend.startswith("hatchling")
    assert re.search(r"^hatchling==\S+ \\$", (ROOT / "requirements/build.lock").read_text(), re.MULTILINE)


@pytest.fixture
def builder(tmp_path: Path) -> Path:
    """A Python that has what build.lock lists."""
    python = tmp_path / "builder/bin/python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "builder")], check=True, timeout=240)
    try:
        lock = str(ROOT / "requirements/build.lock")
        subprocess.run([*install, "--requirement", lock], check=True, capture_output=True, timeout=240)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("the package index gives no hatchling")
    return python


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not (ROOT / ".git").exists() or shutil.which("git") is None, reason="no repository to clone")
def test_two_clones_give_the_same_bits(builder: Path, tmp_path: Path) -> None:
    """In another folder, at another time, by another umask, time zone and environment."""
    hashes = []
    for name, mask, zone in (("one", "022", "UTC"), ("another", "077", "Asia/Tokyo")):
        clone = tmp_path / name / "clone"
        subprocess.run(
            ["git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", str(clone)], check=True, timeout=240
        )
        build = f"umask {mask}; TZ={zone} SOURCE_DATE_EPOCH={mask} sh requirements/build.sh {builder} ../dist"
        ended = subprocess.run(["sh", "-c", build], cwd=clone, capture_output=True, text=True, timeout=240)
        assert ended.returncode == 0, ended.stderr
        files = sorted((tmp_path / name / "dist").iterdir())
        hashes.append([(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files])
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 2
