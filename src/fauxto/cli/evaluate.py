"""`fauxto evaluate`: measure a trained network or an installed model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from fauxto.cli.options import complete_model

_WIDTH_IN_FILES = 140  # so that no cell is cut where there is no screen to fit


def evaluate(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="RUN|MODEL",
            help="Run folder that `fauxto train` wrote, or a model or its folder.",
            autocompletion=complete_model,
        ),
    ],
    data: Annotated[Path, typer.Option(help="Data set folder that `fauxto data import` wrote.")],
    split: Annotated[str, typer.Option(help="Split to measure on: train, val, test or test2.")] = "test",
    robustness: Annotated[
        bool, typer.Option("--robustness", help="Also measure under JPEG, blur, noise and other degradations.")
    ] = False,
    sample: Annotated[int, typer.Option(min=1, help="Pictures to degrade for --robustness.")] = 4_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of --robustness.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results; by default RUN, or MODEL-evaluation for a model.")
    ] = None,
    save: Annotated[bool, typer.Option("--save", help="Store the figures in the model's own metrics.json.")] = False,
) -> None:
    """Measure a network on a data set; writes evaluation/<split>.json and .html."""
    from fauxto import bundles
    from fauxto.errors import ConfigError
    from fauxto.lab import packing
    from fauxto.lab.datasets import Dataset
    from fauxto.lab.evaluation.page import write_page
    from fauxto.lab.evaluation.results import measure, measure_robustness
    from fauxto.lab.run import Run

    dataset = Dataset.open(data)
    run = Run(subject)
    if run.is_begun:
        if save:
            raise ConfigError(
                "--save stores figures in a model's folder; those of a run go into its bundle by `fauxto pack`"
            )
        if not out and dataset.manifest_sha256 != run.record["manifest_sha256"]:
            raise ConfigError(f"{subject} was trained on another data set than {data}: name a folder with --out")
        bundle, name = run.bundle(), run.name
        run = Run(out) if out else run
    else:
        bundle = bundles.load(subject)
        name, run = bundle.name, Run(out or f"{bundle.name}-evaluation")
    results = measure(bundle, name, dataset, split, run.cache)
    files = [run.write_results(split, results)]
    if robustness:
        degraded = measure_robustness(bundle, dataset, dataset.split(split), run.cache, sample=sample, seed=seed)
        files.append(run.write_results(f"{split}-robustness", degraded))
    earlier = run.results(f"{split}-robustness")
    fitting = earlier if earlier and earlier["subject"] == results["subject"] else None
    files.append(write_page(run.folder / "evaluation" / f"{split}.html", results, fitting))

    if save:
        files.append(packing.save_metrics(run, bundle))
    _print(results, files)


def _print(results: Mapping[str, Any], files: list[Path]) -> None:
    from rich.console import Console
    from rich.table import Table

    from fauxto.lab.evaluation import tables

    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH_IN_FILES)
    for header, rows in (tables.protocol_table(results), tables.verdict_table(results)):
        table = Table(*header, box=None)
        for row in rows:
            table.add_row(*("" if cell is None else str(cell) for cell in row))
        console.print(table)
    for file in files:
        console.print(f"wrote {file}", soft_wrap=True, markup=False, highlight=False)
