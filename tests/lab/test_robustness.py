"""Corruptions as the robustness table applies them, and the table itself."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from fauxto.lab.evaluation.robustness import CORRUPTIONS, UNTOUCHED, Corrupted, measure_robustness
from skimage import data as skimage_data
from skimage.color import rgb2gray

from fauxto.errors import DatasetError
from fauxto.lab.datasets import Dataset
from fauxto.lab.evaluation import robustness
from fauxto.preprocessing import resize

PHOTOGRAPH = np.ascontiguousarray(skimage_data.astronaut()[::4, ::4])
BY_NAME = {name: list(kinds) for name, kinds in itertools.groupby(CORRUPTIONS, key=lambda corruption: corruption.name)}
ENLARGING = BY_NAME["enlarged"]
KEEPING = [corruption for corruption in CORRUPTIONS if corruption not in ENLARGING]
each_corruption = pytest.mark.parametrize(
    "corruption", KEEPING, ids=lambda corruption: f"{corruption.name} {corruption.severity}"
)


def apply(corruption, rgb, seed=1):
    return corruption.apply(rgb, np.random.default_rng(seed))


def distance(a, b):
    return np.mean(np.abs(a.astype(float) - b))


@each_corruption
@pytest.mark.parametrize("shape", [(1, 1), (7, 13), (32, 32), (128, 128)])
def test_a_corruption_is_a_pure_function_that_keeps_the_shape(corruption, shape):
    rgb = PHOTOGRAPH[: shape[0], : shape[1]].copy()
    before = rgb.copy()
    damaged = apply(corruption, rgb)
    assert damaged.shape == rgb.shape
    assert damaged.dtype == np.uint8
    np.testing.assert_array_equal(rgb, before)
    np.testing.assert_array_equal(damaged, apply(corruption, rgb))


@each_corruption
def test_a_corruption_damages_but_keeps_the_brightness(corruption):
    damaged = apply(corruption, PHOTOGRAPH)
    assert distance(damaged, PHOTOGRAPH) > 0.3
    assert damaged.mean() == pytest.approx(PHOTOGRAPH.mean(), abs=12)


@pytest.mark.parametrize("name", BY_NAME.keys() - {"enlarged"})
def test_severities_are_in_rising_order(name):
    distances = [distance(apply(corruption, PHOTOGRAPH), PHOTOGRAPH) for corruption in BY_NAME[name]]
    assert distances == sorted(distances)
    assert len(set(distances)) == len(distances)


def test_the_issues_corruptions_are_all_there():
    assert [one.severity for one in BY_NAME["JPEG"]] == ["q95", "q75", "q60", "q40", "q30"]
    assert [one.severity for one in BY_NAME["WebP"]] == ["q80", "q50"]
    assert set(BY_NAME) == {"JPEG", "WebP", "blur", "noise", "down and up", "enlarged", "greyscale", "crop"}


@pytest.mark.parametrize(("corruption", "side"), list(zip(ENLARGING, (48, 64), strict=True)))
def test_what_is_enlarged_has_the_stated_shorter_side_and_nothing_shrinks(corruption, side):
    assert corruption.severity == f"to {side} px"
    enlarged = apply(corruption, PHOTOGRAPH[:32, :40])
    assert (enlarged.shape, enlarged.dtype) == ((side, side * 40 // 32, 3), np.uint8)
    assert distance(resize(enlarged, 32, 40), PHOTOGRAPH[:32, :40]) < 6
    np.testing.assert_array_equal(apply(corruption, PHOTOGRAPH), PHOTOGRAPH)


def test_the_network_is_fed_what_was_enlarged_at_its_own_size():
    from fauxto.lab.batches import resized

    enlarged = Corrupted([PHOTOGRAPH[:32, :32]] * 3, np.arange(3), ENLARGING[-1], seed=1)
    fed = resized(enlarged, range(3), 32)
    assert fed.shape == (3, 32, 32, 3)
    np.testing.assert_array_equal(fed[2], resize(enlarged[2], 32, 32))


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


def test_untouched_is_untouched():
    np.testing.assert_array_equal(apply(UNTOUCHED, PHOTOGRAPH), PHOTOGRAPH)


@pytest.mark.parametrize("name", ["noise", "crop"])
def test_chance_differs_by_picture_and_seed_but_not_by_the_choice_of_others(name):
    corruption = BY_NAME[name][-1]
    pictures = [PHOTOGRAPH] * 10
    few = Corrupted(pictures, np.array([3, 8]), corruption, seed=5)
    all_of_them = Corrupted(pictures, np.arange(10), corruption, seed=5)
    reseeded = Corrupted(pictures, np.array([3, 8]), corruption, seed=6)
    np.testing.assert_array_equal(few[0], all_of_them[3])
    np.testing.assert_array_equal(few[1], all_of_them[8])
    assert distance(few[0], few[1]) > 0
    assert distance(few[0], reseeded[0]) > 0


def test_the_table(toy_run, toy_data):
    dataset = Dataset.open(toy_data)
    table = measure_robustness(toy_run, dataset, "test", sample=400, seed=2)
    rows = {(row["corruption"], row["severity"]): row for row in table["rows"]}
    assert list(rows) == [("none", "–"), *((one.name, one.severity) for one in CORRUPTIONS)]
    assert (table["count"], table["seed"], table["subject"]["split"]) == (400, 2, "test")
    # The toy network goes by colour alone: noise leaves it what it was, grey takes everything.
    untouched = rows["none", "–"]
    assert 0.7 < untouched["accuracy"] < 0.9
    assert rows["noise", "σ 4 of 255"]["auroc"] == pytest.approx(untouched["auroc"], abs=0.03)
    assert rows["greyscale", "whole"]["auroc"] == 0.5
    assert table == measure_robustness(toy_run, dataset, "test", sample=400, seed=2)
    assert table["rows"] != measure_robustness(toy_run, dataset, "test", sample=400, seed=3)["rows"]


def test_leaked_pictures_are_left_out(toy_run, toy_data, monkeypatch):
    pictures = Dataset.open(toy_data).split("test")
    seen = []

    def predict(run, images):
        seen.append({images[i].tobytes() for i in range(len(images))})
        return np.zeros(len(images))

    monkeypatch.setattr(robustness, "predict", predict)
    assert measure_robustness(toy_run, Dataset.open(toy_data), "test", sample=10_000)["count"] == 750
    assert seen[0] == {rgb.tobytes() for rgb in pictures.images[~pictures.leaked]}
    assert np.sum(pictures.leaked) == 50


def test_a_split_that_leaked_whole_is_refused(toy_run, toy_data, monkeypatch):
    dataset = Dataset.open(toy_data)
    pictures = dataset.split("test")
    pictures.leaked[:] = True
    monkeypatch.setattr(dataset, "split", lambda name: pictures)
    with pytest.raises(DatasetError, match="also stands in an earlier split"):
        measure_robustness(toy_run, dataset, "test")
