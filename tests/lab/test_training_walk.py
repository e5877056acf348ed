"""The whole walk of a model on a few hundred pictures: import, train, calibrate, evaluate, pack, judge."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from fauxto.lab.config import Augmentation, Recipe
from PIL import Image
from skimage import data as skimage_data
from typer.testing import CliRunner

from fauxto import Detector
from fauxto.cli import commands
from fauxto.errors import ConfigError, DatasetError, FauxtoError
from fauxto.lab import training
from fauxto.lab.datasets import Dataset

RECIPE = Recipe(
    network="paper-cnn",
    width=0.25,
    batch_size=32,
    epochs=4,
    learning_rate=0.003,
    augmentation=Augmentation(flip=True, rotation=5.0, brightness=0.1),
)


def run_command(*words):
    result = CliRunner().invoke(commands, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """600 windows of real photographs, half of them tinted and called AI: easy enough for a small network."""
    folder = tmp_path_factory.mktemp("walk")
    rng = np.random.default_rng(0)
    photographs = [skimage_data.astronaut(), skimage_data.chelsea(), skimage_data.coffee()]
    for label in ("real", "ai"):
        for split, count in (("train", 200), ("val", 50), ("test", 50)):
            (folder / label / split).mkdir(parents=True)
            for number in range(count):
                photograph = photographs[number % 3]
                top, left = (int(rng.integers(side - 32)) for side in photograph.shape[:2])
                window = photograph[top : top + 32, left : left + 32] * ((1, 1, 0.4) if label == "ai" else (1, 1, 1))
                Image.fromarray(window.astype(np.uint8)).save(folder / label / split / f"{number}.png")
    run_command("data", "import", "folders", folder / "real", folder / "ai", "--out", folder / "set")
    return folder / "set"


@pytest.fixture(scope="session")
def run(dataset, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "small"
    training.train(RECIPE, dataset, run)
    return run


def test_the_run_says_what_it_is(run, dataset):
    record = json.loads((run / "run.json").read_text())
    assert Recipe.load(run / "config.toml") == RECIPE
    assert record["manifest_sha256"] == Dataset.open(dataset).manifest_sha256
    assert [epoch["epoch"] for epoch in record["history"]] == [1, 2, 3, 4]
    assert record["parameters"] == training.load_model(run).count_params()
    assert max(epoch["val_accuracy"] for epoch in record["history"]) > 0.8
    assert list((run / "tensorboard").rglob("events.out.*"))


def test_a_second_run_gives_the_same_network(run, dataset, tmp_path):
    training.train(RECIPE, dataset, tmp_path / "again")
    images = Dataset.open(dataset).split("test").images
    np.testing.assert_allclose(
        training.predict_scores(run, images), training.predict_scores(tmp_path / "again", images), atol=1e-3
    )


def test_a_run_that_was_cut_goes_on_after_its_last_whole_epoch(run, dataset, tmp_path, monkeypatch):
    from fauxto.lab import batches

    read = batches.Augmented.__getitem__

    def cut_in_the_third_epoch(self, index):
        if self.epoch == 2:
            raise RuntimeError("cut")
        return read(self, index)

    with monkeypatch.context() as patch:
        patch.setattr(batches.Augmented, "__getitem__", cut_in_the_third_epoch)
        with pytest.raises(Exception, match="cut"):  # TensorFlow wraps it in an error of its own
            training.train(RECIPE, dataset, tmp_path / "cut")
    assert not (tmp_path / "cut" / "run.json").exists()
    record = training.train(RECIPE, dataset, tmp_path / "cut", resume=True)
    epochs = record["history"]
    unbroken = json.loads((run / "run.json").read_text())["history"]
    assert [epoch["epoch"] for epoch in epochs] == [1, 2, 3, 4]
    for before_the_cut, straight in zip(epochs[:2], unbroken[:2], strict=True):
        assert before_the_cut["val_loss"] == pytest.approx(straight["val_loss"], abs=1e-3)
    # Dropout draws anew after a cut, so the rest is alike, not equal; fresh weights would start at epoch 1's loss.
    assert epochs[2]["loss"] < 0.8 * epochs[0]["loss"]


def test_a_finished_run_is_left_as_it_is(run, dataset):
    before = (run / "model.keras").stat().st_mtime_ns
    record = training.train(RECIPE, dataset, run, resume=True)
    assert record == json.loads((run / "run.json").read_text())
    assert (run / "model.keras").stat().st_mtime_ns == before


def test_a_run_is_never_overwritten_or_mixed_with_another(run, dataset, tmp_path):
    with pytest.raises(ConfigError, match="already holds a run"):
        training.train(RECIPE, dataset, run)
    with pytest.raises(ConfigError, match="begun with another recipe"):
        training.train(Recipe(network="paper-cnn"), dataset, run, resume=True)
    other = tmp_path / "other"
    folders = [dataset.parent / label / "train" for label in ("real", "ai")]
    run_command("data", "import", "folders", *folders, "--out", other)
    with pytest.raises(ConfigError, match="begun on another data set"):
        training.train(RECIPE, other, run, resume=True)


@pytest.mark.parametrize("wrong", ["data", "network"])
def test_a_start_that_fails_leaves_no_run(wrong, dataset, tmp_path):
    recipe = Recipe(network="nothing") if wrong == "network" else RECIPE
    with pytest.raises(FauxtoError):
        training.train(recipe, tmp_path if wrong == "data" else dataset, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_windows_of_larger_pictures_are_refused(dataset, tmp_path):
    folders = [dataset.parent / label / "train" for label in ("real", "ai")]
    run_command("data", "import", "folders", *folders, "--out", tmp_path / "windows", "--window", "16")
    with pytest.raises(DatasetError, match="mere windows"):
        training.train(RECIPE, tmp_path / "windows", tmp_path / "run")


def test_a_training_that_diverges_says_so(dataset, tmp_path):
    recipe = Recipe(network="paper-cnn", width=0.1, epochs=2, learning_rate=1e30, train_share=0.3)
    with pytest.raises(ConfigError, match="lower the learning rate"):
        training.train(recipe, dataset, tmp_path / "run")
    assert not (tmp_path / "run" / "run.json").exists()


def test_training_stops_when_val_no_longer_improves(dataset, tmp_path):
    recipe = Recipe(network="paper-cnn", width=0.1, epochs=50, patience=1, learning_rate=0.05, train_share=0.2)
    losses = [epoch["val_loss"] for epoch in training.train(recipe, dataset, tmp_path / "run")["history"]]
    assert len(losses) < 50
    assert losses[-1] >= min(losses[:-1])


@pytest.mark.parametrize("network", ["cifake-resnet"])
def test_the_other_networks_train_with_everything_on(network, dataset, tmp_path):
    recipe = Recipe(
        network=network,
        image_size=40,  # not the size of the pictures: they are resized on their way in
        width=0.1,
        epochs=2,
        schedule="cosine",
        weight_decay=0.05,
        label_smoothing=0.1,
        flip_averaging=True,
        augmentation=Augmentation(shift=2, greyscale=0.1, recompress=0.5, degrade=0.5, cutmix=0.5),
    )
    training.train(recipe, dataset, tmp_path / "run")
    images = Dataset.open(dataset).split("test").images
    scores = training.predict_scores(tmp_path / "run", images)
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(training.predict_scores(tmp_path / "run", images[:, :, ::-1]), scores, atol=1e-4)


def test_calibrate_evaluate_pack_and_judge(run, dataset, tmp_path):
    walked = tmp_path / "run"
    shutil.copytree(run, walked)
    run_command("calibrate", walked, "--data", dataset)
    run_command("evaluate", walked, "--data", dataset, "--split", "test")
    bundle = tmp_path / "small-bundle"
    options = ("--data", dataset, "--out", bundle, "--summary", "A network for a test.")
    assert "largest difference" in run_command("pack", walked, *options)
    run_command("pack", walked, *options)  # a bundle may be packed again

    test = Dataset.open(dataset).split("test")
    files = [path for label in ("real", "ai") for path in sorted((dataset.parent / label / "test").glob("*.png"))]
    reports = list(Detector(bundle).analyze_many(files))
    scores = {report.image.sha256: report.score for report in reports}
    expected = training.predict_scores(walked, test.images)
    for sha256, score in zip(test.rows["sha256"].to_pylist(), expected, strict=True):
        assert scores[sha256] == pytest.approx(score, abs=1e-3)
    assert "A network for a test." in (bundle / "CARD.md").read_text()
    domain = json.loads((bundle / "bundle.json").read_text())["domain"]
    assert domain == {"min_short_side": 32, "max_short_side": 32}


def test_pack_refuses_what_it_should(run, dataset, tmp_path):
    options = ["--data", str(dataset), "--out", str(tmp_path), "--summary", "x"]
    result = CliRunner().invoke(commands, ["pack", str(run), *options])
    assert result.exit_code == 2
    assert "must be trained and calibrated" in result.output
    walked = tmp_path / "run"
    shutil.copytree(run, walked)
    run_command("calibrate", walked, "--data", dataset)
    result = CliRunner().invoke(commands, ["pack", str(walked), *options])
    assert result.exit_code == 2
    assert "is no bundle" in result.output
