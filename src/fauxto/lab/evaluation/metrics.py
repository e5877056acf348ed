"""Figures of merit from labels and scores alone, as plain numbers ready for JSON.

Labels are int [N] with 1 = ai, the positive class. A figure that its data leave undefined, such as the AUROC
of pictures of one label only, is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from fauxto.lab.datasets.manifest import LABELS

BINS = 15
"""Bins of the reliability diagram and of the ECE, as in Guo et al. 2017."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def classification_report(labels: Ints, called_ai: NDArray[np.bool_]) -> dict[str, Any]:
    """Compare hard decisions with the labels.

    Args:
        labels: int [N].
        called_ai: bool [N], the decision on each picture.

    Returns:
        `accuracy`, `balanced_accuracy` (the mean of both recalls), `classes` (for "real" and "ai":
        `precision`, `recall`, `f1` and `support`, the number of pictures) and `confusion` (counts
        [[real called real, real called ai], [ai called real, ai called ai]]).
    """
    columns = metrics.precision_recall_fscore_support(labels, called_ai, labels=[0, 1], zero_division=np.nan)
    names = ("precision", "recall", "f1", "support")
    recalls = columns[1]
    return {
        "accuracy": float(np.mean(labels == called_ai)),
        "balanced_accuracy": _number(recalls.mean()),
        "classes": {
            label: {name: _number(column[i]) for name, column in zip(names, columns, strict=True)}
            for i, label in enumerate(LABELS)
        },
        "confusion": metrics.confusion_matrix(labels, called_ai, labels=[0, 1]).tolist(),
    }


def printed_report(labels: Ints, called_ai: NDArray[np.bool_]) -> str:
    """Return scikit-learn's own classification report, as it prints it; arguments as `classification_report`."""
    report: str = metrics.classification_report(
        labels, called_ai, labels=[0, 1], target_names=list(LABELS), zero_division=0
    )
    return report


def ranking(labels: Ints, scores: Floats) -> dict[str, float | None]:
    """Measure how well scores [N] put AI pictures above real ones: `auroc` and `average_precision`."""
    if len(np.unique(labels)) < 2:
        return {"auroc": None, "average_precision": None}
    return {
        "auroc": float(metrics.roc_auc_score(labels, scores)),
        "average_precision": float(metrics.average_precision_score(labels, scores)),
    }


def curves(labels: Ints, scores: Floats, points: int = 200) -> dict[str, dict[str, list[float]]] | None:
    """Trace the ROC curve (`fpr`, `tpr`) and the precision-recall curve (`recall`, `precision`).

    Each is thinned to at most `points` of its corners for drawing; take areas from `ranking`. None when only
    one label is there.
    """
    if len(np.unique(labels)) < 2:
        return None
    fpr, tpr, _ = metrics.roc_curve(labels, scores)
    precision, recall, _ = metrics.precision_recall_curve(labels, scores, drop_intermediate=True)

    def thin(values: Floats) -> list[float]:
        kept = np.unique(np.linspace(0, len(values) - 1, points).round().astype(int))
        return [float(value) for value in values[kept]]

    return {
        "roc": {"fpr": thin(fpr), "tpr": thin(tpr)},
        "precision_recall": {"recall": thin(recall), "precision": thin(precision)},
    }


def reliability(labels: Ints, probabilities: Floats) -> list[dict[str, Any]]:
    """Compare the probability P(AI) [N] with the share of AI pictures, in `BINS` bins of equal width.

    Returns:
        One dict a bin from 0 to 1: `low` and `high` (the bin is [low, high), the last one [low, high]),
        `count`, and `probability` (mean) and `share_ai`, which are None in an empty bin.
    """
    edges = np.linspace(0, 1, BINS + 1)
    bins = np.clip(np.digitize(probabilities, edges) - 1, 0, BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid="ignore"):  # 0 / 0 in an empty bin
        means = np.bincount(bins, probabilities, minlength=BINS) / counts
        shares = np.bincount(bins, labels, minlength=BINS) / counts
    return [
        {
            "low": float(edges[i]),
            "high": float(edges[i + 1]),
            "count": int(counts[i]),
            "probability": _number(means[i]),
            "share_ai": _number(shares[i]),
        }
        for i in range(BINS)
    ]


def calibration_error(labels: Ints, probabilities: Floats) -> dict[str, float]:
    """Measure how far the probability P(AI) [N] is from the truth.

    `ece` is the expected calibration error: the mean over all pictures of |probability - share of AI| in
    their bin, with the `BINS` equal bins of `reliability` (Naeini, Cooper & Hauskrecht 2015, "Obtaining Well
    Calibrated Probabilities Using Bayesian Binning"). It looks at P(AI) itself over [0, 1]; the variant on
    the probability of the predicted class (Guo, Pleiss, Sun & Weinberger 2017, "On Calibration of Modern
    Neural Networks") folds the axis at one half, where opposite errors on real and AI pictures can cancel.

    `brier` (the mean squared error) and `log_loss` (in nats) need no bins.
    """
    bins = [part for part in reliability(labels, probabilities) if part["count"]]
    gaps = sum(part["count"] * abs(part["probability"] - part["share_ai"]) for part in bins)
    return {
        "ece": gaps / len(labels),
        "brier": float(np.mean((probabilities - labels) ** 2)),
        "log_loss": float(metrics.log_loss(labels, probabilities, labels=[0, 1])),
    }


def decisions(labels: Ints, probabilities: Floats, real_below: float, ai_above: float) -> dict[str, Any]:
    """Judge by three verdicts: ai from `ai_above` up, else real from `real_below` down, else inconclusive.

    Returns:
        The two thresholds; `fpr` (share of real pictures called ai), `tpr` (share of AI pictures called ai),
        `missed` (share of AI pictures called real), `inconclusive` (share of all pictures) and
        `balanced_accuracy` among the pictures that got a verdict.
    """
    verdicts = np.select([probabilities >= ai_above, probabilities <= real_below], ["ai", "real"], "inconclusive")
    return {"real_below": real_below, "ai_above": ai_above, **verdict_shares(labels, verdicts)}


def verdict_shares(labels: Ints, verdicts: NDArray[np.str_]) -> dict[str, float | None]:
    """Return the shares of verdicts [N] that `decisions` returns: `fpr`, `tpr`, `missed`, `inconclusive` and so on."""
    ai, decided, called_ai = labels == 1, verdicts != "inconclusive", verdicts == "ai"
    report = classification_report(labels[decided], called_ai[decided]) if decided.any() else {}
    return {
        "fpr": share(called_ai[~ai]),
        "tpr": share(called_ai[ai]),
        "missed": share((verdicts == "real")[ai]),
        "inconclusive": share(~decided),
        "balanced_accuracy": report.get("balanced_accuracy"),
    }


def summary(labels: Ints, probabilities: Floats) -> dict[str, Any]:
    """Sum up P(AI) [N] in a row: `accuracy`, `balanced_accuracy`, `fpr` and `tpr` at .5, `auroc`, `ece`."""
    figures = decisions(labels, probabilities, real_below=0.5, ai_above=0.5)
    return {
        "accuracy": float(np.mean((probabilities >= 0.5) == labels)),
        **{name: figures[name] for name in ("balanced_accuracy", "fpr", "tpr")},
        "auroc": ranking(labels, probabilities)["auroc"],
        "ece": calibration_error(labels, probabilities)["ece"],
    }


def share_at_least(scores: Floats, levels: Sequence[float] | Floats) -> list[float]:
    """Return the share of scores [N] at each level or above: the fpr, for scores of real pictures."""
    below = np.searchsorted(np.sort(scores), levels, side="left")
    return [float(at_least) for at_least in (len(scores) - below) / len(scores)]


def histogram(labels: Ints, scores: Floats, bins: int = 60) -> dict[str, list[float]]:
    """Count scores [N] per label in equal bins: `edges` [bins + 1], `real` [bins] and `ai` [bins]."""
    edges = np.histogram_bin_edges(scores, bins)
    counts = {label: np.histogram(scores[labels == i], edges)[0].tolist() for i, label in enumerate(LABELS)}
    return {"edges": edges.tolist(), **counts}


def share(chosen: NDArray[np.bool_]) -> float | None:
    """Return the share of True in bool [N]; None where N is 0."""
    return float(chosen.mean()) if chosen.size else None


def _number(value: Any) -> float | int | None:
    """Return a plain Python number, or None for NaN."""
    return None if np.isnan(value) else value.item()
