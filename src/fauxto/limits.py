"""Limits on the memory and time that an untrusted file may take."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

CLOCK_FACTOR = 10
"""How many times longer than its processor time a picture may take by the clock: machines are busy, disks slow."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits per picture.

    Attributes:
        max_bytes: Largest encoded file, in bytes; checked before more than that is read.
        max_pixels: Most pixels (width x height) of a picture; checked on the header before any allocation.
        max_full_pixels: The same for a format that is always decoded in full, which is any but JPEG.
        max_frames: Maximum number of frames that are counted; only the first is decoded.
        max_metadata_bytes: Largest decompressed size of one metadata block (ICC profile, text chunk).
        max_seconds: Most processor time for one picture, enforced where another process judges it (scans, the
            service); by the clock, it may take `CLOCK_FACTOR` times as long.
    """

    max_bytes: int = 100 * 1024 * 1024
    max_pixels: int = 250_000_000
    max_full_pixels: int = 64_000_000
    max_frames: int = 1_000
    max_metadata_bytes: int = 4 * 1024 * 1024
    max_seconds: float = 30.0

    @property
    def clock_seconds(self) -> float:
        """Longest time for one picture by the clock: for a decoder that sleeps, or a disk that doesn't answer."""
        return CLOCK_FACTOR * self.max_seconds


@contextmanager
def processor_time(seconds: float) -> Iterator[None]:
    """End this process by SIGPROF once what is inside has taken so many seconds of processor time.

    The time of all its threads counts, in the kernel too; time in which it waits or another process has the processor
    doesn't. The kernel measures it (`setitimer`, POSIX.1-2001), so that a decoder that never returns to Python ends as
    well. Windows has no such timer: there only the limit by the clock holds, which the parent process enforces.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def took_too_long(exit_code: int | None) -> bool:
    """Tell from its exit code whether a process was ended by `processor_time`."""
    return hasattr(signal, "SIGPROF") and exit_code == -signal.SIGPROF
