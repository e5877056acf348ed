"""The ways in which the page draws figures: rows of bars or of dots, and curves.

A row's name stands above its bar, not beside it, so that a phone has room for both; its figures stand in the name.
Intervals (95 %) are thin lines below. No scale alters a figure: bars begin at 0, and nothing is clamped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import altair as alt
import streamlit as st

from fauxto import palette
from fauxto.bundles.metrics import Share
from fauxto.web.language import _

# In pixels. Streamlit fits axes and legends into a chart's height too.
_CURVE, _ROW, _AXIS, _LEGEND, _LEGEND_LINE = 360, 46, 76, 56, 28
_WIDEST_NAME = 330  # what a phone shows
_DOTTED: dict[str, Any] = {"strokeDash": [5, 4], "strokeWidth": 1.5, "color": palette.NEUTRAL}


class Figure(NamedTuple):
    """A chart, and what it shows in words."""

    chart: alt.Chart | alt.LayerChart | alt.FacetChart
    words: str

    def show(self) -> None:
        """Show it on the page, with its words for those who can't see it."""
        st.altair_chart(self.chart, alt=self.words)


class Span(NamedTuple):
    """From one number to another, of a kind that has a colour."""

    kind: str
    low: float
    high: float


class Row(NamedTuple):
    """One row of a chart.

    Attributes:
        name: What it shows, figures included.
        parts: What is drawn large; a dot stands at `low`.
        intervals: What is drawn as thin lines below.
    """

    name: str
    parts: Sequence[Span]
    intervals: Sequence[Span] = ()


def interval(kind: str, share: Share) -> list[Span]:
    """Return the interval of a share where it has one."""
    return [] if share.low is None or share.high is None else [Span(kind, share.low, share.high)]


def bars(
    rows: Sequence[Row],
    colours: Mapping[str, str],
    title: str,
    *,
    whole: bool = True,
    across: float | None = None,
    format: str = ".0%",
    has_legend: bool = True,
) -> Figure:
    """Draw shares as bars that begin at 0.

    Args:
        rows: From top to bottom.
        colours: By kind, in the order of the legend, which one kind alone doesn't need.
        title: Of the axis.
        whole: Whether the axis goes to 1, or as far as the rows do.
        across: Where to draw a line across them.
        format: Of the axis's numbers, as d3-format has it.
        has_legend: Whether there is one; rows that are named by their kinds need none.
    """
    top = 1.0 if whole else _beyond(rows)
    marks = alt.Chart(_spans(rows, "parts")).mark_bar(height=12, yOffset=4).encode(x2="high:Q")
    return _rows(rows, marks, colours, _x("low", (0.0, top), title, format), across, has_legend)


def dots(rows: Sequence[Row], colours: Mapping[str, str], title: str, *, format: str = ".0%") -> Figure:
    """Draw shares as dots, on a scale from the twentieth below the least to the one above the largest."""
    least = min((span.low for row in rows for span in (*row.parts, *row.intervals)), default=0.0)
    high = _beyond(rows)
    low = min(math.floor(20 * least) / 20, high - 0.05)
    marks = alt.Chart(_spans(rows, "parts")).mark_circle(size=110, opacity=1, yOffset=4)
    x = _x("low", (low, high), title, format)
    return _rows(rows, marks, colours, x)


def curves(
    points: Mapping[str, Sequence[tuple[float, float]]], x: str, y: str, words: str, *, dotted: bool = False
) -> Figure:
    """Draw curves through shares, and the diagonal.

    Args:
        points: By the curve's name, its points.
        x: Title of the horizontal axis.
        y: Title of the vertical axis.
        words: The curves in words.
        dotted: Whether each point is marked.
    """
    rows = [
        {"name": name, "x": across, "y": up, "order": order}
        for name, curve in points.items()
        for order, (across, up) in enumerate(curve)
    ]
    axes = {
        "x": _x("x", (0.0, 1.0), x),
        "y": alt.Y("y:Q", scale=alt.Scale(domain=[0, 1]), title=y, axis=alt.Axis(format=".0%", tickCount=5)),
    }
    legend = alt.Legend(orient="bottom", title=None, columns=1, labelLimit=_WIDEST_NAME) if len(points) > 1 else None
    scale = alt.Scale(domain=list(points), range=list(palette.SERIES[: len(points)]))
    diagonal = alt.Chart(_data([{"x": 0, "y": 0}, {"x": 1, "y": 1}])).mark_line(**_DOTTED)
    traced = alt.Chart(_data(rows)).mark_line(point=alt.OverlayMarkDef(size=50) if dotted else False)
    tooltip = [alt.Tooltip("x:Q", title=x, format=".1%"), alt.Tooltip("y:Q", title=y, format=".1%")]
    traced = traced.encode(
        **axes, order="order:Q", color=alt.Color("name:N", scale=scale, legend=legend), tooltip=tooltip
    )
    if not dotted:  # so that curves that lie on each other are both seen
        traced = traced.encode(strokeDash=alt.StrokeDash("name:N", sort=list(points), legend=legend))
    layers = diagonal.encode(**axes) + traced
    height = _CURVE + (_LEGEND_LINE * len(points) if legend else 0)
    return Figure(layers.properties(height=height), words)


def falling(
    points: Sequence[tuple[float, float]],
    threshold: float,
    colours: tuple[str, str],
    titles: tuple[str, str],
    words: str,
) -> Figure:
    """Draw shares that fall to the right, on a logarithmic scale, and a threshold that crosses them.

    Args:
        points: From left to right.
        threshold: On the horizontal axis.
        colours: Of the curve and of the threshold.
        titles: Of the horizontal and the vertical axis.
        words: The curve in words.
    """
    lowest = 10.0 ** math.floor(math.log10(min(share for _, share in points)))
    x, y = titles
    axis = alt.Axis(format="~%", values=[10.0**-power for power in range(6)])
    line = (
        alt.Chart(_data({"x": across, "y": up} for across, up in points))
        .mark_line(color=colours[0], point=alt.OverlayMarkDef(size=50, color=colours[0]))
        .encode(
            x=_x("x", (0.0, 1.0), x),
            y=alt.Y("y:Q", scale=alt.Scale(type="log", domain=[lowest, 1]), axis=axis, title=y),
            tooltip=[alt.Tooltip("x:Q", title=x, format=".1%"), alt.Tooltip("y:Q", title=y, format=".2%")],
        )
    )
    rule = alt.Chart(_data([{"x": threshold}])).mark_rule(strokeDash=[5, 4], strokeWidth=2, color=colours[1])
    return Figure((line + rule.encode(x="x:Q")).properties(height=_CURVE), words)


def histogram(numbers: Iterable[tuple[str, float]], colours: Mapping[str, str], title: str, words: str) -> Figure:
    """Draw how many numbers in [0, 1] lie in each twentieth.

    Args:
        numbers: Each with its kind.
        colours: By kind, in the order of the legend.
        title: Of the axis.
        words: The histogram in words.
    """
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    bins = alt.Chart(_data({"kind": kind, "number": number} for kind, number in numbers)).mark_bar(cornerRadiusEnd=2)
    bins = bins.encode(
        x=alt.X("number:Q", bin=alt.Bin(step=0.05, extent=[0, 1]), title=title),
        y=alt.Y("count()", title=_("files")),
        color=alt.Color("kind:N", scale=scale, legend=alt.Legend(orient="top", title=None)),
    )
    return Figure(bins.properties(height=_CURVE), words)


def _rows(
    rows: Sequence[Row],
    marks: alt.Chart,
    colours: Mapping[str, str],
    x: alt.X,
    across: float | None = None,
    has_legend: bool = True,
) -> Figure:
    has_legend &= len(colours) > 1
    names = [row.name for row in rows]
    names_above = alt.Axis(
        labelAlign="left",
        labelPadding=0,
        labelOffset=-12,
        labelLimit=_WIDEST_NAME,
        labelOverlap=False,
        ticks=False,
        domain=False,
    )
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    encoding: dict[str, Any] = {
        "x": x,
        "y": alt.Y("name:N", sort=names, title=None, axis=names_above),
        "color": alt.Color("kind:N", scale=scale, legend=alt.Legend(orient="top", title=None) if has_legend else None),
        "tooltip": alt.Tooltip("name:N"),  # whole, where there was no room for it
    }
    lines = alt.Chart(_spans(rows, "intervals")).mark_rule(strokeWidth=3, yOffset=15).encode(x2="high:Q")
    layers = [marks.encode(**encoding), lines.encode(**encoding)]
    if across is not None:
        layers.append(alt.Chart(_data([{"low": across}])).mark_rule(**_DOTTED).encode(x="low:Q"))
    height = _ROW * max(len(rows), 1) + _AXIS + (_LEGEND if has_legend else 0)
    return Figure(alt.layer(*layers).properties(height=height), "; ".join(names))


def _x(field: str, domain: tuple[float, float], title: str, format: str = ".0%") -> alt.X:
    scale = alt.Scale(domain=list(domain), nice=False)
    return alt.X(f"{field}:Q", scale=scale, title=title, axis=alt.Axis(format=format, tickCount=5))


def _beyond(rows: Iterable[Row]) -> float:
    """Return the next twentieth at or above all spans."""
    most = max((span.high for row in rows for span in (*row.parts, *row.intervals)), default=0.0)
    return max(math.ceil(20 * most), 1) / 20


def _spans(rows: Iterable[Row], attribute: str) -> alt.InlineData:
    return _data({"name": row.name, **span._asdict()} for row in rows for span in getattr(row, attribute))


def _data(rows: Iterable[Mapping[str, object]]) -> alt.InlineData:
    return alt.InlineData(values=[dict(row) for row in rows])
