"""Importing photographs and AI pictures that a table lists: as windows, and as whole pictures that stay files."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter

import numpy as np
import pytest
from typer.testing import CliRunner

from fauxto.cli import commands
from fauxto.errors import DatasetError, ImageError
from fauxto.images import decode
from fauxto.lab.datasets import Dataset, FileRows, writer
from fauxto.lab.datasets.audit import audit
from fauxto.lab.datasets.photos import _ORIGINAL_COLUMNS, OWN_TABLE, _read_table, import_photos

# split, label, source, repository, format, window's format
PICTURES = [
    ("train", "real", "meadow", "ann/meadow", "JPEG", "JPEG"),
    ("train", "real", "meadow", "ann/meadow", "PNG", "WEBP"),
    ("train", "ai", "diffuser-2", "bob/gallery", "PNG", "WEBP"),
    ("val", "real", "quiz-photos", "eve/quiz", "JPEG", "JPEG"),
    ("val", "ai", "unattributed-2025-quiz", "eve/quiz", "JPEG", "JPEG"),
    ("test", "real", "shore", "joe/shore", "WEBP", "WEBP"),
    ("test", "ai", "diffuser-2", "kim/prompts", "JPEG", "JPEG"),
]
QUALITY = {"JPEG": 87}
OPTIONS = {"JPEG": {"quality": 87}, "PNG": {}, "WEBP": {"lossless": True}}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def write_table(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)


def edit_table(table, number, **values):
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[number] |= values
    write_table(table, rows)


@pytest.fixture
def photos(tmp_path, photographs, encode):
    """The folder `photos` of two tables and seven windows of 64 x 64, beside `originals`, the pictures they are of."""
    windows, originals = [], []
    for number, (split, label, source, repository, format, window_format) in enumerate(PICTURES):
        pixels = photographs["china"][number * 16 : number * 16 + 160 + number, :240]
        original = encode(pixels, format, **OPTIONS[format])
        window = encode(pixels[:64, :64], window_format, **OPTIONS[window_format])
        facts = {"label": label, "source": source, "split": split, "width": 240, "height": 160 + number}
        path = f"{label}/{source}/{repository.replace('/', '+')}/{number}.{format.lower()}"
        originals.append({"path": path, **facts, "repo": repository, "format": format, "sha256": sha256(original)})
        window_path = f"{split}/{label}/{source}__{number}.{window_format.lower()}"
        generator = source if label == "ai" else ""
        windows.append(
            {"path": window_path, **facts, "generator": generator, "format": format, "origin_repo": repository}
            | {"origin_sha256": sha256(original), "sha256": sha256(window)}
        )
        for folder, name, data in (("photos", window_path, window), (f"originals/{split}", path, original)):
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / name).write_bytes(data)
    write_table(tmp_path / "photos/manifest.csv", windows)
    write_table(tmp_path / "photos/originals.csv", [*originals, *(originals[0] | one for one in OF_NO_WINDOW)])
    return tmp_path / "photos"


OF_NO_WINDOW = [
    {"path": f"real/meadow/ann+meadow/{split}.jpeg", "sha256": "0" * 64, "repo": f"ann/{split}", "split": split}
    for split in ("train", "val", "test")
]
FACTS = ("label", "generator", "source", "split", "width", "height", "format", "jpeg_quality")
EXPECTED = {
    (label, name if label == "ai" else None, repository, split, 240, 160 + number, format, QUALITY.get(format))
    for number, (split, label, name, repository, format, _) in enumerate(PICTURES)
}


def facts_of(dataset):
    return {tuple(row[fact] for fact in FACTS) for row in dataset.manifest.to_pylist()}


def test_a_window_is_packed_with_the_facts_of_its_original(photos, tmp_path):
    dataset = import_photos(photos, tmp_path / "out")
    assert facts_of(dataset) == EXPECTED
    assert {(row["pixel_width"], row["pixel_height"]) for row in dataset.manifest.to_pylist()} == {(64, 64)}
    for name in ("train", "val", "test"):
        split = dataset.split(name)
        assert split.images.shape == (len(split), 64, 64, 3)
        for image, row in zip(split.images, split.rows.to_pylist(), strict=True):
            data = (photos / row["path"]).read_bytes()
            assert row["sha256"] == sha256(data)
            assert np.array_equal(image, decode(data).rgb)
    assert dataset.files is None


def test_whole_pictures_stay_files_and_are_decoded_when_asked_for(photos, tmp_path):
    files = tmp_path / "originals"
    dataset = import_photos(photos, tmp_path / "out", originals=files)
    assert {path.name for path in dataset.folder.iterdir()} == {"dataset.json", "manifest.parquet"}
    assert dataset.files == files
    asked_for = [row["path"] for row in dataset.description["skipped"]]
    # Only test keeps to the windows' originals.
    assert asked_for == [f"{split}/real/meadow/ann+meadow/{split}.jpeg" for split in ("train", "val")]
    assert facts_of(dataset) == EXPECTED
    assert {(row["pixel_width"], row["pixel_height"]) for row in dataset.manifest.to_pylist()} == {
        (240, 160 + number) for number in range(len(PICTURES))
    }
    train = Dataset.open(dataset.folder).split("train")
    assert train.labels.tolist() == [1, 0, 0]
    assert isinstance(train.images, FileRows)
    for index, row in enumerate(train.rows.to_pylist()):
        assert train.images.files[index] == files / row["path"]
        pixels = train.images[np.int64(index)]
        assert np.array_equal(pixels, decode((files / row["path"]).read_bytes()).rgb)
        assert row["pixel_sha256"] == sha256(f"{row['height']}x{row['width']}:".encode() + pixels.tobytes())
    with pytest.raises(IndexError):
        train.images[3]
    assert audit(dataset).sampled == len(PICTURES)


def test_a_second_test_split_and_styles_are_taken_over(photos, tmp_path):
    with (photos / "originals.csv").open(encoding="utf-8", newline="") as file:
        rows = [row | {"style": ""} for row in csv.DictReader(file)]
    rows[5] |= {"split": "test2", "style": "photo"}  # without a window: test2 takes all, as train and val do
    rows[6] |= {"style": "drawing"}
    write_table(photos / "originals.csv", rows)
    files = tmp_path / "originals"
    moved = files / "test2" / rows[5]["path"]
    moved.parent.mkdir(parents=True)
    (files / "test" / rows[5]["path"]).rename(moved)
    edit_table(photos / "manifest.csv", 5, origin_sha256="0" * 64)
    dataset = import_photos(photos, tmp_path / "out", originals=files)
    assert dataset.splits == ("train", "val", "test", "test2")
    assert dataset.description["counts"]["test2"] == {"real": 1}
    assert dataset.split("test2").rows["style"].to_pylist() == ["photo"]
    assert dataset.split("test").rows["style"].to_pylist() == ["drawing"]
    assert dataset.split("train").rows["style"].to_pylist() == [None] * 3


def test_equal_pixels_in_an_earlier_split_are_known_in_test2(photos, tmp_path):
    with (photos / "originals.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rows.append(rows[6] | {"path": "ai/again/kim+again/copy.jpeg", "repo": "kim/again", "split": "test2"})
    write_table(photos / "originals.csv", rows)
    files = tmp_path / "originals"
    copy = files / "test2" / rows[-1]["path"]
    copy.parent.mkdir(parents=True)
    copy.write_bytes((files / "test" / rows[6]["path"]).read_bytes())
    dataset = import_photos(photos, tmp_path / "out", originals=files)
    assert dataset.split("test2").leaked.tolist() == [True]
    assert not dataset.split("test").leaked.any()


def test_a_file_that_was_changed_or_moved_after_the_import_is_not_shown(photos, tmp_path):
    files = tmp_path / "originals"
    folder = import_photos(photos, tmp_path / "out", originals=files).folder
    images = Dataset.open(folder).split("val").images
    images.files[0].write_bytes(images.files[1].read_bytes())
    images.files[1].unlink()
    with pytest.raises(DatasetError, match="has changed since it was imported"):
        images[0]
    with pytest.raises(ImageError, match="there is no file"):
        images[1]
    moved = files.rename(tmp_path / "moved")
    with pytest.raises(DatasetError, match="where there is no folder"):
        Dataset.open(folder)
    description = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(description | {"files": "../moved"}))
    dataset = Dataset.open(folder)
    assert np.array_equal(dataset.split("test").images[0], decode(next(moved.glob("test/ai/*/*/*")).read_bytes()).rgb)


def test_a_file_that_is_missing_or_another_one_is_skipped(photos, tmp_path):
    changed = next(photos.glob("train/real/*.jpeg"))
    changed.write_bytes(changed.read_bytes() + b"\0")
    next(photos.glob("test/ai/*")).unlink()
    (tmp_path / "secret.png").write_bytes(next(photos.glob("train/ai/*")).read_bytes())
    edit_table(photos / "manifest.csv", 2, path="../secret.png")
    skipped = {one["path"]: one for one in import_photos(photos, tmp_path / "out").description["skipped"]}
    assert {path: (one["status"], one["reason"]) for path, one in skipped.items()} == {
        "train/real/meadow__0.jpeg": ("unreadable", "it isn't the file that the table names: its sha256 differs"),
        "test/ai/diffuser-2__6.jpeg": ("not_found", "there is no file 'test/ai/diffuser-2__6.jpeg'; check the path"),
        "../secret.png": ("unreadable", "its name isn't a plain relative path"),
    }


def test_a_cut_import_of_whole_pictures_goes_on_and_more_of_them_are_another_set(photos, tmp_path, monkeypatch):
    files = tmp_path / "originals"
    whole = import_photos(photos, tmp_path / "whole", originals=files)
    monkeypatch.setattr(writer, "_BATCH_FILES", 3)

    def cut(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_photos(photos, tmp_path / "out", originals=files, on_progress=cut)
    progress = []
    dataset = import_photos(photos, tmp_path / "out", originals=files, on_progress=progress.append)
    assert [one.packed for one in progress] == [6, 7]
    assert dataset.manifest.equals(whole.manifest)
    assert dataset.description == whole.description
    (files / "notes.txt").write_text("nothing that the table names")
    assert import_photos(photos, tmp_path / "out", originals=files).manifest_sha256 == whole.manifest_sha256
    next(files.glob("val/ai/*/*/*")).unlink()
    with pytest.raises(DatasetError, match="another data set"):
        import_photos(photos, tmp_path / "out", originals=files)


SPOILERS = {
    "no table": (lambda photos: (photos / "manifest.csv").unlink(), "No such file"),
    "no text": (lambda photos: (photos / "manifest.csv").write_bytes(b"\xff\xfe\0"), "can't be read as a table"),
    "empty": (lambda photos: (photos / "manifest.csv").write_bytes(b""), "has no row"),
    "columns": (lambda photos: write_table(photos / "manifest.csv", [{"path": "a"}]), "row 1 has no label, generator"),
    "label": (lambda photos: edit_table(photos / "manifest.csv", 1, label="drawn"), "row 2 has the label 'drawn'"),
    "split": (lambda photos: edit_table(photos / "manifest.csv", 1, split="dev"), "the split 'dev'"),
    "size": (lambda photos: edit_table(photos / "manifest.csv", 4, width="wide"), "row 5 has a size"),
    "repository": (
        lambda photos: edit_table(photos / "manifest.csv", 6, origin_repo="bob/gallery"),
        "row 7 puts bob/gallery into a second split, test",
    ),
}


@pytest.mark.parametrize("spoiler", SPOILERS)
def test_a_table_that_cannot_be_trusted_is_refused_in_a_sentence(photos, tmp_path, spoiler):
    spoil, sentence = SPOILERS[spoiler]
    spoil(photos)
    with pytest.raises(DatasetError, match=sentence):
        import_photos(photos, tmp_path / "out")
    assert not list(tmp_path.glob("out*"))


def test_the_command_line_imports_both(photos, tmp_path):
    for out, options in (("windows", []), ("whole", ["--originals", str(tmp_path / "originals")])):
        arguments = ["data", "import", "photos", str(photos), "--out", str(tmp_path / out), *options]
        result = CliRunner().invoke(commands, arguments)
        assert result.exit_code == 0
        assert "train: 2 real, 1 ai\nval: 1 real, 1 ai\ntest: 1 real, 1 ai\n" in result.stdout
    refused = CliRunner().invoke(commands, [*arguments[:-1], str(tmp_path / "nowhere")])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "there is no folder at" in refused.stderr


def test_the_real_windows_come_in_whole(shared, tmp_path):
    source = shared / "data/photos"
    if not (source / "manifest.csv").is_file():
        pytest.skip("there is no data/photos in the folder 'shared'")
    dataset = import_photos(source, tmp_path / "out")
    assert dataset.description["skipped"] == []
    assert dataset.description["counts"] == {
        "train": {"real": 2300, "ai": 2300},
        "val": {"real": 300, "ai": 300},
        "test": {"real": 350, "ai": 350},
        "test2": {},
    }
    splits_of = dict(zip(dataset.manifest["source"].to_pylist(), dataset.manifest["split"].to_pylist(), strict=True))
    assert Counter(splits_of.values()) == {"train": 35, "val": 9, "test": 9}
    assert not any(dataset.split(name).leaked.any() for name in dataset.splits)
    # A window keeps the quantisation tables of a JPEG, so its quality is the original's.
    with (source / "manifest.csv").open(encoding="utf-8", newline="") as file:
        listed = {row["path"]: row["jpeg_quality"] != "" for row in csv.DictReader(file)}
    found = dataset.manifest.select(["path", "jpeg_quality"]).to_pydict()
    assert {path: quality is not None for path, quality in zip(*found.values(), strict=True)} == listed


def test_our_own_table_lists_pictures_to_learn_from_and_each_once():
    rows = _read_table(OWN_TABLE, _ORIGINAL_COLUMNS, repository="repo")
    assert (len(rows), len({row["repo"] for row in rows})) == (4_260, 182)  # as docs/reference/datasets.md says
    assert {row["split"] for row in rows} == {"train"}
    assert len({row["sha256"] for row in rows}) == len({row["path"] for row in rows}) == len(rows)
