"""`fauxto evaluate`: measure models on pictures of known labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fauxto.cli.options import Workers, complete_model
from fauxto.errors import ConfigError

if TYPE_CHECKING:
    from fauxto.lab.datasets import Dataset
    from fauxto.lab.run import Run

Subject = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN|MODEL",
        help="Run folder that `fauxto train` wrote, or a model or its folder.",
        autocompletion=complete_model,
        show_default=False,
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="NAME|FOLDER",
        help="Model to measure; repeat to lay several side by side.",
        autocompletion=complete_model,
        show_default="the built-in ones",
    ),
]
Real = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SOURCE",
        help="Photographs: a folder (its sub-folders are the sources), a .zip or .tar archive, a quoted pattern, or a "
        ".csv or .parquet table with a column `path`, such as a scan's; repeat for more.",
        show_default=False,
    ),
]
Ai = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SOURCE",
        help="AI pictures, named in the same way; sub-folders are the generators.",
        show_default=False,
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(
        help="Data set folder that `fauxto data import` wrote, or a .csv or .parquet manifest with the columns path, "
        "label (real or ai), source and generator.",
        show_default=False,
    ),
]
Protocols = Annotated[
    bool,
    typer.Option("--protocols", help="Measure own pictures also as the web shares them, shrunk and saved again."),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an evaluation of own pictures that was stopped.")]


def evaluate(
    subject: Subject = None,
    model: Models = None,
    real: Real = None,
    ai: Ai = None,
    data: Data = None,
    split: Annotated[str, typer.Option(help="Split of a data set to measure on: train, val, test or test2.")] = "test",
    protocols: Protocols = False,
    robustness: Annotated[
        bool, typer.Option("--robustness", help="Of a data set, measure also under JPEG, blur, noise and the like.")
    ] = False,
    sample: Annotated[int, typer.Option(min=1, help="Pictures to degrade for --robustness.")] = 4_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of --robustness.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the results.",
            show_default="RUN, MODEL-evaluation for a data set, `evaluation` for own pictures",
        ),
    ] = None,
    save: Annotated[
        bool, typer.Option("--save", help="Store a data set's figures in the model's own metrics.json.")
    ] = False,
    resume: Resume = False,
    workers: Workers = None,
) -> None:
    """Measure models on pictures of known labels: your own (--real, --ai), or a data set (--data).

    Writes the figures, an illustrated page and, for your own pictures, every score as Parquet. Exit code: 0 measured;
    1 measured, but some files could not be; 2 the command was wrong; 130 stopped by Ctrl-C (continue with --resume).
    """
    subjects = [*([subject] if subject else []), *(model or ())]
    manifests = [str(data)] if data and not data.is_dir() else []
    if real or ai or manifests:
        if data and not manifests:
            raise ConfigError("--real and --ai name pictures, and so does --data: give a data set or folders, not both")
        if robustness or save:
            raise ConfigError("--robustness and --save are for data sets: make one with `fauxto data import folders`")
        _own(subjects, real or [], ai or [], manifests, out or Path("evaluation"), protocols, workers, resume)
        return
    if protocols or resume or workers:
        raise ConfigError("--protocols, --resume and --workers are for your own pictures; a data set has its own way")
    if data is None:
        raise ConfigError("name the pictures: --real FOLDER and --ai FOLDER for your own, or --data FOLDER")
    if not subjects:
        raise ConfigError("name what to measure on the data set: a run's folder, or a model (--model NAME)")
    for name in subjects:
        folder = out / Path(name).name if out and len(subjects) > 1 else out
        _on_dataset(name, data, split, (sample, seed) if robustness else None, folder, save)


def _own(
    models: Sequence[str],
    real: Sequence[str],
    ai: Sequence[str],
    manifests: Sequence[str],
    out: Path,
    protocols: bool,
    workers: int | None,
    resume: bool,
) -> None:
    from fauxto.cli import evaluation_summary
    from fauxto.cli.scan import STOPPED, progress_bar, stoppable
    from fauxto.lab.evaluation import own
    from fauxto.lab.run import Run

    for name in models:
        if Run(name).is_begun:
            command = f"fauxto pack {name} --out FOLDER --summary SENTENCE"
            raise ConfigError(f"{name} is a run: make it a model first, by `{command}`, and name that folder")
    try:
        with stoppable(), progress_bar() as on_progress:
            results = own.evaluate(
                out,
                real=real,
                ai=ai,
                manifests=manifests,
                models=models,
                protocols=protocols,
                workers=workers,
                resume=resume,
                on_progress=on_progress,
            )
    except KeyboardInterrupt:
        typer.echo("stopped; what is done is saved. Run the same command with --resume to continue", err=True)
        raise typer.Exit(STOPPED) from None
    evaluation_summary.print_own(results)
    for name in (own.SCORES_FILE, own.RESULTS_FILE, own.PAGE_FILE):
        typer.echo(f"wrote {out / name}")
    if results["unmeasured"]:
        raise typer.Exit(1)


def _on_dataset(
    subject: str, data: Path, split: str, robustness: tuple[int, int] | None, out: Path | None, save: bool
) -> None:
    from fauxto import bundles
    from fauxto.cli import evaluation_summary
    from fauxto.lab import card, packing
    from fauxto.lab.datasets import Dataset
    from fauxto.lab.evaluation.page import write_page
    from fauxto.lab.evaluation.results import measure, measure_robustness
    from fauxto.lab.run import Run

    dataset = Dataset.open(data)
    run, training = Run(subject), None
    if run.is_begun:
        _check_run(run, dataset, data, out, save)
        training, bundle, name = run.record, run.bundle(), run.name
        run = Run(out) if out else run
    else:
        bundle = bundles.load(subject)
        name, run = bundle.name, Run(out or f"{bundle.name}-evaluation")
    results = measure(bundle, name, dataset, split, run.cache)
    files = [run.write_results(split, results)]
    pictures = dataset.split(split)
    if robustness:
        sample, seed = robustness
        degraded = measure_robustness(bundle, dataset, pictures, run.cache, sample=sample, seed=seed)
        files.append(run.write_results(f"{split}-robustness", degraded))
    earlier = run.results(f"{split}-robustness")
    page = write_page(
        run.folder / "evaluation" / f"{split}.html",
        results,
        earlier if earlier and earlier["subject"] == results["subject"] else None,
        lambda row: pictures.images[row],
        training=training,
        published=card.published_facts()["networks"].get(bundle.training.network),
    )
    files.append(page)
    if save:
        files.append(packing.save_metrics(run, bundle))
    evaluation_summary.print_results(results)
    for file in files:
        typer.echo(f"wrote {file}")


def _check_run(run: Run, dataset: Dataset, data: Path, out: Path | None, save: bool) -> None:
    if save:
        raise ConfigError(
            "--save stores figures in a model's folder; those of a run go into its bundle by `fauxto pack`"
        )
    if not out and dataset.manifest_sha256 != run.record["manifest_sha256"]:
        raise ConfigError(f"{run.folder} was trained on another data set than {data}: name a folder with --out")
