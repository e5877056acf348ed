"""95 % intervals: against a published value, and wider where pictures resemble each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from fauxto.lab.evaluation.intervals import FEWEST_SOURCES, Intervals, wilson

RNG = np.random.default_rng(2)
EVERY = np.ones(400, bool)


@pytest.mark.parametrize(("value", "count"), [(0.0, 10), (1.0, 10), (0.25, 4), (81 / 263, 263), (0.03, 1000)])
def test_wilsons_interval_is_scipys(value, count):
    expected = binomtest(round(value * count), count).proportion_ci(method="wilson")
    assert wilson(value, count) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_wilsons_interval_of_81_in_263():
    # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I.
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_with_few_sources_a_share_has_wilsons_interval():
    chosen = RNG.random(400) < 0.3
    share = Intervals(np.repeat("one", 400)).share(chosen, EVERY)
    assert share.value == np.mean(chosen)
    assert (share.low, share.high) == wilson(float(np.mean(chosen)), 400)


def test_over_sources_an_interval_is_wider_where_a_source_errs_as_a_whole():
    sources = np.repeat([f"{number:02}" for number in range(20)], 20)
    by_source = np.isin(sources, ["03", "07", "11", "15"])
    mixed = RNG.permutation(by_source)
    over_sources, over_pictures = Intervals(sources), Intervals(np.repeat("one", 400))
    wide, narrow, plain = (
        over_sources.share(by_source, EVERY),
        over_sources.share(mixed, EVERY),
        over_pictures.share(by_source, EVERY),
    )
    assert wide.value == narrow.value == plain.value == 0.2
    assert wide.high - wide.low > 2 * (plain.high - plain.low)
    assert narrow.high - narrow.low == pytest.approx(plain.high - plain.low, rel=0.4)
    assert wide.low < 0.2 < wide.high


def test_the_auroc_has_an_interval_over_sources_too():
    sources = np.repeat([f"{number:02}" for number in range(20)], 20)
    labels = np.arange(400) // 20 % 2
    scores = labels + RNG.normal(0, 1, 400) + RNG.normal(0, 1, 20).repeat(20)
    wide, narrow = Intervals(sources).auroc(labels, scores), Intervals(np.repeat("one", 400)).auroc(labels, scores)
    assert wide.value == narrow.value
    assert wide.low < narrow.low < wide.value < narrow.high < wide.high


def test_the_auroc_is_scikit_learns_with_weights_and_ties():
    labels, scores = RNG.integers(0, 2, 400), RNG.integers(0, 30, 400).astype(float)
    intervals = Intervals(np.repeat("one", 400), resamples=60)
    areas = [roc_auc_score(labels, scores, sample_weight=weight) for weight in intervals._draws(400)]
    share = intervals.auroc(labels, scores)
    assert share.value == pytest.approx(roc_auc_score(labels, scores))
    assert (share.low, share.high) == pytest.approx(tuple(np.quantile(areas, (0.025, 0.975))))


def test_an_interval_is_drawn_alike_each_time():
    sources = np.repeat([f"{number:02}" for number in range(FEWEST_SOURCES)], 40)
    chosen = RNG.random(400) < 0.3
    assert Intervals(sources).share(chosen, EVERY) == Intervals(sources).share(chosen, EVERY)


def test_a_share_of_nothing_and_the_auroc_of_one_label_are_undefined():
    intervals = Intervals(np.repeat("one", 400))
    for share in (intervals.share(EVERY, ~EVERY), intervals.auroc(np.zeros(400, np.int64), RNG.random(400))):
        assert (share.value, share.low, share.high) == (None, None, None)


def test_no_error_among_many_sources_is_no_certainty():
    sources = np.repeat([f"{number:02}" for number in range(20)], 3)
    share = Intervals(sources).share(np.zeros(60, bool), np.ones(60, bool))
    assert (share.value, share.low) == (0.0, 0.0)
    assert share.high == pytest.approx(0.0602, abs=1e-3)  # Wilson's


def test_the_sources_that_count_are_those_of_the_label():
    """Many sources of generated pictures say nothing of how far the photographs of a single one can be trusted."""
    sources = np.concatenate([np.repeat("photographs", 100), np.repeat([f"{number:02}" for number in range(12)], 10)])
    photographs = sources == "photographs"
    chosen = photographs & (np.arange(220) < 5)
    assert Intervals(sources).share(chosen, photographs).high > 0.1


def test_a_perfect_ranking_stays_within_one():
    labels = np.repeat([0, 1], 9_973)
    share = Intervals(np.repeat("one", len(labels)), resamples=3).auroc(labels, labels.astype(float))
    assert (share.value, share.high) == (1.0, 1.0)
