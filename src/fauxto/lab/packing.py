"""Packing: a trained, calibrated and evaluated run in, a model bundle out (docs/reference/bundle.md)."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fauxto import bundles
from fauxto.bundles.bundle import FORMAT, Description, Domain, Input, Training
from fauxto.bundles.network import Network
from fauxto.errors import BundleFormatError, ConfigError, FauxtoError
from fauxto.lab import card
from fauxto.lab.calibration import RunCalibration
from fauxto.lab.config import Recipe
from fauxto.lab.datasets import Dataset
from fauxto.lab.training import CONFIG, RECORD, import_keras, load_model

AGREEMENT_PICTURES = 1000
TOLERANCE = 1e-4
"""Largest difference that is let through between a logit of Keras and of ONNX Runtime."""


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on the outside of a bundle: its name, its version, one sentence, and the short sides it may judge."""

    name: str
    version: str
    summary: str
    min_short_side: int
    max_short_side: int


def pack(run: Path, data: Path, out: Path, label: Label, *, beside: Path | None = None) -> float:
    """Export a run's network to ONNX, check it against Keras, and write the bundle folder whole or not at all.

    Args:
        run: A run that was trained, calibrated and evaluated on test.
        data: The data set; up to 1,000 pictures of its test split are scored by both Keras and ONNX Runtime.
        out: The bundle folder; a bundle that is already there is replaced.
        label: What the bundle is called, and for which pictures it speaks.
        beside: Another run, whose robustness the card shows next to this one's.

    Returns:
        The largest absolute difference between a logit of Keras and of ONNX Runtime.

    Raises:
        ConfigError: The run isn't finished or calibrated, or `out` holds something that is no bundle.
        FauxtoError: The run isn't evaluated, or ONNX Runtime and Keras disagree.
        BundleFormatError: `label` breaks the contract.
    """
    calibration = RunCalibration.read(run)
    if calibration is None or not (run / RECORD).is_file():
        raise ConfigError(f"{run} must be trained and calibrated before it is packed: fauxto calibrate {run}")
    if out.exists() and not (out / "bundle.json").is_file():
        raise ConfigError(f"{out} exists and is no bundle; name another folder with --out")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as temporary:
        draft = Path(temporary) / out.name
        draft.mkdir()
        model = _export(run, draft / "model.onnx")
        description = _description(run, calibration, label, draft / "model.onnx")
        (draft / "bundle.json").write_text(json.dumps(asdict(description), indent=2) + "\n", encoding="utf-8")
        (draft / "CARD.md").write_text(card.render(description, run, beside=beside), encoding="utf-8")
        difference = _disagreement(bundles.load(draft), model, Dataset.open(data))
        if not difference <= TOLERANCE:
            raise FauxtoError(
                f"ONNX Runtime and Keras disagree on {run}: a logit differs by {difference:.2g}, "
                f"more than {TOLERANCE:g}"
            )
        if out.exists():
            shutil.rmtree(out)
        draft.rename(out)
    return difference


def _export(run: Path, to: Path) -> Any:
    # Every network is exported on TensorFlow, whatever it was trained on: one exporter, one set of operators.
    keras = import_keras("tensorflow")
    model = load_model(run)
    signature = [keras.InputSpec(shape=model.input_shape, dtype="float32", name="pixels")]
    model.export(to, format="onnx", input_signature=signature, verbose=False)
    return model


def _disagreement(bundle: bundles.Bundle, model: Any, dataset: Dataset) -> float:
    from fauxto.lab.batches import resized  # imports Keras, whose backend `_export` has chosen by now

    images = dataset.split("test").images
    pixels = resized(images, range(min(AGREEMENT_PICTURES, len(images))), bundle.input.height)
    expected = model.predict(pixels.astype(np.float32) / 255, verbose=0)
    return float(np.abs(Network(bundle).logits(pixels) - expected).max())


def _description(run: Path, calibration: RunCalibration, label: Label, model: Path) -> Description:
    recipe = Recipe.load(run / CONFIG)
    record = json.loads((run / RECORD).read_text(encoding="utf-8"))
    kept = ("command", "git_revision", "dataset", "manifest_sha256", "parameters", "epochs", "seconds", "libraries")
    side = recipe.image_size
    black, white = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    try:
        return Description(
            format=FORMAT,
            name=label.name,
            version=label.version,
            summary=label.summary,
            model_sha256=hashlib.sha256(model.read_bytes()).hexdigest(),
            domain=Domain(label.min_short_side, label.max_short_side),
            input=Input("whole", height=side, width=side, scale=1 / 255, mean=black, std=white),
            labels=("real", "ai"),
            calibration=calibration.calibration,
            operating_points=calibration.operating_points,
            real_score_quantiles=calibration.real_score_quantiles,
            training=Training(network=recipe.network, seed=recipe.seed, **{key: record[key] for key in kept}),
        )
    except ValueError as error:
        raise BundleFormatError(f"the bundle can't be called so: {error}") from error
