"""Importing Keras: it picks its backend when it is first imported, so nothing imports it before the recipe is known."""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType

from fauxto.errors import ConfigError, MissingExtraError


def import_keras(backend: str) -> ModuleType:
    """Import Keras on `backend`.

    Raises:
        ConfigError: Keras was imported on another backend earlier in this process.
        MissingExtraError: The backend isn't installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = backend
    try:
        keras = importlib.import_module("keras")
    except ModuleNotFoundError as error:
        if backend == "torch":
            raise ConfigError(
                "this recipe's backend is PyTorch, which isn't installed: pip install -r requirements/torch.txt"
            ) from error
        raise MissingExtraError("lab", f"Keras's backend {backend!r}") from error
    if keras.backend.backend() != backend:
        raise ConfigError(
            f"Keras runs on {keras.backend.backend()!r} in this process, and the recipe wants {backend!r}; "
            "use a process of its own for each backend"
        )
    return keras
