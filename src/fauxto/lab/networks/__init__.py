"""Networks, one file each: `paper_cnn.py` is the network "paper-cnn".

To plug in another, add a file here with one function:

    def build(image_size: int, width: float) -> keras.Model

from float32 [N, image_size, image_size, 3] in [0, 1] to float32 logits [N, 2] (real, ai), all channel
counts scaled by `width`; and a recipe of the same name under `fauxto/lab/recipes/`.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from fauxto.errors import ConfigError

if TYPE_CHECKING:
    import keras


def names() -> list[str]:
    """Return the names of all networks, sorted."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def build(name: str, image_size: int, width: float = 1.0) -> keras.Model:
    """Build the network `name` with fresh weights from Keras's current random seed.

    Raises:
        ConfigError: There is no network of that name.
    """
    if name not in names():
        raise ConfigError(f"there is no network {name!r}; there are: {', '.join(names())}")
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    return module.build(image_size, width)
