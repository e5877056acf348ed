"""Processes that run hostile inputs piece by piece, and the tally of what came of them."""

from __future__ import annotations

import multiprocessing
import os
import re
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Self

from benchmarks.robustness import seeds
from benchmarks.robustness.mutations import hostile
from fauxto import Detector
from fauxto.limits import CLOCK_FACTOR, Limits, processor_time, took_too_long
from fauxto.report import Report
from fauxto.scan.archives import Archive

PIECE = 500
"""Inputs that a worker is given at once."""

SMALL = Limits(max_pixels=4_000_000, max_full_pixels=4_000_000)
BUNDLE = Path(__file__).parents[2] / "tests/golden/bundle"

_SHIPPED_EVERY = 16  # pieces
_SLOW_MILLISECONDS = 250
_SLOWEST, _EXAMPLES = 10, 5
_START_SECONDS = 300
_ENDINGS = {"ZIP": ".zip", "TAR": ".tar", "TAR.GZ": ".tar.gz"}
_VARIES = re.compile(r"(/\S*/)?\d+|/\S*/")  # in what is printed: numbers, and where packages lie
_FAILED_SOURCE = "the source failed"


@dataclass
class Tally:
    """What came of inputs.

    Attributes:
        inputs: How many were run.
        seconds: By the clock, all workers together.
        statuses: Reports by kind and status; "no member" for an archive without any.
        slowest: (seconds of processor time, number) of inputs, each run again on its own.
        peak_megabytes: The most memory of a worker, and the first input of the piece in which it took that.
        crashes: Inputs that ended their worker, with how.
        exceptions: Inputs by the exception that left `analyze_many` or a walker.
        failed_sources: Inputs by the exception in a source of evidence, which becomes a sentence in the report.
        printed: How often a line was printed by a decoder, or a warning raised.
    """

    inputs: int = 0
    seconds: float = 0.0
    statuses: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    slowest: list[list[float]] = field(default_factory=list)
    peak_megabytes: list[float] = field(default_factory=lambda: [0, 0])
    crashes: dict[str, str] = field(default_factory=dict)
    exceptions: dict[str, list[int]] = field(default_factory=dict)
    failed_sources: dict[str, list[int]] = field(default_factory=dict)
    printed: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add what came of other inputs."""
        self.inputs += other.inputs
        for kind, statuses in other.statuses.items():
            self.statuses[kind].update(statuses)
        self.slowest = sorted([*self.slowest, *other.slowest], reverse=True)[:_SLOWEST]
        self.peak_megabytes = max(self.peak_megabytes, other.peak_megabytes)
        self.crashes |= other.crashes
        for mine, theirs in ((self.exceptions, other.exceptions), (self.failed_sources, other.failed_sources)):
            for name, numbers in theirs.items():
                mine[name] = [*mine.get(name, []), *numbers]
        self.printed.update(other.printed)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return vars(self) | {"statuses": {kind: dict(words) for kind, words in self.statuses.items()}}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Self:
        """Return what `to_dict` made plain."""
        tally = cls(**plain)
        tally.statuses = defaultdict(Counter, {kind: Counter(words) for kind, words in tally.statuses.items()})
        tally.printed = Counter(tally.printed)
        return tally


@cache
def _detector(limits: Limits) -> Detector:
    return Detector(BUNDLE, limits=limits, threads=1)


def run_piece(seed: int, numbers: range, kinds: seeds.Kinds) -> Tally:
    """Run inputs here, all at once; those that seem slow run again on their own."""
    shipped = numbers.start // PIECE % _SHIPPED_EVERY == 0
    detector = _detector(Limits() if shipped else SMALL)
    tally = Tally(inputs=len(numbers))
    # What to judge, with the number and the kind of the input that it is from.
    files: list[tuple[int, str, bytes]] = []
    for number in numbers:
        kind, data = hostile(seed, number, kinds)
        if kind not in _ENDINGS:
            files.append((number, kind, data))
            continue
        try:
            members = _members(kind, data, detector.limits)
        except Exception as error:  # what the benchmark looks for
            tally.exceptions.setdefault(_place(error), []).append(number)
            continue
        tally.statuses[kind].update(member.status for member in members if isinstance(member, Report))
        tally.statuses[kind]["no member"] += not members
        files += ((number, kind, member) for member in members if isinstance(member, bytes))
    slow = set()
    for number, kind, report in _reports(files, detector, tally):
        tally.statuses[kind][report.status] += 1
        for piece in report.evidence:
            if _FAILED_SOURCE in str(piece.details.get("unreadable")):
                tally.failed_sources.setdefault(f"{piece.source}: {piece.details['unreadable']}", []).append(number)
        if sum(report.milliseconds.values()) > _SLOW_MILLISECONDS:
            slow.add(number)
    for number in slow if len(numbers) > 1 else ():
        started = time.process_time()
        run_piece(seed, range(number, number + 1), kinds)
        tally.slowest.append([round(time.process_time() - started, 2), number])
    return tally


def _members(kind: str, data: bytes, limits: Limits) -> list[Report | bytes]:
    with tempfile.NamedTemporaryFile(suffix=_ENDINGS[kind]) as file:
        file.write(data)
        file.flush()
        archive = Archive(file.name)
        archive.count()
        items = archive.items(limits, lambda key: False)
        return [item.source for item in items if not isinstance(item.source, str)]


def _reports(
    files: list[tuple[int, str, bytes]], detector: Detector, tally: Tally
) -> Iterator[tuple[int, str, Report]]:
    """Yield the report on each file; where an exception ends `analyze_many`, it goes on behind that file."""
    while files:
        done = 0
        try:
            for report in detector.analyze_many(data for _, _, data in files):
                yield (*files[done][:2], report)
                done += 1
        except Exception as error:  # what the benchmark looks for
            # It may be of any file in the batch: the next ones are judged alone until it comes up again.
            for number, kind, data in files[done : done + 2 * detector.options.batch_size]:
                done += 1
                try:
                    yield number, kind, detector.analyze(data)
                except Exception as alone:
                    tally.exceptions.setdefault(_place(alone), []).append(number)
                    break
            else:
                tally.exceptions.setdefault(_place(error), []).append(files[0][0])
        files = files[done:]


def _place(error: Exception) -> str:
    """Return the kind of an exception and where it was raised."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}:{frame.name}"


class Crew:
    """Worker processes, replaced as they end."""

    def __init__(
        self, seed: int, kinds: seeds.Kinds, workers: int, seconds: float, megabytes: int, piece: int = PIECE
    ) -> None:
        self._piece = piece
        self._arguments = (seed, kinds, seconds, megabytes)
        self._seconds = seconds
        self._workers = [_Process(self._arguments) for _ in range(workers)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._workers:
            worker.stop()

    def run(self, pieces: Iterable[int]) -> Iterator[tuple[int, Tally]]:
        """Yield what came of each piece; one that ends its worker is done again, input by input."""
        waiting = iter(pieces)
        busy: dict[int, int] = {}  # the piece that a worker is at
        while True:
            for place, worker in enumerate(self._workers):
                if place not in busy and (piece := next(waiting, None)) is not None:
                    worker.give(self._numbers(piece))
                    busy[place] = piece
            if not busy:
                return
            wait([self._workers[place].connection for place in busy], timeout=1)
            for place, piece in list(busy.items()):
                outcome = self._workers[place].outcome(_START_SECONDS + CLOCK_FACTOR * self._seconds)
                if outcome is None:
                    continue
                if isinstance(outcome, str):
                    self._workers[place] = self._replaced(self._workers[place])
                    outcome = self._one_by_one(place, piece)
                del busy[place]
                yield piece, outcome

    def _numbers(self, piece: int) -> range:
        return range(piece * self._piece, (piece + 1) * self._piece)

    def _replaced(self, worker: _Process) -> _Process:
        worker.stop()
        return _Process(self._arguments)

    def _one_by_one(self, place: int, piece: int) -> Tally:
        tally = Tally()
        for number in self._numbers(piece):
            self._workers[place].give(range(number, number + 1))
            outcome: Tally | str | None = None
            while outcome is None:
                wait([self._workers[place].connection], timeout=1)
                outcome = self._workers[place].outcome(_START_SECONDS + CLOCK_FACTOR * self._seconds)
            if isinstance(outcome, str):
                self._workers[place] = self._replaced(self._workers[place])
                outcome = Tally(inputs=1, crashes={str(number): outcome})
            tally.add(outcome)
        return tally


class _Process:
    """One worker process."""

    def __init__(self, arguments: tuple[int, seeds.Kinds, float, int]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self._process = context.Process(target=_work, args=(other, *arguments), daemon=True)
        self._process.start()
        other.close()
        self._since = time.monotonic()

    def give(self, numbers: range) -> None:
        """Hand it inputs."""
        self._since = time.monotonic()
        with suppress(OSError):  # it has ended: `outcome` says how
            self.connection.send(numbers)

    def outcome(self, most: float) -> Tally | str | None:
        """Return what came of the inputs, or how the process ended; None while it is at them, up to `most` seconds."""
        try:
            if self.connection.poll():
                tally: Tally = self.connection.recv()
                return tally
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode
            return "took too much processor time" if took_too_long(code) else f"ended with exit code {code}"
        return "didn't end" if time.monotonic() - self._since > most else None

    def stop(self) -> None:
        """End the process."""
        self.connection.close()
        self._process.kill()
        self._process.join()


def _work(connection: Connection, seed: int, kinds: seeds.Kinds, seconds: float, megabytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryFile() as printed, suppress(EOFError, OSError):
        os.dup2(printed.fileno(), sys.stderr.fileno())
        os.dup2(printed.fileno(), sys.stdout.fileno())
        warnings.simplefilter("always")
        while True:
            numbers: range = connection.recv()
            with suppress(OSError):
                Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew (Linux)
            # A whole piece takes seconds, but any input in it may take all that an input may.
            with processor_time(seconds if len(numbers) == 1 else seconds * (1 + len(numbers) / 100)):
                tally = run_piece(seed, numbers, kinds)
            tally.peak_megabytes = [_peak_megabytes(), numbers.start]
            sys.stderr.flush()
            printed.seek(0)
            lines = printed.read().decode("utf-8", "replace").splitlines()
            tally.printed = Counter(_VARIES.sub("N", line)[:100] for line in lines)
            printed.seek(0)
            printed.truncate()
            connection.send(tally)


def _peak_megabytes() -> float:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) >> 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
