"""Thumbnails of whole pictures from many sources: what a network trained on one set of thumbnails hasn't learnt."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fauxto.lab.datasets import Split

OF_A_SOURCE = 25
"""At most so many pictures of a source and label, so that none outweighs the others."""


def thumbnails(pictures: Split, side: int) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.str_]]:
    """Shrink the middle square of some pictures of every source.

    Args:
        pictures: Pictures of any sizes.
        side: Of the thumbnails, in pixels.

    Returns:
        uint8 [N, side, side, 3], the labels int64 [N] and the sources str [N].
    """
    taken: Counter[tuple[str, int]] = Counter()
    rows = []
    for row, key in enumerate(zip(pictures.rows["source"].to_pylist(), pictures.labels.tolist(), strict=True)):
        taken[key] += 1
        if taken[key] <= OF_A_SOURCE:
            rows.append(row)
    shrunk = np.stack([_thumbnail(pictures.images[row], side) for row in rows])
    return shrunk, pictures.labels[rows], pictures.sources[rows]


def _thumbnail(rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    shorter = min(rgb.shape[:2])
    top, left = ((length - shorter) // 2 for length in rgb.shape[:2])
    square = Image.fromarray(rgb[top : top + shorter, left : left + shorter])
    return np.asarray(square.resize((side, side), Image.Resampling.LANCZOS))
