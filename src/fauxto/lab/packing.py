"""Packing: a trained, calibrated and evaluated run in, a model bundle out (docs/reference/bundle.md)."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from fauxto import bundles
from fauxto.bundles.bundle import Bundle, Description, Domain
from fauxto.bundles.model_file import as_stored
from fauxto.errors import BundleFormatError, ConfigError, FauxtoError
from fauxto.lab import card
from fauxto.lab.datasets.splitting import SPLITS
from fauxto.lab.evaluation.results import RESULTS_VERSION, subject_of
from fauxto.lab.families import FEWEST, PRECISION
from fauxto.lab.run import Run
from fauxto.scan.files import replaced


@dataclass(frozen=True, slots=True)
class Nameplate:
    """What stands on the outside of a bundle.

    Attributes:
        name: What it is called.
        version: Three numbers.
        summary: One sentence on what it is for.
        min_short_side: Smallest short side that it may judge, in pixels; None for the size that it was trained at.
        max_short_side: The largest, likewise.
    """

    name: str
    version: str
    summary: str
    min_short_side: int | None = None
    max_short_side: int | None = None


def pack(run: Run, out: Path, nameplate: Nameplate, *, beside: Run | None = None) -> Bundle:
    """Write the bundle folder of a run whole or not at all.

    Args:
        run: A run that was trained, calibrated and evaluated.
        out: The bundle folder; a bundle that is already there is replaced.
        nameplate: What the bundle is called, and for which pictures it speaks.
        beside: Another run, whose robustness the card shows next to this one's.

    Raises:
        ConfigError: The run isn't finished or calibrated, or `out` holds something that is no bundle.
        FauxtoError: The run isn't evaluated on pictures that it hasn't met.
        BundleFormatError: `nameplate` breaks the contract.
    """
    if not run.is_trained or run.calibration is None:
        raise ConfigError(
            f"{run.folder} must be trained and calibrated before it is packed: fauxto calibrate {run.folder}"
        )
    if out.exists() and not (out / "bundle.json").is_file():
        raise ConfigError(f"{out} exists and is no bundle; name another folder with --out")
    bundle = run.bundle()
    evaluations = _evaluations(run, bundle)
    description = replace(_named(bundle, nameplate), families=_reliable(bundle.families, evaluations))
    text = card.render(description, run, evaluations, beside=beside)
    return write_bundle(out, description, bundle.model, _metrics(run, evaluations), text)


def save_metrics(run: Run, bundle: Bundle) -> Path:
    """Write what was measured of a bundle into its folder, as metrics.json, and return the file's path.

    Raises:
        FauxtoError: Nothing was measured on pictures that it hasn't met, or that was with other thresholds.
    """
    path = bundle.folder / "metrics.json"
    with replaced(path) as file:
        file.write(json.dumps(_metrics(run, _evaluations(run, bundle)), indent=1).encode() + b"\n")
    return path


def write_bundle(
    out: Path, description: Description, model: bytes, metrics: dict[str, Any] | None, card_text: str
) -> Bundle:
    """Write a bundle folder whole or not at all; a bundle that is there is replaced.

    Raises:
        BundleError: What was written can't be loaded.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as temporary:
        draft = Path(temporary) / out.name
        draft.mkdir()
        for name, stored in as_stored(model).items():
            (draft / name).write_bytes(stored)
        (draft / "bundle.json").write_text(json.dumps(asdict(description), indent=2) + "\n", encoding="utf-8")
        if metrics:
            (draft / "metrics.json").write_text(json.dumps(metrics, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        (draft / "CARD.md").write_text(card_text, encoding="utf-8")
        bundles.load(draft)
        if out.exists():
            shutil.rmtree(out)
        draft.rename(out)
    return bundles.load(out)


def _named(bundle: Bundle, nameplate: Nameplate) -> Description:
    plain = {field.name: getattr(bundle, field.name) for field in fields(Description)}
    side = bundle.input.height
    try:
        return replace(
            Description(**plain),
            name=nameplate.name,
            version=nameplate.version,
            summary=nameplate.summary,
            domain=Domain(
                nameplate.min_short_side or side, nameplate.max_short_side or side, bundle.domain.max_unlikeness
            ),
        )
    except ValueError as error:
        raise BundleFormatError(f"the bundle can't be called so: {error}") from error


def _reliable(families: Mapping[str, float | None], evaluations: list[dict[str, Any]]) -> Mapping[str, float | None]:
    """Return from where families of generators are named: never where unmet pictures don't show that names are right.

    Enough of all names have to be right, of those that the family's own pictures got, and wherever its name was given.
    """
    named, given, right = Counter[str | None](), Counter[str | None](), Counter[str | None]()
    for results in evaluations:
        if results["evaluation"]["use"] == "test":
            for row in results["families"]:
                named[row["family"]] += row["named"]
                given[row["family"]] += row["given"]
                right[row["family"]] += row["right"]

    def is_shown(family: str | None) -> bool:
        return named[family] >= FEWEST and right[family] >= PRECISION * max(named[family], given[family])

    return {name: least if is_shown(None) and is_shown(name) else None for name, least in families.items()}


def _evaluations(run: Run, bundle: Bundle) -> list[dict[str, Any]]:
    """Return the results of every split that was measured, in the order of `SPLITS`.

    Raises:
        FauxtoError: None is on pictures that the run hasn't met, or one belongs to another network or calibration.
    """
    evaluations = [results for split in SPLITS if (results := run.results(split))]
    for results in evaluations:
        about = results["subject"]
        if results["version"] != RESULTS_VERSION or about != {**about, **subject_of(bundle)}:
            raise FauxtoError(
                f"{run.folder}/evaluation/{about['split']}.json was measured before the network was trained or "
                "calibrated anew, or by another version of fauxto; run `fauxto evaluate` again"
            )
    if not any(results["evaluation"]["use"] == "test" for results in evaluations):
        raise FauxtoError(f"{run.folder} has no evaluation/test.json; run `fauxto evaluate` first")
    return evaluations


def _metrics(run: Run, evaluations: list[dict[str, Any]]) -> dict[str, Any]:
    return {"version": 1, "evaluations": [_with_robustness(run, results) for results in evaluations]}


def _with_robustness(run: Run, results: dict[str, Any]) -> dict[str, Any]:
    """Return the typed part of some results, with the robustness that was measured on the same pictures."""
    measured = run.results(f"{results['subject']['split']}-robustness")
    if measured is None or measured["subject"] != results["subject"]:
        return dict(results["evaluation"])
    accuracies = {f"{row['degradation']}, {row['severity']}": row["accuracy"] for row in measured["rows"]}
    return {**results["evaluation"], "robustness": accuracies}
