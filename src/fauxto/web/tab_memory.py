"""What browser tabs have on the page, in memory: it outlives a reload, which ends Streamlit's session, for a while.

A tab is known by a secret that we draw and that the tab keeps in its session storage. It is in no address and no log,
and nobody else can guess it.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

CLOSED_SECONDS = 30 * 60
"""So long the work of a closed tab is kept."""

CLOSED_BYTES = 2 * 1024 * 1024 * 1024
"""So much the closed tabs may hold together, those of the last minute apart: a reload closes a tab, too."""

MOST_CLOSED = 1_000
SECONDS_BETWEEN_SWEEPS = 60.0

Work = dict[str, Any]
"""What a tab has, by the names under which Streamlit's session state holds it."""


@dataclass(slots=True, eq=False)
class _Tab:
    work: Work = field(default_factory=dict)
    visits: int = 0
    closed: float = field(default_factory=monotonic)


class TabMemory:
    """The work of tabs by their secrets; may be used from any thread."""

    def __init__(self, weigh: Callable[[Work], int], empty: Callable[[Work], None]) -> None:
        """Begin without tabs.

        Args:
            weigh: Returns the bytes that a tab's work takes.
            empty: Empties what a forgotten tab had; Streamlit may hold on to it for much longer.
        """
        self._weigh = weigh
        self._empty = empty
        self._tabs: dict[str, _Tab] = {}
        self._lock = threading.RLock()
        self._sweeps = False

    def open(self) -> str:
        """Begin a tab's work and return the tab's secret."""
        secret = secrets.token_urlsafe(32)
        with self._lock:
            self._tabs[secret] = _Tab()
            self._sweep_later()
        return secret

    def work(self, secret: str) -> Work | None:
        """Return a tab's work, to read and to change; None where there is no such tab."""
        tab = self._tabs.get(secret)
        return None if tab is None else tab.work

    def enter(self, secret: str) -> None:
        """Note that a session shows a tab; while one does, the tab is never forgotten."""
        with self._lock:
            if (tab := self._tabs.get(secret)) is not None:
                tab.visits += 1

    def leave(self, secret: str) -> None:
        """Note that a session that showed a tab has ended."""
        with self._lock:
            if (tab := self._tabs.get(secret)) is not None:
                tab.visits -= 1
                tab.closed = monotonic()
                self._sweep_later()

    def sweep(self, now: float) -> None:
        """Forget the closed tabs that are too old, too large together or too many; `now` as of `monotonic()`.

        One that was closed a moment ago, as by a reload, is neither forgotten nor counted, and one that holds nothing
        isn't kept for longer, so that no visitor pushes out what others have.
        """
        with self._lock:
            closed = sorted(
                ((tab.closed, secret) for secret, tab in self._tabs.items() if not tab.visits), reverse=True
            )
            room, most = CLOSED_BYTES, MOST_CLOSED
            for since, secret in closed:
                if now - since < SECONDS_BETWEEN_SWEEPS:
                    continue
                bytes_held = self._weigh(self._tabs[secret].work)
                if now - since >= CLOSED_SECONDS or not bytes_held or most == 0 or bytes_held > room:
                    self._empty(self._tabs.pop(secret).work)
                else:
                    room, most = room - bytes_held, most - 1

    def _sweep_later(self) -> None:
        """Have a thread sweep from time to time, as long as there are closed tabs."""
        if not self._sweeps:
            self._sweeps = True
            timer = threading.Timer(SECONDS_BETWEEN_SWEEPS, self._sweep_and_go_on)
            timer.daemon = True
            timer.start()

    def _sweep_and_go_on(self) -> None:
        try:
            self.sweep(monotonic())
        finally:  # whatever went wrong, the next sweep comes
            with self._lock:
                self._sweeps = False
                if any(not tab.visits for tab in self._tabs.values()):
                    self._sweep_later()
