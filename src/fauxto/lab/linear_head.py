"""Logistic regressions as a network's heads, fitted on the features of the very encoder that ships.

The last step of a recipe whose head is "logistic", be the encoder frozen or trained before: a head that tells AI from
real, and one that tells families of generators apart, where the pictures are from several.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from fauxto.lab import cache, encoder_export, views
from fauxto.lab.datasets import Split
from fauxto.lab.families import FamilyHead, families_of
from fauxto.lab.recipe import Recipe
from fauxto.lab.weighting import held_out, weights_by_source

if TYPE_CHECKING:
    import keras

FEATURES, LOGITS = "features", "logits"
"""Names of the layers that a backbone ends in."""


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A linear map from features to the score.

    Attributes:
        weights: float32 [D]; a picture's score is its features times these, plus the bias.
        bias: In units of the score.
    """

    weights: NDArray[np.float32]
    bias: float


def fit_into(model: keras.Model, pictures: Split, recipe: Recipe, folder: Path) -> FamilyHead | None:
    """Fit the head of a model on the degraded pictures of a split, but for the sources that the recipe holds out.

    Returns the other head, of generators' families.

    Args:
        model: A model whose last two layers are called "features" and "logits".
        pictures: The split.
        recipe: How.
        folder: Where caches lie.
    """
    import keras

    network = encoder_export.export(keras.Model(model.inputs, model.get_layer(FEATURES).output))
    features = encoder_features(network, pictures, recipe, folder)
    learnt = ~held_out(pictures.sources, recipe.held_out)
    head = fit(features[learnt], pictures.labels[learnt], pictures.sources[learnt], recipe.head_strength)
    kernel = np.stack([-head.weights / 2, head.weights / 2], axis=1)
    model.get_layer(LOGITS).set_weights([kernel, np.array([-head.bias / 2, head.bias / 2], np.float32)])
    families = np.where(learnt, families_of(pictures), "")
    return fit_families(features, families, pictures.sources, recipe.family_strength)


def fit(features: NDArray[np.float32], labels: NDArray[np.int64], sources: NDArray[np.str_], strength: float) -> Head:
    """Fit a head.

    Args:
        features: float32 [N, D].
        labels: int64 [N], 1 = ai.
        sources: str [N]; see `weights_by_source`.
        strength: Inverse of the L2 penalty on the standardised features.
    """
    centre, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    model = LogisticRegression(C=strength, max_iter=2000)
    model.fit((features - centre) / spread, labels, sample_weight=weights_by_source(labels, sources))
    weights = (model.coef_[0] / spread).astype(np.float32)
    return Head(weights, float(model.intercept_[0] - weights @ centre))


def fit_families(
    features: NDArray[np.float32], families: NDArray[np.str_], sources: NDArray[np.str_], strength: float
) -> FamilyHead | None:
    """Fit a head that tells families of generators apart.

    Args:
        features: float32 [N, D].
        families: str [N], empty where unknown; such pictures aren't learnt.
        sources: str [N]; see `weights_by_source`.
        strength: Inverse of the L2 penalty on the standardised features.

    Returns:
        None where fewer than two families are known.
    """
    known = families != ""
    names, numbers = np.unique(families[known], return_inverse=True)
    if len(names) < 2:
        return None
    centre, spread = features[known].mean(axis=0), features[known].std(axis=0) + 1e-6
    model = LogisticRegression(C=strength, max_iter=1000)
    weights = weights_by_source(numbers, sources[known])
    model.fit((features[known] - centre) / spread, numbers, sample_weight=weights)
    kernel, bias = model.coef_, model.intercept_
    if len(names) == 2:  # of two classes, scikit-learn keeps the second one's alone
        kernel, bias = np.concatenate([-kernel / 2, kernel / 2]), np.concatenate([-bias / 2, bias / 2])
    kernel = kernel / spread
    return FamilyHead(tuple(names.tolist()), kernel.T.astype(np.float32), (bias - kernel @ centre).astype(np.float32))


def encoder_features(network: bytes, pictures: Split, recipe: Recipe, folder: Path) -> NDArray[np.float32]:
    """Return the mean over each picture's views of the encoder's features, float32 [N, D]; variants come in turn."""
    variants = [views.degraded(pictures, recipe, variant, folder) for variant in range(max(1, recipe.variants))]
    session = _session(network)

    def compute(few: range) -> cache.Array:
        pixels = np.stack([variants[row % len(variants)][row] for row in few])
        count, views_each = pixels.shape[:2]
        (features,) = session.run(None, {"pixels": pixels.reshape(-1, *pixels.shape[2:]).astype(np.float32) / 255})
        mean: Any = features.reshape(count, views_each, -1).mean(axis=1)
        return np.asarray(mean, np.float32)

    digest = cache.key(hashlib.sha256(network).hexdigest(), *(variant.name for variant in variants))
    name = f"{pictures.name}-features-{digest}"
    return np.asarray(cache.rows(folder, name, len(pictures), compute).whole(), np.float32)


def _session(network: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the cache asks in several threads
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
