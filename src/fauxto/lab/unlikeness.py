"""How unlike those that a network learnt a picture is: a head on its features that has met pictures of other sources.

It is a logistic regression on the mean of each channel after each ReLU: what the network sees at every depth, not only
what its logits are made of. That such a head must have met other pictures is Hendrycks, Mazeika & Dietterich 2019,
"Deep Anomaly Detection with Outlier Exposure"; distances to the learnt pictures alone hardly tell thumbnails of other
photographs from CIFAKE's (docs/explanation/limits.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from fauxto import preprocessing
from fauxto.errors import ConfigError
from fauxto.lab.datasets import Split
from fauxto.lab.degradations.chain import degrade
from fauxto.lab.recipe import Recipe
from fauxto.lab.thumbnails import thumbnails
from fauxto.lab.weighting import held_out
from fauxto.scan.files import replaced

if TYPE_CHECKING:
    import keras

HELD_OUT = 0.25
"""Share of the other sources that is kept for calibration."""

_MOST_LEARNT = 20_000
_VARIANTS = 4  # of each thumbnail, degraded as in training
_STRENGTH = 0.01  # inverse of the L2 penalty on the standardised features


@dataclass(frozen=True, slots=True, eq=False)
class Unlikeness:
    """A linear map from D features to the logit of being unlike.

    Attributes:
        kernel: float32 [D, 1].
        bias: float32 [1].
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]

    def save(self, path: Path) -> None:
        """Write it to a file."""
        with replaced(path) as file:
            np.savez(file, kernel=self.kernel, bias=self.bias)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read it from a file of `save`."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(stored["kernel"], stored["bias"])


def check(network: keras.Model, recipe: Recipe) -> None:
    """Raise ConfigError where unlikeness can't be told of a network's pictures."""
    if recipe.head == "logistic" or recipe.input.count > 1 or not _activations(network):
        raise ConfigError(
            f"{network.name!r} can't tell what is unlike the pictures that it learns: that needs ReLU layers, "
            "a trained head and a single view; leave --foreign out"
        )


def with_features(network: keras.Model, *, mirrored: bool) -> tuple[keras.KerasTensor, ...]:
    """Return a network's pixels, logits [N, 2] and features [N, D]; if `mirrored`, means with the mirror image's."""
    import keras

    means = [keras.layers.GlobalAveragePooling2D()(activation) for activation in _activations(network)]
    whole = keras.Model(network.inputs, [*network.outputs, keras.layers.Concatenate()(means)])
    pixels = keras.Input(network.input_shape[1:], name="pixels")
    logits, features = whole(pixels)
    if mirrored:
        mirror = whole(keras.ops.flip(pixels, axis=2))
        logits, features = (logits + mirror[0]) / 2, (features + mirror[1]) / 2
    return pixels, logits, features


def with_unlikeness(network: keras.Model, head: Unlikeness, *, mirrored: bool) -> keras.Model:
    """Return a network with a second output: the unlikeness [N, 1] in [0, 1]."""
    import keras

    pixels, logits, features = with_features(network, mirrored=mirrored)
    unlikeness = keras.ops.sigmoid(keras.ops.matmul(features, head.kernel) + head.bias)
    return keras.Model(pixels, [logits, unlikeness], name=network.name)


def fit(network: keras.Model, learnt: Split, other: Split, recipe: Recipe) -> Unlikeness:
    """Fit the head of a trained network, on pictures that are degraded as in training.

    Args:
        network: The network, in float32.
        learnt: The split that it learnt.
        other: Whole pictures of other sources, of which `HELD_OUT` isn't met.
        recipe: How the network was trained.
    """
    import keras

    pixels, _, features = with_features(network, mirrored=recipe.flip_averaging)
    encoder = keras.Model(pixels, features)
    draws = np.random.default_rng(recipe.seed)

    def seen(pictures: list[NDArray[np.uint8]]) -> NDArray[np.float64]:
        views = [preprocessing.views(degrade(rgb, recipe.degradation, draws), recipe.input)[0] for rgb in pictures]
        return np.asarray(encoder.predict(np.stack(views).astype(np.float32) / 255, verbose=0), np.float64)

    rows = np.sort(draws.permutation(len(learnt))[:_MOST_LEARNT])
    strangers, _ = thumbnails(other, learnt.images[0].shape[0], ~held_out(other.sources, HELD_OUT))
    parts = seen([learnt.images[row] for row in rows]), seen([rgb for rgb in strangers for _ in range(_VARIANTS)])
    everything, unlike = np.concatenate(parts), np.repeat([0, 1], [len(part) for part in parts])
    centre, spread = everything.mean(axis=0), everything.std(axis=0) + 1e-6
    model = LogisticRegression(C=_STRENGTH, max_iter=1000, class_weight="balanced")
    model.fit((everything - centre) / spread, unlike)
    kernel = (model.coef_ / spread).T
    return Unlikeness(kernel.astype(np.float32), (model.intercept_ - centre @ kernel).astype(np.float32))


def _activations(network: keras.Model) -> list[keras.KerasTensor]:
    import keras

    return [layer.output for layer in network.layers if isinstance(layer, keras.layers.ReLU)]
