"""The figures of merit against values worked out by hand or by other libraries."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy.stats import binned_statistic, mannwhitneyu
from sklearn.calibration import calibration_curve

from fauxto.lab.evaluation import metrics

RNG = np.random.default_rng(7)
LABELS = RNG.integers(0, 2, 3_000)
PROBABILITIES = np.clip(RNG.beta(2, 2, 3_000) * 0.7 + 0.3 * LABELS * RNG.random(3_000), 0, 1)


def test_classification_report_matches_the_seed_papers_table() -> None:
    labels = np.repeat([0, 1], 10_000)
    called_ai = np.concatenate([np.arange(10_000) < 1_300, np.arange(10_000) < 9_600])
    report = metrics.classification_report(labels, called_ai)
    real, ai = report["classes"]["real"], report["classes"]["ai"]
    assert report["confusion"] == [[8_700, 1_300], [400, 9_600]]
    assert report["accuracy"] == pytest.approx(0.915)
    assert report["balanced_accuracy"] == pytest.approx(0.915)
    assert (real["precision"], real["recall"]) == pytest.approx((8_700 / 9_100, 0.87))
    assert (ai["precision"], ai["recall"]) == pytest.approx((9_600 / 10_900, 0.96))
    assert ai["f1"] == pytest.approx(2 * 9_600 / (10_900 + 10_000))
    assert (real["support"], ai["support"]) == (10_000, 10_000)


def test_balanced_accuracy_gives_both_labels_equal_weight() -> None:
    labels = np.array([0] * 90 + [1] * 10)
    report = metrics.classification_report(labels, np.zeros(100, bool))
    assert report["accuracy"] == pytest.approx(0.9)
    assert report["balanced_accuracy"] == pytest.approx(0.5)
    assert report["classes"]["ai"]["precision"] is None  # nothing was called ai


def test_auroc_is_the_share_of_pairs_in_the_right_order() -> None:
    scores = np.round(PROBABILITIES, 2)  # ties count half
    pairs = mannwhitneyu(scores[LABELS == 1], scores[LABELS == 0]).statistic
    expected = pairs / (np.sum(LABELS == 1) * np.sum(LABELS == 0))
    assert metrics.ranking(LABELS, scores)["auroc"] == pytest.approx(expected)


def test_average_precision_by_hand() -> None:
    ranking = metrics.ranking(np.array([1, 0, 1, 0]), np.array([4.0, 3.0, 2.0, 1.0]))
    assert ranking["average_precision"] == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_ece_by_hand() -> None:
    # Bins are 1/15 wide: .05 is alone, .40 and .42 share one, 1.0 falls into the last.
    labels = np.array([0, 1, 0, 1])
    probabilities = np.array([0.05, 0.40, 0.42, 1.0])
    expected = (1 * 0.05 + 2 * abs(0.41 - 0.5) + 1 * 0.0) / 4
    assert metrics.calibration_error(labels, probabilities)["ece"] == pytest.approx(expected)


def test_ece_agrees_with_scikit_learn_and_scipy() -> None:
    shares, means = calibration_curve(LABELS, PROBABILITIES, n_bins=15, strategy="uniform")
    counts = binned_statistic(PROBABILITIES, None, "count", bins=15, range=(0, 1)).statistic
    expected = np.sum(counts[counts > 0] * np.abs(shares - means)) / len(LABELS)
    assert expected > 0.02
    assert metrics.calibration_error(LABELS, PROBABILITIES)["ece"] == pytest.approx(expected)


def test_ece_does_not_let_opposite_errors_cancel() -> None:
    # Of those called ai at .7 nine in ten are; of those called real at .7 half are. The probability of the
    # predicted class is .7 for all, and so is their accuracy: that variant of the ECE would see no error.
    labels = np.array([1] * 9 + [0] + [0] * 5 + [1] * 5)
    probabilities = np.array([0.7] * 10 + [0.3] * 10)
    assert metrics.calibration_error(labels, probabilities)["ece"] == pytest.approx(0.2)


def test_brier_score_and_log_loss_by_hand() -> None:
    error = metrics.calibration_error(np.array([1, 0]), np.array([0.8, 0.4]))
    assert error["brier"] == pytest.approx((0.2**2 + 0.4**2) / 2)
    assert error["log_loss"] == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)


def test_reliability_puts_every_picture_into_one_bin() -> None:
    bins = metrics.reliability(np.array([0, 0, 1, 1]), np.array([0.0, 1 / 15, 0.999, 1.0]))
    assert [one["count"] for one in bins] == [1, 1, *[0] * 12, 2]
    assert bins[5]["probability"] is None
    assert bins[-1]["share_ai"] == 1.0


@pytest.mark.parametrize(
    ("real_below", "ai_above", "expected"),
    [
        (0.5, 0.5, {"fpr": 0.5, "tpr": 0.75, "missed": 0.25, "inconclusive": 0.0, "balanced_accuracy": 0.625}),
        (0.2, 0.8, {"fpr": 0.0, "tpr": 0.5, "missed": 0.25, "inconclusive": 0.5, "balanced_accuracy": 5 / 6}),
        (0.0, 1.0, {"fpr": 0.0, "tpr": 0.0, "missed": 0.0, "inconclusive": 1.0, "balanced_accuracy": None}),
    ],
)
def test_decisions_by_hand(real_below: float, ai_above: float, expected: dict[str, Any]) -> None:
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    # The thresholds themselves get a verdict: .2 is real, .8 and .5 are ai.
    probabilities = np.array([0.1, 0.3, 0.5, 0.6, 0.2, 0.7, 0.8, 0.9])
    found = metrics.decisions(labels, probabilities, real_below, ai_above)
    assert found == pytest.approx({"real_below": real_below, "ai_above": ai_above, **expected})


def test_share_at_least_counts_equal_scores() -> None:
    scores = np.array([1.0, 2.0, 2.0, 5.0])
    assert metrics.share_at_least(scores, [0, 1, 2, 2.5, 5, 6]) == [1.0, 1.0, 0.75, 0.25, 0.25, 0.0]


def test_curves_are_thin_and_whole() -> None:
    curves = metrics.curves(LABELS, PROBABILITIES)
    assert curves is not None
    fpr, tpr = curves["roc"]["fpr"], curves["roc"]["tpr"]
    assert len(fpr) == len(tpr) <= 200
    assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(tpr, fpr) == pytest.approx(metrics.ranking(LABELS, PROBABILITIES)["auroc"], abs=0.005)
    recall, precision = curves["precision_recall"]["recall"], curves["precision_recall"]["precision"]
    assert len(recall) == len(precision) <= 200
    assert (recall[0], precision[0]) == pytest.approx((1, LABELS.mean()))
    assert (recall[-1], precision[-1]) == (0, 1)


def test_histogram_holds_every_score() -> None:
    found = metrics.histogram(LABELS, PROBABILITIES)
    assert len(found["edges"]) == 61
    assert (sum(found["real"]), sum(found["ai"])) == (np.sum(LABELS == 0), np.sum(LABELS == 1))


@pytest.mark.parametrize("label", [0, 1])
def test_one_label_alone_leaves_figures_undefined_but_valid(label: int) -> None:
    labels, probabilities = np.full(5, label), np.array([0.1, 0.2, 0.5, 0.6, 0.9])
    found = [
        metrics.classification_report(labels, probabilities >= 0.5),
        metrics.summary(labels, probabilities),
        metrics.curves(labels, probabilities),
        metrics.calibration_error(labels, probabilities),
        metrics.histogram(labels, probabilities),
    ]
    assert found[0]["balanced_accuracy"] is None
    assert found[1]["auroc"] is None
    assert found[2] is None
    assert found[1]["accuracy"] == pytest.approx(0.6 if label else 0.4)
    json.dumps(found, allow_nan=False)
