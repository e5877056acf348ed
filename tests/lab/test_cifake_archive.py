"""The whole of CIFAKE, as it comes in its archive."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from fauxto.lab.datasets.audit import find_duplicates
from fauxto.lab.datasets.cifake import OBJECT_CLASSES, import_cifake


@pytest.fixture(scope="module")
def cifake(shared, tmp_path_factory):
    return import_cifake(shared / "data" / "cifake.tar.xz", tmp_path_factory.mktemp("data") / "cifake")


def test_every_picture_is_there(cifake):
    assert cifake.description["skipped"] == []
    counts = cifake.description["counts"]
    assert counts["test"] == {"real": 10_000, "ai": 10_000}
    for label in ("real", "ai"):
        assert counts["train"][label] + counts["val"][label] == 50_000
        assert abs(counts["val"][label] - 5_000) < 200
    classes = Counter(zip(*cifake.manifest.select(["object_class", "label"]).to_pydict().values(), strict=True))
    assert classes == {(name, label): 6_000 for name in OBJECT_CLASSES for label in ("real", "ai")}
    for name in ("train", "val", "test"):
        split = cifake.split(name)
        assert split.images.shape == (len(split), 32, 32, 3)
    assert set(cifake.manifest["jpeg_quality"].to_pylist()) == {75}


def test_the_known_duplicates_are_found_and_none_crosses_from_train_to_val(cifake):
    test = cifake.split("test")
    assert test.leaked.sum() == 378
    assert (test.labels[test.leaked] == 1).all()
    assert not cifake.split("val").leaked.any()
    assert not cifake.split("train").leaked.any()
    duplicates = find_duplicates(cifake)
    assert duplicates.groups == 1_336
    assert duplicates.both_labels == 0
    assert duplicates.across["train, val"] == 0
    assert duplicates.across["train, test"] + duplicates.across["val, test"] == 378
    assert sum(duplicates.surplus.values()) == 1_336 - 378


def test_the_mean_colours_are_those_that_were_measured_before(cifake):
    split = cifake.split("train")
    for label, expected in ((0, (0.491, 0.482, 0.447)), (1, (0.453, 0.444, 0.389))):
        mean = split.images[split.labels == label].mean(axis=(0, 1, 2)) / 255
        assert np.abs(mean - expected).max() < 0.002
