"""What is kept, and when it isn't used: after any change of data, code or network."""

from __future__ import annotations

import types
from collections import Counter

import numpy as np
import pytest

from fauxto import preprocessing
from fauxto.lab import cache, views
from fauxto.lab.datasets import Dataset
from fauxto.lab.degradations.chain import Degradation, degrade
from fauxto.lab.evaluation import scores
from fauxto.lab.recipe import Recipe

HOW = Degradation(cut=0.5, scale=0.5, damage=0.5, save=1.0)
RECIPE = Recipe(network="", image_size=16, variants=1, views=("whole", "centre"), crops=1, degradation=HOW)


@pytest.fixture
def module(tmp_path):
    """A module whose code can be changed."""
    module = types.ModuleType("code")
    module.__file__ = str(tmp_path / "code.py")
    (tmp_path / "code.py").write_text("one = 1\n")
    return module


@pytest.fixture
def train(toy_data):
    return Dataset.open(toy_data).split("train")


def test_the_key_changes_with_data_code_and_network(module, tmp_path):
    first = cache.key(["sha256"], {"height": 8}, "network", module)
    assert first == cache.key(["sha256"], {"height": 8}, "network", module)
    keys = {
        first,
        cache.key(["another"], {"height": 8}, "network", module),
        cache.key(["sha256"], {"height": 9}, "network", module),
        cache.key(["sha256"], {"height": 8}, "another", module),
    }
    (tmp_path / "code.py").write_text("one = 2\n")
    assert len({*keys, cache.key(["sha256"], {"height": 8}, "network", module)}) == 5


def test_rows_are_computed_once_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_ROWS_A_PART", 10)
    asked = []

    def compute(few):
        asked.extend(few)
        return np.array([[row, row * row] for row in few], np.float32)

    for _ in range(2):
        kept = cache.rows(tmp_path, "squares-1", 25, compute)
        assert (kept.name, len(kept)) == ("squares-1", 25)
        assert [tuple(row) for row in kept] == [(row, row * row) for row in range(25)]
        np.testing.assert_array_equal(kept.whole()[:, 1], np.arange(25) ** 2)
    assert sorted(asked) == list(range(25))
    assert len(list((tmp_path / "squares-1").iterdir())) == 3
    with pytest.raises(IndexError):
        kept[25]


def test_a_part_that_was_cut_short_is_computed_again(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_ROWS_A_PART", 10)
    asked = Counter()

    def compute(few, cut_at=None):
        if cut_at in few:
            raise KeyboardInterrupt
        asked.update(few)
        return np.array(few, np.int64)

    with pytest.raises(KeyboardInterrupt):
        cache.rows(tmp_path, "rows", 25, lambda few: compute(few, cut_at=15))
    monkeypatch.setattr(np, "save", _half(np.save))
    with pytest.raises(OSError, match="disk is full"):
        cache.rows(tmp_path, "rows", 25, compute)
    assert [part.name for part in (tmp_path / "rows").iterdir()] == ["0000.npy"]
    monkeypatch.undo()
    monkeypatch.setattr(cache, "_ROWS_A_PART", 10)
    np.testing.assert_array_equal(cache.rows(tmp_path, "rows", 25, compute).whole(), np.arange(25))
    assert {asked[row] for row in range(10)} == {1}


def _half(save):
    def half(file, array, **options):
        save(file, array, **options)
        file.truncate(file.tell() - 8)
        raise OSError("the disk is full")

    return half


def test_views_are_those_of_the_runtime_to_the_bit(train, tmp_path):
    plain = views.plain(train, RECIPE, tmp_path)
    degraded = views.degraded(train, RECIPE, 1, tmp_path)
    assert plain.whole().shape == degraded.whole().shape == (40, 3, 16, 16, 3)
    for row, identity in enumerate(train.identities):
        np.testing.assert_array_equal(plain[row], preprocessing.views(train.images[row], RECIPE.input))
        draws = np.random.default_rng((RECIPE.seed, 1, int(identity[:8], 16)))
        picture = degrade(train.images[row], HOW, draws)
        np.testing.assert_array_equal(degraded[row], preprocessing.views(picture, RECIPE.input))


def test_each_variant_and_each_change_of_the_recipe_has_views_of_its_own(train, tmp_path):
    changes = ({}, {"seed": 2}, {"image_size": 24}, {"crops": 0}, {"degradation": Degradation(save=1.0)})
    recipes = [
        Recipe(**{"network": "", "image_size": 16, "crops": 1, "variants": 2, "degradation": HOW} | change)
        for change in changes
    ]
    kept = [views.degraded(train, recipe, variant, tmp_path) for recipe in recipes for variant in (0, 1)]
    assert len({rows.name for rows in kept}) == 10
    assert not np.array_equal(kept[0].whole(), kept[1].whole())
    # What doesn't change a picture doesn't cost its views either.
    assert views.degraded(
        train, Recipe(network="other", image_size=16, crops=1, variants=2, degradation=HOW), 0, tmp_path
    ).name == (kept[0].name)


@pytest.mark.parametrize("code", ["preprocessing", "reencoding", "chain", "functions"])
def test_views_made_by_other_code_are_not_used(train, tmp_path, module, monkeypatch, code):
    before = views.degraded(train, RECIPE, 0, tmp_path).name
    real = getattr(views, code)
    vars(module).update({name: value for name, value in vars(real).items() if not name.startswith("__")})
    monkeypatch.setattr(views, code, module)
    assert views.degraded(train, RECIPE, 0, tmp_path).name != before


def test_other_pictures_have_other_views(toy_data, tmp_path):
    dataset = Dataset.open(toy_data)
    first = views.plain(dataset.split("train"), RECIPE, tmp_path).name
    dataset.manifest = dataset.manifest.slice(1)
    assert views.plain(dataset.split("train"), RECIPE, tmp_path).name != first


def test_scores_are_kept_until_the_network_the_data_or_the_code_change(
    toy_run, toy_data, give_network, module, monkeypatch
):
    pictures = Dataset.open(toy_data).split("train")
    asked = []
    network = scores.Network

    class Counted(network):
        def judge(self, views):
            asked.append(len(views))
            return super().judge(views)

    monkeypatch.setattr(scores, "Network", Counted)

    def is_asked(**options):
        asked.clear()
        (first,) = scores.score(toy_run.bundle(), pictures, (scores.protocols.CLEAN,), toy_run.cache, **options)
        times = len(asked)
        (again,) = scores.score(toy_run.bundle(), pictures, (scores.protocols.CLEAN,), toy_run.cache, **options)
        np.testing.assert_array_equal(first.score, again.score)
        assert len(asked) == times
        return bool(times)

    assert is_asked()
    assert not is_asked()
    assert is_asked(seed=2)
    assert is_asked(rows=np.arange(7))
    give_network(toy_run, gain=2.0)
    assert is_asked()
    vars(module).update({name: value for name, value in vars(scores.domain).items() if not name.startswith("__")})
    monkeypatch.setattr(scores, "domain", module)
    assert is_asked()
