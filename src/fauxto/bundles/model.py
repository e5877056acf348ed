"""A bundle with its network: what judges the pictures of its domain."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from weakref import WeakValueDictionary

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


_lock = threading.Lock()
_shared: WeakValueDictionary[tuple[Path, int | None], Model] = WeakValueDictionary()


def load_model(bundle: str | Path, threads: int | None = None) -> Model:
    """Load a model; thread-safe. Those that come with fauxto are shared for as long as somebody holds them.

    Args:
        bundle: As `fauxto.bundles.load` takes it.
        threads: As `Network` takes it.

    Raises:
        BundleError: As `fauxto.bundles.load` raises it.
    """
    if not isinstance(bundle, str) or bundle not in registry.embedded():
        return Model(registry.load(bundle), threads)
    key = registry.WEIGHTS / bundle, threads
    with _lock:  # threads that come together wait for the same one
        model = _shared.get(key)
        if model is None:
            model = _shared[key] = Model(registry.load(bundle), threads)
        return model


def open_ahead(bundle: str) -> Future[Model]:
    """Begin to load a model and to open its network, in a thread of its own.

    It mostly waits for hashing and for ONNX Runtime, so that Python can import other modules meanwhile. What a
    detector loads in the same process while the future is held is the same model; its errors come there again.
    """

    def opened() -> Model:
        model = load_model(bundle)
        _ = model.network
        return model

    thread = ThreadPoolExecutor(1, thread_name_prefix="fauxto-open")
    opening = thread.submit(opened)
    thread.shutdown(wait=False)
    return opening


def judged(models: Sequence[Model], views: Sequence[Pixels]) -> list[Outputs]:
    """Return what a network makes of each picture, by its views [K, H, W, 3], batched per model."""
    outputs: dict[int, Outputs] = {}
    for model in dict.fromkeys(models):
        rows = [row for row, other in enumerate(models) if other is model]
        result = model.network.judge([views[row] for row in rows])
        parts = (result.scores.tolist(), result.families, result.unlikeness.tolist())
        outputs |= zip(rows, zip(*parts, strict=True), strict=True)
    return [outputs[row] for row in range(len(views))]
