"""The built-in models are read and opened while Python still imports the rest: a first verdict comes sooner."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress

_NEEDS_NONE = ("-h", "--help", "--model")


def give(arguments: Sequence[str]) -> None:
    """Begin to open the models in a thread of their own, if a command's arguments leave the choice to fauxto."""
    if not any(argument.startswith(_NEEDS_NONE) for argument in arguments):
        threading.Thread(target=_open_models, name="fauxto-open").start()


def _open_models() -> None:
    from fauxto.bundles import DEFAULTS
    from fauxto.bundles.model import load_model

    with suppress(Exception):  # the command meets the same, and tells it
        for model in [load_model(name) for name in DEFAULTS]:
            _ = model.network
