"""Everything that is measured of one bundle on one split, as one JSON document."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fauxto.bundles import Bundle
from fauxto.errors import DatasetError
from fauxto.lab.datasets import Dataset, Split
from fauxto.lab.datasets.manifest import LABELS
from fauxto.lab.degradations.protocols import CLEAN, DAMAGED, DELIVERED
from fauxto.lab.evaluation import metrics
from fauxto.lab.evaluation.measurements import evaluation
from fauxto.lab.evaluation.scores import Scores, score
from fauxto.lab.evaluation.shortcuts import shortcuts
from fauxto.lab.families import families_of
from fauxto.lab.run import UNCALIBRATED
from fauxto.report import Lean, Verdict
from fauxto.verdict import likeliest_family

RESULTS_VERSION = 5

_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
_COVERAGES = 10
_SHOWN = 12  # pictures of a label, of those that were misjudged and of any

Use = Literal["training", "tuning", "test"]


def subject_of(bundle: Bundle) -> dict[str, Any]:
    """Say what was measured: two result files with equal words on it belong together."""
    return {
        "model_sha256": bundle.model_sha256,
        "calibration": dataclasses.asdict(bundle.calibration),
        "thresholds": {name: [point.real_below, point.ai_above] for name, point in bundle.operating_points.items()},
    }


def subject(bundle: Bundle, dataset: Dataset, split: str) -> dict[str, Any]:
    """Say what was measured, and on what."""
    on = {"dataset": dataset.name, "manifest_sha256": dataset.manifest_sha256, "split": split}
    return {**subject_of(bundle), **on}


def measure(bundle: Bundle, name: str, dataset: Dataset, split: str, folder: Path) -> dict[str, Any]:
    """Measure a bundle's network on a split, whole and without the pictures that leaked from training.

    Args:
        bundle: What is measured.
        name: What to call it.
        dataset: The data set to measure on.
        split: One of its splits.
        folder: Where the scores are kept.

    Returns:
        `version`; `name`; the `subject`; `evaluation`, a `fauxto.bundles.metrics.Evaluation` as plain JSON;
        `trained_on_this_data`, without which nobody knows what leaked; `leaked`, the number of pictures whose pixels
        also stand in an earlier split; `full` and `without_leaked` (None when that is the same or nothing), each as
        `figures` returns it; `flips`, `refused`, `unlike` (by label, the share refused as too unlike what was learnt),
        `coverage`, `families`, `leans`, `shortcuts`, `mistakes` and `sample`, as their functions say.

    Raises:
        FauxtoError: The network gives no finite scores.
    """
    pictures = dataset.split(split)
    trained_on_this_data = bundle.training.manifest_sha256 == dataset.manifest_sha256
    use: Use = "test"
    if trained_on_this_data and split in ("train", "val"):
        use = "training" if split == "train" else "tuning"
    scores = score(bundle, pictures, DELIVERED, folder)
    about = subject(bundle, dataset, split)
    return results_of(bundle, name, pictures, scores, about, use=use, trained_on_this_data=trained_on_this_data)


def results_of(
    bundle: Bundle,
    name: str,
    pictures: Split,
    scores: Sequence[Scores],
    about: Mapping[str, Any],
    *,
    use: Use = "test",
    trained_on_this_data: bool = False,
) -> dict[str, Any]:
    """Put together what `measure` returns, out of the scores under each protocol, `clean` first."""
    clean, kept = scores[0], ~pictures.leaked
    return {
        "version": RESULTS_VERSION,
        "name": name,
        "subject": dict(about),
        "evaluation": dataclasses.asdict(evaluation(bundle, about["dataset"], pictures, scores, use)),
        "trained_on_this_data": trained_on_this_data,
        "leaked": int(pictures.leaked.sum()),
        "full": figures(bundle, pictures.labels, clean),
        "without_leaked": (
            figures(bundle, pictures.labels[kept], clean.of(kept)) if kept.any() and not kept.all() else None
        ),
        "flips": flips(bundle, scores),
        "refused": {
            label: metrics.share(clean.refused[pictures.labels == number]) for number, label in enumerate(LABELS)
        },
        "unlike": {
            label: metrics.share(bundle.domain.unlike(clean.unlikeness[pictures.labels == number]))
            for number, label in enumerate(("real", "ai"))
        },
        "coverage": coverage(bundle, pictures.labels, clean),
        "families": families(bundle, pictures, clean),
        "leans": leans(bundle, pictures.labels, clean),
        "shortcuts": shortcuts(pictures, clean.score),
        "mistakes": mistakes(bundle, pictures, clean),
        "sample": sample(bundle, pictures, clean),
    }


def mistakes(bundle: Bundle, pictures: Split, scores: Scores) -> list[dict[str, Any]]:
    """Return the surest mistakes at .5, some of each label, the surest first: an entry each, as `_entry` has it."""
    probabilities = bundle.calibration.probability(scores.score)
    wrong = (probabilities >= 0.5) != pictures.labels
    surest = np.argsort(-np.abs(probabilities - 0.5), kind="stable")
    rows = [row for label in (0, 1) for row in surest[(wrong & (pictures.labels == label))[surest]][:_SHOWN]]
    return [_entry(pictures, row, probabilities) for row in rows]


def sample(bundle: Bundle, pictures: Split, scores: Scores) -> list[dict[str, Any]]:
    """Return some pictures of each label, chosen by chance: an entry each, as `_entry` has it."""
    probabilities, chance = bundle.calibration.probability(scores.score), np.random.default_rng(0)
    rows = [row for label in (0, 1) for row in chance.permutation(np.flatnonzero(pictures.labels == label))[:_SHOWN]]
    return [_entry(pictures, row, probabilities) for row in rows]


def _entry(pictures: Split, row: np.int64, probabilities: NDArray[np.float64]) -> dict[str, Any]:
    """Return a picture's `row` in the split, `path`, `label`, `source` and `probability`."""
    known = {name: pictures.rows[name][int(row)].as_py() for name in ("path", "label", "source")}
    return {"row": int(row), **known, "probability": float(probabilities[row])}


def families(bundle: Bundle, pictures: Split, scores: Scores) -> list[dict[str, Any]]:
    """Say how often a family of generators is named, at `balanced`, and how often it is the right one.

    Returns:
        A row a family that pictures are known to be of, and one with the `family` None for all of them: `count`, the
        `called_ai`, the `named` of those, and the `right` of those; and how many of all families, `given`, got this
        family's name. All in pictures. No row where none is ever named.
    """
    if not scores.families.shape[1]:
        return []
    called_ai = scores.verdicts(bundle, bundle.operating_points["balanced"]) == Verdict.AI
    likeliest = [likeliest_family(bundle.families, row) for row in scores.families]
    named, known = np.array([family[0] if family else "" for family in likeliest]), families_of(pictures)
    rows: list[dict[str, Any]] = []
    for family in (None, *np.unique(known[known != ""]).tolist()):
        of_it = known == family if family else known != ""
        answered = of_it & called_ai & (named != "")
        counts = {
            "count": of_it,
            "called_ai": of_it & called_ai,
            "named": answered,
            "right": answered & (named == known),
            "given": (known != "") & called_ai & ((named == family) if family else (named != "")),
        }
        rows.append({"family": family, **{name: int(chosen.sum()) for name, chosen in counts.items()}})
    return rows


def leans(bundle: Bundle, labels: NDArray[np.int64], scores: Scores) -> list[dict[str, Any]]:
    """Say how often pictures without a verdict lean, and how often to the right side.

    Returns:
        A row an operating point and side: `point`, `lean`, and how many `real` and how many `ai` pictures lean there.
    """
    rows = []
    for name, point in bundle.operating_points.items():
        lean = scores.leans(bundle, point)
        for side in (Lean.REAL, Lean.AI):
            real, ai = (int(np.sum((lean == side) & (labels == label))) for label in (0, 1))
            rows.append({"point": name, "lean": str(side), "real": real, "ai": ai})
    return rows


def figures(bundle: Bundle, labels: NDArray[np.int64], scores: Scores) -> dict[str, Any]:
    """Put every figure of `metrics` together.

    Args:
        bundle: Whose calibration and thresholds count.
        labels: int [N], 1 = ai.
        scores: Of the N pictures.

    Returns:
        `count`; the keys of `metrics.classification_report` at probability .5, and the same as scikit-learn prints it,
        `printed_report`; `auroc` and `average_precision`;
        `calibration` with `before` and, if calibrated, `after` (`accuracy`, `ece`, `brier`, `log_loss` and the
        `reliability` bins); `thresholds`, one of `metrics.decisions` for each symmetric pair of thresholds;
        `operating_points`, the same by name, of the verdicts that the runtime gives; `fpr_at_score` with the share that
        calibration `expected` and what was `measured` here; `curves` and `histogram` of the scores.
    """
    calibrated = bundle.calibration.count > 0
    stages = {"before": UNCALIBRATED} | ({"after": bundle.calibration} if calibrated else {})
    by_stage = {name: stage.probability(scores.score) for name, stage in stages.items()}
    probabilities = list(by_stage.values())[-1]
    return {
        "count": len(labels),
        **metrics.classification_report(labels, probabilities >= 0.5),
        "printed_report": metrics.printed_report(labels, probabilities >= 0.5),
        **metrics.ranking(labels, scores.score),
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
            name: {
                "real_below": point.real_below,
                "ai_above": point.ai_above,
                **metrics.verdict_shares(labels, scores.verdicts(bundle, point)),
            }
            for name, point in (bundle.operating_points if calibrated else {}).items()
        },
        "fpr_at_score": _fpr_at_score(bundle, scores.score[labels == 0]) if calibrated else None,
        "curves": metrics.curves(labels, scores.score),
        "histogram": metrics.histogram(labels, scores.score),
    }


def flips(bundle: Bundle, scores: Sequence[Scores]) -> Mapping[str, float | None]:
    """Return the share of pictures called real under one protocol and ai under another, by operating point."""
    shares = {}
    for name, point in bundle.operating_points.items():
        verdicts = np.stack([under.verdicts(bundle, point) for under in scores])
        both = (verdicts == Verdict.REAL).any(axis=0) & (verdicts == Verdict.AI).any(axis=0)
        shares[name] = metrics.share(both)
    return shares


def coverage(bundle: Bundle, labels: NDArray[np.int64], scores: Scores) -> list[dict[str, float | None]]:
    """Return how right the surest tenth of the pictures is at .5, the surest two tenths, and so on."""
    probabilities = bundle.calibration.probability(scores.score)
    order = np.argsort(-np.abs(probabilities - 0.5), kind="stable")
    right = ((probabilities >= 0.5) == labels)[order]
    return [
        {
            "coverage": part / _COVERAGES,
            "accuracy": metrics.share(right[: max(1, len(right) * part // _COVERAGES)]),
        }
        for part in range(1, _COVERAGES + 1)
    ]


def measure_robustness(
    bundle: Bundle, dataset: Dataset, pictures: Split, folder: Path, *, sample: int = 4_000, seed: int = 1
) -> dict[str, Any]:
    """Score a sample of a split as it is, and under one degradation at a time.

    Args:
        bundle: What is measured.
        dataset: What the split is of.
        pictures: The split; what leaked from training is left out.
        folder: Where the scores are kept.
        sample: How many pictures, chosen at random; all of them where there are no more.
        seed: Of the choice and of the degradations: the same seed gives every bundle the same pictures.

    Returns:
        `subject`, `count`, `seed`, and `rows`, a `metrics.summary` with `degradation` and `severity` for each, first
        that of the untouched pictures.

    Raises:
        DatasetError: Every picture leaked.
    """
    fresh = np.flatnonzero(~pictures.leaked)
    if not len(fresh):
        raise DatasetError(f"every picture of {pictures.name!r} in {dataset.name} also stands in an earlier split")
    chosen = np.sort(np.random.default_rng(seed).permutation(fresh)[:sample])
    labels = pictures.labels[chosen]
    return {
        "subject": subject(bundle, dataset, pictures.name),
        "count": len(chosen),
        "seed": seed,
        "rows": [
            {
                "degradation": scores.protocol.name,
                "severity": scores.protocol.severity,
                **metrics.summary(labels, bundle.calibration.probability(scores.score)),
            }
            for scores in score(bundle, pictures, (CLEAN, *DAMAGED), folder, rows=chosen, seed=seed)
        ],
    }


def _fpr_at_score(bundle: Bundle, real_scores: NDArray[np.float64]) -> dict[str, Sequence[float]] | None:
    if not len(real_scores):
        return None
    quantiles = bundle.real_score_quantiles
    return {"expected": quantiles.fpr, "measured": metrics.share_at_least(real_scores, quantiles.score)}
