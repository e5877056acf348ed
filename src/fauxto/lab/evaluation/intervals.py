"""95 % intervals of shares and of the AUROC.

Pictures of one source resemble each other, so that what counts is how many sources were met: where there are enough,
intervals come from a bootstrap over sources (Efron & Tibshirani 1993, "An Introduction to the Bootstrap").
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fauxto.bundles.metrics import Share

FEWEST_SOURCES = 10
"""With fewer, a share has Wilson's interval (Wilson 1927) over pictures, and the AUROC a bootstrap over pictures."""

_RESAMPLES = 400
_Z = 1.959964  # of the normal distribution, for 95 %


class Intervals:
    """Intervals for N pictures of known sources; every call resamples in the same way."""

    def __init__(self, sources: NDArray[np.str_], resamples: int = _RESAMPLES) -> None:
        """Draw the resamples.

        Args:
            sources: str [N].
            resamples: How many.
        """
        self._source = np.unique(sources, return_inverse=True)[1]
        self._resamples = resamples

    def share(self, chosen: NDArray[np.bool_], among: NDArray[np.bool_]) -> Share:
        """Return the share of the pictures in `among` [N] that are in `chosen` [N].

        Its interval is never narrower than Wilson's: no error among a few pictures of many sources is no certainty.
        """
        count = int(among.sum())
        if not count:
            return Share(None, None, None)
        value = float(chosen[among].mean())
        low, high = wilson(value, count)
        if self._sources(among) >= FEWEST_SOURCES:
            source = np.unique(self._source[among], return_inverse=True)[1]
            all_of, chosen_of = (np.bincount(source, weights) for weights in (None, chosen[among]))
            draws = self._draws(len(all_of))
            totals = draws @ all_of
            shares = (draws @ chosen_of)[totals > 0] / totals[totals > 0]
            bounds = np.quantile(shares, (0.025, 0.975))
            low, high = min(low, float(bounds[0])), max(high, float(bounds[1]))
        return Share(value, low, high)

    def auroc(self, labels: NDArray[np.int64], scores: NDArray[np.float64]) -> Share:
        """Return the AUROC of scores [N] for labels [N]."""
        if len(np.unique(labels)) < 2:
            return Share(None, None, None)
        order = np.argsort(scores, kind="stable")
        _, ties = np.unique(scores[order], return_index=True)
        ordered = labels[order]
        by_source = min(self._sources(labels == 0), self._sources(labels == 1)) >= FEWEST_SOURCES
        unit = self._source[order] if by_source else order
        areas = [
            _area(weights, ordered, ties)
            for draw in self._draws(int(unit.max()) + 1)
            for weights in [draw[unit]]
            if weights[ordered == 0].any() and weights[ordered == 1].any()
        ]
        value = _area(np.ones(len(order)), ordered, ties)
        return Share(value, *map(float, np.quantile(areas, (0.025, 0.975))))

    def _sources(self, among: NDArray[np.bool_]) -> int:
        return len(np.unique(self._source[among]))

    def _draws(self, units: int) -> NDArray[np.float64]:
        """Return how often each unit is in each resample."""
        rng = np.random.default_rng(0)
        counts = [np.bincount(rng.integers(0, units, units), minlength=units) for _ in range(self._resamples)]
        return np.asarray(counts, np.float64)


def _area(weights: NDArray[np.floating[Any]], labels: NDArray[np.int64], ties: NDArray[np.int64]) -> float:
    """Return the AUROC of weighted pictures [N] in the order of their scores; `ties` is where each new score starts."""
    real = np.add.reduceat(np.where(labels == 0, weights, 0.0), ties)
    ai = np.add.reduceat(np.where(labels == 1, weights, 0.0), ties)
    below = np.cumsum(real) - real / 2  # equal scores count half
    return float(np.clip(ai @ below / (real.sum() * ai.sum()), 0, 1))


def wilson(value: float, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share `value` of `count` pictures."""
    middle = value + _Z**2 / (2 * count)
    margin = _Z * np.sqrt(value * (1 - value) / count + _Z**2 / (4 * count**2))
    scale = 1 + _Z**2 / count
    return max(0.0, float((middle - margin) / scale)), min(1.0, float((middle + margin) / scale))
