from __future__ import annotations

import dataclasses

import pytest
from fauxto.lab.config import RECIPES, Augmentation, Recipe, recipe_for

from fauxto.errors import ConfigError
from fauxto.lab import networks


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_recipe_loads_and_names_a_network_that_exists(path):
    assert Recipe.load(path).network in networks.names()
    assert recipe_for(path.stem) == path


def test_a_recipe_survives_being_written_and_read(tmp_path):
    recipe = Recipe(
        network='a "quoted" name',
        backend="torch",
        learning_rate=3e-05,
        flip_averaging=True,
        augmentation=Augmentation(flip=False, rotation=12.5),
    )
    (tmp_path / "config.toml").write_text(recipe.to_toml())
    assert Recipe.load(tmp_path / "config.toml") == recipe


def test_options_win_over_the_file_and_none_means_not_given(tmp_path):
    (tmp_path / "r.toml").write_text('network = "paper-cnn"\nepochs = 7\nseed = 3\n')
    recipe = Recipe.load(tmp_path / "r.toml", epochs=2, seed=None)
    assert (recipe.epochs, recipe.seed) == (2, 3)
    assert recipe == dataclasses.replace(Recipe(network="paper-cnn"), epochs=2, seed=3)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("epochs = ", "isn't valid TOML"),
        ("epoch = 3", "epoch is unknown"),
        ('epochs = "3"', "epochs must be a whole number"),
        ("epochs = 2.5", "epochs must be a whole number"),
        ("flip_averaging = 1", "flip_averaging must be true or false"),
        ('backend = "jax"', "backend must be 'tensorflow' or 'torch'"),
        ("learning_rate = -0.1", "learning_rate must not be negative"),
        ("train_share = 1.5", "train_share is a share"),
        ("batch_size = 0", "batch_size must be 1 or more"),
        ("epochs = 0", "epochs must be 1 or more"),
        ("image_size = 4", "image_size must be 8 or more"),
        ("width = 0", "width must be greater than 0"),
        ("train_share = 0", "train_share must be greater than 0"),
        ("warmup = 1", "warmup must be less than 1"),
        ("learning_rate = nan", "learning_rate must be a finite number"),
        ("augmentation = 3", "augmentation must be an object"),
        ("[augmentation]\nflips = true", "augmentation.flips is unknown"),
        ("[augmentation]\ncutmix = 2", "cutmix is a share"),
    ],
)
def test_what_is_wrong_with_a_recipe_is_named(tmp_path, text, says):
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=says) as caught:
        Recipe.load(path)
    assert str(path) in str(caught.value)


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml can't be read"):
        Recipe.load(tmp_path / "nowhere.toml")
    with pytest.raises(ConfigError, match="no recipe ships for the network 'nothing'"):
        recipe_for("nothing")


def test_an_unknown_network_is_named():
    with pytest.raises(ConfigError, match=r"there is no network 'nothing'; there are: .*paper-cnn"):
        networks.build("nothing", 32)
