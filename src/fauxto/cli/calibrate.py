"""`fauxto calibrate`: turn a network's scores into probabilities and choose its thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fauxto.choices import CalibrationMethod
from fauxto.cli.hints import next_step


def calibrate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder that `fauxto train` wrote.")],
    data: Annotated[Path, typer.Option(help="Data set folder that the run was trained on; test is never read.")],
    foreign: Annotated[
        Path | None,
        typer.Option(
            help="Data set of whole pictures from other sources; the thresholds must also hold on thumbnails "
            "of its train photographs."
        ),
    ] = None,
    method: Annotated[
        CalibrationMethod, typer.Option(help="platt: slope and intercept; temperature: slope.")
    ] = CalibrationMethod.PLATT,
) -> None:
    """Fit calibration and thresholds on held-out pictures; writes RUN/calibration.json."""
    from rich.console import Console
    from rich.table import Table

    from fauxto.lab import calibration
    from fauxto.lab.datasets import Dataset
    from fauxto.lab.run import Run

    fitted = calibration.calibrate(Run(run), Dataset.open(data), method, Dataset.open(foreign) if foreign else None)
    console = Console()
    console.print(
        f"P(AI) = sigmoid({fitted.calibration.slope:.4f} * score {fitted.calibration.intercept:+.4f}), fitted on "
        f"{fitted.calibration.fitted_on}; "
        f"ECE on val, which took part, {fitted.val['before']['ece']:.4f} before, "
        f"{fitted.val['after']['ece']:.4f} after",
        soft_wrap=True,
    )
    names = ("real_below", "ai_above", "fpr", "tpr", "inconclusive")
    table = Table("where fitted", *names, box=None)
    for name, point in fitted.operating_points.items():
        table.add_row(name, *(f"{getattr(point, key):.4f}" for key in names))
    console.print(table)
    typer.echo(next_step("fauxto", "evaluate", run, "--data", data))
