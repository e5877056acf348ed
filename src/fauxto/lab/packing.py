"""Packing: a trained, calibrated and evaluated run in, a model bundle out (docs/reference/bundle.md)."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fauxto import bundles
from fauxto.bundles.bundle import FORMAT, Description, Domain, Input, Training, as_stored
from fauxto.bundles.network import Network
from fauxto.errors import BundleFormatError, ConfigError, FauxtoError
from fauxto.lab import card
from fauxto.lab.calibration import RunCalibration
from fauxto.lab.card import Agreement
from fauxto.lab.config import Recipe
from fauxto.lab.datasets import Dataset
from fauxto.lab.training import CONFIG, RECORD, import_keras, load_model

AGREEMENT_PICTURES = 1000
TOLERANCE = 1e-4
"""Largest difference that is let through between a logit of Keras and of ONNX Runtime."""


@dataclass(frozen=True, slots=True)
class Nameplate:
    """What stands on the outside of a bundle.

    Attributes:
        name: What it is called.
        version: Three numbers.
        summary: One sentence on what it is for.
        min_short_side: Smallest short side that it may judge, in pixels; None for the size that it was trained at.
        max_short_side: The largest, likewise.
    """

    name: str
    version: str
    summary: str
    min_short_side: int | None = None
    max_short_side: int | None = None


def pack(run: Path, data: Path, out: Path, nameplate: Nameplate, *, beside: Path | None = None) -> Agreement:
    """Export a run's network to ONNX, check it against Keras, and write the bundle folder whole or not at all.

    Args:
        run: A run that was trained, calibrated and evaluated on test.
        data: The data set; up to 1,000 pictures of its test split are scored by both Keras and ONNX Runtime.
        out: The bundle folder; a bundle that is already there is replaced.
        nameplate: What the bundle is called, and for which pictures it speaks.
        beside: Another run, whose robustness the card shows next to this one's.

    Returns:
        How far the logits of Keras and of ONNX Runtime agree.

    Raises:
        ConfigError: The run isn't finished or calibrated, or `out` holds something that is no bundle.
        FauxtoError: The run isn't evaluated, or ONNX Runtime and Keras disagree.
        BundleFormatError: `nameplate` breaks the contract.
    """
    calibration = RunCalibration.read(run)
    if calibration is None or not (run / RECORD).is_file():
        raise ConfigError(f"{run} must be trained and calibrated before it is packed: fauxto calibrate {run}")
    if out.exists() and not (out / "bundle.json").is_file():
        raise ConfigError(f"{out} exists and is no bundle; name another folder with --out")
    description = _description(run, calibration, nameplate)
    with tempfile.TemporaryDirectory() as temporary:
        model = _export(run, Path(temporary) / "model.onnx")
        exported = (Path(temporary) / "model.onnx").read_bytes()
    description = replace(description, model_sha256=hashlib.sha256(exported).hexdigest())
    network = Network(bundles.Bundle(**vars(description), folder=out, model=exported, card=""))
    agreement = _compare(network, model, Dataset.open(data).split("test").images, description.input.height)
    if not agreement.difference <= TOLERANCE:
        raise FauxtoError(
            f"ONNX Runtime and Keras disagree on {run}: a logit differs by {agreement.difference:.2g}, "
            f"more than {TOLERANCE:g}"
        )
    write_bundle(out, description, exported, card.render(description, run, agreement, beside=beside))
    return agreement


def write_bundle(out: Path, description: Description, model: bytes, card_text: str) -> None:
    """Write a bundle folder whole or not at all; a bundle that is there is replaced.

    Raises:
        BundleError: What was written can't be loaded.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as temporary:
        draft = Path(temporary) / out.name
        draft.mkdir()
        name, stored = as_stored(model)
        (draft / name).write_bytes(stored)
        (draft / "bundle.json").write_text(json.dumps(asdict(description), indent=2) + "\n", encoding="utf-8")
        (draft / "CARD.md").write_text(card_text, encoding="utf-8")
        bundles.load(draft)
        if out.exists():
            shutil.rmtree(out)
        draft.rename(out)


def _export(run: Path, to: Path) -> Any:
    # Every network is exported on TensorFlow, whatever it was trained on: one exporter, one set of operators.
    keras = import_keras("tensorflow")
    model = load_model(run)
    signature = [keras.InputSpec(shape=model.input_shape, dtype="float32", name="pixels")]
    model.export(to, format="onnx", input_signature=signature, verbose=False)
    return model


def _compare(network: Network, model: Any, images: Any, side: int) -> Agreement:
    from fauxto.lab.batches import resized  # imports Keras, whose backend `_export` has chosen by now

    # Spread over the whole split, whose rows are sorted by label.
    rows = np.linspace(0, len(images) - 1, min(AGREEMENT_PICTURES, len(images))).astype(np.int64)
    pixels = resized(images, rows, side)
    expected = model.predict(pixels.astype(np.float32) / 255, verbose=0)
    return Agreement(len(rows), float(np.abs(network.logits(pixels) - expected).max()))


def _description(run: Path, calibration: RunCalibration, nameplate: Nameplate) -> Description:
    recipe = Recipe.load(run / CONFIG)
    record = json.loads((run / RECORD).read_text(encoding="utf-8"))
    kept = ("command", "git_revision", "dataset", "manifest_sha256", "parameters", "epochs", "seconds", "libraries")
    side = recipe.image_size
    black, white = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    try:
        return Description(
            format=FORMAT,
            name=nameplate.name,
            version=nameplate.version,
            summary=nameplate.summary,
            model_sha256="0" * 64,  # known once the network is exported
            domain=Domain(nameplate.min_short_side or side, nameplate.max_short_side or side),
            input=Input("whole", height=side, width=side, scale=1 / 255, mean=black, std=white),
            stability=False,
            labels=("real", "ai"),
            calibration=calibration.calibration,
            operating_points=calibration.operating_points,
            real_score_quantiles=calibration.real_score_quantiles,
            training=Training(network=recipe.network, seed=recipe.seed, **{key: record[key] for key in kept}),
        )
    except ValueError as error:
        raise BundleFormatError(f"the bundle can't be called so: {error}") from error
