"""Many files, judged in a thread of their own, so that the page stays at hand meanwhile."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic

from fauxto import images
from fauxto.detector import Detector
from fauxto.errors import FauxtoError
from fauxto.export.thumbnails import Thumbnail, thumbnail
from fauxto.report import Report, Status

THUMBNAIL_SIDE = 160  # pixels
KEPT_BYTES = 256 * 1024 * 1024
"""Of a batch's files so much is kept for a closer look; of later files there are report and thumbnail only."""

File = tuple[str, bytes] | Report
"""The name and bytes of a file, or the report on one that could not be had."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What is kept of one file: its report, a small picture, and its bytes while there is room."""

    report: Report
    thumbnail: Thumbnail | None = None
    data: bytes = field(repr=False, default=b"")


@dataclass(slots=True)
class _Shared:
    """What the thread writes and the page reads; appending to a list is whole or not at all."""

    checked: list[Checked] = field(default_factory=list)
    problem: FauxtoError | None = None
    has_ended: bool = False


class Batch:
    """Judges files one after the other; dropping the last reference to it (a session's end does) stops it.

    Attributes:
        detector: What judges them.
        total: How many files there are.
    """

    def __init__(self, detector: Detector, files: Iterable[File], total: int) -> None:
        """Start at once; `files` is read in the batch's own thread."""
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
    def problem(self) -> FauxtoError | None:
        """Why the batch ended early, if a network failed."""
        return self._shared.problem

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return self._shared.has_ended

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


def _work(detector: Detector, files: Iterable[File], shared: _Shared, stop: threading.Event) -> None:
    kept = 0
    try:
        for file in files:
            if stop.is_set():
                break
            checked = _check(detector, file, KEPT_BYTES - kept)
            kept += len(checked.data)
            shared.checked.append(checked)
    except FauxtoError as error:
        shared.problem = error
    finally:
        shared.has_ended = True


def _check(detector: Detector, file: File, room: int) -> Checked:
    if isinstance(file, Report):
        return Checked(file)
    name, data = file
    report = detector.analyze(data, name=name)
    if report.status is not Status.OK:
        return Checked(report)
    picture = thumbnail(images.decode(data, detector.limits).rgb, THUMBNAIL_SIDE)
    return Checked(report, picture, data if len(data) <= room else b"")
