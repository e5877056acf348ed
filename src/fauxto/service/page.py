"""/docs: the OpenAPI document for people, as one page without scripts.

FastAPI's own page loads its scripts from another company's servers: that tells them who uses the service, hands them
the page, and shows nothing on a machine without the internet.
"""

from __future__ import annotations

from html import escape
from typing import Any

from fauxto import palette

_COLOURS = palette.variables(ground=palette.GROUND, letters=palette.LETTERS, panel=palette.PANEL)
_STYLE = f"""
{_COLOURS}body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem;
  color: var(--letters); background: var(--ground) }}
h2 {{ margin-top: 2.5rem; border-top: 1px solid {palette.LINE}; padding-top: 1rem }}
code, pre {{ font-family: ui-monospace, monospace; font-size: .9em }}
pre {{ background: var(--panel); padding: .75rem; overflow-x: auto }}
table {{ border-collapse: collapse }} td, th {{ text-align: left; padding: .2rem 1rem .2rem 0; vertical-align: top }}
@media (prefers-color-scheme: dark) {{ a {{ color: {palette.ACTION.dark} }} }}
"""
_EXAMPLES = {
    "/v1/analyze": "curl -F file=@picture.jpg ADDRESS/v1/analyze",
    "/v1/analyze/batch": "curl -N -F files=@one.jpg -F files=@two.png ADDRESS/v1/analyze/batch",
    "/v1/explain": "curl -F file=@picture.jpg -o map.png ADDRESS/v1/explain",
}


def page(document: dict[str, Any], address: str, *, keys: bool) -> str:
    """Return the page.

    Args:
        document: The OpenAPI document.
        address: Where the service is, for the examples.
        keys: Whether it asks for keys.
    """
    head = ' -H "Authorization: Bearer $FAUXTO_KEY"' if keys else ""
    body = "".join(
        _operation(path, method, operation, address, head)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    about = document["info"]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(about['title'])}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(about['title'])} {escape(about['version'])}</h1><p>{escape(about['description'])}</p>"
        '<p>For machines: <a href="openapi.json">openapi.json</a>.</p>'
        f"<main>{body}</main></body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any], address: str, head: str) -> str:
    example = _EXAMPLES.get(path, f"curl ADDRESS{path}").replace("ADDRESS", address).replace("curl", f"curl{head}", 1)
    takes = ", ".join(operation.get("requestBody", {}).get("content", {}))
    rows = "".join(
        f"<tr><th scope=row>{escape(status)}</th><td>{escape(answer['description'])}</td>"
        f"<td><code>{escape(', '.join(answer.get('content', {})))}</code></td></tr>"
        for status, answer in operation["responses"].items()
    )
    return (
        f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(operation.get('description', ''))}</p>"
        + (f"<p>Takes <code>{escape(takes)}</code>.</p>" if takes else "")
        + f"<pre>{escape(example)}</pre><table><tr><th>answer</th><th>when</th><th>as</th></tr>{rows}</table>"
    )
