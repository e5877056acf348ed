"""One input of a scan and the row that it becomes: the same for every source and in every engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from fauxto.addresses import is_address
from fauxto.detector import Detector
from fauxto.errors import FauxtoError, ImageError
from fauxto.images import read_bytes
from fauxto.limits import Limits
from fauxto.report import Report, Status
from fauxto.scan import stores
from fauxto.scan.system_files import is_system_file

IsDone = Callable[[str], bool]
"""Tells by its key whether an input has its row already."""

PASSED_OVER = "passed_over"
"""In the place of a status: the input is a file that the system keeps for itself, counted and in no table."""

CRASHED = "crashed"
"""Word of the reason where judging an input ended its process."""

STORE_ERROR = "store_error"
"""Word of the reason where an object store failed, again and again; a resumed scan asks it anew."""

NOT_LISTED = "not_listed"
"""Word of the reason where a folder or a store couldn't be listed; a resumed scan lists it anew."""

_HEAD = 64  # bytes that tell what a file is


@dataclass(frozen=True, slots=True)
class Item:
    """One input.

    Attributes:
        key: What tells it from every other input of the scan; rows come out in the order of the keys' bytes.
        path: What its row calls it.
        source: A path, the address of an object, the bytes of a file, or the report where there is nothing to look at;
            its path is that of the item.
        size: Of the file in bytes, as far as it is known without reading it.
        is_cell: Whether a table names it; then it has its row in any case.
    """

    key: str
    path: str
    source: str | bytes | Report
    size: int = 0
    is_cell: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What becomes of an input: its report as JSON without timings, so that the same input gives the same row.

    `file` is the local file that was judged; None for members of archives, cells of tables and objects in a store.
    The row of a file that was passed over has the status `PASSED_OVER` and an empty report.
    """

    key: str
    status: str
    verdict: str | None
    report: str
    file: str | None


class Shard(Protocol):
    """A part of the inputs, small enough to be sent to another machine and opened there."""

    @property
    def prefix(self) -> str:
        """What the keys of all its items begin with."""

    def items(self, limits: Limits, is_done: IsDone) -> Iterator[Item]:
        """Yield the items that aren't done; content is read only for these."""

    def count(self) -> int | None:
        """Return how many items there are, or None where only reading it all would tell."""


def judge(item: Item, detector: Detector) -> Row:
    """Return an input's row, whatever happens to it; raises as `report_on`."""
    report = report_on(item, detector)
    return row_of(item, report) if report.status is Status.OK else row_of_unjudged(item, report)


def report_on(item: Item, detector: Detector) -> Report:
    """Return the report on an input, whatever happens to it.

    Each picture goes through the network on its own: its score is then the same to the last bit in whatever company,
    order or engine it came, and no more than one decoded picture is in memory.

    Raises:
        FauxtoError: The network can't be opened or fails; no other picture would fare better.
    """
    try:
        source = item.source
        if isinstance(source, str) and is_address(source):
            source = fetched(item, detector.limits).source
        if isinstance(source, Report):
            return replace(source, path=item.path)
        return detector.analyze(source, name=item.path)
    except FauxtoError:
        raise
    except Exception as error:  # one row an input: a fault of ours, or of a plug-in, must not end a scan of a million
        return internal_error(item, error)


def internal_error(item: Item, error: Exception) -> Report:
    """Return the report on an input that met a fault of ours."""
    sentence = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return Report.unjudged(item.path, Status.UNREADABLE, sentence, word="internal_error")


def row_of_unjudged(item: Item, report: Report) -> Row:
    """Return the row of an input that couldn't be judged, which may be a file that the system keeps for itself."""
    if not item.is_cell and is_kept_by_system(item):
        return Row(item.key, PASSED_OVER, None, "", None)
    return row_of(item, report)


def row_of(item: Item, report: Report) -> Row:
    """Return the row that `report` makes for an input."""
    plain: dict[str, Any] = replace(report, milliseconds={}).to_dict()
    file = item.source if isinstance(item.source, str) and not is_address(item.source) else None
    return Row(item.key, report.status, report.verdict, json.dumps(plain, allow_nan=False), file)


def fetched(item: Item, limits: Limits) -> Item:
    """Return an item whose source is an address with the object's bytes, or with the report on why they didn't come.

    Raises:
        FauxtoError: Nothing can be read from such addresses: a library isn't installed, for one.
    """
    source: bytes | Report
    try:
        with stores.open_address(str(item.source)) as file:
            source = read_bytes(file, limits)
    except FileNotFoundError:
        source = Report.unjudged(item.path, Status.NOT_FOUND, "there is no object at this address")
    except ImageError as error:
        cause = error.__cause__ if isinstance(error.__cause__, stores.StoreError) else None
        source = Report.unjudged(item.path, error.status, str(cause or error), word=STORE_ERROR if cause else None)
    except stores.StoreError as error:
        source = Report.unjudged(item.path, Status.UNREADABLE, str(error), word=STORE_ERROR)
    except FauxtoError:
        raise
    except Exception as error:  # each store's library has errors of its own
        message = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        source = Report.unjudged(item.path, Status.UNREADABLE, f"the object can't be opened ({message})")
    return replace(item, source=source)


def is_kept_by_system(item: Item) -> bool:
    """Tell by an item's name and first bytes whether it is a file that macOS or Windows keeps for itself."""
    if isinstance(item.source, Report):  # it wasn't read, so it may be anything
        return False
    if isinstance(item.source, bytes):
        return is_system_file(item.path, item.source[:_HEAD])
    if not is_address(item.source) and not Path(item.source).is_file():  # opening a pipe would wait for ever
        return False
    try:
        with stores.open_location(item.source) as file:
            return is_system_file(item.path, file.read(_HEAD))
    except Exception:  # each store's library has errors of its own; the row says that it can't be read
        return False
