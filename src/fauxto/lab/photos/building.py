"""From whole pictures to the bundle of the photo detector: fit, calibrate, judge, pack."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fauxto import bundles
from fauxto.bundles.bundle import FORMAT, Bundle, Description, Domain, OperatingPoint, ScoreQuantiles, Training
from fauxto.lab import calibration, provenance
from fauxto.lab.datasets import Dataset
from fauxto.lab.evaluation import metrics
from fauxto.lab.packing import write_bundle
from fauxto.lab.photos import card, clip, head, tables
from fauxto.lab.photos.delivery import PROTOCOLS
from fauxto.lab.photos.features import INPUT, at_random, features
from fauxto.lab.photos.judging import judged

NAME, VERSION = "photos", "1.1.0"
SUMMARY = "Photographs against generated pictures, for anything larger than a thumbnail; it often can't tell."
DOMAIN = Domain(min_short_side=65, max_short_side=50_000)
RESULTS = "evaluation.json"

CALIBRATED_ON = "the harder half of the sources of val, and of train by heads that hadn't seen them"

FEWEST = 10
"""A source with fewer pictures of a label has no rank among the others: its median is chance."""

SMALL_SOURCE = 40
"""A source with no more photographs than this has no threshold of its own: its shares are too coarse."""

Judged = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[Any]]
"""Scores, labels and sources of pictures, [N] each."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides the bundle, but for the data.

    Attributes:
        depth: After how many blocks of the tower the head looks.
        seed: Of the random delivery of the training pictures.
        strength: Inverse of the head's L2 penalty.
    """

    depth: int = 10
    seed: int = 1
    strength: float = 1e-4


def build(data: Path, tower: Path, run: Path, out: Path, command: str, recipe: Recipe = Recipe()) -> Bundle:
    """Make the bundle, with everything slow kept in `run`.

    Args:
        data: A data set of whole pictures (`fauxto data import photos --originals`).
        tower: The ONNX file of CLIP's image tower.
        run: A folder for features, judged pictures and results.
        out: The bundle's folder.
        command: What the bundle's record says that it was made by.
        recipe: How.
    """
    started = perf_counter()
    dataset = Dataset.open(data)
    weights = clip.read_weights(tower)
    network = clip.feature_network(weights, recipe.depth)
    learn = dataset.split("train")
    seen = features(learn, at_random(recipe.seed), f"random-{recipe.seed}", network, run / "features")
    sources = np.array(learn.rows["source"].to_pylist())
    fitted = head.fit(seen, learn.labels, sources, recipe.strength)
    model = clip.detector_network(weights, recipe.depth, fitted)
    training = Training(
        network=NAME,
        command=command,
        git_revision=provenance.git_revision(),
        seed=recipe.seed,
        dataset=dataset.name,
        manifest_sha256=dataset.manifest_sha256,
        parameters=clip.parameters(weights, recipe.depth),
        epochs=1,
        seconds=round(perf_counter() - started, 1),
        libraries=provenance.versions(("numpy", "onnx", "onnxruntime", "pillow", "scikit-learn")),
    )
    bundle = _uncalibrated(model, training, out)
    tables_of = {split: judged(dataset.split(split), bundle, run) for split in ("val", "test")}
    held_out = head.held_out_scores(seen, learn.labels, sources, recipe.strength)
    val = tables.columns(tables_of["val"], bundle.calibration)
    once = np.arange(len(val["score"]) // len(PROTOCOLS))
    once = once * len(PROTOCOLS) + once % len(PROTOCOLS)  # each picture under one protocol, in turn: it counts once
    seen_once = val["score"][once], val["label"][once], val["source"][once]
    bundle = _calibrated(bundle, (held_out, learn.labels, sources), seen_once)
    results = {
        "model_sha256": bundle.model_sha256,
        "held_out_sources": metrics.ranking(learn.labels, held_out),
        **{
            split: tables.measure(tables.columns(rows, bundle.calibration), bundle.operating_points)
            for split, rows in tables_of.items()
        },
    }
    (run / RESULTS).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    description = Description(**{one.name: getattr(bundle, one.name) for one in fields(Description)})
    write_bundle(out, description, model, card.render(description, recipe.depth, results))
    return bundles.load(out)


def _uncalibrated(model: bytes, training: Training, out: Path) -> Bundle:
    nothing = OperatingPoint(real_below=0.0, ai_above=1.0, fpr=0.0, tpr=0.0, inconclusive=1.0)
    return Bundle(
        format=FORMAT,
        name=NAME,
        version=VERSION,
        summary=SUMMARY,
        model_sha256=hashlib.sha256(model).hexdigest(),
        domain=DOMAIN,
        input=INPUT,
        stability=True,
        labels=("real", "ai"),
        calibration=calibration.UNCALIBRATED,
        operating_points=dict.fromkeys(bundles.OPERATING_POINTS, nothing),
        real_score_quantiles=ScoreQuantiles((1.0,), (0.0,)),
        training=training,
        folder=out,
        model=model,
        card="",
    )


def _calibrated(bundle: Bundle, held_out: Judged, val: Judged) -> Bundle:
    """Fit probabilities and thresholds on pictures from sources that the head which judged them has not seen."""
    scores, labels, sources = (np.concatenate(pair) for pair in zip(held_out, val, strict=True))
    kept = harder_half(scores, labels, sources)
    weights = head.weights_of(labels[kept], sources[kept])
    fitted = calibration.fit(scores[kept], labels[kept], weights=weights)
    fitted = replace(fitted, fitted_on=CALIBRATED_ON, count=int(kept.sum()))
    probabilities = fitted.probability(scores)
    groups = [probabilities[rows] for rows in _larger_sources(labels, sources)]
    return replace(
        bundle,
        calibration=fitted,
        operating_points=calibration.operating_points(probabilities, labels, groups),
        real_score_quantiles=calibration.score_quantiles(scores[labels == 0]),
    )


def harder_half(scores: Any, labels: Any, sources: Any) -> NDArray[np.bool_]:
    """Tell which pictures are of a source that is harder to tell than half of those of its label, by their medians.

    A source never met is likelier to be like these: pictures that are no photographs at the first look are easy, and
    probabilities fitted on them too would be too sure of the others.
    """
    kept = np.zeros(len(labels), bool)
    for label, harder in ((0, -1), (1, 1)):
        found, counts = np.unique(sources[labels == label], return_counts=True)
        names = found[counts >= min(FEWEST, counts.max())]
        medians = [np.median(scores[(labels == label) & (sources == name)]) for name in names]
        hard = names[np.argsort(np.array(medians) * harder)[: (len(names) + 1) // 2]]
        kept |= (labels == label) & np.isin(sources, hard)
    return kept


def _larger_sources(labels: Any, sources: Any) -> list[NDArray[np.bool_]]:
    """Tell of each source of more than a few photographs which pictures are its photographs."""
    names, counts = np.unique(sources[labels == 0], return_counts=True)
    return [(labels == 0) & (sources == name) for name in names[counts > SMALL_SOURCE]]
