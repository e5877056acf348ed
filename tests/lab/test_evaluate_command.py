"""`fauxto evaluate`: options that don't fit each other, and what its page shows of a run beside the figures."""

from __future__ import annotations

import json
import re

import pytest
from sklearn.metrics import classification_report
from typer.testing import CliRunner

from fauxto.cli import commands
from fauxto.lab.calibration import calibrate
from fauxto.lab.datasets import Dataset


def run_command(*words):
    return CliRunner().invoke(commands, [str(word) for word in words])


@pytest.fixture
def pictures(tmp_path):
    for label in ("real", "ai"):
        (tmp_path / "pictures" / label).mkdir(parents=True)
    return tmp_path / "pictures"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name the pictures"),
        (("--real", "{}/real", "--data", "{}"), "a data set or folders, not both"),
        (("--real", "{}/real", "--save"), "are for data sets"),
        (("--data", "{}"), "name what to measure"),
        (("{run}", "--real", "{}/real"), "make it a model first"),
    ],
)
def test_options_that_do_not_fit_are_refused(words, message, pictures, toy_run):
    result = run_command("evaluate", *(word.format(pictures, run=toy_run.folder) for word in words))
    assert result.exit_code == 2
    assert message in result.output


def test_the_page_of_a_run_is_a_students_report(toy_run, toy_data):
    line = {"loss": 0.7, "accuracy": 0.5, "val_loss": 0.6, "val_accuracy": 0.625, "seconds": 3.0}
    layers = [{"name": "stage_1", "kind": "Conv2D", "shape": "8 × 8 × 32", "parameters": 896}]
    toy_run.finish(toy_run.record | {"history": [{"epoch": 1, **line}, {"epoch": 2, **line}], "layers": layers})
    dataset = Dataset.open(toy_data)
    calibrate(toy_run, dataset)
    result = run_command("evaluate", toy_run.folder, "--data", toy_data)
    assert result.exit_code == 0, result.output
    results = json.loads((toy_run.folder / "evaluation" / "test.json").read_text())
    page = (toy_run.folder / "evaluation" / "test.html").read_text()

    assert page.rindex("In short") < page.rindex("Training curves") < page.rindex("Some of the pictures")
    assert [cell in page for cell in ("stage_1", "Conv2D", "8 × 8 × 32", "896")] == [True] * 4
    assert page.count("<img") == len(results["sample"]) + len(results["mistakes"]) == 48

    test = dataset.split("test")
    warmth = test.images[..., 0].mean(axis=(1, 2)) - test.images[..., 2].mean(axis=(1, 2))
    called_ai = toy_run.bundle().calibration.probability(warmth - 1) >= 0.5
    printed = classification_report(test.labels, called_ai, target_names=["real", "ai"])
    assert {"accuracy", "macro", "weighted"} <= set(printed.split())
    assert printed in result.output
    assert printed in page

    published = re.findall(r"<tr><td>published</td>(.*?)</tr>", page)
    assert [re.sub("<[^>]*>", " ", row).split()[-4:] for row in published] == [
        ["0.88", "0.96", "–", "10,000"],
        ["0.96", "0.87", "–", "10,000"],
    ]
