"""Scans of many pictures: from sources to a table of reports, with a journal that survives a kill.

    sources.py    files, folders and patterns -> shards of inputs; archives.py (with tar_headers.py), tables.py
                  and stores.py open others
    items.py      one input and its row: the same for every engine
    reuse.py      copies of a picture are judged once
    local.py      the local engine; ray.py the cluster engine
    system_files.py  what macOS and Windows keep for themselves, which is passed over
    journal.py    the rows so far
    watching.py   new files of folders, until it is interrupted; notices.py tells of them
    gallery.py    the pictures of a scan as a page
    sorting.py    sorts files into folders by verdict
    measuring.py  speed and memory on this machine

docs/how-to/scan.md is the same for people.
"""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

from fauxto import __version__, export
from fauxto.addresses import is_address
from fauxto.choices import Engine
from fauxto.cores import cores
from fauxto.errors import ConfigError
from fauxto.options import DetectorOptions
from fauxto.report import Status
from fauxto.scan import local
from fauxto.scan.files import check_place, journal_of, replaced, unfinished
from fauxto.scan.items import PASSED_OVER, Item, Row
from fauxto.scan.journal import Journal
from fauxto.scan.sources import Sources

__all__ = ["Scan"]

OnProgress = Callable[[int, int | None], None]
"""Called with the number of rows so far, and the total number of inputs if known."""

_NAMED = 3
"""Sources that a journal's owner is named by."""


class Scan:
    """A scan of many pictures into one table; a context manager around its journal, a file next to the table.

        with Scan(["photos", "more.zip"], Path("results.parquet")) as scan:
            scan.run()
            scan.write()
            scan.finish()

    The local engine starts processes: scripts must guard their own code with `if __name__ == "__main__":`.

    Attributes:
        journal: The rows so far.
        sources: What is scanned.
        named: The same as it was named.
        options: Options of the detector.
    """

    def __init__(
        self,
        sources: Sequence[str],
        out: Path,
        options: DetectorOptions | None = None,
        *,
        resume: bool = False,
        column: str | None = None,
        follow_symlinks: bool = False,
        pages: Sequence[Path] = (),
        watched: bool = False,
    ) -> None:
        """Check the arguments, and open the journal.

        Args:
            sources: See `Sources`.
            out: The table to write; its ending names the format.
            options: Options of the detector.
            resume: Whether to continue an interrupted scan; what took too long or ended its process is tried again.
            column: See `Sources`.
            follow_symlinks: See `Sources`.
            pages: Other output files; like the table, they aren't inputs.
            watched: Whether a `Watch` fills the journal, whose keys say more than a scan's.

        Raises:
            FauxtoError: The model, the table's format or place, a page's place or the journal can't be used.
        """
        export.write((), io.BytesIO(), export.format_of(out))  # fail now rather than after hours
        for path in (out, *pages):
            check_place(path, sources)
        if out in pages:
            raise ConfigError(f"{out} can't be both the table and a page; use two names")
        journal = journal_of(out)
        own = [journal, Path(f"{journal}-wal"), Path(f"{journal}-journal")]
        for path in (out, *pages):
            own += [path, unfinished(path)]
        ignored = [str(path) for path in own]
        self.sources = Sources(sources, column=column, follow_symlinks=follow_symlinks, ignored=ignored)
        self.named = tuple(sources)
        self._out = out
        self.options = options = options or DetectorOptions()
        from fauxto.detector import Detector

        bundles = Detector.from_options(options).bundles
        origin = {
            "version of fauxto": __version__,
            # As they were named, which the keys come from, and what that means from this folder.
            "source": [[name, name if is_address(name) else os.path.abspath(name)] for name in sources],  # noqa: PTH100
            "model": [[bundle.name, bundle.version, bundle.model_sha256] for bundle in bundles],
            "operating point": options.operating_point,
            "--personal": options.personal,
            "trust list": options.trust_list and options.trust_list.read_text(),
            "--column": column,
            "--follow-symlinks": follow_symlinks,
            "evidence": options.evidence,
            "limits": dataclasses.asdict(options.limits),
            **({"--watch": True} if watched else {}),
        }
        self.journal = Journal(journal, origin, resume=resume, owner=_owner(sources, watched=watched))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.journal.close()

    def run(
        self,
        engine: Engine | str = Engine.LOCAL,
        *,
        workers: int | None = None,
        address: str | None = None,
        on_progress: OnProgress = lambda done, total: None,
    ) -> int:
        """Judge every input that isn't done, and return how many rows came of them.

        Args:
            engine: "local" or "ray".
            workers: Processes of this machine or actors of Ray; None for one per core.
            address: Of a Ray cluster; None for a new one on this machine.
            on_progress: Called after each row.

        Raises:
            FauxtoError: The scan can't continue; the rows so far are in the journal.
        """
        done, added, total = self.journal.done(), 0, self.sources.count()
        on_progress(done, total)
        try:
            for row in self._rows(engine, workers, address):
                is_new = self.journal.add(row)
                done += is_new
                added += is_new and row.status != PASSED_OVER
                on_progress(done, total)
        finally:
            self.journal.commit()
        return added

    def write(self) -> None:
        """Write the table from all rows so far, sorted by key; the write is atomic."""
        with replaced(self._out) as file:
            export.write(self.journal.reports(), file, export.format_of(self._out))

    def failed_sources(self) -> dict[str, str]:
        """Return the sources that aren't there or can't be read, as they were named, each with what happened.

        An archive or table that breaks off counts; a single file that is no picture doesn't.
        """
        failed = {}
        for source in self.named:
            for key in (source, f"{source}!/", f"{source}#"):  # itself, or the rest of an archive or a table
                report = self.journal.report(key)
                if report is not None and (key != source or _was_not_read(source, report.status)):
                    failed[source] = report.reasons[0].sentence
        return failed

    def finish(self) -> None:
        """Delete the journal, once the table is written."""
        self.journal.delete()

    def _rows(self, engine: Engine | str, workers: int | None, address: str | None) -> Iterator[Row]:
        if Engine(engine) is Engine.RAY:
            from fauxto.scan import ray

            return ray.run(self.sources.shards(), self.journal, self.options, address=address, workers=workers)
        return local.run(self._items(), self.options, workers or cores())

    def _items(self) -> Iterator[Item]:
        for shard in self.sources.shards():
            yield from shard.items(self.options.limits, self.journal.is_done)


def _owner(sources: Sequence[str], *, watched: bool) -> str:
    """Say whose a journal is: by the names that were given, and from where, which both matter to resume it."""
    more = len(sources) - _NAMED
    names = f"{', '.join(sources[:_NAMED])}{f' and {more:,} more' if more > 0 else ''}"
    return f"{'watch' if watched else 'scan'} of {names} (started in {os.getcwd()})"  # noqa: PTH109


def _was_not_read(source: str, status: str) -> bool:
    is_readable = os.path.isfile(source) and os.access(source, os.R_OK)  # noqa: PTH113
    return status in (Status.NOT_FOUND, Status.NOT_A_FILE) or (status == Status.UNREADABLE and not is_readable)
