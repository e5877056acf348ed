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
        names, source = np.unique(sources, return_inverse=True)
        self._by_source = len(names) >= FEWEST_SOURCES
        rng = np.random.default_rng(0)
        units = len(names) if self._by_source else len(sources)
        draws = rng.integers(0, units, (resamples, units))
        counts = np.stack([np.bincount(draw, minlength=units) for draw in draws]).astype(np.float32)
        self._weights = counts[:, source] if self._by_source else counts

    def share(self, chosen: NDArray[np.bool_], among: NDArray[np.bool_]) -> Share:
        """Return the share of the pictures in `among` [N] that are in `chosen` [N]."""
        count = int(among.sum())
        if not count:
            return Share(None, None, None)
        value = float(chosen[among].mean())
        if not self._by_source:
            return Share(value, *wilson(value, count))
        totals = self._weights[:, among].sum(axis=1)
        drawn = totals > 0
        shares = self._weights[drawn][:, chosen & among].sum(axis=1) / totals[drawn]
        return Share(value, *map(float, np.quantile(shares, (0.025, 0.975))))

    def auroc(self, labels: NDArray[np.int64], scores: NDArray[np.float64]) -> Share:
        """Return the AUROC of scores [N] for labels [N]."""
        if len(np.unique(labels)) < 2:
            return Share(None, None, None)
        order = np.argsort(scores, kind="stable")
        _, ties = np.unique(scores[order], return_index=True)
        real, ai = order[labels[order] == 0], order[labels[order] == 1]
        areas = [
            _area(weight[order], labels[order], ties)
            for weight in self._weights
            if weight[real].any() and weight[ai].any()
        ]
        value = _area(np.ones(len(order)), labels[order], ties)
        return Share(value, *map(float, np.quantile(areas, (0.025, 0.975))))


def _area(weights: NDArray[np.floating[Any]], labels: NDArray[np.int64], ties: NDArray[np.int64]) -> float:
    """Return the AUROC of weighted pictures [N] in the order of their scores; `ties` is where each new score starts."""
    real = np.add.reduceat(np.where(labels == 0, weights, 0.0), ties)
    ai = np.add.reduceat(np.where(labels == 1, weights, 0.0), ties)
    below = np.cumsum(real) - real / 2  # equal scores count half
    return float(ai @ below / (real.sum() * ai.sum()))


def wilson(value: float, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share `value` of `count` pictures."""
    middle = value + _Z**2 / (2 * count)
    margin = _Z * np.sqrt(value * (1 - value) / count + _Z**2 / (4 * count**2))
    scale = 1 + _Z**2 / count
    return max(0.0, float((middle - margin) / scale)), min(1.0, float((middle + margin) / scale))
