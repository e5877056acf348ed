"""`fauxto evaluate`: measure a trained network."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Split(StrEnum):
    """A split of a data set."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder that `fauxto train` wrote.")],
    data: Annotated[Path, typer.Option(help="Data set folder that `fauxto data import` wrote.")],
    split: Annotated[Split, typer.Option(help="Split to measure on.")] = Split.TEST,
    robustness: Annotated[
        bool, typer.Option("--robustness", help="Also measure under JPEG, blur, noise and other damage.")
    ] = False,
    sample: Annotated[int, typer.Option(min=1, help="Pictures to damage for --robustness.")] = 4_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of --robustness.")] = 1,
) -> None:
    """Measure a run's network on a data set; writes RUN/evaluation/<split>.json and .html."""
    from rich.console import Console
    from rich.table import Table

    from fauxto.lab.datasets import Dataset
    from fauxto.lab.evaluation import report
    from fauxto.lab.evaluation.results import measure
    from fauxto.lab.evaluation.robustness import measure_robustness

    dataset = Dataset.open(data)
    results = measure(run, dataset, split)
    files = [report.write_results(run, split, results)]
    if robustness:
        damaged = measure_robustness(run, dataset, split, sample=sample, seed=seed)
        files.append(report.write_results(run, f"{split}-robustness", damaged))
    earlier = report.read_results(run, f"{split}-robustness")
    fitting = earlier if earlier and earlier["subject"] == results["subject"] else None
    files.append(report.write_page(run, results, fitting))

    header, rows = report.overview_table(results)
    table = Table(*header, box=None)
    for row in rows:
        table.add_row(*map(str, row))
    console = Console()
    console.print(table)
    for file in files:
        console.print(f"wrote {file}", soft_wrap=True, markup=False, highlight=False)
