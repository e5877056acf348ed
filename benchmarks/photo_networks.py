"""What networks that look at pixels bring on photographs and generators they never saw; on val, and never on test.

python -m benchmarks.photo_networks --data data/photos --lite0 FILE --autoencoders FOLDER [NAME ...]

Trains the experiments by name (all without one), each from the same seed on about the same time of two cores, and
asks it about every val picture, whose sources it has not met, under the protocols clean, web and hard: the score is
the mean over up to four windows of 192 px at native resolution. A finished experiment is kept under
runs/photo-networks, with its score of each val picture in scores.npz, and not trained again. `out of fold` also
scores train, each picture by a network that has not met its source.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from fauxto.lab.photos import copies, crops, sampling
from fauxto.lab.photos.crops import Crops
from fauxto.lab.photos.delivery import PROTOCOLS, deliver
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from benchmarks import results
from fauxto.lab.datasets import Dataset, Split
from fauxto.lab.evaluation import metrics
from fauxto.lab.training import import_keras

TRAIN_WINDOWS, VAL_WINDOWS = 2, 4  # a picture, at most
PAIRED = 400  # photographs of which copies are made
FOLDS = 2


@dataclass(frozen=True, slots=True)
class Experiment:
    """What one row of the table changes.

    Attributes:
        network: "small" (from scratch) or "lite0" (fine-tuned).
        steps: Batches of 32 windows.
        learning_rate: At its height.
        delivered: Whether training pictures went through a random delivery, or are as found.
        copies: Kinds of copies of photographs among the AI examples; half of each batch is then pairs.
        seed: Of weights, order and delivery.
        fold: Learn from the sources outside this fold only, and score those inside it too.
    """

    network: str
    steps: int
    learning_rate: float
    delivered: bool = True
    copies: tuple[str, ...] = ()
    seed: int = 1
    fold: int | None = None


FINE_TUNED = Experiment("lite0", steps=180, learning_rate=1e-3)
AUTOENCODERS = ("taef2", "vaelight")
EXPERIMENTS = {
    "from scratch": Experiment("small", steps=480, learning_rate=4e-3),
    "fine-tuned": FINE_TUNED,
    "fine-tuned without delivery": replace(FINE_TUNED, delivered=False),
    "fine-tuned with copies": replace(FINE_TUNED, copies=AUTOENCODERS),
    "fine-tuned with copies and enlargements": replace(FINE_TUNED, copies=(*AUTOENCODERS, "lanczos", "bicubic")),
    **{f"fine-tuned out of fold {fold}": replace(FINE_TUNED, fold=fold) for fold in range(FOLDS)},
}

Batches = Callable[[int], tuple[np.ndarray, np.ndarray]]


def main() -> None:
    """Run what is asked for, print the table and write results/photo-networks.json from all that is finished."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="; ".join(EXPERIMENTS))
    parser.add_argument("--data", type=Path, required=True, help="the data set of whole pictures")
    parser.add_argument("--lite0", type=Path, required=True, help="efficientnet-lite0-57934424.pth")
    parser.add_argument("--autoencoders", type=Path, required=True, help="folder of TAEF2's and VAElight's files")
    parser.add_argument("--runs", type=Path, default=Path("runs/photo-networks"), help="where all this is kept")
    options = parser.parse_args()
    if unknown := set(options.names) - set(EXPERIMENTS):
        parser.error(f"there is no experiment {', '.join(sorted(unknown))}")
    data = Dataset.open(options.data)
    for name in options.names or EXPERIMENTS:
        record = options.runs / name.replace(" ", "-") / "record.json"
        if not record.is_file():
            figures = _run(EXPERIMENTS[name], data, options, record.parent)
            record.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        print(name, json.dumps(json.loads(record.read_text(encoding="utf-8"))["val"]), flush=True)
    rows = {
        name: json.loads(record.read_text(encoding="utf-8"))
        for name in EXPERIMENTS
        if (record := options.runs / name.replace(" ", "-") / "record.json").is_file()
    }
    written = results.write(
        "photo-networks",
        {"measured_on": "val", "pictures": len(data.split("val")), "experiments": rows},
        ("tensorflow-cpu", "keras", "numpy", "pillow"),
    )
    print(f"wrote {written.name}")


def _run(experiment: Experiment, data: Dataset, options: argparse.Namespace, run: Path) -> dict[str, Any]:
    keras = import_keras("tensorflow")
    from fauxto.lab.photos import pixel_network

    keras.utils.set_random_seed(experiment.seed)
    learn, val = data.split("train"), data.split("val")
    cache = options.runs / "windows"
    windows = _train_windows(learn, experiment, cache)
    judges = {name: crops.cached(val, name, partial(_under, name), VAL_WINDOWS, cache) for name in PROTOCOLS}
    known = np.ones(len(learn), bool)
    if experiment.fold is not None:
        folds = GroupKFold(FOLDS).split(learn.labels, groups=learn.rows["source"].to_pylist())
        known[list(folds)[experiment.fold][1]] = False
    batches = _batches(learn, windows, known, experiment.seed, pixel_network.BATCH)
    if experiment.copies:
        pairs = _pairs(learn, experiment, options.autoencoders, cache)
        batches = _half_pairs(batches, pairs, experiment.seed)
    model = pixel_network.lite0(options.lite0) if experiment.network == "lite0" else pixel_network.small()
    started = time.perf_counter()
    losses = pixel_network.train(model, batches, experiment.steps, experiment.learning_rate)
    seconds = time.perf_counter() - started
    scores = {name: pixel_network.scores(model, one.pixels, one.pictures) for name, one in judges.items()}
    kept = {"label": val.labels, "sha256": val.rows["sha256"].to_numpy().astype(str), **scores}
    if experiment.fold is not None:
        held_out = ~known[windows.pictures]
        rows, pixels = windows.pictures[held_out], windows.pixels[np.flatnonzero(held_out)]
        kept |= {"train_row": np.unique(rows), "train_score": pixel_network.scores(model, pixels, rows)}
    run.mkdir(parents=True, exist_ok=True)
    np.savez(run / "scores.npz", **kept)
    model.save(run / "model.keras")
    return {
        **asdict(experiment),
        "parameters": model.count_params(),
        "seconds": round(seconds, 1),
        "losses": [round(one, 3) for one in losses],
        "val": {name: _figures(val, one) for name, one in scores.items()},
    }


def _under(protocol: str, sha256: str, rgb: np.ndarray) -> np.ndarray:
    return PROTOCOLS[protocol](rgb)


def _train_windows(learn: Split, experiment: Experiment, cache: Path) -> Crops:
    if not experiment.delivered:
        return crops.cached(learn, "clean", partial(_under, "clean"), TRAIN_WINDOWS, cache)

    def delivered(sha256: str, rgb: np.ndarray) -> np.ndarray:
        return deliver(rgb, np.random.default_rng((experiment.seed, int(sha256[:8], 16))))

    return crops.cached(learn, f"random-{experiment.seed}", delivered, TRAIN_WINDOWS, cache)


def _batches(learn: Split, windows: Crops, known: np.ndarray, seed: int, size: int) -> Batches:
    """Draw windows by the weights of their pictures."""
    odds = np.where(known, sampling.weights(learn.rows), 0)[windows.pictures]
    odds /= np.bincount(windows.pictures)[windows.pictures]
    labels = learn.labels[windows.pictures]
    for label in (0, 1):
        odds[labels == label] /= 2 * odds[labels == label].sum()

    def batch(step: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = np.sort(np.random.default_rng((seed, step)).choice(len(odds), size, p=odds))
        return windows.pixels[chosen], labels[chosen].astype(np.float32)

    return batch


def _pairs(learn: Split, experiment: Experiment, weights: Path, cache: Path) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return windows of train photographs, and each kind of copies of them."""
    real = np.flatnonzero(learn.labels == 0)
    odds = sampling.weights(learn.rows)[real]
    draws = np.random.default_rng(experiment.seed)
    rows = np.sort(draws.choice(real, PAIRED, replace=False, p=odds / odds.sum()))
    originals = copies.windows(learn, rows, experiment.seed, cache)
    copiers = copies.copiers(weights)
    return originals, [copies.copies(originals, name, copiers[name], cache) for name in experiment.copies]


def _half_pairs(batches: Batches, pairs: tuple[np.ndarray, list[np.ndarray]], seed: int) -> Batches:
    """Replace every second window of a batch by windows and their copies, both sent on with the same draws."""
    originals, kinds = pairs

    def batch(step: int) -> tuple[np.ndarray, np.ndarray]:
        pixels, shares = (part[::2] for part in batches(step))
        draws = np.random.default_rng((seed, step, 1))
        both = []
        for place in draws.choice(len(originals), len(pixels) // 2, replace=False):
            kind, journey = kinds[draws.integers(len(kinds))], draws.integers(2**32)
            both += [copies.sent(one[place], np.random.default_rng(journey)) for one in (originals, kind)]
        return np.concatenate([pixels, both]), np.concatenate([shares, [0, 1] * (len(both) // 2)]).astype(np.float32)

    return batch


def _figures(val: Split, scores: np.ndarray) -> dict[str, float]:
    sources = np.array(val.rows["source"].to_pylist())
    draws = np.random.default_rng(0)
    resampled = [draws.integers(0, len(scores), len(scores)) for _ in range(200)]
    return {
        "auroc": round(float(roc_auc_score(val.labels, scores)), 4),
        "standard_error": round(float(np.std([roc_auc_score(val.labels[one], scores[one]) for one in resampled])), 4),
        "macro_auroc": round(metrics.between_sources(val.labels, scores, sources), 4),
    }


if __name__ == "__main__":
    main()
