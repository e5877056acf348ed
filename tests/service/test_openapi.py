"""Schemathesis over the OpenAPI document: requests made up from it, valid and not, and only documented answers."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import HealthCheck, Phase, settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the libraries that it brings
    import schemathesis
    from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from fauxto.service.app import create_app

schema = schemathesis.openapi.from_dict(create_app().openapi())
# What a schema can't say: that a form's part {} is bytes like any others, and that a map needs a whole picture.
EXCLUDED = {"/v1/analyze/batch": [negative_data_rejection], "/v1/explain": [positive_data_acceptance]}


@pytest.fixture(scope="module")
def address(service):
    return service.address


@schema.parametrize()
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_made_up_requests_get_documented_answers(case, address):
    case.call_and_validate(base_url=address, excluded_checks=EXCLUDED.get(case.path, []))
