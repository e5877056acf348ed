"""`fauxto check`: judge pictures."""

from __future__ import annotations

import glob
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from fauxto.report import Verdict

if TYPE_CHECKING:
    from fauxto.detector import Source


class PointName(StrEnum):
    """The operating points of every bundle."""

    CAUTIOUS = "cautious"
    BALANCED = "balanced"
    SENSITIVE = "sensitive"


def check(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="Pictures: paths, quoted patterns such as 'photos/**/*.jpg', or - for standard input.",
            show_default=False,
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON report a line.")] = False,
    model: Annotated[
        str | None, typer.Option(metavar="NAME|FOLDER", help="Model bundle.", show_default="the built-in one")
    ] = None,
    operating_point: Annotated[
        PointName,
        typer.Option(help="Thresholds: cautious accuses fewest photographs, sensitive misses least."),
    ] = PointName.BALANCED,
) -> None:
    """Tell photographs from pictures that a generative model made.

    Exit code: 0 every picture was judged, 1 one or more could not be, 2 the command was wrong.
    """
    from rich.console import Console

    from fauxto.cli.report_panel import report_panel
    from fauxto.detector import Detector

    detector = Detector(model, operating_point=operating_point)
    point = detector.bundle.operating_points[operating_point]
    console = Console()
    counts = dict.fromkeys((*Verdict, None), 0)
    for report in detector.analyze_many(_sources(images)):
        named = replace(report, path=report.path or "-")
        if as_json:
            typer.echo(json.dumps(named.to_dict(), allow_nan=False))
        else:
            console.print(report_panel(named, point, console))
        counts[named.verdict] += 1
    if not as_json and sum(counts.values()) > 1:
        words = ", ".join(f"{count:,} {verdict or 'not judged'}" for verdict, count in counts.items() if count)
        console.print(f"{sum(counts.values()):,} pictures: {words}", highlight=False)
    if counts[None]:
        raise typer.Exit(1)


def _sources(images: list[str]) -> Iterator[Source]:
    """Open standard input for "-" and expand the patterns that the shell left alone."""
    for image in images:
        if image == "-":
            yield sys.stdin.buffer
        elif glob.glob(glob.escape(image)):  # noqa: PTH207 (a file may be called "[1].jpg")
            yield image
        else:
            yield from sorted(glob.glob(image, recursive=True)) or [image]  # noqa: PTH207 (Path refuses "/a/*")
