"""The processes of a session: whatever a command has started, also where its parent is gone (Linux)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def processes(group: int) -> list[int]:
    """Return the processes of a session, by that of the process that leads it."""
    return [pid for pid in _all() if _session(pid) == group]


def _all() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _session(pid: int) -> int:
    with contextlib.suppress(OSError):
        return os.getsid(pid)
    return 0


def command_line(pid: int) -> str:
    """Return the words of a process's command; empty once it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""
