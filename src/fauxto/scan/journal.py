"""The rows of a scan so far, kept in a SQLite file so that a killed scan can resume."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from fauxto.errors import ConfigError, FauxtoError
from fauxto.report import Report, Status
from fauxto.scan.items import CRASHED, PASSED_OVER, Row

_SECONDS = 0.5
"""Between commits: a kill loses at most this much work, and never a committed row."""

_TABLES = """
CREATE TABLE scan (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE rows (
    key BLOB PRIMARY KEY, status TEXT NOT NULL, verdict TEXT, report TEXT NOT NULL, file BLOB
) WITHOUT ROWID;
"""


class Journal:
    """The rows of one scan: each key once; a context manager that commits on exit.

    Inputs that took too long or ended their process when the journal was written last have one more try: they count as
    not done, and keep their row until they have a new one.

    SQLite writes ahead to a log and recovers by itself: after a kill the file holds exactly the rows of the last
    commit.
    """

    def __init__(self, path: Path, origin: dict[str, Any], *, resume: bool) -> None:
        """Create the file, or resume it.

        Args:
            path: The file.
            origin: What the rows depend on; a scan can only be resumed with the same values.
            resume: Whether to continue with an existing file.

        Raises:
            ConfigError: The file is there and `resume` isn't asked for; it is no journal, or of a scan with another
                origin; another process is writing to it.
        """
        self.path = path
        if path.exists() and not resume:
            raise ConfigError(f"{path} is left from an unfinished scan: continue it with --resume, or delete it")
        try:
            self._database = sqlite3.connect(path, timeout=1, isolation_level=None)
            try:
                self._begin(json.dumps(origin, sort_keys=True))
            except BaseException:
                self._database.close()
                raise
        except sqlite3.OperationalError as error:
            raise ConfigError(f"{path} can't be used ({error}); is another scan writing to it?") from error
        except sqlite3.DatabaseError as error:
            raise ConfigError(f"{path} isn't the journal of a scan ({error}); delete it") from error
        self._again = self._tried_again()
        self._committed = time.monotonic()
        self._is_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def is_done(self, key: str) -> bool:
        """Tell whether an input has a row, and no further try."""
        if key in self._again:
            return False
        row = self._database.execute("SELECT 1 FROM rows WHERE key = ?", (_bytes(key),)).fetchone()
        return row is not None

    def done_under(self, prefix: str) -> frozenset[str]:
        """Return the keys that begin with `prefix` and are done."""
        low = _bytes(prefix)
        rows = self._database.execute("SELECT key FROM rows WHERE key >= ? AND key < ?", (low, low + b"\xff"))
        return frozenset(_text(key) for (key,) in rows) - self._again

    def add(self, row: Row) -> bool:
        """Add a row, and tell whether its input wasn't done; `commit`, or a row added half a second later, saves it.

        Raises:
            FauxtoError: The file can't be written: the disk is full, for one.
        """
        values = (_bytes(row.key), row.status, row.verdict, row.report, row.file and _bytes(row.file))
        with self._writing():
            if not self._database.in_transaction:
                self._database.execute("BEGIN")
            insert = "INSERT OR REPLACE" if row.key in self._again else "INSERT OR IGNORE"
            added = self._database.execute(f"{insert} INTO rows VALUES (?, ?, ?, ?, ?)", values).rowcount
        self._again.discard(row.key)
        if time.monotonic() - self._committed > _SECONDS:
            self.commit()
        return bool(added)

    def drop(self, keys: Iterable[str]) -> None:
        """Remove rows, which the next commit saves; raises as `add`."""
        with self._writing():
            if not self._database.in_transaction:
                self._database.execute("BEGIN")
            self._database.executemany("DELETE FROM rows WHERE key = ?", [(_bytes(key),) for key in keys])

    def commit(self) -> None:
        """Save all added rows; raises as `add`."""
        with self._writing():
            self._database.commit()
        self._committed = time.monotonic()

    def counts(self) -> dict[tuple[str, str | None], int]:
        """Return how many rows there are of each status and verdict."""
        counts = self._database.execute("SELECT status, verdict, count(*) FROM rows GROUP BY status, verdict")
        return {(status, verdict): count for status, verdict, count in counts if status != PASSED_OVER}

    def passed_over(self) -> int:
        """Return how many files that the system keeps for itself were passed over."""
        ((count,),) = self._database.execute("SELECT count(*) FROM rows WHERE status = ?", (PASSED_OVER,))
        return int(count)

    def done(self) -> int:
        """Return how many inputs are done, those that were passed over among them."""
        ((count,),) = self._database.execute("SELECT count(*) FROM rows")
        return int(count) - len(self._again)

    def report(self, key: str) -> Report | None:
        """Return the report on one input; None if it has no row."""
        row = self._database.execute(
            "SELECT report FROM rows WHERE key = ? AND status != ?", (_bytes(key), PASSED_OVER)
        )
        return next((Report.from_dict(json.loads(report)) for (report,) in row), None)

    def rows(self) -> Iterator[Row]:
        """Yield the rows in the order of their keys, without those of files that were passed over."""
        rows = self._database.execute("SELECT * FROM rows WHERE status != ? ORDER BY key", (PASSED_OVER,))
        for key, status, verdict, report, file in rows:
            yield Row(_text(key), status, verdict, report, file and _text(file))

    def reports(self) -> Iterator[Report]:
        """Yield the reports in the order of their keys."""
        return (report for report, _ in self.reports_and_files())

    def reports_and_files(self) -> Iterator[tuple[Report, str | None]]:
        """Yield the reports in the order of their keys, each with the local file that it is on, if it is on one."""
        return ((Report.from_dict(json.loads(row.report)), row.file) for row in self.rows())

    def close(self) -> None:
        """Commit and close the file, and delete it if it is empty; a second call does nothing."""
        if self._is_open:
            self._is_open = False
            try:
                self.commit()
                is_empty = not self._database.execute("SELECT 1 FROM rows LIMIT 1").fetchone()
            finally:
                self._database.close()
            if is_empty:  # so that a mistyped command leaves nothing behind
                self.path.unlink(missing_ok=True)

    def delete(self) -> None:
        """Remove the file; the scan is finished."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _tried_again(self) -> set[str]:
        keys = self._database.execute(
            "SELECT key FROM rows WHERE status = ? OR (status = ? AND report LIKE ?)",
            (Status.TIMED_OUT, Status.UNREADABLE, f'%"reasons": ["{CRASHED}: %'),
        )
        return {_text(key) for (key,) in keys}

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise FauxtoError(
                f"{self.path} can't be written ({error}); its rows are safe: fix the cause, and continue with --resume"
            ) from error

    def _begin(self, origin: str) -> None:
        database = self._database
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = NORMAL"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("BEGIN EXCLUSIVE")
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'rows'").fetchone():
            for statement in filter(str.strip, _TABLES.split(";")):
                database.execute(statement)
            database.execute("INSERT INTO scan VALUES ('origin', ?)", (origin,))
        ((began_with,),) = database.execute("SELECT value FROM scan WHERE key = 'origin'").fetchall()
        database.commit()
        if began_with != origin:
            then, now = json.loads(began_with), json.loads(origin)
            changed = ", ".join(key for key in then | now if now.get(key) != then.get(key))
            raise ConfigError(f"{self.path} is of a scan with another {changed}; go on as it began, or delete it")


def _bytes(key: str) -> bytes:
    return key.encode(errors="surrogatepass")  # SQLite's texts hold no path that isn't valid Unicode


def _text(key: bytes) -> str:
    return key.decode(errors="surrogatepass")
