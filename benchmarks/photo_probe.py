"""What the photo detector's tower tells of sources never met, by depth, by part and by how the head is fitted.

python -m benchmarks.photo_probe --data data/photos --tower clip_encoder.int8.onnx

Measured on val under the three protocols, and on train repositories that are held out in turn; never on test. So that
it fits into a coffee break, the heads are fitted on every third train picture: rows compare with each other, not with
the bundle. With `--networks`, the folder that benchmarks.photo_networks has left, it also sums the tower's scores with
those of each network that looks at pixels. The last figures say whether the tower tells families of generators apart.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from fauxto.lab.photos import clip, head, sampling
from fauxto.lab.photos.building import Recipe
from fauxto.lab.photos.delivery import PROTOCOLS
from fauxto.lab.photos.features import at_random, features
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks import results
from fauxto.lab.datasets import Dataset, Split
from fauxto.lab.datasets.pictures import FileRows
from fauxto.lab.evaluation import metrics

EVERY = 3
DEPTHS = (6, 8, 10, 12)
PARTS = ("class token", "mean", "deviation")
SHIPPED = Recipe()


@dataclass(frozen=True, slots=True)
class Probe:
    """What one row of the table changes.

    Attributes:
        depths: After which blocks the head looks.
        parts: At what of the tokens.
        strength: Inverse of its penalty.
        delivered: Whether training pictures went through a random delivery, or are as found.
        balanced: Whether training pictures weigh by format, quality and size as well as by source.
    """

    depths: tuple[int, ...] = (SHIPPED.depth,)
    parts: tuple[str, ...] = PARTS[:1]
    strength: float = SHIPPED.strength
    delivered: bool = True
    balanced: bool = False


AS_SHIPPED = Probe()
PROBES = {
    "as shipped": AS_SHIPPED,
    **{f"after block {depth}": replace(AS_SHIPPED, depths=(depth,)) for depth in DEPTHS if depth != SHIPPED.depth},
    **{f"after block {depth}, patches too": Probe((depth,), PARTS) for depth in (8, 10)},
    "after blocks 8 and 10": replace(AS_SHIPPED, depths=(8, 10)),
    "after blocks 6, 8, 10 and 12, patches too": Probe(DEPTHS, PARTS),
    "a tenth of the strength": replace(AS_SHIPPED, strength=SHIPPED.strength / 10),
    "ten times the strength": replace(AS_SHIPPED, strength=SHIPPED.strength * 10),
    "without delivery": replace(AS_SHIPPED, delivered=False),
    "balanced by file facts": replace(AS_SHIPPED, balanced=True),
}

FAMILIES = {
    "OpenAI": ("gpt-",),
    "open diffusion models": ("auraflow", "chroma", "flux", "hidream", "hunyuan", "lumina", "omnigen", "sd", "stable-"),
}
"""Families of which several repositories of train and val hold pictures, by how their generators' names begin."""


def main() -> None:
    """Fit every probe, print the table and write results/photo-probe.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the data set of whole pictures")
    parser.add_argument("--tower", type=Path, required=True, help="ONNX file of CLIP ViT-B/16's image tower")
    parser.add_argument("--runs", type=Path, default=Path("runs/photo-probe"), help="where features are kept")
    parser.add_argument("--networks", type=Path, help="the folder that benchmarks.photo_networks has left")
    options = parser.parse_args()
    data = Dataset.open(options.data)
    network = clip.statistics_network(clip.read_weights(options.tower), DEPTHS)
    learn, val = _thinned(data.split("train")), data.split("val")
    train = {
        True: features(learn, at_random(SHIPPED.seed), f"every-{EVERY}-random", network, options.runs),
        False: features(learn, lambda _, rgb: rgb, f"every-{EVERY}-as-found", network, options.runs),
    }
    asked = {
        name: features(val, lambda _, rgb, deliver=deliver: deliver(rgb), name, network, options.runs)
        for name, deliver in PROTOCOLS.items()
    }
    rows = {name: _measure(probe, learn, train[probe.delivered], val, asked) for name, probe in PROBES.items()}
    shipped = _scores(AS_SHIPPED, learn, train[True], asked)
    fused = {
        f"as shipped, summed with: {name}": _on_val(
            val, {one: _unit(shipped[one]) + _unit(theirs[one]) for one in shipped}
        )
        for name, theirs in _networks(options.networks, val)
    }
    figures = {
        "measured_on": "val, and train repositories held out in turn",
        "train_pictures": len(learn),
        "val_pictures": len(val),
        "rows": rows | fused,
        "families": _families(learn, train[True], val, asked["clean"]),
    }
    for name, row in (rows | fused).items():
        print(f"{name:60}", *(f"{key} {value:.3f}" for key, value in row.items()))
    print(figures["families"])
    print(f"wrote {results.write('photo-probe', figures, ('onnxruntime', 'scikit-learn', 'numpy', 'pillow')).name}")


def _thinned(split: Split) -> Split:
    kept = np.arange(0, len(split), EVERY)
    hashes = split.rows["sha256"].to_pylist()
    images = FileRows([split.images.files[row] for row in kept], [hashes[row] for row in kept])
    return Split(split.name, images, split.labels[kept], split.rows.take(kept), split.leaked[kept])


def _columns(probe: Probe) -> np.ndarray:
    wanted = [DEPTHS.index(depth) * len(PARTS) + PARTS.index(part) for depth in probe.depths for part in probe.parts]
    return np.concatenate([np.arange(one * clip.CHANNELS, (one + 1) * clip.CHANNELS) for one in wanted])


def _sources(split: Split) -> np.ndarray:
    return np.array(split.rows["source"].to_pylist())


def _scores(probe: Probe, learn: Split, seen: np.ndarray, asked: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the scores of val under each protocol."""
    columns = _columns(probe)
    fitted = head.fit(seen[:, columns], learn.labels, _sources(learn), probe.strength, _weights(probe, learn))
    return {name: head.score(fitted, one[:, columns]) for name, one in asked.items()}


def _measure(
    probe: Probe, learn: Split, seen: np.ndarray, val: Split, asked: dict[str, np.ndarray]
) -> dict[str, float]:
    columns = _columns(probe)
    held_out = head.held_out_scores(
        seen[:, columns], learn.labels, _sources(learn), probe.strength, _weights(probe, learn)
    )
    return {
        **_on_val(val, _scores(probe, learn, seen, asked)),
        "held out, between sources": metrics.between_sources(learn.labels, held_out, _sources(learn)),
    }


def _weights(probe: Probe, learn: Split) -> np.ndarray | None:
    return sampling.weights(learn.rows) if probe.balanced else None


def _on_val(val: Split, scores: dict[str, np.ndarray]) -> dict[str, float]:
    return {
        **{name: metrics.ranking(val.labels, one)["auroc"] for name, one in scores.items()},
        "between sources": metrics.between_sources(val.labels, scores["clean"], _sources(val)),
    }


def _unit(scores: np.ndarray) -> np.ndarray:
    return (scores - scores.mean()) / scores.std()


def _networks(folder: Path | None, val: Split) -> Iterable[tuple[str, dict[str, np.ndarray]]]:
    """Yield the name and the val scores of each finished network, in the order of `val`."""
    for file in sorted(folder.glob("*/scores.npz")) if folder else ():
        with np.load(file) as stored:
            rows = {sha256: row for row, sha256 in enumerate(stored["sha256"])}
            order = [rows[sha256] for sha256 in val.rows["sha256"].to_pylist()]
            yield file.parent.name.replace("-", " "), {name: stored[name][order] for name in PROTOCOLS}


def _families(learn: Split, seen: np.ndarray, val: Split, asked: np.ndarray) -> dict[str, Any]:
    """Return how well a head tells two families of generators apart on repositories it has not met; .5 is chance."""
    columns = _columns(AS_SHIPPED)
    known, told = _family(learn), _family(val)
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=SHIPPED.strength, class_weight="balanced", max_iter=500)
    )
    model.fit(seen[known >= 0][:, columns], known[known >= 0])
    guesses = model.predict(asked[told >= 0][:, columns])
    return {
        "families": list(FAMILIES),
        "train_pictures": [int(np.sum(known == one)) for one in range(len(FAMILIES))],
        "val_pictures": [int(np.sum(told == one)) for one in range(len(FAMILIES))],
        "balanced_accuracy_on_val": round(float(balanced_accuracy_score(told[told >= 0], guesses)), 4),
    }


def _family(split: Split) -> np.ndarray:
    """Return each picture's family by number, -1 where it is of none."""
    return np.array(
        [
            next((number for number, names in enumerate(FAMILIES.values()) if (one or "").startswith(names)), -1)
            for one in split.rows["generator"].to_pylist()
        ]
    )


if __name__ == "__main__":
    main()
