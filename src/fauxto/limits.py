"""Every limit that stands between a stranger's file and this machine's memory and time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one picture may cost.

    Attributes:
        max_bytes: Largest encoded file, in bytes; checked before more than that is read.
        max_pixels: Most pixels (width x height) of a picture; checked on the header before any allocation.
        max_frames: Frames of an animation that are counted; only the first is ever decoded.
        max_metadata_bytes: Largest decompressed size of one metadata block (ICC profile, text chunk).
        max_seconds: Longest time for one picture, where the caller can enforce it (the service's workers).
    """

    max_bytes: int = 100 * 1024 * 1024
    max_pixels: int = 50_000_000
    max_frames: int = 1_000
    max_metadata_bytes: int = 4 * 1024 * 1024
    max_seconds: float = 30.0
