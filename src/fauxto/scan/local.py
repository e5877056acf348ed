"""The engine of one machine: a process a core, each judging one picture at a time.

Processes rather than threads: a picture that crashes its decoder or never ends then costs one row and not the scan,
and nothing waits for Python's lock.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait

from fauxto.addresses import is_address
from fauxto.detector import Detector
from fauxto.errors import FauxtoError
from fauxto.limits import processor_time, took_too_long
from fauxto.options import DetectorOptions
from fauxto.report import Report, Status
from fauxto.scan.items import CRASHED, Item, Row, fetched, judge, row_of
from fauxto.scan.reuse import ReusingDetector

_ITEMS = 8
_BYTES = 32 * 1024 * 1024
"""What a worker is handed at once: at most so many items, and none more once they hold so many bytes."""

_FETCHERS = 8
"""Threads of a worker that wait for an object store."""

_FETCH_SECONDS = 120.0
"""What a slow network may take, beside the limit on judging."""

_START_SECONDS = 300.0
"""For a worker to import what it needs, on a busy machine."""

_STARTS = 3
"""Workers that may be killed before they have started."""

_PATIENCE = 1.0
"""Seconds that we wait before we look at the clock again."""

Judge = Callable[[Item, Detector], Row]
"""What a worker does with an item; it is pickled."""


def run(
    items: Iterable[Item],
    options: DetectorOptions,
    workers: int,
    judge: Judge = judge,
    crew: list[Worker] | None = None,
) -> Iterator[Row]:
    """Yield the row that `judge` makes of each item, in the order in which they are done.

    Items are taken only as workers ask for them, one handful ahead of what is being judged. A worker that dies is
    replaced; the item that it held is tried once more and then refused as `crashed`. An item that takes more processor
    time than `Limits.max_seconds`, or longer than `Limits.clock_seconds`, loses its worker and is refused as
    `timed_out`.

    Args:
        items: What to judge.
        options: Options of the detector.
        workers: Processes.
        crew: Those of an earlier run, to be used again; at first an empty list. The caller has to `stop` them; without
            it they end with the run.

    Raises:
        FauxtoError: Nothing can be judged: the network fails, for one, or no worker starts.
    """
    is_kept = crew is not None
    crew = [] if crew is None else crew
    fresh = _handfuls(items)
    ready = next(fresh, [])
    again: deque[list[Item]] = deque()  # what a lost worker left
    crashed: set[str] = set()
    killed = 0
    try:
        crew += [Worker(options, judge) for _ in range(workers - len(crew) if ready else 0)]
        while ready or again or any(worker.held for worker in crew):
            for worker in crew:
                if worker.is_idle and (again or ready):
                    handful = again.popleft() if again else ready
                    worker.give(handful)
                    if handful is ready:
                        ready = next(fresh, [])  # while the worker is busy
            for number in _wait_for(crew):
                worker = crew[number]
                yield from worker.rows()
                if not worker.is_lost:
                    continue
                if worker.held:
                    row, remaining = _after_loss(worker, crashed)
                    if row:
                        yield row
                    again.extend([item] for item in remaining)
                killed = 0 if worker.has_started else killed + 1
                if killed > _STARTS:
                    raise FauxtoError(
                        "the processes that judge pictures are killed as they start; do they lack memory?"
                    )
                worker.stop()
                crew[number] = Worker(options, judge)
    finally:
        for worker in () if is_kept else crew:
            worker.stop()


class Worker:
    """A process that judges the items that it is given, in order.

    Attributes:
        connection: To the process.
        deadline: When it is late, by the monotonic clock.
        held: Items that it was given and that have no row so far.
        excess: What the item at hand took too much of.
        has_started: Whether it is ready for items, or was.
        is_lost: Whether the process died or was late.
    """

    def __init__(self, options: DetectorOptions, judge: Judge) -> None:
        # Not a fork: the libraries' threads and locks don't survive one.
        context = multiprocessing.get_context("spawn")
        self.connection, worker_end = context.Pipe()
        self._process = context.Process(target=_work, args=(worker_end, options, judge), daemon=True)
        with _without_ctrl_c():
            self._process.start()
        worker_end.close()
        self._limits = options.limits
        self._seconds = options.limits.clock_seconds
        self.has_started = False
        self.deadline = time.monotonic() + _START_SECONDS
        self.held: deque[Item] = deque()
        self.excess = ""
        self.is_lost = False

    @property
    def is_idle(self) -> bool:
        """Whether it waits for items."""
        return self.has_started and not self.held and not self.is_lost

    def give(self, handful: list[Item]) -> None:
        """Hand it items to judge."""
        self.held.extend(handful)
        self._seconds = self._limits.clock_seconds + _FETCH_SECONDS * any(map(_is_remote, handful))
        self.deadline = time.monotonic() + self._seconds
        try:
            self.connection.send(handful)
        except OSError:
            self.is_lost = True

    def rows(self) -> Iterator[Row]:
        """Yield what has come, and notice whether the process died or is late."""
        try:
            while not self.is_lost and self.connection.poll():
                came: Row | str | None = self.connection.recv()
                if isinstance(came, str):
                    raise FauxtoError(came)
                if came is None:
                    self.has_started = True
                else:
                    self.held.popleft()
                    yield came
                self.deadline = time.monotonic() + self._seconds
        except (EOFError, OSError):
            self.is_lost = True
            self._end()  # it is ending: what ended it stays its exit code
            if took_too_long(self._process.exitcode):
                self.excess = f"took more than {self._limits.max_seconds:g} seconds of processor time"
        if not self.is_lost and (self.held or not self.has_started) and time.monotonic() > self.deadline:
            self.is_lost = True
            self.excess = f"took longer than {self._seconds:g} seconds"
        if self.is_lost and not (self.has_started or self._was_killed):
            raise FauxtoError("a process that judges pictures can't start; its own message stands above, if it had one")

    @property
    def _was_killed(self) -> bool:
        return self._process.exitcode == -9  # by a person, or by a system that is short of memory

    def stop(self) -> None:
        """End the process, whatever it does."""
        self.connection.close()
        self._end()

    def _end(self) -> None:
        self._process.kill()
        self._process.join()


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Block SIGINT; a process that starts meanwhile keeps it blocked: Ctrl-C reaches every process of a terminal.

    A signal that comes to this process meanwhile waits, whichever thread it comes to: a process whose start is cut
    short complains.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it unblocks SIGINT when it starts, which is with the first process otherwise
    with _deferred_signals():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _deferred_signals() -> Iterator[None]:
    """Let SIGINT and SIGTERM wait; only the main thread may, and only it is interrupted by them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[int] = []
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    own_handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in own_handlers:
        signal.signal(number, lambda number, _: pending.append(number))
    try:
        yield
    finally:
        for number, handler in own_handlers.items():
            signal.signal(number, handler)
    for late in pending:
        signal.raise_signal(late)


def _wait_for(crew: list[Worker]) -> list[int]:
    """Wait until a worker has something to say or is late, and return the numbers of all such workers."""
    if lost := [number for number, worker in enumerate(crew) if worker.is_lost]:
        return lost
    before = time.monotonic()
    patience = min(worker.deadline for worker in crew if worker.held or not worker.is_idle) - before
    speaking = wait([worker.connection for worker in crew], timeout=min(max(0.0, patience) + 0.01, _PATIENCE))
    now = time.monotonic()
    if now - before > 2 * _PATIENCE:  # we were asleep (Ctrl-Z, for one), and so were they
        for worker in crew:
            worker.deadline += now - before
    return [n for n, worker in enumerate(crew) if worker.connection in speaking or now > worker.deadline]


def _after_loss(worker: Worker, crashed: set[str]) -> tuple[Row | None, list[Item]]:
    """Return the row of the item at which a worker was lost, if it gets no second try, and what to do anew."""
    culprit, *others = worker.held
    if worker.excess:
        report = Report.unjudged(culprit.path, Status.TIMED_OUT, f"judging it {worker.excess}")
        return row_of(culprit, report), others
    if culprit.key in crashed:
        sentence = "judging it ended the process, twice"
        return row_of(culprit, Report.unjudged(culprit.path, Status.UNREADABLE, sentence, word=CRASHED)), others
    crashed.add(culprit.key)
    return None, [culprit, *others]


def _handfuls(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Group items; the first groups are small, so that every worker soon has something to do."""
    most = 1
    handful: list[Item] = []
    size = 0
    for item in items:
        handful.append(item)
        size += item.size
        if len(handful) >= most or size >= _BYTES:
            yield handful
            handful, size, most = [], 0, min(2 * most, _ITEMS)
    if handful:
        yield handful


def _work(connection: Connection, options: DetectorOptions, judge: Judge) -> None:
    """Judge what comes, until the other end is closed: also by a kill."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where it couldn't be blocked; the scan ends us
    with suppress(EOFError, OSError):
        try:
            detector = ReusingDetector.from_options(options, threads=1)
            connection.send(None)
            while True:
                for row in judge_all(connection.recv(), detector, options, judge):
                    connection.send(row)
        except FauxtoError as error:
            connection.send(str(error))


def judge_all(handful: list[Item], detector: Detector, options: DetectorOptions, judge: Judge = judge) -> Iterator[Row]:
    """Yield the row of each item; one that takes more processor time than it may ends this process.

    Raises:
        FauxtoError: The network can't be opened or fails.
    """
    for item in _fetched(handful, options):
        with processor_time(options.limits.max_seconds):
            row = judge(item, detector)
        yield row


def _fetched(handful: list[Item], options: DetectorOptions) -> Iterator[Item]:
    """Yield the items, those in an object store with their bytes, which are fetched several at a time."""
    if not any(map(_is_remote, handful)):
        yield from handful
        return

    def fetch(item: Item) -> Item:
        return fetched(item, options.limits) if _is_remote(item) else item

    with ThreadPoolExecutor(min(_FETCHERS, len(handful))) as pool:
        yield from pool.map(fetch, handful)


def _is_remote(item: Item) -> bool:
    return isinstance(item.source, str) and is_address(item.source)
