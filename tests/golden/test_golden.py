"""The golden bundle loads for ever and always gives the scores that are committed, whichever way a picture comes."""

from __future__ import annotations

import io
import json
import random
import runpy
from pathlib import Path

import onnx
import pytest

from fauxto import Detector

HERE = Path(__file__).parent
BUILD = runpy.run_path(str(HERE / "build.py"))
SCORES: dict[str, float] = json.loads((HERE / "scores.json").read_text())
PICTURES = {name: BUILD["as_png"](rgb) for name, rgb in BUILD["pictures"]().items()}
TOLERANCE = 1e-5

VERDICTS = {
    "black": "inconclusive",
    "smooth": "real",
    "grainy": "real",
    "rougher": "real",
    "rough": "inconclusive",
    "noise": "inconclusive",
    "blocks": "ai",
    "wide": "real",
    "large": "inconclusive",
    "tiny": "inconclusive",
}


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(HERE / "bundle")


def test_the_committed_bundle_is_what_the_builder_builds(tmp_path: Path) -> None:
    BUILD["build"](tmp_path)
    built, committed = (json.loads((folder / "bundle.json").read_text()) for folder in (tmp_path, HERE / "bundle"))
    # Another version of onnx may write the same network in other bytes.
    del built["model_sha256"], committed["model_sha256"]
    assert built == committed
    assert onnx.load(tmp_path / "model.onnx") == onnx.load(HERE / "bundle" / "model.onnx")


def test_the_committed_scores_are_those_of_the_definition() -> None:
    expected = {name: BUILD["reference_score"](rgb) for name, rgb in BUILD["pictures"]().items()}
    assert pytest.approx(expected, abs=TOLERANCE) == SCORES


@pytest.mark.parametrize("name", SCORES)
def test_path_bytes_and_stream_give_the_golden_score(detector: Detector, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.png"
    path.write_bytes(PICTURES[name])

    def sources() -> list[Path | str | bytes | io.BytesIO]:
        return [path, str(path), PICTURES[name], io.BytesIO(PICTURES[name])]

    reports = [*map(detector.analyze, sources()), *detector.analyze_many(sources())]
    assert len(reports) == 8
    for report in reports:
        assert report.score == pytest.approx(SCORES[name], abs=TOLERANCE)
        assert report.verdict == VERDICTS[name]


@pytest.mark.parametrize("batch_size", [1, 2, 7, 64])
def test_batches_and_order_change_nothing(batch_size: int) -> None:
    names = list(SCORES) * 20
    random.Random(3).shuffle(names)
    reports = list(Detector(HERE / "bundle", batch_size=batch_size).analyze_many(PICTURES[name] for name in names))
    assert [report.score for report in reports] == pytest.approx([SCORES[name] for name in names], abs=TOLERANCE)


@pytest.mark.parametrize("threads", [1, 2])
def test_two_runs_give_the_same_json_but_for_the_times(threads: int) -> None:
    def run() -> str:
        reports = Detector(HERE / "bundle", threads=threads).analyze_many(PICTURES.values())
        return json.dumps([{**report.to_dict(), "milliseconds": None} for report in reports])

    assert run() == run()
