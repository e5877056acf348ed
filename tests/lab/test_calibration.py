"""Probabilities and thresholds: against independent fits, brute force, and the constraints that they keep."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

from fauxto.bundles.bundle import OPERATING_POINTS
from fauxto.bundles.network import Judged
from fauxto.choices import CalibrationMethod
from fauxto.cli import commands
from fauxto.errors import DatasetError, FauxtoError
from fauxto.lab import calibration as calibration_module
from fauxto.lab.calibration import (
    CONSTRAINTS,
    LARGER_SOURCE,
    RANKED_SOURCE,
    calibrate,
    fit,
    harder_half,
    operating_points,
)
from fauxto.lab.datasets import Dataset
from fauxto.lab.evaluation.measurements import score_quantiles
from fauxto.lab.recipe import Recipe
from fauxto.lab.run import Run
from fauxto.lab.thumbnails import OF_A_SOURCE
from fauxto.lab.weighting import held_out

RNG = np.random.default_rng(5)


def logistic_data(count, slope, intercept, seed=0):
    """Draw scores, and labels that are AI with probability sigmoid(slope * score + intercept)."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 4, count)
    return scores, (rng.random(count) < 1 / (1 + np.exp(-(slope * scores + intercept)))).astype(np.int64)


def loss(parameters, scores, labels):
    """Return Platt's objective, written out: the cross-entropy with his softened targets."""
    slope, intercept = parameters
    ai = np.sum(labels)
    target = np.where(labels == 1, (ai + 1) / (ai + 2), 1 / (len(labels) - ai + 2))
    logit = slope * scores + intercept
    return np.mean(np.logaddexp(0, logit) - target * logit)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("method", CalibrationMethod)
def test_the_fit_is_the_optimum_whatever_the_scores_size(method, size):
    scores, labels = logistic_data(2_000, 0.4, -0.8)
    fitted = fit(scores * size, labels, method)
    found = (fitted.slope * size, fitted.intercept)
    if method is CalibrationMethod.PLATT:
        best = minimize(loss, (1, 0), (scores, labels), "Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-14}).x
    else:
        best = (minimize(lambda slope: loss((slope[0], 0), scores, labels), 1, method="Nelder-Mead").x[0], 0)
    assert found == pytest.approx(tuple(best), rel=1e-3)
    assert (fitted.fitted_on, fitted.count) == ("val", 2_000)


def test_platt_scaling_agrees_with_scikit_learns():
    scores, labels = logistic_data(500, 0.4, -0.8)
    theirs = CalibratedClassifierCV(
        FrozenEstimator(LogisticRegression().fit(scores[:, None], labels)), method="sigmoid"
    ).fit(scores[:, None], labels)
    ours = fit(scores, labels).probability(scores)
    np.testing.assert_allclose(ours, theirs.predict_proba(scores[:, None])[:, 1], atol=1e-4)


def test_the_fit_finds_the_truth():
    fitted = fit(*logistic_data(100_000, 0.4, -0.8))
    assert (fitted.slope, fitted.intercept) == pytest.approx((0.4, -0.8), abs=0.03)


@pytest.mark.parametrize("method", CalibrationMethod)
@pytest.mark.parametrize("count", [2, 10, 1_000])
def test_a_val_without_errors_still_has_a_finite_fit(method, count):
    labels = np.arange(count) % 2
    fitted = fit(np.where(labels == 1, 3.0, -3.0), labels, method)
    # With targets (n + 1) / (n + 2) the optimum is exactly there.
    each = count / 2
    assert fitted.probability(np.array([3.0]))[0] == pytest.approx((each + 1) / (each + 2), abs=1e-4)


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([1.0, 2.0], [1, 1], "holds 2 AI and 0 real"),
        ([1.0, 2.0], [0, 0], "holds 0 AI and 2 real"),
        ([-1.0, 1.0], [1, 0], "doesn't mean AI"),
        ([1.0, 1.0], [1, 0], "every picture scores 1:"),
    ],
)
def test_what_cannot_be_calibrated_says_why(scores, labels, message):
    with pytest.raises(FauxtoError, match=message):
        fit(np.array(scores), np.array(labels))


def measured(probabilities, labels, threshold, *, ai):
    """Return the share of real pictures called ai, or of AI pictures called real, at one threshold."""
    if ai:
        return np.mean(probabilities[labels == 0] >= threshold)
    return np.mean(probabilities[labels == 1] <= threshold)


@pytest.mark.parametrize("slope", [0.1, 0.4, 1.0])
def test_thresholds_keep_their_constraints_and_no_closer_one_does(slope):
    scores, labels = logistic_data(5_000, slope, -0.3)
    probabilities = fit(scores, labels).probability(scores)
    points = operating_points(probabilities, labels)
    assert tuple(points) == OPERATING_POINTS
    for name, point in points.items():
        constraint = CONSTRAINTS[name]
        assert measured(probabilities, labels, point.ai_above, ai=True) == point.fpr
        lower_fpr, lower_tpr = (np.mean(probabilities[labels == n] >= point.ai_above + 1e-4) for n in (0, 1))
        if lower_tpr < constraint.found:  # then it goes further, but no further than it must
            assert point.fpr <= constraint.fpr_for_that
            assert point.tpr >= constraint.found or (
                measured(probabilities, labels, point.ai_above - 1e-4, ai=True) > constraint.fpr_for_that
            )
        else:
            assert constraint.ai_from <= point.ai_above
            assert lower_fpr <= point.fpr <= constraint.fpr
            assert point.ai_above == constraint.ai_from or (
                measured(probabilities, labels, point.ai_above - 1e-4, ai=True) > constraint.fpr
            )
        assert point.real_below <= constraint.real_to
        assert measured(probabilities, labels, point.real_below, ai=False) <= constraint.missed
        assert point.real_below == constraint.real_to or (
            measured(probabilities, labels, point.real_below + 1e-4, ai=False) > constraint.missed
        )
        assert point.tpr == np.mean(probabilities[labels == 1] >= point.ai_above)
        between = (probabilities < point.ai_above) & (probabilities > point.real_below)
        assert point.inconclusive == pytest.approx(np.mean(between))
    cautious, balanced, sensitive = points.values()
    assert cautious.fpr <= balanced.fpr <= sensitive.fpr
    assert cautious.tpr <= balanced.tpr <= sensitive.tpr


def test_a_constraint_may_be_used_up_to_the_last_picture():
    # 1 of 100 real pictures at .92 is exactly the 1 % that `cautious` allows.
    probabilities = np.array([0.05] * 99 + [0.92] + [0.95] * 100)
    points = operating_points(probabilities, np.repeat([0, 1], 100))
    assert points["cautious"].ai_above == 0.9
    assert points["cautious"].fpr == 0.01


def test_a_picture_exactly_on_a_threshold_counts():
    # 2 of 100 on either side are more than the 1 % that `cautious` allows, so the thresholds go past them.
    probabilities = np.array([0.04] * 98 + [0.93] * 2 + [0.06] * 2 + [0.96] * 98)
    cautious = operating_points(probabilities, np.repeat([0, 1], 100))["cautious"]
    assert (cautious.real_below, cautious.ai_above) == (0.0599, 0.9301)


def test_a_good_network_is_inconclusive_only_where_it_is_unsure():
    probabilities = np.array([0.01] * 499 + [0.45, 0.55] + [0.99] * 499)
    points = operating_points(probabilities, np.repeat([0, 1], 500))
    bands = {name: (point.real_below, point.ai_above, point.inconclusive) for name, point in points.items()}
    assert bands == {
        "cautious": (0.1, 0.9, 0.002),
        "balanced": (0.3, 0.7, 0.002),
        "sensitive": (0.1, 0.5, 0.001),
    }


def test_a_network_that_is_sure_and_wrong_has_no_operating_point():
    with pytest.raises(FauxtoError, match=r"'cautious'.* wrong, of more than 1%"):
        operating_points(np.array([0.0, 0.1, 1.0, 0.9]), np.array([0, 0, 0, 1]))


@pytest.mark.parametrize("bound", ["source_fpr", "fpr"])
def test_each_group_of_photographs_keeps_its_bound(bound):
    real, ai = np.linspace(0, 0.5, 500), np.linspace(0.5, 1, 500)
    probabilities, labels = np.concatenate([real, ai]), np.repeat([0, 1], 500)
    group = np.linspace(0.2, 0.99, 200)
    alone = operating_points(probabilities, labels)
    options = {"by_source": [group]} if bound == "source_fpr" else {"foreign": group}
    points = operating_points(probabilities, labels, **options)
    for name, point in points.items():
        constraint = CONSTRAINTS[name]
        most = constraint.source_fpr if bound == "source_fpr" else max(constraint.fpr, constraint.fpr_for_that)
        assert np.mean(group >= alone[name].ai_above) > most
        assert np.mean(group >= point.ai_above) <= most < np.mean(group >= point.ai_above - 0.01)
        assert point.real_below == alone[name].real_below


def test_photographs_of_other_sources_are_kept_from_accusation(toy_run, toy_data, monkeypatch):
    dataset, shapes = Dataset.open(toy_data), []
    alone = calibrate(toy_run, dataset)

    class Sure(calibration_module.Network):
        wrong = True

        def judge(self, views):
            shapes.append(np.concatenate(views).shape)
            scores = np.full(len(views), 1e9 if self.wrong else -1e9)
            return Judged(scores, np.empty((len(views), 0)), np.zeros(len(views)))

    monkeypatch.setattr(calibration_module, "Network", Sure)
    with pytest.raises(FauxtoError, match="no threshold gives the operating point"):
        calibrate(toy_run, dataset, foreign=dataset)
    monkeypatch.setattr(Sure, "wrong", False)
    fitted = calibrate(toy_run, dataset, foreign=dataset)
    photographs = min(OF_A_SOURCE, int(np.sum(dataset.split("train").labels == 0)))
    assert (alone.foreign_photographs, fitted.foreign_photographs) == (0, photographs)
    assert set(shapes) == {(photographs, *dataset.split("val").images[0].shape)}
    assert fitted.operating_points == alone.operating_points


@pytest.mark.parametrize("count", [1, 7, 100, 2_000])
def test_score_quantiles_are_shares_of_the_real_pictures(count):
    scores = np.random.default_rng(1).normal(-4, 3, count)
    quantiles = score_quantiles(scores)
    assert quantiles.fpr[0] == 1
    assert quantiles.score[0] == scores.min()
    assert quantiles.fpr[-1] >= 1 / count
    for fpr, score in zip(quantiles.fpr, quantiles.score, strict=True):
        assert fpr <= np.mean(scores >= score) < fpr + 1 / count


def test_score_quantiles_of_equal_scores_keep_one_entry():
    assert score_quantiles(np.full(1_000, -2.0)) == dataclasses.replace(
        score_quantiles(np.array([-2.0])), fpr=(1.0,), score=(-2.0,)
    )


def test_only_val_is_seen_unless_sources_are_held_out(toy_run, toy_data, monkeypatch):
    asked = []
    score = calibration_module.score
    monkeypatch.setattr(
        calibration_module,
        "score",
        lambda bundle, pictures, *rest, **options: (
            asked.append(pictures.name) or score(bundle, pictures, *rest, **options)
        ),
    )
    fitted = calibrate(toy_run, Dataset.open(toy_data))
    assert set(asked) == {"val"}
    assert (fitted.calibration.fitted_on, fitted.calibration.count) == ("val", 600)
    assert fitted.val["after"]["ece"] < fitted.val["before"]["ece"]
    assert fitted.val["after"]["log_loss"] < fitted.val["before"]["log_loss"]


def test_what_is_held_out_of_train_is_calibrated_on_too(toy_run, toy_data, monkeypatch):
    (toy_run.folder / "recipe.toml").write_text(Recipe(network="paper-cnn", image_size=8, held_out=0.5).to_toml())
    about = json.loads((toy_run.folder / "export.json").read_text()) | {"network_sha256": toy_run.network_sha256}
    (toy_run.folder / "export.json").write_text(json.dumps(about))
    dataset = Dataset.open(toy_data)
    for share, count in ((0.0, 600), (1.0, 640)):
        monkeypatch.setattr(
            calibration_module, "held_out", lambda sources, _, share=share: np.full(len(sources), bool(share))
        )
        fitted = calibrate(Run(toy_run.folder), dataset)
        assert fitted.calibration.count == count
        assert fitted.calibration.fitted_on == "val and of the sources of train that were held out"
    assert held_out(dataset.split("train").sources, 0.5).mean() in (0, 1)  # one source


def test_the_harder_half_of_the_sources_is_the_one_near_the_other_label():
    medians = dict(zip("abcdefgh", (-4.0, -3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 4.0), strict=True))
    sources = np.repeat([*medians, "tiny"], [12] * 8 + [RANKED_SOURCE - 1])
    scores = np.array([medians.get(name, 0.0) for name in sources]) + RNG.uniform(-0.1, 0.1, len(sources))
    labels = np.isin(sources, [*"efgh", "tiny"]).astype(np.int64)
    assert set(sources[harder_half(scores, labels, sources)]) == {"c", "d", "e", "f"}
    few = np.isin(sources, [*"abcdefg"])
    kept = harder_half(scores[few], labels[few], sources[few])
    assert set(sources[few][kept]) == {"c", "d", "e", "f", "g"}  # three sources of ai are too few to leave some out


def test_a_larger_source_keeps_the_fpr_by_itself():
    """One source in ten is accused more often than it may be: thresholds are moved for it."""
    sources = np.repeat([*(f"easy-{number}" for number in range(9)), "hard", "few", "ai"], [100] * 10 + [5, 1000])
    labels = (sources == "ai").astype(np.int64)
    probabilities = np.select(
        [sources == "hard", sources == "few", labels == 1],
        [np.where(np.arange(len(sources)) % 5 < 1, 0.95, 0.05), 0.99, 0.999],
        0.01,
    )
    groups = [probabilities[rows] for rows in calibration_module._larger_sources(labels, sources)]
    assert [len(group) for group in groups] == [100] * 10  # "few" has fewer than LARGER_SOURCE
    assert LARGER_SOURCE < 100
    points = operating_points(probabilities, labels, groups)
    for name, point in points.items():
        assert np.mean(probabilities[sources == "hard"] >= point.ai_above) <= CONSTRAINTS[name].source_fpr
    assert operating_points(probabilities, labels)["balanced"].ai_above < points["balanced"].ai_above
    assert calibration_module._larger_sources(labels, np.where(labels, "ai", "one")) == []


def test_another_data_set_is_refused(toy_run, toy_data):
    toy_run.finish(toy_run.record | {"manifest_sha256": "0" * 64})
    with pytest.raises(DatasetError, match="trained on another data set"):
        calibrate(toy_run, Dataset.open(toy_data))


def test_the_command_writes_what_can_be_read_back(toy_run, toy_data):
    result = CliRunner().invoke(commands, ["calibrate", str(toy_run.folder), "--data", str(toy_data)])
    assert result.exit_code == 0, result.output
    assert "cautious" in result.output
    fitted = toy_run.calibration
    assert fitted == calibrate(toy_run, Dataset.open(toy_data))
    CliRunner().invoke(commands, ["calibrate", str(toy_run.folder), "--data", str(toy_data), "--method", "temperature"])
    assert (toy_run.calibration.calibration.method, toy_run.calibration.calibration.intercept) == ("temperature", 0)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "model.keras").write_bytes(b"other weights"), "another network"),
        (lambda folder: (folder / "recipe.toml").write_text("other = 1"), "another network"),
        (lambda folder: (folder / "calibration.json").write_text("{"), "run `fauxto calibrate` again"),
        (lambda folder: (folder / "calibration.json").write_text("{}"), "calibration is missing"),
    ],
)
def test_a_calibration_that_does_not_fit_is_refused(toy_run, toy_data, spoil, message):
    calibrate(toy_run, Dataset.open(toy_data))
    spoil(toy_run.folder)
    with pytest.raises(FauxtoError, match=message):
        _ = toy_run.calibration


def test_a_calibration_that_does_not_fit_is_replaced(toy_run, toy_data, give_network):
    first = calibrate(toy_run, Dataset.open(toy_data))
    give_network(toy_run, gain=2.0)
    again = calibrate(toy_run, Dataset.open(toy_data))
    assert again.calibration.slope == pytest.approx(first.calibration.slope / 2, rel=0.05)
    (toy_run.folder / "calibration.json").write_text("{")
    assert calibrate(toy_run, Dataset.open(toy_data)) == again


def test_scores_that_are_not_numbers_are_refused(toy_run, toy_data, give_network):
    give_network(toy_run, offset=float("nan"))
    result = CliRunner().invoke(commands, ["calibrate", str(toy_run.folder), "--data", str(toy_data)])
    assert result.exit_code == 2
    assert "no finite score for 600 of 600" in result.output
