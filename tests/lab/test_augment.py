from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fauxto.lab.augment import augment
from fauxto.lab.recipe import Augmentation

NOTHING = Augmentation(flip=False)


@pytest.fixture
def pixels():
    """16 smooth, coloured pictures of 32 x 32, no two alike and none symmetric."""
    y, x = np.mgrid[:32, :32]
    waves = [
        [127 + 90 * np.sin(x / (3 + n) + channel) + 30 * np.cos(y / (4 + n)) for channel in range(3)] for n in range(16)
    ]
    return np.moveaxis(np.array(waves), 1, -1).clip(0, 255).astype(np.uint8)


LABELS = np.arange(16) % 2


def vary(pixels, how, seed=0, labels=LABELS):
    return augment(pixels, labels, how, np.random.default_rng(seed))


def test_with_everything_off_pixels_are_only_scaled(pixels):
    batch, shares = vary(pixels, NOTHING)
    assert batch.dtype == shares.dtype == np.float32
    np.testing.assert_array_equal(batch, pixels.astype(np.float32) / 255)
    np.testing.assert_array_equal(shares, np.eye(2)[LABELS])


@pytest.mark.parametrize(
    "what",
    [
        {"flip": True},
        {"shift": 3},
        {"rotation": 15.0},
        {"brightness": 0.3},
        {"contrast": 0.3},
        {"saturation": 0.5},
        {"brightness": 0.2, "contrast": 0.2, "saturation": 0.2},
        {"cutmix": 1.0},
        {"mixup": 1.0},
    ],
    ids=lambda what: " and ".join(what),
)
def test_each_variation_changes_pictures_in_the_same_way_for_both_labels(pixels, what):
    how = dataclasses.replace(NOTHING, **what)
    batch, shares = vary(pixels, how, seed=5)
    assert batch.shape == pixels.shape
    assert batch.min() >= 0
    assert batch.max() <= 1
    assert not np.array_equal(batch, vary(pixels, NOTHING)[0])
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(batch, vary(pixels, how, seed=5, labels=1 - LABELS)[0])
    assert not np.array_equal(batch, vary(pixels, how, seed=6)[0])


def test_flips_mirror_left_and_right_only(pixels):
    batch, _ = vary(pixels, dataclasses.replace(NOTHING, flip=True))
    plain = pixels.astype(np.float32) / 255
    mirrored = [np.array_equal(one, other[:, ::-1]) for one, other in zip(batch, plain, strict=True)]
    same = [np.array_equal(one, other) for one, other in zip(batch, plain, strict=True)]
    assert all(m != s for m, s in zip(mirrored, same, strict=True))
    assert 0 < sum(mirrored) < len(pixels)


def test_shifts_and_rotations_leave_no_black_border(pixels):
    bright = np.maximum(pixels, 100)
    batch, _ = vary(bright, dataclasses.replace(NOTHING, shift=4, rotation=45.0))
    assert batch.min() >= 99 / 255


def test_cutmix_mixes_labels_by_the_area_that_it_pastes():
    pixels = np.zeros((64, 32, 32, 3), np.uint8)
    labels = np.arange(64) % 2
    pixels[labels == 1] = 255
    for seed in range(20):
        batch, shares = vary(pixels, dataclasses.replace(NOTHING, cutmix=1.0), seed, labels)
        np.testing.assert_allclose(batch.mean(axis=(1, 2, 3)), shares[:, 1], atol=1e-6)


def test_mixup_blends_pictures_and_labels_alike():
    pixels = np.zeros((64, 32, 32, 3), np.uint8)
    labels = np.arange(64) % 2
    pixels[labels == 1] = 255
    blended = set()
    for seed in range(20):
        batch, shares = vary(pixels, dataclasses.replace(NOTHING, mixup=1.0), seed, labels)
        np.testing.assert_allclose(batch, np.broadcast_to(shares[:, 1, None, None, None], batch.shape), atol=1e-6)
        blended |= set(np.unique(shares.round(3)).tolist()) - {0.0, 1.0}
    assert blended


def test_mixing_happens_to_its_share_of_the_batches(pixels):
    for mixing in ("cutmix", "mixup"):
        how = dataclasses.replace(NOTHING, **{mixing: 0.25})
        mixed = [not np.array_equal(vary(pixels, how, seed)[0], vary(pixels, NOTHING)[0]) for seed in range(200)]
        assert 0.1 < np.mean(mixed) < 0.35
