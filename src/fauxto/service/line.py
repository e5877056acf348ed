"""Limits on waiting requests and held bytes; beyond them, requests get 503 at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from fauxto.service.problems import Problem

_RETRY_SECONDS = 1


class Line:
    """Counts the requests that wait for or have a worker, and the bytes of all bodies in memory."""

    def __init__(self, places: int, max_held_bytes: int) -> None:
        """Make an empty line.

        Args:
            places: Maximum number of waiting and running requests.
            max_held_bytes: Maximum bytes of bodies at a time.
        """
        self.places = places
        self.max_held_bytes = max_held_bytes
        self.occupied = 0
        self.held_bytes = 0

    def check(self) -> None:
        """Raise Problem (busy) if there is no place, before the client sends its body."""
        if self.occupied >= self.places:
            raise Problem("busy", "Too many pictures are waiting; send it again soon.", retry_after=_RETRY_SECONDS)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place within the context; Problem (busy) if there is none."""
        self.check()
        self.occupied += 1
        try:
            yield
        finally:
            self.occupied -= 1


class Held:
    """The bytes of one request's body, released at the end of the context."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._bytes = 0

    def take(self, count: int) -> None:
        """Hold `count` bytes more; Problem (busy) where the service holds too many."""
        if self._line.held_bytes + count > self._line.max_held_bytes:
            raise Problem("busy", "Too many uploads are under way; send it again soon.", retry_after=_RETRY_SECONDS)
        self._line.held_bytes += count
        self._bytes += count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.held_bytes -= self._bytes
        self._bytes = 0
