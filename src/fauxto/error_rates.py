"""A model's error rates in sentences, all measured on pictures that it had never seen."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from fauxto.bundles import OPERATING_POINTS, Bundle
from fauxto.bundles.bundle import ScoreQuantiles
from fauxto.bundles.metrics import Evaluation, Share, Verdicts

NOT_MEASURED = "This model's error rates weren't measured on pictures that it had never seen."
INTERVALS = "95 % confidence intervals in brackets."


def test_of(bundle: Bundle) -> Evaluation | None:
    """Return the evaluation on pictures used for neither training nor tuning, or None."""
    return None if bundle.metrics is None else bundle.metrics.test


def verdicts_of(bundle: Bundle, point: str) -> Verdicts | None:
    """Return the verdicts at an operating point on the undegraded pictures of `test_of`, or None."""
    test = test_of(bundle)
    return None if test is None else test.protocols[0].verdicts.get(point)


def rate(share: Share | float) -> str:
    """Return a share in [0, 1] as "6.0 %", and as "0.47 %" where it is close to 0 or 1.

    A `Share` comes with its interval, "6.0 % (2.1 to 10.3 %)", or as "no pictures" if there were none.
    """
    if not isinstance(share, Share):
        return f"{_number(share)} %"
    if share.value is None:
        return "no pictures"
    if share.low is None or share.high is None:
        return rate(share.value)
    return f"{rate(share.value)} ({_number(share.low)} to {_number(share.high)} %)"


def photographs(test: Evaluation) -> str:
    """Return how many photographs an evaluation had: "331 photographs from 6 sources".

    A single source or generator isn't named: it may well be the one that the model learned from.
    """
    sources = sum(group.real > 0 for group in test.groups.get("source", ()))
    return _count(test.protocols[0].real, "photograph") + (f" from {sources:,} sources" if sources > 1 else "")


def generated_pictures(test: Evaluation) -> str:
    """Return how many generated pictures an evaluation had: "500 generated pictures by 9 generators"."""
    generators = sum(group.ai > 0 for group in test.groups.get("generator", ()))
    by = f" by {generators:,} generators" if generators > 1 else ""
    return _count(test.protocols[0].ai, "generated picture") + by


def measured_on(bundle: Bundle) -> str:
    """Return a sentence on the pictures of the evaluation, or that there was none."""
    test = test_of(bundle)
    if test is None:
        return NOT_MEASURED
    return f"Measured on {photographs(test)} and {generated_pictures(test)} that the model had never seen. {INTERVALS}"


def costs(bundle: Bundle, point: str) -> str:
    """Return a sentence on the error rates at an operating point; "" if not measured."""
    verdicts = verdicts_of(bundle, point)
    if verdicts is None:
        return ""
    return (
        f"Photographs called generated: {rate(verdicts.fpr)}. Generated pictures detected: {rate(verdicts.tpr)}, "
        f"called photographs: {rate(verdicts.missed)}. No verdict: {rate(verdicts.inconclusive)} of all."
    )


def left_open(bundle: Bundle, point: str) -> str:
    """Return a sentence on how many pictures get no verdict."""
    test, verdicts = test_of(bundle), verdicts_of(bundle, point)
    if test is None or verdicts is None:
        return "It gives no verdict on some pictures; how many wasn't measured on pictures that it had never seen."
    pictures = f"{test.protocols[0].count:,} pictures that it had never seen"
    return f"It gave no verdict on {rate(verdicts.inconclusive)} of {pictures}."


def outcome(bundle: Bundle, point: str) -> Iterator[str]:
    """Yield sentences on the results of the evaluation, for a report."""
    test, verdicts = test_of(bundle), verdicts_of(bundle, point)
    if test is None or verdicts is None:
        yield NOT_MEASURED
        return
    if verdicts.fpr.value is not None:
        yield f"Of {photographs(test)} that the model had never seen, {rate(verdicts.fpr)} were called generated."
    if verdicts.tpr.value is not None:
        yield (
            f"Of {generated_pictures(test)} that it had never seen, {rate(verdicts.tpr)} were detected and "
            f"{rate(verdicts.missed)} called photographs."
        )
    yield f"Of all of them, {rate(verdicts.inconclusive)} were inconclusive. {INTERVALS}"


def scored_this_high(bundle: Bundle, score: float) -> str:
    """Return a sentence on how many photographs of the evaluation scored at least as high.

    Beyond the last of `Evaluation.real_scores`, its count is an upper bound.
    """
    test = test_of(bundle)
    if test is None or not test.real_scores:
        return "How many photographs score this high wasn't measured on pictures that the model had never seen."
    photographs_total, (scores, shares) = test.protocols[0].real, zip(*test.real_scores, strict=True)
    if score > scores[-1]:
        count, about = math.ceil(round(shares[-1] * photographs_total, 6)), "at most"
    else:
        (share,) = ScoreQuantiles(fpr=shares, score=scores).fpr_at(np.array([score]))
        count, about = round(photographs_total * share), "about"
    return f"Of {photographs(test)} that the model had never seen, {about} {count:,} scored this high."


def table(bundle: Bundle) -> tuple[list[str], list[list[str]]]:
    """Return header and rows with the error rates of each operating point; no rows if not measured."""
    header = ["point", "photographs called generated", "generated pictures detected"]
    return [*header, "generated pictures called photographs", "no verdict, of all"], [
        [point, *map(rate, (verdicts.fpr, verdicts.tpr, verdicts.missed, verdicts.inconclusive))]
        for point in OPERATING_POINTS
        if (verdicts := verdicts_of(bundle, point)) is not None
    ]


def _number(share: float) -> str:
    if share in (0, 1):
        return f"{100 * share:.0f}"
    return f"{100 * share:.{1 if 0.01 <= share <= 0.99 else 2}f}"


def _count(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
