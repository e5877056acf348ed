from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files

import pytest

import fauxto

NAMES = {
    "Basis", "Bundle", "BundleError", "BundleFormatError", "BundleNotFoundError", "Client", "ConfigError",
    "DatasetError", "Detector", "DetectorOptions", "Evidence", "FauxtoError", "ImageError", "ImageSummary", "Limits",
    "MissingExtraError", "ModelIntegrityError", "ModelSummary", "Reason", "Report", "Says", "ServiceError", "Stability",
    "Status", "Trust", "Verdict", "__version__",
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
