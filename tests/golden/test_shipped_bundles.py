"""Each bundle that ships is whole, runs, and scores real pixels alike, whichever way they come."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from fauxto import Detector, Status, bundles
from fauxto.bundles import registry
from fauxto.web.samples import samples

SHIPPED = sorted(path.parent.name for path in registry.WEIGHTS.glob("*/bundle.json"))


def test_the_default_ships() -> None:
    assert set(registry.DEFAULTS) <= set(SHIPPED)
    assert set(SHIPPED) <= set(bundles.names())


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_bundle_scores_photographs(
    name: str, photographs: dict[str, NDArray[np.uint8]], encode: Callable[..., bytes], tmp_path: Path
) -> None:
    bundle = bundles.load(name)
    assert bundle.card.lstrip().startswith("# ")
    assert len(bundle.card) > 500
    side = bundle.domain.min_short_side
    windows = [rgb[100 : 100 + side, left : left + side] for rgb in photographs.values() for left in (60, 260)]
    files = [encode(np.ascontiguousarray(window), "PNG") for window in windows]
    paths = [tmp_path / f"{number}.png" for number in range(len(files))]
    for path, file in zip(paths, files, strict=True):
        path.write_bytes(file)

    detector = Detector(name)
    singly = [detector.analyze(file) for file in files]
    assert all(report.status is Status.OK for report in singly)
    scores = [report.score for report in singly]
    assert all(score is not None and math.isfinite(score) for score in scores)
    assert len(set(scores)) == len(scores)  # it looks at the pixels
    for reports in (map(detector.analyze, paths), detector.analyze_many(files), detector.analyze_many(paths)):
        assert [report.score for report in reports] == pytest.approx(scores, abs=1e-5)


@pytest.mark.parametrize("name", SHIPPED)
def test_no_8_bit_product_of_a_shipped_bundle_overflows(name: str) -> None:
    """Processors without VNNI add two products of a weight and an unsigned byte up in 16 bits."""
    stored = onnx.load_from_string(bundles.load(name).model).graph.initializer
    weights = [numpy_helper.to_array(tensor) for tensor in stored if tensor.data_type == onnx.TensorProto.INT8]
    assert bool(weights) == (name == "photos")
    assert all(2 * 255 * int(np.abs(matrix.astype(int)).max()) < 1 << 15 for matrix in weights)


def test_the_samples_of_the_page_show_what_they_are_there_for() -> None:
    detector = Detector()
    reports = {sample.name: detector.analyze(sample.data) for sample in samples().values()}
    verdicts = {name: (str(report.verdict), str(report.basis)) for name, report in reports.items()}
    assert verdicts["coffee.jpg"] == ("real", "pixels")
    assert verdicts["drawing.png"] == ("ai", "declared metadata")
    assert verdicts["cat.jpg"] == verdicts["signed.jpg"] == ("inconclusive", "pixels")
    credential = next(found for found in reports["signed.jpg"].evidence if found.source == "content_credentials")
    assert (credential.trust, credential.details["outcome"]) == ("declared", "untrusted")
