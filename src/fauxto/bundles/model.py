"""A bundle with its network: what judges the pictures of its domain."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fauxto import preprocessing
from fauxto.bundles import registry
from fauxto.bundles.bundle import Bundle
from fauxto.bundles.network import Network
from fauxto.preprocessing import Pixels
from fauxto.report import ModelSummary

Outputs = tuple[float, NDArray[np.float64], float]
"""Of a picture: its score, the probabilities [F] of its model's families of generators, and its unlikeness."""


class Model:
    """A bundle and its network, which is opened on first use; thread-safe."""

    def __init__(self, bundle: Bundle, threads: int | None = None) -> None:
        self.bundle = bundle
        self.summary = ModelSummary(bundle.name, bundle.version, bundle.model_sha256)
        self._threads = threads
        self._network: Network | None = None
        self._lock = threading.Lock()

    def views(self, rgb: Pixels) -> Pixels:
        """Return the network's views of a picture, without opening the network."""
        return preprocessing.views(rgb, self.bundle.input)

    @property
    def network(self) -> Network:
        """The network; raises BundleFormatError where it can't be opened."""
        with self._lock:
            if self._network is None:
                self._network = Network(self.bundle, self._threads)
            return self._network


_lock = threading.Lock()


def load_model(bundle: str | Path, threads: int | None = None) -> Model:
    """Load a model; thread-safe. All detectors of a process share those that come with fauxto.

    Args:
        bundle: As `fauxto.bundles.load` takes it, and with its errors.
        threads: As `Network` takes it.
    """
    if bundle not in registry.DEFAULTS:
        return Model(registry.load(bundle), threads)
    with _lock:  # threads that come together wait for the same one
        return _built_in(bundle, threads)


@cache
def _built_in(name: str | Path, threads: int | None) -> Model:
    return Model(registry.load(name), threads)


def judged(models: Sequence[Model], views: Sequence[Pixels]) -> list[Outputs]:
    """Return what a network makes of each picture, by its views [K, H, W, 3], batched per model."""
    outputs: dict[int, Outputs] = {}
    for model in dict.fromkeys(models):
        rows = [row for row, other in enumerate(models) if other is model]
        result = model.network.judge([views[row] for row in rows])
        parts = (result.scores.tolist(), result.families, result.unlikeness.tolist())
        outputs |= zip(rows, zip(*parts, strict=True), strict=True)
    return [outputs[row] for row in range(len(views))]
