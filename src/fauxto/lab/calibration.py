"""From a network's raw score to a probability, and from the probability to a verdict: all fitted on val.

docs/explanation/calibration.md tells why and how.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from fauxto.bundles.bundle import Calibration, OperatingPoint, ScoreQuantiles
from fauxto.bundles.schema import build
from fauxto.errors import DatasetError, FauxtoError
from fauxto.lab.datasets import Dataset
from fauxto.lab.evaluation.metrics import calibration_error, decisions
from fauxto.lab.evaluation.scores import manifest_of_training, network_sha256, predict, split_scores
from fauxto.lab.thumbnails import thumbnails

Method = Literal["platt", "temperature"]


@dataclass(frozen=True, slots=True)
class Promise:
    """What an operating point promises of each verdict, and of all verdicts on val.

    Attributes:
        ai_from: A picture is called ai from this probability up, or a higher one.
        real_to: A picture is called real from this probability down, or a lower one.
        real_called_ai: Largest share of the real pictures that may be called ai.
        ai_called_real: Largest share of the AI pictures that may be called real.
    """

    ai_from: float
    real_to: float
    real_called_ai: float
    ai_called_real: float


PROMISES = {
    "cautious": Promise(ai_from=0.9, real_to=0.1, real_called_ai=0.01, ai_called_real=0.01),
    "balanced": Promise(ai_from=0.7, real_to=0.3, real_called_ai=0.05, ai_called_real=0.05),
    "sensitive": Promise(ai_from=0.5, real_to=0.1, real_called_ai=0.10, ai_called_real=0.01),
}

_FPR_LEVELS = np.array([1, 0.9, 0.75, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005])


UNCALIBRATED = Calibration("temperature", 1.0, 0.0, fitted_on="nothing", count=0)
"""The network's own two-way softmax."""


def fit(
    scores: NDArray[np.float64],
    labels: NDArray[np.int64],
    method: Method = "platt",
    weights: NDArray[np.float64] | None = None,
) -> Calibration:
    """Fit the calibration that makes the labels of val most likely: a convex problem with one optimum.

    Platt scaling is Platt 1999, "Probabilistic Outputs for Support Vector Machines and Comparisons to
    Regularized Likelihood Methods"; temperature scaling is Guo, Pleiss, Sun & Weinberger 2017, "On
    Calibration of Modern Neural Networks". Both use Platt's targets (n + 1) / (n + 2) in the place of 1,
    which keep the optimum finite when no picture of val is on the wrong side.

    Args:
        scores: float [N], raw scores of val.
        labels: int [N], 1 = ai.
        method: Which of the two.
        weights: float [N], how much each picture counts; alike without them.

    Raises:
        DatasetError: One label is missing.
        FauxtoError: Higher scores don't mean AI, or all scores are one.
    """
    ai = labels == 1
    if ai.all() or not ai.any():
        raise DatasetError(f"val holds {ai.sum()} AI and {(~ai).sum()} real pictures; calibration needs some of both")
    spread = np.std(scores)
    if spread == 0:
        raise FauxtoError(
            f"on val, every picture scores {scores[0]:.3g}: the network has learned nothing; train it again"
        )
    # A picture counts as AI with the weight of its target and as real with the rest.
    target = np.where(ai, (ai.sum() + 1) / (ai.sum() + 2), 1 / ((~ai).sum() + 2))
    inputs = scores[:, None] / spread  # the solver likes inputs near 1
    weights = np.ones(len(scores)) if weights is None else weights
    model = LogisticRegression(C=np.inf, fit_intercept=method == "platt", solver="newton-cholesky", tol=1e-8)
    model.fit(
        np.concatenate([inputs, inputs]),
        np.repeat([1, 0], len(inputs)),
        sample_weight=np.concatenate([weights * target, weights * (1 - target)]),
    )
    slope = float(model.coef_[0, 0] / spread)
    if slope <= 0:
        raise FauxtoError(
            f"on val, a higher score doesn't mean AI (fitted slope {slope:.3g}): "
            "the network has learned nothing that can be calibrated; train it again"
        )
    return Calibration(method, slope, float(np.ravel(model.intercept_)[0]), fitted_on="val", count=len(labels))


def operating_points(
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int64],
    groups: Sequence[NDArray[np.float64]] = (),
) -> dict[str, OperatingPoint]:
    """Choose the two thresholds of each operating point by its entry in `PROMISES`.

    `ai_above` is the lowest probability that keeps both of the promises about ai, `real_below` the highest that
    keeps both about real. Both have four decimals. What lies between is inconclusive.

    Args:
        probabilities: float [N], calibrated P(AI) of val.
        labels: int [N], 1 = ai.
        groups: P(AI) of groups of photographs, float [M] each, within which the promise about real pictures called ai
            has to hold too: a network errs more on some kinds than on others, and a promise on all of them together
            would let it accuse one kind often.

    Returns:
        Per point `real_below`, `ai_above`, and `fpr`, `tpr` and `inconclusive` as measured on val.

    Raises:
        FauxtoError: No threshold keeps a promise.
    """
    upper, lower = np.arange(5_000, 10_001) / 10_000, np.arange(5_000, -1, -1) / 10_000
    real, ai = probabilities[labels == 0], np.sort(probabilities[labels == 1])
    called_ai = np.max([_share_from(one, upper) for one in (real, *groups)], axis=0)
    called_real = np.searchsorted(ai, lower, side="right") / len(ai)
    points = {}
    for name, promise in PROMISES.items():
        within_ai = (called_ai <= promise.real_called_ai) & (upper >= promise.ai_from)
        within_real = (called_real <= promise.ai_called_real) & (lower <= promise.real_to)
        if not (within_ai.any() and within_real.any()):
            raise FauxtoError(
                f"no threshold gives the operating point {name!r}: on val, or on a group of photographs that is to be "
                "spared, the network is wholly sure, and wrong, of "
                f"more than {promise.real_called_ai:.0%} of the real or {promise.ai_called_real:.0%} of the AI "
                "pictures; train it again"
            )
        measured = decisions(
            labels,
            probabilities,
            real_below=float(lower[within_real.argmax()]),
            ai_above=float(upper[within_ai.argmax()]),
        )
        points[name] = OperatingPoint(
            **{field.name: measured[field.name] for field in dataclasses.fields(OperatingPoint)}
        )
    return points


def _share_from(probabilities: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of probabilities that reach each level."""
    rising = np.sort(probabilities)
    return (len(rising) - np.searchsorted(rising, levels, side="left")) / len(rising)


def score_quantiles(real_scores: NDArray[np.float64]) -> ScoreQuantiles:
    """Tabulate which share of val's real pictures [N] scores at least how high, down to a share of 1 / N."""
    levels = _FPR_LEVELS[_FPR_LEVELS * len(real_scores) >= 1]
    falling = np.sort(real_scores)[::-1]
    scores, first = np.unique(falling[np.ceil(levels * len(falling)).astype(int) - 1], return_index=True)
    return ScoreQuantiles(fpr=tuple(levels[first].tolist()), score=tuple(scores.tolist()))


@dataclass(frozen=True, slots=True)
class RunCalibration:
    """What RUN/calibration.json holds: everything that was fitted on val for one trained network.

    Attributes:
        calibration: The map from score to probability.
        operating_points: By name, as the bundle wants them.
        real_score_quantiles: What turns a score into the report's `fpr_at_score`.
        val: The `calibration_error` on val, `before` and `after`.
        spared: How many photographs of other sources the thresholds were kept from accusing.
        network_sha256: Of the network whose scores were used (`evaluation.scores`).
    """

    calibration: Calibration
    operating_points: Mapping[str, OperatingPoint]
    real_score_quantiles: ScoreQuantiles
    val: Mapping[str, Mapping[str, float]]
    spared: int
    network_sha256: str

    @classmethod
    def of(cls, run: Path, dataset: Dataset, method: Method = "platt", spare: Dataset | None = None) -> Self:
        """Fit everything on the val split of the data set that the run was trained on.

        Args:
            run: The run.
            dataset: What it was trained on.
            method: Of the map to probabilities.
            spare: A data set of other sources, whose train photographs, as thumbnails, the operating points must not
                accuse more often than they promise either.

        Raises:
            DatasetError: The run was trained on another data set, so that its val may have been learnt.
            FauxtoError: The run isn't finished; see also `fit` and `operating_points`.
        """
        if manifest_of_training(run) != dataset.manifest_sha256:
            raise DatasetError(
                f"{run} was trained on another data set than {dataset.folder}, whose val it may have learnt; "
                "calibrate on the one that it was trained on"
            )
        scores, labels = split_scores(run, dataset, "val"), dataset.split("val").labels
        calibration = fit(scores, labels, method)
        probabilities = calibration.probability(scores)
        groups = [calibration.probability(_photographs_elsewhere(run, dataset, spare))] if spare else []
        return cls(
            calibration=calibration,
            operating_points=operating_points(probabilities, labels, groups),
            real_score_quantiles=score_quantiles(scores[labels == 0]),
            val={
                "before": calibration_error(labels, UNCALIBRATED.probability(scores)),
                "after": calibration_error(labels, probabilities),
            },
            spared=sum(map(len, groups)),
            network_sha256=network_sha256(run),
        )

    @classmethod
    def read(cls, run: Path) -> Self | None:
        """Read RUN/calibration.json; None when the run hasn't been calibrated.

        Raises:
            FauxtoError: The file is damaged, or was fitted for another network.
        """
        path = run / "calibration.json"
        if not path.exists():
            return None
        try:
            fitted: Self = build(cls, json.loads(path.read_text(encoding="utf-8")), "")
        except ValueError as error:
            raise FauxtoError(f"{path}: {error}; run `fauxto calibrate` again") from error
        if fitted.network_sha256 != network_sha256(run):
            raise FauxtoError(
                f"{path} was fitted for another network than the run now holds; run `fauxto calibrate` again"
            )
        return fitted

    def write(self, run: Path) -> Path:
        """Write RUN/calibration.json and return its path."""
        path = run / "calibration.json"
        path.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n", encoding="utf-8")
        return path


def _photographs_elsewhere(run: Path, dataset: Dataset, spare: Dataset) -> NDArray[np.float64]:
    """Return the scores of other photographs, shrunk to the size of the data set's pictures."""
    pictures, labels = thumbnails(spare.split("train"), dataset.split("val").images[0].shape[0])
    return predict(run, pictures[labels == 0])
