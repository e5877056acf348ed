"""The page Models, and what it draws from bundles and their cards."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fauxto import bundles
from fauxto.options import DetectorOptions
from fauxto.web import card_figures, session
from fauxto.web.launch import PAGE

Png = Callable[..., bytes]

CARD = """# a card
## Robustness

Words before it.

| corruption | severity | accuracy |
| --- | --- | --- |
| none | – | 95.97 % |
| JPEG | q75 | 61.00 % |
| blur | σ 1 px | – |

| another | table |
| --- | --- |
| not | this |

## By what the pictures show
Nothing.
"""


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


def test_every_installed_model_has_its_figures_and_its_card(open_page: Callable[[str], AppTest]) -> None:
    page = open_page("models")
    assert page.header[1].value == "golden 1.0.0"
    assert page.metric[0].value == "16 to 64 px"
    assert len(page.get("vega_lite_chart")) == 1
    assert page.expander[-1].label == "The card of golden"


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


def test_the_costs_of_an_operating_point_in_words(golden_bundle: Path) -> None:
    said = card_figures.costs(bundles.load(golden_bundle))
    assert list(said) == ["cautious", "balanced", "sensitive"]
    assert all(sentence.startswith("About ") for sentence in said.values())


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.432, "43 of 100"),
        (0.0437, "4 of 100"),
        (0.0145, "14 of 1,000"),
        (0.00099, "10 of 10,000"),
        (0.0, "0 of 10,000"),
        (1.0, "100 of 100"),
    ],
)
def test_a_share_is_said_as_a_count(share: float, said: str) -> None:
    assert card_figures.count_of(share, "pictures") == f"{said} pictures"


def test_the_tables_of_a_card_become_charts_and_a_card_without_them_has_none() -> None:
    [(title, (rows, _))] = card_figures.charts(CARD)
    assert title == "Accuracy after damage on the way"
    assert rows == [{"name": "none, –", "accuracy": 0.9597}, {"name": "JPEG, q75", "accuracy": 0.61}]
    assert list(card_figures.charts("")) == []
    assert card_figures.table_under(CARD, "Robust") == []


@pytest.mark.parametrize("name", bundles.names())
def test_the_charts_of_the_shipped_models_are_drawn(name: str) -> None:
    bundle = bundles.load(name)
    rows, chart = card_figures.false_alarms(bundle, "balanced")
    assert [row["share"] for row in rows] == sorted((row["share"] for row in rows), reverse=True)
    assert json.dumps(chart)
    assert list(card_figures.charts(bundle.card))  # who renames a card's heading must rename it here too
