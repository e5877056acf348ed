"""From a network's raw score to a probability, and the thresholds on it: fitted on pictures that it hasn't learnt.

docs/explanation/calibration.md tells why and how.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from fauxto.bundles.bundle import Bundle, Calibration, Domain, OperatingPoint
from fauxto.bundles.network import Judged, Network
from fauxto.choices import CalibrationMethod
from fauxto.errors import DatasetError, FauxtoError
from fauxto.lab import families
from fauxto.lab.datasets import Dataset, Split
from fauxto.lab.degradations.protocols import CLEAN, DELIVERED, Protocol
from fauxto.lab.evaluation.measurements import score_quantiles
from fauxto.lab.evaluation.metrics import calibration_error, decisions, share_at_least
from fauxto.lab.evaluation.scores import score
from fauxto.lab.run import UNCALIBRATED, Run, RunCalibration
from fauxto.lab.thumbnails import thumbnails
from fauxto.lab.unlikeness import HELD_OUT
from fauxto.lab.weighting import held_out, weights_by_source


@dataclass(frozen=True, slots=True)
class Constraint:
    """What the thresholds of an operating point have to keep, of each verdict and of all verdicts.

    Attributes:
        ai_from: A picture is called ai from this probability up, or a higher one.
        real_to: A picture is called real from this probability down, or a lower one.
        fpr: Largest share of the photographs that may be called ai.
        source_fpr: Largest share of the photographs of any larger source that may be called ai: a network errs more on
            some kinds than on others, and the fpr alone would let it accuse one kind often.
        missed: Largest share of the generated pictures that may be called real.
        found: Share of the generated pictures that is to be called ai: where it is less, `ai_above` falls until as many
            are, or until `fpr_for_that` of the photographs are.
        fpr_for_that: See `found`.
    """

    ai_from: float
    real_to: float
    fpr: float
    source_fpr: float
    missed: float
    found: float = 0.0
    fpr_for_that: float = 0.0


CONSTRAINTS = {
    "cautious": Constraint(ai_from=0.9, real_to=0.1, fpr=0.01, source_fpr=0.03, missed=0.01),
    "balanced": Constraint(ai_from=0.7, real_to=0.3, fpr=0.03, source_fpr=0.10, missed=0.06),
    "sensitive": Constraint(0.5, 0.1, fpr=0.10, source_fpr=0.20, missed=0.01, found=0.80, fpr_for_that=0.20),
}

KEPT = 0.99
"""Share of val's pictures that may not be too unlike those that were learnt."""

LARGER_SOURCE = 30
"""A source with so many photographs has a bound of its own; of fewer, a share is too coarse."""

RANKED_SOURCE = 10
"""A source with fewer pictures of a label has no rank among the others: its median is chance."""


def fit(
    scores: NDArray[np.float64],
    labels: NDArray[np.int64],
    method: CalibrationMethod = CalibrationMethod.PLATT,
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
    model = LogisticRegression(
        C=np.inf, fit_intercept=method is CalibrationMethod.PLATT, solver="newton-cholesky", tol=1e-8
    )
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
    by_source: Sequence[NDArray[np.float64]] = (),
    foreign: NDArray[np.float64] | None = None,
) -> dict[str, OperatingPoint]:
    """Choose the two thresholds of each operating point by its entry in `CONSTRAINTS`.

    `ai_above` is the lowest probability that keeps the constraints about ai, or a lower one where `found` asks for it;
    `real_below` is the highest that keeps both about real. Both have four decimals. What lies between is inconclusive.

    Args:
        probabilities: float [N], calibrated P(AI).
        labels: int [N], 1 = ai.
        by_source: P(AI) of the photographs of each larger source, float [M] each, within which `source_fpr` holds.
        foreign: P(AI) of photographs of another data set, float [M], within which the fpr has to be kept too; 0 for
            those that are refused.

    Returns:
        Per point `real_below`, `ai_above`, and `fpr`, `tpr` and `inconclusive` as measured on the N pictures.

    Raises:
        FauxtoError: No threshold keeps a constraint.
    """
    upper = np.arange(10_001) / 10_000
    lower = upper[5_000::-1]
    real, ai = probabilities[labels == 0], np.sort(probabilities[labels == 1])
    strict = [real] if foreign is None else [real, foreign]
    called_ai = np.max([share_at_least(photographs, upper) for photographs in strict], axis=0)
    of_a_source = np.max([share_at_least(photographs, upper) for photographs in (real, *by_source)], axis=0)
    called_real = np.searchsorted(ai, lower, side="right") / len(ai)
    points = {}
    for name, constraint in CONSTRAINTS.items():
        within_ai = (called_ai <= constraint.fpr) & (of_a_source <= constraint.source_fpr)
        within_ai &= upper >= constraint.ai_from
        within_real = (called_real <= constraint.missed) & (lower <= constraint.real_to)
        if not (within_ai.any() and within_real.any()):
            raise FauxtoError(
                f"no threshold gives the operating point {name!r}: on the pictures, or on a source of photographs, the "
                f"network is wholly sure, and wrong, of more than {constraint.fpr:.0%} of the real or "
                f"{constraint.missed:.0%} of the AI pictures; train it again"
            )
        real_below, ai_above = float(lower[within_real.argmax()]), float(upper[within_ai.argmax()])
        if constraint.found:
            finds_enough = math.floor(ai[int((1 - constraint.found) * len(ai))] * 10_000) / 10_000
            within_more = (called_ai <= constraint.fpr_for_that) & (of_a_source <= constraint.source_fpr)
            accuses_enough = float(upper[within_more.argmax()])
            ai_above = min(ai_above, max(finds_enough, accuses_enough, real_below))
        measured = decisions(labels, probabilities, real_below=real_below, ai_above=ai_above)
        points[name] = OperatingPoint(
            **{field.name: measured[field.name] for field in dataclasses.fields(OperatingPoint)}
        )
    return points


def calibrate(
    run: Run, dataset: Dataset, method: CalibrationMethod = CalibrationMethod.PLATT, foreign: Dataset | None = None
) -> RunCalibration:
    """Fit everything on pictures that the network hasn't learnt, and write RUN/calibration.json.

    These are the pictures of val, and those of train whose sources the recipe held out. Each counts once: where the
    pictures are whole ones, a third of them as found and a third each under `web` and `hard`. Where there are several
    sources, probabilities are fitted on the harder half of them.

    Args:
        run: The run.
        dataset: What it was trained on.
        method: Of the map to probabilities.
        foreign: Other sources, whose train photographs, as thumbnails, mustn't be accused more often than others may.

    Raises:
        DatasetError: The run was trained on another data set, or met other foreign pictures, so that some of what is to
            be fitted on may have been learnt.
        FauxtoError: The run isn't finished; see also `fit` and `operating_points`.
    """
    _check_data(run, dataset, foreign)
    bundle, val, learn = run.bundle(calibrated=False), dataset.split("val"), dataset.split("train")
    parts = [(val, np.arange(len(val)))]
    if run.recipe.held_out:
        parts.append((learn, np.flatnonzero(held_out(learn.sources, run.recipe.held_out))))
    under = DELIVERED if dataset.files else (CLEAN,)
    judged = [dataclasses.astuple(_in_turn(bundle, pictures, rows, under, run.cache)) for pictures, rows in parts]
    scores, likely_families, unlikeness = map(np.concatenate, zip(*judged, strict=True))
    labels = np.concatenate([pictures.labels[rows] for pictures, rows in parts])
    sources = np.concatenate([pictures.sources[rows] for pictures, rows in parts])
    made_by = np.concatenate([families.families_of(pictures)[rows] for pictures, rows in parts])
    fitted_on = "val and of the sources of train that were held out" if run.recipe.held_out else "val"
    kept = harder_half(scores, labels, sources)
    fitted = fit(scores[kept], labels[kept], method, weights_by_source(labels[kept], sources[kept]))
    fitted_on = fitted_on if kept.all() else f"the harder half of the sources of {fitted_on}"
    fitted = dataclasses.replace(fitted, fitted_on=fitted_on)
    probabilities = fitted.probability(scores)
    by_source = [probabilities[rows] for rows in _larger_sources(labels, sources)]
    most_unlike = bundle.domain.max_unlikeness and float(np.quantile(unlikeness[: len(val)], KEPT, method="higher"))
    limited = dataclasses.replace(bundle.domain, max_unlikeness=most_unlike)
    elsewhere, unlike = _foreign(bundle, limited, fitted, val, foreign) if foreign else (None, np.zeros(0, bool))
    calibration = RunCalibration(
        calibration=fitted,
        operating_points=operating_points(probabilities, labels, by_source, elsewhere),
        real_score_quantiles=score_quantiles(scores[labels == 0]),
        val={
            name: calibration_error(val.labels, stage.probability(scores[: len(val)]))
            for name, stage in (("before", UNCALIBRATED), ("after", fitted))
        },
        families=families.thresholds(list(bundle.families), likely_families, made_by),
        max_unlikeness=most_unlike,
        foreign_photographs=len(unlike),
        foreign_unlike=int(unlike.sum()),
        network_sha256=run.network_sha256,
    )
    run.write_calibration(dataclasses.asdict(calibration))
    return calibration


def _check_data(run: Run, dataset: Dataset, foreign: Dataset | None) -> None:
    if run.record["manifest_sha256"] != dataset.manifest_sha256:
        raise DatasetError(
            f"{run.folder} was trained on another data set than {dataset.folder}, whose val it may have learnt; "
            "calibrate on the one that it was trained on"
        )
    met = run.record.get("foreign_sha256")
    if foreign and met not in (None, foreign.manifest_sha256):
        raise DatasetError(
            f"{run.folder} met other foreign pictures than {foreign.folder}, some of which it may have learnt; "
            "calibrate with the ones that it was trained with"
        )


def _in_turn(
    bundle: Bundle, pictures: Split, rows: NDArray[np.int64], under: Sequence[Protocol], folder: Path
) -> Judged:
    """Judge each of some pictures under one of the protocols, in turn."""
    bundle = dataclasses.replace(bundle, stability=False)  # its re-encodings decide verdicts, not what is fitted here
    judged = Judged(np.empty(len(rows)), np.empty((len(rows), len(bundle.families))), np.empty(len(rows)))
    for turn, protocol in enumerate(under[: len(rows)]):
        chosen = slice(turn, None, len(under))
        (scored,) = score(bundle, pictures, (protocol,), folder, rows=rows[chosen])
        judged.scores[chosen], judged.families[chosen] = scored.score, scored.families
        judged.unlikeness[chosen] = scored.unlikeness
    return judged


def harder_half(scores: NDArray[np.float64], labels: NDArray[np.int64], sources: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Tell which pictures are of a source that is harder to tell than half of those of its label, by their medians.

    A source never met is likelier to be like these: pictures that are no photographs at the first look are easy, and
    probabilities fitted on them too would be too sure of the others. With few sources of a label, all are kept.
    """
    kept = np.zeros(len(labels), bool)
    for label, harder in ((0, -1), (1, 1)):
        rows = labels == label
        names, counts = np.unique(sources[rows], return_counts=True)
        ranked = names[counts >= RANKED_SOURCE]
        if len(ranked) < 4:
            kept |= rows
            continue
        medians = np.array([np.median(scores[rows & (sources == name)]) for name in ranked])
        kept |= rows & np.isin(sources, ranked[np.argsort(medians * harder)[: (len(ranked) + 1) // 2]])
    return kept


def _larger_sources(labels: NDArray[np.int64], sources: NDArray[np.str_]) -> list[NDArray[np.bool_]]:
    """Tell of each source of more than a few photographs which pictures are its photographs."""
    names, counts = np.unique(sources[labels == 0], return_counts=True)
    if len(names) == 1:
        return []
    return [(labels == 0) & (sources == name) for name in names[counts >= LARGER_SOURCE]]


def _foreign(
    bundle: Bundle, domain: Domain, fitted: Calibration, val: Split, foreign: Dataset
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return P(AI) of other photographs as thumbnails that no head has met, 0 for the refused, and which these are."""
    others, network = foreign.split("train"), Network(bundle)
    photographs = others.labels == 0
    if bundle.domain.max_unlikeness is not None:
        photographs &= held_out(others.sources, HELD_OUT)
    pictures, _ = thumbnails(others, val.images[0].shape[0], photographs)
    judged = network.judge([network.views(rgb) for rgb in pictures])
    unlike = domain.unlike(judged.unlikeness)
    return np.where(unlike, 0.0, fitted.probability(judged.scores)), unlike
