"""The audit finds the duplicates and shortcuts that were put in, and no others."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest
from typer.testing import CliRunner

from fauxto.cli import commands
from fauxto.lab.datasets.audit import audit
from fauxto.lab.datasets.writer import Candidate, write_dataset

PER_LABEL = 150
FACTS = ("file format", "JPEG quality and tables", "size and shape", "mean colour", "greyness")


def write(out, pictures):
    """Write a data set of (path, label, split, bytes)."""
    candidates = [
        Candidate(path, label, None, "toy", None, {split: 1.0}, partial(bytes, data), 1.0)
        for path, label, split, data in pictures
    ]
    return write_dataset(out, {"name": "toy"}, candidates)


def grey(rgb):
    return np.repeat(rgb.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)


ALIKE = {"real": lambda rgb, encode: encode(rgb, "PNG"), "ai": lambda rgb, encode: encode(rgb, "PNG")}
PLANTED = {
    "nothing": (ALIKE, set(), set(FACTS)),
    "format": (
        ALIKE | {"ai": lambda rgb, encode: encode(rgb, "WEBP", lossless=True)},
        {"file format"},
        {"JPEG quality and tables", "size and shape", "mean colour", "greyness"},
    ),
    "quality": (
        {
            "real": lambda rgb, encode: encode(rgb, "JPEG", quality=92),
            "ai": lambda rgb, encode: encode(rgb, "JPEG", quality=85),
        },
        {"JPEG quality and tables"},
        {"file format", "size and shape", "mean colour", "greyness"},
    ),
    "tables": (
        {
            "real": lambda rgb, encode: encode(rgb, "JPEG", qtables=[[9] * 64, [8] * 64]),
            "ai": lambda rgb, encode: encode(rgb, "JPEG", qtables=[[9] * 64, [7] * 64]),
        },
        {"JPEG quality and tables"},
        {"file format", "size and shape", "mean colour", "greyness"},
    ),
    "size": (
        ALIKE | {"ai": lambda rgb, encode: encode(rgb[:20], "PNG")},
        {"size and shape"},
        {"file format", "JPEG quality and tables"},
    ),
    "colour": (
        ALIKE | {"ai": lambda rgb, encode: encode(np.maximum(rgb, [255, 0, 0]).astype(np.uint8), "PNG")},
        {"mean colour"},
        {"file format", "JPEG quality and tables", "size and shape"},
    ),
    "grey": (
        ALIKE | {"ai": lambda rgb, encode: encode(grey(rgb), "PNG")},
        {"greyness"},
        {"file format", "JPEG quality and tables", "size and shape"},
    ),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_shortcut_is_found_and_no_other(tmp_path, photographs, encode, planted):
    encoders, strong, clean = PLANTED[planted]
    rng = np.random.default_rng(5)
    pictures = []
    for number in range(2 * PER_LABEL):
        photo = list(photographs.values())[rng.integers(len(photographs))]
        top, left = (rng.integers(side - 32) for side in photo.shape[:2])
        label = ("real", "ai")[number % 2]
        data = encoders[label](photo[top : top + 32, left : left + 32], encode)
        pictures.append((f"{number}", label, "train", data))
    result = audit(write(tmp_path / "out", pictures))
    verdicts = {one.facts: one.verdict for one in result.shortcuts}
    assert set(verdicts) == {*FACTS, "all of the above"}
    assert {facts for facts in strong if verdicts[facts] == "strong"} == strong
    assert {facts for facts in clean if verdicts[facts] == "no shortcut"} == clean
    assert verdicts["all of the above"] == ("strong" if strong else "no shortcut")
    assert result.sampled == len({data for *_, data in pictures})
    for one in result.shortcuts:
        assert one.facts in one.meaning


@pytest.fixture
def repetitive(tmp_path, photo, encode):
    """Five pictures: 0 stands three times in train and once in test, 1 in val and test, 2 under both labels."""
    data = [encode(photo[number * 9 : number * 9 + 8, :8], "PNG") for number in range(5)]
    places = [
        ("a", "ai", "train", 0),
        ("b", "ai", "train", 0),
        ("c", "ai", "train", 0),
        ("d", "ai", "test", 0),
        ("e", "real", "val", 1),
        ("f", "real", "test", 1),
        ("g", "real", "train", 2),
        ("h", "ai", "train", 2),
        ("i", "real", "train", 3),
        ("j", "ai", "val", 4),
    ]
    return write(tmp_path / "out", [(path, label, split, data[number]) for path, label, split, number in places])


def test_duplicates_are_counted_within_and_across_splits(repetitive):
    duplicates = audit(repetitive).duplicates
    assert duplicates.groups == 3
    assert duplicates.surplus == {"train": 3, "val": 0, "test": 0}
    assert duplicates.across == {"train, val": 0, "train, test": 1, "val, test": 1}
    assert duplicates.both_labels == 1
    assert sorted(duplicates.examples[:2]) == [["a", "b", "c", "d"], ["e", "f"]]
    assert duplicates.examples[2] == ["g", "h"]


def test_too_few_pictures_give_no_figures(tmp_path, photo, encode):
    dataset = write(tmp_path / "out", [("a", "ai", "train", encode(photo[:8, :8], "PNG"))])
    result = audit(dataset)
    assert result.shortcuts == []
    assert result.balance == {"train": {"ai": 1}, "val": {}, "test": {}, "test2": {}}


def test_the_command_line_prints_tables_or_json(repetitive):
    shown = CliRunner().invoke(commands, ["data", "audit", str(repetitive.folder)])
    assert shown.exit_code == 0
    assert "a = b = c = d" in shown.stdout
    plain = CliRunner().invoke(commands, ["data", "audit", str(repetitive.folder), "--json"])
    assert json.loads(plain.stdout) == audit(repetitive).to_dict()
    assert json.loads(plain.stdout)["duplicates"]["both_labels"] == 1
