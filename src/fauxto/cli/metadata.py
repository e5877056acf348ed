"""What `fauxto check --metadata` adds to each report: all that the file's metadata states."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fauxto import images
from fauxto.detector import Detector
from fauxto.errors import ImageError
from fauxto.evidence.listing import FileMetadata, read_metadata
from fauxto.export import metadata_section
from fauxto.images.source import File
from fauxto.limits import Limits
from fauxto.report import Report, Status

_WIDEST_NAME = 36


class WithMetadata:
    """Judges pictures and shows each report with the metadata of its file."""

    def __init__(self, detector: Detector, show_report: Callable[[Report], None] | None) -> None:
        """Take what judges, and what prints a report; None for JSON, in which the metadata is one more key."""
        self._detector = detector
        self._show_report = show_report
        self._metadata: FileMetadata | None = None
        self._console = Console()

    def judge(self, sources: Iterable[File]) -> Iterator[Report]:
        """Yield a report for each picture, to be shown before the next one is asked for; each file is read once."""
        options = self._detector.options
        for source in sources:
            name = os.fsdecode(source) if isinstance(source, (str, os.PathLike)) else "-"
            data = _read(source, options.limits)
            report = self._detector.analyze(data, name=name)
            if report.status is Status.OK:
                self._metadata = read_metadata(
                    data, personal=options.personal, limits=options.limits, trust_list=options.trust_list
                )
            yield report
            self._metadata = None

    def show(self, report: Report) -> None:
        """Print the report that came last from `judge`, with its metadata."""
        if self._show_report is None:
            metadata = None if self._metadata is None else self._metadata.to_dict()
            typer.echo(json.dumps({**report.to_dict(), "metadata": metadata}, allow_nan=False))
            return
        self._show_report(report)
        if self._metadata is not None:
            show(self._metadata, self._console)


def _read(source: File, limits: Limits) -> File:
    """Return the bytes of a file, or the file where the detector is to say why it has none."""
    if not isinstance(source, (str, os.PathLike, bytes, bytearray, memoryview)):
        return source.read(limits.max_bytes + 1)
    try:
        return images.read_bytes(source, limits)
    except ImageError:
        return source


def show(metadata: FileMetadata, console: Console) -> None:
    """Print what the metadata states; nothing in it steers the terminal."""
    console.print(Text("Metadata", style="bold"))
    _table(metadata_section.glance_rows(metadata), console)
    if metadata.thumbnail is not None:
        console.print(Text(metadata.thumbnail_sentence))
    if metadata.credential is not None:
        console.print(Text("\nContent credential, the oldest entry first", style="bold"))
        console.print(Text(metadata_section.outcome_in_words(metadata.credential)))
        for entry in metadata.credential.entries:
            vouched = metadata_section.VOUCHED[entry.is_vouched]
            console.print(Text(f"\n● {metadata_section.signer_in_words(entry)} ({vouched})"))
            console.print(Text(f"  {metadata_section.when_and_how(entry)}", style="dim"))
            for step in entry.steps:
                console.print(Text(f"  - {metadata_section.step_in_words(step)}"))
            for source in entry.sources:
                console.print(Text(f"  from {metadata_section.source_in_words(source)}"))
    for where, fields in groupby(metadata.fields, key=lambda field: field.where):
        console.print(Text(f"\n{where}", style="bold"))
        _table([(field.name or "text", field.value) for field in fields], console)
    closing = metadata_section.what_is_withheld(metadata)
    if metadata.withheld:
        closing += " --personal shows them."
    console.print(Text(closing or ("" if metadata.fields else metadata_section.NO_FIELDS)))


def _table(rows: Iterable[tuple[str, str]], console: Console) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(max_width=_WIDEST_NAME, overflow="fold", style="dim")
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(Text(label), Text(value))
    if table.rows:
        console.print(table)
