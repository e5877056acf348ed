"""Weights under which what a picture's file is, and where it is from, tells as little as it can of its class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

QUALITIES, SIDES = (75, 85, 90, 95), (512, 768, 1024)
"""Where one bin of JPEG quality, and of the short side in pixels, ends and the next begins."""

LARGEST = 10.0
"""A picture counts at most so many times as much as the mean, and at least so many times less: else a dozen pictures
could outweigh a source, and sources whose files are all of one kind would vanish."""

FEWEST = 10
"""A bin that holds fewer pictures of one class can't be balanced and is left as it is."""

_ROUNDS = 30

Weights = NDArray[np.float64]
Groups = NDArray[np.int64]


def weights(rows: pa.Table) -> Weights:
    """Weigh pictures by iterative proportional fitting (Deming & Stephan 1940).

    Round by round, the weights are scaled towards these aims: each format with its JPEG quality, and each size, has
    the same share of both classes; within a class, each source weighs as the root of its size. The aims can contradict
    each other and the bounds on a weight: then the last round settles in between. Both classes weigh alike in the end.

    Args:
        rows: Of a manifest: columns `label`, `source`, `format`, `jpeg_quality`, `width` and `height`.

    Returns:
        float64 [N], of mean 1.
    """
    label = _numbered(rows["label"].to_pylist())
    source = _numbered(zip(rows["label"].to_pylist(), rows["source"].to_pylist(), strict=True))
    kinds, sizes = _numbered(kinds_of(rows)), _numbered(sizes_of(rows))
    found = np.ones(len(label))
    for _ in range(_ROUNDS):
        for groups in (sizes, kinds):
            found *= _alike(found, groups, label)
        found *= _by_root(found, source)
        found *= _equal(found, label)
        found = np.clip(found / found.mean(), 1 / LARGEST, LARGEST)
    found *= _equal(found, label)
    return found / found.mean()


def kinds_of(rows: pa.Table) -> list[tuple[str, int]]:
    """Return each picture's format and, of a JPEG, the bin of its quality; 0 for other formats."""
    pairs = zip(rows["format"].to_pylist(), rows["jpeg_quality"].to_pylist(), strict=True)
    return [(form, int(np.searchsorted(QUALITIES, quality or 0, side="right"))) for form, quality in pairs]


def sizes_of(rows: pa.Table) -> list[int]:
    """Return the bin of each picture's short side."""
    short_sides = np.minimum(rows["width"].to_numpy(), rows["height"].to_numpy())
    return [int(one) for one in np.searchsorted(SIDES, short_sides, side="right")]


def _alike(found: Weights, groups: Groups, label: Groups) -> Weights:
    """Return the factors that give each group the same share of both classes: the geometric mean of its two."""
    counts = np.zeros((label.max() + 1, groups.max() + 1))
    np.add.at(counts, (label, groups), 1)
    sums = np.zeros_like(counts)
    np.add.at(sums, (label, groups), found)
    shared = (counts >= FEWEST).all(axis=0)
    if not shared.any():
        return np.ones_like(found)
    shares = sums[:, shared] / sums[:, shared].sum(axis=1, keepdims=True)
    aim = np.exp(np.log(shares).mean(axis=0))
    factors = np.ones_like(counts)
    factors[:, shared] = aim / aim.sum() / shares
    return factors[label, groups]


def _by_root(found: Weights, source: Groups) -> Weights:
    counts, sums = np.bincount(source), np.bincount(source, found)
    return (np.sqrt(counts) / sums)[source]


def _equal(found: Weights, label: Groups) -> Weights:
    return (1 / np.bincount(label, found))[label]


def _numbered(groups: Iterable[Any]) -> Groups:
    """Return each group's number, from 0 in the order of their first appearance."""
    numbers: dict[Any, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups], np.int64)
