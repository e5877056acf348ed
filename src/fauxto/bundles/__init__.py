"""Model bundles: the only interface between the laboratory and the runtime.

The laboratory writes a folder of files and the runtime reads it with `load`; docs/reference/bundle.md
is the contract.
"""

from __future__ import annotations

from fauxto.bundles.bundle import OPERATING_POINTS, Bundle, OperatingPoint
from fauxto.bundles.registry import DEFAULTS, load, names

__all__ = ["DEFAULTS", "OPERATING_POINTS", "Bundle", "OperatingPoint", "load", "names"]
