"""Batches of a split for Keras: resized as the runtime resizes, scaled to [0, 1], varied at random while learning."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from fauxto.lab.augment import augment
from fauxto.lab.config import Recipe
from fauxto.preprocessing import resize

Pixels = NDArray[np.uint8]


class Plain(keras.utils.PyDataset):
    """Pictures in their own order, as they are; with labels for validation, without for prediction."""

    def __init__(
        self,
        images: Sequence[Pixels],
        image_size: int,
        labels: NDArray[np.int64] | None = None,
        batch_size: int = 500,
    ) -> None:
        super().__init__()
        self.images, self.image_size, self.labels, self.batch_size = images, image_size, labels, batch_size

    def __len__(self) -> int:
        return -(-len(self.images) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], ...]:
        rows = range(index * self.batch_size, min((index + 1) * self.batch_size, len(self.images)))
        batch = resized(self.images, rows, self.image_size).astype(np.float32) / 255
        if self.labels is None:
            return (batch,)
        return batch, np.eye(2, dtype=np.float32)[self.labels[rows]]


class Augmented(keras.utils.PyDataset):
    """Pictures in an order and with variations that follow from the seed and `epoch`, which a callback sets."""

    def __init__(self, images: Sequence[Pixels], labels: NDArray[np.int64], recipe: Recipe) -> None:
        super().__init__(workers=2, max_queue_size=8)  # threads: the varying hides behind the network's arithmetic
        self.images, self.labels, self.recipe, self.epoch = images, labels, recipe, 0
        everything = np.random.default_rng(recipe.seed).permutation(len(labels))
        self.learnt = everything[: round(recipe.train_share * len(labels))]

    def __len__(self) -> int:
        # The last, smaller batch is left out: batch normalisation learns worse from it, and the order changes anyway.
        return max(1, len(self.learnt) // self.recipe.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        order = np.random.default_rng((self.recipe.seed, self.epoch)).permutation(self.learnt)
        rows = np.sort(order[index * self.recipe.batch_size : (index + 1) * self.recipe.batch_size])
        draws = np.random.default_rng((self.recipe.seed, self.epoch, index))
        pixels = resized(self.images, rows, self.recipe.image_size)
        return augment(pixels, self.labels[rows], self.recipe.augmentation, draws)


def resized(images: Sequence[Pixels], rows: Sequence[int] | NDArray[np.int64], side: int) -> Pixels:
    """Return the pictures in `rows` as uint8 [len(rows), side, side, 3], resized only where they differ."""
    return np.stack([resize(images[row], side, side) for row in rows])
