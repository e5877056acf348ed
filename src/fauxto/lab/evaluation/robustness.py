"""How a network holds up when pictures are saved again, blurred, scaled, greyed or cropped on their way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from fauxto.errors import DatasetError
from fauxto.lab import corruptions
from fauxto.lab.calibration import UNCALIBRATED, RunCalibration
from fauxto.lab.corruptions import Pixels
from fauxto.lab.datasets import Dataset
from fauxto.lab.evaluation import metrics
from fauxto.lab.evaluation.results import subject
from fauxto.lab.evaluation.scores import predict


@dataclass(frozen=True, slots=True)
class Corruption:
    """One kind of damage at one severity, both named for the reader of a table.

    Attributes:
        name: The kind.
        severity: How much of it.
        apply: From uint8 [H, W, 3] to uint8 [h, w, 3], mostly of the same size (the network's preprocessing resizes
            what isn't of its own); what it leaves to chance comes from the generator.
    """

    name: str
    severity: str
    apply: Callable[[Pixels, np.random.Generator], Pixels]


def _noise(rgb: Pixels, rng: np.random.Generator, sigma: float) -> Pixels:
    return corruptions.noise(rgb, sigma, rng)


def _crop(rgb: Pixels, rng: np.random.Generator, share: float) -> Pixels:
    return corruptions.crop(rgb, share, *rng.random(2))


def _fixed(function: Callable[..., Pixels], *severity: float) -> Callable[[Pixels, np.random.Generator], Pixels]:
    """Wrap a corruption that leaves nothing to chance."""
    return lambda rgb, rng: function(rgb, *severity)


UNTOUCHED = Corruption("none", "–", _fixed(lambda rgb: rgb))

CORRUPTIONS = (
    *(Corruption("JPEG", f"q{q}", _fixed(corruptions.jpeg, q)) for q in (95, 75, 60, 40, 30)),
    *(Corruption("WebP", f"q{q}", _fixed(corruptions.webp, q)) for q in (80, 50)),
    *(Corruption("blur", f"σ {sigma} px", _fixed(corruptions.blur, sigma)) for sigma in (0.5, 1.0)),
    *(Corruption("noise", f"σ {sigma} of 255", partial(_noise, sigma=sigma)) for sigma in (4, 8, 16)),
    *(Corruption("down and up", f"{part:.0%}", _fixed(corruptions.rescale, part)) for part in (0.75, 0.5)),
    *(Corruption("enlarged", f"to {side} px", _fixed(corruptions.enlarge, side)) for side in (48, 64)),
    Corruption("greyscale", "whole", _fixed(corruptions.greyscale)),
    *(Corruption("crop", f"{part:.0%} of each side", partial(_crop, share=part)) for part in (0.9, 0.75)),
)


class Corrupted(Sequence[Pixels]):
    """Chosen pictures, damaged when they are read: always in the same way for the same seed."""

    def __init__(
        self,
        pictures: Sequence[Pixels] | Pixels,
        chosen: NDArray[np.int64],
        corruption: Corruption,
        seed: int,
    ) -> None:
        self._pictures, self._chosen = pictures, chosen
        self._corruption, self._seed = corruption, seed

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, index: int) -> Pixels:
        place = int(self._chosen[index])
        return self._corruption.apply(self._pictures[place], np.random.default_rng([self._seed, place]))


def measure_robustness(
    run: Path, dataset: Dataset, split: str, *, sample: int = 4_000, seed: int = 1
) -> dict[str, Any]:
    """Score a sample of a split as it is, and under every one of `CORRUPTIONS`.

    Args:
        run: The run folder; its calibration.json is used where there is one.
        dataset: The data set to measure on.
        split: "train", "val" or "test"; pictures that leaked from training are left out.
        sample: How many pictures, chosen at random; all of them where there are no more.
        seed: Of the choice and of the corruptions: the same seed gives every run the same pictures.

    Returns:
        `subject` as in `results`, `count`, `seed`, and `rows`, one `metrics.summary` with `corruption` and
        `severity` for each, the first one for the untouched pictures.

    Raises:
        DatasetError: Every picture leaked.
        FauxtoError: The run has no network, or its calibration belongs to another one.
    """
    pictures = dataset.split(split)
    fresh = np.flatnonzero(~pictures.leaked)
    if not len(fresh):
        raise DatasetError(f"every picture of {split!r} in {dataset.name} also stands in an earlier split")
    chosen = np.sort(np.random.default_rng(seed).permutation(fresh)[:sample])
    calibrated = RunCalibration.read(run)
    calibration = calibrated.calibration if calibrated else UNCALIBRATED
    rows = []
    for corruption in track((UNTOUCHED, *CORRUPTIONS), "Corruptions", transient=True):
        scores = predict(run, Corrupted(pictures.images, chosen, corruption, seed))
        rows.append(
            {
                "corruption": corruption.name,
                "severity": corruption.severity,
                **metrics.summary(pictures.labels[chosen], calibration.probability(scores)),
            }
        )
    return {
        "subject": subject(run, dataset, split, calibrated),
        "count": len(chosen),
        "seed": seed,
        "rows": rows,
    }
