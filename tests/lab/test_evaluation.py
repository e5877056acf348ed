"""From a run and a data set to result files and a page, with a toy network instead of a trained one."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from fauxto.cli import commands
from fauxto.errors import FauxtoError
from fauxto.lab.calibration import RunCalibration
from fauxto.lab.datasets import Dataset
from fauxto.lab.evaluation import metrics, report, scores
from fauxto.lab.evaluation.results import figures, measure
from fauxto.lab.evaluation.scores import split_scores


@pytest.fixture
def dataset(toy_data):
    return Dataset.open(toy_data)


@pytest.fixture
def calibrated_run(toy_run, dataset):
    RunCalibration.of(toy_run, dataset).write(toy_run)
    return toy_run


def run_command(*words):
    return CliRunner().invoke(commands, [str(word) for word in words])


def test_results_count_the_whole_split_and_the_split_without_leaks(calibrated_run, dataset):
    results = measure(calibrated_run, dataset, "test")
    test = dataset.split("test")
    probabilities = RunCalibration.read(calibrated_run).calibration.probability(
        scores.predict(calibrated_run, test.images)
    )
    right = (probabilities >= 0.5) == test.labels
    assert (results["full"]["count"], results["leaked"], results["without_leaked"]["count"]) == (800, 50, 750)
    assert results["full"]["accuracy"] == np.mean(right)
    assert results["without_leaked"]["accuracy"] == np.mean(right[~test.leaked])
    assert results["trained_on_this_data"]
    assert results["subject"]["calibration"]["method"] == "platt"


def test_calibration_is_measured_before_and_after(toy_run, dataset):
    before = measure(toy_run, dataset, "test")["full"]
    assert set(before["calibration"]) == {"before"}
    assert before["operating_points"] == {}
    assert before["fpr_at_score"] is None
    RunCalibration.of(toy_run, dataset).write(toy_run)
    after = measure(toy_run, dataset, "test")["full"]
    assert after["calibration"]["before"] == before["calibration"]["before"]
    assert after["calibration"]["after"]["ece"] < after["calibration"]["before"]["ece"] / 2
    assert after["auroc"] == before["auroc"]


def test_operating_points_are_measured_where_val_chose_them(calibrated_run, dataset):
    found = measure(calibrated_run, dataset, "test")["full"]
    chosen = RunCalibration.read(calibrated_run).operating_points
    for name, point in chosen.items():
        measured = found["operating_points"][name]
        assert (measured["real_below"], measured["ai_above"]) == (point.real_below, point.ai_above)
        assert measured["fpr"] == pytest.approx(point.fpr, abs=0.06)
        assert measured["tpr"] == pytest.approx(point.tpr, abs=0.1)
    promises = found["fpr_at_score"]
    assert promises["measured"] == pytest.approx(list(promises["promised"]), abs=0.1)


def test_object_classes_add_up(calibrated_run, dataset):
    results = measure(calibrated_run, dataset, "test")
    assert [(row["name"], row["count"]) for row in results["object_classes"]] == [("cat", 400), ("dog", 400)]
    mean = np.mean([row["accuracy"] for row in results["object_classes"]])
    assert mean == pytest.approx(results["full"]["accuracy"])


def test_a_split_without_leaks_says_so(calibrated_run, dataset):
    results = measure(calibrated_run, dataset, "val")
    assert results["leaked"] == 0
    assert results["without_leaked"] is None
    assert "No picture" in report.leak_prose(results)


def test_scores_are_kept_until_the_network_or_the_data_change(toy_run, dataset, monkeypatch):
    asked = []
    predict = scores.predict
    monkeypatch.setattr(scores, "predict", lambda run, images: asked.append(1) or predict(run, images))
    first = split_scores(toy_run, dataset, "test")
    np.testing.assert_array_equal(split_scores(toy_run, dataset, "test"), first)
    assert len(asked) == 1
    kept = np.load(toy_run / "scores" / "test.npy", allow_pickle=False)
    assert kept.dtype == np.float32
    np.testing.assert_array_equal(kept, first)
    for spoil in (
        lambda: (toy_run / "model.keras").write_bytes(b"trained on"),
        lambda: (toy_run / "config.toml").write_text("flip_averaging = true\n"),
        lambda: (toy_run / "scores" / "test.json").unlink(),
        lambda: setattr(dataset, "manifest_sha256", "0" * 64),
    ):
        spoil()
        asked.clear()
        split_scores(toy_run, dataset, "test")
        split_scores(toy_run, dataset, "test")
        assert len(asked) == 1


def test_the_command_writes_results_and_a_page(calibrated_run, toy_data):
    result = run_command("evaluate", calibrated_run, "--data", toy_data, "--robustness", "--sample", "100")
    assert result.exit_code == 0, result.output
    folder = calibrated_run / "evaluation"
    assert sorted(path.name for path in folder.iterdir()) == [
        "test-robustness.json",
        "test.html",
        "test.json",
    ]
    accuracy = json.loads((folder / "test.json").read_text())["full"]["accuracy"]
    page = (folder / "test.html").read_text()
    for told in (result.output, page):
        assert f"{100 * accuracy:.2f} %" in told
    assert re.findall(r"<h2[^>]*>([^<]*)", page) == [
        "In short",
        "By label",
        "Ranking",
        "Calibration",
        "Verdicts",
        "By what the pictures show",
        "Robustness",
        "What was measured",
    ]
    assert page.count("<svg") == 5


def test_the_page_keeps_robustness_only_of_the_same_network(calibrated_run, toy_data, dataset):
    run_command("evaluate", calibrated_run, "--data", toy_data, "--robustness", "--sample", "100")
    page = calibrated_run / "evaluation" / "test.html"
    run_command("evaluate", calibrated_run, "--data", toy_data)
    assert "Robustness" in page.read_text()
    RunCalibration.of(calibrated_run, dataset, "temperature").write(calibrated_run)
    run_command("evaluate", calibrated_run, "--data", toy_data)
    assert "Robustness" not in page.read_text()


@pytest.mark.parametrize("label", [0, 1])
def test_a_split_of_one_label_still_gives_results_and_a_page(calibrated_run, dataset, label):
    calibrated = RunCalibration.read(calibrated_run)
    results = measure(calibrated_run, dataset, "test")
    one_label = figures(np.full(20, label), np.linspace(-3, 3, 20), calibrated)
    results |= {"full": one_label, "without_leaked": one_label, "object_classes": []}
    report.write_results(calibrated_run, "test", results)
    page = report.write_page(calibrated_run, results, None).read_text()
    assert one_label["auroc"] is None
    assert page.count("<svg") == 3


def test_one_picture_can_be_evaluated():
    one = figures(np.array([1]), np.array([0.3]), None)
    assert one["accuracy"] == 1
    json.dumps(one, allow_nan=False)


def test_figures_of_scores_are_those_of_metrics():
    labels, found = np.array([0, 1, 1, 0]), np.array([-1.0, 2.0, -0.5, 0.2])
    result = figures(labels, found, None)
    probabilities = 1 / (1 + np.exp(-found))
    expected = metrics.calibration_error(labels, probabilities)["ece"]
    assert result["calibration"]["before"]["ece"] == pytest.approx(expected)
    assert result["confusion"] == [[1, 1], [1, 1]]


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("model.keras", "holds no trained network: model.keras can't be read"),
        ("config.toml", "holds no trained network: config.toml can't be read"),
        ("run.json", "finish the training first"),
    ],
)
def test_an_unfinished_run_is_refused_in_one_sentence(toy_run, toy_data, missing, message):
    (toy_run / missing).unlink()
    for command in ("evaluate", "calibrate"):
        result = run_command(command, toy_run, "--data", toy_data)
        assert result.exit_code == 2
        assert message in result.output
        assert "Traceback" not in result.output


def test_results_on_foreign_data_say_that_leaks_are_unknown(toy_run, dataset):
    record = json.loads((toy_run / "run.json").read_text())
    (toy_run / "run.json").write_text(json.dumps(record | {"manifest_sha256": "0" * 64}))
    results = measure(toy_run, dataset, "test")
    assert not results["trained_on_this_data"]
    assert "isn't known" in report.leak_prose(results)


def test_another_networks_calibration_is_refused(calibrated_run, dataset):
    (calibrated_run / "model.keras").write_bytes(b"trained on")
    with pytest.raises(FauxtoError, match="run `fauxto calibrate` again"):
        measure(calibrated_run, dataset, "test")
