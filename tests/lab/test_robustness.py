"""The robustness table: a sample of a split as it is, and under one degradation at a time."""

from __future__ import annotations

import numpy as np
import pytest

from fauxto import preprocessing
from fauxto.errors import DatasetError
from fauxto.lab.datasets import Dataset
from fauxto.lab.degradations.protocols import CLEAN, DAMAGED
from fauxto.lab.evaluation import scores
from fauxto.lab.evaluation.results import measure_robustness
from fauxto.lab.evaluation.scores import score

BY_NAME = {f"{protocol.name} {protocol.severity}": protocol for protocol in DAMAGED}


@pytest.fixture
def pictures(toy_data):
    return Dataset.open(toy_data).split("test")


def table_of(run, toy_data, **options):
    dataset = Dataset.open(toy_data)
    return measure_robustness(run.bundle(), dataset, dataset.split("test"), run.cache, **options)


def test_the_table(toy_run, toy_data):
    table = table_of(toy_run, toy_data, sample=400, seed=2)
    rows = {(row["degradation"], row["severity"]): row for row in table["rows"]}
    assert list(rows) == [(protocol.name, protocol.severity) for protocol in (CLEAN, *DAMAGED)]
    assert (table["count"], table["seed"], table["subject"]["split"]) == (400, 2, "test")
    # The toy network goes by colour alone: noise leaves it what it was, grey takes everything.
    untouched = rows["clean", "as found"]
    assert 0.7 < untouched["accuracy"] < 0.9
    assert rows["noise", "σ 4 of 255"]["auroc"] == pytest.approx(untouched["auroc"], abs=0.03)
    assert rows["greyscale", "whole"]["auroc"] == 0.5
    assert table == table_of(toy_run, toy_data, sample=400, seed=2)
    assert table["rows"] != table_of(toy_run, toy_data, sample=400, seed=3)["rows"]


def test_leaked_pictures_are_left_out(toy_run, toy_data, pictures, monkeypatch):
    seen = []

    class Watched(scores.Network):
        def views(self, rgb):
            seen.append(rgb.tobytes())
            return super().views(rgb)

    monkeypatch.setattr(scores, "Network", Watched)
    assert table_of(toy_run, toy_data, sample=10_000)["count"] == 750
    assert np.sum(pictures.leaked) == 50
    assert {rgb.tobytes() for rgb in pictures.images[~pictures.leaked]} <= set(seen)
    assert {rgb.tobytes() for rgb in pictures.images[pictures.leaked]}.isdisjoint(seen)


def test_a_split_that_leaked_whole_is_refused(toy_run, toy_data, pictures):
    pictures.leaked[:] = True
    with pytest.raises(DatasetError, match="also stands in an earlier split"):
        measure_robustness(toy_run.bundle(), Dataset.open(toy_data), pictures, toy_run.cache)


@pytest.mark.parametrize("name", ["noise σ 16 of 255", "crop 75% of each side"])
def test_chance_differs_by_picture_and_seed_but_not_by_the_choice_of_others(toy_run, pictures, name):
    def scored(rows, seed=5):
        (under,) = score(toy_run.bundle(), pictures, (BY_NAME[name],), toy_run.cache, rows=np.array(rows), seed=seed)
        return under.score

    few, more = scored([3, 8]), scored(range(10))
    np.testing.assert_array_equal(few, more[[3, 8]])
    assert not np.array_equal(few, scored([3, 8], seed=6))


def test_the_network_is_fed_what_was_enlarged_at_its_own_size(toy_run, pictures):
    protocol = BY_NAME["enlarged to 64 px"]
    (under,) = score(toy_run.bundle(), pictures, (protocol,), toy_run.cache, rows=np.arange(5))
    for rgb, given in zip(pictures.images[:5], under.score, strict=True):
        enlarged = protocol.apply(rgb, np.random.default_rng(0))
        assert enlarged.shape == (64, 64, 3)
        seen = preprocessing.resize(enlarged, 8, 8).astype(float)
        assert given == pytest.approx((seen[..., 0] - seen[..., 2]).mean() - 1, abs=1e-3)
