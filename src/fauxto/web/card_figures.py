"""The figures of a model bundle as charts: those of bundle.json, and those in the tables of its card."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fauxto import palette
from fauxto.bundles import Bundle
from fauxto.report import Verdict

Rows = list[dict[str, Any]]
Chart = tuple[Rows, dict[str, Any]]
"""Rows of data and a Vega-Lite specification."""

_SHARE = {"format": ".0%"}


def false_alarms(bundle: Bundle, point: str) -> Chart:
    """Draw how many real photographs get at least a probability, against that probability, on a logarithmic scale."""
    quantiles, chosen = bundle.real_score_quantiles, bundle.operating_points[point]
    probabilities = bundle.calibration.probability(np.asarray(quantiles.score))
    rows = [
        {"probability": float(probability), "share": share}
        for probability, share in zip(probabilities, quantiles.fpr, strict=True)
    ]
    line = {
        "mark": {"type": "line", "interpolate": "monotone", "point": True},
        "encoding": {
            "x": {
                "field": "probability",
                "type": "quantitative",
                "scale": {"domain": [0, 1]},
                "axis": _SHARE,
                "title": "probability that it was generated",
            },
            "y": {
                "field": "share",
                "type": "quantitative",
                "scale": {"type": "log"},
                "axis": {"format": "~%"},
                "title": "photographs with at least that",
            },
        },
    }
    threshold = {
        "data": {"values": [{"at": chosen.ai_above}]},
        "mark": {"type": "rule", "strokeDash": [5, 4], "size": 2, "color": palette.FILL[Verdict.AI]},
        "encoding": {"x": {"field": "at", "type": "quantitative"}},
    }
    return rows, {"height": 260, "layer": [line, threshold]}


_TABLES = {
    "Robustness": ("Accuracy after damage on the way", ("corruption", "severity"), "accuracy"),
    "By what the pictures show": ("Accuracy by what the pictures show", ("name",), "accuracy"),
    "Test by generator, at `balanced`, all protocols": ("Found, by generator", ("generator",), "called ai"),
}
"""Headings of a card to the title of their chart, the columns that name a bar, and the column that it draws."""


def charts(card: str) -> Iterator[tuple[str, Chart]]:
    """Yield the title of each chart that a card's tables give, and the chart."""
    for heading, (title, names, column) in _TABLES.items():
        rows = [
            {"name": ", ".join(row[name] for name in names), column: share}
            for row in table_under(card, heading)
            if row.keys() >= {*names, column} and (share := _share(row[column])) is not None
        ]
        if rows:
            yield title, (rows, _bars(column, rows))


def _bars(column: str, rows: Rows) -> dict[str, Any]:
    lowest = 0.5 if all(row[column] >= 0.5 for row in rows) else 0.0
    return {
        "height": 22 * len(rows) + 30,
        "mark": {"type": "bar", "cornerRadiusEnd": 3, "clip": True},
        "encoding": {
            "y": {
                "field": "name",
                "type": "nominal",
                "sort": None,
                "title": None,
                "axis": {"labelLimit": 220, "labelOverlap": False},
            },
            "x": {
                "field": column,
                "type": "quantitative",
                "scale": {"domain": [lowest, 1]},
                "axis": _SHARE,
                "title": column,
            },
            "tooltip": [{"field": "name"}, {"field": column, "format": ".1%"}],
        },
    }


def table_under(card: str, heading: str) -> Rows:
    """Return the rows of the first Markdown table under a heading, by the names of its columns; none where it isn't."""
    parts = re.split(rf"^#+ {re.escape(heading)}\s*$", card, maxsplit=1, flags=re.MULTILINE)
    section = re.split(r"^#+ ", parts[1], maxsplit=1, flags=re.MULTILINE)[0] if len(parts) == 2 else ""
    lines = list(_cells(section))
    return [dict(zip(lines[0], line, strict=False)) for line in lines[2:]]  # the second line is the rule


def _cells(section: str) -> Iterator[Sequence[str]]:
    for line in section.strip().splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in line.strip().strip("|").split("|")]


def _share(cell: object) -> float | None:
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?%", str(cell))
    return float(found[1]) / 100 if found else None


def costs(bundle: Bundle) -> Mapping[str, str]:
    """Say in a sentence what each operating point costs, measured on the bundle's own pictures."""
    return {
        name: (
            f"About {count_of(point.fpr, 'photographs')} taken for generated, "
            f"{count_of(point.tpr, 'generated pictures')} found, {count_of(point.inconclusive, 'pictures')} left open."
        )
        for name, point in bundle.operating_points.items()
    }


def count_of(share: float, things: str) -> str:
    """Return a share as a count that can be imagined, such as "14 of 1,000 photographs"."""
    of = next((of for of in (100, 1_000) if share * of >= 2), 10_000)
    return f"{share * of:.0f} of {of:,} {things}"
