"""`fauxto pack`: turn a run into a model bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def pack(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, trained, calibrated and evaluated.")],
    data: Annotated[Path, typer.Option(help="Data set folder; ONNX is checked against Keras on its test split.")],
    out: Annotated[Path, typer.Option(help="Bundle folder to write; a bundle that is there is replaced.")],
    summary: Annotated[str, typer.Option(help="One sentence on what the model is for.")],
    name: Annotated[str | None, typer.Option(help="Name of the bundle; by default that of the folder.")] = None,
    bundle_version: Annotated[str, typer.Option(help="Version of the bundle.")] = "1.0.0",
    beside: Annotated[Path | None, typer.Option(help="Run whose robustness the card shows next to this one's.")] = None,
    min_short_side: Annotated[
        int | None, typer.Option(min=1, help="Smallest short side it may judge; by default the size it was trained at.")
    ] = None,
    max_short_side: Annotated[
        int | None, typer.Option(min=1, help="Largest short side it may judge; by default the size it was trained at.")
    ] = None,
) -> None:
    """Export a run's network to ONNX, check it against Keras and write the bundle with its card."""
    from fauxto.lab import packing

    name = name or out.resolve().name
    nameplate = packing.Nameplate(name, bundle_version, summary, min_short_side, max_short_side)
    agreement = packing.pack(run, data, out, nameplate, beside=beside)
    typer.echo(
        f"wrote {out}; largest difference between a logit of Keras and of ONNX Runtime on {agreement.pictures:,} "
        f"pictures: {agreement.difference:.2g}"
    )
