"""Batches of a split for Keras: the views that the runtime would make, in [0, 1], varied at random while learning."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from fauxto import preprocessing
from fauxto.lab import views
from fauxto.lab.augment import augment
from fauxto.lab.datasets import Split
from fauxto.lab.degradations.chain import degrade
from fauxto.lab.recipe import Recipe
from fauxto.lab.weighting import held_out, weights_by_source

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]


class Plain(keras.utils.PyDataset):
    """Pictures in their own order, as they are; of a picture with several views, the first."""

    def __init__(self, pictures: Split, recipe: Recipe, folder: Path) -> None:
        super().__init__()
        self.pictures, self.recipe = pictures, recipe
        self.kept = views.plain(pictures, recipe, folder) if recipe.variants else None

    def __len__(self) -> int:
        return -(-len(self.pictures) // self.recipe.batch_size)

    def __getitem__(self, index: int) -> Batch:
        size = self.recipe.batch_size
        rows = range(index * size, min((index + 1) * size, len(self.pictures)))
        if self.kept is None:
            pixels = np.stack([preprocessing.views(self.pictures.images[row], self.recipe.input)[0] for row in rows])
        else:
            pixels = np.stack([self.kept[row][0] for row in rows])
        return pixels.astype(np.float32) / np.float32(255), np.eye(2, dtype=np.float32)[self.pictures.labels[rows]]


class Varied(keras.utils.PyDataset):
    """Pictures in an order and with variations that follow from the seed and `epoch`, which a callback sets.

    Where the recipe keeps variants, an epoch's pictures are drawn by `weights_by_source` and their degraded
    views come from the cache; otherwise each picture comes once and is degraded anew.
    """

    def __init__(self, pictures: Split, recipe: Recipe, folder: Path) -> None:
        super().__init__(workers=2, max_queue_size=8)  # threads: the varying hides behind the network's arithmetic
        self.pictures, self.recipe, self.epoch = pictures, recipe, 0
        everything = np.flatnonzero(~held_out(pictures.sources, recipe.held_out))
        everything = np.random.default_rng(recipe.seed).permutation(everything)
        self.learnt = everything[: round(recipe.train_share * len(everything))]
        self.kept = [views.degraded(pictures, recipe, variant, folder) for variant in range(recipe.variants)]

    def __len__(self) -> int:
        # The last, smaller batch is left out: batch normalisation learns worse from it, and the order changes anyway.
        return max(1, len(self.learnt) // self.recipe.batch_size)

    def __getitem__(self, index: int) -> Batch:
        recipe = self.recipe
        order = self._order(np.random.default_rng((recipe.seed, self.epoch)))
        rows = np.sort(order[index * recipe.batch_size : (index + 1) * recipe.batch_size])
        draws = np.random.default_rng((recipe.seed, self.epoch, index))
        if self.kept:
            seen = self.kept[self.epoch % len(self.kept)]
            pixels = np.stack([seen[row][draws.integers(recipe.input.count)] for row in rows])
        else:
            pictures = [preprocessing.views(self.pictures.images[row], recipe.input)[0] for row in rows]
            pixels = np.stack([degrade(picture, recipe.degradation, draws) for picture in pictures])
        return augment(pixels, self.pictures.labels[rows], recipe.augmentation, draws)

    def _order(self, draws: np.random.Generator) -> NDArray[np.int64]:
        if not self.kept:
            return draws.permutation(self.learnt)
        weights = weights_by_source(self.pictures.labels[self.learnt], self.pictures.sources[self.learnt])
        return draws.choice(self.learnt, len(self.learnt), p=weights / weights.sum())
