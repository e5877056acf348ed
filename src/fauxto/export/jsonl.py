"""JSON Lines: one whole report a line (docs/reference/report.md); the format that loses nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from fauxto.export.table import TableWriter
from fauxto.report import Report


class JsonlWriter(TableWriter):
    """Writes a report a line, in ASCII: any path survives, even one that is no valid Unicode."""

    def write(self, report: Report) -> None:
        """Add one report."""
        self._file.write(json.dumps(report.to_dict(), allow_nan=False).encode("ascii") + b"\n")


def read(path: str | os.PathLike[str]) -> Iterator[Report]:
    """Yield the reports of a file that `JsonlWriter` wrote.

    A last line that a killed writer left unfinished is passed over.

    Raises:
        OSError: The file can't be read.
        ValueError: A line is no report; the message has its number.
    """
    with Path(path).open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                report = Report.from_dict(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                if not line.endswith(b"\n"):
                    return
                raise ValueError(f"line {number} of {os.fspath(path)!r} is no report ({error!r})") from error
            yield report
