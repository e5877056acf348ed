"""What happens to a picture on its way: the fixed steps of the protocols, and the random chain of training."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from skimage import data as skimage_data
from skimage.color import rgb2gray

from fauxto import reencoding
from fauxto.lab.degradations import chain, functions
from fauxto.lab.degradations.chain import Degradation, degrade
from fauxto.lab.degradations.protocols import CLEAN, DAMAGED, DELIVERED
from fauxto.preprocessing import resize

PHOTOGRAPH = np.ascontiguousarray(skimage_data.astronaut()[::4, ::4])
BY_NAME = {name: list(kinds) for name, kinds in itertools.groupby(DAMAGED, key=lambda protocol: protocol.name)}
ENLARGING = BY_NAME["enlarged"]
KEEPING = [protocol for protocol in DAMAGED if protocol not in ENLARGING]
each_protocol = pytest.mark.parametrize(
    "protocol", KEEPING, ids=lambda protocol: f"{protocol.name} {protocol.severity}"
)
STEPS = tuple(field.name for field in dataclasses.fields(Degradation))
RNG = np.random.default_rng(0)


def apply(protocol, rgb, seed=1):
    return protocol.apply(rgb, np.random.default_rng(seed))


def distance(a, b):
    return np.mean(np.abs(a.astype(float) - b))


@each_protocol
@pytest.mark.parametrize("shape", [(1, 1), (7, 13), (32, 32), (128, 128)])
def test_a_degradation_is_a_pure_function_that_keeps_the_shape(protocol, shape):
    rgb = PHOTOGRAPH[: shape[0], : shape[1]].copy()
    before = rgb.copy()
    damaged = apply(protocol, rgb)
    assert damaged.shape == rgb.shape
    assert damaged.dtype == np.uint8
    np.testing.assert_array_equal(rgb, before)
    np.testing.assert_array_equal(damaged, apply(protocol, rgb))


@each_protocol
def test_a_degradation_damages_but_keeps_the_brightness(protocol):
    damaged = apply(protocol, PHOTOGRAPH)
    assert distance(damaged, PHOTOGRAPH) > 0.3
    assert damaged.mean() == pytest.approx(PHOTOGRAPH.mean(), abs=12)


@pytest.mark.parametrize("name", BY_NAME.keys() - {"enlarged"})
def test_severities_are_in_rising_order(name):
    distances = [distance(apply(protocol, PHOTOGRAPH), PHOTOGRAPH) for protocol in BY_NAME[name]]
    assert distances == sorted(distances)
    assert len(set(distances)) == len(distances)


def test_the_table_has_every_degradation():
    assert [protocol.severity for protocol in BY_NAME["JPEG"]] == ["q95", "q75", "q60", "q40", "q30"]
    assert [protocol.severity for protocol in BY_NAME["WebP"]] == ["q80", "q50"]
    assert set(BY_NAME) == {"JPEG", "WebP", "blur", "noise", "down and up", "enlarged", "greyscale", "crop"}


@pytest.mark.parametrize(("protocol", "side"), list(zip(ENLARGING, (48, 64), strict=True)))
def test_what_is_enlarged_has_the_stated_shorter_side_and_nothing_shrinks(protocol, side):
    assert protocol.severity == f"to {side} px"
    enlarged = apply(protocol, PHOTOGRAPH[:32, :40])
    assert (enlarged.shape, enlarged.dtype) == ((side, side * 40 // 32, 3), np.uint8)
    assert distance(resize(enlarged, 32, 40), PHOTOGRAPH[:32, :40]) < 6
    np.testing.assert_array_equal(apply(protocol, PHOTOGRAPH), PHOTOGRAPH)


def test_greyscale_is_the_luma_in_every_channel():
    (greyscale,) = BY_NAME["greyscale"]
    damaged = apply(greyscale, PHOTOGRAPH)
    assert (damaged == damaged[..., :1]).all()
    assert distance(damaged[..., 0], 255 * rgb2gray(PHOTOGRAPH)) < 8  # other weights (BT.709), nearly the same


@pytest.mark.parametrize(("place", "share"), [(0, 0.9), (1, 0.75)])
def test_crop_enlarges_a_window_of_the_stated_share(place, share):
    ramp = np.repeat(np.linspace(0, 255, 128).round().astype(np.uint8)[None, :, None], 128, axis=0)
    cropped = apply(BY_NAME["crop"][place], np.repeat(ramp, 3, axis=2))
    assert int(cropped[64, -1, 0]) - int(cropped[64, 0, 0]) == pytest.approx(255 * share, abs=3)


@pytest.mark.parametrize(("place", "sigma"), [(0, 4), (1, 8), (2, 16)])
def test_noise_has_the_stated_strength_and_no_bias(place, sigma):
    grey = np.full((64, 64, 3), 128, np.uint8)
    added = apply(BY_NAME["noise"][place], grey).astype(float) - 128
    assert added.std() == pytest.approx(sigma, rel=0.05)
    assert abs(added.mean()) < sigma / 20


def test_clean_web_and_hard_bound_the_longest_side_and_share_the_last_codec():
    large = RNG.integers(0, 256, (1000, 600, 3)).astype(np.uint8)
    assert [protocol.name for protocol in DELIVERED] == ["clean", "web", "hard"]
    np.testing.assert_array_equal(apply(CLEAN, PHOTOGRAPH), PHOTOGRAPH)
    for protocol, longest, quality in zip(DELIVERED[1:], (768, 512), (60, 40), strict=True):
        delivered = apply(protocol, large)
        assert max(delivered.shape) == longest
        np.testing.assert_array_equal(apply(protocol, PHOTOGRAPH), functions.jpeg(PHOTOGRAPH, quality))
        assert protocol.severity == f"at most {longest} px, JPEG q{quality}"


def test_a_jpeg_is_what_the_runtimes_check_of_stability_makes():
    np.testing.assert_array_equal(functions.jpeg(PHOTOGRAPH, 60), reencoding.reencode(PHOTOGRAPH))


def test_with_every_share_0_the_chain_leaves_a_picture_as_it_is():
    for seed in range(5):
        assert degrade(PHOTOGRAPH, Degradation(), np.random.default_rng(seed)) is PHOTOGRAPH


@pytest.mark.parametrize("step", STEPS)
def test_each_step_of_the_chain_happens_and_is_drawn_alike_for_the_same_seed(step):
    how = Degradation(**{step: 1.0}, **({"save": 1.0} if step == "save_again" else {}))
    first, again, other = (degrade(PHOTOGRAPH, how, np.random.default_rng(seed)) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert first.dtype == np.uint8
    assert first.shape != PHOTOGRAPH.shape or distance(first, PHOTOGRAPH) > 0.3
    if step != "greyscale":
        assert first.shape != other.shape or distance(first, other) > 0
    if step not in ("cut", "scale"):
        assert first.shape == PHOTOGRAPH.shape
    if step == "save_again":
        once = degrade(PHOTOGRAPH, Degradation(save=1.0), np.random.default_rng(7))
        assert distance(once, first) > 0


@pytest.mark.parametrize(
    ("step", "reached"),
    [
        ("damage", ("blur", "noise", "sharpen", "rescale")),
        ("save", ("jpeg", "webp")),
        ("greyscale", ("greyscale",)),
    ],
)
def test_every_kind_of_damage_is_reached(step, reached, monkeypatch):
    calls = set()
    for name in ("blur", "noise", "sharpen", "rescale", "jpeg", "webp", "greyscale"):
        monkeypatch.setattr(functions, name, lambda rgb, *_, name=name: calls.add(name) or rgb)
    for seed in range(40):
        degrade(PHOTOGRAPH, Degradation(**{step: 1.0}), np.random.default_rng(seed))
    assert calls == set(reached)


def test_a_step_happens_to_its_share_of_the_pictures():
    grey = [degrade(PHOTOGRAPH, Degradation(greyscale=0.3), np.random.default_rng(seed)) for seed in range(400)]
    assert np.mean([distance(rgb[..., 0], rgb[..., 2]) == 0 for rgb in grey]) == pytest.approx(0.3, abs=0.07)


def test_what_the_chain_makes_is_bounded():
    large = RNG.integers(0, 256, (400, 3200, 3)).astype(np.uint8)
    everything = Degradation(**dict.fromkeys(STEPS, 1.0))
    for seed in range(12):
        for how in (everything, Degradation(scale=1.0)):
            degraded = degrade(large, how, np.random.default_rng(seed))
            assert degraded.dtype == np.uint8
            assert min(degraded.shape[:2]) >= 32
            assert max(degraded.shape[:2]) <= chain.LARGEST


def test_cuts_keep_at_least_three_quarters_of_what_the_proportions_leave():
    for seed in range(30):
        height, width = degrade(PHOTOGRAPH, Degradation(cut=1.0), np.random.default_rng(seed)).shape[:2]
        assert 0.74 * 128 <= max(height, width) <= 128
        assert 0.58 <= width / height <= 1.72
