"""The rows of a scan so far, kept in a SQLite file so that a killed scan can resume."""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

from fauxto.errors import ConfigError, FauxtoError
from fauxto.report import Report, Status
from fauxto.scan.items import CRASHED, NOT_LISTED, PASSED_OVER, STORE_ERROR, Row

_FORMAT = 2
"""Of the file: a journal with other tables can't be continued."""

_SECONDS = 0.5
"""Between commits: a kill loses at most this much work, and never a committed row."""

# The reports lie apart, in the order in which they came: a row is then small, so that a million of them are counted and
# searched in a second, and new ones are appended rather than written all over the file.
_TABLES = """
CREATE TABLE scan (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE rows (
    key BLOB PRIMARY KEY, status TEXT NOT NULL, verdict TEXT, file BLOB, again INTEGER NOT NULL, report INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX rows_again ON rows (again) WHERE again > 0;
CREATE TABLE reports (number INTEGER PRIMARY KEY, report BLOB NOT NULL);
"""

_TRIED_AGAIN, _FORGOTTEN = 1, 2
"""Values of `again`: what a resumed scan does about the row."""

_INSERT = "INSERT OR IGNORE INTO rows VALUES (?, ?, ?, ?, ?, ?)"
_SELECT = "SELECT key, status, verdict, reports.report, file FROM rows JOIN reports ON number = rows.report"


class Journal:
    """The rows of one scan: each key once; a context manager that commits on exit.

    Inputs that took too long or ended their process when the journal was written last have one more try: they count as
    not done, and keep their row until they have a new one. Rows of what a store didn't give, and of folders that
    couldn't be listed, are gone when it is opened: listing and reading tell anew.

    SQLite writes ahead to a log and recovers by itself: after a kill the file holds exactly the rows of the last
    commit.
    """

    def __init__(self, path: Path, origin: dict[str, Any], *, resume: bool, owner: str = "scan") -> None:
        """Create the file, or resume it.

        Args:
            path: The file.
            origin: What the rows depend on; a scan can only be resumed with the same values.
            resume: Whether to continue with an existing file.
            owner: Whose file it is, for those who find it in their way: "scan of photos".

        Raises:
            ConfigError: The file is there and `resume` isn't asked for; it is no journal, or of a scan with another
                origin; another process is writing to it.
        """
        self.path = path
        if path.exists() and not resume:
            raise ConfigError(
                f"{path} is left from an unfinished {_owner(path)}: continue it with --resume, give another --out, or "
                "delete it"
            )
        origin = {"format of the journal": _FORMAT, **origin}
        try:
            self._database = sqlite3.connect(path, timeout=1, isolation_level=None)
            try:
                self._begin(json.dumps(origin, sort_keys=True), owner)
                self._again = self._keys(_TRIED_AGAIN)
                ((last,),) = self._database.execute("SELECT max(number) FROM reports")
            except BaseException:
                self._database.close()
                raise
        except sqlite3.OperationalError as error:
            if _is_locked(error):
                raise ConfigError(
                    f"{path} is being written by another process, for the {_owner(path)}: wait for its end, or give "
                    "another --out"
                ) from error
            raise ConfigError(f"{path} can't be used ({error}): {_advice(error)}") from error
        except sqlite3.DatabaseError as error:
            raise ConfigError(f"{path} isn't the journal of a scan ({error}); delete it") from error
        self._last: int = last or 0
        self._committed = time.monotonic()
        self._is_open = True
        self.drop(self._keys(_FORGOTTEN))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def is_done(self, key: str) -> bool:
        """Tell whether an input has a row, and no further try."""
        if key in self._again:
            return False
        with self._working("read"):
            row = self._database.execute("SELECT 1 FROM rows WHERE key = ?", (_bytes(key),)).fetchone()
        return row is not None

    def done_under(self, prefix: str) -> frozenset[str]:
        """Return the keys that begin with `prefix` and are done."""
        low = _bytes(prefix)
        rows = self._read("SELECT key FROM rows WHERE key >= ? AND key < ?", low, low + b"\xff")
        return frozenset(_text(key) for (key,) in rows) - self._again

    def add(self, row: Row) -> bool:
        """Add a row, and tell whether its input wasn't done; `commit`, or a row added half a second later, saves it.

        Raises:
            FauxtoError: The file can't be written: the disk is full, for one.
        """
        if row.key in self._again:
            self.drop([row.key])
            self._again.discard(row.key)
        self._last += 1
        file = row.file and _bytes(row.file)
        values = (_bytes(row.key), row.status, row.verdict, file, _tries_again(row), self._last)
        with self._working():
            self._begin_writing()
            # In this order: Ctrl-C may come between the two, and a row without its report would be lost.
            self._database.execute(
                "INSERT INTO reports VALUES (?, ?)", (self._last, zlib.compress(row.report.encode(), 1))
            )
            added = bool(self._database.execute(_INSERT, values).rowcount)
            if not added:
                self._database.execute("DELETE FROM reports WHERE number = ?", (self._last,))
        if time.monotonic() - self._committed > _SECONDS:
            self.commit()
        return added

    def drop(self, keys: Iterable[str]) -> None:
        """Remove rows, which the next commit saves; raises as `add`."""
        with self._working():
            self._begin_writing()
            for key in map(_bytes, keys):
                numbers = self._database.execute("SELECT report FROM rows WHERE key = ?", (key,)).fetchall()
                self._database.execute("DELETE FROM rows WHERE key = ?", (key,))
                self._database.executemany("DELETE FROM reports WHERE number = ?", numbers)

    def commit(self) -> None:
        """Save all added rows; raises as `add`."""
        with self._working():
            self._database.commit()
        self._committed = time.monotonic()

    def counts(self) -> dict[tuple[str, str | None], int]:
        """Return how many rows there are of each status and verdict."""
        # Counted here: SQLite would sort them first, in files of its own.
        counts = Counter(self._read("SELECT status, verdict FROM rows"))
        return {(status, verdict): count for (status, verdict), count in counts.items() if status != PASSED_OVER}

    def passed_over(self) -> int:
        """Return how many files that the system keeps for itself were passed over."""
        ((count,),) = self._read("SELECT count(*) FROM rows WHERE status = ?", PASSED_OVER)
        return int(count)

    def done(self) -> int:
        """Return how many inputs are done, those that were passed over among them."""
        ((count,),) = self._read("SELECT count(*) FROM rows")
        return int(count) - len(self._again)

    def report(self, key: str) -> Report | None:
        """Return the report on one input; None if it has no row."""
        for row in self._rows(f"{_SELECT} WHERE key = ? AND status != ?", _bytes(key), PASSED_OVER):
            return Report.from_dict(json.loads(row.report))
        return None

    def rows(self) -> Iterator[Row]:
        """Yield the rows in the order of their keys, without those of files that were passed over."""
        return self._rows(f"{_SELECT} WHERE status != ? ORDER BY key", PASSED_OVER)

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
                is_empty = not list(self._read("SELECT 1 FROM rows LIMIT 1"))
            finally:
                self._database.close()
            if is_empty:  # so that a mistyped command leaves nothing behind
                self.path.unlink(missing_ok=True)

    def delete(self) -> None:
        """Remove the file; the scan is finished."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _keys(self, again: int) -> set[str]:
        return {
            _text(key)
            for (key,) in self._database.execute("SELECT key FROM rows WHERE again > 0 AND again = ?", (again,))
        }

    def _rows(self, query: str, *values: bytes | str) -> Iterator[Row]:
        for key, status, verdict, report, file in self._read(query, *values):
            yield Row(_text(key), status, verdict, zlib.decompress(report).decode(), file and _text(file))

    def _read(self, query: str, *values: bytes | str) -> Iterator[Any]:
        """Yield the rows of a query; raises as `add`."""
        with self._working("read"):
            # Not `yield from`, which closes the cursor, maybe after the database.
            for row in self._database.execute(query, values):  # noqa: UP028
                yield row

    def _begin_writing(self) -> None:
        if not self._database.in_transaction:
            self._database.execute("BEGIN")

    @contextmanager
    def _working(self, what: str = "written") -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise FauxtoError(
                f"{self.path} can't be {what} ({error}); its rows are safe: {_advice(error)}; continue with --resume"
            ) from error
        except sqlite3.DatabaseError as error:
            raise FauxtoError(f"{self.path} is damaged ({error}): delete it, and scan anew") from error

    def _begin(self, origin: str, owner: str) -> None:
        database = self._database
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("BEGIN EXCLUSIVE")
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'rows'").fetchone():
            for statement in filter(str.strip, _TABLES.split(";")):
                database.execute(statement)
            database.execute("INSERT INTO scan VALUES ('origin', ?), ('owner', ?)", (origin, _bytes(owner)))
        ((began_with,),) = database.execute("SELECT value FROM scan WHERE key = 'origin'").fetchall()
        database.commit()
        # Only now, so that the owner is in the file itself and not in a log, which `_owner` doesn't see.
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL"):
            database.execute(f"PRAGMA {pragma}")
        if began_with != origin:
            then, now = json.loads(began_with), json.loads(origin)
            changed = ", ".join(key for key in then | now if now.get(key) != then.get(key))
            raise ConfigError(
                f"{self.path} belongs to the {_owner(self.path)}, with another {changed}: go on as it began, give "
                "another --out, or delete it"
            )


def _owner(path: Path) -> str:
    """Return whose a journal is, also while another process writes to it."""
    try:
        # `immutable` asks for no lock; the owner is written once, before all else.
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as database:
            ((owner,),) = database.execute("SELECT value FROM scan WHERE key = 'owner'").fetchall()
        return _text(owner)
    except (sqlite3.Error, ValueError, AttributeError):
        return "scan"  # of an earlier fauxto, or no journal


def _tries_again(row: Row) -> int:
    """Tell what a resumed scan does about a row, in the words of the column `again`."""
    if row.status == Status.TIMED_OUT or _has_word(row, CRASHED):
        return _TRIED_AGAIN
    return _FORGOTTEN if _has_word(row, STORE_ERROR) or _has_word(row, NOT_LISTED) else 0


def _has_word(row: Row, word: str) -> bool:
    return f'"reasons": ["{word}: ' in row.report  # a quote inside of a text would be escaped


def _advice(error: sqlite3.OperationalError) -> str:
    """Say what to do about an error of SQLite's."""
    code = _code(error)
    if _is_locked(error):
        return "is another scan writing to it?"
    if code == sqlite3.SQLITE_FULL:
        return "make room on the disk"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return "its folder must be writable"
    return "look after the disk"


def _is_locked(error: sqlite3.OperationalError) -> bool:
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _code(error: sqlite3.OperationalError) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest is detail


def _bytes(key: str) -> bytes:
    return key.encode(errors="surrogatepass")  # SQLite's texts hold no path that isn't valid Unicode


def _text(key: bytes) -> str:
    return key.decode(errors="surrogatepass")
