"""What each ingredient of the residual network's recipe buys, measured on CIFAKE's val and never on its test.

python -m benchmarks.quality.cifake_ablation --data data/cifake

Every row trains the shipped recipe with one thing changed, all else equal, the seed included. To fit an afternoon it
trains at half width on a quarter of the data for few epochs, so that the rows compare with each other, not with the
bundle. A finished row is kept under runs/ablation and not trained again.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import results
from fauxto.bundles.network import Network
from fauxto.lab import training
from fauxto.lab.datasets import Dataset
from fauxto.lab.degradations.chain import Degradation
from fauxto.lab.recipe import Recipe, recipe_for
from fauxto.lab.run import Run

SHIPPED = Recipe.load(recipe_for("cifake-resnet"))
BASE = replace(SHIPPED, width=0.5, train_share=0.25, epochs=4, flip_averaging=False)
ROWS = {
    "as shipped": BASE,
    "another seed": replace(BASE, seed=BASE.seed + 1),
    "twice the width": replace(BASE, width=1.0),
    "constant learning rate": replace(BASE, schedule="constant", learning_rate=BASE.learning_rate / 2),
    "no label smoothing": replace(BASE, label_smoothing=0.0),
    "no weight decay": replace(BASE, weight_decay=0.0),
    "no shifts": replace(BASE, augmentation=replace(BASE.augmentation, shift=0)),
    "no degradation": replace(BASE, degradation=Degradation()),
    "cutmix on half of the batches": replace(BASE, augmentation=replace(BASE.augmentation, cutmix=0.5)),
}


def main() -> None:
    """Train every row, print the table and write results/cifake-ablation.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the imported CIFAKE data set")
    parser.add_argument("--runs", type=Path, default=Path("runs/ablation"), help="where the runs are kept")
    options = parser.parse_args()
    val = Dataset.open(options.data).split("val")
    rows = {}
    for name, recipe in ROWS.items():
        run = Run(options.runs / name.replace(" ", "-"))
        record = training.train(recipe, options.data, run, resume=True)
        network = Network(run.bundle())
        scores = network.score(list(val.images))
        mirrored = network.score([image[:, ::-1] for image in val.images])
        rows[name] = {
            "accuracy": _accuracy(scores, val.labels),
            "accuracy_flip_averaged": _accuracy(scores + mirrored, val.labels),
            "seconds": record["seconds"],
        }
    standard_error = float(np.sqrt(rows["as shipped"]["accuracy"] * (1 - rows["as shipped"]["accuracy"]) / len(val)))
    figures = {"measured_on": "val", "pictures": len(val), "standard_error": round(standard_error, 4), "rows": rows}
    for name, row in rows.items():
        print(f"{name:32} {row['accuracy']:.4f}   flip-averaged {row['accuracy_flip_averaged']:.4f}")
    print(f"standard error of a row: {standard_error:.4f}")
    print(f"wrote {results.write('cifake-ablation', figures, ('keras', 'torch', 'numpy')).name}")


def _accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    return round(float(np.mean((scores > 0) == (labels == 1))), 4)


if __name__ == "__main__":
    main()
