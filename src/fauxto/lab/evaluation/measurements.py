"""The typed part of the results: what the bundle's metrics.json tells people's tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fauxto.bundles.bundle import Bundle, ScoreQuantiles
from fauxto.bundles.metrics import Bin, Evaluation, Measurement, Share, Verdicts
from fauxto.lab.datasets import Split
from fauxto.lab.evaluation import metrics
from fauxto.lab.evaluation.intervals import Intervals
from fauxto.lab.evaluation.scores import Scores
from fauxto.report import Verdict

_FPR_LEVELS = (1, 0.9, 0.75, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005)


def evaluation(
    bundle: Bundle,
    dataset: str,
    pictures: Split,
    scores: Sequence[Scores],
    use: Literal["training", "tuning", "test"],
) -> Evaluation:
    """Measure a bundle under every protocol, and group by group under the first.

    Args:
        bundle: Whose calibration and thresholds count.
        dataset: The data set's name.
        pictures: The split.
        scores: One of each protocol, `clean` first.
        use: What else the split served for.
    """
    labels, sources = pictures.labels, pictures.sources
    intervals = Intervals(sources)
    clean = scores[0]
    quantiles = score_quantiles(clean.score[labels == 0]) if (labels == 0).any() else None
    everything = np.concatenate([bundle.calibration.probability(under.score) for under in scores])
    return Evaluation(
        dataset=dataset,
        split=pictures.name,
        use=use,
        sources=len(np.unique(sources)),
        protocols=tuple(measurement(under.protocol.name, bundle, labels, under, intervals) for under in scores),
        groups={
            title: tuple(
                measurement(name, bundle, labels[rows], clean.of(rows), Intervals(sources[rows], resamples=100))
                for name, rows in _parts(column)
            )
            for title, column in _columns(pictures).items()
            if any(name is not None for name in column)
        },
        robustness={},
        reliability=tuple(Bin(**entry) for entry in metrics.reliability(np.tile(labels, len(scores)), everything)),
        real_scores=tuple(zip(quantiles.score, quantiles.fpr, strict=True)) if quantiles else (),
    )


def measurement(
    name: str, bundle: Bundle, labels: NDArray[np.int64], scores: Scores, intervals: Intervals
) -> Measurement:
    """Measure N pictures with labels [N]."""
    real, ai = labels == 0, labels == 1
    verdicts = {point_name: scores.verdicts(bundle, point) for point_name, point in bundle.operating_points.items()}
    summary = metrics.summary(labels, bundle.calibration.probability(scores.score))
    return Measurement(
        name=name,
        real=int(real.sum()),
        ai=int(ai.sum()),
        auroc=intervals.auroc(labels, scores.score) if summary["auroc"] is not None else Share(None, None, None),
        accuracy=summary["accuracy"],
        balanced_accuracy=summary["balanced_accuracy"],
        fpr=summary["fpr"],
        tpr=summary["tpr"],
        ece=summary["ece"],
        verdicts={
            point_name: Verdicts(
                fpr=intervals.share(given == Verdict.AI, real),
                cleared=intervals.share(given == Verdict.REAL, real),
                tpr=intervals.share(given == Verdict.AI, ai),
                missed=intervals.share(given == Verdict.REAL, ai),
                inconclusive=intervals.share(given == Verdict.INCONCLUSIVE, real | ai),
            )
            for point_name, given in verdicts.items()
        },
    )


def _columns(pictures: Split) -> Mapping[str, list[str | None]]:
    """Return what divides the pictures into groups, by title: a name a picture, or None."""
    rows = pictures.rows
    labels, sources = rows["label"].to_pylist(), rows["source"].to_pylist()
    both = {source for source, label in zip(sources, labels, strict=True) if label == "real"} & {
        source for source, label in zip(sources, labels, strict=True) if label == "ai"
    }
    sizes = zip(rows["width"].to_pylist(), rows["height"].to_pylist(), strict=True)
    return {
        "source": [
            f"{source} ({label})" if source in both else source for source, label in zip(sources, labels, strict=True)
        ],
        "generator": rows["generator"].to_pylist(),
        "style": rows["style"].to_pylist(),
        "object class": rows["object_class"].to_pylist(),
        "format": rows["format"].to_pylist(),
        "JPEG quality": [_quality(quality) for quality in rows["jpeg_quality"].to_pylist()],
        "short side": [_size(min(size)) for size in sizes],
    }


def _quality(quality: int | None) -> str | None:
    if quality is None:
        return None
    return "below 75" if quality < 75 else "75 to 89" if quality < 90 else "90 and more"


def _size(short_side: int) -> str:
    return "below 512 px" if short_side < 512 else "512 to 1023 px" if short_side < 1024 else "1024 px and more"


def _parts(column: list[str | None]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    names: Any = np.array(column, dtype=object)
    for name in sorted({name for name in column if name is not None}):
        yield name, names == name


def score_quantiles(real_scores: NDArray[np.float64]) -> ScoreQuantiles:
    """Tabulate which share of photographs [N], one or more, scores at least how high, down to a share of 1 / N."""
    levels = np.array([level for level in _FPR_LEVELS if level * len(real_scores) >= 1])
    falling = np.sort(real_scores)[::-1]
    scores, first = np.unique(falling[np.ceil(levels * len(falling)).astype(int) - 1], return_index=True)
    return ScoreQuantiles(fpr=tuple(levels[first].tolist()), score=tuple(scores.tolist()))
