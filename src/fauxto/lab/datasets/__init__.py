"""Data sets: importing them, splitting them, auditing and exploring them, reading them for training."""

from __future__ import annotations

from fauxto.lab.datasets.manifest import Dataset, Split
from fauxto.lab.datasets.pictures import FileRows, PixelRows

__all__ = ["Dataset", "FileRows", "PixelRows", "Split"]
