"""What people are told of error rates is what metrics.json holds, wherever they are told it."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pypdf
import pytest
from numpy.typing import NDArray
from rich.console import Console
from typer.testing import CliRunner

from fauxto import Report, Verdict, bundles, error_rates
from fauxto.bundles.metrics import Metrics, Share
from fauxto.cli import commands
from fauxto.cli.report_panel import report_panel
from fauxto.errors import BundleFormatError
from fauxto.export import case_file, html, pdf
from fauxto.report import Basis

GOLDEN = Path(__file__).parents[1] / "golden/bundle"
POINTS = ("cautious", "balanced", "sensitive")
SHARE = re.compile(r"\d+(?:\.\d+)? % \(\d+(?:\.\d+)? to \d+(?:\.\d+)? %\)")


@pytest.fixture(scope="module")
def measured(measured_bundle: Path) -> dict[str, Any]:
    """The evaluation on pictures that the model had never seen, from the file itself."""
    plain = json.loads((measured_bundle / "metrics.json").read_text())
    [test] = [evaluation for evaluation in plain["evaluations"] if evaluation["use"] == "test"]
    return dict(test)


@pytest.fixture
def pixels_report(full_report: Report) -> Report:
    """A report that rests on the pixels, with a score in the middle of the table."""
    return dataclasses.replace(full_report, verdict=Verdict.AI, basis=Basis.PIXELS, score=2.2, probability=0.96)


def as_told(share: dict[str, float]) -> str:
    """A share of metrics.json with its interval, put into words a second time."""
    value, low, high = (
        f"{100 * share[key]:.{0 if share[key] in (0, 1) else 1 if 0.01 <= share[key] <= 0.99 else 2}f}"
        for key in ("value", "low", "high")
    )
    return f"{value} % ({low} to {high} %)"


def channels(folder: Path, report: Report, photo: NDArray[np.uint8], point: str) -> Iterator[tuple[str, str]]:
    """What the terminal, the HTML page and the PDF say of a report, each on one line."""
    bundle = bundles.load(folder)
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(report_panel(report, bundle, point, console))
    yield "panel", " ".join(console.export_text().replace("│", " ").split())
    case = case_file.assemble(report, photo, bundle=bundle, operating_point=point, time=datetime.now(UTC))
    page = re.sub(r"<style.*?</style>|<[^>]+>", " ", html.report(case), flags=re.DOTALL)
    yield "html", " ".join(unescape(page).split())
    sheets = pypdf.PdfReader(io.BytesIO(pdf.report(case))).pages
    yield "pdf", " ".join(" ".join(sheet.extract_text() for sheet in sheets).split())


@pytest.mark.parametrize("point", POINTS)
def test_every_share_in_a_report_stands_in_the_file(
    measured_bundle: Path, measured: dict[str, Any], pixels_report: Report, photo: NDArray[np.uint8], point: str
) -> None:
    clean = measured["protocols"][0]
    verdicts = clean["verdicts"][point]
    for name, words in channels(measured_bundle, pixels_report, photo, point):
        if name != "panel":
            told = [as_told(verdicts[key]) for key in ("fpr", "tpr", "missed", "inconclusive")]
            assert SHARE.findall(words) == told, name
            assert f"{clean['ai']:,} generated pictures by 6 generators" in words, name
        scores, shares = zip(*measured["real_scores"], strict=True)
        assert scores[0] < 2.2 < scores[-1]
        count = round(clean["real"] * np.exp(np.interp(2.2, scores, np.log(shares))))
        assert f"Of {clean['real']:,} photographs from 6 sources that the model had never seen, about {count}" in words


@pytest.mark.parametrize("point", POINTS)
def test_without_a_file_a_report_says_that_nothing_was_measured(
    pixels_report: Report, photo: NDArray[np.uint8], point: str
) -> None:
    for name, words in channels(GOLDEN, pixels_report, photo, point):
        assert "How many photographs score this high wasn't measured" in words, name
        assert name == "panel" or error_rates.NOT_MEASURED in words, name
        assert not SHARE.search(words), name
        assert "90 %" not in words, name  # the share of generated pictures detected where it was tuned


def test_the_table_of_the_command_stands_in_the_file(measured_bundle: Path, measured: dict[str, Any]) -> None:
    shown = CliRunner().invoke(commands, ["models", str(measured_bundle)], env={"COLUMNS": "100"}).stdout
    table, _, _ = shown.partition("\n# golden")
    for point, verdicts in measured["protocols"][0]["verdicts"].items():
        assert point in table
        for key in ("fpr", "tpr", "missed", "inconclusive"):
            value, interval = as_told(verdicts[key]).split(" (")
            assert value in table
            assert "(" + interval.replace(" to ", "–") in table
    assert len(re.findall(r"\d %", table)) == 2 * 4 * 3 + 1  # a share and its interval each, and "95 %"


def test_the_sentences_of_an_operating_point(measured_bundle: Path, measured: dict[str, Any]) -> None:
    bundle = bundles.load(measured_bundle)
    for point in POINTS:
        verdicts = measured["protocols"][0]["verdicts"][point]
        told = [as_told(verdicts[key]) for key in ("fpr", "tpr", "missed", "inconclusive")]
        assert SHARE.findall(error_rates.costs(bundle, point)) == told
        assert SHARE.findall(error_rates.left_open(bundle, point)) == told[3:]
        assert "843 pictures" in error_rates.left_open(bundle, point)
    assert error_rates.measured_on(bundle).startswith(
        "Measured on 331 photographs from 6 sources and 512 generated pictures by 6 generators that the model"
    )


def test_what_nobody_measured_is_told_so(make_metrics: Callable[..., Metrics]) -> None:
    tuning, test = make_metrics().evaluations
    silent = dataclasses.replace(test, protocols=(dataclasses.replace(test.protocols[0], verdicts={}),))
    bare = bundles.load(GOLDEN)
    for metrics in (None, Metrics(1, ()), Metrics(1, (tuning,)), Metrics(1, (silent,))):
        bundle = dataclasses.replace(bare, metrics=metrics)
        assert error_rates.costs(bundle, "balanced") == ""
        assert "wasn't measured" in error_rates.left_open(bundle, "balanced")
        assert list(error_rates.outcome(bundle, "balanced")) == [error_rates.NOT_MEASURED]
        assert error_rates.table(bundle)[1] == []


def test_pictures_of_one_label_only(make_metrics: Callable[..., Metrics]) -> None:
    bundle = dataclasses.replace(bundles.load(GOLDEN), metrics=make_metrics(real=0))
    assert "no pictures" in error_rates.costs(bundle, "balanced")
    assert not any(
        re.match(r"Of [\d,]+ photographs?", sentence) for sentence in error_rates.outcome(bundle, "balanced")
    )
    assert "wasn't measured" in error_rates.scored_this_high(bundle, 1.0)


@pytest.mark.parametrize(
    ("score", "words"),
    [(-9.0, "about 331"), (-3.1, "about 331"), (-1.3, "about 83"), (3.787, "about 2"), (3.8, "at most 2")],
)
def test_how_many_photographs_scored_as_high(measured_bundle: Path, score: float, words: str) -> None:
    sentence = error_rates.scored_this_high(bundles.load(measured_bundle), score)
    assert sentence.endswith(f"from 6 sources that the model had never seen, {words} scored this high.")


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (Share(0.06, 0.021, 0.103), "6.0 % (2.1 to 10.3 %)"),
        (Share(0.0047, 0.0, 0.011), "0.47 % (0 to 1.1 %)"),
        (Share(1.0, 0.995, 1.0), "100 % (99.50 to 100 %)"),
        (Share(0.5, None, None), "50.0 %"),
        (Share(None, None, None), "no pictures"),
    ],
)
def test_a_share_and_its_interval(share: Share, words: str) -> None:
    assert error_rates.rate(share) == words


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("protocols", [], "protocols must have an entry"),
        ("real_scores", [[0.0, 1.0], [0.0, 0.5]], "real_scores must rise in score"),
        ("real_scores", [[0.0, 0.5], [1.0, 0.5]], "real_scores must fall in share"),
        ("real_scores", [[0.0, 1.0], [1.0, 0.0]], "real_scores must have shares above 0"),
    ],
)
def test_figures_that_cannot_be_are_refused(
    measured_bundle: Path, tmp_path: Path, key: str, value: object, problem: str
) -> None:
    folder = tmp_path / "golden"
    shutil.copytree(measured_bundle, folder)
    plain = json.loads((folder / "metrics.json").read_text())
    plain["evaluations"][1][key] = value
    (folder / "metrics.json").write_text(json.dumps(plain))
    with pytest.raises(BundleFormatError, match=re.escape(f"evaluations[1].{problem}")):
        bundles.load(folder)


def test_a_share_beyond_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="must be 0 to 1"):
        Share(1.2, 0.0, 1.0)
