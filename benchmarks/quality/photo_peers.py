"""The photo detector and sahu65 1.1.0 on the same test pictures, under the same protocols.

python -m benchmarks.quality.photo_peers --data data/photos --run runs/photos --peer VENV [--split test] [--sample N]

`--peer` names a virtual environment in which sahu65 1.1.0 is installed. It judges at its shipped threshold and at .5,
we at .5 and at `balanced`; scores that `fauxto evaluate runs/photos` has left in the run's cache aren't computed again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from benchmarks import results
from fauxto import bundles
from fauxto.lab.datasets import Dataset, Split
from fauxto.lab.degradations.protocols import DELIVERED
from fauxto.lab.evaluation.scores import score
from fauxto.lab.run import Run

_SCRIPT = """
import sys
from sahu65.config import get_settings, load_thresholds
from sahu65.local import LocalDetector
detector = LocalDetector().warm()
print(load_thresholds(get_settings().config_dir)["T_hi"], flush=True)
for line in sys.stdin:
    with open(line.rstrip("\\n"), "rb") as file:
        print(detector.detect_bytes(file.read()).ai_probability, flush=True)
"""


def main() -> None:
    """Judge every test picture with the peer, set ours beside, and write results/photo-peers-SPLIT.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the data set of whole pictures")
    parser.add_argument("--run", type=Path, required=True, help="the run of the bundle, or any folder")
    parser.add_argument("--peer", type=Path, required=True, help="virtual environment of sahu65")
    parser.add_argument("--split", default="test")
    parser.add_argument("--sample", type=int, help="so many pictures, evenly spread; all without it")
    options = parser.parse_args()
    pictures = Dataset.open(options.data).split(options.split)
    bundle = bundles.load("photos")
    count = min(options.sample or len(pictures), len(pictures))
    rows = np.linspace(0, len(pictures) - 1, count).astype(int)
    ours = [under.of(rows) for under in score(bundle, pictures, DELIVERED, Run(options.run).cache)]
    threshold, theirs = _peer(pictures, rows, options.peer)
    labels = pictures.labels[rows]
    balanced = bundle.operating_points["balanced"].ai_above
    figures: dict[str, Any] = {"split": options.split, "pictures": count, "protocols": {}}
    for number, under in enumerate(ours):
        probabilities = bundle.calibration.probability(under.score)
        figures["protocols"][under.protocol.name] = {
            "fauxto": _row(labels, probabilities, {"at .5": 0.5, "at balanced": balanced}),
            "sahu65": _row(labels, theirs[number :: len(ours)], {"at .5": 0.5, "as shipped": threshold}),
        }
    print(json.dumps(figures, indent=1))
    print(f"wrote {results.write(f'photo-peers-{options.split}', figures, ('onnxruntime', 'numpy', 'pillow')).name}")


def _row(labels: np.ndarray, probabilities: np.ndarray, thresholds: dict[str, float]) -> dict[str, Any]:
    return {
        "auroc": round(float(roc_auc_score(labels, probabilities)), 4),
        **{
            f"balanced accuracy {name}": round(float(balanced_accuracy_score(labels, probabilities >= at)), 4)
            for name, at in thresholds.items()
        },
        **{
            f"real called ai {name}": round(float(np.mean(probabilities[labels == 0] >= at)), 4)
            for name, at in thresholds.items()
        },
    }


def _peer(pictures: Split, rows: NDArray[np.int64], venv: Path) -> tuple[float, np.ndarray]:
    """Return the peer's threshold, and its probability of each picture under each protocol."""
    with (
        tempfile.TemporaryDirectory() as temporary,
        subprocess.Popen(
            [venv / "bin/python", "-c", _SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as peer,
    ):
        asked, answers = peer.stdin, peer.stdout
        assert asked is not None
        assert answers is not None
        threshold = float(answers.readline())
        probabilities = []
        for path in _delivered(pictures, rows, Path(temporary)):
            asked.write(f"{path}\n")
            asked.flush()
            probabilities.append(float(answers.readline()))
        asked.close()
    return threshold, np.array(probabilities)


def _delivered(pictures: Split, rows: NDArray[np.int64], folder: Path) -> Iterator[Path]:
    """Write each picture under each protocol, without loss, and hand its path out; the next one replaces it."""
    for row in rows:
        rgb, draws = pictures.images[row], np.random.default_rng(0)
        for protocol in DELIVERED:
            path = folder / "picture.png"
            Image.fromarray(protocol.apply(rgb, draws)).save(path, compress_level=1)
            yield path


if __name__ == "__main__":
    main()
