"""Networks, one file each: `paper_cnn.py` is the network "paper-cnn".

To plug in another, add a file here with one function, and a recipe of the same name under `fauxto/lab/recipes/`:

    def build(image_size: int, width: float) -> keras.Model

from float32 [N, image_size, image_size, 3] in [0, 1] to float32 logits [N, 2] (real, ai), all channel counts scaled by
`width`.

A backbone is a network that starts from pretrained weights. It is built from the layers of `fauxto.lab.layers`; its
blocks are called "block_1", "block_2", ..., the `TokenDropping` before them "token_dropping", its last two layers
"features" and "logits". Its file has one more function:

    def load_starting_weights(model: keras.Model, path: Path) -> None
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from fauxto.errors import ConfigError

if TYPE_CHECKING:
    import keras

    from fauxto.lab.recipe import Recipe


def names() -> list[str]:
    """Return the names of all networks, sorted."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def build(name: str, image_size: int, width: float = 1.0) -> keras.Model:
    """Build the network `name` with fresh weights from Keras's current random seed.

    Raises:
        ConfigError: There is no network of that name.
    """
    model: keras.Model = _module(name).build(image_size, width)
    return model


def of(recipe: Recipe) -> keras.Model:
    """Build a recipe's network, of a backbone with the share of patches that it trains on.

    Raises:
        ConfigError: There is no network of that name.
    """
    model = build(recipe.network, recipe.image_size, recipe.width)
    if is_backbone(recipe.network):
        model.get_layer("token_dropping").kept = recipe.kept_tokens
    return model


def is_backbone(name: str) -> bool:
    """Tell whether a network starts from pretrained weights."""
    return hasattr(_module(name), "load_starting_weights")


def load_starting_weights(name: str, model: keras.Model, path: Path) -> None:
    """Give a model that `build` has built the pretrained weights in a file.

    Raises:
        DatasetError: The file holds others.
    """
    _module(name).load_starting_weights(model, path)


def _module(name: str) -> ModuleType:
    if name not in names():
        raise ConfigError(f"there is no network {name!r}; there are: {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
