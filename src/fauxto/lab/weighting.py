"""How much a picture counts: a large source must not outweigh the others, nor one label the other."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def held_out(sources: NDArray[np.str_], share: float) -> NDArray[np.bool_]:
    """Tell which pictures [N] belong to the `share` of their sources that a hash of the name leaves out."""
    names, source = np.unique(sources, return_inverse=True)
    places = [
        int.from_bytes(hashlib.sha256(f"held out: {name}".encode()).digest()[:8], "big") / 2**64 for name in names
    ]
    return np.array(places)[source] < share


def weights_by_source(labels: NDArray[np.int64], sources: NDArray[np.str_]) -> NDArray[np.float64]:
    """Return sample weights [N], of mean 1: equal sums for both labels, the root of its size for each source."""
    weights = np.empty(len(labels))
    for label in np.unique(labels):
        rows = labels == label
        _, source, counts = np.unique(sources[rows], return_inverse=True, return_counts=True)
        each = 1 / np.sqrt(counts[source])
        weights[rows] = each / each.sum()
    return np.asarray(weights * len(labels) / weights.sum())
