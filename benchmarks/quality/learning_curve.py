"""Whether more repositories would help the photo detector: AUROC on val against the number of those learnt.

python -m benchmarks.quality.learning_curve --data data/photos --weights clip_encoder.int8.onnx

A stand-in for whole trainings, which would take days: the encoder stays as it started, and its logistic head is fitted
on all pictures of a random part of train's repositories, several times a size. Val goes through the random degradations
of training too. What is computed of a picture is kept under runs/learning-curve.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import results
from fauxto.lab.backend import import_keras
from fauxto.lab.datasets import Dataset
from fauxto.lab.evaluation.metrics import ranking
from fauxto.lab.recipe import Recipe, recipe_for

SHARES, DRAWS = (0.25, 0.5, 1.0), 5
RECIPE = replace(Recipe.load(recipe_for("clip-vit-b16")), trainable=0, epochs=0, variants=1, averaging=0.0)


def main() -> None:
    """Fit every head, print the table and write results/learning-curve.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the imported photo originals")
    parser.add_argument("--weights", type=Path, required=True, help="the encoder's starting weights")
    parser.add_argument("--cache", type=Path, default=Path("runs/learning-curve"), help="where features are kept")
    options = parser.parse_args()
    keras = import_keras(RECIPE.backend)
    from fauxto.lab import encoder_export, linear_head, networks

    model = networks.of(RECIPE)
    networks.load_starting_weights(RECIPE.network, model, options.weights)
    encoder = encoder_export.export(keras.Model(model.inputs, model.get_layer(linear_head.FEATURES).output))
    dataset = Dataset.open(options.data)
    train, val = dataset.split("train"), dataset.split("val")
    learnt, met = (linear_head.encoder_features(encoder, split, RECIPE, options.cache) for split in (train, val))
    sources, draws = np.unique(train.sources), np.random.default_rng(0)
    rows = []
    for share in SHARES:
        aurocs: list[float] = []
        for _ in range(DRAWS if share < 1 else 1):
            some = np.isin(train.sources, draws.choice(sources, round(share * len(sources)), replace=False))
            head = linear_head.fit(learnt[some], train.labels[some], train.sources[some], RECIPE.head_strength)
            auroc = ranking(val.labels, (met @ head.weights + head.bias).astype(np.float64))["auroc"]
            assert auroc is not None
            aurocs.append(auroc)
        rows.append(
            {
                "repositories": round(share * len(sources)),
                "draws": len(aurocs),
                "auroc": round(float(np.mean(aurocs)), 4),
                "lowest": round(min(aurocs), 4),
                "highest": round(max(aurocs), 4),
            }
        )
        print(rows[-1])
    figures = {"measured_on": "val", "pictures": len(val), "repositories_of_val": len(set(val.sources)), "rows": rows}
    print(f"wrote {results.write('learning-curve', figures, ('keras', 'torch', 'numpy', 'scikit-learn')).name}")


if __name__ == "__main__":
    main()
