"""/docs: the OpenAPI document for people, as one page without scripts.

FastAPI's own page loads its scripts from another company's servers: that tells them who uses the service, hands them
the page, and shows nothing on a machine without the internet.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

from fauxto.export.page import document, table

_STYLE = """
code, pre { font-family: ui-monospace, monospace; font-size: 0.9em; }
pre { background: var(--band); padding: 0.75rem; overflow-x: auto; }
"""
_EXAMPLES = {
    "/v1/analyze": "curl -F file=@picture.jpg ADDRESS/v1/analyze",
    "/v1/analyze/batch": "curl -N -F files=@one.jpg -F files=@two.png ADDRESS/v1/analyze/batch",
    "/v1/explain": "curl -F file=@picture.jpg -o map.png ADDRESS/v1/explain",
}


def page(openapi: dict[str, Any], address: str, *, keys: bool) -> str:
    """Return the page.

    Args:
        openapi: The OpenAPI document.
        address: Where the service is, for the examples.
        keys: Whether it asks for keys.
    """
    head = ' -H "Authorization: Bearer $FAUXTO_KEY"' if keys else ""
    body = "".join(
        _operation(path, method, operation, address, head)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    )
    about = openapi["info"]
    header = (
        f"<header><h1>{escape(about['title'])} {escape(about['version'])}</h1><p>{escape(about['description'])}</p>"
        '<p>For machines: <a href="openapi.json">openapi.json</a>.</p></header>'
    )
    return document(about["title"], header + body, style=_STYLE)


def _operation(path: str, method: str, operation: dict[str, Any], address: str, head: str) -> str:
    example = _EXAMPLES.get(path, f"curl ADDRESS{path}").replace("ADDRESS", address).replace("curl", f"curl{head}", 1)
    query = [
        (part["name"], part["description"], ", ".join(part["schema"].get("enum", ())))
        for part in operation.get("parameters", ())
    ]
    takes = ", ".join(operation.get("requestBody", {}).get("content", {}))
    rows = [
        (status, answer["description"], ", ".join(answer.get("content", {})))
        for status, answer in operation["responses"].items()
    ]
    return (
        f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(operation.get('description', ''))}</p>"
        + (f"<p>Takes <code>{escape(takes)}</code>.</p>" if takes else "")
        + (table(["in the query", "for", "values"], query) if query else "")
        + f'<pre tabindex="0">{escape(example)}</pre>{table(["answer", "when", "as"], rows)}'
        + "".join(map(_example, operation["responses"]["200"].get("content", {}).values()))
    )


def _example(content: dict[str, Any]) -> str:
    """Return the examples of an answer, each with its title."""
    examples = content.get("examples", {}).values()
    shown = [(example["summary"], json.dumps(example["value"], indent=2)) for example in examples]
    shown += [("An example", content["example"])] if "example" in content else []
    return "".join(f'<p>{escape(title)}:</p><pre tabindex="0">{escape(text)}</pre>' for title, text in shown)
