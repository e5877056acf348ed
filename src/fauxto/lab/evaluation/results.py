"""Everything that is measured of one run on one split, as one JSON document."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fauxto.lab.calibration import UNCALIBRATED, RunCalibration
from fauxto.lab.datasets import Dataset
from fauxto.lab.evaluation import metrics
from fauxto.lab.evaluation.scores import manifest_of_training, network_sha256, split_scores

RESULTS_VERSION = 1

_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


def subject(run: Path, dataset: Dataset, split: str, calibrated: RunCalibration | None) -> dict[str, Any]:
    """Say what was measured on what; two result files with equal subjects belong together.

    Returns:
        `run` (its folder's name), `network_sha256`, `calibration` (None, or as bundle.json
        has it), `dataset`, `manifest_sha256` and `split`.
    """
    return {
        "run": run.resolve().name,
        "network_sha256": network_sha256(run),
        "calibration": calibrated and dataclasses.asdict(calibrated.calibration),
        "dataset": dataset.name,
        "manifest_sha256": dataset.manifest_sha256,
        "split": split,
    }


def measure(run: Path, dataset: Dataset, split: str) -> dict[str, Any]:
    """Measure a run's network on a split, whole and without the pictures that leaked from training.

    Args:
        run: The run folder; its calibration.json is used where there is one.
        dataset: The data set to measure on.
        split: "train", "val" or "test".

    Returns:
        `version`; the `subject`; `trained_on_this_data`, without which nobody knows what leaked; `leaked`,
        the number of pictures whose pixels also stand in an earlier split; `full` and `without_leaked`
        (None when that is the same or nothing), each as `figures` returns it; `object_classes`, one
        `metrics.summary` with `name` and `count` for each object class of the whole split.

    Raises:
        FauxtoError: The run has no network, or its calibration belongs to another one.
    """
    pictures = dataset.split(split)
    calibrated = RunCalibration.read(run)
    scores = split_scores(run, dataset, split)
    kept = ~pictures.leaked
    return {
        "version": RESULTS_VERSION,
        "subject": subject(run, dataset, split, calibrated),
        "trained_on_this_data": manifest_of_training(run) == dataset.manifest_sha256,
        "leaked": int(pictures.leaked.sum()),
        "full": figures(pictures.labels, scores, calibrated),
        "without_leaked": (
            figures(pictures.labels[kept], scores[kept], calibrated) if kept.any() and not kept.all() else None
        ),
        "object_classes": _by_group(
            np.array(pictures.rows["object_class"].to_pylist(), dtype=object),
            pictures.labels,
            (calibrated.calibration if calibrated else UNCALIBRATED).probability(scores),
        ),
    }


def figures(
    labels: NDArray[np.int64], scores: NDArray[np.float64], calibrated: RunCalibration | None
) -> dict[str, Any]:
    """Put every figure of `metrics` together.

    Args:
        labels: int [N], 1 = ai.
        scores: float [N], raw.
        calibrated: What was fitted on val, or None to take the network's own softmax.

    Returns:
        `count`; the keys of `metrics.classification_report` at probability .5; `auroc` and
        `average_precision`; `calibration` with `before` and, if calibrated, `after` (`accuracy`, `ece`,
        `brier`, `log_loss` and the `reliability` bins); `thresholds`, one of `metrics.decisions` for each
        symmetric pair of thresholds; `operating_points`, the same by name; `fpr_at_score` with what val
        `promised` and what was `measured` here; `curves` and `histogram` of the scores.
    """
    stages = {"before": UNCALIBRATED} | ({"after": calibrated.calibration} if calibrated else {})
    by_stage = {name: stage.probability(scores) for name, stage in stages.items()}
    probabilities = list(by_stage.values())[-1]
    return {
        "count": len(labels),
        **metrics.classification_report(labels, probabilities >= 0.5),
        **metrics.ranking(labels, scores),
        "calibration": {
            name: {
                "accuracy": float(np.mean((stage >= 0.5) == labels)),
                **metrics.calibration_error(labels, stage),
                "reliability": metrics.reliability(labels, stage),
            }
            for name, stage in by_stage.items()
        },
        "thresholds": [
            metrics.decisions(labels, probabilities, real_below=round(1 - high, 2), ai_above=high)
            for high in _THRESHOLDS
        ],
        "operating_points": {
            name: metrics.decisions(labels, probabilities, point.real_below, point.ai_above)
            for name, point in (calibrated.operating_points if calibrated else {}).items()
        },
        "fpr_at_score": _promises(scores[labels == 0], calibrated),
        "curves": metrics.curves(labels, scores),
        "histogram": metrics.histogram(labels, scores),
    }


def _promises(real_scores: NDArray[np.float64], calibrated: RunCalibration | None) -> dict[str, Sequence[float]] | None:
    if calibrated is None or not len(real_scores):
        return None
    quantiles = calibrated.real_score_quantiles
    return {
        "promised": quantiles.fpr,
        "measured": metrics.share_at_least(real_scores, quantiles.score),
    }


def _by_group(
    groups: NDArray[np.object_], labels: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> list[dict[str, Any]]:
    """Sum up each group by itself, in order of name; pictures without a group are left out."""
    return [
        {
            "name": name,
            "count": int(np.count_nonzero(groups == name)),
            **metrics.summary(labels[groups == name], probabilities[groups == name]),
        }
        for name in sorted({group for group in groups if group is not None})
    ]
