"""Ctrl-C that isn't lost: in a destructor or a callback, Python drops exceptions, KeyboardInterrupt too."""

from __future__ import annotations

import _thread
import signal
import sys
import threading

_SECONDS = 0.05


def keep_interrupts() -> None:
    """Let an interrupt that Python had to drop come again, a moment later.

    Every import ends in such a callback, so that many a Ctrl-C was lost while a scan started.
    """
    before = sys.unraisablehook

    def again(dropped: sys.UnraisableHookArgs) -> None:
        if dropped.exc_type is KeyboardInterrupt:
            later = threading.Timer(_SECONDS, _interrupt)
            later.daemon = True
            later.start()
        else:
            before(dropped)

    sys.unraisablehook = again


def _interrupt() -> None:
    main = threading.main_thread().ident
    if sys.platform == "win32" or main is None:
        _thread.interrupt_main()
    else:
        signal.pthread_kill(main, signal.SIGINT)  # ends a wait as well
