"""Model bundles: the one thing in which the laboratory and the runtime meet.

The laboratory writes a folder of three files and the runtime reads it with `load`; docs/reference/bundle.md
is the contract.
"""

from __future__ import annotations

from fauxto.bundles.bundle import OPERATING_POINTS, Bundle, OperatingPoint
from fauxto.bundles.registry import DEFAULTS, load, names

__all__ = ["DEFAULTS", "OPERATING_POINTS", "Bundle", "OperatingPoint", "load", "names"]
