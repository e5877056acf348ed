"""The whole walk of a model on a few hundred pictures: import, train, calibrate, evaluate, pack, judge."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from skimage import data as skimage_data
from typer.testing import CliRunner

from fauxto import Detector
from fauxto.bundles import load
from fauxto.bundles.network import Network
from fauxto.cli import commands
from fauxto.errors import ConfigError, DatasetError, FauxtoError
from fauxto.lab import training
from fauxto.lab.calibration import calibrate
from fauxto.lab.datasets import Dataset
from fauxto.lab.degradations.chain import Degradation
from fauxto.lab.recipe import Augmentation, Recipe
from fauxto.lab.run import Run
from fauxto.preprocessing import resize

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


def scores_of(run, images):
    return Network(run.bundle()).score(list(images))


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
    run = Run(tmp_path_factory.mktemp("runs") / "small")
    training.train(RECIPE, dataset, run)
    return run


def test_the_run_says_what_it_is(run, dataset):
    record = run.record
    assert (run.recipe, run.name, run.is_begun, run.is_trained) == (RECIPE, "small", True, True)
    assert Recipe.load(run.folder / "recipe.toml") == RECIPE
    assert record["manifest_sha256"] == Dataset.open(dataset).manifest_sha256
    assert [epoch["epoch"] for epoch in record["history"]] == [1, 2, 3, 4]
    assert record["parameters"] == run.load_keras_model().count_params()
    assert max(epoch["val_accuracy"] for epoch in record["history"]) > 0.8
    assert list((run.folder / "tensorboard").rglob("events.out.*"))


def test_a_second_run_gives_the_same_network(run, dataset, tmp_path):
    again = Run(tmp_path / "again")
    training.train(RECIPE, dataset, again)
    images = Dataset.open(dataset).split("test").images
    np.testing.assert_allclose(scores_of(run, images), scores_of(again, images), atol=1e-3)


def test_the_network_is_exported_once_and_agrees_with_keras(run, monkeypatch):
    from fauxto.lab import exporting

    agreement = run.agreement
    assert (agreement["bits"], agreement["pictures"]) == (32, 48)
    assert agreement["difference"] < exporting.TOLERANCES[32]
    monkeypatch.setattr(exporting, "export", None)
    assert run.onnx() == (run.folder / "model.onnx").read_bytes()


def test_a_network_that_came_out_another_is_not_shipped(run, tmp_path, monkeypatch):
    from fauxto.lab import exporting

    monkeypatch.setattr(exporting, "_agreement", lambda model, exported: {"difference": 0.1})
    with pytest.raises(FauxtoError, match="ONNX Runtime and Keras disagree"):
        exporting.export(run.load_keras_model, run.recipe.backend, is_backbone=False, families=None, folder=run.folder)


def test_a_run_that_was_cut_goes_on_after_its_last_whole_epoch(run, dataset, tmp_path, monkeypatch):
    from fauxto.lab import batches

    read = batches.Varied.__getitem__

    def cut_in_the_third_epoch(self, index):
        if self.epoch == 2:
            raise RuntimeError("cut")
        return read(self, index)

    with monkeypatch.context() as patch:
        patch.setattr(batches.Varied, "__getitem__", cut_in_the_third_epoch)
        with pytest.raises(Exception, match="cut"):  # TensorFlow wraps it in an error of its own
            training.train(RECIPE, dataset, Run(tmp_path / "cut"))
    assert not Run(tmp_path / "cut").is_trained
    record = training.train(RECIPE, dataset, Run(tmp_path / "cut"), resume=True)
    epochs = record["history"]
    unbroken = run.record["history"]
    assert [epoch["epoch"] for epoch in epochs] == [1, 2, 3, 4]
    for before_the_cut, straight in zip(epochs[:2], unbroken[:2], strict=True):
        assert before_the_cut["val_loss"] == pytest.approx(straight["val_loss"], abs=1e-3)
    # Dropout draws anew after a cut, so the rest is alike, not equal; fresh weights would start at epoch 1's loss.
    assert epochs[2]["loss"] < 0.8 * epochs[0]["loss"]


def test_the_record_tells_of_every_layer(run):
    layers = run.record["layers"]
    assert sum(layer["parameters"] for layer in layers) == run.record["parameters"]
    assert (layers[0]["shape"], layers[-1]["shape"]) == ("32 × 32 × 3", "2")


def test_a_finished_run_is_left_as_it_is(run, dataset):
    before = run.keras_model.stat().st_mtime_ns
    record = training.train(RECIPE, dataset, run, resume=True)
    assert record == run.record
    assert run.keras_model.stat().st_mtime_ns == before


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
        training.train(recipe, tmp_path if wrong == "data" else dataset, Run(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_train_split_of_one_label_is_refused(dataset, tmp_path):
    out = Recipe(network="paper-cnn", held_out=0.999999)
    with pytest.raises(DatasetError, match="no pictures of both labels are left to learn"):
        training.train(out, dataset, Run(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("file", ["start.json", "recipe.toml"])
def test_a_damaged_run_says_so(run, dataset, tmp_path, file):
    shutil.copytree(run.folder, tmp_path / "run")
    (tmp_path / "run" / file).write_text("{")
    with pytest.raises(ConfigError, match=rf"{file}.*(the run is damaged|isn't valid TOML)"):
        training.train(RECIPE, dataset, Run(tmp_path / "run"), resume=True)


def test_windows_of_larger_pictures_are_refused(dataset, tmp_path):
    folders = [dataset.parent / label / "train" for label in ("real", "ai")]
    run_command("data", "import", "folders", *folders, "--out", tmp_path / "windows", "--window", "16")
    with pytest.raises(DatasetError, match="mere windows"):
        training.train(RECIPE, tmp_path / "windows", Run(tmp_path / "run"))


def test_a_training_that_diverges_says_so(dataset, tmp_path):
    recipe = Recipe(network="paper-cnn", width=0.1, epochs=2, learning_rate=1e30, train_share=0.3)
    with pytest.raises(ConfigError, match="lower the learning rate"):
        training.train(recipe, dataset, Run(tmp_path / "run"))
    assert not Run(tmp_path / "run").is_trained


def test_training_stops_when_val_no_longer_improves(dataset, tmp_path):
    recipe = Recipe(network="paper-cnn", width=0.1, epochs=50, patience=1, learning_rate=0.05, train_share=0.2)
    losses = [epoch["val_loss"] for epoch in training.train(recipe, dataset, Run(tmp_path / "run"))["history"]]
    assert len(losses) < 50
    assert losses[-1] >= min(losses[:-1])


@pytest.mark.parametrize("network", ["cifake-resnet"])
def test_the_other_networks_train_with_everything_on(network, dataset, tmp_path):
    recipe = Recipe(
        network=network,
        image_size=40,  # not the size of the pictures: they are resized on their way in
        train_share=0.3,
        width=0.1,
        epochs=2,
        schedule="cosine",
        weight_decay=0.05,
        label_smoothing=0.1,
        flip_averaging=True,
        averaging=0.5,
        degradation=Degradation(damage=0.5, greyscale=0.1, save=0.5),
        augmentation=Augmentation(shift=2, cutmix=0.5, mixup=0.2),
    )
    run = Run(tmp_path / "run")
    training.train(recipe, dataset, run)
    images = Dataset.open(dataset).split("test").images[:20]
    larger = [resize(rgb, 40, 40) for rgb in images]
    scores = scores_of(run, larger)
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scores_of(run, [rgb[:, ::-1] for rgb in larger]), scores, atol=1e-4)


@pytest.fixture(scope="session")
def others(tmp_path_factory):
    """Whole pictures of 40 sources, all of them checks: nothing that the network learns from looks like it."""
    folder = tmp_path_factory.mktemp("others")
    rng = np.random.default_rng(1)
    for label, number in ((label, number) for label in ("real", "ai") for number in range(20)):
        (folder / label / "train" / str(number)).mkdir(parents=True)
        for picture in range(4):
            checks = rng.integers(0, 256, (8, 8, 3)).repeat(8, 0).repeat(8, 1)
            Image.fromarray(checks.astype(np.uint8)).save(folder / label / "train" / str(number) / f"{picture}.png")
    words = (folder / "real", folder / "ai", "--out", folder / "set", "--window", "64")
    run_command("data", "import", "folders", *words)
    return folder / "set"


def test_a_network_tells_which_pictures_are_unlike_those_it_learnt(dataset, others, tmp_path):
    recipe = Recipe(
        network="cifake-resnet",
        width=0.1,
        epochs=2,
        train_share=0.5,
        batch_size=32,
        flip_averaging=True,
    )
    with pytest.raises(ConfigError, match="that needs ReLU layers"):
        training.train(RECIPE, dataset, Run(tmp_path / "run"), foreign=others)
    run, out = Run(tmp_path / "run"), tmp_path / "bundle"
    training.train(recipe, dataset, run, foreign=others)
    with pytest.raises(ConfigError, match="begun with other pictures as foreign"):
        training.train(recipe, dataset, run, resume=True)
    with pytest.raises(DatasetError, match="met other foreign pictures"):
        calibrate(run, Dataset.open(dataset), foreign=Dataset.open(dataset))
    before = run.load_network()
    run_command("calibrate", run.folder, "--data", dataset, "--foreign", others)
    fitted = run.calibration
    assert 0 < fitted.max_unlikeness < 1
    assert 0 < fitted.foreign_unlike <= fitted.foreign_photographs < 20 * 4
    run_command("evaluate", run.folder, "--data", dataset)
    run_command("pack", run.folder, "--out", out, "--summary", "A test.")
    bundle = load(out)
    assert bundle.domain.max_unlikeness == fitted.max_unlikeness
    assert "as too unlike what it learnt" in bundle.card

    images = list(Dataset.open(dataset).split("val").images)
    pixels = np.stack(images).astype(np.float32) / 255
    logits = (before.predict(pixels, verbose=0) + before.predict(pixels[:, :, ::-1], verbose=0)) / 2
    network = Network(bundle)
    judged = network.judge([network.views(rgb) for rgb in images])
    np.testing.assert_allclose(judged.scores, logits[:, 1] - logits[:, 0], atol=1e-3)
    assert bundle.domain.unlike(judged.unlikeness).mean() <= 0.01
    strangers = [resize(np.asarray(rgb), 32, 32) for rgb in Dataset.open(others).split("train").images]
    unlike = bundle.domain.unlike(network.judge([network.views(rgb) for rgb in strangers]).unlikeness)
    assert unlike.mean() > 0.9
    reports = list(Detector(out).analyze_many([Image.fromarray(rgb) for rgb in strangers]))
    refused = ["unlike_learnt" in {reason.word for reason in report.reasons} for report in reports]
    assert refused == unlike.tolist()


def test_calibrate_evaluate_pack_and_judge(run, dataset, tmp_path):
    walked = tmp_path / "run"
    shutil.copytree(run.folder, walked)
    run_command("calibrate", walked, "--data", dataset)
    run_command("evaluate", walked, "--data", dataset, "--split", "test", "--robustness", "--sample", "20")
    bundle = tmp_path / "small-bundle"
    options = ("--out", bundle, "--summary", "A network for a test.")
    run_command("pack", walked, *options)
    assert "wrote" in run_command("pack", walked, *options)  # a bundle may be packed again

    test = Dataset.open(dataset).split("test")
    files = [path for label in ("real", "ai") for path in sorted((dataset.parent / label / "test").glob("*.png"))]
    reports = list(Detector(bundle).analyze_many(files))
    scores = {report.image.sha256: report.score for report in reports}
    for sha256, score in zip(test.rows["sha256"].to_pylist(), scores_of(Run(walked), test.images), strict=True):
        assert scores[sha256] == score
    assert "A network for a test." in (bundle / "CARD.md").read_text()
    described = json.loads((bundle / "bundle.json").read_text())
    assert described["domain"] == {"min_short_side": 32, "max_short_side": 32, "max_unlikeness": None}
    assert described["training"]["epochs"] == 4
    assert len(load(bundle).metrics.test.robustness) == 20


def test_pack_refuses_what_it_should(run, dataset, tmp_path):
    options = ["--out", str(tmp_path), "--summary", "x"]
    result = CliRunner().invoke(commands, ["pack", str(run.folder), *options])
    assert result.exit_code == 2
    assert "must be trained and calibrated" in result.output
    walked = tmp_path / "run"
    shutil.copytree(run.folder, walked)
    run_command("calibrate", walked, "--data", dataset)
    result = CliRunner().invoke(commands, ["pack", str(walked), *options])
    assert result.exit_code == 2
    assert "is no bundle" in result.output
