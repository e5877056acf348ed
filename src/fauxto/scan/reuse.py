"""A detector for scans, in which the same bytes often come again: copies of a picture are judged once."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import replace
from functools import cached_property
from pathlib import PurePath

from fauxto.detector import Detector, Source
from fauxto.errors import ImageError
from fauxto.images import read_bytes
from fauxto.inside import Rectangle
from fauxto.report import Report, Status

_CHARACTERS = 4_000_000
"""Of the reports that are kept, as JSON: those of some 1,500 pictures; as objects they take a few times as much."""


class ReusingDetector(Detector):
    """A detector that keeps its latest reports, and gives them again for files with the same bytes and ending.

    All that a report says of a file comes from its bytes, but for two things: its path, and a note where its ending
    belies its content. So a report that is given again is to the last bit what judging would give, without timings.
    """

    def analyze(self, source: Source, *, name: str | None = None, crop: Rectangle | None = None) -> Report:
        """Judge one picture, or find the report on its bytes; arguments, result and errors as `Detector.analyze`."""
        if crop is not None or not isinstance(source, (str, bytes)):
            return super().analyze(source, name=name, crop=crop)
        name = source if name is None and isinstance(source, str) else name
        try:
            data = read_bytes(source, self.limits)
        except ImageError as error:
            return Report.unjudged(name, error.status, str(error))
        key = hashlib.sha256(data).digest(), PurePath(name or "").suffix.lower()
        if kept := self._kept.find(key):
            return replace(kept, path=name)
        report = super().analyze(data, name=name)
        if report.status is Status.OK:
            self._kept.add(key, replace(report, milliseconds={}))
        return report

    @cached_property
    def _kept(self) -> _Kept:
        return _Kept()


class _Kept:
    """Reports by what they are on; the longest unused are dropped once they are too long together."""

    def __init__(self) -> None:
        self._reports: OrderedDict[tuple[bytes, str], tuple[Report, int]] = OrderedDict()
        self._characters = 0

    def find(self, key: tuple[bytes, str]) -> Report | None:
        if key not in self._reports:
            return None
        self._reports.move_to_end(key)
        return self._reports[key][0]

    def add(self, key: tuple[bytes, str], report: Report) -> None:
        length = len(json.dumps(report.to_dict()))
        _, before = self._reports.get(key, (None, 0))
        self._reports[key] = report, length
        self._characters += length - before
        while self._characters > _CHARACTERS:
            _, (_, dropped) = self._reports.popitem(last=False)
            self._characters -= dropped
