"""Importing Keras: it picks its backend when it is first imported, so nothing imports it before the recipe is known."""

from __future__ import annotations

import importlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from fauxto.errors import ConfigError, MissingExtraError

_NOTE = re.compile(rb"I0000 |WARNING: All log messages before absl::|To enable the following instructions: ")
_ERRORS = 2  # file descriptor of standard error


@contextmanager
def without_notes() -> Iterator[None]:
    """Drop TensorFlow's notes on this processor from standard error; all else is passed on at the end.

    Version 2.21 writes them from C++ before any log level holds, so only the file descriptor stops them.
    """
    try:
        sys.stderr.flush()
        errors = os.dup(_ERRORS)
    except (AttributeError, OSError, ValueError):  # there is no standard error
        yield
        return
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), _ERRORS)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(errors, _ERRORS)
            os.close(errors)
            kept.seek(0)
            for line in kept:
                if not _NOTE.match(line):
                    os.write(_ERRORS, line)


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
        with without_notes():
            keras = importlib.import_module("keras")
            if backend == "tensorflow":
                keras.ops.convert_to_tensor(0.0)  # when it looks for processors, and says what it found
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
