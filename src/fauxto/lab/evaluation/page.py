"""The HTML page of an evaluation, drawn from its results; only the pictures on it come from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fauxto.errors import FauxtoError
from fauxto.export.thumbnails import Thumbnail, thumbnail
from fauxto.lab.evaluation import plots, tables
from fauxto.lab.evaluation.tables import Results, share
from fauxto.lab.html_report import HtmlPage
from fauxto.wording import percent, printable

Pixels = Callable[[int], NDArray[np.uint8] | None]
"""From the number of a picture in its split to its pixels; None where they can't be had."""

_SIDE = 160
_MOST_BARS = 40


def write_page(
    path: Path,
    results: Results,
    robustness: Results | None,
    pixels: Pixels = lambda row: None,
    *,
    training: Results | None = None,
    published: Results | None = None,
) -> Path:
    """Write the results of `measure` and `measure_robustness` as an HTML page and return its path.

    Args:
        path: The page.
        results: Of `measure`.
        robustness: Of `measure_robustness`, of the same pictures; None where it wasn't measured.
        pixels: Where the pictures on it come from.
        training: The record of the run, for its curves and layers; None for a model.
        published: What others report of the same network (`published.toml`).
    """
    subject = results["subject"]
    page = HtmlPage(f"Evaluation of {results['name']}", f"{subject['dataset']}, {subject['split']} split")
    page.section("In short", tables.leak_prose(results))
    page.table(*tables.overview_table(results), "Accuracy and ECE at the probability that a user sees.")
    if training:
        _training(page, training)
    figures_part(page, results, pixels, published)
    if robustness:
        _robustness(page, robustness)
    page.section("What was measured")
    page.table(["", ""], [[key, _plain(value)] for key, value in subject.items()])
    return page.write(path)


def figures_part(page: HtmlPage, results: Results, pixels: Pixels, published: Results | None = None) -> None:
    """Fill a page with what all evaluations have in common."""
    _gallery(page, "Some of the pictures", "Chosen by chance.", results["sample"], pixels)
    _labels(page, results["full"], published)
    if results["mistakes"]:
        prose = "Pictures on the wrong side of .5, the surest first; a verdict takes more than that."
        _gallery(page, "The surest mistakes", prose, results["mistakes"], pixels)
    _ranking(page, results["full"])
    _calibration(page, results["full"])
    _verdicts(page, results["full"])
    _protocols(page, results)


def _gallery(page: HtmlPage, title: str, prose: str, entries: Sequence[Results], pixels: Pixels) -> None:
    page.section(title, f"{prose} The percentage is the probability of AI.")
    page.pictures(
        (_thumbnail(pixels, entry["row"]), f"{entry['label']}: {percent(entry['probability'])}", _words(entry))
        for entry in entries
    )


def _words(entry: Results) -> str:
    name = Path(entry["path"]).name
    return f"{printable(name[-40:])}, {entry['source']}"


def _thumbnail(pixels: Pixels, row: int) -> Thumbnail | None:
    try:
        rgb = pixels(row)
    except FauxtoError:  # the file is gone or another by now
        return None
    return None if rgb is None else thumbnail(rgb, _SIDE)


def _training(page: HtmlPage, record: Results) -> None:
    history, layers = record.get("history") or [], record.get("layers") or []
    if not (history or layers):
        return
    minutes = record["seconds"] / 60
    page.section(
        "Training", f"{record['epochs']} epochs in {minutes:,.0f} minutes: {record['parameters']:,} parameters."
    )
    if history:
        page.figure(plots.training_curves(history), "By epoch, on the pictures learnt and on val.", "Training curves.")
    if layers:
        rows = [[layer["name"], layer["kind"], layer["shape"], f"{layer['parameters']:,}"] for layer in layers]
        page.table(["layer", "kind", "output", "parameters"], rows, "The network, from the pixels to the logits.")


def _labels(page: HtmlPage, figures: Results, published: Results | None) -> None:
    page.section(
        "By label",
        "A picture counts as ai from a probability of .5 up. Positive, wherever it says so, is ai.",
    )
    page.table(*tables.classification_table(figures))
    page.printed(figures["printed_report"], "The same as scikit-learn prints it.")
    if published and "classes" in published:
        caption = f"Published: {published['source']}. {published['note'].strip()}"
        page.table(*tables.published_table(figures, published), caption)
    page.figure(
        plots.confusion_matrix(figures),
        "Rows: what the pictures are. Columns: what they were called.",
        "Confusion matrix of the labels real and ai.",
    )


def _ranking(page: HtmlPage, figures: Results) -> None:
    page.section("Ranking", "How well the score tells the two labels apart, whatever the threshold.")
    page.figure(plots.score_histogram(figures), "Raw scores of both labels.", "Two overlaid histograms.")
    if figures["curves"]:
        page.figure(
            plots.curve_pair(figures),
            "Left: the share of AI pictures called ai (tpr) for the share of photographs called ai (fpr). Right: how "
            "many of the pictures called ai are ai.",
            "ROC curve and precision-recall curve.",
        )


def _calibration(page: HtmlPage, figures: Results) -> None:
    page.section(
        "Calibration",
        "Of the pictures given a probability of 70 %, seven in ten should be AI. The expected calibration "
        "error (ECE) is the mean distance from that, over 15 equal bins of the probability of AI.",
    )
    page.table(*tables.calibration_table(figures))
    page.figure(
        plots.reliability_diagram(figures),
        "Above: on the dotted line, the probability is the truth. Below: pictures per bin, on a log scale.",
        "Reliability diagram over a histogram of the probabilities.",
    )


def _verdicts(page: HtmlPage, figures: Results) -> None:
    page.section(
        "Verdicts",
        "A verdict needs a probability outside of a band; what lies inside is inconclusive. fpr is the share "
        "of real pictures called ai, tpr the share of AI pictures called ai, missed the share of AI pictures "
        "called real; the balanced accuracy is that of the pictures with a verdict.",
    )
    if figures["operating_points"]:
        page.table(
            *tables.decision_table(figures["operating_points"]),
            "The operating points, chosen where calibrated, measured here.",
        )
    bands = {f"from {100 * band['ai_above']:.0f} %": band for band in figures["thresholds"]}
    page.table(*tables.decision_table(bands), "Bands of growing width.")
    if quantiles := figures["fpr_at_score"]:
        page.table(
            ["fpr where calibrated", "fpr here"],
            [
                [share(expected), share(measured)]
                for expected, measured in zip(quantiles["expected"], quantiles["measured"], strict=True)
            ],
            "Every report tells which share of the photographs that calibration saw scores as high as the picture at "
            "hand. Does that hold on other pictures?",
        )


def _protocols(page: HtmlPage, results: Results) -> None:
    page.section(
        "As others see them",
        "The same pictures as found, at most 768 px wide as JPEG q60 (web), and at most 512 px as JPEG q40 (hard). "
        + tables.INTERVALS
        if len(results["evaluation"]["protocols"]) > 1
        else "The pictures as found. " + tables.INTERVALS,
    )
    page.table(*tables.protocol_table(results))
    page.table(*tables.verdict_table(results), "Verdicts, the check of stability and the rules of the domain included.")
    page.table(*tables.leans_table(results), "Where pictures without a verdict lean, as found.")
    for title, groups in results["evaluation"]["groups"].items():
        if len(groups) > 1:
            page.section(f"By {title}", "As found; verdicts at the operating point `balanced`.")
            page.figure(
                plots.verdict_bars(tables.verdict_shares(groups)[:_MOST_BARS]),
                "Verdicts at `balanced`; the number of pictures is in brackets.",
                f"Bars of the verdicts by {title}; the table beneath has the figures.",
            )
            page.table(*tables.group_table(title, groups))


def _robustness(page: HtmlPage, robustness: Results) -> None:
    page.section(
        "Robustness",
        f"{robustness['count']:,} pictures (seed {robustness['seed']}, none of them leaked) as they are, and under one "
        "degradation at a time.",
    )
    page.figure(
        plots.robustness_dots(robustness["rows"]),
        "Accuracy at a probability of .5.",
        "A dot for each degradation.",
    )
    page.table(*tables.summary_table(["degradation", "severity"], robustness["rows"]))


def _plain(value: object) -> object:
    return ", ".join(f"{key} {part}" for key, part in value.items()) if isinstance(value, Mapping) else value
