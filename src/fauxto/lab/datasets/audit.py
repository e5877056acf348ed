"""What could make a result on a data set look better than it is: duplicates, imbalance, and shortcuts.

A shortcut is a fact about the files, not about how a picture came to be, from which the label follows all the
same (R. Geirhos et al., "Shortcut Learning in Deep Neural Networks", Nature Machine Intelligence 2, 2020). It
is measured by how well a small model tells the labels apart that sees this fact and nothing else.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score
from threadpoolctl import threadpool_limits

from fauxto.lab.datasets.manifest import LABELS, Dataset
from fauxto.lab.datasets.splitting import SPLITS

SAMPLE_ROWS = 20_000
FOLDS = 5
WEAK_FROM, STRONG_FROM = 0.6, 0.75
"""Cross-validated AUROC from which a shortcut is called weak, and strong."""

_SEED = 0
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Pictures with exactly equal size and pixels.

    Attributes:
        groups: Sets of two or more equal pictures.
        surplus: Split name to the number of its pictures that repeat one of the same split.
        across: "train, test" and so on to the number of the second split's pictures that also stand in the
            first.
        both_labels: Sets of equal pictures that carry both labels.
        examples: Paths of some sets, those that cross splits first.
    """

    groups: int
    surplus: Mapping[str, int]
    across: Mapping[str, int]
    both_labels: int
    examples: list[list[str]]


@dataclass(frozen=True, slots=True)
class Shortcut:
    """How far one kind of fact gives the label away.

    Attributes:
        facts: What the small model saw.
        auroc: Its cross-validated AUROC; 0.5 is chance.
        verdict: "no shortcut", "weak" or "strong".
        meaning: One or two sentences for a person.
    """

    facts: str
    auroc: float
    verdict: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Audit:
    """The findings on one data set.

    Attributes:
        dataset: Its name.
        balance: Split name to label to number of pictures.
        duplicates: Exact duplicates.
        shortcuts: One entry a kind of fact, the last for all of them together; empty where a label has too
            few pictures.
        sampled: Number of pictures on which the shortcuts were measured.
    """

    dataset: str
    balance: Mapping[str, Mapping[str, int]]
    duplicates: Duplicates
    shortcuts: list[Shortcut]
    sampled: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists, strings and numbers, ready for `json.dumps`."""
        return dataclasses.asdict(self)


def audit(dataset: Dataset) -> Audit:
    """Audit every split of a data set; the shortcuts on a seeded sample of at most `SAMPLE_ROWS` pictures."""
    sample = _draw_sample(dataset)
    return Audit(
        dataset=dataset.name,
        balance=dataset.description["counts"],
        duplicates=find_duplicates(dataset),
        shortcuts=_measure_shortcuts(sample),
        sampled=len(sample.labels),
    )


def find_duplicates(dataset: Dataset) -> Duplicates:
    """Find pictures with equal pixels, within splits and across them."""
    columns = dataset.manifest.select(["path", "split", "label", "pixel_sha256"]).to_pydict()
    paths, splits, labels = (np.array(columns[name]) for name in ("path", "split", "label"))
    _, group, sizes = np.unique(columns["pixel_sha256"], return_inverse=True, return_counts=True)
    groups_of = {split: group[splits == split] for split in dataset.splits}
    repeated = np.flatnonzero(sizes > 1)
    pairs = np.unique(np.stack([group, np.unique(splits, return_inverse=True)[1]]), axis=1)
    splits_spanned = np.bincount(pairs[0])
    shown = sorted(repeated, key=lambda number: -splits_spanned[number])[:_EXAMPLES]
    return Duplicates(
        groups=len(repeated),
        surplus={split: len(groups) - len(np.unique(groups)) for split, groups in groups_of.items()},
        across={
            f"{first}, {second}": int(np.isin(groups_of[second], groups_of[first]).sum())
            for first in dataset.splits
            for second in dataset.splits
            if SPLITS.index(first) < SPLITS.index(second)
        },
        both_labels=len(np.intersect1d(group[labels == LABELS[0]], group[labels == LABELS[1]])),
        examples=[sorted(paths[group == number].tolist()) for number in shown],
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """Pictures on which the shortcuts are measured: bool labels [N], each kind of fact float64 [N, any]."""

    labels: NDArray[np.bool_]
    facts: Mapping[str, NDArray[np.float64]]


_ADVICE = {
    "file format": "Store both labels in the same format before training and testing.",
    "JPEG quality and tables": "Re-encode both labels alike, or vary the quality at random in training.",
    "size and shape": "Cut windows of one size, at native resolution, from both labels.",
    "mean colour": "Vary the colours in training, and report results on pictures matched for colour too.",
    "greyness": "Turn pictures grey at random in training, and report results on grey pictures too.",
    "all of the above": "Report results on a set that is matched for these facts, too.",
}


def _draw_sample(dataset: Dataset) -> _Sample:
    # One of each set of equal pictures: recognising a picture again is not a shortcut.
    distinct = np.unique(dataset.manifest["pixel_sha256"].to_numpy(), return_index=True)[1]
    chosen = np.random.default_rng(_SEED).permutation(distinct)[:SAMPLE_ROWS]
    rows = dataset.manifest.take(np.sort(chosen))
    width, height = (rows[name].to_numpy().astype(float) for name in ("width", "height"))
    colours = np.stack([_colour_facts(rgb) for rgb in dataset.images(rows)])
    quality = rows["jpeg_quality"].fill_null(0).to_numpy().astype(float)
    facts = {
        "file format": _codes(rows["format"].to_pylist())[:, None],
        "JPEG quality and tables": np.stack([quality, _codes(rows["jpeg_tables"].to_pylist())], axis=1),
        "size and shape": np.stack([width, height, width * height, width / height], axis=1),
        "mean colour": colours[:, :3],
        "greyness": colours[:, 3:],
    }
    return _Sample(
        labels=rows["label"].to_numpy() == LABELS[1],
        facts=facts | {"all of the above": np.concatenate(list(facts.values()), axis=1)},
    )


def _colour_facts(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the mean of red, green and blue, then the mean and 95th percentile of the channels' spread."""
    spread = np.ptp(rgb, axis=2)
    return np.array([*rgb.mean(axis=(0, 1)), spread.mean(), np.percentile(spread, 95)])


def _codes(words: list[str | None]) -> NDArray[np.float64]:
    """Number the words by how often they occur, the commonest first, so that a tree can single out each one."""
    places = {word: place for place, (word, _) in enumerate(Counter(words).most_common())}
    return np.array([places[word] for word in words], dtype=float)


def _measure_shortcuts(sample: _Sample) -> list[Shortcut]:
    folds = min(FOLDS, *np.bincount(sample.labels, minlength=2))
    if folds < 2:
        return []
    splitter = StratifiedKFold(folds, shuffle=True, random_state=_SEED)
    model = HistGradientBoostingClassifier(max_iter=30, learning_rate=0.2, max_leaf_nodes=15, random_state=_SEED)
    shortcuts = []
    with threadpool_limits(1):  # fits of milliseconds: waking more threads costs many times what they save
        for name, facts in sample.facts.items():
            scores = cross_val_score(model, facts, sample.labels, cv=splitter, scoring="roc_auc")
            shortcuts.append(_judge(name, float(scores.mean())))
    return shortcuts


def _judge(facts: str, auroc: float) -> Shortcut:
    if auroc < WEAK_FROM:
        meaning = f"From {facts} alone, one could about as well toss a coin."
        return Shortcut(facts, auroc, "no shortcut", meaning)
    meaning = (
        f"From {facts} alone, one ranks an AI picture above a photograph {100 * auroc:.0f} % of the time, without "
        f"having seen a trace of a generator. {_ADVICE[facts]}"
    )
    return Shortcut(facts, auroc, "weak" if auroc < STRONG_FROM else "strong", meaning)
