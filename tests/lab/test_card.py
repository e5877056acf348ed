"""The card tells what the result files say, and refuses files that don't belong together."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest
from fauxto.lab.evaluation.robustness import measure_robustness

from fauxto.bundles.bundle import Description, Domain, Input, Training
from fauxto.errors import FauxtoError
from fauxto.lab import card
from fauxto.lab.calibration import RunCalibration
from fauxto.lab.datasets import Dataset
from fauxto.lab.evaluation import report
from fauxto.lab.evaluation.results import measure

AGREEMENT = card.Agreement(pictures=777, difference=2.5e-6)


@pytest.fixture
def bundle(toy_run, toy_data):
    """The description of a bundle of the toy run, which is calibrated and evaluated."""
    dataset = Dataset.open(toy_data)
    fitted = RunCalibration.of(toy_run, dataset)
    fitted.write(toy_run)
    report.write_results(toy_run, "test", measure(toy_run, dataset, "test"))
    record = json.loads((toy_run / "run.json").read_text())
    return Description(
        format=1,
        name="toy",
        version="1.2.3",
        summary="Tells warm pictures from cold ones.",
        model_sha256="a" * 64,
        domain=Domain(8, 16),
        input=Input("whole", 8, 8, 1 / 255, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
        stability=False,
        labels=("real", "ai"),
        calibration=fitted.calibration,
        operating_points=fitted.operating_points,
        real_score_quantiles=fitted.real_score_quantiles,
        training=Training(network="paper-cnn", seed=1, **record),
    )


def damage(run, toy_data, sample=60, **options):
    results = measure_robustness(run, Dataset.open(toy_data), "test", sample=sample, **options)
    report.write_results(run, "test-robustness", results)
    return results


def rows(text, first_cell):
    """Return the cells of every table row that starts with `first_cell`."""
    lines = [line for line in text.splitlines() if line.startswith(f"| {first_cell} |")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_card_tells_what_was_measured(bundle, toy_run):
    text = card.render(bundle, toy_run, AGREEMENT)
    results = json.loads((toy_run / "evaluation" / "test.json").read_text())
    full, clean = results["full"], results["without_leaked"]
    assert text.startswith("# toy 1.2.3\n\nTells warm pictures from cold ones.\n")
    assert rows(text, "pictures") == [["pictures", "800", "750"]]
    assert rows(text, "accuracy") == [
        ["accuracy", f"{100 * full['accuracy']:.2f} %", f"{100 * clean['accuracy']:.2f} %"]
    ]
    assert rows(text, "after")[0][2] == f"{full['calibration']['after']['ece']:.4f}"
    assert rows(text, "before")[0][2] == f"{full['calibration']['before']['ece']:.4f}"
    assert rows(text, "parameters") == [["parameters", "123,456"]]
    assert [row[0] for name in ("cat", "dog") for row in rows(text, name)] == ["cat", "dog"]
    for name, point in bundle.operating_points.items():
        (row,) = rows(text, name)
        assert row[1:4] == [f"{point.real_below:.4f}", f"{point.ai_above:.4f}", f"{100 * point.fpr:.2f} %"]
        assert row[4] == f"{100 * full['operating_points'][name]['fpr']:.2f} %"
    assert "2.5e-06 at most, on 777 test pictures" in text
    for told in ("fauxto train --network paper-cnn", "0123abcd", "50 pictures of this split", 'network = "paper'):
        assert told in text


def test_the_card_of_the_papers_network_shows_the_papers_figures(bundle, toy_run):
    text = card.render(bundle, toy_run, AGREEMENT)
    assert [row[1:4] for row in rows(text, "published")] == [
        ["first class", "0.88", "0.96"],
        ["second class", "0.96", "0.87"],
    ]
    assert len(rows(text, "this bundle")) == 2
    other = dataclasses.replace(bundle, training=dataclasses.replace(bundle.training, network="mine"))
    assert rows(card.render(other, toy_run, AGREEMENT), "published") == []


def test_the_card_cites_the_data_set(bundle, toy_run):
    text = card.render(bundle, toy_run, AGREEMENT)
    for told in ("licence MIT", "Bird and A. Lotfi", "IEEE Access 12, 2024", "Krizhevsky and G. Hinton", "2009"):
        assert told in text


def test_an_unknown_data_set_is_not_given_a_licence(bundle, toy_run):
    path = toy_run / "evaluation" / "test.json"
    results = json.loads(path.read_text())
    results["subject"]["dataset"] = "my | own"
    path.write_text(json.dumps(results))
    text = card.render(bundle, toy_run, AGREEMENT)
    assert "ask whoever made it" in text
    assert "MIT" not in text


def test_robustness_stands_beside_another_runs(bundle, toy_run, toy_data, tmp_path):
    assert "wasn't measured" in card.render(bundle, toy_run, AGREEMENT)
    other = tmp_path / "other"
    shutil.copytree(toy_run, other)
    damage(toy_run, toy_data)
    theirs = damage(other, toy_data)
    text = card.render(bundle, toy_run, AGREEMENT, beside=other)
    assert "accuracy of other" in text
    assert rows(text, "none")[0][3] == f"{100 * theirs['rows'][0]['accuracy']:.2f} %"
    assert len(rows(text, "JPEG")) == 5
    assert "under greyscale (whole), the worst" in text
    assert "accuracy of other" not in card.render(bundle, toy_run, AGREEMENT)


@pytest.mark.parametrize("options", [{"sample": 50}, {"seed": 9}])
def test_robustness_on_other_pictures_is_not_put_beside(bundle, toy_run, toy_data, tmp_path, options):
    other = tmp_path / "other"
    shutil.copytree(toy_run, other)
    with pytest.raises(FauxtoError, match="has no robustness results"):
        card.render(bundle, toy_run, AGREEMENT, beside=other)
    damage(toy_run, toy_data)
    with pytest.raises(FauxtoError, match="on the same pictures"):
        card.render(bundle, toy_run, AGREEMENT, beside=other)
    damage(other, toy_data, **options)
    with pytest.raises(FauxtoError, match="on the same pictures"):
        card.render(bundle, toy_run, AGREEMENT, beside=other)


def test_results_of_another_network_or_calibration_are_refused(bundle, toy_run):
    recalibrated = dataclasses.replace(bundle.calibration, slope=9.0)
    with pytest.raises(FauxtoError, match="run `fauxto evaluate` again"):
        card.render(dataclasses.replace(bundle, calibration=recalibrated), toy_run, AGREEMENT)
    moved = {
        **bundle.operating_points,
        "balanced": dataclasses.replace(bundle.operating_points["balanced"], ai_above=1),
    }
    with pytest.raises(FauxtoError, match="run `fauxto evaluate` again"):
        card.render(dataclasses.replace(bundle, operating_points=moved), toy_run, AGREEMENT)
    (toy_run / "model.keras").write_bytes(b"trained on")
    with pytest.raises(FauxtoError, match="run `fauxto evaluate` again"):
        card.render(bundle, toy_run, AGREEMENT)


def test_a_run_without_results_is_refused(bundle, toy_run):
    (toy_run / "evaluation" / "test.json").unlink()
    with pytest.raises(FauxtoError, match="run `fauxto evaluate` first"):
        card.render(bundle, toy_run, AGREEMENT)
