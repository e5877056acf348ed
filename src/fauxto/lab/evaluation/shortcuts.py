"""Whether a network judges the file rather than the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.preprocessing import OneHotEncoder

from fauxto.lab.datasets import Split
from fauxto.lab.evaluation import metrics

_FOLDS, _LARGEST_SAMPLE = 5, 2_000


def shortcuts(pictures: Split, scores: NDArray[np.float64]) -> dict[str, Any]:
    """Ask what a file's facts explain of the scores.

    Args:
        pictures: A split of N pictures.
        scores: float64 [N].

    Returns:
        `explained` and `matched`, as the functions of these names say.
    """
    return {"explained": explained(pictures, scores), "matched": matched(pictures, scores)}


def matched(pictures: Split, scores: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Return how well the scores rank pictures whose files are alike in some facts.

    Returns:
        For each choice of facts, `alike`, the number of `pairs` of a photograph and an AI picture that agree in them,
        and the `auroc` over these pairs; the first choice is none, which is the ordinary AUROC.
    """
    rows = pictures.rows
    sides = np.sort(np.stack([rows["width"].to_numpy(), rows["height"].to_numpy()]), axis=0)
    facts = {
        "format": rows["format"].to_numpy(zero_copy_only=False).astype(str),
        "JPEG quality": np.array([str((quality or 0) // 5) for quality in rows["jpeg_quality"].to_pylist()]),
        "short side": np.rint(2 * np.log2(sides[0])).astype(int).astype(str),  # by a factor of 1.4
        "proportions": np.rint(4 * np.log2(sides[1] / sides[0])).astype(int).astype(str),
    }
    choices = [(), *((name,) for name in facts), ("format", "JPEG quality", "short side"), tuple(facts)]
    table = []
    for choice in choices:
        alike = np.array([" ".join(facts[name][row] for name in choice) for row in range(len(scores))])
        pairs, won = 0, 0.0
        for stratum in np.unique(alike):
            labels = pictures.labels[alike == stratum]
            count = int(labels.sum()) * int((1 - labels).sum())
            if count:
                pairs += count
                won += count * float(metrics.ranking(labels, scores[alike == stratum])["auroc"] or 0.0)
        table.append({"alike": ", ".join(choice) or "nothing", "pairs": pairs, "auroc": won / pairs if pairs else None})
    return table


def explained(pictures: Split, scores: NDArray[np.float64]) -> dict[str, float | None]:
    """Return how well format, quality and size alone tell, within each label, the half with the higher scores.

    As an AUROC over shuffled folds: .5 says that they explain nothing. Pictures of one source resemble each other in
    both, so that a part of what they explain is the source.
    """
    rows = pictures.rows
    facts = np.array(
        [
            [name, float(quality or 0), float(min(width, height)), max(width, height) / min(width, height)]
            for name, quality, width, height in zip(
                *(rows[column].to_pylist() for column in ("format", "jpeg_quality", "width", "height")), strict=True
            )
        ],
        dtype=object,
    )
    shares: dict[str, float | None] = {}
    for number, label in enumerate(("real", "ai")):
        chosen = np.random.default_rng(0).permutation(np.flatnonzero(pictures.labels == number))[:_LARGEST_SAMPLE]
        middle = np.median(scores[chosen]) if len(chosen) else 0.0
        higher = (scores[chosen] >= middle).astype(np.int64)
        if min(np.bincount(higher, minlength=2)) < _FOLDS or len(np.unique(facts[chosen, 1:])) < 4:
            shares[label] = None
            continue
        encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), [0]), remainder="passthrough")
        inputs = encode.fit_transform(facts[chosen])
        inputs = (inputs.toarray() if hasattr(inputs, "toarray") else inputs).astype(np.float64)
        folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
        model = GradientBoostingClassifier(random_state=0)
        guesses = cross_val_predict(model, inputs, higher, cv=folds, method="predict_proba")
        shares[label] = metrics.ranking(higher, guesses[:, 1])["auroc"]
    return shares
