"""`evaluate`: how well models do on a person's own pictures of known labels.

Pictures go through the engine and the journal of scans, the figures are those of `results`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fauxto import __version__, bundles
from fauxto.bundles import Bundle
from fauxto.cores import cores
from fauxto.errors import ConfigError, DatasetError
from fauxto.lab.datasets import Split
from fauxto.lab.datasets.manifest import SCHEMA
from fauxto.lab.degradations.protocols import DELIVERED, Protocol
from fauxto.lab.evaluation.labelled import Labelled, Origin
from fauxto.lab.evaluation.measuring import measured
from fauxto.lab.evaluation.own_pages import page_name, write_pages
from fauxto.lab.evaluation.results import RESULTS_VERSION, results_of, subject_of
from fauxto.lab.evaluation.scores import Scores
from fauxto.options import DetectorOptions
from fauxto.report import Status
from fauxto.scan import local
from fauxto.scan.files import replaced
from fauxto.scan.items import Row
from fauxto.scan.journal import Journal

SCORES_FILE, RESULTS_FILE, PAGE_FILE, JOURNAL_FILE = (
    "scores.parquet",
    "evaluation.json",
    "evaluation.html",
    "scores.journal",
)

_SPLIT = "own pictures"
"""In the place of a split's name."""


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture that was scored: what is known of it, its facts (see `measuring.facts_of`), its file if it has one."""

    origin: Origin
    facts: Mapping[str, Any]
    file: str | None


def evaluate(
    out: Path,
    *,
    real: Sequence[str] = (),
    ai: Sequence[str] = (),
    manifests: Sequence[str] = (),
    models: Sequence[str] = (),
    protocols: bool = False,
    workers: int | None = None,
    resume: bool = False,
    on_progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Measure models on pictures of known labels; writes scores.parquet, evaluation.json and evaluation.html.

    Scripts must guard their own code with `if __name__ == "__main__":`, as the workers are processes.

    Args:
        out: Folder for the results; made where it isn't there.
        real: Photographs: folders, archives, patterns and tables. The first sub-folder names a picture's source.
        ai: AI pictures likewise; the sub-folder names the generator too.
        manifests: Tables (CSV, Parquet) with the columns `path` and `label`, maybe `source` and `generator`.
        models: Names or folders; by default the built-in ones, each on the pictures that it would judge.
        protocols: Whether to measure the pictures also as the web shares them, under `web` and `hard`.
        workers: Pictures at a time; None for one per core.
        resume: Whether to go on with an evaluation that was cut.
        on_progress: Called with how many of the pictures are done, and of how many if that is known.

    Returns:
        `version`; `dataset`, what was named; `models`, a list of results as `results.measure` returns them, each with
        `outside`, the pictures outside of the model's domain (`path`, `label`, `reason`, and the first `protocol` under
        which they are); `unmeasured`, the pictures that are in no figure (`path`, `label`, `reason`); how many `real`
        and `ai` pictures were measured, and `copies` of others among them; and how many symbolic `links` and
        `system_files` were passed over.

    Raises:
        DatasetError: There is no picture, or what was named can't be used.
        ConfigError: An unfinished evaluation is in the way, or isn't of the same pictures and models.
        BundleError: A model can't be used.
    """
    loaded = [bundles.load(model) for model in models or bundles.DEFAULTS]
    if len({bundle.name for bundle in loaded}) < len(loaded):
        raise ConfigError("two of the models have the same name: name each model once")
    own_files = [SCORES_FILE, RESULTS_FILE, PAGE_FILE, JOURNAL_FILE, f"{JOURNAL_FILE}-wal", f"{JOURNAL_FILE}-journal"]
    own_files += [page_name(bundle.name) for bundle in loaded]
    labelled = Labelled(real, ai, manifests, ignored=[str(out / name) for name in own_files])
    out.mkdir(parents=True, exist_ok=True)
    origin = {
        "version of fauxto": __version__,
        "pictures": [[place.label, place.location, place.digest] for place in labelled.places],
        "model": [[bundle.name, bundle.model_sha256] for bundle in loaded],
        "protocols": protocols,
    }
    with Journal(out / JOURNAL_FILE, origin, resume=resume, owner="evaluation") as journal:
        _score(labelled, models, journal, len(DELIVERED) if protocols else 1, workers or cores(), on_progress)
        asked = [(number if models else 0, bundle) for number, bundle in enumerate(loaded)]
        results = _finish(out, labelled, journal, asked)
        journal.delete()
    return results


def _finish(out: Path, labelled: Labelled, journal: Journal, models: Sequence[tuple[int, Bundle]]) -> dict[str, Any]:
    """Compute the figures from the rows, write all files and return the results.

    `models` are the bundles, each with the number of the model that it was asked for as.
    """
    scored, unmeasured = _sorted(journal.rows(), labelled)
    results: dict[str, Any] = {
        "version": RESULTS_VERSION,
        "dataset": " and ".join(dict.fromkeys(place.location for place in labelled.places)),
        "models": [],
        "unmeasured": unmeasured,
        **_counts(scored),
        "links": labelled.links_passed,
        "system_files": journal.passed_over() // (1 + max(number for number, _ in models)),
    }
    if not scored:
        journal.delete()  # its rows are of no use, and the next evaluation would have to go on from them
        first = f": {unmeasured[0]['path']}: {unmeasured[0]['reason']}" if unmeasured else ""
        raise DatasetError(f"{results['dataset']} holds no picture that can be measured{first}")
    tables, files = [], []
    for number, bundle in models:
        if pictures := scored.get((number, bundle.name), []):
            split, scores = _split(pictures), _scores(pictures)
            results["models"].append(_measured(bundle, results["dataset"], pictures, split, scores))
            tables.append(_table(bundle, split, scores, pictures))
            files.append([picture.file for picture in pictures])
    _write(out, results, pa.concat_tables(tables))
    write_pages(out / PAGE_FILE, results, files)
    return results


def _score(
    labelled: Labelled,
    models: Sequence[str],
    journal: Journal,
    protocols: int,
    workers: int,
    on_progress: Callable[[int, int | None], None],
) -> None:
    """Bring a row of each picture and model into the journal, as far as it isn't there."""
    count, done = labelled.count(), journal.done()
    total = None if count is None else count * max(1, len(models))
    on_progress(done, total)
    for number, model in enumerate(models or (None,)):
        options = DetectorOptions(model, evidence=False)
        items = labelled.items(options.limits, partial(_is_done, journal, number))
        for row in local.run(items, options, workers, partial(measured, protocols=protocols)):
            done += journal.add(Row(f"{number}:{row.key}", row.status, row.verdict, row.report, row.file))
            on_progress(done, total)
    journal.commit()


def _is_done(journal: Journal, number: int, key: str) -> bool:
    return journal.is_done(f"{number}:{key}")


def _counts(scored: Mapping[tuple[int, str], Sequence[_Picture]]) -> dict[str, int]:
    """Return how many `real` and `ai` pictures were measured, and how many `copies` of others are among them.

    Models that were named see all pictures; of the built-in ones, which share a number, each sees those of its sizes.
    """
    counts = [Counter[str]() for _ in range(1 + max((number for number, _ in scored), default=0))]
    for (number, _), pictures in scored.items():
        counts[number].update(picture.origin.label for picture in pictures)
        different = len({picture.facts["pixel_sha256"] for picture in pictures})
        counts[number]["copies"] += len(pictures) - different
    return {name: max(count[name] for count in counts) for name in ("real", "ai", "copies")}


def _sorted(
    rows: Iterable[Row], labelled: Labelled
) -> tuple[dict[tuple[int, str], list[_Picture]], list[dict[str, str]]]:
    """Sort pictures by the model that scored them, and list those that count nowhere, each once.

    A picture that is on both sides has no known label, so it counts nowhere.

    Returns:
        The pictures by the number and name of the model; what isn't measured.
    """
    unmeasured: dict[str, dict[str, str]] = {}
    scored: dict[tuple[int, str], list[_Picture]] = {}
    labels: dict[str, set[str]] = {}
    for row in rows:
        number, _, key = row.key.partition(":")
        facts, origin = json.loads(row.report), labelled.origin(key)
        if row.status != Status.OK:
            reason = facts["reasons"][0].partition(": ")[2]
            unmeasured.setdefault(key, {"path": facts["path"], "label": origin.label, "reason": reason})
            continue
        picture = _Picture(origin, facts, row.file)
        scored.setdefault((int(number), facts["bundle"]), []).append(picture)
        labels.setdefault(facts["pixel_sha256"], set()).add(origin.label)
    twofold = {digest for digest, of in labels.items() if len(of) > 1}
    for model, pictures in scored.items():
        for picture in pictures:
            if picture.facts["pixel_sha256"] in twofold:
                path, label = picture.facts["path"], picture.origin.label
                reason = "the same picture stands among the photographs and among the AI pictures"
                unmeasured.setdefault(f"{label}:{path}", {"path": path, "label": label, "reason": reason})
        kept = [picture for picture in pictures if picture.facts["pixel_sha256"] not in twofold]
        # In the order of a data set's manifest, which the resamples of intervals depend on.
        scored[model] = sorted(kept, key=lambda picture: (picture.origin.label, picture.facts["path"]))
    return {model: kept for model, kept in scored.items() if kept}, list(unmeasured.values())


def _split(pictures: Sequence[_Picture]) -> Split:
    """Return the pictures as a split without pixels, whose rows are those of a data set."""
    rows = [
        {
            **dict.fromkeys(SCHEMA.names),
            **{name: picture.facts[name] for name in SCHEMA.names if name in picture.facts},
            **picture.origin._asdict(),
            "path": picture.facts["path"].encode(errors="backslashreplace").decode(),  # Parquet takes valid text only
            "split": _SPLIT,
            "offset": -1,
            "pixel_height": picture.facts["height"],
            "pixel_width": picture.facts["width"],
        }
        for picture in pictures
    ]
    labels = np.array([picture.origin.label == "ai" for picture in pictures], np.int64)
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    return Split(_SPLIT, np.empty((len(rows), 0, 0, 3), np.uint8), labels, table, np.zeros(len(rows), bool))


def _scores(pictures: Sequence[_Picture]) -> list[Scores]:
    table = np.array([picture.facts["scores"] for picture in pictures], np.float64)
    objections = [picture.facts["objections"] for picture in pictures]
    return [
        Scores(
            protocol,
            table[:, number, 0],
            table[:, number, 1],
            np.array([reasons[number] is not None for reasons in objections]),
            np.empty((len(pictures), 0)),
            np.zeros(len(pictures)),  # what is unlike has an objection
        )
        for number, protocol in enumerate(DELIVERED[: table.shape[1]])
    ]


def _measured(
    bundle: Bundle, dataset: str, pictures: Sequence[_Picture], split: Split, scores: Sequence[Scores]
) -> dict[str, Any]:
    about = {**subject_of(bundle), "version": bundle.version, "dataset": dataset, "split": _SPLIT}
    outside = [
        {"path": picture.facts["path"], "label": picture.origin.label, "protocol": protocol.name, "reason": reason}
        for picture in pictures
        for protocol, reason in islice(_objections(picture), 1)
    ]
    return {**results_of(bundle, bundle.name, split, scores, about), "outside": outside}


def _objections(picture: _Picture) -> Iterator[tuple[Protocol, str]]:
    """Yield the protocols under which a picture is out of the model's domain, `clean` first, each with the reason."""
    pairs = zip(DELIVERED, picture.facts["objections"], strict=False)
    return ((protocol, reason) for protocol, reason in pairs if reason is not None)


def _table(bundle: Bundle, split: Split, scores: Sequence[Scores], pictures: Sequence[_Picture]) -> pa.Table:
    """Return a row a picture and protocol: what is known of it, the facts of its file, scores and verdicts."""
    kept = ("path", "label", "source", "generator", "width", "height", "format", "jpeg_quality", "sha256")
    tables = []
    for number, under in enumerate(scores):
        table = split.rows.select(kept)
        columns = {
            "model": [bundle.name] * len(split),
            "protocol": [under.protocol.name] * len(split),
            "score": under.score,
            "score_reencoded": under.reencoded,
            "probability": bundle.calibration.probability(under.score),
            "outside": pa.array([picture.facts["objections"][number] for picture in pictures], pa.string()),
            **{
                f"verdict_{name}": under.verdicts(bundle, point).tolist()
                for name, point in bundle.operating_points.items()
            },
        }
        for name, column in columns.items():
            table = table.append_column(name, column if isinstance(column, pa.Array) else pa.array(column))
        tables.append(table)
    return pa.concat_tables(tables)


def _write(out: Path, results: Mapping[str, Any], scores: pa.Table) -> None:
    with replaced(out / SCORES_FILE) as file:
        pq.write_table(scores, file, compression="zstd")
    with replaced(out / RESULTS_FILE) as file:
        file.write(json.dumps(results, indent=1, allow_nan=False).encode() + b"\n")
