"""What a request's query chooses: one of the service's models, and how careful to be."""

from __future__ import annotations

from collections.abc import Collection

from starlette.requests import Request

from fauxto.choices import PointName
from fauxto.service.problems import Problem

MODEL, BOTH = ("model",), ("model", "operating_point")


def read(request: Request, names: Collection[str], models: Collection[str]) -> dict[str, str]:
    """Return the query's parameters.

    Args:
        request: The request.
        names: The parameters that it may have: "model", "operating_point".
        models: The names of the models that the workers have loaded; there is no way to any other.

    Raises:
        Problem: wrong_query or unknown_model.
    """
    given = request.query_params.multi_items()
    query = dict(given)
    if not query.keys() <= set(names) or len(query) < len(given):
        raise Problem("wrong_query", f"The query may have {' and '.join(names)}, each once.")
    if query.get("operating_point", PointName.BALANCED) not in set(PointName):
        raise Problem("wrong_query", f"operating_point is one of {', '.join(PointName)}.")
    if "model" in query and query["model"] not in models:
        raise Problem("unknown_model", "GET /v1/models lists the models of this service.")
    return query
