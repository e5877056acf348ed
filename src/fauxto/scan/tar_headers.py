"""Headers of TAR archives, read with bounds: the standard library trusts what they say of themselves."""

from __future__ import annotations

import tarfile
from typing import Any, Self

_BLOCK = 512
_MOST_EXTRA = 4 * 1024 * 1024
"""Bytes of a header in PAX form: extended attributes are among it."""

_MOST_NAME = 65_536
_MOST_MAPS = 1_000
"""Blocks of the map of a sparse file: some 21,000 pieces."""


class StrictHeader(tarfile.TarInfo):
    """Raises on a damaged header or a missing end, which tarfile takes for the end of the archive.

    A header costs time in proportion to its length, and the next one always lies behind all that it describes: tarfile
    itself comes back to where it was on a size below zero, lets members overlap, and parses PAX records (POSIX.1-2008,
    pax Interchange Format) in quadratic time and memory. Of these, `path` and `size` count here, and only in the header
    of one member; global headers are passed over. A sparse file has no content here: its map isn't kept.
    """

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        """Read the next header; raises ReadError where there is none, or no sound one."""
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except (tarfile.HeaderError, LookupError, ArithmeticError) as error:  # tarfile lets the latter two through
            raise tarfile.ReadError(f"invalid member header: {error}") from error

    # By these methods, tarfile reads what stands behind a header; its source says how they may be replaced.

    def _proc_member(self, archive: Any) -> Self:
        if self.size < 0:
            raise tarfile.ReadError("a header says that its member has a size below zero")
        member: Self = super()._proc_member(archive)  # type: ignore[misc]
        return member

    def _proc_gnulong(self, archive: Any) -> Self:
        if self.size > _MOST_NAME:
            raise tarfile.ReadError(f"a header gives a name of {self.size:,} bytes")
        member: Self = super()._proc_gnulong(archive)  # type: ignore[misc]
        return member

    def _proc_sparse(self, archive: Any) -> Self:
        _, goes_on, _ = self._sparse_structs  # type: ignore[attr-defined]
        blocks = 0
        while goes_on:
            block = archive.fileobj.read(_BLOCK)
            blocks += 1
            if len(block) < _BLOCK or blocks > _MOST_MAPS:
                raise tarfile.ReadError("the map of a sparse file has no end")
            goes_on = block[504]
        self.sparse = b""
        self.offset_data = archive.fileobj.tell()
        archive.offset = self.offset_data + _padded(self.size)
        return self

    def _proc_pax(self, archive: Any) -> Self:
        if self.size > _MOST_EXTRA:
            raise tarfile.ReadError(f"a header has {self.size:,} bytes of records")
        records = archive.fileobj.read(_padded(self.size))[: self.size]
        try:
            member = self.fromtarfile(archive)
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"no member behind a header: {error}") from error
        member.offset = self.offset
        if self.type != tarfile.XGLTYPE:
            member._take(_fields(records), archive)
        return member

    def _take(self, fields: dict[bytes, bytes], archive: Any) -> None:
        """Take the name and the size that a PAX header gives this member."""
        if any(name.startswith(b"GNU.sparse.") for name in fields):
            self.sparse = b""
        name = fields.get(b"GNU.sparse.name", fields.get(b"path"))
        if name is not None:
            if len(name) > _MOST_NAME:
                raise tarfile.ReadError(f"a header gives a name of {len(name):,} bytes")
            self.name = name.decode("utf-8", "surrogateescape").rstrip("/")
        if b"size" in fields:
            if not fields[b"size"].isdigit():
                raise tarfile.ReadError("a header gives a size that is no number")
            self.size = int(fields[b"size"])
            if self.isreg() or self.type not in tarfile.SUPPORTED_TYPES:
                archive.offset = self.offset_data + _padded(self.size)


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _fields(records: bytes) -> dict[bytes, bytes]:
    """Return the fields of PAX records, each `LENGTH NAME=VALUE` and a line's end."""
    fields, start = {}, 0
    while start < len(records) and records[start]:
        space = records.find(b" ", start, start + 20)
        length = records[start:space] if space > 0 else b""
        end = start + int(length) if length.isdigit() else 0
        name, equals, value = records[space + 1 : end].partition(b"=")
        if not equals or not value.endswith(b"\n") or end > len(records):
            raise tarfile.ReadError("a header has a record that isn't sound")
        fields[name] = value[:-1]
        start = end
    return fields
