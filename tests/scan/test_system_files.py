"""Files that macOS and Windows keep for themselves: passed over and counted, wherever a scan meets them."""

from __future__ import annotations

import io
import json
import os
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fauxto.cli import commands
from fauxto.export import jsonl
from fauxto.scan.system_files import has_system_name, is_system_file

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
CASE = Path(__file__).parents[3] / "shared" / "data" / "public-cases" / "z01_mac_made.zip"

APPLE_DOUBLE = bytes.fromhex("00051607 00020000") + b"Mac OS X        " + bytes(200)
DS_STORE = b"\0\0\0\1Bud1\0\0\x10\0" + bytes(200)
THUMBS = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(200)


@pytest.mark.parametrize(
    ("path", "head", "expected"),
    [
        ("photo.jpg", APPLE_DOUBLE, True),
        ("x.zip!/__MACOSX/a/._photo.jpg", APPLE_DOUBLE, True),
        ("x.zip!/__MACOSX/a/._photo.jpg", b"", True),
        ("__MACOSX/a.jpg", b"\xff\xd8\xff\xe0", False),  # nobody hides a picture there
        ("a/.DS_Store", DS_STORE, True),
        ("a\\b\\Thumbs.db", THUMBS, True),
        ("a/DESKTOP.INI", b"[.ShellClassInfo]", True),
        ("a/Thumbs.db", b"\x89PNG\r\n\x1a\n", False),
        ("a/._photo.jpg", b"\xff\xd8\xff\xe0", False),
        ("a/._photo.jpg", b"text", False),
        ("a/.DS_Store.jpg", DS_STORE, False),
        ("a/photo.db", THUMBS, False),
        ("a__MACOSX/b", b"text", False),
    ],
)
def test_what_is_a_system_file(path: str, head: bytes, expected: bool) -> None:
    assert is_system_file(path, head) is expected
    assert not has_system_name("a/._photo.jpg")


def members(picture: bytes) -> dict[str, bytes]:
    """What a Mac packs: two pictures, one of them called like its own files, a text, an archive, and those files."""
    return {
        "trip/a.jpg": picture,
        "trip/._a.jpg": APPLE_DOUBLE,
        "trip/._real.jpg": picture,
        "trip/photo.jpg": APPLE_DOUBLE,
        "trip/.DS_Store": DS_STORE,
        "trip/deep/Thumbs.db": THUMBS,
        "trip/deep/.DS_Store": b"",
        "trip/notes.txt": b"text",
        "trip/inner.zip": b"PK\3\4 what is in here stays closed",
        "__MACOSX/trip/._a.jpg": APPLE_DOUBLE,
    }


ROWS = {"trip/a.jpg": "ok", "trip/._real.jpg": "ok", "trip/notes.txt": "unsupported_format"}
ROWS["trip/inner.zip"] = "unsupported_format"


def pack(path: Path, contents: Mapping[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in contents.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as packed:
            for name, data in contents.items():
                info = tarfile.TarInfo(f"./{name}")
                info.size, info.pax_headers = len(data), {"LIBARCHIVE.creationtime": "1700000000"}
                packed.addfile(info, io.BytesIO(data))
    return path


def test_archives_and_folders_from_a_mac_give_rows_of_pictures_only(
    tmp_path: Path, pictures: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    contents = members(pictures(1))
    pack(tmp_path / "mac.zip", contents)
    pack(tmp_path / "mac.tar.gz", contents)
    for name, data in contents.items():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_bytes(data)
    os.mkfifo(tmp_path / "folder" / "desktop.ini")  # nothing opens it
    (tmp_path / "list.csv").write_text("path\nfolder/trip/._a.jpg\n")  # whoever asks for a file gets its row
    arguments = ["mac.zip", "mac.tar.gz", "folder", "list.csv", "missing/Thumbs.db", "--out", "out.jsonl"]
    ended = CliRunner().invoke(commands, ["scan", *arguments, "--workers", "1", "--model", str(GOLDEN)])
    assert ended.exit_code == 1, ended.output  # for what was named and isn't there
    assert {report.path: str(report.status) for report in jsonl.read("out.jsonl")} == {
        **{f"mac.zip!/{name}": status for name, status in ROWS.items()},
        **{f"mac.tar.gz!/./{name}": status for name, status in ROWS.items()},
        **{f"folder/{name}": status for name, status in ROWS.items()},
        "folder/desktop.ini": "not_a_file",
        "missing/Thumbs.db": "not_found",
    } | {"folder/trip/._a.jpg": "unsupported_format"}
    lines = ended.stdout.splitlines()
    assert lines[0].startswith("15 inputs: ")
    assert lines[2] == "18 files that macOS and Windows keep for themselves were passed over"


def test_nothing_but_system_files(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / ".DS_Store").write_bytes(DS_STORE)
    out = tmp_path / "out.csv"
    ended = CliRunner().invoke(commands, ["scan", str(tmp_path / "in"), "--out", str(out), "--model", str(GOLDEN)])
    assert ended.stdout.splitlines()[:-1] == [
        "found no pictures",
        "1 file that macOS and Windows keep for themselves was passed over",
    ]
    assert len(out.read_text().splitlines()) == 1


@pytest.mark.skipif(not CASE.exists(), reason="the collected cases aren't on this machine")
def test_the_archive_that_people_sent(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    ended = CliRunner().invoke(commands, ["scan", str(CASE), "--out", str(out), "--model", str(GOLDEN)])
    assert [json.loads(line)["status"] for line in out.read_text().splitlines()] == ["ok", "ok"]
    assert "4 files that macOS and Windows keep for themselves were passed over" in ended.stdout
