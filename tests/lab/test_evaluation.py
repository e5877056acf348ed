"""From a run, or an installed model, and a data set to result files and a page: with a toy network, but a real one."""

from __future__ import annotations

import dataclasses
import json
import re
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from fauxto.bundles.metrics import Evaluation
from fauxto.bundles.schema import build
from fauxto.choices import CalibrationMethod
from fauxto.cli import commands
from fauxto.errors import FauxtoError
from fauxto.lab.calibration import calibrate
from fauxto.lab.datasets import Dataset
from fauxto.lab.degradations.protocols import CLEAN
from fauxto.lab.evaluation import metrics, tables
from fauxto.lab.evaluation.page import write_page
from fauxto.lab.evaluation.results import coverage, figures, flips, leans, measure
from fauxto.lab.evaluation.scores import Scores
from fauxto.lab.evaluation.shortcuts import shortcuts
from fauxto.lab.run import UNCALIBRATED, Run


@pytest.fixture
def dataset(toy_data):
    return Dataset.open(toy_data)


@pytest.fixture
def calibrated_run(toy_run, dataset):
    calibrate(toy_run, dataset)
    return toy_run


def run_command(*words):
    return CliRunner().invoke(commands, [str(word) for word in words])


def measured(run, dataset, split="test"):
    return measure(run.bundle(), run.name, dataset, split, run.cache)


def scores_of(values, *, reencoded=None, refused=None, protocol=CLEAN):
    values = np.asarray(values, np.float64)
    return Scores(
        protocol,
        values,
        values if reencoded is None else np.asarray(reencoded, np.float64),
        np.zeros(len(values), bool) if refused is None else np.asarray(refused),
        np.empty((len(values), 0)),
        np.zeros(len(values)),
    )


def test_results_count_the_whole_split_and_the_split_without_leaks(calibrated_run, dataset):
    results = measured(calibrated_run, dataset)
    test, bundle = dataset.split("test"), calibrated_run.bundle()
    warmth = test.images[..., 0].mean(axis=(1, 2)) - test.images[..., 2].mean(axis=(1, 2))
    right = (bundle.calibration.probability(warmth - 1) >= 0.5) == test.labels
    assert (results["full"]["count"], results["leaked"], results["without_leaked"]["count"]) == (800, 50, 750)
    assert results["full"]["accuracy"] == pytest.approx(np.mean(right))
    assert results["without_leaked"]["accuracy"] == pytest.approx(np.mean(right[~test.leaked]))
    assert results["trained_on_this_data"]
    assert results["subject"]["calibration"]["method"] == "platt"
    assert results["refused"] == {"real": 0.0, "ai": 0.0}


def test_the_typed_part_reads_back_and_agrees_with_the_rest(calibrated_run, dataset):
    results = json.loads(json.dumps(measured(calibrated_run, dataset), allow_nan=False))
    evaluation = build(Evaluation, results["evaluation"], "")
    clean, _, hard = evaluation.protocols
    assert [protocol.name for protocol in evaluation.protocols] == ["clean", "web", "hard"]
    assert (clean.real, clean.ai, clean.count) == (400, 400, 800)
    assert (evaluation.dataset, evaluation.split, evaluation.use, evaluation.sources) == ("cifake", "test", "test", 1)
    assert clean.accuracy == results["full"]["accuracy"]
    assert clean.auroc.value == pytest.approx(results["full"]["auroc"])
    assert clean.auroc.low < clean.auroc.value < clean.auroc.high
    assert abs(hard.auroc.value - clean.auroc.value) < 0.1
    for name, verdicts in clean.verdicts.items():
        assert verdicts.fpr.value == results["full"]["operating_points"][name]["fpr"]
        assert verdicts.missed.value == results["full"]["operating_points"][name]["missed"]
        assert verdicts.fpr.value + verdicts.cleared.value <= 1
    assert sum(part.count for part in evaluation.reliability) == 3 * 800
    assert evaluation.real_scores[0][1] == 1


@pytest.mark.parametrize(("split", "use"), [("train", "training"), ("val", "tuning"), ("test", "test")])
def test_results_say_what_else_a_split_served_for(calibrated_run, dataset, split, use):
    assert measured(calibrated_run, dataset, split)["evaluation"]["use"] == use


def test_calibration_is_measured_before_and_after(toy_run, dataset):
    before = measured(toy_run, dataset)["full"]
    assert set(before["calibration"]) == {"before"}
    assert before["operating_points"] == {}
    assert before["fpr_at_score"] is None
    calibrate(toy_run, dataset)
    after = measured(toy_run, dataset)["full"]
    assert after["calibration"]["before"] == before["calibration"]["before"]
    assert after["calibration"]["after"]["ece"] < after["calibration"]["before"]["ece"] / 2
    assert after["auroc"] == before["auroc"]


def test_operating_points_are_measured_where_val_chose_them(calibrated_run, dataset):
    full = measured(calibrated_run, dataset)["full"]
    for name, point in calibrated_run.calibration.operating_points.items():
        here = full["operating_points"][name]
        assert (here["real_below"], here["ai_above"]) == (point.real_below, point.ai_above)
        assert here["fpr"] == pytest.approx(point.fpr, abs=0.06)
        assert here["tpr"] == pytest.approx(point.tpr, abs=0.1)
    shares = full["fpr_at_score"]
    assert shares["measured"] == pytest.approx(list(shares["expected"]), abs=0.1)


def test_groups_add_up(calibrated_run, dataset):
    results = measured(calibrated_run, dataset)
    groups = results["evaluation"]["groups"]
    assert [(row["name"], row["real"] + row["ai"]) for row in groups["object class"]] == [("cat", 400), ("dog", 400)]
    mean = np.mean([row["accuracy"] for row in groups["object class"]])
    assert mean == pytest.approx(results["full"]["accuracy"])
    assert [row["name"] for row in groups["source"]] == ["toy (ai)", "toy (real)"]
    assert [row["name"] for row in groups["short side"]] == ["below 512 px"]
    assert {"generator", "style", "JPEG quality"}.isdisjoint(groups)


def test_a_split_without_leaks_says_so(calibrated_run, dataset):
    results = measured(calibrated_run, dataset, "val")
    assert results["leaked"] == 0
    assert results["without_leaked"] is None
    assert "No picture" in tables.leak_prose(results)


def test_a_verdict_has_to_outlast_the_re_encoding_and_the_domain(calibrated_run):
    bundle = calibrated_run.bundle()
    point = bundle.operating_points["balanced"]
    scores = scores_of(
        [99, 99, 99, -99, -99, 0.5], reencoded=[99, -99, 99, -99, 99, 0.5], refused=[False, False, True] + [False] * 3
    )
    verdicts = scores.verdicts(bundle, point).tolist()
    assert verdicts[:5] == ["ai", "inconclusive", "inconclusive", "real", "inconclusive"]
    assert verdicts[5] == point.verdict(float(bundle.calibration.probability(np.array([0.5]))[0]))


def test_leans_are_counted_where_probability_alone_leaves_a_picture_open(calibrated_run):
    bundle = calibrated_run.bundle()
    point = dataclasses.replace(bundle.operating_points["balanced"], real_below=0.1, ai_above=0.9)
    bundle = dataclasses.replace(
        bundle, operating_points=dict.fromkeys(bundle.operating_points, point), calibration=UNCALIBRATED
    )
    probability = np.array([0.05, 0.2, 0.5, 0.8, 0.8, 0.8, 0.95])
    scores = scores_of(np.log(probability / (1 - probability)), refused=[False] * 5 + [True, False])
    assert leans(bundle, np.array([0, 0, 1, 1, 0, 1, 1]), scores)[2:4] == [
        {"point": "balanced", "lean": "real", "real": 1, "ai": 0},
        {"point": "balanced", "lean": "ai", "real": 1, "ai": 1},
    ]


def test_flips_are_verdicts_that_turn_over(calibrated_run):
    protocols = [scores_of([99, 99, -99, 0]), scores_of([99, -99, -99, 99])]
    assert set(flips(calibrated_run.bundle(), protocols).values()) == {0.25}


def test_coverage_is_the_accuracy_of_the_surest(calibrated_run):
    scores = np.concatenate([np.linspace(-50, -40, 5), np.linspace(-2.1, -2, 5)])
    rows = coverage(calibrated_run.bundle(), np.repeat([0, 1], 5), scores_of(scores))
    assert [row["accuracy"] for row in rows[:5]] == [1.0] * 5
    assert rows[-1] == {"coverage": 1.0, "accuracy": 0.5}


def facts(count, higher_quality):
    """Photographs and AI pictures; of the photographs, the JPEG quality tells the score where it is asked to."""
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=count), np.arange(count) % 2
    quality = np.where(higher_quality & (scores > 0) & (labels == 0), 95, rng.choice([75, 85], count))
    rows = {"format": ["JPEG"] * count, "jpeg_quality": quality.tolist()}
    rows |= {"width": rng.integers(200, 900, count).tolist(), "height": [400] * count}
    return SimpleNamespace(rows=pa.table(rows), labels=labels), scores


@pytest.mark.parametrize("planted", [False, True])
def test_a_network_that_goes_by_the_file_is_caught(planted):
    explained = shortcuts(*facts(300, planted))["explained"]
    assert (explained["real"] > 0.9) == planted
    assert explained["ai"] == pytest.approx(0.5, abs=0.15)


def test_files_that_are_all_alike_explain_nothing(dataset):
    test = dataset.split("test")
    assert shortcuts(test, np.arange(800.0))["explained"] == {"real": None, "ai": None}
    assert shortcuts(*facts(8, True))["explained"] == {"real": None, "ai": None}


def test_what_the_file_gives_away_ranks_no_pictures_whose_files_are_alike():
    count = 400
    quality = np.repeat([75, 95], count // 2)
    labels = (np.arange(count) % 10 < np.where(quality == 95, 8, 2)).astype(int)
    rows = {"format": ["JPEG"] * count, "jpeg_quality": quality, "width": [400] * count, "height": [400] * count}
    noise = np.random.default_rng(0).random(count)
    table = shortcuts(SimpleNamespace(rows=pa.table(rows), labels=labels), quality + noise)["matched"]
    by_choice = {row["alike"]: row for row in table}
    assert by_choice["nothing"]["auroc"] > 0.75
    assert by_choice["nothing"]["pairs"] == 200 * 200
    assert by_choice["JPEG quality"]["auroc"] == pytest.approx(0.5, abs=0.08)
    assert by_choice["JPEG quality"]["pairs"] == 2 * 160 * 40
    assert by_choice["format"] == {**by_choice["nothing"], "alike": "format"}


def test_the_command_writes_results_and_a_page(calibrated_run, toy_data):
    result = run_command("evaluate", calibrated_run.folder, "--data", toy_data, "--robustness", "--sample", "100")
    assert result.exit_code == 0, result.output
    folder = calibrated_run.folder / "evaluation"
    assert sorted(path.name for path in folder.iterdir()) == ["test-robustness.json", "test.html", "test.json"]
    results = json.loads((folder / "test.json").read_text())
    page = (folder / "test.html").read_text()
    assert f"{100 * results['full']['accuracy']:.2f} %" in page
    for told in (result.output, page):
        assert f"{results['evaluation']['protocols'][0]['auroc']['value']:.4f}" in told
    sections = (
        "In short|Some of the pictures|By label|The surest mistakes|Ranking|Calibration|Verdicts|As others see them|"
    )
    sections += "By source|By object class|Robustness|What was measured"
    assert re.findall(r"<h2[^>]*>([^<]*)", page) == sections.split("|")
    assert page.count("<svg") == 7


def test_the_page_keeps_robustness_only_of_the_same_network(calibrated_run, toy_data, dataset):
    run_command("evaluate", calibrated_run.folder, "--data", toy_data, "--robustness", "--sample", "100")
    page = calibrated_run.folder / "evaluation" / "test.html"
    run_command("evaluate", calibrated_run.folder, "--data", toy_data)
    assert "Robustness" in page.read_text()
    calibrate(calibrated_run, dataset, CalibrationMethod.TEMPERATURE)
    run_command("evaluate", calibrated_run.folder, "--data", toy_data)
    assert "Robustness" not in page.read_text()


@pytest.mark.parametrize("label", [0, 1])
def test_a_split_of_one_label_still_gives_results_and_a_page(calibrated_run, dataset, tmp_path, label):
    split = dataset.split("test")
    kept = np.flatnonzero(split.labels == label)[:30]
    one_label = SimpleNamespace(
        split=lambda name: type(split)(
            name, split.images[kept], split.labels[kept], split.rows.take(kept), split.leaked[kept]
        ),
        name="cifake",
        manifest_sha256=dataset.manifest_sha256,
    )
    results = json.loads(json.dumps(measured(calibrated_run, one_label), allow_nan=False))
    assert results["full"]["auroc"] is None
    build(Evaluation, results["evaluation"], "")
    page = write_page(tmp_path / "page.html", results, None).read_text()
    assert page.count("<svg") == 4


def test_one_picture_can_be_evaluated(calibrated_run):
    one = figures(calibrated_run.bundle(), np.array([1]), scores_of([9.0]))
    assert one["accuracy"] == 1
    json.dumps(one, allow_nan=False)


def test_figures_of_scores_are_those_of_metrics(toy_run):
    labels, values = np.array([0, 1, 1, 0]), np.array([-1.0, 2.0, -0.5, 0.2])
    result = figures(toy_run.bundle(), labels, scores_of(values))
    expected = metrics.calibration_error(labels, 1 / (1 + np.exp(-values)))["ece"]
    assert result["calibration"]["before"]["ece"] == pytest.approx(expected)
    assert result["confusion"] == [[1, 1], [1, 1]]


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("model.keras", "holds no trained network: model.keras can't be read"),
        ("run.json", "finish the training first"),
    ],
)
def test_an_unfinished_run_is_refused_in_one_sentence(toy_run, toy_data, missing, message):
    (toy_run.folder / missing).unlink()
    for command in ("evaluate", "calibrate"):
        result = run_command(command, toy_run.folder, "--data", toy_data)
        assert result.exit_code == 2
        assert message in result.output
        assert "Traceback" not in result.output


def test_a_folder_that_is_neither_run_nor_model_is_refused(toy_run, toy_data):
    (toy_run.folder / "recipe.toml").unlink()
    result = run_command("evaluate", toy_run.folder, "--data", toy_data)
    assert result.exit_code == 2
    assert "no bundle.json" in result.output
    result = run_command("calibrate", toy_run.folder, "--data", toy_data)
    assert result.exit_code == 2
    assert "recipe.toml can't be read" in result.output


def test_results_on_foreign_data_say_that_leaks_are_unknown(toy_run, dataset):
    toy_run.finish(toy_run.record | {"manifest_sha256": "0" * 64})
    for split in ("val", "test"):
        results = measured(toy_run, dataset, split)
        assert not results["trained_on_this_data"]
        assert results["evaluation"]["use"] == "test"
        assert "isn't known" in tables.leak_prose(results)


def test_another_networks_calibration_is_refused(calibrated_run, dataset, give_network):
    give_network(calibrated_run, gain=2.0)
    with pytest.raises(FauxtoError, match="run `fauxto calibrate` again"):
        measured(calibrated_run, dataset)


@pytest.mark.parametrize("form", ["folder", "name"])
def test_a_model_is_evaluated_like_a_run(form, calibrated_run, toy_data, dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if form == "name":
        result = run_command("evaluate", "paper-cnn", "--data", toy_data, "--out", tmp_path / "out")
        assert result.exit_code == 0, result.output
        results = Run(tmp_path / "out").results("test")
        assert (results["name"], results["trained_on_this_data"]) == ("paper-cnn", False)
        return
    run_command("evaluate", calibrated_run.folder, "--data", toy_data)
    options = ("--out", tmp_path / "toy", "--summary", "A toy.")
    assert run_command("pack", calibrated_run.folder, *options).exit_code == 0
    result = run_command("evaluate", tmp_path / "toy", "--data", toy_data)
    assert result.exit_code == 0, result.output
    again, first = Run(tmp_path / "toy-evaluation").results("test"), calibrated_run.results("test")
    assert again["name"] == "toy"
    assert {**again, "name": ""} == {**first, "name": ""}
