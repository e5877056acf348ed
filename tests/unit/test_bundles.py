"""bundle.json key by key, the folder's files, and how a bundle is found; broken networks are in tests/security."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fauxto import bundles
from fauxto.bundles import model_file, registry
from fauxto.bundles.bundle import Calibration, ScoreQuantiles
from fauxto.bundles.model_file import as_stored
from fauxto.choices import CalibrationMethod
from fauxto.errors import BundleError, BundleFormatError, BundleNotFoundError, ModelIntegrityError

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
FORMAT_1 = json.loads((GOLDEN / "bundle.json").read_text())
DESCRIPTION = {
    **FORMAT_1,
    "format": 2,
    "input": {"views": ["whole"], "crops": 0, **{k: v for k, v in FORMAT_1["input"].items() if k != "view"}},
}
FREE_KEYS = {"training.libraries"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN, tmp_path / "golden"))


def keys(plain: dict[str, Any], before: str = "") -> Iterator[str]:
    for key, value in plain.items():
        yield before + key
        if isinstance(value, dict) and before + key not in FREE_KEYS:
            yield from keys(value, f"{before}{key}.")


KEYS = list(keys(DESCRIPTION))


def parent_of(plain: dict[str, Any], key: str) -> tuple[dict[str, Any], str]:
    *path, last = key.split(".")
    for part in path:
        plain = plain[part]
    return plain, last


def refusal(folder: Path, key: str, value: object, of: object = DESCRIPTION) -> str:
    """Load the bundle with one key changed (or taken out, for the value `...`) and return what the error says."""
    plain = json.loads(json.dumps(of))
    table, last = parent_of(plain, key)
    if value is ...:
        del table[last]
    else:
        table[last] = value
    (folder / "bundle.json").write_text(json.dumps(plain))
    with pytest.raises(BundleFormatError) as caught:
        bundles.load(folder)
    said = str(caught.value)
    assert said.startswith(f"{folder / 'bundle.json'}: ")
    return said.removeprefix(f"{folder / 'bundle.json'}: ")


def test_a_bundle_is_loaded_whole() -> None:
    bundle = bundles.load(GOLDEN)
    assert (bundle.name, bundle.version, bundle.folder) == ("golden", "1.0.0", GOLDEN)
    assert bundle.domain.min_short_side == 16
    assert bundle.input.mean == (0.5, 0.5, 0.5)
    assert bundle.operating_points["balanced"].ai_above == 0.75
    assert bundle.training.libraries == {"onnx": "any"}
    assert bundle.model == (GOLDEN / "model.onnx").read_bytes()
    assert bundle.card.startswith("# golden")
    assert "onnx" not in repr(bundle.model_sha256)
    assert len(repr(bundle)) < 3000  # no weights in a log


def test_format_1_is_read_as_format_2(folder: Path) -> None:
    first = bundles.load(folder)
    (folder / "bundle.json").write_text(json.dumps(DESCRIPTION))
    second = bundles.load(folder)
    assert vars(first) == vars(second)
    assert (first.format, first.input.views, first.input.crops) == (2, ("whole",), 0)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("input.view", ..., "input.view is missing"),
        ("input.view", "centre", "input.view must be 'whole', not 'centre'"),
        ("input.views", ["whole"], "input.views is unknown in format 1"),
        ("input.crops", 0, "input.crops is unknown in format 1"),
        ("input", ["whole"], "input must be an object, not ['whole']"),
        ("input", ..., "input is missing"),
        ("format", True, "format must be 2, not True"),
    ],
)
def test_format_1_is_read_as_strictly(folder: Path, key: str, value: object, said: str) -> None:
    assert refusal(folder, key, value, FORMAT_1).startswith(said)


@pytest.mark.parametrize("key", KEYS)
def test_each_key_is_needed(folder: Path, key: str) -> None:
    is_point = key.startswith("operating_points.") and key.count(".") == 1
    said = "operating_points must be exactly cautious, balanced, sensitive" if is_point else f"{key} is missing"
    assert refusal(folder, key, ...) == said


@pytest.mark.parametrize("key", ["extra", *(f"{key}.extra" for key in ("domain", "input", "training"))])
def test_no_other_key_is_allowed(folder: Path, key: str) -> None:
    assert refusal(folder, key, 1).startswith(f"{key} is unknown; known here: ")


@pytest.mark.parametrize("value", [None, [], {"a": 1}, True], ids=repr)
@pytest.mark.parametrize("key", KEYS)
def test_each_value_has_its_type(folder: Path, key: str, value: object) -> None:
    if key == "training.libraries" and isinstance(value, dict):
        value = {"a": 1}
    if key == "stability" and value is True:
        value = 1
    said = refusal(folder, key, value)
    assert said.startswith(key)
    assert "must be" in said or "must have" in said or "is missing" in said or "is unknown" in said


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("format", 3, "format must be 2, not 3"),
        ("format", 2.0, "format must be 2, not 2.0"),
        ("name", "Paper CNN", "name must be lower-case letters"),
        ("name", "../golden", "name must be lower-case letters"),
        ("version", "1.0", "version must be three numbers"),
        ("summary", "red \x1b[31m", "summary must be one line of printable text, not 'red \\x1b[31m'"),
        ("summary", "two\nlines", "summary must be one line"),
        ("training.command", "‮desrever", "training.command must be one line"),
        ("model_sha256", "AB" * 32, "model_sha256 must be 64 lower-case"),
        ("domain.min_short_side", 0, "domain.min_short_side must be 1 to"),
        ("domain.min_short_side", 65, "domain.min_short_side must be 1 to"),
        ("domain.min_short_side", 16.5, "domain.min_short_side must be a whole number, not 16.5"),
        ("input.views", ["left"], "input.views[0] must be 'whole' or 'centre', not 'left'"),
        ("input.views", ["whole", "whole"], "input.views must not name a view twice"),
        ("input.views", [], "input.views must have an entry where there are no crops"),
        ("input.crops", 17, "input.crops must be 0 to 16"),
        ("input.height", 0, "input.height must be 1 to 4096"),
        ("input.width", 5000, "input.width must be 1 to 4096"),
        ("input.scale", 0, "input.scale must be greater than 0"),
        ("input.scale", 10**400, "input.scale must be a finite number"),
        ("input.mean", [0, 0], "input.mean must have 3 entries, not 2"),
        ("input.mean", [0, "0", 0], "input.mean[1] must be a finite number, not '0'"),
        ("input.std", [1, 0, 1], "input.std must be greater than 0"),
        ("labels", ["ai", "real"], "labels[0] must be 'real', not 'ai'"),
        ("calibration.method", "isotonic", "calibration.method must be 'platt' or 'temperature'"),
        ("calibration.slope", -1, "calibration.slope must be greater than 0"),
        ("calibration.count", -1, "calibration.count must not be negative"),
        ("operating_points", {}, "operating_points must be exactly cautious, balanced, sensitive"),
        ("operating_points.balanced.ai_above", 1.1, "operating_points.balanced.real_below must be 0 to ai_above"),
        ("operating_points.balanced.real_below", 0.8, "operating_points.balanced.real_below must be 0 to ai_above"),
        ("operating_points.balanced.tpr", 2, "operating_points.balanced.tpr must be 0 to 1"),
        ("real_score_quantiles.fpr", [1.0], "real_score_quantiles.score must have as many entries as fpr"),
        ("real_score_quantiles.fpr", [1, 0.5, 0.5, 0.1], "real_score_quantiles.fpr must fall"),
        ("real_score_quantiles.fpr", [1, 0.5, 0.1, 0], "real_score_quantiles.fpr must be above 0"),
        ("real_score_quantiles.score", [3, 2, 1, 0], "real_score_quantiles.score must rise"),
    ],
)  # fmt: skip
def test_each_value_makes_sense(folder: Path, key: str, value: object, said: str) -> None:
    assert refusal(folder, key, value).startswith(said)


@pytest.mark.parametrize(
    "text",
    ["", "not JSON", "[]", '{"format": NaN}', '{"format": 1e999}', "[" * 200_000, "\xff", '"\\ud800"'],
    ids=range(8),
)
def test_what_is_no_description_is_refused(folder: Path, text: str) -> None:
    (folder / "bundle.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(BundleFormatError, match=r"bundle\.json: "):
        bundles.load(folder)


@pytest.mark.parametrize("key", ["name", "min_short_side", "onnx"])
def test_a_key_that_is_there_twice_is_refused(folder: Path, key: str) -> None:
    text = (GOLDEN / "bundle.json").read_text()
    assert text.count(f'"{key}":') == 1
    (folder / "bundle.json").write_text(text.replace(f'"{key}":', f'"{key}": 1, "{key}":'))
    with pytest.raises(BundleFormatError, match=rf"bundle\.json: the key '{key}' is there twice"):
        bundles.load(folder)


def test_an_oversized_description_is_refused(folder: Path) -> None:
    (folder / "bundle.json").write_bytes(b" " * (1024 * 1024 + 1))
    with pytest.raises(BundleFormatError, match=r"bundle\.json is larger than 1,048,576 bytes"):
        bundles.load(folder)


@pytest.mark.parametrize("name", ["model.onnx", "CARD.md"])
def test_each_file_is_needed(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BundleFormatError, match=f"isn't a complete bundle: {name} is missing"):
        bundles.load(folder)
    (folder / name).mkdir()
    with pytest.raises(BundleFormatError, match=f"isn't a complete bundle: {name} is missing"):
        bundles.load(folder)


@pytest.fixture
def parted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle whose network is stored in three parts."""
    model = (folder / "model.onnx").read_bytes()
    monkeypatch.setattr(model_file, "_PART_BYTES", len(model) // 3 + 1)
    for name, stored in as_stored(model).items():
        (folder / name).write_bytes(stored)
    (folder / "model.onnx").unlink()
    return folder


def test_a_network_may_be_stored_in_parts(parted: Path) -> None:
    sizes = [path.stat().st_size for path in sorted(parted.glob("model.onnx*"))]
    assert len(sizes) == 3
    assert max(sizes) - min(sizes) < 3
    assert bundles.load(parted).model == (GOLDEN / "model.onnx").read_bytes()


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("model.onnx.3", lambda part: part.write_bytes(part.read_bytes()[:-1])),
        ("model.onnx.3", lambda part: part.write_bytes(part.read_bytes() + b"more")),
        ("model.onnx.2", lambda part: part.unlink()),
    ],
    ids=["cut", "longer", "missing"],
)
def test_damage_to_a_part_is_found(parted: Path, part: str, change: Callable[[Path], object]) -> None:
    change(parted / part)
    with pytest.raises(ModelIntegrityError, match=r"isn't the file that bundle\.json describes"):
        bundles.load(parted)


@pytest.mark.parametrize("part", ["model.onnx.1", "model.onnx.2"])
def test_a_part_is_a_file(parted: Path, part: str) -> None:
    (parted / part).unlink()
    os.mkfifo(parted / part)
    with pytest.raises(BundleFormatError, match=f"isn't a complete bundle: {part} is missing"):
        bundles.load(parted)


def test_without_its_first_part_a_network_is_missing(parted: Path) -> None:
    (parted / "model.onnx.1").unlink()
    with pytest.raises(BundleFormatError, match=r"model\.onnx is missing"):
        bundles.load(parted)


@pytest.mark.parametrize("name", ["bundle.json", "model.onnx"])
def test_a_file_that_cannot_be_looked_at_is_an_error_that_names_it(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).symlink_to("x" * 300)  # longer than the name of a file may be
    with pytest.raises(BundleError, match=name):
        bundles.load(folder)


def test_a_network_is_there_once(parted: Path) -> None:
    shutil.copy(GOLDEN / "model.onnx", parted)
    with pytest.raises(BundleFormatError, match=r"holds both model\.onnx and model\.onnx\.1"):
        bundles.load(parted)


def test_parts_hold_no_more_together_than_a_network_may_have(parted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = (GOLDEN / "model.onnx").stat().st_size
    monkeypatch.setattr(model_file, "_MAX_BYTES", model)
    bundles.load(parted)
    monkeypatch.setattr(model_file, "_MAX_BYTES", model - 1)
    with pytest.raises(BundleFormatError, match=r"model\.onnx is larger than"):
        bundles.load(parted)


def test_parts_are_joined_by_number_up_to_the_hundredth(folder: Path) -> None:
    model = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").unlink()
    for number in range(100):
        (folder / f"model.onnx.{number + 1}").write_bytes(model[number:][:1] if number < 99 else model[99:])
    assert bundles.load(folder).model == model
    shutil.copy(folder / "model.onnx.100", folder / "model.onnx.101")
    (folder / "model.onnx.100").write_bytes(b"")
    with pytest.raises(ModelIntegrityError):
        bundles.load(folder)


@pytest.mark.parametrize(
    ("size", "sizes"),
    [(10, {"": 10}), (11, {".1": 6, ".2": 5}), (20, {".1": 10, ".2": 10}), (21, {".1": 7, ".2": 7, ".3": 7})],
)
def test_only_large_networks_are_in_parts(monkeypatch: pytest.MonkeyPatch, size: int, sizes: dict[str, int]) -> None:
    monkeypatch.setattr(model_file, "_PART_BYTES", 10)
    model = bytes(range(size))
    stored = as_stored(model)
    assert {name.removeprefix("model.onnx"): len(part) for name, part in stored.items()} == sizes
    assert b"".join(stored.values()) == model


@pytest.mark.parametrize("what", ["no-such-bundle", "", "a\0b", "x" * 5000, "./nowhere"])
def test_what_isnt_there_is_said_with_what_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str) -> None:
    shutil.copytree(GOLDEN, tmp_path / "golden")
    monkeypatch.setattr(registry, "WEIGHTS", tmp_path)
    with pytest.raises(BundleNotFoundError, match=r"golden" if what else r"has no bundle\.json"):
        bundles.load(what)


def test_an_installed_name_goes_before_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(GOLDEN, tmp_path / "weights" / "golden")
    (tmp_path / "golden").mkdir()
    monkeypatch.setattr(registry, "WEIGHTS", tmp_path / "weights")
    monkeypatch.chdir(tmp_path)
    assert bundles.names() == ["golden"]
    assert bundles.load("golden").folder == tmp_path / "weights" / "golden"
    with pytest.raises(BundleNotFoundError, match=r"has no bundle\.json"):
        bundles.load(Path("golden"))


def test_a_bundle_must_be_called_as_it_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(GOLDEN, tmp_path / "paper-cnn")
    monkeypatch.setattr(registry, "WEIGHTS", tmp_path)
    with pytest.raises(BundleFormatError, match=r"installed as .paper-cnn. .* calls itself .golden."):
        bundles.load("paper-cnn")


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An installed package that brings a bundle, and says that it brings another one."""
    shutil.copytree(GOLDEN, tmp_path / "golden_plugin" / "weights")
    (tmp_path / "golden_plugin" / "__init__.py").write_text("raise AssertionError('code was run')")
    (tmp_path / "golden_plugin" / "weights" / "__init__.py").write_text("raise AssertionError('code was run')")
    installed = tmp_path / "golden_plugin-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: golden-plugin\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(
        "[fauxto.bundles]\ngolden = golden_plugin.weights\nlost = golden_plugin.lost\ngone = gone.weights\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path / "golden_plugin" / "weights"


def test_packages_bring_bundles_without_running_code_of_theirs(plugin: Path) -> None:
    assert {"golden", "lost", "gone"} <= set(bundles.names())
    assert bundles.load("golden").folder == plugin


@pytest.mark.parametrize("name", ["lost", "gone"])
def test_a_package_that_does_not_bring_its_bundle_is_named(plugin: Path, name: str) -> None:
    with pytest.raises(BundleNotFoundError, match=rf"the bundle '{name}' should be in the package \w+\.\w+"):
        bundles.load(name)


def test_the_reference_names_every_key() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "bundle.md").read_text()
    for key in KEYS:
        if isinstance(parent_of(DESCRIPTION, key)[0][key.rpartition(".")[2]], dict) and key != "training.libraries":
            continue
        named = f"….{key.rpartition('.')[2]}" if key.startswith("operating_points.") else key
        assert f"`{named}`" in page, key


def test_probability() -> None:
    calibration = Calibration(CalibrationMethod.PLATT, slope=2.0, intercept=-1.0, fitted_on="val", count=10)
    scores = np.array([-1e6, -30.0, 0.0, 0.5, 2.0, 1e6])
    expected = [0.0, np.exp(-61.0), 1 / (1 + np.e), 0.5, 1 / (1 + np.exp(-3.0)), 1.0]
    np.testing.assert_allclose(calibration.probability(scores), expected, rtol=1e-12)


def test_fpr_at() -> None:
    quantiles = ScoreQuantiles(fpr=(1.0, 0.1, 0.001), score=(-2.0, 0.0, 4.0))
    scores = np.array([-9.0, -2.0, -1.0, 0.0, 2.0, 4.0, 9.0])
    expected = [1.0, 1.0, np.sqrt(0.1), 0.1, 0.01, 0.001, 0.001]
    np.testing.assert_allclose(quantiles.fpr_at(scores), expected, rtol=1e-12)
