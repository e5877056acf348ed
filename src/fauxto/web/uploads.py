"""From what was uploaded to files to judge: ZIP archives are read member by member, in memory, within limits."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from fauxto.limits import Limits
from fauxto.report import Report
from fauxto.scan import archives
from fauxto.web.batch import File

MOST_FILES = 2_000
"""Files of one batch, members of archives included."""

MOST_BYTES = 2 * 1024 * 1024 * 1024
"""Of one upload: room for an archive of some five hundred phone photos; a picture may have `Limits.max_bytes`."""

_ZIP = b"PK\x03\x04"


class Upload(Protocol):
    """What Streamlit hands over for a file."""

    name: str

    def getvalue(self) -> bytes:
        """Return the whole file."""


def count(uploads: Sequence[Upload]) -> int:
    """Return how many files there are, as far as the archives' directories tell the truth."""
    return sum(map(_count, uploads))


def read(uploads: Sequence[Upload], limits: Limits) -> Iterator[File | Report]:
    """Yield every file, those inside of archives too, or a report that says why there is none; `MOST_FILES` at most."""
    for number, file in enumerate(_read(uploads, limits)):
        if number == MOST_FILES:
            return
        yield file


def _read(uploads: Sequence[Upload], limits: Limits) -> Iterator[File | Report]:
    for upload in uploads:
        data = upload.getvalue()
        if not data.startswith(_ZIP):
            yield File(upload.name, data)
            continue
        try:
            for name, content in archives.zip_members(io.BytesIO(data), upload.name, limits):
                source = content if isinstance(content, Report) else content.read()
                path = f"{upload.name}!/{name}"
                yield replace(source, path=path) if isinstance(source, Report) else File(path, source, is_unpacked=True)
        except archives.DAMAGE as error:
            yield archives.cut_short(upload.name, error)


def _count(upload: Upload) -> int:
    data = upload.getvalue()
    if not data.startswith(_ZIP):
        return 1
    try:
        return archives.count_zip(io.BytesIO(data))
    except archives.DAMAGE:
        return 1
