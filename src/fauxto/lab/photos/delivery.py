"""What happens to a full-size picture on its way to a reader: at random for training, in fixed steps for measuring.

Both classes go through the same chain with the same odds, so that sizes, proportions and formats tell less of a class
than the originals' own (Rajan et al. 2024, "Aligned Datasets Improve Detection of Latent Diffusion-Generated Images").
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from fauxto.lab import corruptions

Pixels = NDArray[np.uint8]

LARGEST = 2600
"""Longest side in pixels that the random chain gives out; larger pictures are cut, so that each costs the same."""

_FILTERS = (
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)


def _clean(rgb: Pixels) -> Pixels:
    return rgb


def _web(rgb: Pixels) -> Pixels:
    return corruptions.jpeg(_shrunk(rgb, 768), 60)


def _hard(rgb: Pixels) -> Pixels:
    return corruptions.jpeg(_shrunk(rgb, 512), 40)


PROTOCOLS: dict[str, Callable[[Pixels], Pixels]] = {"clean": _clean, "web": _web, "hard": _hard}
"""As it is; at most 768 px and JPEG q60; at most 512 px and JPEG q40."""


def deliver(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Cut, scale, damage and save a picture at random.

    Args:
        rgb: uint8 [H, W, 3].
        rng: Where every draw comes from.

    Returns:
        uint8 [h, w, 3], its short side mostly between 200 and 1,100 px.
    """
    picture = _scaled(_cut(Image.fromarray(rgb), rng), rng)
    if rng.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    rgb = _damaged(picture, rng)
    for _ in range(rng.choice(3, p=(0.15, 0.6, 0.25))):
        save = corruptions.jpeg if rng.random() < 0.8 else corruptions.webp
        rgb = save(rgb, int(rng.integers(35, 97)))
    return rgb


def _shrunk(rgb: Pixels, longest: int) -> Pixels:
    height, width = rgb.shape[:2]
    factor = longest / max(height, width)
    if factor >= 1:
        return rgb
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS))


def _cut(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Cut to random proportions: generators like squares."""
    width, height = picture.size
    proportion = math.exp(rng.uniform(math.log(0.6), math.log(1.7)))
    share = rng.uniform(0.75, 1.0)
    across = min(width, max(64, round(min(width, height * proportion) * share)))
    down = min(height, max(64, round(min(height, width / proportion) * share)))
    return _window(picture, across, down, rng)


def _window(picture: Image.Image, across: int, down: int, rng: np.random.Generator) -> Image.Image:
    left = int(rng.integers(0, picture.width - across + 1))
    top = int(rng.integers(0, picture.height - down + 1))
    return picture.crop((left, top, left + across, top + down))


def _scaled(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Bring four of five pictures to a random size, enlarging little; cut what stays larger than a reader sees."""
    short_side = math.exp(rng.uniform(math.log(200), math.log(1100)))
    factor = min(short_side / min(picture.size), 1.3)
    how = _FILTERS[rng.integers(len(_FILTERS))]
    if rng.random() < 0.8:
        width, height = (max(32, round(side * factor)) for side in picture.size)
        picture = picture.resize((width, height), how)
    across, down = (min(side, LARGEST) for side in picture.size)
    return _window(picture, across, down, rng)


def _damaged(picture: Image.Image, rng: np.random.Generator) -> Pixels:
    kind = rng.random()
    if kind < 0.08:
        rgb = corruptions.blur(np.asarray(picture), rng.uniform(0.3, 1.2))
    elif kind < 0.16:
        rgb = corruptions.noise(np.asarray(picture), rng.uniform(1, 8), rng)
    elif kind < 0.24:
        rgb = np.asarray(picture.filter(ImageFilter.UnsharpMask(1, int(rng.integers(30, 120)), 0)))
    else:
        rgb = np.asarray(picture)
    return corruptions.greyscale(rgb) if rng.random() < 0.05 else rgb
