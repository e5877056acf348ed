"""What counts as an input, and that no source can hurt: neither by what is in it nor by its size."""

from __future__ import annotations

import csv
import gzip
import io
import os
import struct
import sys
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from fauxto.errors import ConfigError, MissingExtraError
from fauxto.limits import Limits
from fauxto.report import Report, Status
from fauxto.scan import archives, stores
from fauxto.scan.items import Item
from fauxto.scan.sources import Sources

fsspec = pytest.importorskip("fsspec")
LIMITS = Limits(max_bytes=100_000)


KINDS = (("", ".jpg"), ("loop-", ""), ("through-", ""))


def found(*sources: object, is_done: Callable[[str], bool] = lambda key: False, **options: object) -> dict[str, Item]:
    listed = Sources([str(source) for source in sources], **options)
    items = [item for shard in listed.shards() for item in shard.items(LIMITS, is_done)]
    assert len({item.key for item in items}) == len(items)
    return {item.key: item for item in items}


def words(items: dict[str, Item]) -> dict[str, str]:
    """The word of what can't be judged, and "" for what is to be judged."""
    return {key: item.source.reasons[0].word if isinstance(item.source, Report) else "" for key, item in items.items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b.txt", "deep/er/c.png", "deep/.hidden"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(name.encode())
    return tmp_path / "photos"


def below(folder: Path, items: dict[str, Item]) -> set[str]:
    return {Path(key).relative_to(folder).as_posix() for key in items}


def test_a_folder_is_every_file_in_it_whatever_its_name(folder: Path) -> None:
    items = found(folder)
    assert below(folder, items) == {"a.jpg", "b.txt", "deep/er/c.png", "deep/.hidden"}
    assert all(item.source == item.path == key for key, item in items.items())
    assert items[str(folder / "a.jpg")].size == 5
    assert Sources([str(folder)]).count() == 4


def test_links_are_followed_only_when_asked_and_never_in_circles(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "d.jpg").touch()
    (folder / "link.jpg").symlink_to(folder / "a.jpg")
    (folder / "out").symlink_to(tmp_path / "elsewhere")
    (folder / "deep" / "round").symlink_to(folder)
    sources = Sources([str(folder)])
    assert sources.count() == 4
    assert sources.links_passed == 3
    followed = below(folder, found(folder, follow_symlinks=True))
    assert followed == {"a.jpg", "b.txt", "deep/er/c.png", "deep/.hidden", "link.jpg", "out/d.jpg"}


def test_a_link_that_leads_nowhere_hides_nothing_of_its_folder(folder: Path) -> None:
    for number in range(20):
        (folder / f"{number}.jpg").touch()
        (folder / f"loop-{number}").symlink_to(folder / f"loop-{number}")
        (folder / f"through-{number}").symlink_to(folder / "a.jpg" / "x")
    followed = below(folder, found(folder, follow_symlinks=True))
    expected = {f"{kind}{number}{ending}" for number in range(20) for kind, ending in KINDS}
    assert followed == expected | {"a.jpg", "b.txt", "deep/er/c.png", "deep/.hidden"}


def test_a_pipe_and_a_closed_folder_are_rows_and_hold_nothing_up(folder: Path) -> None:
    os.mkfifo(folder / "pipe.jpg")
    (folder / "deep").chmod(0)
    try:
        items = found(folder)
        assert str(folder / "pipe.jpg") in items
        if os.geteuid():
            assert words(items)[str(folder / "deep")] == "unreadable"
    finally:
        (folder / "deep").chmod(0o700)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.jpg", {"a.jpg"}),
        ("**/*.png", {"deep/er/c.png"}),
        ("d*", {"deep/er/c.png", "deep/.hidden"}),
        ("no-such.jpg", {"no-such.jpg"}),
    ],
)
def test_patterns(folder: Path, pattern: str, expected: set[str]) -> None:
    assert below(folder, found(folder / pattern)) == expected


def test_what_the_scan_itself_writes_is_no_input(folder: Path, tmp_path: Path) -> None:
    expected = {"a.jpg", "deep/er/c.png", "deep/.hidden"}
    assert below(folder, found(folder, ignored=[str(folder / "b.txt")])) == expected
    (tmp_path / "link").symlink_to(folder)
    assert below(folder, found(folder, ignored=[str(tmp_path / "link" / "b.txt")])) == expected


def test_a_pattern_names_archives_and_tables_as_a_person_would(tmp_path: Path) -> None:
    zip_of(tmp_path / "1.zip", {"a.jpg": b"A"})
    (tmp_path / "2.csv").write_text("path\nb.jpg\n")
    (tmp_path / "3.zip").mkdir()  # a folder, whatever its name
    (tmp_path / "3.zip" / "c.jpg").touch()
    sources = [tmp_path / "*.zip", tmp_path / "*.csv"]
    keys = {key.removeprefix(f"{tmp_path}/") for key in found(*sources)}
    assert keys == {"1.zip!/a.jpg", "3.zip/c.jpg", "2.csv#000000000001"}
    assert Sources([str(tmp_path / "*.zip")]).count() == 2


def zip_of(path: Path, members: dict[str, bytes], **options: object) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data, **options)
    return path


def tar_of(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "x.tgz", "x.tar.bz2", "x.tar.xz"])
def test_an_archive_is_every_file_in_it(tmp_path: Path, name: str) -> None:
    members = {"a.jpg": b"A", "deep/b.png": b"B" * 70_000, "inner.zip": b"PK\3\4", "large": bytes(100_001)}
    mode = f"w:{name.rpartition('.')[2].replace('tgz', 'gz')}" if "gz" in name or name.count(".") > 1 else "w"
    path = zip_of(tmp_path / name, members) if name == "x.zip" else tar_of(tmp_path / name, members, mode)
    items = found(path)
    assert {key.removeprefix(f"{path}!/") for key in items} == set(members)
    assert items[f"{path}!/deep/b.png"].source == members["deep/b.png"]
    assert words(items)[f"{path}!/large"] == "too_large"
    again = found(path, is_done=lambda key: not key.endswith("inner.zip"))
    assert list(again) == [f"{path}!/inner.zip"]
    assert Sources([str(path)]).count() == (4 if name == "x.zip" else None)


def test_members_that_cannot_be_trusted_are_rows_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for name in ("../up.jpg", "/absolute.jpg", "line\nend.jpg", "twice.jpg", "twice.jpg", "good.jpg"):
            info = tarfile.TarInfo(name)
            info.size = 1
            archive.addfile(info, io.BytesIO(b"x"))
        for name, kind in (("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("device", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "good.jpg"
            archive.addfile(info)
    said = {key.removeprefix(f"{path}!/"): word for key, word in words(found(path)).items()}
    assert said == {
        "../up.jpg": "unsafe_name",
        "/absolute.jpg": "unsafe_name",
        "line\nend.jpg": "unsafe_name",
        "twice.jpg": "",
        "twice.jpg#4": "duplicate_name",
        "good.jpg": "",
        "link": "not_a_file",
        "hard": "not_a_file",
        "device": "not_a_file",
    }


def test_members_of_a_zip_that_cannot_be_read(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {"locked.jpg": b"x", "good.jpg": b"y", "\\back.jpg": b"z"})
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("link.jpg")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("packed.jpg", b"x" * 99, zipfile.ZIP_BZIP2)
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(signature) + offset] |= 1  # the first member is encrypted
    path.write_bytes(data)
    said = {key.removeprefix(f"{path}!/"): word for key, word in words(found(path)).items()}
    assert said == {
        "locked.jpg": "encrypted",
        "good.jpg": "",
        "\\back.jpg": "unsafe_name",
        "link.jpg": "not_a_file",
        "packed.jpg": "compression",
    }


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_damage_is_one_row_and_what_stands_before_it_is_kept(tmp_path: Path, name: str) -> None:
    members = {f"{number}.jpg": os.urandom(3_000) for number in range(10)}
    path = zip_of(tmp_path / name, members) if name == "x.zip" else tar_of(tmp_path / name, members, f"w:{name[6:]}")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    said = words(found(path))
    assert said[f"{path}!/"] == "damaged_archive"
    assert sum(word == "" for word in said.values()) in ((0,) if name == "x.zip" else (4, 5))


def test_a_missing_archive_and_one_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no archive")
    assert [item.source.status for item in found(tmp_path / "no.zip").values()] == [Status.NOT_FOUND]
    assert [item.source.status for item in found(tmp_path / "text.zip").values()] == [Status.UNREADABLE]


def test_bombs_end_in_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_FREE_BYTES", 1_000_000)
    flat = {f"{number:03}": bytes(90_000) for number in range(200)}  # 18 MB out of some 20 kB
    for path in (zip_of(tmp_path / "x.zip", flat), tar_of(tmp_path / "x.tar.gz", flat, "w:gz")):
        said = words(found(path))
        assert said[f"{path}!/"] == "archive_bomb"
        assert 10 < len(said) < 60


def test_a_bomb_ends_at_the_same_member_in_a_scan_that_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_FREE_BYTES", 1_000_000)
    flat = {f"{number:03}": bytes(90_000) for number in range(200)}
    for path in (zip_of(tmp_path / "x.zip", flat), tar_of(tmp_path / "x.tar.gz", flat, "w:gz")):
        whole = list(found(path))
        done = set(whole[:-1:2])
        assert list(found(path, is_done=done.__contains__)) == [key for key in whole if key not in done]
        assert list(found(path, is_done=set(whole).__contains__)) == []


def test_members_that_are_too_large_or_damaged_count_for_a_bomb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_FREE_BYTES", 1_000_000)
    path = zip_of(tmp_path / "x.zip", {f"{number:03}": bytes(100_001) for number in range(100)})
    assert Counter(words(found(path)).values()).keys() == {"too_large", "archive_bomb"}
    assert len(found(path)) < 40
    path = zip_of(tmp_path / "y.zip", {f"{number:03}": bytes(90_000) for number in range(100)})
    checksum = struct.pack("<I", zlib.crc32(bytes(90_000)))
    path.write_bytes(path.read_bytes().replace(checksum, b"oops"))
    assert Counter(words(found(path)).values()).keys() == {"unreadable", "archive_bomb"}
    assert len(found(path)) < 40


def test_no_name_hides_a_member(tmp_path: Path) -> None:
    names = ("a.jpg", "a.jpg", "a.jpg#1", "", "b.jpg")
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 1
            archive.addfile(info, io.BytesIO(b"x"))
    path.write_bytes(path.read_bytes()[: 1024 * len(names) + 100])  # damaged behind the last member
    said = {key.removeprefix(f"{path}!/"): word for key, word in words(found(path)).items()}
    assert list(said.values()) == ["", "duplicate_name", "duplicate_name", "unsafe_name", "", "damaged_archive"]
    assert len(said) == 6


def test_a_zip_member_without_a_name_costs_its_own_row_only(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a.jpg", "b", "c.jpg"):
            archive.writestr(zipfile.ZipInfo(name), b"x")  # at a fixed time, whose bytes are no name
    whole = path.read_bytes()
    start = whole.rindex(b"PK\1\2", 0, whole.rindex(b"b"))
    nameless = bytearray(whole[: start + 46] + whole[start + 47 :])
    struct.pack_into("<H", nameless, start + 28, 0)
    end = nameless.rindex(b"PK\5\6")
    struct.pack_into("<I", nameless, end + 12, struct.unpack_from("<I", nameless, end + 12)[0] - 1)
    path.write_bytes(nameless)
    assert list(words(found(path)).values()) == ["", "unsafe_name", ""]
    assert archives.Archive(str(path)).count() == 3


def test_a_header_that_asks_for_memory_gets_none(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 4 << 30  # metadata of 4 GB
    with gzip.open(tmp_path / "x.tar.gz", "wb") as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT))
        for _ in range(64):
            file.write(bytes(1 << 20))
    assert list(words(found(tmp_path / "x.tar.gz")).values()) == ["damaged_archive"]
    # A ZIP whose directory is said to be, and is, larger than we read.
    with (tmp_path / "x.zip").open("wb") as file:
        file.truncate(40 << 20)
        file.seek(0, 2)
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 9, 9, 40 << 20, 0, 0))
    assert list(words(found(tmp_path / "x.zip")).values()) == ["damaged_archive"]


def test_a_csv_names_files_from_its_own_folder(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    with path.open("w", newline="") as file:
        rows = [["id", "path"], [1, "a.jpg"], [2, str(tmp_path / "b.jpg")], [3, "s3://bucket/c.jpg"], [4, ""], [5]]
        csv.writer(file).writerows([*rows, [6, "http://127.0.0.1/secret"], [7, "a.jpg"]])
    items = list(found(path).values())
    assert [item.key for item in items] == [f"{path}#{number:012}" for number in range(1, 8)]
    assert [item.source for item in items[:3]] == [
        str(tmp_path / "a.jpg"),
        str(tmp_path / "b.jpg"),
        "s3://bucket/c.jpg",
    ]
    assert list(words(found(path)).values()) == ["", "", "", "empty_cell", "empty_cell", "no_store", ""]
    assert [item.path for item in items[:2]] == ["a.jpg", str(tmp_path / "b.jpg")]


def test_a_column_that_is_not_there_is_a_mistake_that_ends_the_scan(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("file,label\na.jpg,real\n")
    with pytest.raises(ConfigError, match=r"has no column path.*--column: file, label"):
        found(path)
    assert next(iter(found(path, column="file").values())).path == "a.jpg"


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("path\na.jpg\n" + "x" * 2_000_000)
    assert list(words(found(path)).values()) == ["", "damaged_table"]


@pytest.mark.parametrize("kind", ["paths", "bytes", "struct"])
def test_a_parquet_file(tmp_path: Path, kind: str) -> None:
    names, contents = ["a.jpg", "b.jpg", None], [b"A\0", b"B\0", None]
    columns = {
        "paths": ("path", names),
        "bytes": ("bytes", contents),
        "struct": ("image", [{"bytes": data, "path": name} for data, name in zip(contents, names, strict=True)]),
    }
    name, cells = columns[kind]
    path = tmp_path / "table.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"id": [1, 2, 3], name: cells}), path)
    items = list(found(path).values())
    expected = [str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")] if kind == "paths" else contents[:2]
    assert [item.source for item in items[:2]] == expected
    assert items[2].source.reasons[0].word == "empty_cell"
    shown = {"paths": "b.jpg", "bytes": f"{path}#2", "struct": f"{path}#2/b.jpg"}
    assert items[1].path == shown[kind]
    assert Sources([str(path)]).count() == 3
    assert list(found(path, is_done=lambda key: key.endswith("1"))) == [item.key for item in items[1:]]


@pytest.mark.parametrize("cells", [[1, 2], [["a.jpg"], ["b.jpg"]], [{"bytes": 5, "path": None}]])
def test_a_column_of_neither_paths_nor_bytes_is_a_mistake(tmp_path: Path, cells: list[object]) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"image": cells}), tmp_path / "x.parquet")
    with pytest.raises(ConfigError, match=r"holds neither paths nor bytes but .*--column"):
        found(tmp_path / "x.parquet")


def test_of_large_cells_a_few_are_held_at_once(tmp_path: Path) -> None:
    cells = [os.urandom(8_000_000) for _ in range(16)]
    how = {"compression": "none", "write_batch_size": 1}  # a page a row
    pyarrow.parquet.write_table(pyarrow.table({"bytes": cells}), tmp_path / "x.parquet", **how)
    del cells
    before, held = pyarrow.total_allocated_bytes(), []
    for shard in Sources([str(tmp_path / "x.parquet")]).shards():
        for item in shard.items(Limits(), lambda key: False):
            assert item.size == 8_000_000
            held.append(pyarrow.total_allocated_bytes() - before)
    assert len(held) == 16
    assert max(held) < 100_000_000


def test_a_damaged_parquet_file_is_one_row(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and then nothing")
    assert list(words(found(tmp_path / "x.parquet")).values()) == ["damaged_table"]
    assert found(tmp_path / "x.parquet", is_done=lambda key: key.endswith("#")) == {}


@pytest.fixture
def bucket() -> Iterator[str]:
    store = fsspec.filesystem("memory")
    store.pipe({"/bucket/a.jpg": b"A", "/bucket/deep/b.png": b"BB"})
    yield "memory://bucket"
    store.rm("/bucket", recursive=True)


def test_an_object_store(bucket: str, tmp_path: Path) -> None:
    assert {key: item.size for key, item in found(bucket).items()} == {
        "memory:///bucket/a.jpg": 1,
        "memory:///bucket/deep/b.png": 2,
    }
    assert list(found(f"{bucket}/a.jpg")) == ["memory:///bucket/a.jpg"]
    assert list(found(f"{bucket}/*/*.png")) == ["memory:///bucket/deep/b.png"]
    assert words(found(f"{bucket}/*.zip")) == {}
    assert words(found(f"{bucket}/none")) == {f"{bucket}/none": "not_found"}
    with stores.open_address("memory:///bucket/deep/b.png") as file:
        assert file.read() == b"BB"


def test_archives_and_tables_in_a_store(bucket: str, tmp_path: Path) -> None:
    store = fsspec.filesystem("memory")
    store.pipe("/bucket/x.zip", zip_of(tmp_path / "x.zip", {"in.jpg": b"I"}).read_bytes())
    store.pipe("/bucket/x.tar.gz", tar_of(tmp_path / "x.tar.gz", {"in.jpg": b"I"}, "w:gz").read_bytes())
    store.pipe("/bucket/x.csv", b"path\na.jpg\nmemory://bucket/deep/b.png\n")
    assert [item.source for item in found(f"{bucket}/x.zip", f"{bucket}/x.tar.gz").values()] == [b"I", b"I"]
    assert [item.source for item in found(f"{bucket}/x.csv").values()] == [
        "memory://bucket/a.jpg",
        "memory://bucket/deep/b.png",
    ]


def test_a_store_without_its_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match=r"reading from s3:// needs the extra 'scale'"):
        found("s3://bucket")


def test_the_web_is_no_object_store() -> None:
    with pytest.raises(ConfigError, match="is no address of an object store"):
        found("http://127.0.0.1/photos")
