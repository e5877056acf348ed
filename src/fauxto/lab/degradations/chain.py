"""The random chain of degradations that training pictures go through.

Both classes go through the same chain with the same odds, so that sizes, proportions, formats and damage tell less of a
class than the originals' own (Rajan et al. 2024, "Aligned Datasets Improve Detection of Latent Diffusion-Generated
Images").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fauxto.lab.degradations import functions

Pixels = NDArray[np.uint8]

LARGEST = 2600
"""Longest side in pixels of what leaves the chain's scaling; more is cut, so that each picture costs the same."""

_FILTERS = (
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)


@dataclass(frozen=True, slots=True)
class Degradation:
    """How often each step of the chain happens, as shares of the pictures; 0 switches a step off.

    Attributes:
        cut: Cut to random proportions (generators like squares) and to 75 to 100 % of what they leave.
        scale: Scaled to a short side of 200 to 1,100 px, enlarged by 30 % at most.
        damage: Blurred, made noisy, sharpened, or scaled down and up again.
        greyscale: Turned grey.
        save: Saved as JPEG or WebP at a quality of 30 to 95.
        save_again: Of those, saved a second time.
    """

    cut: float = 0.0
    scale: float = 0.0
    damage: float = 0.0
    greyscale: float = 0.0
    save: float = 0.0
    save_again: float = 0.0


def degrade(rgb: Pixels, how: Degradation, rng: np.random.Generator) -> Pixels:
    """Take a picture, uint8 [H, W, 3], through the chain; what it leaves to chance comes from `rng`.

    Returns:
        uint8 [h, w, 3]: of the same size unless `how` cuts or scales.
    """
    if rng.random() < how.cut:
        rgb = _cut(rgb, rng)
    if rng.random() < how.scale:
        rgb = _scale(rgb, rng)
    if rng.random() < how.damage:
        rgb = _damage(rgb, rng)
    if rng.random() < how.greyscale:
        rgb = functions.greyscale(rgb)
    if rng.random() < how.save:
        rgb = _save(rgb, rng)
        if rng.random() < how.save_again:
            rgb = _save(rgb, rng)
    return rgb


def _cut(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = rgb.shape[:2]
    proportion = math.exp(rng.uniform(math.log(0.6), math.log(1.7)))
    share = rng.uniform(0.75, 1.0)
    across = min(width, max(64, round(min(width, height * proportion) * share)))
    down = min(height, max(64, round(min(height, width / proportion) * share)))
    return _window(rgb, down, across, rng)


def _window(rgb: Pixels, down: int, across: int, rng: np.random.Generator) -> Pixels:
    top = int(rng.integers(0, rgb.shape[0] - down + 1))
    left = int(rng.integers(0, rgb.shape[1] - across + 1))
    return rgb[top : top + down, left : left + across]


def _scale(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    short_side = math.exp(rng.uniform(math.log(200), math.log(1100)))
    factor = min(short_side / min(rgb.shape[:2]), 1.3)
    height, width = (max(32, round(side * factor)) for side in rgb.shape[:2])
    resample = _FILTERS[rng.integers(len(_FILTERS))]
    # Where it shrinks a lot, whole pixels are averaged first: several times faster, and the filters' marks stay.
    scaled = np.asarray(Image.fromarray(rgb).resize((width, height), resample, reducing_gap=3.0))
    return _window(scaled, min(height, LARGEST), min(width, LARGEST), rng)


def _damage(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    kind = rng.integers(4)
    if kind == 0:
        return functions.blur(rgb, rng.uniform(0.2, 1.2))
    if kind == 1:
        return functions.noise(rgb, rng.uniform(1, 10), rng)
    if kind == 2:
        return functions.sharpen(rgb, int(rng.integers(30, 120)))
    return functions.rescale(rgb, rng.uniform(0.5, 1.0))


def _save(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    save = functions.jpeg if rng.random() < 0.8 else functions.webp
    return save(rgb, int(rng.integers(30, 96)))
