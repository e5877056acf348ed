"""The logistic head: which pictures it is fitted on, how much each counts, and where its weights go."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression

from fauxto.lab import linear_head
from fauxto.lab.backend import import_keras
from fauxto.lab.linear_head import fit, fit_into
from fauxto.lab.recipe import Recipe
from fauxto.lab.weighting import held_out, weights_by_source

RNG = np.random.default_rng(0)


def test_weights_give_labels_equal_sums_and_sources_the_root_of_their_size():
    sources = np.repeat(["small", "large", "ai"], [4, 100, 50])
    labels = (sources == "ai").astype(np.int64)
    weights = weights_by_source(labels, sources)
    assert weights.mean() == pytest.approx(1)
    assert weights[labels == 0].sum() == pytest.approx(weights[labels == 1].sum())
    assert weights[sources == "large"].sum() / weights[sources == "small"].sum() == pytest.approx(np.sqrt(100 / 4))
    assert all(len(np.unique(weights[sources == source])) == 1 for source in ("small", "large", "ai"))


def test_a_source_with_both_labels_is_two():
    sources, labels = np.repeat(["both", "other"], [20, 10]), np.array([0, 1] * 15)
    weights = weights_by_source(labels, sources)
    assert weights[labels == 0].sum() == pytest.approx(weights[labels == 1].sum())


def test_sources_are_held_out_whole_by_their_names_alone():
    names = np.array([f"source-{number}" for number in range(2_000)])
    sources = np.repeat(names, 3)
    out = held_out(sources, 0.2)
    assert out.reshape(-1, 3).all(axis=1).mean() == pytest.approx(0.2, abs=0.03)
    np.testing.assert_array_equal(out.reshape(-1, 3).any(axis=1), out.reshape(-1, 3).all(axis=1))
    np.testing.assert_array_equal(held_out(names[::-1], 0.2)[::-1], held_out(names, 0.2))
    assert not (held_out(names, 0.1) & ~held_out(names, 0.2)).any()
    assert not held_out(names, 0.0).any()


def test_the_head_is_the_logistic_regression_on_standardised_features():
    labels = RNG.integers(0, 2, 400)
    features = (RNG.normal(size=(400, 5)) * [1, 10, 100, 1, 1] + labels[:, None] * [1, 5, 0, 0, 0] + 7).astype(
        np.float32
    )
    sources = RNG.choice(["a", "b", "c"], 400)
    head = fit(features, labels, sources, 0.1)
    standard = (features - features.mean(axis=0)) / features.std(axis=0)
    theirs = LogisticRegression(C=0.1).fit(standard, labels, sample_weight=weights_by_source(labels, sources))
    np.testing.assert_allclose(features @ head.weights + head.bias, theirs.decision_function(standard), atol=1e-2)
    assert head.weights.dtype == np.float32


@pytest.fixture(scope="module")
def backbone():
    """A Keras model that ends as a backbone does."""
    keras = import_keras("tensorflow")
    pixels = keras.Input((8, 8, 3), name="pixels")
    features = keras.layers.GlobalAveragePooling2D(name="features")(pixels)
    return keras.Model(pixels, keras.layers.Dense(2, name="logits")(features))


def pictures(count=300, sources=12):
    rows = np.arange(count)
    named = {"generator": pa.array([("flux", "midjourney")[row // 2 % 2] if row % 2 else None for row in rows])}
    sources = np.array([f"source-{number % sources}" for number in rows])
    return SimpleNamespace(labels=rows % 2, sources=sources, name="train", rows=pa.table(named))


def test_the_model_gets_the_head_whose_score_its_logits_tell(backbone, monkeypatch, tmp_path):
    split = pictures()
    seen = RNG.normal(size=(300, 3)).astype(np.float32) + split.labels[:, None] * np.float32([1, 0, -1])
    monkeypatch.setattr(linear_head.encoder_export, "export", lambda model: b"")
    monkeypatch.setattr(linear_head, "encoder_features", lambda *_: seen)
    recipe = Recipe(network="", head="logistic", held_out=0.3, head_strength=0.5)
    families = fit_into(backbone, split, recipe, tmp_path)
    assert families.names == ("FLUX", "Midjourney")
    learnt = ~held_out(split.sources, 0.3)
    assert 0 < learnt.sum() < 300
    head = fit(seen[learnt], split.labels[learnt], split.sources[learnt], 0.5)
    flat = np.tile(seen[:7, None, None], (1, 8, 8, 1))
    real, ai = backbone.predict(flat, verbose=0).T
    np.testing.assert_allclose(ai - real, seen[:7] @ head.weights + head.bias, atol=1e-4)
    np.testing.assert_allclose(real, -ai, atol=1e-5)


def test_pictures_are_seen_in_their_variants_by_turns(monkeypatch, tmp_path):
    class Rows(list):
        name = "rows"

    class Mean:
        def run(self, names, inputs):
            return [inputs["pixels"].mean(axis=(1, 2))]

    def degraded(pictures, recipe, variant, folder):
        return Rows(np.full((1, 2, 2, 3), 10 * row + variant, np.uint8) for row in range(5))

    monkeypatch.setattr(linear_head.views, "degraded", degraded)
    monkeypatch.setattr(linear_head, "_session", lambda network: Mean())
    split = type("Five", (), {"name": "train", "__len__": lambda self: 5})()
    features = linear_head.encoder_features(b"", split, Recipe(network="", head="logistic", variants=2), tmp_path)
    np.testing.assert_allclose(features[:, 0] * 255, [0, 11, 20, 31, 40], rtol=1e-5)


def test_what_is_held_out_changes_nothing(backbone, monkeypatch, tmp_path):
    split = pictures()
    out = held_out(split.sources, 0.3)
    seen = RNG.normal(size=(300, 3)).astype(np.float32)
    heads = []
    monkeypatch.setattr(linear_head.encoder_export, "export", lambda model: b"")
    for values in (seen, np.where(out[:, None], np.float32(1e6), seen)):
        monkeypatch.setattr(linear_head, "encoder_features", lambda *_, values=values: values)
        families = fit_into(backbone, split, Recipe(network="", head="logistic", held_out=0.3), tmp_path)
        heads.append((backbone.get_layer("logits").get_weights()[0], families.kernel))
    for one, other in zip(*heads, strict=True):
        np.testing.assert_array_equal(one, other)
