"""Schemathesis over the OpenAPI document: requests made up from it, valid and not, and only documented answers."""

from __future__ import annotations

import io
import json
import re
import warnings

import PIL.Image
import pytest
from hypothesis import HealthCheck, Phase, settings, strategies

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the libraries that it brings
    import schemathesis

from fauxto import Report
from fauxto.service.app import create_app


def whole_picture(side: int) -> bytes:
    file = io.BytesIO()
    PIL.Image.effect_noise((side, side), 90).save(file, "PNG")
    return file.getvalue()


# What is valid holds a picture, which a schema can't say; what isn't valid is made up all the same.
schemathesis.openapi.format("binary", strategies.sampled_from([whole_picture(side) for side in (32, 40, 48)]))


@schemathesis.deserializer("application/x-ndjson")
def first_line(_, response):
    """A line of a batch; the schema is that of each."""
    return json.loads(response.content.splitlines()[0])


schema = schemathesis.openapi.from_dict(create_app().openapi())


@pytest.fixture(scope="module")
def address(service):
    return service.address


def test_descriptions_are_plain_sentences():
    assert [text for text in descriptions(schema.raw_schema) if re.search(r"[`*#\n]|\]\(", text)] == []


def descriptions(part):
    """Every description in the document."""
    if isinstance(part, dict):
        for key, value in part.items():
            yield from [value] if key == "description" and isinstance(value, str) else descriptions(value)
    elif isinstance(part, list):
        for value in part:
            yield from descriptions(value)


def test_the_example_reports_are_reports():
    content = schema.raw_schema["paths"]["/v1/analyze"]["post"]["responses"]["200"]["content"]["application/json"]
    reports = [Report.from_dict(example["value"]) for example in content["examples"].values()]
    assert [report.to_dict() for report in reports] == [example["value"] for example in content["examples"].values()]
    assert {report.verdict for report in reports} == {"ai", "inconclusive", None}
    batch = schema.raw_schema["paths"]["/v1/analyze/batch"]["post"]["responses"]["200"]["content"]
    lines = batch["application/x-ndjson"]["example"].splitlines()
    assert [Report.from_dict(json.loads(line)) for line in lines] == reports


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
    case.call_and_validate(base_url=address)
