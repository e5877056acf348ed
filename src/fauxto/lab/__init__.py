"""The laboratory: data sets in, model bundles out. It needs the extra `lab`, the runtime never imports it."""

from __future__ import annotations

from importlib.util import find_spec

from fauxto.errors import MissingExtraError

if not all(map(find_spec, ("keras", "matplotlib", "pyarrow", "sklearn", "tensorflow"))):
    raise MissingExtraError("lab", "the laboratory (data, train, calibrate, evaluate, pack)")
