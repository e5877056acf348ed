"""The pages of an evaluation on a person's own pictures: one a model, and one that lays several side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fauxto import images
from fauxto.export.text import shown
from fauxto.lab.degradations.protocols import CLEAN
from fauxto.lab.evaluation import plots, tables
from fauxto.lab.evaluation.page import Pixels, figures_part
from fauxto.lab.evaluation.tables import Results, share
from fauxto.lab.html_report import HtmlPage
from fauxto.wording import passed_over

_MOST_ROWS = 200
"""Of pictures that are listed on a page; the JSON has all of them."""

Files = Sequence[str | None]


def write_pages(path: Path, results: Mapping[str, Any], files: Sequence[Files]) -> list[Path]:
    """Write the page of an evaluation, and of several models one each beside it.

    Args:
        path: The page.
        results: As `fauxto.lab.evaluation.own.evaluate` returns them.
        files: For each model the file of every picture, None where it is inside of an archive.
    """
    models = results["models"]
    if len(models) == 1:
        return [_write_model(path, results, models[0], files[0])]
    page = HtmlPage("Evaluation of several models", shown(results["dataset"]))
    page.section("Side by side", " ".join(words(results)))
    page.table(*tables.models_table(models), "Verdicts at the operating point `balanced`. " + tables.INTERVALS)
    if all(model["full"]["curves"] for model in models):
        curves = {model["name"]: model["full"] for model in models}
        page.figure(plots.roc_overlay(curves), "How well each score tells the labels apart.", "ROC curves.")
    for point in models[0]["evaluation"]["protocols"][0]["verdicts"]:
        bars = [bar for model in models for bar in _bars(model, point, model["name"])]
        page.figure(plots.verdict_bars(bars), f"Verdicts at `{point}`.", f"Bars of the verdicts at {point}.")
    paths = [path.with_name(page_name(model["name"])) for model in models]
    page.section("Each model", "Every figure of a model is on a page of its own.")
    for model, own in zip(models, paths, strict=True):
        page.link(own.name, model["name"])
    _unmeasured(page, results)
    pages = [_write_model(own, results, *rest) for own, *rest in zip(paths, models, files, strict=True)]
    return [page.write(path), *pages]


def page_name(model: str) -> str:
    """Return the name of a model's page where there are several."""
    return f"evaluation-{model}.html"


def words(results: Mapping[str, Any]) -> Iterator[str]:
    """Yield sentences on which pictures were measured, which weren't, and which figures are missing for that."""
    real, ai = results["real"], results["ai"]
    yield f"{real:,} photographs and {ai:,} AI pictures were measured."
    for label, count, other in (("photographs", real, "AI pictures"), ("AI pictures", ai, "photographs")):
        if not count:
            yield f"There are only {other}, no {label}: the figures that need both (AUROC and the like) are left out."
    if results["unmeasured"]:
        reasons = Counter(entry["reason"].partition(";")[0] for entry in results["unmeasured"])
        most = "; ".join(f"{count:,} × {shown(reason)}" for reason, count in reasons.most_common(2))
        yield f"In no figure: {len(results['unmeasured']):,} files ({most}{'; …' if len(reasons) > 2 else ''})."
    for model in results["models"]:
        for protocol, count in Counter(entry["protocol"] for entry in model["outside"]).items():
            only = "" if protocol == CLEAN.name else f" only under `{protocol}`"
            yield f"Outside of the domain of {model['name']}{only}, and so inconclusive: {count:,} of them."
    if results["copies"]:
        yield f"Copies of other pictures, pixel for pixel, which count again: {results['copies']:,}."
    if results["links"]:
        yield f"Symbolic links, which are not followed: {results['links']:,}."
    if results["system_files"]:
        yield f"{passed_over(results['system_files'])}."


def _write_model(path: Path, results: Mapping[str, Any], model: Results, files: Files) -> Path:
    page = HtmlPage(f"Evaluation of {model['name']}", shown(results["dataset"]))
    clean = model["evaluation"]["protocols"][0]
    page.section("In short", " ".join(words({**results, "models": [model]})))
    page.table(*_short(clean), tables.INTERVALS)
    bars = [bar for point in clean["verdicts"] for bar in _bars(model, point, point)]
    page.figure(
        plots.verdict_bars(bars),
        "Verdicts at each operating point, the check of stability and the rules of the domain included.",
        "Bars of the verdicts on photographs and on AI pictures; a table beneath has the figures.",
    )
    _unmeasured(page, {**results, "models": [model]})
    figures_part(page, model, _pixels(files))
    page.section("What was measured")
    about = model["subject"]
    thresholds = "; ".join(f"{name}: {low:.4f} and {high:.4f}" for name, (low, high) in about["thresholds"].items())
    rows = [["model", f"{model['name']} {about['version']}"], ["sha256", about["model_sha256"]]]
    page.table(["", ""], [*rows, ["pictures", shown(about["dataset"])], ["thresholds", thresholds]])
    return page.write(path)


def _short(clean: Results) -> tables.Table:
    rows: list[list[object]] = [
        ["AUROC", tables.decimal(clean["auroc"]["value"]), tables.interval(clean["auroc"], tables.decimal)],
        ["balanced accuracy, at a probability of .5", share(clean["balanced_accuracy"]), None],
        ["ECE", tables.decimal(clean["ece"]), None],
    ]
    for point, verdicts in clean["verdicts"].items():
        for key, says in (("fpr", "photographs called ai"), ("tpr", "AI pictures called ai")):
            rows.append([f"{says}, at {point}", share(verdicts[key]["value"]), tables.interval(verdicts[key], share)])
    return ["", "measured", "95 %"], rows


def _bars(model: Results, point: str, name: str) -> list[tuple[str, dict[str, float]]]:
    return tables.verdict_shares([{**model["evaluation"]["protocols"][0], "name": name}], point)


def _unmeasured(page: HtmlPage, results: Mapping[str, Any]) -> None:
    """List the pictures that are in no figure, and those that a model isn't made for."""
    rows = [[entry["label"], entry["path"], entry["reason"]] for entry in results["unmeasured"]]
    rows += [
        [entry["label"], entry["path"], f"{model['name']}, {entry['protocol']}: {entry['reason']}"]
        for model in results["models"]
        for entry in model["outside"]
    ]
    if not rows:
        return
    prose = (
        "What could not be measured is in no figure, and comes first. What is outside of a model's domain counts as "
        "inconclusive."
    )
    if len(rows) > _MOST_ROWS:
        prose += f" Of {len(rows):,}, the first {_MOST_ROWS} are here; evaluation.json lists all."
    page.section("Not measured, or outside of the domain", prose)
    page.table(["label", "file", "why"], [[shown(cell) for cell in row] for row in rows[:_MOST_ROWS]])


def _pixels(files: Files) -> Pixels:
    def pixels(row: int) -> NDArray[np.uint8] | None:
        file = files[row]
        return images.decode(images.read_bytes(file)).rgb if file else None

    return pixels
