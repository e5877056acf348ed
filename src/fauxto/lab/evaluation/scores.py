"""The raw scores of a run's network on a split, asked for once and kept in RUN/scores/."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fauxto.errors import FauxtoError
from fauxto.lab.datasets import Dataset
from fauxto.lab.training import CONFIG, MODEL, RECORD, predict_scores


def network_sha256(run: Path) -> str:
    """Return the sha256 over RUN/config.toml and RUN/model.keras, which together decide every score.

    Raises:
        FauxtoError: The run has no trained network.
    """
    digest = hashlib.sha256()
    for name in (CONFIG, MODEL):
        try:
            digest.update((run / name).read_bytes())
        except OSError as error:
            raise FauxtoError(f"{run} holds no trained network: {name} can't be read ({error.strerror})") from error
    return digest.hexdigest()


def manifest_of_training(run: Path) -> str:
    """Return the sha256 of the manifest that the run was trained on.

    Raises:
        FauxtoError: The run hasn't finished.
    """
    path = run / RECORD
    if not path.is_file():
        raise FauxtoError(f"{path} isn't there: finish the training first (`fauxto train --run {run} --resume`)")
    return json.loads(path.read_text(encoding="utf-8"))["manifest_sha256"]


def predict(run: Path, images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.float64]:
    """Score pictures with the run's network.

    Args:
        run: The run folder.
        images: uint8 [N, H, W, 3], or N pictures of uint8 [h, w, 3].

    Returns:
        float64 [N], the raw logit of AI.

    Raises:
        FauxtoError: A score isn't a finite number.
    """
    scores = predict_scores(run, images).astype(np.float64)
    if broken := int(np.count_nonzero(~np.isfinite(scores))):
        raise FauxtoError(
            f"the network of {run} gives no finite score for {broken} of {len(scores)} pictures: "
            "its weights are broken; train it again"
        )
    return scores


def split_scores(run: Path, dataset: Dataset, split: str) -> NDArray[np.float64]:
    """Return the scores [N] of a split, in the order of its rows.

    They are read from RUN/scores/<split>.npy where that was written for the same network and manifest,
    and computed and written otherwise.
    """
    array_path = run / "scores" / f"{split}.npy"
    key_path = array_path.with_suffix(".json")
    key = {"network_sha256": network_sha256(run), "manifest_sha256": dataset.manifest_sha256}
    if key_path.exists() and json.loads(key_path.read_text(encoding="utf-8")) == key:
        return np.load(array_path, allow_pickle=False).astype(np.float64)
    scores = predict(run, dataset.split(split).images)
    array_path.parent.mkdir(exist_ok=True)
    key_path.unlink(missing_ok=True)  # and written last: a cut in between leaves no key rather than a wrong one
    np.save(array_path, scores.astype(np.float32), allow_pickle=False)
    key_path.write_text(json.dumps(key) + "\n", encoding="utf-8")
    return scores
