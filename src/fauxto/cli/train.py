"""`fauxto train`: train a network on a data set."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from fauxto.cli.hints import next_step


def train(
    data: Annotated[Path, typer.Option(help="Data set folder that `fauxto data import` wrote.")],
    run: Annotated[Path, typer.Option(help="Run folder to write.")],
    network: Annotated[str | None, typer.Option(help="Network to train, with its built-in recipe.")] = None,
    recipe: Annotated[Path | None, typer.Option(help="Recipe file (TOML) to use instead.")] = None,
    weights: Annotated[
        Path | None, typer.Option(help="File of a backbone's starting weights (docs/how-to/train-photos.md).")
    ] = None,
    average_with: Annotated[
        list[Path] | None,
        typer.Option(help="Finished run to average a trained backbone's weights with; repeat for more."),
    ] = None,
    foreign: Annotated[
        Path | None,
        typer.Option(help="Data set of whole pictures of other sources, thumbnails of which are to get no verdict."),
    ] = None,
    image_size: Annotated[int | None, typer.Option(min=8, help="Side of the input in pixels.")] = None,
    epochs: Annotated[int | None, typer.Option(min=0, help="Maximum number of epochs.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of weights, order and augmentation.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue after the last complete epoch.")] = False,
) -> None:
    """Train a network; writes RUN/model.keras, its recipe, checkpoints, TensorBoard logs and run.json."""
    from fauxto.errors import ConfigError
    from fauxto.lab import training
    from fauxto.lab.recipe import Recipe, recipe_for
    from fauxto.lab.run import Run

    if recipe is None and network is None:
        raise ConfigError("name what to train: --network NAME for the recipe that ships with it, or --recipe FILE")
    path = recipe or recipe_for(str(network))
    chosen = Recipe.load(path, network=network, image_size=image_size, epochs=epochs, seed=seed)
    words = (Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:])
    command = shlex.join(["fauxto", *words])
    others = [Run(folder) for folder in average_with or ()]
    record = training.train(
        chosen, data, Run(run), weights=weights, average_with=others, foreign=foreign, resume=resume, command=command
    )
    outcome = "a logistic head on its features"
    if record["history"]:
        best = max(record["history"], key=lambda epoch: epoch["val_accuracy"])
        outcome = f"best epoch {best['epoch']} of {record['epochs']}, accuracy on val {best['val_accuracy']:.4f}"
    typer.echo(
        f"{chosen.network}: {record['parameters']:,} parameters in {record['seconds']:,.0f} s; {outcome}\n"
        + next_step("fauxto", "calibrate", run, "--data", data)
    )
