"""How often a model errs, in sentences for people: all from what was measured on pictures that it had never met."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from fauxto.bundles import OPERATING_POINTS, Bundle
from fauxto.bundles.metrics import Evaluation, Share, Verdicts

NOT_MEASURED = "How often this model errs wasn't measured on pictures that it had never met."
INTERVALS = "In brackets: 95 % intervals."


def test_of(bundle: Bundle) -> Evaluation | None:
    """Return what was measured on pictures that neither training nor tuning has met; None where nothing was."""
    return None if bundle.metrics is None else bundle.metrics.test


def verdicts_of(bundle: Bundle, point: str) -> Verdicts | None:
    """Return the verdicts at an operating point on the pictures of `test_of`, as found; None where nobody measured."""
    test = test_of(bundle)
    return None if test is None else test.protocols[0].verdicts.get(point)


def percent(share: float) -> str:
    """Return a share in [0, 1] as "6.0 %", and as "0.47 %" where it is close to 0 or 1."""
    return f"{_number(share)} %"


def rate(share: Share) -> str:
    """Return a share with its interval, "6.0 % (2.1 to 10.3 %)"; "no pictures" where there was none to take it of."""
    if share.value is None:
        return "no pictures"
    if share.low is None or share.high is None:
        return percent(share.value)
    return f"{percent(share.value)} ({_number(share.low)} to {_number(share.high)} %)"


def photographs(test: Evaluation) -> str:
    """Return how many photographs an evaluation met: "331 photographs from 6 sources"."""
    sources = sum(group.real > 0 for group in test.groups.get("source", ()))
    return _count(test.protocols[0].real, "photograph") + (f" from {_count(sources, 'source')}" if sources else "")


def generated_pictures(test: Evaluation) -> str:
    """Return how many generated pictures an evaluation met: "500 generated pictures by 9 generators"."""
    generators = sum(group.ai > 0 for group in test.groups.get("generator", ()))
    by = f" by {_count(generators, 'generator')}" if generators else ""
    return _count(test.protocols[0].ai, "generated picture") + by


def measured_on(bundle: Bundle) -> str:
    """Return a sentence on the pictures that everything here was measured on, or that nothing was."""
    test = test_of(bundle)
    if test is None:
        return NOT_MEASURED
    return f"Measured on {photographs(test)} and {generated_pictures(test)} that the model had never met. {INTERVALS}"


def costs(bundle: Bundle, point: str) -> str:
    """Say in a sentence what an operating point costs; "" where that wasn't measured."""
    verdicts = verdicts_of(bundle, point)
    if verdicts is None:
        return ""
    return (
        f"Photographs called generated: {rate(verdicts.fpr)}. Generated pictures found: {rate(verdicts.tpr)}. "
        f"Left open: {rate(verdicts.inconclusive)} of all."
    )


def left_open(bundle: Bundle, point: str) -> str:
    """Say in a sentence how many pictures get no verdict."""
    test, verdicts = test_of(bundle), verdicts_of(bundle, point)
    if test is None or verdicts is None:
        return "It leaves pictures open; how many wasn't measured on pictures that it had never met."
    return f"It left {rate(verdicts.inconclusive)} of {test.protocols[0].count:,} pictures open that it had never met."


def outcome(bundle: Bundle, point: str) -> Iterator[str]:
    """Yield what became of the pictures that the model had never met, in sentences, for a report."""
    test, verdicts = test_of(bundle), verdicts_of(bundle, point)
    if test is None or verdicts is None:
        yield NOT_MEASURED
        return
    if verdicts.fpr.value is not None:
        yield f"Of {photographs(test)} that the model had never met, {rate(verdicts.fpr)} were called generated."
    if verdicts.tpr.value is not None:
        yield f"Of {generated_pictures(test)} that it had never met, {rate(verdicts.tpr)} were found."
    yield f"Of all of them, {rate(verdicts.inconclusive)} were left inconclusive. {INTERVALS}"


def scored_this_high(bundle: Bundle, score: float) -> str:
    """Say in a sentence how many photographs that the model had never met scored at least as high as a picture.

    Between two entries of `Evaluation.real_scores` the logarithm of the share runs straight; beyond the last one its
    count is a bound.
    """
    test = test_of(bundle)
    if test is None or not test.real_scores:
        return "How many photographs score this high wasn't measured on pictures that the model had never met."
    known, (scores, shares) = test.protocols[0].real, zip(*test.real_scores, strict=True)
    if score > scores[-1]:
        count, about = math.ceil(round(shares[-1] * known, 6)), "at most"
    else:
        count, about = round(known * math.exp(np.interp(score, scores, np.log(shares)))), "about"
    return f"Of {photographs(test)} that the model had never met, {about} {count:,} scored this high."


def table(bundle: Bundle) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: what each operating point costs; no rows where that wasn't measured."""
    header = ["operating point", "photographs called generated", "generated pictures found", "left open, of all"]
    return header, [
        [point, rate(verdicts.fpr), rate(verdicts.tpr), rate(verdicts.inconclusive)]
        for point in OPERATING_POINTS
        if (verdicts := verdicts_of(bundle, point)) is not None
    ]


def _number(share: float) -> str:
    if share in (0, 1):
        return f"{100 * share:.0f}"
    return f"{100 * share:.{1 if 0.01 <= share <= 0.99 else 2}f}"


def _count(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
