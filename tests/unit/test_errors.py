from __future__ import annotations

import inspect

import pytest

from fauxto import errors
from fauxto.errors import FauxtoError, ImageError, MissingExtraError, ServiceError
from fauxto.report import Status

ALL = [error for _, error in inspect.getmembers(errors, inspect.isclass) if error.__module__ == errors.__name__]


def test_one_except_clause_catches_them_all() -> None:
    assert len(ALL) >= 10
    assert all(issubclass(error, FauxtoError) for error in ALL)


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_the_tree_in_the_docstring_shows_it_below_its_parent(error: type[Exception]) -> None:
    lines = (errors.__doc__ or "").splitlines()
    depth = {line.split("── ")[-1].split()[0]: line.find("── ") for line in lines if "Error" in line}
    assert error.__name__ in depth
    if error is not FauxtoError:
        assert error.__base__ is not None
        assert depth[error.__name__] > depth[error.__base__.__name__]


def test_an_image_error_carries_its_status() -> None:
    error = ImageError(Status.TRUNCATED, "it ends too early")
    assert (error.status, str(error)) == (Status.TRUNCATED, "it ends too early")


def test_a_missing_extra_says_how_to_get_it() -> None:
    error = MissingExtraError("lab", "fauxto train")
    assert error.extra == "lab"
    assert str(error) == "fauxto train needs the extra 'lab': pip install '.[lab]' in fauxto's checkout"


def test_a_service_error_carries_what_the_service_answered() -> None:
    error = ServiceError("Full: come back later", 503, "r1")
    assert (str(error), error.status, error.request_id) == ("Full: come back later", 503, "r1")
    assert (ServiceError("no answer").status, ServiceError("no answer").request_id) == (None, None)
