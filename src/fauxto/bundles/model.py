"""A bundle with its network: what judges the pictures of its domain."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fauxto import preprocessing
from fauxto.bundles.bundle import Bundle
from fauxto.bundles.network import Network
from fauxto.preprocessing import Pixels
from fauxto.report import ModelSummary

Outputs = tuple[float, NDArray[np.float64], float]
"""Of a picture: its score, the probabilities [F] of its model's families of generators, and its unlikeness."""


class Model:
    """A bundle and its network, which is opened on first use."""

    def __init__(self, bundle: Bundle, threads: int | None) -> None:
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


def judged(models: Sequence[Model], views: Sequence[Pixels]) -> list[Outputs]:
    """Return what a network makes of each picture, by its views [K, H, W, 3], batched per model."""
    outputs: dict[int, Outputs] = {}
    for model in dict.fromkeys(models):
        rows = [row for row, other in enumerate(models) if other is model]
        result = model.network.judge([views[row] for row in rows])
        parts = (result.scores.tolist(), result.families, result.unlikeness.tolist())
        outputs |= zip(rows, zip(*parts, strict=True), strict=True)
    return [outputs[row] for row in range(len(views))]
