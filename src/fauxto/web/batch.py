"""Many files, judged in a thread of their own, so that the page stays at hand meanwhile."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import NamedTuple

from fauxto import images
from fauxto.detector import Detector
from fauxto.errors import FauxtoError
from fauxto.export.thumbnails import Thumbnail, thumbnail
from fauxto.report import Report, Status
from fauxto.scan.items import Item, report_on
from fauxto.web.judging import THUMBNAIL_SIDE

KEPT_BYTES = 1024 * 1024 * 1024
"""So much of a batch's files is kept for a closer look; of later ones there are report and thumbnail only."""


class File(NamedTuple):
    """A file to judge."""

    name: str
    data: bytes


class SystemFile(NamedTuple):
    """A file that the system keeps for itself, which is passed over; `was_counted` where its name didn't tell so."""

    was_counted: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What is kept of one file: its report, a small picture, and its bytes while there is room."""

    report: Report
    thumbnail: Thumbnail | None = None
    data: bytes = field(repr=False, default=b"")

    @property
    def bytes_kept(self) -> int:
        """How much memory the file and its small picture take."""
        return len(self.data) + (len(self.thumbnail.data) if self.thumbnail else 0)


@dataclass(slots=True)
class _Shared:
    """What the thread writes and the page reads; appending to a list is whole or not at all."""

    checked: list[Checked] = field(default_factory=list)
    passed_over: list[SystemFile] = field(default_factory=list)
    problem: str = ""
    has_ended: bool = False


class Batch:
    """Judges files one after the other; dropping the last reference to it (a session's end does) stops it.

    Attributes:
        detector: What judges them.
        total: How many files there are to judge, as far as was known before they were read.
    """

    def __init__(self, detector: Detector, files: Iterable[File | Report | SystemFile], total: int) -> None:
        """Start at once; `files`, with reports on those that couldn't be had, is read in the batch's own thread."""
        self.detector = detector
        self.total = total
        self._started = monotonic()
        self._shared = _Shared()
        self._stop = threading.Event()
        weakref.finalize(self, self._stop.set)
        self._thread = threading.Thread(
            target=_work, args=(detector, files, self._shared, self._stop), name="fauxto-batch", daemon=True
        )
        self._thread.start()

    @property
    def checked(self) -> list[Checked]:
        """What has been judged so far, in the order of the files."""
        return self._shared.checked[:]

    @property
    def passed_over(self) -> int:
        """How many files so far the system keeps for itself; they aren't among those that were judged."""
        return len(self._shared.passed_over)

    @property
    def is_complete(self) -> bool:
        """Whether every file has been judged or passed over."""
        counted = sum(file.was_counted for file in self._shared.passed_over[:])
        return len(self._shared.checked) + counted >= self.total

    @property
    def problem(self) -> str:
        """Why the batch ended early, if it did so by itself: a network failed, or we did."""
        return self._shared.problem

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return self._shared.has_ended

    @property
    def bytes_kept(self) -> int:
        """How much memory files and small pictures take."""
        return sum(entry.bytes_kept for entry in self.checked)

    def clear(self) -> None:
        """Stop, and forget what was judged."""
        self.stop()
        self._shared.checked.clear()

    def seconds_left(self) -> float | None:
        """Return how long the rest will take at the pace so far; None before the first file is done."""
        done = len(self._shared.checked)
        return (monotonic() - self._started) / done * max(self.total - done, 0) if done else None

    def stop(self) -> None:
        """End after the file at hand; what has been judged is kept."""
        self._stop.set()

    def join(self, seconds: float | None = None) -> None:
        """Wait until the batch has ended, at most so long."""
        self._thread.join(seconds)


def _work(
    detector: Detector, files: Iterable[File | Report | SystemFile], shared: _Shared, stop: threading.Event
) -> None:
    room = KEPT_BYTES
    try:
        for file in files:
            if stop.is_set():
                break
            if isinstance(file, SystemFile):
                shared.passed_over.append(file)
                continue
            if isinstance(file, Report):
                shared.checked.append(Checked(file))
                continue
            is_kept = len(file.data) <= room
            if is_kept:
                room -= len(file.data)
            shared.checked.append(_check(detector, file, is_kept=is_kept))
    except FauxtoError as error:
        shared.problem = str(error)
    except Exception as error:  # a fault of ours; what was judged is whole, and the page says that there was more
        shared.problem = f"internal error: {type(error).__name__}: {error}"
    finally:
        shared.has_ended = True


def _check(detector: Detector, file: File, *, is_kept: bool) -> Checked:
    report = report_on(Item(file.name, file.name, file.data), detector)
    if report.status is not Status.OK:
        return Checked(report)
    picture = thumbnail(images.decode(file.data, detector.limits).rgb, THUMBNAIL_SIDE)
    return Checked(report, picture, file.data if is_kept else b"")
