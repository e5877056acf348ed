"""`fauxto serve` and `fauxto app` in processes of their own, for the benchmarks that ask them, and what they take."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import ClassVar, Self

SECONDS = 120


class RunningService:
    """A service on a free port of this machine; ends with the context, by SIGTERM."""

    COMMAND: ClassVar[tuple[str, ...]] = ("serve", "--log-level", "warning")
    READY: ClassVar[str] = "/readyz"

    def __init__(self, *options: str, **environment: str) -> None:
        """Start it with these options of the command, and with these variables beside those of this process."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-c", "from fauxto.cli import main; main()", *self.COMMAND]
        self._process = subprocess.Popen(
            [*command, "--port", str(self.port), *options], stdout=subprocess.DEVNULL, env={**os.environ, **environment}
        )
        self.process_id = self._process.pid

    def __enter__(self) -> Self:
        for _ in range(10 * SECONDS):
            if self._process.poll() is not None:
                raise RuntimeError("it ended instead of starting")
            try:
                urllib.request.urlopen(f"{self.address}{self.READY}").close()
            except OSError:
                time.sleep(0.1)
            else:
                return self
        raise RuntimeError("it didn't start")

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(SECONDS)

    def megabytes(self) -> dict[str, float]:
        """Return the resident memory of the service and of its workers together (Linux)."""
        workers = _children(self.process_id)
        return {"service": _resident(self.process_id), "workers": round(sum(map(_resident, workers)), 1)}

    def handles(self) -> int:
        """Return how many files, pipes and sockets the service and its workers have open (Linux)."""
        return sum(map(_handles, [self.process_id, *_children(self.process_id)]))

    def figure(self, name: str) -> float:
        """Return the sum of one of its metrics over all labels."""
        with urllib.request.urlopen(f"{self.address}/metrics") as answer:
            text = answer.read().decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


class RunningPage(RunningService):
    """The page on a free port of this machine."""

    COMMAND = ("app", "--no-browser")
    READY = "/_stcore/health"


def _children(process: int) -> list[int]:
    try:
        return list(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))
    except OSError:  # it has just ended
        return []


def _resident(process: int) -> float:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    resident = re.search(r"VmRSS:\s+(\d+)", status)
    return round(int(resident[1]) / 1024, 1) if resident else 0.0


def _handles(process: int) -> int:
    try:
        return len(os.listdir(f"/proc/{process}/fd"))  # noqa: PTH208
    except OSError:
        return 0
