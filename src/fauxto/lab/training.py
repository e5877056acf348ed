"""Training: a recipe and a data set in, a run folder out (docs/reference/run.md).

Keras picks its backend when it is first imported, so nothing here imports it at the top: `import_keras` does, once the
recipe is known.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fauxto.errors import ConfigError, DatasetError, MissingExtraError
from fauxto.lab import provenance
from fauxto.lab.config import Recipe
from fauxto.lab.datasets import Dataset

if TYPE_CHECKING:
    import keras

MODEL, CONFIG, START, RECORD = "model.keras", "config.toml", "start.json", "run.json"
HISTORY, CHECKPOINTS = "history.jsonl", "checkpoints"


def train(
    recipe: Recipe, data: Path, run: Path, *, resume: bool = False, command: str = "fauxto.lab.training.train"
) -> dict[str, Any]:
    """Train a network and write the run folder.

    Args:
        recipe: What to train, and how.
        data: A data set folder; its "train" split is learnt, its "val" split chooses the best epoch.
        run: Where to write.
        resume: Go on after the last whole epoch of the run in `run`, which must have an equal recipe and data set;
            a finished run is left as it is.
        command: What the records say that the run was started by.

    Returns:
        The record that stands in run.json.

    Raises:
        ConfigError: `run` holds a run already, or one of another recipe or data set; the network doesn't exist; Keras
            was imported on another backend; or the loss is no longer a number.
        DatasetError: The data set can't be read, lacks a split, or holds mere windows of its pictures.
    """
    if (run / CONFIG).exists() and not resume:
        raise ConfigError(f"{run} already holds a run; name another folder, or go on with it by --resume")
    dataset = _whole_pictures(data)
    learn, val = dataset.split("train"), dataset.split("val")
    keras = import_keras(recipe.backend)
    from fauxto.lab import networks
    from fauxto.lab.batches import Augmented, Plain

    keras.utils.set_random_seed(recipe.seed)
    keras.mixed_precision.set_global_policy(recipe.precision)
    batches = Augmented(learn.images, learn.labels, recipe)
    model = networks.build(recipe.network, recipe.image_size, recipe.width)
    model.compile(
        optimizer=_optimizer(recipe, len(batches)),
        # On whole labels this is sparse categorical cross-entropy; shares allow smoothing and mixing.
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        jit_compile=False,  # XLA is several times slower for convolutions on a CPU
    )
    start = _begin(recipe, dataset, run, command)
    if (run / RECORD).is_file():
        return _read(run / RECORD)
    model.fit(
        batches,
        epochs=recipe.epochs,
        validation_data=Plain(val.images, recipe.image_size, val.labels),
        callbacks=_callbacks(recipe, run, batches),
    )
    history = _history(run)
    record = {
        **start,
        "parameters": model.count_params(),
        "epochs": len(history),
        "seconds": round(sum(epoch["seconds"] for epoch in history), 1),
        "history": history,
    }
    _write(run / RECORD, record)
    return record


def predict_scores(run: Path, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Score pictures with the best weights of a run.

    Args:
        run: A run folder.
        images: uint8 [N, H, W, 3], or N arrays of [H, W, 3].

    Returns:
        float32 [N], the raw logit of AI.
    """
    recipe = Recipe.load(run / CONFIG)
    import_keras(recipe.backend)
    from fauxto.lab.batches import Plain

    logits = load_model(run).predict(Plain(images, recipe.image_size), verbose=0)
    return np.asarray(logits[:, 1] - logits[:, 0], np.float32)


def load_model(run: Path) -> keras.Model:
    """Load a run's best weights in float32, on whatever backend Keras runs; mirrored twice if the recipe says so.

    Raises:
        ConfigError: The run has no finished epoch yet.
    """
    import keras

    from fauxto.lab import networks

    recipe = Recipe.load(run / CONFIG)
    if not (run / MODEL).is_file():
        raise ConfigError(f"{run} has no {MODEL}: no epoch of it has finished; train it first")
    keras.mixed_precision.set_global_policy("float32")
    network = networks.build(recipe.network, recipe.image_size, recipe.width)
    network.load_weights(run / MODEL)
    if not recipe.flip_averaging:
        return network
    pixels = keras.Input(network.input_shape[1:], name="pixels")
    logits = keras.layers.Average(name="logits")([network(pixels), network(keras.ops.flip(pixels, axis=2))])
    return keras.Model(pixels, logits, name=network.name)


def import_keras(backend: str) -> ModuleType:
    """Import Keras on `backend`.

    Raises:
        ConfigError: Keras was imported on another backend earlier in this process.
        MissingExtraError: The backend isn't installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = backend
    try:
        import keras
    except ModuleNotFoundError as error:
        if backend == "torch":
            raise ConfigError(
                "this recipe's backend is PyTorch, which isn't installed: pip install -r requirements/torch.txt"
            ) from error
        raise MissingExtraError("lab", f"Keras's backend {backend!r}") from error
    if keras.backend.backend() != backend:
        raise ConfigError(
            f"Keras runs on {keras.backend.backend()!r} in this process, and the recipe wants {backend!r}; "
            "use a process of its own for each backend"
        )
    return keras


def _whole_pictures(data: Path) -> Dataset:
    dataset = Dataset.open(data)
    rows = dataset.manifest
    if rows["width"] != rows["pixel_width"] or rows["height"] != rows["pixel_height"]:
        raise DatasetError(
            f"{data} holds mere windows of its larger pictures, and the runtime shows a network the whole picture: "
            "import it again with a --window that none of them exceeds"
        )
    return dataset


def _begin(recipe: Recipe, dataset: Dataset, run: Path, command: str) -> dict[str, Any]:
    """Write what a run starts from, or check that the run in `run` started from the same."""
    if (run / CONFIG).exists():
        start = _read(run / START)
        if Recipe.load(run / CONFIG) != recipe:
            raise ConfigError(f"the run in {run} was begun with another recipe; resume it with its own {run / CONFIG}")
        if start["manifest_sha256"] != dataset.manifest_sha256:
            raise ConfigError(f"the run in {run} was begun on another data set than {dataset.folder}; give that one")
        return start
    start = {
        "command": command,
        "git_revision": provenance.git_revision(),
        "dataset": dataset.name,
        "manifest_sha256": dataset.manifest_sha256,
        "libraries": provenance.versions(_libraries(recipe.backend)),
    }
    run.mkdir(parents=True, exist_ok=True)
    _write(run / START, start)
    (run / CONFIG).write_text(recipe.to_toml(), encoding="utf-8")
    return start


def _read(path: Path) -> dict[str, Any]:
    try:
        plain: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} can't be read ({error}); the run is damaged: train it again elsewhere") from error
    return plain


def _write(path: Path, plain: dict[str, Any]) -> None:
    path.write_text(json.dumps(plain, indent=1, allow_nan=False) + "\n", encoding="utf-8")


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
    optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _callbacks(recipe: Recipe, run: Path, batches: Any) -> list[keras.callbacks.Callback]:
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
            with (run / HISTORY).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            losses = [one["val_loss"] for one in _history(run)]
            self.model.stop_training = 0 < recipe.patience <= len(losses) - 1 - int(np.argmin(losses))

    best = max((one["val_accuracy"] for one in _history(run)), default=None)
    return [
        Ledger(),
        keras.callbacks.ModelCheckpoint(
            run / MODEL, monitor="val_accuracy", mode="max", save_best_only=True, initial_value_threshold=best
        ),
        keras.callbacks.TensorBoard(run / "tensorboard"),
        # Last: an epoch counts as done once all else is written.
        keras.callbacks.BackupAndRestore(run / CHECKPOINTS, double_checkpoint=True),
    ]


def _history(run: Path) -> list[dict[str, Any]]:
    """Read the epochs of a run; one that was cut off after its line and begun again counts once."""
    if not (run / HISTORY).is_file():
        return []
    lines = [json.loads(line) for line in (run / HISTORY).read_text(encoding="utf-8").splitlines()]
    return list({line["epoch"]: line for line in lines}.values())


def _libraries(backend: str) -> tuple[str, ...]:
    """Return the names of what decides a result; TensorFlow goes by two."""
    return ("keras", "numpy", "torch") if backend == "torch" else ("keras", "numpy", "tensorflow", "tensorflow-cpu")
