"""`fauxto check`: judge pictures."""

from __future__ import annotations

import glob
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fauxto.cli.options import takes_detector_options
from fauxto.options import DetectorOptions
from fauxto.report import Report, Verdict

if TYPE_CHECKING:
    from fauxto.detector import Detector, Source


@takes_detector_options
def check(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="Pictures: paths, quoted patterns such as 'photos/**/*.jpg', or - for standard input.",
            show_default=False,
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON report per line.")] = False,
    evidence: Annotated[bool, typer.Option("--evidence", help="Show a card for every source of evidence.")] = False,
    explain: Annotated[
        Path | None,
        typer.Option(
            metavar="MAP.png",
            help="Draw a map of where one picture's score comes from, and say whether it is reliable.",
            show_default=False,
        ),
    ] = None,
    report_file: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE.html|FILE.pdf",
            help="Write a report on one picture for a case file.",
            show_default=False,
        ),
    ] = None,
    *,
    options: DetectorOptions,
) -> None:
    """Tell photographs from AI-generated pictures.

    Exit code: 0 every picture was judged, 1 one or more could not be, 2 the command was wrong.
    """
    from fauxto.detector import Detector

    detector = Detector.from_options(options)
    show = _show_json if as_json else _panels(detector, evidence)
    counts = dict.fromkeys((*Verdict, None), 0)
    reports = detector.analyze_many(_sources(images))
    if explain or report_file:
        from fauxto.cli import case_file

        reports = iter([case_file.judge(detector, _sources(images), explain, report_file)])
    for report in reports:
        show(replace(report, path="-") if report.path is None else report)
        counts[report.verdict] += 1
    total = sum(counts.values())
    if total > 1 and not as_json:
        words = ", ".join(f"{count:,} {verdict or 'not judged'}" for verdict, count in counts.items() if count)
        typer.echo(f"{total:,} pictures: {words}")
    if counts[None]:
        raise typer.Exit(1)


def _show_json(report: Report) -> None:
    typer.echo(json.dumps(report.to_dict(), allow_nan=False))


def _panels(detector: Detector, show_evidence: bool) -> Callable[[Report], None]:
    from rich.console import Console

    from fauxto.cli.report_panel import report_panel

    console, point = Console(), detector.operating_point

    def show(report: Report) -> None:
        console.print(report_panel(report, detector.bundle_of(report), point, console, show_evidence=show_evidence))

    return show


def _sources(images: list[str]) -> Iterator[Source]:
    """Open standard input for "-" and expand the patterns that the shell left alone."""
    for image in images:
        if image == "-":
            yield sys.stdin.buffer if sys.stdin else b""  # None in a program without a console
        elif glob.glob(glob.escape(image)):  # noqa: PTH207 (a file may be called "[1].jpg")
            yield image
        else:
            yield from sorted(glob.glob(image, recursive=True)) or [image]  # noqa: PTH207 (Path refuses "/a/*")
