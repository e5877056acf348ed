"""`fauxto bench`: speed and memory on this machine."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fauxto.cli.options import Workers, takes_detector_options
from fauxto.options import DetectorOptions

if TYPE_CHECKING:
    from fauxto.scan.measuring import Speed


@takes_detector_options
def bench(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILES",
            help="Files, folders or quoted patterns.",
            show_default="generated test pictures of 0.1, 1 and 12 megapixels",
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Maximum number of files.")] = 200,
    workers: Workers = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    *,
    options: DetectorOptions,
) -> None:
    """Measure pictures per second, milliseconds per picture by stage, and peak memory."""
    from tempfile import TemporaryDirectory

    from fauxto.scan import measuring

    with TemporaryDirectory() as temporary:
        sources = files or measuring.make_pictures(Path(temporary))
        measured = measuring.measure(sources, options, count=count, workers=workers)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(measured)))
    else:
        _print(measured)


def _print(measured: Speed) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    from fauxto.scan.measuring import STAGES

    console = Console()
    headings = ("files", *STAGES, "total")
    table = Table(
        "size", *(Column(heading, justify="right") for heading in headings), title="Milliseconds on one core, medians"
    )
    for cost in measured.costs:
        times = [cost.milliseconds[stage] for stage in STAGES]
        table.add_row(cost.size, f"{cost.pictures:,}", *(f"{time:.1f}" for time in (*times, sum(times))))
    console.print(table)
    each = "process" if measured.workers == 1 else "processes"
    rate = f"{measured.images_per_second:,.1f} pictures/s, {measured.megapixels_per_second:,.1f} megapixels/s"
    typer.echo(f"as a scan, {measured.workers} {each}: {rate}")
    if measured.peak_megabytes is not None:
        typer.echo(f"peak memory of all processes: {measured.peak_megabytes:,.0f} MB")
    if measured.unjudged:
        typer.echo(f"skipped {measured.unjudged:,} that could not be judged")
