"""The members of ZIP and TAR archives, read as streams: nothing is unpacked to disk, and memory is bounded."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from fauxto.addresses import is_address
from fauxto.errors import ImageError
from fauxto.images import read_bytes
from fauxto.limits import Limits
from fauxto.report import Report, Status
from fauxto.scan import stores
from fauxto.scan.items import STORE_ERROR, IsDone, Item
from fauxto.scan.tar_headers import StrictHeader

_UNPACKERS = {
    ".tar": None,
    ".tar.gz": gzip.open,
    ".tgz": gzip.open,
    ".tar.bz2": bz2.open,
    ".tar.xz": lzma.open,
}

DAMAGE = (  # what the standard library's readers raise on damaged or hostile archives
    tarfile.TarError,
    zipfile.BadZipFile,
    lzma.LZMAError,
    zlib.error,
    struct.error,  # a header that ends too soon
    EOFError,
    MemoryError,  # a compression dictionary of absurd size
    OSError,  # bz2 on damage; disk errors
    RuntimeError,  # encrypted; NotImplementedError for an unknown compression
    ValueError,  # a name with invalid encoding, an invalid number
)

_MAX_DIRECTORY = 32 * 1024 * 1024
"""Bytes of a ZIP's directory, all of which is read at once: some 300,000 members."""

_MAX_RATIO = 100
_FREE_BYTES = 256 * 1024 * 1024
"""An archive may unpack to this, or to `_MAX_RATIO` times its own size, whichever is more."""

_unreadable = partial(Report.unjudged, None, Status.UNREADABLE)
_NOT_PLAIN = _unreadable("the member's name isn't a plain relative path", word="unsafe_name")
_TWICE = _unreadable("an earlier member of the archive has the same name", word="duplicate_name")
_NO_FILE = Report.unjudged(None, Status.NOT_A_FILE, "the member is a link, a device or a sparse file")
_ENCRYPTED = _unreadable("the member is encrypted; unpack the archive with its password", word="encrypted")
_COMPRESSION = _unreadable(
    "the member isn't stored or deflated; repack the archive with the usual compression", word="compression"
)
_BOMB = (
    f"the archive unpacks to more than {_MAX_RATIO} times its size; the rest was not read; "
    "unpack it yourself if you trust it"
)


def is_archive(location: str) -> bool:
    """Tell by its ending whether a path or address is that of an archive."""
    return stores.name_of(location).endswith((".zip", *_UNPACKERS))


def is_plain(name: str) -> bool:
    """Tell whether a member's name is a relative path without `..`, backslashes or control characters."""
    path = PurePosixPath(name)
    return name.isprintable() and bool(name) and not (path.is_absolute() or ".." in path.parts or "\\" in name)


@dataclass(frozen=True, slots=True)
class Archive:
    """A ZIP or TAR archive; its members' keys are `LOCATION!/MEMBER`, and archives within it stay closed."""

    location: str

    @property
    def prefix(self) -> str:
        """What the keys of its members begin with."""
        return f"{self.location}!/"

    def count(self) -> int | None:
        """Return the number of a ZIP's files; a TAR would have to be read to its end."""
        if not stores.name_of(self.location).endswith(".zip") or is_address(self.location):
            return None
        try:
            with Path(self.location).open("rb") as file:
                return len(zip_names(file))
        except DAMAGE:
            return None

    def items(self, limits: Limits, is_done: IsDone) -> Iterator[Item]:
        """Yield the members in the archive's order, each with its bytes or the reason why they weren't read.

        A damaged archive or a bomb ends with one item that says so; its key is the bare prefix.
        """
        seen = {hash(self.prefix)}  # of keys: the prefix alone is that of the row on damage
        with ExitStack() as stack:
            try:
                file = stack.enter_context(stores.open_location(self.location))
                members = zip_members if stores.name_of(self.location).endswith(".zip") else _tar_members
                for ordinal, (name, content) in enumerate(members(file, self.location, limits)):
                    key = self.prefix + name
                    while hash(key) in seen:
                        key, content = f"{key}#{ordinal}", _TWICE if name else _NOT_PLAIN
                    seen.add(hash(key))
                    if is_done(key):
                        continue
                    source = content if isinstance(content, Report) else content.read()
                    yield Item(key, key, source, len(source) if isinstance(source, bytes) else 0)
            except DAMAGE as error:
                if not is_done(self.prefix):
                    yield Item(self.prefix, self.prefix, cut_short(self.prefix, error))


class Bomb(tarfile.TarError):
    """The archive unpacks to more than it may."""


def cut_short(path: str, error: Exception) -> Report:
    """Return the report on an archive of which the rest wasn't read: `error` is a `Bomb` or other `DAMAGE`."""
    if isinstance(error, Bomb):
        return Report.unjudged(path, Status.UNREADABLE, str(error), word="archive_bomb")
    status = Status.NOT_FOUND if isinstance(error, FileNotFoundError) else Status.UNREADABLE
    word = STORE_ERROR if stores.is_fault(error) else "damaged_archive"
    return Report.unjudged(path, status, f"the rest isn't readable: {error}", word=word)


class Careful:
    """An archive's bytes; refuses single reads larger than `most`, which false headers may request."""

    def __init__(self, file: BinaryIO, most: int = _MAX_DIRECTORY) -> None:
        self._file = file
        self.most = most
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes; negative for all that are left."""
        if size < 0:  # all that is left: a ZIP's end
            position = self.tell()
            size = self.seek(0, 2) - self.seek(position)
        if not 0 <= size <= self.most:
            raise tarfile.ReadError(f"a header asks for {size:,} bytes at once")
        return self._file.read(size)


@dataclass(slots=True)
class _Member:
    """A member that may be read once, before the next one is asked for."""

    file: BinaryIO
    limits: Limits
    careful: Careful

    def read(self) -> bytes | Report:
        """Return its bytes, or the reason why not; damage of the archive is raised."""
        most, self.careful.most = self.careful.most, self.limits.max_bytes + 65_536
        try:
            return read_bytes(self.file, self.limits)
        except ImageError as error:
            if isinstance(error.__cause__, stores.StoreError):  # no other member would fare better
                raise error.__cause__ from None
            return Report.unjudged(None, error.status, str(error))
        finally:
            self.careful.most = most


def zip_members(file: BinaryIO, _: str, limits: Limits) -> Iterator[tuple[str, _Member | Report]]:
    """Yield the files of a ZIP: each name, with the member (read it before the next) or why it can't be read.

    Raises:
        Bomb: They unpack to more than they may.
        OSError, ValueError and others of `DAMAGE`: The archive is damaged.
    """
    allowed = max(_FREE_BYTES, _MAX_RATIO * stores.size_of(file))
    careful = Careful(file)
    with zipfile.ZipFile(careful) as archive:
        for info in archive.infolist():
            if is_folder(info):
                continue
            if refusal := _refuse_zip(info):
                yield info.filename, refusal
                continue
            # Count its largest cost, read or not: a resumed scan must stop where an uninterrupted one would.
            allowed -= max(min(info.file_size, limits.max_bytes), info.compress_size)
            if allowed < 0:
                raise Bomb(_BOMB)
            try:
                opened = archive.open(info)
            except DAMAGE as error:  # only this member is damaged
                if stores.is_fault(error):
                    raise
                yield info.filename, _unreadable(f"it can't be read from the archive: {error}", word="damaged_member")
                continue
            with opened:
                yield info.filename, _Member(cast(BinaryIO, opened), limits, careful)


def is_folder(info: zipfile.ZipInfo) -> bool:
    """Tell by its name whether a ZIP's member is a folder; `ZipInfo.is_dir` fails on a member without a name."""
    return info.filename.endswith("/")


def _refuse_zip(info: zipfile.ZipInfo) -> Report | None:
    if not is_plain(info.filename):
        return _NOT_PLAIN
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return _NO_FILE
    if info.flag_bits & 0x1:
        return _ENCRYPTED
    # The standard library unpacks any other method in one piece, however large.
    return None if info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) else _COMPRESSION


def zip_names(file: BinaryIO) -> list[str]:
    """Return the names of a ZIP's files, as far as its directory tells the truth; raises one of `DAMAGE`."""
    with zipfile.ZipFile(Careful(file)) as archive:
        return [info.filename for info in archive.infolist() if not is_folder(info)]


def _tar_members(file: BinaryIO, location: str, limits: Limits) -> Iterator[tuple[str, _Member | Report]]:
    name = stores.name_of(location)
    unpack = next(unpack for ending, unpack in _UNPACKERS.items() if name.endswith(ending))
    allowed = max(_FREE_BYTES, _MAX_RATIO * stores.size_of(file))
    with ExitStack() as stack:
        plain = stack.enter_context(unpack(file, "rb")) if unpack else file
        careful = Careful(cast(BinaryIO, plain), limits.max_metadata_bytes)
        # Not tarfile's streaming mode, which buffers reads of any size in memory.
        archive = stack.enter_context(tarfile.open(fileobj=cast(IO[bytes], careful), mode="r:", tarinfo=StrictHeader))
        while (info := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # otherwise it keeps them all
            if unpack and archive.offset > allowed:
                raise Bomb(_BOMB)
            if info.isdir():
                continue
            if not is_plain(info.name):
                yield info.name, _NOT_PLAIN
            elif not info.isreg() or info.issparse():
                yield info.name, _NO_FILE
            else:
                with cast(IO[bytes], archive.extractfile(info)) as opened:
                    yield info.name, _Member(cast(BinaryIO, opened), limits, careful)
