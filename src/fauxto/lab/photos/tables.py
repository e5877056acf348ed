"""What the judged pictures add up to: the figures of the photo detector's card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.preprocessing import OneHotEncoder

from fauxto.bundles.bundle import Calibration, OperatingPoint
from fauxto.lab.evaluation import metrics
from fauxto.lab.photos.delivery import PROTOCOLS
from fauxto.report import Verdict
from fauxto.verdict import by_thresholds

Table = Mapping[str, NDArray[Any]]


def columns(judged: pa.Table, calibration: Calibration) -> Table:
    """Turn judged rows into arrays, with `probability` and `probability_sent_on` added and `label` as 0 or 1."""
    arrays = {name: np.array(judged[name].to_pylist(), dtype=object) for name in judged.column_names}
    arrays["label"] = (arrays["label"] == "ai").astype(np.int64)
    for name in ("score", "score_sent_on"):
        arrays[name] = arrays[name].astype(np.float64)
        arrays[name.replace("score", "probability")] = calibration.probability(arrays[name])
    return arrays


def verdicts(table: Table, point: OperatingPoint) -> NDArray[np.str_]:
    """Return the verdict on each row, by the rules of `fauxto.verdict` and `fauxto.detector`."""

    def judge(probability: float, sent_on: float, objection: str | None) -> str:
        verdict = by_thresholds(probability, point)
        survives = objection is None and by_thresholds(sent_on, point) is verdict
        return verdict if survives else Verdict.INCONCLUSIVE

    rows = zip(table["probability"], table["probability_sent_on"], table["objection"], strict=True)
    return np.array([judge(*row) for row in rows], dtype=object)


def measure(table: Table, points: Mapping[str, OperatingPoint]) -> dict[str, Any]:
    """Measure everything on one split.

    Returns:
        `protocols`, one `metrics.summary` each with the shares of verdicts by operating point; the same on the clean
        pictures for `formats`, `qualities` and `sizes` of the originals; `sources` and `generators` with shares of
        verdicts at `balanced`; `flips`, `coverage` and `shortcuts`, as the functions below say.
    """
    said = {name: verdicts(table, point) for name, point in points.items()}
    balanced = said["balanced"]
    return {
        "protocols": [{"name": name, **_part(table, table["protocol"] == name, said)} for name in PROTOCOLS],
        "sources": [
            {
                "name": source,
                "label": label,
                "count": int(np.sum(rows)) // len(PROTOCOLS),
                **{
                    f"{protocol}_{verdict}": _share(balanced[rows & (table["protocol"] == protocol)] == verdict)
                    for protocol in PROTOCOLS
                    for verdict in (Verdict.REAL, Verdict.AI)
                },
            }
            for label, number in (("real", 0), ("ai", 1))
            for source in _names(table["source"][table["label"] == number])
            for rows in [(table["source"] == source) & (table["label"] == number)]
        ],
        "generators": [
            {"name": name, "count": int(np.sum(rows)) // len(PROTOCOLS), "called_ai": _share(balanced[rows] == "ai")}
            for name in _names(table["generator"])
            for rows in [table["generator"] == name]
        ],
        "formats": _parts(table, table["format"], said),
        "qualities": _parts(table, np.array([_quality_bin(one) for one in table["jpeg_quality"]], dtype=object), said),
        "sizes": _parts(
            table,
            np.array([_size_bin(*one) for one in zip(table["width"], table["height"], strict=True)], dtype=object),
            said,
        ),
        "flips": _flips(table, said),
        "coverage": _coverage(table),
        "reliability": metrics.reliability(table["label"], table["probability"]),
        "refused": {
            label: _share((table["objection"] != None)[table["label"] == number])  # noqa: E711 (elementwise)
            for number, label in enumerate(("real", "ai"))
        },
        "shortcuts": _shortcuts(table),
    }


def _part(table: Table, rows: NDArray[np.bool_], said: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    labels = table["label"][rows]
    return {
        "count": int(rows.sum()),
        **metrics.summary(labels, table["probability"][rows]),
        "points": {
            name: {
                "fpr": _share(verdict[rows][labels == 0] == "ai"),
                "tpr": _share(verdict[rows][labels == 1] == "ai"),
                "missed": _share(verdict[rows][labels == 1] == "real"),
                "cleared": _share(verdict[rows][labels == 0] == "real"),
                "inconclusive": _share(verdict[rows] == "inconclusive"),
            }
            for name, verdict in said.items()
        },
    }


def _parts(table: Table, groups: NDArray[Any], said: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    clean = table["protocol"] == "clean"
    return [{"name": name, **_part(table, clean & (groups == name), said)} for name in _names(groups)]


def _flips(table: Table, said: Mapping[str, NDArray[Any]]) -> dict[str, float | None]:
    """Return the share of pictures called real under one protocol and ai under another, by operating point."""
    found = {}
    for name, verdict in said.items():
        by_protocol = [verdict[table["protocol"] == protocol] for protocol in PROTOCOLS]
        real, ai = (np.any([one == label for one in by_protocol], axis=0) for label in ("real", "ai"))
        found[name] = _share(real & ai)
    return found


def _coverage(table: Table) -> list[dict[str, float | None]]:
    """Return how right the surest part of all rows is, part by part."""
    sureness = np.abs(table["probability"] - 0.5)
    order = np.argsort(-sureness)
    right = ((table["probability"] >= 0.5) == table["label"])[order]
    return [
        {"coverage": part / 10, "accuracy": _share(right[: max(1, len(right) * part // 10)])} for part in range(1, 11)
    ]


def _shortcuts(table: Table) -> dict[str, float | None]:
    """Return how well format, quality and size alone tell, within each label, the half with the higher scores.

    As an AUROC over shuffled folds: .5 says that they explain nothing. Pictures of one source resemble each other in
    both, so that a part of what they explain is the source.
    """
    found = {}
    for label, number in (("real", 0), ("ai", 1)):
        rows = (table["protocol"] == "clean") & (table["label"] == number)
        facts = [
            [str(form), float(quality or 0), float(min(size)), max(size) / min(size)]
            for form, quality, *size in zip(
                *(table[name][rows] for name in ("format", "jpeg_quality", "width", "height")), strict=True
            )
        ]
        called_ai = (table["probability"][rows] >= np.median(table["probability"][rows])).astype(np.int64)
        explains = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), [0]), remainder="passthrough")
        inputs = explains.fit_transform(np.array(facts, dtype=object)).astype(np.float64)
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        guesses = cross_val_predict(
            GradientBoostingClassifier(random_state=0), inputs, called_ai, cv=folds, method="predict_proba"
        )
        found[label] = metrics.ranking(called_ai, guesses[:, 1])["auroc"]
    return found


def _quality_bin(quality: int | None) -> str | None:
    if quality is None:
        return None
    return "below 75" if quality < 75 else "75 to 89" if quality < 90 else "90 and more"


def _size_bin(width: int, height: int) -> str:
    short_side = min(width, height)
    return "short side below 512" if short_side < 512 else "512 to 1023" if short_side < 1024 else "1024 and more"


def _names(groups: Iterable[str | None]) -> list[str]:
    return sorted({name for name in groups if name is not None})


def _share(values: NDArray[np.bool_]) -> float | None:
    return float(np.mean(values)) if len(values) else None
