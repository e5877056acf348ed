"""Whether a network judges the file rather than the picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.preprocessing import OneHotEncoder

from fauxto.lab.datasets import Split
from fauxto.lab.evaluation import metrics

_FOLDS, _LARGEST_SAMPLE = 5, 2_000


def shortcuts(pictures: Split, scores: NDArray[np.float64]) -> dict[str, float | None]:
    """Return how well format, quality and size alone tell, within each label, the half with the higher scores.

    As an AUROC over shuffled folds: .5 says that they explain nothing. Pictures of one source resemble each other in
    both, so that a part of what they explain is the source.

    Args:
        pictures: A split of N pictures.
        scores: float64 [N].
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
    explained: dict[str, float | None] = {}
    for number, label in enumerate(("real", "ai")):
        chosen = np.random.default_rng(0).permutation(np.flatnonzero(pictures.labels == number))[:_LARGEST_SAMPLE]
        middle = np.median(scores[chosen]) if len(chosen) else 0.0
        higher = (scores[chosen] >= middle).astype(np.int64)
        if min(np.bincount(higher, minlength=2)) < _FOLDS or len(np.unique(facts[chosen, 1:])) < 4:
            explained[label] = None
            continue
        encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), [0]), remainder="passthrough")
        inputs = encode.fit_transform(facts[chosen])
        inputs = (inputs.toarray() if hasattr(inputs, "toarray") else inputs).astype(np.float64)
        folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
        model = GradientBoostingClassifier(random_state=0)
        guesses = cross_val_predict(model, inputs, higher, cv=folds, method="predict_proba")
        explained[label] = metrics.ranking(higher, guesses[:, 1])["auroc"]
    return explained
