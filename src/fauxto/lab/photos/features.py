"""The tower's features of a data set's pictures, computed once and kept in a cache folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from rich.progress import track

from fauxto.bundles.bundle import Input
from fauxto.lab.datasets import Split
from fauxto.lab.photos import clip
from fauxto.lab.photos.delivery import deliver
from fauxto.preprocessing import normalise, resize

INPUT = Input("whole", clip.SIDE, clip.SIDE, scale=1 / 255, mean=clip.MEAN, std=clip.STD)

Delivery = Callable[[str, NDArray[np.uint8]], NDArray[np.uint8]]
"""From the sha256 of a picture's file, and its pixels, to its pixels as delivered."""

_WORKERS = 2


def at_random(seed: int) -> Delivery:
    """Return a delivery that is drawn for each picture, always alike for the same picture and seed."""
    return lambda sha256, rgb: deliver(rgb, np.random.default_rng((seed, int(sha256[:8], 16))))


def features(pictures: Split, delivery: Delivery, label: str, network: bytes, cache: Path) -> NDArray[np.float32]:
    """Compute the features of a split, or go on where an earlier call was cut short.

    Args:
        pictures: Whole pictures.
        delivery: What happens to each on its way.
        label: Names the delivery, for the progress and the cache.
        network: What `clip.feature_network` or `clip.statistics_network` returned.
        cache: A folder.

    Returns:
        float32 [N, D], in the order of the split; D is the network's.
    """
    sha256s = pictures.rows["sha256"].to_pylist()
    key = hashlib.sha256("\n".join([label, *sha256s]).encode() + network).hexdigest()
    session = _session(network)
    size = len(pictures), session.get_outputs()[0].shape[1]
    stored = _stored(cache / f"{pictures.name}-{label}-{key[:12]}.npy", size)

    def compute(row: int) -> None:
        seen = resize(delivery(sha256s[row], pictures.images[row]), INPUT.height, INPUT.width)
        (found,) = session.run(None, {"pixels": normalise(seen[np.newaxis], INPUT)})
        stored[row] = found[0]

    missing = np.flatnonzero(~stored.any(axis=1)).tolist()
    with ThreadPoolExecutor(_WORKERS) as pool:
        for _ in track(pool.map(compute, missing), f"{pictures.name}, {label}", total=len(missing)):
            pass
    stored.flush()
    return np.array(stored)


def _session(network: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the workers run side by side
    options.log_severity_level = 4
    options.add_session_config_entry("session.x64quantprecision", "1")  # as the runtime does
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])


def _stored(path: Path, shape: tuple[int, ...]) -> np.memmap:
    """Open the cached array, zero where nothing was computed yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        return np.lib.format.open_memmap(path, mode="r+")
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
