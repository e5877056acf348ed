"""A network's inputs, varied at random: uint8 batches in, float32 batches in [0, 1] and label shares out.

Every picture of both classes goes through the same chain with the same odds, so that no variation can become a sign of
its class. The draws of a batch depend on the seed, the epoch and the batch's number alone: a resumed run sees what an
unbroken one would have seen.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fauxto.lab.degradations import functions
from fauxto.lab.recipe import Augmentation

Batch = NDArray[np.float32]


def augment(
    pixels: NDArray[np.uint8], labels: NDArray[np.int64], how: Augmentation, rng: np.random.Generator
) -> tuple[Batch, Batch]:
    """Vary one batch.

    Args:
        pixels: uint8 [N, H, W, 3].
        labels: int64 [N], 0 (real) or 1 (ai).
        how: What to vary, and how much.
        rng: Where every draw comes from.

    Returns:
        float32 [N, H, W, 3] in [0, 1] and float32 [N, 2], the share of each class in each picture.
    """
    pixels = _moved(pixels, how, rng)
    batch = _recoloured(pixels.astype(np.float32) / np.float32(255), how, rng)
    shares = np.eye(2, dtype=np.float32)[labels]
    if rng.random() < how.cutmix:
        batch, shares = _cutmix(batch, shares, rng)
    if rng.random() < how.mixup:
        batch, shares = _mixup(batch, shares, rng)
    return batch, shares


def _moved(pixels: NDArray[np.uint8], how: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    count, height, width = len(pixels), *pixels.shape[1:3]
    if how.flip:
        mirrored = rng.random(count) < 0.5
        pixels = np.where(mirrored[:, None, None, None], pixels[:, :, ::-1], pixels)
    if how.shift:
        by = how.shift
        padded = np.pad(pixels, ((0, 0), (by, by), (by, by), (0, 0)), mode="reflect")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(1, 2))
        down, right = rng.integers(0, 2 * by + 1, (2, count))
        pixels = np.moveaxis(windows[np.arange(count), down, right], 1, -1)
    if how.rotation:
        angles = rng.uniform(-how.rotation, how.rotation, count)
        pixels = np.stack([_rotated(rgb, angle) for rgb, angle in zip(pixels, angles, strict=True)])
    return pixels


def _rotated(rgb: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    # A turned square needs its half diagonal: .21 of the side more in each direction, reflected.
    margin = math.ceil(0.21 * max(height, width))
    padded = Image.fromarray(np.pad(rgb, ((margin, margin), (margin, margin), (0, 0)), mode="reflect"))
    turned = padded.rotate(degrees, Image.Resampling.BILINEAR)
    return np.asarray(turned)[margin : margin + height, margin : margin + width]


def _recoloured(batch: Batch, how: Augmentation, rng: np.random.Generator) -> Batch:
    def factors(largest: float) -> Batch:
        return rng.uniform(1 - largest, 1 + largest, (len(batch), 1, 1, 1)).astype(np.float32)

    if how.brightness:
        batch = batch * factors(how.brightness)
    if how.contrast:
        mean = np.asarray(batch.mean(axis=(1, 2, 3), keepdims=True), np.float32)
        batch = mean + (batch - mean) * factors(how.contrast)
    if how.saturation:
        luma = np.asarray((batch @ functions.LUMA)[..., None], np.float32)
        batch = luma + (batch - luma) * factors(how.saturation)
    return np.clip(batch, 0, 1)


def _cutmix(batch: Batch, shares: Batch, rng: np.random.Generator) -> tuple[Batch, Batch]:
    count, height, width, _ = batch.shape
    side = math.sqrt(rng.random())  # Beta(1, 1) on the pasted area, as published
    centre_y, centre_x = rng.integers(height), rng.integers(width)
    half_y, half_x = round(height * side / 2), round(width * side / 2)
    rows = slice(max(0, centre_y - half_y), min(height, centre_y + half_y))
    columns = slice(max(0, centre_x - half_x), min(width, centre_x + half_x))
    other = rng.permutation(count)
    mixed = batch.copy()
    mixed[:, rows, columns] = batch[other][:, rows, columns]
    pasted = (rows.stop - rows.start) * (columns.stop - columns.start) / (height * width)
    return mixed, (1 - pasted) * shares + pasted * shares[other]


def _mixup(batch: Batch, shares: Batch, rng: np.random.Generator) -> tuple[Batch, Batch]:
    own = np.float32(rng.beta(0.2, 0.2))
    other = rng.permutation(len(batch))
    return own * batch + (1 - own) * batch[other], own * shares + (1 - own) * shares[other]
