"""fauxto tells a photograph from a picture that a generative model made, and says how sure it is.

    >>> import fauxto
    >>> report = fauxto.check("holiday.jpg")
    >>> print(report.verdict, report.probability)

This is the whole public interface. NumPy, Pillow and ONNX Runtime are imported on first use of `check` or `Detector`,
so that `import fauxto` and `fauxto --help` stay fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from fauxto.errors import (
    BundleError,
    BundleFormatError,
    BundleNotFoundError,
    ConfigError,
    DatasetError,
    FauxtoError,
    ImageError,
    MissingExtraError,
    ModelIntegrityError,
    ServiceError,
)
from fauxto.limits import Limits
from fauxto.options import DetectorOptions
from fauxto.report import (
    Basis,
    Crop,
    Evidence,
    ImageSummary,
    Lean,
    ModelSummary,
    Reason,
    Report,
    Says,
    Stability,
    Status,
    Trust,
    Verdict,
)

__all__ = [
    "Basis",
    "Bundle",
    "BundleError",
    "BundleFormatError",
    "BundleNotFoundError",
    "Client",
    "ConfigError",
    "Crop",
    "DatasetError",
    "Detector",
    "DetectorOptions",
    "Evidence",
    "FauxtoError",
    "FileMetadata",
    "ImageError",
    "ImageSummary",
    "Lean",
    "Limits",
    "MissingExtraError",
    "ModelIntegrityError",
    "ModelSummary",
    "Reason",
    "Report",
    "Says",
    "ServiceError",
    "Stability",
    "Status",
    "Trust",
    "Verdict",
    "__version__",
    "check",
    "read_metadata",
]

if TYPE_CHECKING:
    from fauxto.bundles import Bundle
    from fauxto.client import Client
    from fauxto.detector import Detector, check
    from fauxto.evidence.listing import FileMetadata, read_metadata

    __version__: str
else:
    _LAZY = {
        "Bundle": "bundles",
        "Client": "client",
        "Detector": "detector",
        "FileMetadata": "evidence.listing",
        "check": "detector",
        "read_metadata": "evidence.listing",
    }

    def __getattr__(name: str) -> object:
        """Import slow modules on first use."""
        if name in _LAZY:
            return getattr(importlib.import_module(f"fauxto.{_LAZY[name]}"), name)
        if name == "__version__":
            from importlib.metadata import version

            return version("fauxto")
        raise AttributeError(f"module 'fauxto' has no attribute {name!r}")

    def __dir__() -> list[str]:
        """List the public names only."""
        return __all__
