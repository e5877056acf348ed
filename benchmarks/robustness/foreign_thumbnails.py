"""How often the models for thumbnails accuse photographs that aren't CIFAKE's.

python -m benchmarks.robustness.foreign_thumbnails --data data/photos

Takes a few whole pictures of every val source of the photo data, shrinks their middle square to 32 px, and asks both
models, whose thresholds were chosen on CIFAKE's val and, as their bundles say, on other photographs of train.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import results
from fauxto import bundles
from fauxto.bundles.network import Network
from fauxto.lab.datasets import Dataset
from fauxto.lab.evaluation import metrics
from fauxto.lab.thumbnails import thumbnails

SIDE = 32
MODELS = ("cifake-resnet", "paper-cnn")


def main() -> None:
    """Judge the thumbnails, print the table and write results/foreign-thumbnails.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the data set of whole pictures")
    pictures, labels = thumbnails(Dataset.open(parser.parse_args().data).split("val"), SIDE)
    figures: dict[str, Any] = {
        "real": int(np.sum(labels == 0)),
        "ai": int(np.sum(labels == 1)),
        "models": {name: _judged(bundles.load(name), pictures, labels) for name in MODELS},
    }
    print(figures)
    print(f"wrote {results.write('foreign-thumbnails', figures, ('onnxruntime', 'numpy', 'pillow')).name}")


def _judged(bundle: bundles.Bundle, pictures: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    network = Network(bundle)
    judged = network.judge([network.views(rgb) for rgb in pictures])
    unlike = bundle.domain.unlike(judged.unlikeness)
    probabilities = np.where(unlike, 0.0, bundle.calibration.probability(judged.scores))
    return {
        "auroc": metrics.ranking(labels, judged.scores)["auroc"],
        "real_refused": round(float(np.mean(unlike[labels == 0])), 4),
        "real_called_ai": {
            name: round(float(np.mean(probabilities[labels == 0] >= point.ai_above)), 4)
            for name, point in bundle.operating_points.items()
        },
    }


if __name__ == "__main__":
    main()
