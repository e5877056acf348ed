"""Data sets: importing them, splitting them, auditing and exploring them, reading them for training."""

from __future__ import annotations

from fauxto.lab.datasets.manifest import Dataset, PixelRows, Split

__all__ = ["Dataset", "PixelRows", "Split"]
