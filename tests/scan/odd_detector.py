"""A detector that does what the name of its input says: crash, hang, fail. Workers import it from this folder."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fauxto.detector import Detector
from fauxto.errors import BundleError
from fauxto.limits import Limits
from fauxto.report import Report, Status


@dataclass(frozen=True)
class OddOptions:
    """Takes the place of `DetectorOptions`; `memory` is a folder in which workers leave word for each other."""

    memory: Path
    seconds: float = 60.0
    starts: bool = True
    killed_starts: int = 0

    @property
    def limits(self) -> Limits:
        return Limits(max_seconds=self.seconds)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Come to a worker, and make it an odd detector in the place of a real one."""
        vars(self).update(state)
        setattr(Detector, "from_options", lambda options, threads: options.detector())  # noqa: B010

    def detector(self) -> OddDetector:
        if not self.starts:
            os._exit(3)
        if (number := len(list(self.memory.glob("start-*")))) < self.killed_starts:
            (self.memory / f"start-{number}").mkdir()
            os.kill(os.getpid(), signal.SIGKILL)
        return OddDetector(self.memory)


@dataclass(frozen=True)
class OddDetector:
    memory: Path

    def analyze(self, source: object, *, name: str) -> Report:
        kind = name.partition("-")[0]
        if kind == "crash" or (kind == "once" and self._is_first(name)):
            os._exit(9)
        if kind == "slow":
            (self.memory / name).mkdir()
            time.sleep(2)
        if kind == "hang":
            time.sleep(600)
        while kind == "spin":
            pass
        if kind == "bug":
            raise ZeroDivisionError("of ours")
        if kind == "model":
            raise BundleError("the network fails")
        return Report(name, Status.OK)

    def _is_first(self, name: str) -> bool:
        try:
            (self.memory / name).mkdir()
        except FileExistsError:
            return False
        return True
