"""One input of a scan and the row that it becomes: the same for every source and in every engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from fauxto.detector import Detector
from fauxto.errors import FauxtoError
from fauxto.limits import Limits
from fauxto.report import Report, Status
from fauxto.scan import stores

IsDone = Callable[[str], bool]
"""Tells by its key whether an input has its row already."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an input isn't even looked at; `reason` is led by a stable word and a colon."""

    status: Status
    reason: str


@dataclass(frozen=True, slots=True)
class Item:
    """One input.

    Attributes:
        key: What tells it from every other input of the scan; rows come out in the order of the keys' bytes.
        path: What its row calls it.
        source: A path, the address of an object, the bytes of a file, or why there is nothing to look at.
        size: Of the file in bytes, as far as it is known without reading it.
    """

    key: str
    path: str
    source: str | bytes | Refusal
    size: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """What becomes of an input: its report as JSON without timings, so that the same input gives the same row.

    `file` is the local file that was judged; None for members of archives, cells of tables and objects in a store.
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


@dataclass(frozen=True, slots=True)
class Judging:
    """How to make the detector of a scan, in whichever process or machine; the names are `Detector`'s."""

    model: str | Path | None = None
    operating_point: str = "balanced"
    limits: Limits = field(default_factory=Limits)
    personal: bool = False
    trust_list: Path | None = None

    def detector(self, threads: int | None = None) -> Detector:
        """Make it; raises BundleError and ConfigError as `Detector` does."""
        return Detector(
            self.model,
            operating_point=self.operating_point,
            limits=self.limits,
            threads=threads,
            personal=self.personal,
            trust_list=self.trust_list,
        )


def judge(item: Item, detector: Detector) -> Row:
    """Return an input's row, whatever happens to it; raises as `report_on`."""
    return row_of(item, report_on(item, detector))


def report_on(item: Item, detector: Detector) -> Report:
    """Return the report on an input, whatever happens to it.

    Each picture goes through the network on its own: its score is then the same to the last bit in whatever company,
    order or engine it came, and no more than one decoded picture is in memory.

    Raises:
        FauxtoError: The network can't be opened or fails; no other picture would fare better.
    """
    try:
        return _judge(item, detector)
    except FauxtoError:
        raise
    except Exception as error:  # one row an input: a fault of ours, or of a plug-in, must not end a scan of a million
        said = " ".join(str(error).split())[:200]
        return _refused(item, Refusal(Status.UNREADABLE, f"internal_error: {type(error).__name__}: {said}"))


def refuse(item: Item, status: Status, reason: str) -> Row:
    """Return the row of an input that can't be judged."""
    return row_of(item, _refused(item, Refusal(status, reason)))


def row_of(item: Item, report: Report) -> Row:
    """Return the row that `report` makes for an input."""
    plain: dict[str, Any] = replace(report, milliseconds={}).to_dict()
    file = item.source if isinstance(item.source, str) and not stores.is_address(item.source) else None
    return Row(item.key, report.status, report.verdict, json.dumps(plain, allow_nan=False), file)


def _judge(item: Item, detector: Detector) -> Report:
    if isinstance(item.source, Refusal):
        return _refused(item, item.source)
    if isinstance(item.source, bytes) or not stores.is_address(item.source):
        return detector.analyze(item.source, name=item.path)
    try:
        file = stores.open_address(item.source)
    except FileNotFoundError:
        return _refused(item, Refusal(Status.NOT_FOUND, "not_found: there is no object at this address"))
    except FauxtoError:
        raise
    except Exception as error:  # each store's library has errors of its own
        said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        return _refused(item, Refusal(Status.UNREADABLE, f"unreadable: the object can't be opened ({said})"))
    with closing(file):
        return detector.analyze(file, name=item.path)


def _refused(item: Item, why: Refusal) -> Report:
    return Report(item.path, why.status, reasons=(why.reason,))
