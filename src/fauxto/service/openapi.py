"""What the routes take and give, in the words of OpenAPI; `Report` and the rest are schemas of the same document."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, Literal, TypedDict

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, TypeAdapter

from fauxto.choices import PointName
from fauxto.report import REPORT_VERSION, Report
from fauxto.service import examples
from fauxto.service.problems import MEDIA_TYPE, PROBLEMS

OPEN_PATHS = frozenset({"/", "/healthz", "/readyz", "/docs", "/openapi.json"})
"""What needs no key."""
DESCRIPTION = (
    "Tells a photograph from a picture that a generative model made. A verdict is likelihood, not proof. "
    "A picture that can't be judged is a report too: its status says why."
)
_PARAMETERS: dict[str, dict[str, Any]] = {
    "model": {
        "description": "Judge by this model of the service, whatever the picture's size, not by the one for that size.",
        "schema": {"type": "string"},
    },
    "operating_point": {
        "description": "How careful to be: cautious has fewest false alarms, sensitive misses fewest AI pictures.",
        "schema": {"type": "string", "enum": list(map(str, PointName))},
    },
}
_BINARY = {"type": "string", "format": "binary"}


class ProblemDocument(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str
    title: str
    status: int
    detail: str
    request_id: str


class ModelDescription(BaseModel):
    """One of the models that judge; its domain is pictures with a short side from min to max, in pixels."""

    model_config = ConfigDict(extra="forbid")

    name: str
    version: str
    summary: str
    sha256: str
    min_short_side: int
    max_short_side: int


class Models(BaseModel):
    """The models that judge."""

    models: list[ModelDescription]


class Health(BaseModel):
    """How the service is."""

    status: Literal["ok", "starting"]


class Operation(TypedDict, total=False):
    """The part of an operation that FastAPI can't see in a function's signature."""

    parameters: list[dict[str, Any]]
    requestBody: dict[str, Any]


def document(app: FastAPI, *, keys: bool) -> dict[str, Any]:
    """Return the whole document, which is made once.

    Args:
        app: Whose routes it describes.
        keys: Whether the service asks for keys.
    """
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        components = document.setdefault("components", {})
        components.setdefault("schemas", {}).update(_schemas(), ProblemDocument=ProblemDocument.model_json_schema())
        # Not given to FastAPI, which takes what is null out of them.
        _answer(document, "/v1/analyze", "application/json")["examples"] = examples.REPORTS
        _answer(document, "/v1/analyze/batch", "application/x-ndjson")["example"] = examples.LINES
        if keys:
            components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            for path, operations in document["paths"].items():
                for operation in operations.values() if path not in OPEN_PATHS else ():
                    operation["security"] = [{"key": []}]
        app.openapi_schema = _plain(document)
    return app.openapi_schema


def _answer(document: dict[str, Any], path: str, media_type: str) -> dict[str, Any]:
    answer: dict[str, Any] = document["paths"][path]["post"]["responses"]["200"]["content"][media_type]
    return answer


def _plain(part: Any) -> Any:
    """Return a part of the document with every description as one paragraph without marks: ours are docstrings."""
    if isinstance(part, list):
        return list(map(_plain, part))
    if not isinstance(part, dict):
        return part
    return {
        key: " ".join(value.replace("`", "").split())
        if key == "description" and isinstance(value, str)
        else _plain(value)
        for key, value in part.items()
    }


def _report_schema() -> dict[str, Any]:
    """Return the JSON schema of a report, version included, every key required."""
    schema = TypeAdapter(Report).json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schema["properties"] = {"version": {"const": REPORT_VERSION}, **schema["properties"]}
    schema["$defs"]["Reason"] = {"type": "string", "description": "A stable word, a colon and a sentence for people."}
    schema["required"] = ["version", *(field.name for field in dataclasses.fields(Report))]
    schema["description"] = "What fauxto says of one picture: docs/reference/report.md."
    schema["additionalProperties"] = False
    return schema


def _schemas() -> dict[str, Any]:
    """Return `Report` and what it is made of, by name."""
    report = _report_schema()
    return {**report.pop("$defs"), "Report": report}


def problems(*words: str) -> dict[int | str, dict[str, Any]]:
    """Return the responses of an operation that may end in these problems."""
    responses: dict[int | str, dict[str, Any]] = {}
    for word in words:
        status, title = PROBLEMS[word]
        earlier = responses.get(status)
        described = f"{earlier['description']}, or: {title}" if earlier else title
        schema = {"$ref": "#/components/schemas/ProblemDocument"}
        responses[status] = {"description": described, "content": {MEDIA_TYPE: {"schema": schema}}}
    return responses


def picture(parameters: Iterable[str], *, address: bool) -> Operation:
    """Return the query and the body of an operation on one picture."""
    form = {"type": "object", "required": ["file"], "properties": {"file": _BINARY}, "additionalProperties": False}
    content: dict[str, Any] = {
        "multipart/form-data": {"schema": form},
        **{kind: {"schema": {**_BINARY, "minLength": 1}} for kind in ("application/octet-stream", "image/*")},
    }
    if address:
        url = {"type": "object", "required": ["url"], "properties": {"url": {"type": "string"}}}
        content["application/json"] = {"schema": {**url, "additionalProperties": False}}
    return {"parameters": _query(parameters), "requestBody": {"required": True, "content": content}}


def batch(parameters: Iterable[str], max_files: int) -> Operation:
    """Return the query and the body of an operation on many pictures."""
    files = {"type": "array", "items": _BINARY, "minItems": 1, "maxItems": max_files}
    form = {"type": "object", "required": ["files"], "properties": {"files": files}, "additionalProperties": False}
    content = {"multipart/form-data": {"schema": form}}
    return {"parameters": _query(parameters), "requestBody": {"required": True, "content": content}}


def _query(names: Iterable[str]) -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "required": False, **_PARAMETERS[name]} for name in names]
