"""Pictures of known labels, as people have them: folders, archives and tables."""

from __future__ import annotations

import csv
import glob
import hashlib
import io
import itertools
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, NamedTuple

from fauxto.addresses import is_address
from fauxto.errors import DatasetError
from fauxto.lab.datasets.folders import collection_of
from fauxto.lab.datasets.manifest import LABELS
from fauxto.limits import Limits
from fauxto.scan import stores
from fauxto.scan.archives import is_archive
from fauxto.scan.items import IsDone, Item
from fauxto.scan.sources import Sources
from fauxto.scan.tables import is_table, lines
from fauxto.wording import printable


class Origin(NamedTuple):
    """What is known of a picture: its label, where it comes from, and, for an AI picture, what made it."""

    label: str
    source: str
    generator: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """A folder, an archive, a pattern or a table as it was named; of a table, `rows` has the origin of each row."""

    label: str | None
    location: str
    rows: Sequence[Origin] | None

    def origin(self, key: str) -> Origin:
        """Return the origin of the input with a `key` as `fauxto.scan.sources` makes it."""
        if self.rows is not None:
            number = key.removeprefix(f"{self.location}#")
            return self.rows[int(number) - 1] if number.isdecimal() else Origin(self.label or "", self.location, None)
        archive, _, member = key.partition("!/")
        in_archive = bool(member) and is_archive(archive)
        inside = member if in_archive else key.removeprefix(self._base).lstrip("/")
        collection = collection_of(PurePosixPath(inside.replace(os.sep, "/")))
        name = PurePosixPath(archive).name if in_archive else self._name
        return _origin(self.label or "", collection or name, collection)

    @property
    def digest(self) -> str | None:
        """The sha256 of a table that lies here; None of anything else."""
        is_file = self.rows is not None and Path(self.location).is_file()
        return hashlib.sha256(Path(self.location).read_bytes()).hexdigest() if is_file else None

    @property
    def _base(self) -> str:
        """What the path of every file in it begins with."""
        if glob.has_magic(self.location) and not os.path.lexists(self.location):
            plain = itertools.takewhile(lambda part: not glob.has_magic(part), PurePath(self.location).parts[:-1])
            return str(PurePath(*plain))
        return self.location if is_address(self.location) or Path(self.location).is_dir() else _parent(self.location)

    @property
    def _name(self) -> str:
        return Path(self._base or ".").resolve().name or self.location


class Labelled:
    """All pictures of an evaluation. The keys of its items begin with the number of the place that they are from."""

    def __init__(
        self, real: Sequence[str], ai: Sequence[str], manifests: Sequence[str], *, ignored: Collection[str] = ()
    ) -> None:
        """Look at what was named.

        Args:
            real: Folders, archives, patterns and tables of photographs.
            ai: The same of AI pictures.
            manifests: Tables with the columns `path` and `label`, maybe `source` and `generator`.
            ignored: Files inside folders that are no inputs: what the evaluation itself writes.

        Raises:
            DatasetError: One isn't there or can't be read, a label is unknown, or one lies on both sides.
        """
        named = [("real", location) for location in real] + [("ai", location) for location in ai]
        if not (named or manifests):
            raise DatasetError("name the pictures: --real FOLDER and --ai FOLDER, or --data MANIFEST")
        for _, location in [*named, *((None, location) for location in manifests)]:
            _check(location)
        if other := next((location for location in manifests if not is_table(location)), None):
            raise DatasetError(
                f"{other} is no manifest: that is a .csv or .parquet table with the columns path and label"
            )
        _check_apart(real, ai)
        self.places = [
            Place(label, location, _origins(location, label) if is_table(location) else None)
            for label, location in [*named, *((None, location) for location in manifests)]
        ]
        self._sources = [Sources([place.location], ignored=ignored) for place in self.places]

    def items(self, limits: Limits, is_done: IsDone) -> Iterator[Item]:
        """Yield the pictures that aren't done, in the order of the places."""
        for number, sources in enumerate(self._sources):
            for shard in sources.shards():
                done = _with_prefix(is_done, f"{number}:")
                yield from (replace(item, key=f"{number}:{item.key}") for item in shard.items(limits, done))

    def origin(self, key: str) -> Origin:
        """Return what is known of the picture with a key of `items`."""
        number, _, own = key.partition(":")
        return self.places[int(number)].origin(own)

    def count(self) -> int | None:
        """Return how many pictures there are, or None where only reading them would tell."""
        counts = [sources.count() for sources in self._sources]
        return None if None in counts else sum(filter(None, counts))

    @property
    def links_passed(self) -> int:
        """Symbolic links inside folders that the last listing didn't follow."""
        return sum(sources.links_passed for sources in self._sources)


def _with_prefix(is_done: IsDone, prefix: str) -> Callable[[str], bool]:
    return lambda key: is_done(prefix + key)


def _parent(path: str) -> str:
    return os.path.dirname(path)  # noqa: PTH120 (a path object would change how the file is called)


def _check(location: str) -> None:
    if is_address(location):
        return
    path = Path(location)
    if not os.path.lexists(location) and not any(glob.iglob(location, recursive=True)):  # noqa: PTH207
        raise DatasetError(f"{location} isn't there: name a folder, an archive or a table of pictures")
    if stores.name_of(location).endswith(".jsonl"):
        raise DatasetError(f"{location} can't be read as a table: write the scan with --out NAME.csv or NAME.parquet")
    try:
        if path.is_dir():
            next(path.iterdir(), None)
        elif path.is_file():
            path.open("rb").close()
    except OSError as error:
        raise DatasetError(f"{location} can't be read: {error.strerror}") from error


def _check_apart(real: Sequence[str], ai: Sequence[str]) -> None:
    local = [[Path(location).resolve() for location in side if not is_address(location)] for side in (real, ai)]
    for first in local[0]:
        for second in local[1]:
            if first.is_relative_to(second) or second.is_relative_to(first):
                raise DatasetError(
                    f"{first} and {second} hold the same pictures: keep photographs and AI pictures apart"
                )


def _origins(location: str, label: str | None) -> list[Origin]:
    """Read the origins of a table's rows; of a manifest, which has no `label` of its own as a whole, each row says it.

    Raises:
        DatasetError: The table can't be read, or a label is none, or not that which was named.
    """
    try:
        rows = list(_csv_rows(location) if stores.name_of(location).endswith(".csv") else _parquet_rows(location))
    except (OSError, ValueError, RuntimeError, csv.Error) as error:
        raise DatasetError(f"{location} can't be read as a table: {error}") from error
    origins = []
    for number, row in enumerate(rows, start=1):
        own = str(row.get("label") or "") or label
        if own not in LABELS:
            raise DatasetError(f"row {number:,} of {location} has the label {own!r}: a column `label` says real or ai")
        if label and own != label:
            raise DatasetError(f"row {number:,} of {location} says {own}, but it was named as {label}: use --data")
        generator = str(row.get("generator") or "") or None
        source = str(row.get("source") or "") or generator or PurePosixPath(location).name
        origins.append(_origin(own, source, generator))
    return origins


def _origin(label: str, source: str, generator: str | None) -> Origin:
    """Return an origin whose words, which a stranger may have chosen, are fit for tables and terminals."""
    return Origin(label, printable(source), printable(generator) if generator and label == "ai" else None)


def _csv_rows(location: str) -> Iterator[Mapping[str, Any]]:
    with io.TextIOWrapper(stores.open_location(location), "utf-8-sig", errors="surrogateescape", newline="") as text:
        rows = csv.reader(lines(text))
        names = next(rows, [])
        yield from (dict(zip(names, row, strict=False)) for row in rows if row)


def _parquet_rows(location: str) -> Iterator[Mapping[str, Any]]:
    from pyarrow import parquet

    with stores.open_location(location) as file:
        table = parquet.ParquetFile(file)
        names = [name for name in ("label", "source", "generator") if name in table.schema_arrow.names]
        for batch in table.iter_batches(columns=names, use_threads=False):
            yield from batch.to_pylist() if names else ({} for _ in range(batch.num_rows))
