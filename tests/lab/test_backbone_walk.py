"""The way of a pretrained backbone from whole pictures to a bundle, on a narrow encoder of random weights."""

from __future__ import annotations

import csv
import dataclasses
import hashlib

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fauxto import Detector
from fauxto.bundles import load
from fauxto.bundles.network import Network
from fauxto.cli import commands
from fauxto.errors import ConfigError
from fauxto.lab import networks, training
from fauxto.lab.backend import import_keras
from fauxto.lab.datasets import Dataset
from fauxto.lab.datasets.photos import import_photos
from fauxto.lab.degradations.chain import Degradation
from fauxto.lab.recipe import Augmentation, Recipe
from fauxto.lab.run import Run
from fauxto.lab.weighting import held_out

FROZEN = Recipe(
    network="clip-vit-b16",
    image_size=32,
    width=1 / 12,
    views=("whole", "centre"),
    held_out=0.3,
    trainable=0,
    epochs=0,
    head="logistic",
    head_strength=0.01,
    stability=True,
    degradation=Degradation(cut=0.5, save=0.5),
)
TRAINED = dataclasses.replace(
    FROZEN,
    views=("whole",),
    held_out=0.0,
    trainable=1,
    epochs=2,
    variants=2,
    batch_size=8,
    learning_rate=1e-3,
    kept_tokens=0.8,
    averaging=0.5,
    interpolation=0.5,
    augmentation=Augmentation(flip=True, mixup=0.5),
)


def picture(label, rng):
    """A scene of soft shapes; the AI pictures are of a warmer tint, which anything can learn."""
    rows, columns = rng.integers(90, 140, 2)
    coarse = rng.integers(0, 200, (9, 9, 3)).astype(np.uint8)
    scene = np.asarray(Image.fromarray(coarse).resize((columns, rows), Image.Resampling.BICUBIC)).astype(np.int64)
    noisy = scene + rng.integers(0, 20, scene.shape) + np.array([35, 0, -35]) * (label == "ai")
    return np.clip(noisy, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Whole pictures of ten sources a split, which stay files."""
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    windows, originals = [], []
    for split, count in (("train", 60), ("val", 40), ("test", 20)):
        for number in range(count):
            label = "ai" if number % 2 else "real"
            path = f"{label}/{split}-{number}.png"
            file = folder / "originals" / split / path
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture(label, rng)).save(file)
            sha256, source = hashlib.sha256(file.read_bytes()).hexdigest(), f"{split}-{number % 10}"
            facts = {"path": path, "label": label, "generator": "g" if label == "ai" else "", "split": split}
            windows.append(
                {**facts, "width": 1, "height": 1, "format": "PNG", "origin_repo": source}
                | {"sha256": sha256, "origin_sha256": sha256}
            )
            maker = {1: "flux.1-dev", 3: "midjourney-v7"}.get(number % 4, source)
            originals.append({**facts, "source": maker, "repo": source, "sha256": sha256})
    for name, rows in (("manifest.csv", windows), ("originals.csv", originals)):
        with (folder / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    import_photos(folder, folder / "data", originals=folder / "originals")
    return folder / "data"


def start_from_random(path, patch):
    """Write a file that stands for starting weights, random but always the same."""

    def load_starting_weights(name, model, path):
        import keras

        keras.utils.set_random_seed(5)
        for layer, fresh in zip(model.layers, networks.build(name, model.input_shape[1], 1 / 12).layers, strict=True):
            layer.set_weights(fresh.get_weights())

    patch.setattr(networks, "load_starting_weights", load_starting_weights)
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def weights(tmp_path, monkeypatch):
    return start_from_random(tmp_path / "weights.onnx", monkeypatch)


def run_command(*words):
    result = CliRunner().invoke(commands, [str(word) for word in words])
    assert result.exit_code == 0, result.output


def test_a_frozen_backbone_with_a_logistic_head_becomes_a_bundle(data, weights, tmp_path):
    run, out = Run(tmp_path / "run"), tmp_path / "photos"
    record = training.train(FROZEN, data, run, weights=weights)
    assert (record["epochs"], record["history"]) == (0, [])
    assert record["weights_sha256"] == hashlib.sha256(b"weights").hexdigest()
    assert run.agreement["bits"] == 8
    run_command("calibrate", run.folder, "--data", data)
    train = Dataset.open(data).split("train")
    out_of_train = int(held_out(train.sources, 0.3).sum())
    assert 0 < out_of_train < len(train)
    assert run.calibration.calibration.count <= 40 + out_of_train
    assert "held out" in run.calibration.calibration.fitted_on
    run_command("evaluate", run.folder, "--data", data, "--robustness", "--sample", "6")
    options = ("--summary", "A test.", "--min-short-side", "65", "--max-short-side", "10000")
    run_command("pack", run.folder, "--out", out, *options)

    bundle = load(out)
    assert (bundle.stability, bundle.input.views) == (True, ("whole", "centre"))
    assert list(bundle.families) == ["FLUX", "Midjourney"]
    assert "### Which generator?" in bundle.card
    test = Dataset.open(data).split("test")
    expected = dict(zip(test.rows["sha256"].to_pylist(), Network(run.bundle()).score(list(test.images)), strict=True))
    detector = Detector(out, operating_point="sensitive", evidence=False)
    reports = list(detector.analyze_many(sorted((data.parent / "originals/test").rglob("*.png"))))
    assert len(reports) == len(expected) == 20
    for report in reports:
        assert report.score == expected[report.image.sha256]
    ai = [report.score for report in reports if "/ai/" in str(report.path)]
    real = [report.score for report in reports if "/real/" in str(report.path)]
    assert np.mean([a > r for a in ai for r in real]) > 0.8
    card = (out / "CARD.md").read_text()
    assert "the whole picture and its inner 62 %, 32 x 32 RGB" in card
    assert "in 8 bits; logits differ by" in card
    assert "a verdict has to outlast a re-encoding" in card


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """A run that was cut before its head was fitted, and resumed; with its history as it was at the cut."""
    import_keras("tensorflow")
    from fauxto.lab import linear_head

    folder = tmp_path_factory.mktemp("trained")
    weights, run = folder / "encoder.onnx", Run(folder / "run")

    def cut(*arguments):
        raise RuntimeError("cut")

    with pytest.MonkeyPatch.context() as patch:
        start_from_random(weights, patch)
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(linear_head, "fit_into", cut)
            with pytest.raises(RuntimeError, match="cut"):
                training.train(TRAINED, data, run, weights=weights)
        before = (run.folder / training.HISTORY).read_text()
        training.train(TRAINED, data, run, weights=weights, resume=True)
    return run, before


def test_a_run_that_was_cut_before_its_head_trains_no_epoch_again(trained):
    run, before = trained
    assert (run.folder / training.HISTORY).read_text() == before
    assert [epoch["epoch"] for epoch in run.record["history"]] == [1, 2]
    assert not (run.folder / training.FITTED).exists()


def test_the_last_block_is_trained_and_the_rest_stays(trained, data, weights):
    run, _ = trained
    start, network = networks.build("clip-vit-b16", 32, 1 / 12), run.load_keras_model()
    networks.load_starting_weights("clip-vit-b16", start, weights)
    moved = {
        layer.name
        for layer, first in zip(network.layers, start.layers, strict=True)
        if any(not np.array_equal(new, old) for new, old in zip(layer.get_weights(), first.get_weights(), strict=True))
    }
    last = max(
        (layer.name for layer in start.layers if layer.name.startswith("block_")),
        key=lambda name: int(name.removeprefix("block_")),
    )
    assert moved == {last, "logits"}
    assert np.isfinite(Network(run.bundle()).score(list(Dataset.open(data).split("test").images))).all()
    weights.write_bytes(b"other weights")
    with pytest.raises(ConfigError, match="begun from other weights"):
        training.train(TRAINED, data, run, weights=weights, resume=True)


def test_an_untrained_run_takes_the_backbone_of_a_finished_one_at_another_size(trained, data, weights, tmp_path):
    other, run = trained[0], Run(tmp_path / "run")
    recipe = dataclasses.replace(FROZEN, image_size=64, interpolation=0.5)
    record = training.train(recipe, data, run, weights=weights, average_with=[other])
    assert (record["epochs"], record["averaged_with"]) == (0, [other.network_sha256])
    ours = run.load_network()
    start = networks.of(recipe)
    networks.load_starting_weights(recipe.network, start, weights)
    for half, *pair in zip(*map(block_weights, (ours, start, other.load_keras_model())), strict=True):
        np.testing.assert_allclose(half, np.mean(pair, axis=0), atol=1e-6)
    assert np.isfinite(Network(run.bundle()).score(list(Dataset.open(data).split("test").images))).all()


def block_weights(network):
    return network.get_layer("block_10").get_weights()


def test_a_backbone_is_averaged_with_that_of_another_run(trained, data, weights, tmp_path, monkeypatch):
    from fauxto.lab import linear_head

    other, run, averaged = trained[0], Run(tmp_path / "run"), []

    def cut(model, *_):
        averaged.extend(block_weights(model))
        raise RuntimeError("cut")

    monkeypatch.setattr(linear_head, "fit_into", cut)
    recipe = dataclasses.replace(TRAINED, seed=2, epochs=1, interpolation=1.0)
    with pytest.raises(RuntimeError, match="cut"):
        training.train(recipe, data, run, weights=weights, average_with=[other])
    own = block_weights(run.load_network(run.folder / training.FITTED))
    assert not np.array_equal(own[0], averaged[0])
    for mean, mine, theirs in zip(averaged, own, block_weights(other.load_keras_model()), strict=True):
        np.testing.assert_allclose(mean, (mine + theirs) / 2, atol=1e-6)
    with pytest.raises(ConfigError, match="begun to be averaged with other runs"):
        training.train(recipe, data, run, weights=weights, resume=True)


@pytest.mark.parametrize(
    ("change", "other_weights", "says"),
    [
        ({"head": "trained", "interpolation": 1.0, "variants": 1}, b"weights", "must get a logistic head"),
        ({"width": 1 / 6}, b"weights", "it has another network or width"),
        ({}, b"others", "it started from other weights"),
    ],
)
def test_only_equal_networks_are_averaged(trained, data, weights, tmp_path, change, other_weights, says):
    weights.write_bytes(other_weights)
    recipe = dataclasses.replace(TRAINED, **change)
    with pytest.raises(ConfigError, match=says):
        training.train(recipe, data, Run(tmp_path / "run"), weights=weights, average_with=[trained[0]])
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, r"starts from pretrained weights: name their file \(--weights\)"),
        ({"network": "paper-cnn"}, "has no features that a logistic head could be fitted on"),
        ({"head": "trained", "epochs": 1, "variants": 1, "flip_averaging": True}, "can't average over mirror images"),
    ],
)
def test_a_backbone_that_cannot_start_leaves_no_run(data, tmp_path, change, says):
    with pytest.raises(ConfigError, match=says):
        training.train(dataclasses.replace(FROZEN, **change), data, Run(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
