from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import fauxto

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
NAMES = {
    "Basis", "Bundle", "BundleError", "BundleFormatError", "BundleNotFoundError", "Client", "ConfigError", "Crop",
    "DatasetError", "Detector", "DetectorOptions", "Evidence", "FauxtoError", "FileMetadata", "ImageError",
    "ImageSummary", "Lean", "Limits", "MissingExtraError", "ModelIntegrityError", "ModelSummary", "Reason", "Report",
    "Says", "ServiceError", "Stability", "Status", "Trust", "Verdict", "__version__", "check", "read_metadata",
}  # fmt: skip


def test_the_public_names_are_these() -> None:
    # Written out, so that no name comes or goes unnoticed.
    assert set(fauxto.__all__) == NAMES
    assert len(fauxto.__all__) == len(NAMES)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_can_be_had_and_tells_what_it_is(name: str) -> None:
    assert getattr(fauxto, name).__doc__


def test_every_error_is_public() -> None:
    from fauxto import errors

    assert {name for name in vars(errors) if name.endswith("Error")} <= NAMES


def test_version_is_the_installed_one() -> None:
    assert fauxto.__version__ == version("fauxto")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'fauxto' has no attribute 'Detectr'"):
        _ = fauxto.Detectr  # type: ignore[attr-defined]


def test_type_checkers_are_told_that_there_are_types() -> None:
    assert (files("fauxto") / "py.typed").is_file()


def test_only_public_names_are_offered_to_complete() -> None:
    assert set(dir(fauxto)) == NAMES


def test_check_judges_with_one_detector_per_process(monkeypatch: pytest.MonkeyPatch, photo: NDArray[np.uint8]) -> None:
    from fauxto import detector

    made: list[fauxto.Detector] = []

    def slowly() -> fauxto.Detector:
        time.sleep(0.05)  # long enough for the others to come
        made.append(fauxto.Detector(GOLDEN))
        return made[-1]

    monkeypatch.setattr(detector, "_default", cache(slowly))
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(fauxto.check, [photo] * 4))
    assert len(made) == 1
    assert {report.status for report in reports} == {"ok"}
    assert fauxto.check("none.jpg", name="other").path == "other"
    assert fauxto.check("none.jpg").status == "not_found"
