"""The card and metrics.json tell what the result files say, and packing refuses files that don't belong together."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil

import pytest

from fauxto import bundles
from fauxto.choices import CalibrationMethod
from fauxto.errors import BundleFormatError, ConfigError, FauxtoError
from fauxto.lab import card, packing
from fauxto.lab.calibration import calibrate
from fauxto.lab.datasets import Dataset
from fauxto.lab.evaluation.results import measure, measure_robustness
from fauxto.lab.packing import Nameplate
from fauxto.lab.run import Run

NAMEPLATE = Nameplate("toy", "1.2.3", "Tells warm pictures from cold ones.", 8, 16)


@pytest.fixture
def run(toy_run, toy_data):
    """The toy run, calibrated and evaluated."""
    dataset = Dataset.open(toy_data)
    calibrate(toy_run, dataset)
    toy_run.write_results("test", measure(toy_run.bundle(), toy_run.name, dataset, "test", toy_run.cache))
    return toy_run


def degrade(run, toy_data, sample=60, **options):
    dataset = Dataset.open(toy_data)
    results = measure_robustness(run.bundle(), dataset, dataset.split("test"), run.cache, sample=sample, **options)
    run.write_results("test-robustness", results)
    return results


def pack(run, out, **options):
    return packing.pack(run, out / "toy", NAMEPLATE, **options)


def rows(text, first_cell):
    """Return the cells of every table row that starts with `first_cell`."""
    lines = [line for line in text.splitlines() if line.startswith(f"| {first_cell} |")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_card_tells_what_was_measured(run, tmp_path):
    bundle = pack(run, tmp_path)
    text, results = bundle.card, run.results("test")
    full = results["full"]
    assert text.startswith("# toy 1.2.3\n\nTells warm pictures from cold ones.\n")
    clean = results["evaluation"]["protocols"][0]
    assert [row[:4] for row in rows(text, "clean")] == [["clean", "400", "400", f"{clean['auroc']['value']:.4f}"]]
    for stage in ("before", "after"):
        assert rows(text, stage)[0][2] == f"{full['calibration'][stage]['ece']:.4f}"
    assert rows(text, "parameters") == [["parameters", "123,456"]]
    assert [row[0] for name in ("cat", "dog") for row in rows(text, name)] == ["cat", "dog"]
    for name, point in bundle.operating_points.items():
        row = rows(text, name)[-1]
        assert row[1:4] == [f"{point.real_below:.4f}", f"{point.ai_above:.4f}", f"{100 * point.fpr:.2f} %"]
        assert row[4] == f"{100 * full['operating_points'][name]['fpr']:.2f} %"
    assert "logits differ by 2.5e-06 at most, on 48 random pictures" in text
    assert "8 to 16 pixels" in text
    for told in ("fauxto train --network paper-cnn", "0123abcd", "50 pictures of this split", 'network = "paper'):
        assert told in text
    assert re.findall(r"^## (.*)$", text, re.M) == [
        "What it is",
        "How it was made",
        "How good it is",
        "Known limits",
        "Data, licence and citations",
    ]
    assert re.findall(r"^### (.*)$", text, re.M) == [
        "cifake, test",
        "Classification report",
        "Calibration",
        "Operating points",
        "By source, on test as found",
        "By object class, on test as found",
        "Coverage",
    ]


def test_metrics_are_read_back_typed(run, toy_data, tmp_path):
    dataset = Dataset.open(toy_data)
    run.write_results("val", measure(run.bundle(), run.name, dataset, "val", run.cache))
    table = degrade(run, toy_data)
    metrics = pack(run, tmp_path).metrics
    assert [(measured.split, measured.use) for measured in metrics.evaluations] == [("val", "tuning"), ("test", "test")]
    assert metrics.test is metrics.evaluations[-1]
    assert metrics.evaluations[0].robustness == {}
    assert metrics.test.robustness == {
        f"{row['degradation']}, {row['severity']}": row["accuracy"] for row in table["rows"]
    }
    assert metrics.test.protocols[0].auroc.value == pytest.approx(run.results("test")["full"]["auroc"])
    assert bundles.load(tmp_path / "toy").metrics == metrics


def test_robustness_of_another_calibration_is_not_in_the_metrics(run, toy_data, tmp_path):
    degrade(run, toy_data)
    dataset = Dataset.open(toy_data)
    calibrate(run, dataset, CalibrationMethod.TEMPERATURE)
    run.write_results("test", measure(run.bundle(), run.name, dataset, "test", run.cache))
    bundle = pack(run, tmp_path)
    assert bundle.metrics.test.robustness == {}
    assert "### Robustness" not in bundle.card


def test_the_card_of_the_papers_network_shows_the_papers_figures(run, tmp_path):
    bundle = pack(run, tmp_path)
    assert [row[1:4] for row in rows(bundle.card, "published")] == [
        ["first class", "0.88", "0.96"],
        ["second class", "0.96", "0.87"],
    ]
    assert len(rows(bundle.card, "this bundle")) == 2
    other = dataclasses.replace(bundle, training=dataclasses.replace(bundle.training, network="mine"))
    assert rows(card.render(other, run, [run.results("test")]), "published") == []


def test_the_card_cites_the_data_set(run, tmp_path):
    text = pack(run, tmp_path).card
    for told in ("licence MIT", "Bird and A. Lotfi", "IEEE Access 12, 2024", "Krizhevsky and G. Hinton", "2009"):
        assert told in text


def test_an_unknown_data_set_is_not_given_a_licence(run, tmp_path):
    results = run.results("test")
    results["subject"]["dataset"] = "my | own"
    run.write_results("test", results)
    text = pack(run, tmp_path).card
    assert "ask whoever made it" in text
    assert "MIT" not in text


def test_robustness_stands_beside_another_runs(run, toy_data, tmp_path):
    assert "### Robustness" not in pack(run, tmp_path).card
    other = Run(tmp_path / "other")
    shutil.copytree(run.folder, other.folder)
    degrade(run, toy_data)
    theirs = degrade(other, toy_data)
    text = pack(run, tmp_path, beside=other).card
    assert "accuracy of other" in text
    (untouched,) = (row for row in rows(text, "clean") if row[1] == "as found")
    assert untouched[3] == f"{100 * theirs['rows'][0]['accuracy']:.2f} %"
    assert len(rows(text, "JPEG")) == 5
    assert "under greyscale (whole), the worst" in text
    assert "accuracy of other" not in pack(run, tmp_path).card


@pytest.mark.parametrize("options", [{"sample": 50}, {"seed": 9}])
def test_robustness_on_other_pictures_is_not_put_beside(run, toy_data, tmp_path, options):
    other = Run(tmp_path / "other")
    shutil.copytree(run.folder, other.folder)
    degrade(run, toy_data)
    with pytest.raises(FauxtoError, match="on the same pictures"):
        pack(run, tmp_path, beside=other)
    degrade(other, toy_data, **options)
    with pytest.raises(FauxtoError, match="on the same pictures"):
        pack(run, tmp_path, beside=other)


def test_a_run_beside_needs_robustness_of_both(run, toy_data, tmp_path):
    other = Run(tmp_path / "other")
    shutil.copytree(run.folder, other.folder)
    degrade(other, toy_data)
    with pytest.raises(FauxtoError, match="has no robustness results"):
        pack(run, tmp_path, beside=other)


def test_results_of_another_network_or_calibration_are_refused(run, toy_data, tmp_path, give_network):
    dataset = Dataset.open(toy_data)
    calibrate(run, dataset, CalibrationMethod.TEMPERATURE)
    with pytest.raises(FauxtoError, match="run `fauxto evaluate` again"):
        pack(run, tmp_path)
    give_network(run, gain=2.0)
    calibrate(run, dataset)
    with pytest.raises(FauxtoError, match="run `fauxto evaluate` again"):
        pack(run, tmp_path)
    assert not (tmp_path / "toy").exists()


def test_results_of_moved_thresholds_are_refused(run, tmp_path):
    path = run.folder / "calibration.json"
    fitted = json.loads(path.read_text())
    fitted["operating_points"]["balanced"]["ai_above"] = 1.0
    path.write_text(json.dumps(fitted))
    with pytest.raises(FauxtoError, match="run `fauxto evaluate` again"):
        pack(run, tmp_path)


def test_a_run_without_results_on_fresh_pictures_is_refused(run, toy_data, tmp_path):
    (run.folder / "evaluation" / "test.json").unlink()
    with pytest.raises(FauxtoError, match="run `fauxto evaluate` first"):
        pack(run, tmp_path)
    run.write_results("val", measure(run.bundle(), run.name, Dataset.open(toy_data), "val", run.cache))
    with pytest.raises(FauxtoError, match="run `fauxto evaluate` first"):
        pack(run, tmp_path)


def test_an_uncalibrated_run_or_a_folder_of_something_else_is_refused(run, tmp_path):
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is no bundle"):
        pack(run, tmp_path)
    assert (tmp_path / "toy" / "thesis.txt").read_text() == "mine"
    (run.folder / "calibration.json").unlink()
    with pytest.raises(ConfigError, match="must be trained and calibrated"):
        pack(run, tmp_path)


def test_a_name_that_breaks_the_contract_is_refused(run, tmp_path):
    with pytest.raises(BundleFormatError, match="can't be called so: name must be lower-case"):
        packing.pack(run, tmp_path / "toy", dataclasses.replace(NAMEPLATE, name="A Toy"))


def test_a_bundle_is_replaced_whole(run, tmp_path):
    first = pack(run, tmp_path)
    (first.folder / "metrics.json").write_text("{}")
    assert pack(run, tmp_path).card == first.card
    assert [path.name for path in (tmp_path / "toy").parent.iterdir() if path.name.startswith("tmp")] == []


def named(use, *rows):
    families = [dict(zip(("family", "named", "right", "given"), row, strict=True)) for row in rows]
    return {"evaluation": {"use": use}, "families": families}


@pytest.mark.parametrize(
    ("rows", "least"),
    [
        ([(None, 20, 14, 20), ("FLUX", 10, 7, 10)], 0.6),
        ([(None, 20, 13, 20), ("FLUX", 10, 7, 10)], None),  # too few of all names are right
        ([(None, 20, 14, 20), ("FLUX", 10, 6, 8)], None),  # of its own pictures' names
        ([(None, 20, 14, 20), ("FLUX", 10, 7, 11)], None),  # of the pictures that got its name
        ([(None, 20, 20, 20), ("FLUX", 9, 9, 9)], None),  # too few to tell
        ([(None, 20, 20, 20), ("a GAN", 20, 20, 20)], None),  # none of its own
    ],
)
def test_a_family_is_named_only_where_names_were_right_on_unmet_pictures_of_its_own(rows, least):
    evaluations = [named("tuning", (None, 50, 0, 50), ("FLUX", 50, 0, 50)), named("test", *rows)]
    assert packing._reliable({"FLUX": 0.6, "Midjourney": None}, evaluations) == {"FLUX": least, "Midjourney": None}
    assert packing._reliable({}, evaluations) == {}


def test_names_of_all_tests_count_together():
    tests = [(None, 5, 5, 5), ("FLUX", 5, 5, 5)], [(None, 5, 2, 5), ("FLUX", 5, 2, 5)]
    evaluations = [named("test", *rows) for rows in tests]
    assert packing._reliable({"FLUX": 0.6}, evaluations) == {"FLUX": 0.6}
