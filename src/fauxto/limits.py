"""Limits on the memory and time that an untrusted file may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits per picture.

    Attributes:
        max_bytes: Largest encoded file, in bytes; checked before more than that is read.
        max_pixels: Most pixels (width x height) of a picture; checked on the header before any allocation.
        max_frames: Maximum number of frames that are counted; only the first is decoded.
        max_metadata_bytes: Largest decompressed size of one metadata block (ICC profile, text chunk).
        max_seconds: Longest time for one picture, where the caller can enforce it (the service's workers).
    """

    max_bytes: int = 100 * 1024 * 1024
    max_pixels: int = 50_000_000
    max_frames: int = 1_000
    max_metadata_bytes: int = 4 * 1024 * 1024
    max_seconds: float = 30.0
