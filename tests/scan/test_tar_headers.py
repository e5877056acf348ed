"""TAR headers that lie cost no more time and memory than their own length, and honest ones are read."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import tarfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fauxto.limits import Limits
from fauxto.report import Report
from fauxto.scan.archives import Archive
from fauxto.scan.tar_headers import StrictHeader

LIMITS = Limits(max_bytes=100_000)
END = bytes(1024)
MOST_SECONDS, MOST_BYTES = 2.0, 40_000_000


def header(format: int = tarfile.GNU_FORMAT, **fields: Any) -> bytes:
    info = tarfile.TarInfo("y.jpg")
    for name, value in fields.items():
        setattr(info, name, value)
    return info.tobuf(format)


def extra(records: bytes, kind: bytes = tarfile.XHDTYPE) -> bytes:
    """A PAX header with these records."""
    return header(type=kind, size=len(records)) + records + bytes(-len(records) % 512)


def record(name: bytes, value: bytes) -> bytes:
    rest = b" " + name + b"=" + value + b"\n"
    length = next(n for n in itertools.count(len(rest)) if n == len(str(n)) + len(rest))
    return b"%d%s" % (length, rest)


def sparse(blocks: int, size: int = 0) -> bytes:
    """An old GNU header of a sparse file whose map goes on in so many blocks."""
    data = bytearray(header(type=tarfile.GNUTYPE_SPARSE, size=size))
    data[482] = 1
    data[148:156] = b"%06o\0 " % tarfile.calc_chksums(data)[0]  # type: ignore[attr-defined]
    return bytes(data) + (bytes(504) + b"\1" + bytes(7)) * blocks


FIRST = header(name="x.jpg")
DAMAGED = {
    "size below zero": header(size=-512),
    "size a little below zero": header(size=-100),
    "size below zero behind a long name": header(name="long/" * 40 + "y.jpg", size=-1024),
    "size below zero of a sparse file": header(type=tarfile.GNUTYPE_SPARSE, size=-512),
    "size below zero of a name": header(type=tarfile.GNUTYPE_LONGNAME, size=-512) + header(),
    "size below zero in a record": extra(record(b"size", b"-1536")) + header(),
    "map of many blocks": sparse(4_000) + bytes(512),
    "map that leads back": sparse(20, size=-20 * 512) + bytes(512),
    "record of twenty digits": extra(b"99999999999999999999 path=y.jpg\n") + header(),
    "records inside each other": extra(b"2 " * 60_000 + b"=\n") + header(),
    "digits only": extra(b"1" * 300_000) + header(),
    "digits before a sparse map": extra(record(b"GNU.sparse.size", b"1") + b"1" * 300_000) + header(),
    "a name of a megabyte": extra(record(b"path", b"y" * 1_000_000)) + header(),
}


def outcome(path: Path) -> list[str]:
    """What came of the members of an archive that may have no end."""
    items = itertools.islice(Archive(str(path)).items(LIMITS, lambda key: False), 99)
    return [item.source.reasons[0].word if isinstance(item.source, Report) else "" for item in items]


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz", "x.tar.bz2"])
@pytest.mark.parametrize("damage", DAMAGED)
def test_a_header_that_lies_is_damage_and_costs_little(tmp_path: Path, damage: str, name: str) -> None:
    pack: Callable[[bytes], bytes] = {"x.tar": bytes, "x.tar.gz": gzip.compress, "x.tar.bz2": bz2.compress}[name]
    (tmp_path / name).write_bytes(pack(FIRST + DAMAGED[damage] + END))
    tracemalloc.start()
    started = time.process_time()
    assert outcome(tmp_path / name) == ["", "damaged_archive"]
    assert time.process_time() - started < MOST_SECONDS
    assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    tracemalloc.stop()


@pytest.mark.parametrize("damage", DAMAGED)
def test_so_it_is_where_a_stream_is_read(damage: str) -> None:
    stream = io.BytesIO(FIRST + DAMAGED[damage] + END)
    with (
        pytest.raises(tarfile.ReadError),
        tarfile.open(fileobj=stream, mode="r|*", tarinfo=StrictHeader) as archive,
    ):
        assert len(list(itertools.islice(archive, 99))) < 99


@pytest.mark.parametrize("blocks", [0, 3])
def test_a_map_that_the_end_cuts_off_is_damage(tmp_path: Path, blocks: int) -> None:
    (tmp_path / "x.tar").write_bytes(FIRST + sparse(blocks))
    assert outcome(tmp_path / "x.tar") == ["", "damaged_archive"]


def test_members_do_not_overlap(tmp_path: Path) -> None:
    everywhere = extra(record(b"size", b"90000"), tarfile.XGLTYPE)
    spread = extra(record(b"GNU.sparse.realsize", b"90000"))
    (tmp_path / "x.tar").write_bytes(everywhere + (spread + FIRST + FIRST) * 40 + END)
    items = list(Archive(str(tmp_path / "x.tar")).items(LIMITS, lambda key: False))
    assert len(items) == 80
    assert sum(item.size for item in items) == 0


def test_many_global_records_cost_no_member_anything(tmp_path: Path) -> None:
    records = b"".join(record(b"%d" % number, b"") for number in range(50_000))
    (tmp_path / "x.tar").write_bytes(extra(records, tarfile.XGLTYPE) + FIRST * 2_000 + END)
    started = time.process_time()
    assert len(list(Archive(str(tmp_path / "x.tar")).items(LIMITS, lambda key: False))) == 2_000
    assert time.process_time() - started < MOST_SECONDS


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_honest_headers_are_read(tmp_path: Path, format: int) -> None:
    names = ["a.jpg", "folder/" * 15 + "b.jpg"] + (
        ["größe/日本.jpg", "x" * 300] if format != tarfile.USTAR_FORMAT else []
    )
    with tarfile.open(tmp_path / "x.tar", "w", format=format, pax_headers={"comment": "of all members"}) as archive:
        for number, name in enumerate(names):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = number, 1.5
            archive.addfile(info, io.BytesIO(bytes(number)))
    items = list(Archive(str(tmp_path / "x.tar")).items(LIMITS, lambda key: False))
    assert [item.key for item in items] == [f"{tmp_path}/x.tar!/{name}" for name in names]
    assert [item.source for item in items] == [bytes(number) for number in range(len(names))]


def test_a_size_that_needs_a_record_is_taken_from_it(tmp_path: Path) -> None:
    content = b"seven h"
    data = extra(record(b"size", b"7") + record(b"path", b"z.jpg")) + FIRST + content + bytes(505) + header() + END
    (tmp_path / "x.tar").write_bytes(data)
    items = list(Archive(str(tmp_path / "x.tar")).items(LIMITS, lambda key: False))
    assert [(item.key[-5:], item.source) for item in items] == [("z.jpg", content), ("y.jpg", b"")]


@pytest.mark.parametrize("version", ["0.0", "1.0"])
def test_a_sparse_file_is_no_picture_and_hides_no_other(tmp_path: Path, version: str) -> None:
    fields = {
        "0.0": record(b"GNU.sparse.size", b"9000") + record(b"GNU.sparse.numblocks", b"0"),
        "1.0": record(b"GNU.sparse.major", b"1")
        + record(b"GNU.sparse.minor", b"0")
        + record(b"GNU.sparse.name", b"s.jpg")
        + record(b"GNU.sparse.realsize", b"9000"),
    }[version]
    stored = b"0\n".ljust(512, b"\0")
    (tmp_path / "x.tar").write_bytes(extra(fields) + header(size=512) + stored + FIRST + END)
    assert outcome(tmp_path / "x.tar") == ["not_a_file", ""]
    old = header(type=tarfile.GNUTYPE_SPARSE, size=512)
    (tmp_path / "x.tar").write_bytes(old + stored + FIRST + END)
    assert outcome(tmp_path / "x.tar") == ["not_a_file", ""]
