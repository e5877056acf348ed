"""`fauxto serve` in a process of its own, for the benchmarks that ask it, and the memory that it takes."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Self

SECONDS = 120


class RunningService:
    """A service on a free port of this machine; ends with the context, by SIGTERM."""

    def __init__(self, *options: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-c", "from fauxto.cli import main; main()", "serve", "--log-level", "warning"]
        self._process = subprocess.Popen([*command, "--port", str(self.port), *options])

    def __enter__(self) -> Self:
        for _ in range(10 * SECONDS):
            if self._process.poll() is not None:
                raise RuntimeError("the service ended")
            try:
                urllib.request.urlopen(f"{self.address}/readyz").close()
            except OSError:
                time.sleep(0.1)
            else:
                return self
        raise RuntimeError("the service didn't start")

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(SECONDS)

    def megabytes(self) -> dict[str, float]:
        """Return the resident memory of the service and of its workers together (Linux)."""
        workers = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return {
            "service": _resident(self._process.pid),
            "workers": round(sum(_resident(int(worker)) for worker in workers), 1),
        }

    def figure(self, name: str) -> float:
        """Return the sum of one of its metrics over all labels."""
        with urllib.request.urlopen(f"{self.address}/metrics") as answer:
            text = answer.read().decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


def _resident(process: int) -> float:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:  # it has just ended
        return 0.0
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return round(int(found[1]) / 1024, 1) if found else 0.0
