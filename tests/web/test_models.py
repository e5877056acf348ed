"""The page Models, and what it draws of a bundle's metrics.json."""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from fauxto import bundles, error_rates
from fauxto.bundles.metrics import Metrics
from fauxto.options import DetectorOptions
from fauxto.web import charts, session
from fauxto.web.launch import PAGE

Png = Callable[..., bytes]
Layers = Callable[[Any], list[tuple[dict[str, Any], list[dict[str, Any]]]]]


@pytest.fixture
def open_models(
    measured_bundle: Path, arguments: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], AppTest]:
    """`open_models()`: the page with the golden bundle and its metrics.json."""
    monkeypatch.setattr(sys, "argv", arguments(measured_bundle))
    return lambda: AppTest.from_file(PAGE, default_timeout=240).run().switch_page("views/models.py").run()


def test_the_choice_of_the_operating_point_holds_on_every_page(open_page: Callable[[str], AppTest], png: Png) -> None:
    page = open_page("models")
    assert not page.exception
    assert page.radio[0].options == ["Fewer false alarms", "Balanced", "Catch more"]
    page.radio[0].set_value("sensitive").run()
    page.switch_page("views/check.py").run()
    assert "*catch more*" in page.markdown[-1].value
    page.file_uploader[0].set_value([("a.png", png("generated"), "image/png")])
    page.run()
    assert not page.exception
    page.switch_page("views/models.py").run()
    assert page.radio[0].value == "sensitive"


def test_the_launcher_chooses_the_operating_point_that_holds_at_first(
    golden_bundle: Path, arguments: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", arguments(golden_bundle, operating_point="cautious", personal=True))
    page = AppTest.from_file(PAGE, default_timeout=60).run().switch_page("views/models.py").run()
    assert page.radio[0].value == "cautious"
    detector = session.load_detector(DetectorOptions(golden_bundle.as_posix(), "cautious", personal=True))
    assert detector.options.personal


def test_the_age_of_the_trust_lists_is_told(open_page: Callable[[str], AppTest]) -> None:
    page = open_page("models")
    assert page.header[-1].value == "Trust lists"
    signers, time_stamps = (shown.value for shown in page.markdown[-2:])
    assert signers.startswith("- [C2PA trust list](https://github.com/c2pa-org/conformance-public/")
    assert "28 certificates as of 7 July 2026 (" in signers
    assert "22 certificates as of 5 August 2026 (" in time_stamps


def test_a_model_that_nobody_measured_has_no_charts_and_says_why(open_page: Callable[[str], AppTest]) -> None:
    page = open_page("models")
    assert page.header[1].value == "golden 1.0.0"
    assert page.metric[0].value == "16 to 64 px"
    assert not page.get("vega_lite_chart")
    assert error_rates.NOT_MEASURED in [caption.value for caption in page.caption]
    assert error_rates.NOT_MEASURED in [text.value for text in page.markdown]
    assert page.expander[-1].label == "The card of golden"


def test_every_figure_of_the_page_stands_in_the_file(
    open_models: Callable[[], AppTest], layers: Layers, measured_bundle: Path
) -> None:
    page = open_models()
    assert not page.exception
    test = json.loads((measured_bundle / "metrics.json").read_text())["evaluations"][1]
    clean = test["protocols"][0]
    for name in ("cautious", "balanced", "sensitive"):
        sentence = error_rates.costs(bundles.load(measured_bundle), name)
        assert sentence in page.radio[0].proto.captions
        assert f"{100 * clean['verdicts'][name]['fpr']['value']:.1f} %" in sentence
    drawn = [layers(chart) for chart in page.get("vega_lite_chart")]
    assert len(drawn) == 10
    photographs, generated, scores = drawn[:3]
    for chart, (left, right) in ((photographs, ("fpr", "cleared")), (generated, ("tpr", "missed"))):
        _, spans = chart[0]
        assert [span["high"] for span in spans if span["kind"] == "Generated"] == [
            verdicts[left]["value"] for verdicts in clean["verdicts"].values()
        ]
        assert [1 - span["low"] for span in spans if span["kind"] == "Photograph"] == pytest.approx(
            [verdicts[right]["value"] for verdicts in clean["verdicts"].values()]
        )
    assert [point["y"] for point in scores[0][1]] == [share for _, share in test["real_scores"]]


def test_no_chart_cuts_or_clamps_and_bars_begin_at_0(open_models: Callable[[], AppTest], layers: Layers) -> None:
    drawn = open_models().get("vega_lite_chart")
    assert drawn
    for shown in drawn:
        assert "clamp" not in shown.proto.spec
        assert "clip" not in shown.proto.spec
        assert len(shown.proto.alt) > 20
        for layer, rows in layers(shown):
            low, high = layer["encoding"]["x"].get("scale", {}).get("domain", (-math.inf, math.inf))
            if layer["mark"]["type"] == "bar":
                assert low == 0
            for row in rows:
                ends = [row[key] for key in ("low", "high", "x") if key in row]
                assert all(low <= end <= high for end in ends)


def test_a_card_can_make_the_page_load_nothing(
    golden_bundle: Path, tmp_path: Path, arguments: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "golden"
    shutil.copytree(golden_bundle, folder)
    seen = "![seen](http://host.example/seen.png) ![also][1]\n\n[1]: http://host.example/too.png\n<img src=http://h.example>"
    (folder / "CARD.md").write_text(seen)
    monkeypatch.setattr(sys, "argv", arguments(folder))
    page = AppTest.from_file(PAGE, default_timeout=60).run().switch_page("views/models.py").run()
    [card] = [one for one in page.markdown if "host.example" in one.value]
    assert "![" not in card.value
    assert not card.proto.allow_html


def test_groups_are_sorted_and_those_without_pictures_left_out(make_metrics: Callable[..., Metrics]) -> None:
    _, test = make_metrics().evaluations
    accused = charts.called_generated(test.groups["source"], "balanced", "real")
    assert accused.words.startswith("film scans: 18.2 % (6.0 to 30.4 %) of")
    assert "generator zoo" not in accused.words
    found = charts.called_generated(test.groups["generator"], "balanced", "ai").chart.to_dict()
    assert found["layer"][0]["encoding"]["x"]["scale"]["domain"] == [0, 1]


def test_dots_show_what_lies_close_together(make_metrics: Callable[..., Metrics]) -> None:
    _, test = make_metrics().evaluations
    chart = charts.robustness(test.robustness).chart.to_dict()
    assert chart["layer"][0]["encoding"]["x"]["scale"]["domain"] == [0.75, 0.95]
    assert charts.robustness({"JPEG": 1.0}).chart.to_dict()["layer"][0]["encoding"]["x"]["scale"]["domain"] == [0.95, 1]


@pytest.mark.parametrize("name", bundles.names())
def test_the_charts_of_the_shipped_models_are_drawn(name: str) -> None:
    bundle = bundles.load(name)
    test = error_rates.test_of(bundle)
    if test is None:
        pytest.skip(f"{name} has no metrics.json yet")
    for point in bundle.operating_points:
        assert charts.high_scores(bundle, test, point).chart.to_dict()
        for label in ("real", "ai"):
            assert charts.verdicts_by_protocol(test, label, point).chart.to_dict()
            for groups in test.groups.values():
                assert charts.called_generated(groups, point, label).chart.to_dict()
