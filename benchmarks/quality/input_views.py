"""What a trained photo network makes of larger inputs, of fewer patches and of other parts of a picture, on val.

python -m benchmarks.quality.input_views runs/photos --data data/photos

The network's weights stay as they are, its positions are interpolated: a first look at what a training with another
input may be worth. Each input is measured under the three protocols, alone and averaged with each of the others.
Writes results/input-views.json.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks import results
from fauxto import preprocessing
from fauxto.bundles.network import Network
from fauxto.lab.backend import import_keras
from fauxto.lab.datasets import Dataset
from fauxto.lab.degradations.protocols import DELIVERED
from fauxto.lab.evaluation.metrics import ranking
from fauxto.lab.run import Run
from fauxto.preprocessing import View

INPUTS: tuple[tuple[View, int, int], ...] = (
    ("whole", 224, 1),
    ("centre", 224, 1),
    ("whole", 336, 2),
    ("centre", 336, 2),
    ("whole", 448, 3),
    ("centre", 448, 3),
)
"""The part of a picture, the side in pixels, and of how many patches of a row one is seen."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Score val by every input, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a finished run")
    parser.add_argument("--data", type=Path, required=True, help="the imported photo originals")
    parser.add_argument("--sample", type=int, help="so many pictures, evenly spread; all without it")
    options = parser.parse_args(arguments)
    run, val = Run(options.run), Dataset.open(options.data).split("val")
    import_keras(run.recipe.backend)
    networks = [_network(run, *each) for each in INPUTS]
    rows = np.linspace(0, len(val) - 1, min(options.sample or len(val), len(val))).astype(int)
    seconds = np.zeros(len(INPUTS))

    def score(row: int) -> NDArray[np.float64]:
        rgb, table = val.images[row], np.empty((len(DELIVERED), len(INPUTS)))
        for number, protocol in enumerate(DELIVERED):
            seen = protocol.apply(rgb, np.random.default_rng(row))
            for place, network in enumerate(networks):
                started = time.thread_time()
                table[number, place] = network.score([seen])[0]
                seconds[place] += time.thread_time() - started
        return table

    with ThreadPoolExecutor() as pool:
        scores = np.stack(list(track(pool.map(score, rows), "scoring val", total=len(rows))))
    labels = val.labels[rows]
    groups = [(place,) for place in range(len(INPUTS))] + list(combinations(range(len(INPUTS)), 2))
    table = [
        {
            "inputs": [f"{view} at {side} px, one patch of {step}" for view, side, step in (INPUTS[i] for i in group)],
            "milliseconds": round(1000 * float(seconds[list(group)].sum()) / len(rows) / len(DELIVERED), 1),
            **{
                protocol.name: round(ranking(labels, scores[:, number, list(group)].mean(axis=1))["auroc"], 4)
                for number, protocol in enumerate(DELIVERED)
            },
        }
        for group in groups
    ]
    for line in table:
        print(line)
    figures = {"network_sha256": run.network_sha256, "pictures": len(rows), "table": table}
    print(f"wrote {results.write('input-views', figures, ('keras', 'torch', 'numpy', 'onnxruntime')).name}")


def _network(run: Run, view: View, side: int, step: int) -> Network:
    """Return the network of a run as it would be with another input."""
    from fauxto.lab import averaging, encoder_export, networks

    model = networks.of(replace(run.recipe, image_size=side, patch_step=step))
    averaging.average(model, [run], own=False)
    bundle = run.bundle(calibrated=False)
    seen = preprocessing.Input((view,), 0, side, side, bundle.input.scale, bundle.input.mean, bundle.input.std)
    return Network(replace(bundle, model=encoder_export.export(model), input=seen, families={}), threads=1)


if __name__ == "__main__":
    main()
