"""From what was uploaded to files to judge: ZIP archives are read member by member, in memory, within limits."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from fauxto.limits import Limits
from fauxto.report import Report
from fauxto.scan import archives
from fauxto.scan.system_files import has_system_name, is_system_file
from fauxto.web.batch import File, SystemFile

MOST_FILES = 2_000
"""Files of one batch, members of archives included."""

MOST_BYTES = 2 * 1024 * 1024 * 1024
"""Of one upload: room for an archive of some five hundred phone photos; a picture may have `Limits.max_bytes`."""

MOST_BYTES_WAITING = 2 * MOST_BYTES
"""Of all uploads that wait to be checked as one batch."""

CHECK_FILES = 100
CHECK_BYTES = 1024 * 1024 * 1024
"""So many pictures, and of so many bytes, the page Check takes."""

_ZIP = b"PK\x03\x04"


class Given(NamedTuple):
    """A file that the visitor gave: something that tells it from others, its name, its bytes, our caption."""

    id: str
    name: str
    data: bytes
    caption: str = ""


class Upload(Protocol):
    """A file with its name."""

    @property
    def name(self) -> str:
        """As the visitor's computer calls it."""

    @property
    def data(self) -> bytes:
        """The whole file."""


def count(uploads: Sequence[Upload]) -> int:
    """Return how many files there are to judge, as far as names tell and the archives' directories are true."""
    return sum(map(_count, uploads))


def read(uploads: Sequence[Upload], limits: Limits) -> Iterator[File | Report | SystemFile]:
    """Yield every file, those inside of archives too, or a report that says why there is none.

    There are `MOST_FILES` at most, not counting what the system keeps for itself.
    """
    left = MOST_FILES
    for file in _read(uploads, limits):
        if isinstance(file, File) and is_system_file(file.name, file.data):
            yield SystemFile(was_counted=not has_system_name(file.name))
            continue
        if not left:
            return
        left -= 1
        yield file


def _read(uploads: Sequence[Upload], limits: Limits) -> Iterator[File | Report]:
    for upload in uploads:
        data = upload.data
        if not data.startswith(_ZIP):
            yield File(upload.name, data)
            continue
        try:
            for name, content in archives.zip_members(io.BytesIO(data), upload.name, limits):
                source = content if isinstance(content, Report) else content.read()
                path = f"{upload.name}!/{name}"
                yield replace(source, path=path) if isinstance(source, Report) else File(path, source)
        except archives.DAMAGE as error:
            yield archives.cut_short(upload.name, error)


def _count(upload: Upload) -> int:
    data = upload.data
    if not data.startswith(_ZIP):
        return int(not has_system_name(upload.name))
    try:
        return sum(not has_system_name(name) for name in archives.zip_names(io.BytesIO(data)))
    except archives.DAMAGE:
        return 1
