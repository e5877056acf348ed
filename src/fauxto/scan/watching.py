"""Folders under watch: each picture that arrives gets one row, whatever happens to the watch meanwhile.

The folders are listed again and again, which works on network drives too; notices of the system don't come from there.
A file is judged once its size and time are the same in two listings; clocks aren't compared, for a server's is another.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from fauxto.images.source import CANT_BE_READ
from fauxto.report import Report, Status
from fauxto.scan import Scan, local
from fauxto.scan.items import PASSED_OVER, Item, Row
from fauxto.scan.journal import Journal

_PARTIAL = (".crdownload", ".part", ".partial", ".download", ".filepart")
"""Endings of files that browsers and copying programs haven't finished, and rename when they have."""

_SHARE = 10
"""Listing a folder, or writing the table, takes at most one part in so many of the time."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that got its row.

    Attributes:
        report: Its report.
        file: Its path; None once it isn't the file that was judged any more.
        is_news: False for a picture that had a row under this name already: it was saved again without a change.
    """

    report: Report
    file: str | None
    is_news: bool


class Watch:
    """Judges what arrives in a scan's folders; a context manager around its processes.

    The key of a row is the file's path with its size and time of change, so that a second picture of the same name has
    a row of its own. It takes the place of earlier rows of that name that have no verdict (the file was incomplete) or
    are on the same bytes.
    """

    def __init__(
        self, scan: Scan, *, interval: float, workers: int = 1, warn: Callable[[str], None] = lambda sentence: None
    ) -> None:
        """Judge nothing so far.

        Args:
            scan: Whose sources, options and journal to use; all its sources are folders, and it is `watched`.
            interval: Seconds between two listings, and for which a file must be unchanged.
            workers: Processes; each keeps the models in memory as long as the watch lasts.
            warn: Gets a sentence where a folder can't be listed or the table can't be written, once each time.
        """
        self._scan = scan
        self._interval = interval
        self._workers = workers
        self._warn = warn
        self._warned: set[str] = set()
        self._crew: list[local.Worker] = []
        self._waiting: dict[str, str] = {}  # keys of new files by path, at the last listing
        self._closed = {row.key for row in scan.journal.rows() if _was_closed(row)}
        self._listing_seconds = 0.0
        self._is_written = not scan.journal.done()
        self._writing_seconds = 0.0
        self._next_write = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._crew:
            worker.stop()

    def look(self) -> Iterator[Arrival]:
        """List the folders once, and yield what was judged; its rows are on disk by then.

        Raises:
            FauxtoError: No picture can be judged, or the journal can't be written.
        """
        began = time.monotonic()
        items = self._settled()
        self._listing_seconds = time.monotonic() - began
        for row in local.run(items, self._scan.options, self._workers, crew=self._crew):
            yield from self._keep(row)
            self.write()  # many files at once take long

    def pause(self) -> None:
        """Wait until the next look, and before that write the table where it lacks rows and it isn't too soon."""
        self.write()
        time.sleep(max(self._interval, (_SHARE - 1) * self._listing_seconds))

    def write(self, most_seconds: float | None = None) -> bool:
        """Write the table where it lacks rows, and tell whether it is complete now.

        Args:
            most_seconds: Write unless it took longer than that the last time; None to write unless it would take more
                than its share of the time.
        """
        now = time.monotonic()
        is_due = now >= self._next_write if most_seconds is None else self._writing_seconds <= most_seconds
        if not self._is_written and is_due:
            try:
                self._scan.write()
                self._is_written = True
                self._warned.discard("table")
            except OSError as error:
                self._warn_once("table", f"the table can't be written ({error}); its rows are in the journal")
            self._writing_seconds = time.monotonic() - now
            self._next_write = now + _SHARE * self._writing_seconds
        return self._is_written

    def judged(self) -> Iterator[tuple[Report, str]]:
        """Yield all reports so far whose files are still there as they were judged, with their paths."""
        return ((report, file) for report, file in reports_and_files(self._scan.journal) if file)

    def _settled(self) -> list[Item]:
        """Return the files without a row that are as they were at the last listing."""
        before, self._waiting = self._waiting, {}
        failed = set()
        settled: dict[str, Item] = {}  # a file may be in two of the folders
        for shard in self._scan.sources.shards():
            for item in shard.items(self._scan.options.limits, lambda key: False):
                if isinstance(item.source, Report) or item.path in self._scan.named:
                    failed.add(item.path)
                    self._warn_once(item.path, f"{item.path}: the folder can't be listed now; trying again and again")
                    continue
                key = None if item.path.lower().endswith(_PARTIAL) else _key(item.path)
                if key is None or (self._scan.journal.is_done(key) and not self._has_opened(key, item.path)):
                    continue
                if before.get(item.path) == key:
                    settled[key] = Item(key, item.path, item.source, item.size)
                else:
                    self._waiting[item.path] = key
        self._warned = {what for what in self._warned if what == "table" or what in failed}
        return list(settled.values())

    def _keep(self, row: Row) -> Iterator[Arrival]:
        journal, path = self._scan.journal, row.key.partition("\0")[0]
        if row.status == Status.NOT_FOUND:  # a name that was there for a moment, as programs use while they write
            return
        if row.key in self._closed:
            if _was_closed(row):
                return
            self._closed.remove(row.key)
            journal.drop({row.key})
        elif _was_closed(row):
            self._closed.add(row.key)
        report = None if row.status == PASSED_OVER else Report.from_dict(json.loads(row.report))
        replaced = set()
        is_news = True
        for key in journal.done_under(f"{path}\0") - {row.key}:
            earlier = journal.report(key)
            is_same = bool(report and earlier and report.image and report.image == earlier.image)
            if earlier is None or earlier.status is not Status.OK or is_same:
                replaced.add(key)
                is_news = is_news and not is_same
        journal.drop(replaced)
        journal.add(row)
        journal.commit()
        self._is_written = False
        if report is not None:
            yield Arrival(report, path if _key(path) == row.key else None, is_news)

    def _has_opened(self, key: str, path: str) -> bool:
        """Tell whether a file can be read that couldn't when it got its row; who writes a file may lock it."""
        if key not in self._closed:
            return False
        try:
            with Path(path).open("rb") as file:
                return bool(file.read(1))
        except OSError:
            return False

    def _warn_once(self, what: str, sentence: str) -> None:
        if what not in self._warned:
            self._warned.add(what)
            self._warn(sentence)


def _key(path: str) -> str | None:
    """Return the key of a file as it is now; None where there is none or nothing has been written to it."""
    try:
        facts = os.stat(path)  # noqa: PTH116 (called for every file again and again)
    except (OSError, ValueError):
        return None
    return f"{path}\0{facts.st_mtime_ns}-{facts.st_size}" if stat.S_ISREG(facts.st_mode) and facts.st_size else None


def _was_closed(row: Row) -> bool:
    if row.status != Status.UNREADABLE:
        return False
    report = Report.from_dict(json.loads(row.report))
    name = report.path or ""  # anyone may call a file so
    return any(f"{CANT_BE_READ}: " in reason.sentence.replace(name, "") for reason in report.reasons)


def reports_and_files(journal: Journal) -> Iterator[tuple[Report, str | None]]:
    """Yield the reports of a watch's journal, each with its file if that is still there as it was judged."""
    for row in journal.rows():
        is_same = row.file is not None and _key(row.file) == row.key
        yield Report.from_dict(json.loads(row.report)), row.file if is_same else None
