"""A report as a small card of HTML, which notebooks show in the place of its `repr`.

No script, no style sheet, nothing from elsewhere; letters take the notebook's own colour, light or dark.
"""

from __future__ import annotations

from html import escape

from fauxto import palette, wording
from fauxto.export.text import shown
from fauxto.report import Report


def card(report: Report) -> str:
    """Return the verdict, the probability, the reasons and what was judged as HTML; every text is escaped."""
    finding, colour = wording.finding(report), palette.FILL[report.verdict]
    lean = f" {escape(finding.lean)}" if finding.lean else ""
    lines = [f"<strong>{wording.SYMBOLS[report.verdict]} {escape(finding.headline)}</strong>{lean}"]
    if report.path is not None:
        lines.append(f"<code>{escape(shown(report.path))}</code>")
    if report.probability is not None:
        doubt = "" if wording.is_in_domain(report) else " (not reliable)"
        lines.append(f"Probability that it was generated: {wording.percent(report.probability)}{doubt}")
    lines += [escape(shown(sentence)) for sentence in (finding.meaning, *wording.telling_reasons(report))]
    if report.image is not None and report.model is not None:
        image, model = report.image, report.model
        facts = f"{image.format}, {image.width} × {image.height} px; judged by {model.name} {model.version}"
        lines.append(f"<small>{escape(shown(facts))}</small>")
    body = "".join(f"<div>{line}</div>" for line in lines)
    return f'<div style="border-left: 4px solid {colour}; padding: 0 0.8em; max-width: 44em">{body}</div>'
