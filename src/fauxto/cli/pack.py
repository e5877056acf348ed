"""`fauxto pack`: turn a run into a model bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fauxto.cli.hints import next_step


def pack(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, trained, calibrated and evaluated.")],
    out: Annotated[Path, typer.Option(help="Bundle folder to write; an existing bundle is replaced.")],
    summary: Annotated[str, typer.Option(help="One sentence on what the model is for.")],
    name: Annotated[str | None, typer.Option(help="Name of the bundle; by default, the folder's name.")] = None,
    bundle_version: Annotated[str, typer.Option(help="Version of the bundle.")] = "1.0.0",
    beside: Annotated[Path | None, typer.Option(help="Run whose robustness the card shows for comparison.")] = None,
    min_short_side: Annotated[
        int | None, typer.Option(min=1, help="Smallest short side it accepts; by default, the training size.")
    ] = None,
    max_short_side: Annotated[
        int | None, typer.Option(min=1, help="Largest short side it accepts; by default, the training size.")
    ] = None,
) -> None:
    """Write a run's network as a bundle, with its metrics and card."""
    from fauxto.lab import packing
    from fauxto.lab.run import Run

    nameplate = packing.Nameplate(name or out.resolve().name, bundle_version, summary, min_short_side, max_short_side)
    bundle = packing.pack(Run(run), out, nameplate, beside=Run(beside) if beside else None)
    typer.echo(f"wrote {bundle.folder}\n{next_step('fauxto', 'models', out.absolute())}")
