"""The page Laboratory, on a data set and runs that the test makes."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

import fauxto.web
from fauxto.bundles.metrics import Evaluation, Metrics
from fauxto.errors import MissingExtraError
from fauxto.lab.evaluation.results import RESULTS_VERSION

TABS = {"explore": "Explore a data set", "audit": "Audit it for shortcuts", "compare": "Compare evaluations"}


@pytest.fixture
def listen_on() -> Iterator[Callable[[str], None]]:
    """`listen_on(address)`: what Streamlit takes for its own address until the test ends."""
    before = config.get_option("server.address")
    yield lambda address: config.set_option("server.address", address)
    config.set_option("server.address", before)


@pytest.fixture
def page(open_page: Callable[[str], AppTest], listen_on: Callable[[str], None]) -> AppTest:
    listen_on("127.0.0.1")
    return open_page("laboratory")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real pictures are smooth and stored as JPEG, the others rough and stored as PNG: a strong shortcut."""
    from fauxto.lab.datasets.folders import import_folders

    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(1)
    for label, ending in (("real", "jpg"), ("ai", "png")):
        (folder / label).mkdir()
        for number in range(30):
            ground = np.linspace(40, 200, 32)[:, None, None] + rng.normal(0, 3 if label == "real" else 30, (32, 32, 3))
            PIL.Image.fromarray(ground.clip(0, 255).astype(np.uint8)).save(folder / label / f"{number}.{ending}")
    import_folders(folder / "real", folder / "ai", folder / "set")
    return folder / "set"


def open_tab(page: AppTest, name: str, folder: Path) -> None:
    page.session_state["lab-tabs-en"] = TABS[name]
    page.run()
    page.text_input[0].set_value(str(folder)).run()


def test_where_the_extra_is_missing_it_is_named(
    open_page: Callable[[str], AppTest], listen_on: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Missing:
        def find_spec(self, name: str, path: object, target: object = None) -> None:
            if name == "fauxto.web.lab_views":
                raise MissingExtraError("lab", "the laboratory")

    monkeypatch.delitem(sys.modules, "fauxto.web.lab_views", raising=False)
    monkeypatch.delattr(fauxto.web, "lab_views", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    listen_on("127.0.0.1")
    page = open_page("laboratory")
    assert not page.exception
    assert "isn't installed" in page.info[0].value
    assert "'.[lab]'" in page.text[0].value


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.7", ""])
def test_it_is_closed_where_others_can_reach_the_page(
    open_page: Callable[[str], AppTest], listen_on: Callable[[str], None], address: str
) -> None:
    listen_on(address)
    page = open_page("laboratory")
    assert "closed" in page.info[0].value
    assert not page.text_input


@pytest.mark.parametrize("name", list(TABS))
def test_a_folder_that_is_none_is_said_in_a_sentence(page: AppTest, tmp_path: Path, name: str) -> None:
    open_tab(page, name, tmp_path / "nowhere")
    if page.button:
        page.button[0].click().run()
    assert not page.exception
    assert page.error[0].value == "This folder can't be used."
    assert "nowhere" in page.text[-1].value


def test_a_data_set_is_explored(page: AppTest, dataset: Path) -> None:
    open_tab(page, "explore", dataset)
    page.button[0].click().run()
    assert not page.exception
    [frame] = page.get("iframe")
    assert "The average spectrum" in frame.proto.srcdoc
    assert [one.label for one in page.get("download_button")] == ["Download this report (HTML)"]


def test_an_audit_finds_the_shortcut(page: AppTest, dataset: Path) -> None:
    open_tab(page, "audit", dataset)
    page.button[0].click().run()
    assert not page.exception
    assert len(page.get("vega_lite_chart")) == 1
    assert any("file format alone" in shown.value for shown in page.text)
    assert [list(table.value.columns) for table in page.table] == [["split", "real", "ai"], ["where", "pictures"]]


@pytest.fixture
def runs(tmp_path: Path, make_metrics: Callable[..., Metrics]) -> Path:
    """A folder with three measured runs, one of them on other data, and one that nobody has measured."""
    for name, manifest in (("first", "m1"), ("second", "m1"), ("other-data", "m2")):
        (tmp_path / name / "evaluation").mkdir(parents=True)
        for measured in make_metrics(real=331 if name == "first" else 290).evaluations:
            plain = json.dumps(results(manifest, measured))
            (tmp_path / name / f"evaluation/{measured.split}.json").write_text(plain)
        (tmp_path / name / "evaluation/test-robustness.json").write_text("{}")
    (tmp_path / "unmeasured").mkdir()
    return tmp_path


def test_evaluations_lie_side_by_side(page: AppTest, runs: Path) -> None:
    open_tab(page, "compare", runs)
    assert not page.exception
    assert list(page.dataframe[0].value.columns) == ["", "first, test", "other-data, test", "second, test"]
    assert "different data sets" in page.warning[0].value
    page.multiselect[0].set_value(["first, test", "second, test"]).run()
    assert not page.warning
    shown = [json.loads(chart.proto.spec) for chart in page.get("vega_lite_chart")]
    assert len(shown) == 3
    assert "clamp" not in json.dumps(shown)
    assert page.multiselect[0].options == [
        f"{run}, {split}" for run in ("first", "other-data", "second") for split in ("test", "val")
    ]


def test_a_roc_curve_is_drawn_on_its_whole_range_as_it_was_measured(
    page: AppTest, runs: Path, layers: Callable[[Any], list[tuple[dict[str, Any], list[dict[str, Any]]]]]
) -> None:
    open_tab(page, "compare", runs)
    _, curves, _ = page.get("vega_lite_chart")
    _, (traced, points) = layers(curves)
    assert [traced["encoding"][axis]["scale"]["domain"] for axis in "xy"] == [[0, 1], [0, 1]]
    roc = json.loads((runs / "first/evaluation/test.json").read_text())["full"]["curves"]["roc"]
    drawn = [(point["x"], point["y"]) for point in points if point["name"] == "first, test"]
    assert drawn == list(zip(roc["fpr"], roc["tpr"], strict=True))


def test_an_evaluation_in_another_form_is_named_and_hides_no_other(page: AppTest, runs: Path) -> None:
    (runs / "second/evaluation/test.json").write_text('{"version": 1}')
    (runs / "other-data/evaluation/val.json").write_text(json.dumps({"version": RESULTS_VERSION, "evaluation": {}}))
    open_tab(page, "compare", runs)
    assert not page.exception
    assert page.text[-1].value == "other-data, val\nsecond, test"
    assert len(page.multiselect[0].options) == 4


def test_no_evaluation_yet_is_said(page: AppTest, tmp_path: Path) -> None:
    open_tab(page, "compare", tmp_path)
    assert "fauxto evaluate" in page.info[0].value


def results(manifest: str, measured: Evaluation) -> dict[str, object]:
    """What `fauxto evaluate` writes, as far as the page reads it."""
    fpr = [step / 40 for step in range(41)]
    figures = {
        "count": measured.protocols[0].count,
        "accuracy": 0.9,
        "balanced_accuracy": 0.9,
        "auroc": 0.95,
        "average_precision": 0.95,
        "calibration": {"before": {"ece": 0.1}},
        "curves": {"roc": {"fpr": fpr, "tpr": [share**0.2 for share in fpr]}},
    }
    return {
        "version": RESULTS_VERSION,
        "subject": {"manifest_sha256": manifest},
        "evaluation": dataclasses.asdict(measured),
        "full": figures,
        "without_leaked": None,
    }
