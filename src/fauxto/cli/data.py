"""`fauxto data`: import, audit and explore data sets. Needs the extra `lab`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fauxto.palette import SHORTCUT_TERMINAL
from fauxto.wording import printable

if TYPE_CHECKING:
    from fauxto.lab.datasets import Dataset
    from fauxto.lab.datasets.audit import Audit
    from fauxto.lab.datasets.writer import Progress

data_app = typer.Typer(no_args_is_help=True, help="Import, audit and explore data sets.")
import_app = typer.Typer(no_args_is_help=True, help="Pack pictures into a data set for training and evaluation.")
data_app.add_typer(import_app, name="import")

_SHOWN_SKIPPED = 20  # all are listed in dataset.json

Out = Annotated[Path, typer.Option("--out", help="Folder to make.", show_default=False)]
Folder = Annotated[Path, typer.Argument(help="Folder that `fauxto data import` made.", show_default=False)]


@import_app.command("cifake")
def import_cifake_command(
    source: Annotated[
        Path,
        typer.Argument(help="CIFAKE as .zip, .tar(.gz|.bz2|.xz) or extracted folder.", show_default=False),
    ],
    out: Out,
    val_share: Annotated[float, typer.Option(help="Share of train that becomes the validation split.")] = 0.1,
) -> None:
    """Import CIFAKE; run the same command again to resume."""
    from fauxto.lab.datasets.cifake import import_cifake

    with _progress_bar("Importing CIFAKE") as on_progress:
        dataset = import_cifake(source, out, val_share=val_share, on_progress=on_progress)
    _print_summary(dataset)


@import_app.command("folders")
def import_folders_command(
    real: Annotated[Path, typer.Argument(help="Folder of photographs.", show_default=False)],
    ai: Annotated[Path, typer.Argument(help="Folder of AI pictures.", show_default=False)],
    out: Out,
    window: Annotated[
        int, typer.Option(help="Longest side in pixels; larger pictures are cropped to their centre.")
    ] = 256,
    split: Annotated[
        tuple[float, float, float],
        typer.Option(help="Shares of train, val and test, unless sub-folders have these names."),
    ] = (0.8, 0.1, 0.1),
) -> None:
    """Import a folder of photographs and a folder of AI pictures, sub-folders included."""
    from fauxto.lab.datasets.folders import import_folders

    with _progress_bar("Importing folders") as on_progress:
        shares = dict(zip(("train", "val", "test"), split, strict=True))
        dataset = import_folders(real, ai, out, window=window, shares=shares, on_progress=on_progress)
    _print_summary(dataset)


@import_app.command("photos")
def import_photos_command(
    source: Annotated[
        Path,
        typer.Argument(help="Folder with manifest.csv and its crops, and originals.csv.", show_default=False),
    ],
    out: Out,
    originals: Annotated[
        Path | None,
        typer.Option(
            help="Folder with the whole pictures of originals.csv, as <split>/<path>: import these instead of the "
            "crops; they stay files.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Import crops of photographs and AI pictures listed in a table, or the whole pictures."""
    from fauxto.lab.datasets.photos import import_photos

    with _progress_bar("Importing photos") as on_progress:
        dataset = import_photos(source, out, originals=originals, on_progress=on_progress)
    _print_summary(dataset)


@data_app.command("audit")
def audit_command(
    folder: Folder,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Count duplicates, leaks and classes, and measure how well file properties alone predict the label."""
    from fauxto.lab.datasets import Dataset
    from fauxto.lab.datasets.audit import audit

    result = audit(Dataset.open(folder))
    if as_json:
        typer.echo(json.dumps(result.to_dict(), indent=2))
    else:
        _print_audit(result)


@data_app.command("explore")
def explore_command(
    folder: Folder,
    out: Annotated[Path, typer.Option("--out", help="HTML file to write.", show_default=False)],
) -> None:
    """Write an illustrated report on a data set: one self-contained HTML file."""
    from fauxto.lab.datasets import Dataset
    from fauxto.lab.datasets.exploration import explore

    typer.echo(f"wrote {explore(Dataset.open(folder), out)}")


@contextmanager
def _progress_bar(title: str) -> Iterator[Callable[[Progress], None]]:
    from rich import progress as bars
    from rich.console import Console

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TextColumn("{task.fields[counts]}"),
        bars.TimeElapsedColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=1.0, counts="")

        def update(progress: Progress) -> None:
            counts = f"{progress.packed:,} packed, {progress.skipped:,} skipped"
            bar.update(task, completed=progress.done, counts=counts)

        yield update


def _print_summary(dataset: Dataset) -> None:
    for split, counts in dataset.description["counts"].items():
        typer.echo(f"{split}: " + (", ".join(f"{count:,} {label}" for label, count in counts.items()) or "no picture"))
    skipped = dataset.description["skipped"]
    for file in skipped[:_SHOWN_SKIPPED]:
        typer.echo(f"skipped {printable(file['path'])}: {printable(file['reason'])}", err=True)
    if len(skipped) > _SHOWN_SKIPPED:
        typer.echo(f"skipped {len(skipped) - _SHOWN_SKIPPED:,} more, all listed in dataset.json", err=True)
    typer.echo(f"wrote {dataset.folder}")


def _print_audit(audit: Audit) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Column, Table

    console = Console()
    balance = Table("split", *(Column(label, justify="right") for label in ("real", "ai")), title="Pictures")
    for split, counts in audit.balance.items():
        balance.add_row(split, *(f"{counts.get(label, 0):,}" for label in ("real", "ai")))
    console.print(balance)

    copies = Table("where", Column("pictures", justify="right"), title="Exact duplicates")
    for split, count in audit.duplicates.surplus.items():
        copies.add_row(f"repeats within {split}", f"{count:,}")
    for pair, count in audit.duplicates.across.items():
        first, second = pair.split(", ")
        copies.add_row(f"in {second}, but in {first} too", f"{count:,}")
    copies.add_row("under both labels", f"{audit.duplicates.both_labels:,}")
    console.print(copies)
    for paths in audit.duplicates.examples:
        console.print("  " + " = ".join(map(printable, paths)), style="dim", markup=False, highlight=False)

    shortcuts = Table("facts", Column("AUROC", justify="right"), "verdict", title="Shortcuts")
    for shortcut in audit.shortcuts:
        colour = SHORTCUT_TERMINAL[shortcut.verdict]
        shortcuts.add_row(shortcut.facts, f"{shortcut.auroc:.3f}", f"[{colour}]{shortcut.verdict}[/]")
    console.print(shortcuts)
    for shortcut in audit.shortcuts:
        colour = SHORTCUT_TERMINAL[shortcut.verdict]
        console.print(Padding(f"[{colour}]•[/] {shortcut.meaning}", (0, 0, 0, 2)))
    console.print(f"Measured on {audit.sampled:,} pictures, cross-validated; 0.5 is chance.", style="dim")
