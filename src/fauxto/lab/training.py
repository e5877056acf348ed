"""Training: a recipe and a data set in, a run folder out (docs/reference/run.md)."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fauxto.errors import ConfigError, DatasetError
from fauxto.lab import unlikeness
from fauxto.lab.backend import import_keras
from fauxto.lab.datasets import Dataset, Split
from fauxto.lab.provenance import start_of
from fauxto.lab.recipe import Recipe
from fauxto.lab.run import Run
from fauxto.lab.weighting import held_out

if TYPE_CHECKING:
    import keras

HISTORY, CHECKPOINTS, FITTED = "history.jsonl", "checkpoints", "fitted.keras"


def train(
    recipe: Recipe,
    data: Path,
    run: Run,
    *,
    weights: Path | None = None,
    average_with: Sequence[Run] = (),
    foreign: Path | None = None,
    resume: bool = False,
    command: str = "fauxto.lab.training.train",
) -> dict[str, Any]:
    """Train a network and write the run folder.

    Args:
        recipe: What to train, and how.
        data: A data set folder; its "train" split is learnt, its "val" split chooses the best epoch.
        run: Where to write.
        weights: The file of a backbone's starting weights.
        average_with: Finished runs of the same network and starting weights; the backbone becomes the mean of theirs
            and its own, before a logistic head is fitted.
        foreign: A data set of whole pictures of other sources, from which to learn what is unlike the network's own.
        resume: Go on after the last whole epoch of the run, if all else is as it was; a finished run is left as it is.
        command: What the records say that the run was started by.

    Returns:
        The record that stands in run.json.

    Raises:
        ConfigError: There is a run already, or another one; the network doesn't exist, or lacks its starting weights;
            the runs can't be averaged; Keras was imported on another backend; or the loss is no longer a number.
        DatasetError: The data set can't be read, lacks a split, or holds mere windows of its pictures; or the starting
            weights are others.
    """
    if run.is_begun and not resume:
        raise ConfigError(f"{run.folder} already holds a run; name another folder, or go on with it by --resume")
    dataset = _whole_pictures(data)
    learn, val = dataset.split("train"), dataset.split("val")
    _check_labels(learn, recipe)
    _set_up_keras(recipe)
    start = start_of(recipe, dataset.name, dataset.manifest_sha256, weights, command)
    _check_runs(average_with, recipe, start["weights_sha256"])
    model = _starting_model(recipe, weights)
    other = _whole_pictures(foreign) if foreign else None
    if other:
        unlikeness.check(model, recipe)
    start["averaged_with"] = [each.network_sha256 for each in average_with] or None
    start["foreign_sha256"] = other.manifest_sha256 if other else None
    start = run.begin(recipe, start)
    if run.is_trained:
        return run.record
    started = time.perf_counter()
    history = _fit(model, recipe, run, learn, val) if recipe.epochs else []
    if recipe.head == "logistic":
        model = run.load_network(run.folder / FITTED) if history else model
        _give_logistic_head(model, recipe, run, learn, weights, average_with)
    else:
        shutil.copyfile(run.folder / FITTED, run.keras_model)
    if other:
        unlikeness.fit(run.load_network(), learn, other.split("train"), recipe).save(run.unlikeness)
    return _finish(run, start, model, history, started)


def _finish(
    run: Run, start: dict[str, Any], model: keras.Model, history: list[dict[str, Any]], started: float
) -> dict[str, Any]:
    """Write the record and return it."""
    seconds = sum(epoch["seconds"] for epoch in history) or time.perf_counter() - started
    made = {**_network(model), "epochs": len(history), "seconds": round(seconds, 1), "history": history}
    run.finish({**start, **made})
    shutil.rmtree(run.folder / CHECKPOINTS, ignore_errors=True)  # until now, a cut would have needed them
    (run.folder / FITTED).unlink(missing_ok=True)
    return run.record


def _give_logistic_head(
    model: keras.Model, recipe: Recipe, run: Run, learn: Split, weights: Path | None, average_with: Sequence[Run]
) -> None:
    """Fit the heads on a finished encoder, which is averaged first with others and its starting weights; save all."""
    from fauxto.lab import averaging, linear_head

    averaging.average(model, average_with, own=bool(recipe.epochs))
    if recipe.interpolation < 1:
        averaging.interpolate(model, _starting_model(recipe, weights), recipe.interpolation)
    families = linear_head.fit_into(model, learn, recipe, run.cache)
    if families:
        families.save(run.family_head)
    model.save(run.keras_model)


def _network(model: keras.Model) -> dict[str, Any]:
    """Return how many `parameters` it has, and of its `layers` name and kind, output for a picture and parameters."""
    shapes = [getattr(layer.output, "shape", (None,)) for layer in model.layers]
    layers = [
        {
            "name": layer.name,
            "kind": type(layer).__name__,
            "shape": " × ".join(map(str, shape[1:])),
            "parameters": layer.count_params(),
        }
        for layer, shape in zip(model.layers, shapes, strict=True)
    ]
    return {"parameters": model.count_params(), "layers": layers}


def _check_runs(runs: Sequence[Run], recipe: Recipe, weights_sha256: str | None) -> None:
    """Refuse to average with runs whose weights aren't comparable, before a long training."""
    if runs and recipe.head != "logistic":
        raise ConfigError("to average with other runs, a backbone must get a logistic head afterwards")
    for run in runs:
        same = ("network", "width")
        if [getattr(run.recipe, key) for key in same] != [getattr(recipe, key) for key in same]:
            raise ConfigError(f"the run in {run.folder} can't be averaged with: it has another network or width")
        if run.record["weights_sha256"] != weights_sha256:
            raise ConfigError(f"the run in {run.folder} can't be averaged with: it started from other weights")


def _starting_model(recipe: Recipe, weights: Path | None) -> keras.Model:
    from fauxto.lab import networks

    model = networks.of(recipe)
    if not networks.is_backbone(recipe.network):
        if weights is not None:
            raise ConfigError(f"the network {recipe.network!r} starts from random weights: leave --weights out")
        if recipe.head == "logistic":
            raise ConfigError(f"the network {recipe.network!r} has no features that a logistic head could be fitted on")
        return model
    if recipe.flip_averaging:
        raise ConfigError(
            f"the network {recipe.network!r} can't average over mirror images: set flip_averaging to false"
        )
    if weights is None:
        raise ConfigError(f"the network {recipe.network!r} starts from pretrained weights: name their file (--weights)")
    networks.load_starting_weights(recipe.network, model, weights)
    if recipe.trainable >= 0:
        blocks = [layer.name for layer in model.layers if layer.name.startswith("block_")]
        trained = {*blocks[len(blocks) - recipe.trainable :], "logits"}
        for layer in model.layers:
            layer.trainable = layer.name in trained
    return model


def _set_up_keras(recipe: Recipe) -> None:
    keras = import_keras(recipe.backend)
    keras.utils.set_random_seed(recipe.seed)
    keras.mixed_precision.set_global_policy(recipe.precision if recipe.epochs else "float32")


def _fit(model: keras.Model, recipe: Recipe, run: Run, learn: Any, val: Any) -> list[dict[str, Any]]:
    """Train by gradient descent and return the history."""
    import keras

    from fauxto.lab.batches import Plain, Varied

    batches = Varied(learn, recipe, run.cache)
    model.compile(
        optimizer=_optimizer(recipe, len(batches)),
        # On whole labels this is sparse categorical cross-entropy; shares allow smoothing and mixing.
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        jit_compile=False,  # XLA is several times slower for convolutions on a CPU
    )
    if not _has_stopped(_history(run), recipe):
        model.fit(
            batches,
            epochs=recipe.epochs,
            validation_data=Plain(val, recipe, run.cache),
            callbacks=_callbacks(recipe, run, batches),
            # A bar that moves and has colours, or a plain line per epoch.
            verbose=1 if sys.stdout.isatty() and "NO_COLOR" not in os.environ else 2,
        )
        if recipe.averaging:  # the fit ends by giving the model the averages, which outdo any single epoch
            model.save(run.folder / FITTED)
    return _history(run)


def _has_stopped(history: list[dict[str, Any]], recipe: Recipe) -> bool:
    """Tell whether the loss on val has not improved for as long as the recipe has patience."""
    losses = [line["val_loss"] for line in history]
    return bool(losses) and 0 < recipe.patience <= len(losses) - 1 - int(np.argmin(losses))


def _whole_pictures(data: Path) -> Dataset:
    dataset = Dataset.open(data)
    rows = dataset.manifest
    if rows["width"] != rows["pixel_width"] or rows["height"] != rows["pixel_height"]:
        raise DatasetError(
            f"{data} holds mere windows of its larger pictures, and the runtime shows a network the whole picture: "
            "import it again whole, photos with --originals, folders with a --window that none of them exceeds"
        )
    return dataset


def _check_labels(learn: Split, recipe: Recipe) -> None:
    learnt = learn.labels[~held_out(learn.sources, recipe.held_out)]
    if len(np.unique(learnt)) < 2:
        raise DatasetError(
            "of the train split, no pictures of both labels are left to learn: it needs some of each, from sources "
            f"that aren't held out (held_out = {recipe.held_out})"
        )


def _optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    import keras

    rate: Any = recipe.learning_rate
    if recipe.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0,
            warmup_target=recipe.learning_rate,
            warmup_steps=round(recipe.warmup * steps * recipe.epochs),
            decay_steps=round((1 - recipe.warmup) * steps * recipe.epochs),
        )
    averaging = {"use_ema": True, "ema_momentum": recipe.averaging} if recipe.averaging else {}
    optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, **averaging)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _callbacks(recipe: Recipe, run: Run, batches: Any) -> list[keras.callbacks.Callback]:
    import keras

    class Ledger(keras.callbacks.Callback):
        """Writes one line an epoch, tells the batches which epoch it is, and stops when val no longer improves.

        Keras's own EarlyStopping forgets what it saw when a run is resumed; this one reads the history.
        """

        def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            batches.epoch = epoch
            self.started = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            line = {
                "epoch": epoch + 1,
                **(logs or {}),
                "seconds": round(time.perf_counter() - self.started, 1),
            }
            if not np.isfinite(list(line.values())).all():
                raise ConfigError(f"in epoch {epoch + 1} the loss is no longer a number: lower the learning rate")
            with (run.folder / HISTORY).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            self.model.stop_training = _has_stopped(_history(run), recipe)

    best = max((line["val_accuracy"] for line in _history(run)), default=None)
    return [
        # In this order: a line in the history means that its weights are saved, a checkpoint that all else is written.
        keras.callbacks.ModelCheckpoint(
            run.folder / FITTED, monitor="val_accuracy", mode="max", save_best_only=True, initial_value_threshold=best
        ),
        Ledger(),
        keras.callbacks.TensorBoard(run.folder / "tensorboard"),
        keras.callbacks.BackupAndRestore(run.folder / CHECKPOINTS, double_checkpoint=True, delete_checkpoint=False),
    ]


def _history(run: Run) -> list[dict[str, Any]]:
    """Read the epochs of a run; one that was cut off after its line and begun again counts once."""
    path = run.folder / HISTORY
    if not path.is_file():
        return []
    whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")  # a line that was cut has no end
    lines = [json.loads(line) for line in whole.splitlines()]
    return list({line["epoch"]: line for line in lines}.values())
