"""What the tests of the page share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow
import pytest
from streamlit.testing.v1 import AppTest

from fauxto.detector import Detector
from fauxto.options import DetectorOptions
from fauxto.web.launch import PAGE

Png = Callable[..., bytes]
OpenPage = Callable[[str], AppTest]


_MAIN = sys.modules["__main__"]


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """Put the main module back: AppTest sets its page in its place, which later tests' processes would run."""
    yield
    sys.modules["__main__"] = _MAIN


@pytest.fixture(scope="session")
def golden_bundle() -> Path:
    return Path(__file__).resolve().parents[1] / "golden/bundle"


@pytest.fixture(scope="session")
def golden_detector(golden_bundle: Path) -> Detector:
    return Detector(golden_bundle)


@pytest.fixture(scope="session")
def png() -> Png:
    """`png("generated", width, height)`: what the golden network takes for that; it takes rough pictures for generated.

    The others are "photograph" and "between".
    """
    roughness_of = {"generated": 127, "photograph": 0, "between": 80}

    def png(kind: str, width: int = 32, height: int = 32) -> bytes:
        roughness = roughness_of[kind]
        rng = np.random.default_rng(1)
        blocks = rng.integers(-roughness, roughness + 1, (height // 2, width // 2, 1)).repeat(2, 0).repeat(2, 1)
        ground = 128 if roughness else 4 * np.arange(width)[None, :, None]
        rgb = (blocks + ground).repeat(3, 2).clip(0, 255).astype(np.uint8)
        file = BytesIO()
        PIL.Image.fromarray(rgb).save(file, "PNG")
        return file.getvalue()

    return png


def launched(bundle: Path, **options: Any) -> list[str]:
    """The arguments with which the launcher starts the page."""
    return [str(PAGE), json.dumps(DetectorOptions(bundle, **options).to_dict())]


@pytest.fixture
def arguments() -> Callable[..., list[str]]:
    return launched


@pytest.fixture
def open_page(golden_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> OpenPage:
    """`open_page("many")`: one of the pages in Streamlit's own test harness, with the golden bundle."""
    monkeypatch.setattr(sys, "argv", launched(golden_bundle))

    def open_page(name: str) -> AppTest:
        page = AppTest.from_file(PAGE, default_timeout=60).run()
        return page if name == "check" else page.switch_page(f"views/{name}.py").run()

    return open_page


@pytest.fixture
def markup() -> Callable[[AppTest], str]:
    """`markup(page)`: everything that a browser would read as Markdown or HTML."""

    def markup(page: AppTest) -> str:
        marked = [*page.markdown, *page.caption, *page.header, *page.title, *page.error, *page.info, *page.warning]
        return "\n".join([*(one.value for one in marked), *(one.proto.body for one in page.get("html"))])

    return markup


@pytest.fixture(scope="session")
def layers() -> Callable[[Any], list[tuple[dict[str, Any], list[dict[str, Any]]]]]:
    """`layers(chart)`: the layers of a chart as a browser gets it, each with its rows."""

    def layers(chart: Any) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
        rows = {
            dataset.name: pyarrow.ipc.open_stream(dataset.data.data).read_all().to_pylist()
            for dataset in chart.proto.datasets
        }
        return [(layer, rows[layer["data"]["name"]]) for layer in json.loads(chart.proto.spec)["layer"]]

    return layers
