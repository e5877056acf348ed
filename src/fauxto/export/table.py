"""The one face of the writers of JSON Lines, CSV and Parquet: reports go in one by one, memory stays bounded."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from fauxto.report import Report

Target = str | os.PathLike[str] | BinaryIO
"""A path, whose file is made anew, or a file that is open for writing bytes, which stays open."""


class TableWriter(ABC):
    """Writes reports to a file, one after the other; a context manager.

    Closing it makes the file whole, also when the loop around it fails: what was written up to there is kept. After
    a kill, JSON Lines and CSV end in at most one line without its end, and a Parquet file that every reader refuses.
    """

    def __init__(self, target: Target) -> None:
        self._is_ours = isinstance(target, (str, os.PathLike))
        self._file: BinaryIO = Path(target).open("wb") if isinstance(target, (str, os.PathLike)) else target  # noqa: SIM115
        self._is_closed = False

    @abstractmethod
    def write(self, report: Report) -> None:
        """Add one report; OSError where the disk refuses."""

    def close(self) -> None:
        """Finish the file; a second call does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._finish()
            self._file.flush()
        finally:
            if self._is_ours:
                self._file.close()

    def _finish(self) -> None:  # noqa: B027 (most formats need nothing)
        """Write what has to stand at a file's end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
