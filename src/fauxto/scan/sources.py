"""From the sources that a person names to shards of inputs: files, folders, patterns, archives, tables, stores."""

from __future__ import annotations

import glob
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from fauxto.addresses import is_address
from fauxto.errors import FauxtoError
from fauxto.limits import Limits
from fauxto.report import Report, Status
from fauxto.scan import stores
from fauxto.scan.archives import Archive, is_archive
from fauxto.scan.items import NOT_LISTED, IsDone, Item, Shard
from fauxto.scan.tables import Table, is_table

_FILES = 512
"""Files of one shard."""


@dataclass(frozen=True, slots=True)
class Files:
    """Files and objects, each an item of its own."""

    listed: tuple[Item, ...]

    @property
    def prefix(self) -> str:
        """Their keys have nothing in common."""
        return ""

    def items(self, limits: Limits, is_done: IsDone) -> Iterator[Item]:
        """Yield the files that aren't done."""
        return (item for item in self.listed if not is_done(item.key))

    def count(self) -> int | None:
        """Return how many there are."""
        return len(self.listed)


class Sources:
    """What a person asked to scan.

    Attributes:
        links_passed: Symbolic links inside folders that the last listing didn't follow.
    """

    def __init__(
        self,
        sources: Sequence[str],
        *,
        column: str | None = None,
        follow_symlinks: bool = False,
        ignored: Collection[str] = (),
    ) -> None:
        """Name them.

        Args:
            sources: Paths of files, folders, archives and tables, patterns (`photos/**/*.jpg`), addresses of stores.
            column: The column of tables that holds paths or bytes; None for the usual ones.
            follow_symlinks: Whether to follow symbolic links inside folders, each folder once.
            ignored: Files inside folders that are no inputs: what the scan itself writes.
        """
        self._sources = tuple(sources)
        self._column = column
        self._follow = follow_symlinks
        self._ignored = frozenset(map(_place, ignored))
        self._ignored_names = frozenset(map(os.path.basename, ignored))  # the quick look comes first
        self.links_passed = 0

    def shards(self) -> Iterator[Shard]:
        """List the sources, as they are now; no more than one folder is open and one shard in memory at a time."""
        self.links_passed = 0
        for source in self._sources:
            yield from _packed(self._parts(source))

    def count(self) -> int | None:
        """Return how many inputs there are, or None where only reading them would tell."""
        if any(is_address(source) for source in self._sources):
            return None  # listing a bucket costs time and money: once is enough
        total = 0
        for shard in self.shards():
            count = shard.count()
            if count is None:
                return None
            total += count
        return total

    def _parts(self, source: str) -> Iterator[Item | Shard]:
        """Yield files one by one, and archives and tables that were named, also by a pattern, each as a whole."""
        if not is_address(source):
            # Not sorted, which would take a list of all; the table is.
            matches = iter(()) if os.path.lexists(source) else glob.iglob(source, recursive=True)  # noqa: PTH207
            for path in chain([next(matches, source)], matches):
                if os.path.isdir(path):  # noqa: PTH112 (a path object would change how rows are called)
                    yield from self._walk(path)
                else:
                    yield self._whole(path) or _file(path)
        elif "*" in source:
            for item in _objects(source):
                yield item if isinstance(item.source, Report) else self._whole(item.key) or item
        elif whole := self._whole(source):
            yield whole
        else:
            yield from _objects(source)

    def _whole(self, location: str) -> Archive | Table | None:
        if is_archive(location):
            return Archive(location)
        return Table(location, self._column) if is_table(location) else None

    def _walk(self, folder: str) -> Iterator[Item]:
        waiting = [folder]
        entered = set()
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(folder) as entries:
                    if self._follow:
                        facts = os.stat(folder)  # noqa: PTH116
                        if (facts.st_dev, facts.st_ino) in entered:
                            continue  # a link that leads round in a circle
                        entered.add((facts.st_dev, facts.st_ino))
                    for entry in entries:
                        if entry.is_symlink() and not self._follow:
                            self.links_passed += 1
                        elif _is_folder(entry):
                            waiting.append(entry.path)
                        elif not self._is_ignored(entry):
                            yield _file(entry.path, _size(entry))
            except OSError as error:
                yield _not_listed(folder, f"the folder can't be listed: {error.strerror}")

    def _is_ignored(self, entry: os.DirEntry[str]) -> bool:
        return entry.name in self._ignored_names and _place(entry.path) in self._ignored


def _place(path: str) -> tuple[str, str]:
    """Tell where a file lies, by whichever links its folder is reached; the file itself may be a link or not there."""
    folder, name = os.path.split(path)
    return os.path.realpath(folder), name


def _file(path: str, size: int = 0) -> Item:
    return Item(path, path, path, size)


def _not_listed(location: str, sentence: str) -> Item:
    return Item(location, location, Report.unjudged(location, Status.UNREADABLE, sentence, word=NOT_LISTED))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle, or through a file or a closed folder: its row says so
        return False


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError:
        return 0


def _objects(address: str) -> Iterator[Item]:
    try:
        for location, size in stores.listing(address):
            yield Item(location, location, location, size)
    except FauxtoError:
        raise
    except FileNotFoundError:
        unjudged = Report.unjudged(address, Status.NOT_FOUND, "there is nothing at this address")
        yield Item(address, address, unjudged)
    except Exception as error:  # each store's library has errors of its own
        message = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        yield _not_listed(address, f"the store can't be listed ({message})")


def _packed(parts: Iterator[Item | Shard]) -> Iterator[Shard]:
    listed: list[Item] = []
    for part in parts:
        if isinstance(part, Item):
            listed.append(part)
            if len(listed) < _FILES:
                continue
        if listed:
            yield Files(tuple(listed))
            listed = []
        if not isinstance(part, Item):
            yield part
    if listed:
        yield Files(tuple(listed))
