"""metrics.json: how good a bundle's model was measured to be, as data that cards, pages and reports draw from.

`Metrics` mirrors the file key by key; docs/reference/bundle.md is the same for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal


@dataclass(frozen=True, slots=True)
class Share:
    """A share of pictures in [0, 1] with its 95 % interval; None where there was no picture to take a share of.

    The interval comes from a bootstrap over sources where there are at least ten, since pictures of one source resemble
    each other; else it is Wilson's over pictures.
    """

    value: float | None
    low: float | None
    high: float | None

    def __post_init__(self) -> None:
        if any(share is not None and not 0 <= share <= 1 for share in (self.value, self.low, self.high)):
            raise ValueError("value, low and high must be 0 to 1")


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the verdicts at one operating point were, everything included that the runtime does.

    Attributes:
        fpr: Photographs called ai.
        cleared: Photographs called real.
        tpr: Generated pictures called ai.
        missed: Generated pictures called real.
        inconclusive: Pictures of either label without a verdict.
    """

    fpr: Share
    cleared: Share
    tpr: Share
    missed: Share
    inconclusive: Share


@dataclass(frozen=True, slots=True)
class Measurement:
    """Figures of merit on some pictures; None where the pictures leave one undefined.

    Attributes:
        name: Which pictures, or under which protocol.
        real: Number of photographs.
        ai: Number of generated pictures.
        auroc: Area under the ROC curve, with its interval.
        accuracy: At a probability of .5, as are the next three.
        balanced_accuracy: Mean of both labels' recalls.
        fpr: Photographs at .5 and above.
        tpr: Generated pictures at .5 and above.
        ece: Expected calibration error.
        verdicts: By operating point.
    """

    name: str
    real: int
    ai: int
    auroc: Share
    accuracy: float
    balanced_accuracy: float | None
    fpr: float | None
    tpr: float | None
    ece: float
    verdicts: Mapping[str, Verdicts]

    @property
    def count(self) -> int:
        """Number of pictures."""
        return self.real + self.ai


@dataclass(frozen=True, slots=True)
class Bin:
    """The pictures whose probability lies in [low, high): how many, their mean probability, the share that is AI."""

    low: float
    high: float
    count: int
    probability: float | None
    share_ai: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured on one split of one data set.

    Attributes:
        dataset: Its name.
        split: The split's.
        use: What else the split served for: "training", "tuning" (of probabilities and thresholds), or nothing: "test".
        sources: Number of sources that the pictures are from.
        protocols: One measurement under each protocol, `clean` first.
        groups: By what divides the pictures ("source", "generator", "format", ...) the groups' measurements, as found.
        robustness: Accuracy at .5 of a sample of the pictures under one degradation at a time, by its name; empty where
            that wasn't measured.
        reliability: Of the probability, on all protocols.
        real_scores: Share of the photographs that score at least so high, under `clean`: score to share.
    """

    dataset: str
    split: str
    use: Literal["training", "tuning", "test"]
    sources: int
    protocols: tuple[Measurement, ...]
    groups: Mapping[str, tuple[Measurement, ...]]
    robustness: Mapping[str, float]
    reliability: tuple[Bin, ...]
    real_scores: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not self.protocols:
            raise ValueError("protocols must have an entry")
        if not all(low < high for (low, _), (high, _) in pairwise(self.real_scores)):
            raise ValueError("real_scores must rise in score from entry to entry")
        if not all(0 < share <= 1 for _, share in self.real_scores):
            raise ValueError("real_scores must have shares above 0 and at most 1")
        if not all(more > fewer for (_, more), (_, fewer) in pairwise(self.real_scores)):
            raise ValueError("real_scores must fall in share from entry to entry")


@dataclass(frozen=True, slots=True)
class Metrics:
    """metrics.json.

    Attributes:
        version: Of this form.
        evaluations: One for each split that was measured.
    """

    version: Literal[1]
    evaluations: tuple[Evaluation, ...]

    @property
    def test(self) -> Evaluation | None:
        """The last evaluation on pictures that neither training nor tuning has met: what people are to be shown."""
        return next((measured for measured in reversed(self.evaluations) if measured.use == "test"), None)
