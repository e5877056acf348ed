"""The head on the tower's features: one logistic regression, judged on sources that it hasn't seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from fauxto.lab.photos.clip import Head

Features = NDArray[np.float32]
Labels = NDArray[np.int64]
Sources = NDArray[np.str_]

FOLDS = 5


def fit(
    features: Features,
    labels: Labels,
    sources: Sources,
    strength: float,
    weights: NDArray[np.float64] | None = None,
) -> Head:
    """Fit the head.

    Args:
        features: float32 [N, D].
        labels: int64 [N], 1 = ai.
        sources: str [N], where each picture is from; see `weights_of`.
        strength: Inverse of the L2 penalty on the standardised features.
        weights: float64 [N], how much each picture counts; without them, as `weights_of` says.
    """
    centre, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    model = LogisticRegression(C=strength, max_iter=2000)
    model.fit(
        (features - centre) / spread, labels, sample_weight=weights_of(labels, sources) if weights is None else weights
    )
    direction = (model.coef_[0] / spread).astype(np.float32)
    return Head(direction, float(model.intercept_[0] - direction @ centre))


def weights_of(labels: Labels, sources: Sources) -> NDArray[np.float64]:
    """Return sample weights [N], of mean 1: equal sums for both classes, the root of its size for each source."""
    found = np.empty(len(labels))
    for label in np.unique(labels):
        ours = labels == label
        _, which, counts = np.unique(sources[ours], return_inverse=True, return_counts=True)
        each = 1 / np.sqrt(counts[which])
        found[ours] = each / each.sum()
    return found * len(labels) / found.sum()


def score(head: Head, features: Features) -> NDArray[np.float64]:
    """Return the scores [N] that the packed network gives."""
    return (features @ head.direction + head.bias).astype(np.float64)


def held_out_scores(
    features: Features,
    labels: Labels,
    sources: Sources,
    strength: float,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the score [N] of each picture by a head that was fitted without its source."""
    scores = np.empty(len(labels))
    for learn, judge in GroupKFold(FOLDS).split(features, groups=sources):
        ours = None if weights is None else weights[learn]
        fitted = fit(features[learn], labels[learn], sources[learn], strength, ours)
        scores[judge] = score(fitted, features[judge])
    return scores
