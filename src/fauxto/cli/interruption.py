"""A Ctrl-C that isn't lost: in a destructor or a callback, Python drops exceptions, KeyboardInterrupt too."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

_SECONDS = 0.05
_INTERRUPTS = (KeyboardInterrupt, SystemExit)
"""What handlers of SIGINT and SIGTERM raise, ours and Python's."""


def keep_interrupts() -> None:
    """Let an interrupt that Python had to drop come again, a moment later.

    Every import ends in such a callback, so that a Ctrl-C could be lost while a command starts.
    """
    if not isinstance(sys.unraisablehook, _Again):
        sys.unraisablehook = _Again(sys.unraisablehook)


@dataclass(frozen=True)
class _Again:
    """Takes what is dropped; `others` takes all but interrupts."""

    others: Callable[[sys.UnraisableHookArgs], object]

    def __call__(self, dropped: sys.UnraisableHookArgs) -> None:
        if dropped.exc_type not in _INTERRUPTS:
            self.others(dropped)
            return
        later = threading.Timer(_SECONDS, _send)
        later.daemon = True
        later.start()


def _send() -> None:
    # SIGINT is ignored where a shell's script started us with "&"; then it was SIGTERM.
    number = signal.SIGINT if callable(signal.getsignal(signal.SIGINT)) else signal.SIGTERM
    main = threading.main_thread().ident
    if sys.platform == "win32" or main is None:
        signal.raise_signal(number)
    else:
        signal.pthread_kill(main, number)  # ends a wait of the main thread as well
