"""The files of an archive or a folder, one after another, read in memory: nothing is unpacked to the disk."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from fauxto.errors import DatasetError, ImageError
from fauxto.images import read_bytes
from fauxto.report import Status
from fauxto.scan.archives import DAMAGE, is_folder, is_plain
from fauxto.scan.tar_headers import StrictHeader


@dataclass(frozen=True, slots=True)
class Member:
    """One regular file of a source.

    Attributes:
        name: Its path inside the source, with forward slashes.
        read: Returns its bytes; call it before asking for the next member. Raises `ImageError`.
        done: Share of the source that lies behind once this member is read, in [0, 1].
    """

    name: str
    read: Callable[[], bytes]
    done: float


def fingerprint(source: Path) -> str:
    """Return the sha256 of an archive's bytes, or of the sorted names and sizes of a folder's files.

    Raises:
        DatasetError: There is neither, or a sub-folder can't be listed.
    """
    if not source.is_dir():
        if not source.is_file():
            raise DatasetError(f"there is no archive or folder at {source}; check the path")
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    for path in _files(source):
        digest.update(f"{path.relative_to(source).as_posix()}\0{path.stat().st_size}\n".encode(errors="replace"))
    return digest.hexdigest()


def members(source: Path) -> Iterator[Member]:
    """Yield the regular files of a folder, a .zip or a .tar (plain, .gz, .bz2, .xz), told apart by content.

    A folder's files come sorted, an archive's in the order of the archive. Links, devices and directories are
    passed over. A member that can't be trusted or read (an absolute name, one with `..` or control
    characters, an encrypted member) is yielded all the same, and its `read` raises `ImageError`.

    Raises:
        DatasetError: The source is none of these, or is damaged.
    """
    if source.is_dir():
        return _folder_members(source)
    with source.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    return _zip_members(source) if is_zip else _tar_members(source)


def read_file(path: Path, name: str) -> bytes:
    """Return the bytes of a folder's file; `name` is its path inside the folder, and all that an error tells.

    Raises:
        ImageError: It can't be read, or its name can't be trusted.
    """
    _check_name(name)
    try:
        return read_bytes(path)
    except ImageError as error:  # the reason is kept in dataset.json, where this machine's folders don't belong
        raise ImageError(error.status, str(error).replace(ascii(str(path)), ascii(name))) from error


def _files(folder: Path) -> list[Path]:
    return sorted(
        Path(parent, name)
        for parent, _, names in os.walk(folder, onerror=_refuse)
        for name in names
        if not Path(parent, name).is_symlink()
    )


def _refuse(error: OSError) -> None:
    raise DatasetError(f"{error.filename} can't be listed: {error.strerror}; allow it or move it away") from error


def _folder_members(folder: Path) -> Iterator[Member]:
    paths = _files(folder)
    for count, path in enumerate(paths, start=1):
        name = path.relative_to(folder).as_posix()
        yield Member(name, partial(read_file, path, name), count / len(paths))


@contextmanager
def _damage_reported(source: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        raise DatasetError(f"{source} is no .zip or .tar archive, or it is damaged: {error}") from error


def _zip_members(source: Path) -> Iterator[Member]:
    with _damage_reported(source), zipfile.ZipFile(source) as archive:
        infos = [info for info in archive.infolist() if not is_folder(info)]
        for count, info in enumerate(infos, start=1):
            yield Member(info.filename, partial(_read_zip, archive, info), count / len(infos))


def _read_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    _check_name(info.filename)
    try:
        with archive.open(info) as file:
            return read_bytes(cast(BinaryIO, file))
    except DAMAGE as error:
        raise ImageError(Status.UNREADABLE, f"the archive doesn't yield this member: {error}") from error


def _tar_members(source: Path) -> Iterator[Member]:
    size = source.stat().st_size
    with (
        source.open("rb") as raw,
        _damage_reported(source),
        tarfile.open(fileobj=raw, mode="r|*", tarinfo=StrictHeader) as archive,
    ):
        for info in archive:
            if info.isreg():
                yield Member(info.name, partial(_read_tar, source, archive, info), raw.tell() / size)


def _read_tar(source: Path, archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    _check_name(info.name)
    with _damage_reported(source):  # past a damage, a compressed stream can't be read on
        return read_bytes(cast(BinaryIO, archive.extractfile(info) or io.BytesIO()))


def _check_name(name: str) -> None:
    if not is_plain(name):
        raise ImageError(Status.UNREADABLE, "its name isn't a plain relative path")
