"""Means of networks that started from the same weights: often better than each of them, at no cost."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from fauxto.lab.layers import PatchTokens, resized_positions
from fauxto.lab.run import Run


def average(model: keras.Model, runs: Sequence[Run], *, own: bool) -> None:
    """Give a backbone the mean of other runs' weights and, where it was trained, its `own`.

    Positions of runs with another input size are interpolated.

    Wortsman et al. 2022, "Model soups: averaging weights of multiple fine-tuned models improves accuracy without
    increasing inference time".
    """
    members = [run.load_keras_model() for run in runs] + ([model] if own else [])
    for layer, *same in zip(model.layers, *(member.layers for member in members), strict=True):
        weights = [twin.get_weights() for twin in same]
        if isinstance(layer, PatchTokens):
            weights = [[token, resized_positions(grid, 1 + layer.count)] for token, grid in weights]
        if weights:
            layer.set_weights([np.mean(twins, axis=0) for twins in zip(*weights, strict=True)])


def interpolate(model: keras.Model, start: keras.Model, share: float) -> None:
    """Leave a trained model a `share` of its weights, the rest being those that it started from.

    Wortsman et al. 2022, "Robust fine-tuning of zero-shot models".
    """
    for layer, first in zip(model.layers, start.layers, strict=True):
        pairs = zip(first.get_weights(), layer.get_weights(), strict=True)
        layer.set_weights([old + share * (new - old) for old, new in pairs])
