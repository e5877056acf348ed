"""Importing: what comes in, what is kept out, what survives a cut, and what a reader gets to see."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import fauxto.lab
from fauxto.cli import commands
from fauxto.errors import DatasetError, ImageError, MissingExtraError
from fauxto.images import decode
from fauxto.lab.datasets import Dataset, PixelRows, writer
from fauxto.lab.datasets.cifake import import_cifake
from fauxto.lab.datasets.folders import import_folders
from fauxto.lab.datasets.sources import members
from fauxto.lab.datasets.splitting import choose_split
from fauxto.lab.datasets.writer import Candidate, write_dataset


@pytest.fixture(scope="module")
def cifake(photographs, encode):
    """Name to bytes of a small set in CIFAKE's layout: 12 pictures a folder, one of test/FAKE also in train/FAKE."""
    windows = (
        photo[top : top + 32, left : left + 32]
        for photo in photographs.values()
        for top in range(0, 224, 32)
        for left in range(0, 256, 32)
    )
    files = {}
    for folder in ("train/REAL", "train/FAKE", "test/REAL", "test/FAKE"):
        for number in range(12):
            suffix = "" if number == 0 else f" ({number + 1})"
            files[f"{folder}/{number:04}{suffix}.jpg"] = encode(next(windows), "JPEG", quality=90)
    files["test/FAKE/0000.jpg"] = files["train/FAKE/0003 (4).jpg"]
    return files


def as_folder(files, path):
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def as_zip(files, path, top="", compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(top + name, data)
    return path


def as_tar(files, path, mode="w", top=""):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(top + name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


LAYOUTS = {
    "folder": as_folder,
    "folder in a folder": lambda files, path: as_folder(files, path / "cifake").parent,
    "zip": as_zip,
    "zip as Kaggle makes it": partial(as_zip, top="cifake/"),
    "tar": as_tar,
    "tar.gz": partial(as_tar, mode="w:gz"),
    "tar.xz": partial(as_tar, mode="w:xz", top="./"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_cifake_gives_the_same_data_set(tmp_path, cifake, layout):
    files = dict(reversed(cifake.items())) | {"README.txt": b"CIFAKE", "train/notes.txt": b"not a picture"}
    expected = import_cifake(as_folder(cifake, tmp_path / "plain"), tmp_path / "expected")
    dataset = import_cifake(LAYOUTS[layout](files, tmp_path / "source"), tmp_path / "out")
    assert dataset.manifest.equals(expected.manifest)
    assert (tmp_path / "out/pixels.bin").read_bytes() == (tmp_path / "expected/pixels.bin").read_bytes()
    assert dataset.description["skipped"] == []


def test_the_manifest_says_what_each_picture_is(tmp_path, cifake):
    dataset = import_cifake(as_zip(cifake, tmp_path / "cifake.zip"), tmp_path / "out", val_share=0)
    rows = {row["path"]: row for row in dataset.manifest.to_pylist()}
    assert sorted(rows) == sorted(cifake)
    row = rows["train/FAKE/0003 (4).jpg"]
    data = cifake["train/FAKE/0003 (4).jpg"]
    pixels = decode(data).rgb
    assert row["pixel_sha256"] == hashlib.sha256(b"32x32:" + pixels.tobytes()).hexdigest()
    assert dataset.folder.joinpath("pixels.bin").read_bytes()[row["offset"] :][: 32 * 32 * 3] == pixels.tobytes()
    tables = row.pop("jpeg_tables")
    assert len(tables) == 12
    assert {key: row[key] for key in row if key not in ("offset", "pixel_sha256")} == {
        "path": "train/FAKE/0003 (4).jpg",
        "label": "ai",
        "generator": "stable-diffusion-1.4",
        "source": "cifake",
        "split": "train",
        "style": None,
        "object_class": "cat",
        "width": 32,
        "height": 32,
        "format": "JPEG",
        "jpeg_quality": 90,
        "sha256": hashlib.sha256(data).hexdigest(),
        "pixel_height": 32,
        "pixel_width": 32,
    }
    real = rows["test/REAL/0000.jpg"]
    facts = ("label", "generator", "source", "split", "object_class")
    assert [real[key] for key in facts] == ["real", None, "cifar-10", "test", "airplane"]
    assert rows["train/REAL/0009 (10).jpg"]["object_class"] == "truck"
    assert rows["train/REAL/0010 (11).jpg"]["object_class"] is None
    each = {"real": 12, "ai": 12}
    assert dataset.description["counts"] == {"train": each, "val": {}, "test": each, "test2": {}}


def test_a_split_holds_its_pixels_labels_and_leaks(tmp_path, cifake):
    dataset = import_cifake(as_folder(cifake, tmp_path / "in"), tmp_path / "out", val_share=0.3)
    assert dataset.splits == ("train", "val", "test")
    assert sum(len(dataset.split(name)) for name in dataset.splits) == len(cifake)
    for name in dataset.splits:
        split = dataset.split(name)
        assert split.images.dtype == np.uint8
        for path, label, image in zip(split.rows["path"].to_pylist(), split.labels, split.images, strict=True):
            assert np.array_equal(image, decode(cifake[path]).rgb)
            assert label == ("FAKE" in path)
        leaked = np.array(split.rows["path"].to_pylist())[split.leaked].tolist()
        assert leaked == (["test/FAKE/0000.jpg"] if name == "test" else [])
    with pytest.raises(ValueError, match="read-only"):
        split.images[0] = 0


def test_a_split_is_chosen_by_the_key_alone_and_keeps_the_shares():
    hashes = [hashlib.sha256(bytes([number % 256, number // 256])).hexdigest() for number in range(20_000)]
    shares = {"train": 0.7, "val": 0.2, "test": 0.1}
    chosen = [choose_split(one, shares) for one in hashes]
    assert chosen == [choose_split(one, shares) for one in hashes]
    for name, share in shares.items():
        assert abs(chosen.count(name) - share * 20_000) < 4 * np.sqrt(20_000 * share * (1 - share))
    assert {choose_split(one, {"test": 1.0}) for one in hashes} == {"test"}


def test_equal_pixels_stay_together_whatever_the_file(tmp_path, photographs, encode):
    files = {}
    for number in range(60):
        pixels = photographs["china"][number : number + 32, 50:82]
        files[f"train/REAL/{number}.png"] = encode(pixels, "PNG")
        files[f"train/FAKE/{number} (2).bmp"] = encode(pixels, "BMP")
    rows = import_cifake(as_zip(files, tmp_path / "in"), tmp_path / "out", val_share=0.5).manifest.to_pylist()
    splits_of = {}
    for row in rows:
        splits_of.setdefault(row["pixel_sha256"], []).append(row["split"])
    assert all(len(splits) == 2 and len(set(splits)) == 1 for splits in splits_of.values())
    assert len({row["split"] for row in rows}) == 2


def hostile_tar(files, path):
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, kind, target in (
            ("train/REAL/link.jpg", tarfile.SYMTYPE, "/etc/passwd"),
            ("train/REAL/hard.jpg", tarfile.LNKTYPE, "train/REAL/0000.jpg"),
            ("train/REAL/device.jpg", tarfile.CHRTYPE, ""),
            ("train/REAL/pipe.jpg", tarfile.FIFOTYPE, ""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)
    return path


@pytest.mark.parametrize("pack", [hostile_tar, as_zip])
def test_hostile_members_are_skipped_with_a_reason_and_nothing_is_unpacked(tmp_path, cifake, pack):
    good = cifake["train/REAL/0000.jpg"]
    bad = {
        "../../train/REAL/0001 (2).jpg": ("unreadable", "plain relative path"),
        "/train/REAL/absolute.jpg": ("unreadable", "plain relative path"),
        "train/REAL/..\\up.jpg": ("unreadable", "plain relative path"),
        "train/REAL/two\nlines.jpg": ("unreadable", "plain relative path"),
        "train/REAL/empty.jpg": ("unreadable", ""),
        "train/REAL/text.jpg": ("unsupported_format", ""),
        "train/REAL/half.jpg": ("truncated", ""),
    }
    content = {"empty.jpg": b"", "text.jpg": b"hello, world", "half.jpg": good[: len(good) // 2]}
    files = {name: content.get(name.rpartition("/")[2], good) for name in bad} | cifake
    archive = pack(files, tmp_path / "archive")
    before = {path.name for path in tmp_path.iterdir()}
    dataset = import_cifake(archive, tmp_path / "out")
    skipped = {one["path"]: one for one in dataset.description["skipped"]}
    assert {name: one["status"] for name, one in skipped.items()} == {name: status for name, (status, _) in bad.items()}
    assert all(bad[name][1] in one["reason"] for name, one in skipped.items())
    assert sorted(dataset.manifest["path"].to_pylist()) == sorted(cifake)
    assert {path.name for path in tmp_path.iterdir()} - before == {"out"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"dataset.json", "manifest.parquet", "pixels.bin"}


def test_a_second_member_of_the_same_name_is_skipped(tmp_path, cifake):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.writestr("train/REAL/0000.jpg", cifake["train/REAL/0000.jpg"])
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("train/REAL/0000.jpg", cifake["train/FAKE/0000.jpg"])
        archive.writestr("train/FAKE/0000.jpg", cifake["train/FAKE/0000.jpg"])
    dataset = import_cifake(tmp_path / "in.zip", tmp_path / "out", val_share=0)
    assert len(dataset.manifest) == 2
    assert np.array_equal(dataset.split("train").images[1], decode(cifake["train/REAL/0000.jpg"]).rgb)
    assert "same name" in dataset.description["skipped"][0]["reason"]


@pytest.mark.parametrize("damage", ["wrong checksum", "encrypted"])
def test_a_zip_member_that_cannot_be_read_is_skipped(tmp_path, cifake, damage):
    path = as_zip(cifake, tmp_path / "in.zip")
    data = bytearray(path.read_bytes())
    if damage == "encrypted":
        data[6] |= 1  # the flag in the first member's own header, then in the directory
        data[data.index(b"PK\x01\x02") + 8] |= 1
    else:
        data[data.index(cifake["train/REAL/0000.jpg"]) + 400] ^= 1
    path.write_bytes(data)
    dataset = import_cifake(path, tmp_path / "out")
    assert [one["path"] for one in dataset.description["skipped"]] == ["train/REAL/0000.jpg"]
    assert len(dataset.manifest) == len(cifake) - 1


def test_a_picture_of_another_size_is_none_of_cifakes(tmp_path, cifake, photo, encode):
    files = cifake | {"train/REAL/large.jpg": encode(photo[:32, :33], "JPEG")}
    dataset = import_cifake(as_zip(files, tmp_path / "in.zip"), tmp_path / "out")
    assert dataset.description["skipped"] == [
        {
            "path": "train/REAL/large.jpg",
            "status": "unsupported_format",
            "reason": "it has 33 x 32 pixels, where every picture of this set has 32 x 32",
        }
    ]
    assert len(dataset.manifest) == len(cifake)


def test_no_more_pictures_are_decoded_than_can_be_held(monkeypatch):
    begun = []
    monkeypatch.setattr(writer, "_DECODED_AHEAD", 3)
    pack = lambda number, data: begun.append(number) or number  # noqa: E731
    held_back = writer._packed([(number, b"") for number in range(50)], pack)
    assert next(held_back) == 0
    assert len(begun) == 3
    assert list(held_back) == list(range(1, 50))


def test_reasons_hold_no_path_of_this_machine(tmp_path, cifake):
    source = as_folder(cifake, tmp_path / "source")
    os.mkfifo(source / "train/REAL/pipe.jpg")
    dataset = import_cifake(source, tmp_path / "out")
    assert [one["reason"] for one in dataset.description["skipped"]] == [
        "'train/REAL/pipe.jpg' isn't a file; give the path of a picture"
    ]
    assert str(tmp_path) not in (tmp_path / "out/dataset.json").read_text()


UNUSABLE = {
    "missing": (lambda files, path: path, "no archive or folder"),
    "text": (lambda files, path: path.write_bytes(b"hello" * 999) and path, "no .zip or .tar archive"),
    "empty": (lambda files, path: path.write_bytes(b"") or path, "no .zip or .tar archive"),
    "another zip": (lambda files, path: as_zip({"a/b.jpg": b"x"}, path), "none of CIFAKE's folders"),
    "empty folder": (lambda files, path: path.mkdir() or path, "none of CIFAKE's folders"),
    "half a tar.xz": (lambda files, path: cut(as_tar(files, path, "w:xz")), "damaged"),
    "half a tar.gz": (lambda files, path: cut(as_tar(files, path, "w:gz")), "damaged"),
    "half a tar": (lambda files, path: cut(as_tar(files, path)), "damaged"),
    "half a zip": (lambda files, path: cut(as_zip(files, path)), "damaged"),
    "no picture at all": (lambda files, path: as_zip({"train/REAL/a.jpg": b"x"}, path), "all 1 files were skipped"),
}


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_anywhere_in_a_zip_is_a_sentence(tmp_path, cifake, compression):
    path = as_zip(dict(list(cifake.items())[:2]), tmp_path / "in.zip", compression=compression)
    whole = path.read_bytes()
    skipped = 0
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with contextlib.suppress(DatasetError):
            for member in members(path):
                try:
                    member.read()
                except ImageError:
                    skipped += 1
    assert skipped


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_source_that_cannot_be_used_is_refused_in_a_sentence(tmp_path, cifake, case):
    make, sentence = UNUSABLE[case]
    with pytest.raises(DatasetError, match=sentence):
        import_cifake(make(cifake, tmp_path / "source"), tmp_path / "out")
    assert not list(tmp_path.glob("out*"))


def test_a_sub_folder_that_cannot_be_listed_is_not_passed_over(tmp_path, cifake, monkeypatch):
    source = as_folder(cifake, tmp_path / "source")
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "FAKE":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DatasetError, match="FAKE can't be listed: Permission denied"):
        import_cifake(source, tmp_path / "out")


class Source:
    """Candidates that count their reads and can be told to fail at one of them."""

    def __init__(self, files, fail_at=None, error=KeyboardInterrupt):
        self.files, self.fail_at, self.error, self.reads = files, fail_at, error, 0

    def read(self, data):
        if self.reads == self.fail_at:
            raise self.error
        self.reads += 1
        return data

    def __iter__(self):
        for name, data in self.files.items():
            label = "ai" if "FAKE" in name else "real"
            yield Candidate(name, label, None, "x", None, {"train": 0.5, "test": 0.5}, partial(self.read, data), 0.5)


ORIGIN = {"name": "toy", "source_sha256": "0" * 64}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def broken_off(tmp_path, cifake, monkeypatch):
    """An import that was cut after 21 of 48 files, in batches of 4; and its uncut twin."""
    monkeypatch.setattr(writer, "_BATCH_FILES", 4)
    write_dataset(tmp_path / "whole", ORIGIN, Source(cifake))
    with pytest.raises(KeyboardInterrupt):
        write_dataset(tmp_path / "out", ORIGIN, Source(cifake, fail_at=21))
    assert not (tmp_path / "out").exists()
    with pytest.raises(DatasetError, match="no finished data set"):
        Dataset.open(tmp_path / "out.partial")
    return tmp_path


def test_a_cut_import_goes_on_where_it_stopped(broken_off, cifake):
    rest = Source(cifake)
    write_dataset(broken_off / "out", ORIGIN, rest)
    assert rest.reads == len(cifake) - 20
    assert contents(broken_off / "out") == contents(broken_off / "whole")
    assert not (broken_off / "out.partial").exists()


@pytest.mark.parametrize(
    ("file", "lost_bytes", "reads"),
    [("rows.journal", 1, 29), ("rows.journal", 600, 30), ("pixels.journal", 1, 29), ("pixels.journal", 3073, 30)],
)
def test_what_a_crash_tore_off_is_read_again(broken_off, cifake, file, lost_bytes, reads):
    path = broken_off / "out.partial" / file
    os.truncate(path, path.stat().st_size - lost_bytes)
    rest = Source(cifake)
    write_dataset(broken_off / "out", ORIGIN, rest)
    assert rest.reads == reads
    assert contents(broken_off / "out") == contents(broken_off / "whole")


def test_a_cut_import_of_something_else_is_thrown_away(broken_off, cifake):
    rest = Source(cifake)
    write_dataset(broken_off / "out", ORIGIN | {"source_sha256": "1" * 64}, rest)
    assert rest.reads == len(cifake)


def test_a_killed_import_goes_on_where_it_stopped(tmp_path, cifake):
    source = as_zip(cifake, tmp_path / "cifake.zip")
    script = f"""
import os, signal
from fauxto.lab.datasets import cifake, writer
writer._BATCH_FILES = 8
done = []
def on_progress(progress):
    if progress.packed == 24:
        os.kill(os.getpid(), {int(signal.SIGKILL)})
cifake.import_cifake({str(source)!r}, {str(tmp_path / "out")!r}, on_progress=on_progress)
"""
    killed = subprocess.run([sys.executable, "-c", script], check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    progress = []
    dataset = import_cifake(source, tmp_path / "out", on_progress=progress.append)
    assert progress[0].packed == 24 + 24
    assert dataset.manifest.equals(import_cifake(source, tmp_path / "again").manifest)


def test_a_finished_import_is_not_done_again_and_nothing_is_overwritten(tmp_path, cifake):
    source = Source(cifake)
    write_dataset(tmp_path / "out", ORIGIN, source)
    write_dataset(tmp_path / "out", ORIGIN, source)
    assert source.reads == len(cifake)
    with pytest.raises(DatasetError, match="another data set"):
        write_dataset(tmp_path / "out", ORIGIN | {"window": 8}, source)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("mine")
    with pytest.raises(DatasetError, match="isn't a data set"):
        write_dataset(tmp_path / "mine", ORIGIN, source)
    assert (tmp_path / "mine/thesis.txt").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    assert len(write_dataset(tmp_path / "empty", ORIGIN, source).manifest) == len(cifake)


SPOILERS = {
    "no description": (lambda out: (out / "dataset.json").unlink(), "no finished data set"),
    "half a description": (lambda out: cut(out / "dataset.json"), "no finished data set"),
    "another format": (lambda out: edit(out, "format", 1), "format 2"),
    "a list": (lambda out: (out / "dataset.json").write_text("[]"), "format 2"),
    "another manifest": (lambda out: cut(out / "manifest.parquet"), "isn't the file"),
    "no parquet": (lambda out: replace_manifest(out, b"PAR1 nothing"), "isn't a manifest"),
    "fewer pixels": (lambda out: cut(out / "pixels.bin"), "doesn't fit"),
}


def edit(out, key, value):
    description = json.loads((out / "dataset.json").read_text())
    (out / "dataset.json").write_text(json.dumps(description | {key: value}))


def replace_manifest(out, data):
    (out / "manifest.parquet").write_bytes(data)
    edit(out, "manifest_sha256", hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("spoiler", SPOILERS)
def test_a_data_set_whose_parts_do_not_fit_is_refused(tmp_path, cifake, spoiler):
    out = write_dataset(tmp_path / "out", ORIGIN, Source(cifake)).folder
    spoil, sentence = SPOILERS[spoiler]
    spoil(out)
    with pytest.raises(DatasetError, match=sentence):
        Dataset.open(out)


@pytest.fixture
def two_folders(tmp_path, photographs, encode):
    """Photographs in sub-folders of all kinds, AI pictures by two "generators", of several sizes and formats."""
    files = {
        "real/train/flickr/astronaut.png": encode(photographs["astronaut"], "PNG"),
        "real/val/small.webp": encode(photographs["chelsea"][:40, :30], "WEBP", lossless=True),
        "real/test/flat.tiff": encode(photographs["coffee"][:100, :400], "TIFF"),
        "real/notes.txt": b"no picture",
        "real/._astronaut.png": b"a Mac's shadow of a file",
        "ai/diffuser/train/china.JPG": encode(photographs["china"], "JPEG", quality=85),
        "ai/flower.bmp": encode(photographs["flower"][:64, :64], "BMP"),
    }
    return as_folder(files, tmp_path)


def test_folders_are_packed_as_native_windows(two_folders, photographs):
    root = two_folders
    dataset = import_folders(root / "real", root / "ai", root / "out", window=256, shares={"train": 1.0})
    rows = {row["path"]: row for row in dataset.manifest.to_pylist()}
    facts = ("split", "source", "generator", "format", "width", "height", "pixel_width", "pixel_height")
    assert {path: tuple(row[key] for key in facts) for path, row in rows.items()} == {
        "real/train/flickr/astronaut.png": ("train", "flickr", None, "PNG", 512, 512, 256, 256),
        "real/val/small.webp": ("val", "real", None, "WEBP", 30, 40, 30, 40),
        "real/test/flat.tiff": ("test", "real", None, "TIFF", 400, 100, 256, 100),
        "ai/diffuser/train/china.JPG": ("train", "diffuser", "diffuser", "JPEG", 640, 427, 256, 256),
        "ai/flower.bmp": ("train", "ai", None, "BMP", 64, 64, 64, 64),
    }
    assert [one["path"] for one in dataset.description["skipped"]] == ["real/._astronaut.png"]
    train = dataset.split("train")
    assert isinstance(train.images, PixelRows)
    by_path = dict(zip(train.rows["path"].to_pylist(), train.images, strict=True))
    assert np.array_equal(by_path["real/train/flickr/astronaut.png"], photographs["astronaut"][128:384, 128:384])
    assert np.array_equal(by_path["ai/flower.bmp"], photographs["flower"][:64, :64])
    assert train.labels.tolist() == [int(path.startswith("ai/")) for path in train.rows["path"].to_pylist()]


def test_no_source_straddles_the_splits(tmp_path, photographs, encode):
    """A hundred sources of four pictures each, one also under a second name; and as many pictures without a source."""
    files = {}
    for number in range(100):
        row, column = divmod(number, 10)
        for copy in range(4):
            window = photographs["china"][row * 40 : row * 40 + 8, column * 60 + copy * 9 : column * 60 + copy * 9 + 8]
            files[f"real/gallery-{number}/deeper/{copy}.png"] = encode(window, "PNG")
        files[f"real/{number}.png"] = encode(photographs["china"][row * 40 + 20 :][:8, column * 60 :][:, :8], "PNG")
    files["ai/gallery-0/0.png"] = encode(photographs["flower"][:8, :8], "PNG")
    root = as_folder(files, tmp_path)
    shares = {"train": 0.5, "val": 0.25, "test": 0.25}
    rows = import_folders(root / "real", root / "ai", root / "out", shares=shares).manifest.to_pylist()
    splits_of = {}
    for row in rows:
        splits_of.setdefault(row["source"], set()).add(row["split"])
    assert splits_of.pop("real") == {"train", "val", "test"}
    assert len(splits_of) == 100
    assert all(len(splits) == 1 for splits in splits_of.values())
    assert set.union(*splits_of.values()) == {"train", "val", "test"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"window": 0}, "at least 1 pixel"),
        ({"shares": {"train": 0.5, "val": 0.1}}, "sum to 1"),
        ({"shares": {"train": 1.5, "val": -0.5}}, "0 or more"),
        ({"shares": {"training": 1.0}}, "train, val, test"),
        ({"ai": "nowhere"}, "no archive or folder"),
        ({"ai": "empty"}, "holds no picture"),
        ({"ai": "real/notes.txt", "real": "ai"}, "no .zip or .tar archive"),
        ({"ai": "real"}, "hold the same pictures"),
        ({"ai": "real/train"}, "hold the same pictures"),
        ({"ai": "."}, "hold the same pictures"),
    ],
)
def test_folders_that_cannot_be_imported(two_folders, options, sentence):
    (two_folders / "empty").mkdir()
    folders = [two_folders / options.get(label, label) for label in ("real", "ai")]
    others = {key: value for key, value in options.items() if key not in ("real", "ai")}
    with pytest.raises(DatasetError, match=sentence):
        import_folders(*folders, two_folders / "out", **others)
    assert not list(two_folders.glob("out*"))


def test_the_command_line_imports_and_names_what_it_skipped(tmp_path, cifake):
    archive = as_zip(cifake | {"train/REAL/bro\x1bken.jpg": b"", "test/REAL/text.jpg": b"x" * 99}, tmp_path / "in.zip")
    arguments = ["data", "import", "cifake", str(archive), "--out", str(tmp_path / "out"), "--val-share", "0"]
    result = CliRunner().invoke(commands, arguments)
    assert result.exit_code == 0
    assert "train: 12 real, 12 ai\n" in result.stdout
    assert "skipped train/REAL/bro\\x1bken.jpg" in result.stderr
    assert "skipped test/REAL/text.jpg" in result.stderr
    refused = CliRunner().invoke(commands, [*arguments[:-1], "0.5"])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "already holds another data set" in refused.stderr


def test_the_command_line_imports_folders(two_folders):
    root = two_folders
    arguments = [str(root / "real"), str(root / "ai"), "--out", str(root / "out"), "--split", "0", "0", "1"]
    result = CliRunner().invoke(commands, ["data", "import", "folders", *arguments, "--window", "32"])
    assert result.exit_code == 0
    dataset = Dataset.open(root / "out")
    assert dataset.split("train").images.shape == (2, 32, 32, 3)
    assert "ai/flower.bmp" in dataset.split("test").rows["path"].to_pylist()


def test_without_its_extra_the_laboratory_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[lab\]'"):
        importlib.reload(fauxto.lab)


def test_progress_never_goes_back(tmp_path, cifake, monkeypatch):
    monkeypatch.setattr(writer, "_BATCH_FILES", 5)
    progress = []
    import_cifake(as_tar(cifake, tmp_path / "in.tar"), tmp_path / "out", on_progress=progress.append)
    assert [one.packed for one in progress] == [*range(5, 48, 5), 48]
    assert [one.done for one in progress] == sorted(one.done for one in progress)
    assert progress[-1].done == 1
