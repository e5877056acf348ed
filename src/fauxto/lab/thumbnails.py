"""Thumbnails of whole pictures from many sources: what a network trained on one set of thumbnails hasn't learnt."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fauxto.errors import DatasetError
from fauxto.lab.datasets import Split

OF_A_SOURCE = 25
"""At most so many pictures of a source and label, so that none outweighs the others."""


def thumbnails(
    pictures: Split, side: int, among: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Shrink the middle square of some pictures of every source.

    Args:
        pictures: Pictures of any sizes.
        side: Of the thumbnails, in pixels.
        among: bool [M], which of the pictures to take them from; None for all.

    Returns:
        uint8 [N, side, side, 3], and the labels int64 [N].

    Raises:
        DatasetError: There is no such picture.
    """
    taken: Counter[tuple[str, int]] = Counter()
    rows = []
    for row, key in enumerate(zip(pictures.rows["source"].to_pylist(), pictures.labels.tolist(), strict=True)):
        if among is not None and not among[row]:
            continue
        taken[key] += 1
        if taken[key] <= OF_A_SOURCE:
            rows.append(row)
    if not rows:
        raise DatasetError("of the other sources no picture is left to make a thumbnail of: name more (--foreign)")
    return np.stack([_thumbnail(pictures.images[row], side) for row in rows]), pictures.labels[rows]


def _thumbnail(rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    shorter = min(rgb.shape[:2])
    top, left = ((length - shorter) // 2 for length in rgb.shape[:2])
    square = Image.fromarray(rgb[top : top + shorter, left : left + shorter])
    return np.asarray(square.resize((side, side), Image.Resampling.LANCZOS))
