"""The views of a split's pictures, made once by the very code that the runtime uses, and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fauxto import preprocessing, reencoding
from fauxto.lab import cache
from fauxto.lab.datasets import Split
from fauxto.lab.degradations import chain, functions
from fauxto.lab.degradations.chain import degrade
from fauxto.lab.recipe import Recipe


def plain(pictures: Split, recipe: Recipe, folder: Path) -> cache.Rows:
    """Return the views of undegraded pictures: uint8 [K, H, W, 3] each."""
    digest = cache.key(pictures.identities, asdict(recipe.input), preprocessing)
    return _kept(pictures, folder, f"{pictures.name}-views-{digest}", lambda row: pictures.images[row], recipe)


def degraded(pictures: Split, recipe: Recipe, variant: int, folder: Path) -> cache.Rows:
    """Return the views of randomly degraded pictures: uint8 [K, H, W, 3] each, alike for a seed and variant."""
    identities = pictures.identities
    code = (preprocessing, reencoding, chain, functions)
    digest = cache.key(identities, asdict(recipe.input), asdict(recipe.degradation), recipe.seed, variant, *code)

    def picture(row: int) -> NDArray[np.uint8]:
        draws = np.random.default_rng((recipe.seed, variant, int(identities[row][:8], 16)))
        return degrade(pictures.images[row], recipe.degradation, draws)

    return _kept(pictures, folder, f"{pictures.name}-degraded-{variant}-{digest}", picture, recipe)


def _kept(
    pictures: Split, folder: Path, name: str, picture: Callable[[int], NDArray[np.uint8]], recipe: Recipe
) -> cache.Rows:
    def compute(few: range) -> cache.Array:
        return np.stack([preprocessing.views(picture(row), recipe.input) for row in few])

    return cache.rows(folder, name, len(pictures), compute)
