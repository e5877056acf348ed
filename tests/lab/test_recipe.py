from __future__ import annotations

import dataclasses

import pytest

from fauxto.errors import ConfigError
from fauxto.lab import networks
from fauxto.lab.degradations.chain import Degradation
from fauxto.lab.recipe import RECIPES, Augmentation, Recipe, recipe_for
from fauxto.preprocessing import Input


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_recipe_loads_and_names_a_network_that_exists(path):
    assert Recipe.load(path).network in networks.names()
    assert recipe_for(path.stem) == path


def test_a_recipe_survives_being_written_and_read(tmp_path):
    recipe = Recipe(
        network='a "quoted" name',
        views=("whole", "centre"),
        crops=3,
        variants=1,
        backend="torch",
        trainable=2,
        head="logistic",
        head_strength=3e-05,
        flip_averaging=False,
        stability=True,
        degradation=Degradation(cut=1.0, save_again=0.25),
        augmentation=Augmentation(flip=False, rotation=12.5),
    )
    (tmp_path / "recipe.toml").write_text(recipe.to_toml())
    assert Recipe.load(tmp_path / "recipe.toml") == recipe


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_recipe_survives_being_written_and_read(path, tmp_path):
    (tmp_path / "recipe.toml").write_text(Recipe.load(path).to_toml())
    assert Recipe.load(tmp_path / "recipe.toml") == Recipe.load(path)


def test_options_win_over_the_file_and_none_means_not_given(tmp_path):
    (tmp_path / "r.toml").write_text('network = "paper-cnn"\nepochs = 7\nseed = 3\n')
    recipe = Recipe.load(tmp_path / "r.toml", epochs=2, seed=None)
    assert (recipe.epochs, recipe.seed) == (2, 3)
    assert recipe == dataclasses.replace(Recipe(network="paper-cnn"), epochs=2, seed=3)


def test_a_part_of_a_table_leaves_the_rest_as_it_is_without_it(tmp_path):
    (tmp_path / "r.toml").write_text("[degradation]\nsave = 0.5\n[augmentation]\nshift = 2\n")
    recipe = Recipe.load(tmp_path / "r.toml")
    assert recipe.degradation == Degradation(save=0.5)
    assert recipe.augmentation == Augmentation(shift=2)


def test_a_recipe_says_what_the_network_is_fed():
    recipe = Recipe(network="", image_size=48, views=("centre",), crops=2, variants=1)
    assert recipe.input == Input(("centre",), 2, 48, 48, 1 / 255, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("epochs = ", "isn't valid TOML"),
        ("epoch = 3", "epoch is unknown"),
        ('epochs = "3"', "epochs must be a whole number"),
        ("epochs = 2.5", "epochs must be a whole number"),
        ("flip_averaging = 1", "flip_averaging must be true or false"),
        ('backend = "jax"', "backend must be 'tensorflow' or 'torch'"),
        ('head = "linear"', "head must be 'trained' or 'logistic'"),
        ('views = "whole"', "views must be a list"),
        ('views = ["half"]', "must be 'whole' or 'centre'"),
        ('views = ["whole", "whole"]', "views must not name a view twice"),
        ("views = []", "views must have an entry where there are no crops"),
        ("crops = 17", "crops must be 0 to 16"),
        ("trainable = -2", "trainable must be -1 or more"),
        ("variants = -1", "variants must not be negative"),
        ("head_strength = 0", "head_strength must be greater than 0"),
        ("kept_tokens = 0", "kept_tokens must be greater than 0"),
        ("interpolation = 1.5", "interpolation is a share"),
        ("interpolation = 0.5", "interpolation needs a logistic head"),
        ('head = "logistic"\nflip_averaging = true', "flip_averaging isn't possible with a logistic head"),
        ("averaging = 1", "averaging must be less than 1"),
        ("held_out = 1", "held_out must be less than 1"),
        ("learning_rate = -0.1", "learning_rate must not be negative"),
        ("train_share = 1.5", "train_share is a share"),
        ("batch_size = 0", "batch_size must be 1 or more"),
        ("epochs = 0", "epochs may be 0 only where the head is logistic"),
        ("epochs = -1", "epochs must not be negative"),
        ("image_size = 4", "image_size must be 8 or more"),
        ("width = 0", "width must be greater than 0"),
        ("train_share = 0", "train_share must be greater than 0"),
        ("warmup = 1", "warmup must be less than 1"),
        ("learning_rate = nan", "learning_rate must be a finite number"),
        ("augmentation = 3", "augmentation must be an object"),
        ("degradation = 3", "degradation must be an object"),
        ("[augmentation]\nflips = true", "augmentation.flips is unknown"),
        ("[augmentation]\ncutmix = 2", "cutmix is a share"),
        ("[degradation]\nblur = 1", "degradation.blur is unknown"),
        ("[degradation]\nsave = 2", "degradation.save is a share"),
        ("[degradation]\nsave = -1", "degradation.save must not be negative"),
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
