"""The tables of an evaluation, and the HTML page that shows them: all from the results alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fauxto.lab.datasets.manifest import LABELS
from fauxto.lab.evaluation import plots
from fauxto.lab.evaluation.intervals import FEWEST_SOURCES
from fauxto.lab.html_report import HtmlPage

Results = Mapping[str, Any]
Table = tuple[Sequence[str], list[list[object]]]


def write_page(path: Path, results: Results, robustness: Results | None) -> Path:
    """Write the results of `measure` and `measure_robustness` as an HTML page and return its path."""
    return _page(results, robustness).write(path)


def share(value: float | None) -> str | None:
    """Format a share as a percentage with two decimals."""
    return None if value is None else f"{100 * value:.2f} %"


def decimal(value: float | None) -> str | None:
    """Format a number with four decimals."""
    return None if value is None else f"{value:.4f}"


def leak_prose(results: Results) -> str:
    """Say in a sentence or two how many pictures leaked from training, and which figures leave them out."""
    if not results["trained_on_this_data"]:
        return (
            "The network was trained on another data set than this one; whether pictures of this split were "
            "among its training pictures isn't known."
        )
    if not results["leaked"]:
        return "No picture of this split also stands in an earlier one."
    return (
        f"{results['leaked']:,} pictures of this split are, pixel for pixel, also in an earlier one: the "
        "network may have learnt them by heart. The second column leaves them out; everything below is about "
        "the whole split."
    )


def overview_table(results: Results) -> Table:
    """Return header and rows: the main figures on the whole split and without leaked pictures."""
    columns = {"whole split": results["full"]}
    if results["without_leaked"]:
        columns["without leaked pictures"] = results["without_leaked"]
    columns_figures = list(columns.values())
    stage = "after" if "after" in results["full"]["calibration"] else "before"
    rows: list[list[object]] = [
        ["pictures", *(f"{one['count']:,}" for one in columns_figures)],
        ["accuracy", *(share(one["accuracy"]) for one in columns_figures)],
        ["balanced accuracy", *(share(one["balanced_accuracy"]) for one in columns_figures)],
        ["AUROC", *(decimal(one["auroc"]) for one in columns_figures)],
        ["average precision", *(decimal(one["average_precision"]) for one in columns_figures)],
        ["ECE", *(decimal(one["calibration"][stage]["ece"]) for one in columns_figures)],
    ]
    return ["", *columns], rows


def classification_table(figures: Results) -> Table:
    """Return header and rows: precision, recall and F1 of each label."""
    return ["label", "precision", "recall", "F1", "pictures"], [
        [
            label,
            *(decimal(figures["classes"][label][name]) for name in ("precision", "recall", "f1")),
            f"{figures['classes'][label]['support']:,}",
        ]
        for label in LABELS
    ]


def protocol_table(results: Results) -> Table:
    """Return header and rows: the figures at .5 under each protocol."""
    header = ["protocol", "real", "ai", "AUROC", "95 %", "balanced accuracy", "fpr", "tpr", "ECE"]
    return header, [
        [
            row["name"],
            f"{row['real']:,}",
            f"{row['ai']:,}",
            decimal(row["auroc"]["value"]),
            interval(row["auroc"], decimal),
            *(share(row[key]) for key in ("balanced_accuracy", "fpr", "tpr")),
            decimal(row["ece"]),
        ]
        for row in results["evaluation"]["protocols"]
    ]


def verdict_table(results: Results) -> Table:
    """Return header and rows: the verdicts at each operating point under each protocol."""
    header = ["operating point", "protocol", "real called ai", "95 %", "real called real", "ai called ai"]
    protocols = results["evaluation"]["protocols"]
    return [*header, "ai called real", "inconclusive"], [
        [
            point,
            row["name"],
            share(row["verdicts"][point]["fpr"]["value"]),
            interval(row["verdicts"][point]["fpr"], share),
            *(share(row["verdicts"][point][key]["value"]) for key in ("cleared", "tpr", "missed", "inconclusive")),
        ]
        for point in protocols[0]["verdicts"]
        for row in protocols
    ]


def group_table(title: str, groups: Sequence[Results], point: str = "balanced") -> Table:
    """Return header and rows: a line a group, with its verdicts at an operating point."""
    header = [title, "real", "ai", "AUROC", f"real called ai at `{point}`", "real called real", "ai called ai"]
    return [*header, "ai called real"], [
        [
            row["name"],
            f"{row['real']:,}",
            f"{row['ai']:,}",
            decimal(row["auroc"]["value"]),
            *(share(row["verdicts"][point][key]["value"]) for key in ("fpr", "cleared", "tpr", "missed")),
        ]
        for row in groups
    ]


def coverage_table(results: Results) -> Table:
    """Return header and rows: how right the surest pictures are."""
    return ["surest", "accuracy"], [[share(row["coverage"]), share(row["accuracy"])] for row in results["coverage"]]


def interval(figure: Results, format: Callable[[float | None], str | None]) -> str | None:
    """Format the interval of a `fauxto.bundles.metrics.Share`."""
    return None if figure["low"] is None else f"{format(figure['low'])} to {format(figure['high'])}"


def reliability_table(reliability: Sequence[Results]) -> Table:
    """Return header and rows: what the probability says, and what is."""
    return ["probability", "pictures", "mean", "share that is AI"], [
        [
            f"{row['low']:.2f} to {row['high']:.2f}",
            f"{row['count']:,}",
            share(row["probability"]),
            share(row["share_ai"]),
        ]
        for row in reliability
        if row["count"]
    ]


def calibration_table(figures: Results) -> Table:
    """Return header and rows: how far the probabilities are off, before and after calibration."""
    return ["calibration", "accuracy at .5", "ECE", "Brier score", "log loss"], [
        [name, share(stage["accuracy"]), *(decimal(stage[key]) for key in ("ece", "brier", "log_loss"))]
        for name, stage in figures["calibration"].items()
    ]


def decision_table(decisions: Mapping[str, Results]) -> Table:
    """Return header and rows: what each pair of thresholds does."""
    header = ["", "real up to", "ai from", "fpr", "tpr", "missed", "inconclusive", "balanced accuracy"]
    return header, [
        [
            name,
            decimal(one["real_below"]),
            decimal(one["ai_above"]),
            *(share(one[key]) for key in ("fpr", "tpr", "missed", "inconclusive", "balanced_accuracy")),
        ]
        for name, one in decisions.items()
    ]


def summary_table(keys: Sequence[str], rows: Sequence[Results]) -> Table:
    """Return header and rows of `metrics.summary` dicts, led by the columns `keys`."""
    shares = ("accuracy", "balanced_accuracy", "fpr", "tpr")
    return [*keys, "accuracy", "balanced accuracy", "fpr", "tpr", "AUROC", "ECE"], [
        [
            *(f"{row[key]:,}" if isinstance(row[key], int) else row[key] for key in keys),
            *(share(row[key]) for key in shares),
            decimal(row["auroc"]),
            decimal(row["ece"]),
        ]
        for row in rows
    ]


def _page(results: Results, robustness: Results | None) -> HtmlPage:
    subject, figures = results["subject"], results["full"]
    page = HtmlPage(f"Evaluation of {results['name']}", f"{subject['dataset']}, {subject['split']} split")

    page.section("In short", leak_prose(results))
    page.table(*overview_table(results), "Accuracy and ECE at the probability that a user sees.")

    page.section(
        "By label",
        "A picture counts as ai from a probability of .5 up. Positive, wherever it says so, is ai.",
    )
    page.table(*classification_table(figures))
    page.figure(
        plots.confusion_matrix(figures),
        "Rows: what the pictures are. Columns: what they were called.",
        "Confusion matrix of the labels real and ai.",
    )

    page.section("Ranking", "How well the score tells the two labels apart, whatever the threshold.")
    page.figure(plots.score_histogram(figures), "Raw scores of both labels.", "Two overlaid histograms.")
    if figures["curves"]:
        page.figure(
            plots.curve_pair(figures),
            "Left: the share of AI pictures found (tpr) for the share of photographs accused (fpr), the "
            "upper corner drawn larger. Right: how many of the pictures called ai are ai.",
            "ROC curve and precision-recall curve.",
        )

    page.section(
        "Calibration",
        "Of the pictures given a probability of 70 %, seven in ten should be AI. The expected calibration "
        "error (ECE) is the mean distance from that, over 15 equal bins of the probability of AI.",
    )
    page.table(*calibration_table(figures))
    page.figure(
        plots.reliability_diagram(figures),
        "Above: on the dotted line, the probability is the truth. Below: pictures per bin, on a log scale.",
        "Reliability diagram over a histogram of the probabilities.",
    )

    page.section(
        "Verdicts",
        "A verdict needs a probability outside of a band; what lies inside is inconclusive. fpr is the share "
        "of real pictures called ai, tpr the share of AI pictures called ai, missed the share of AI pictures "
        "called real; the balanced accuracy is that of the pictures with a verdict.",
    )
    if figures["operating_points"]:
        page.table(
            *decision_table(figures["operating_points"]),
            "The operating points, chosen on val, measured here.",
        )
    page.table(
        *decision_table({f"from {100 * one['ai_above']:.0f} %": one for one in figures["thresholds"]}),
        "Bands of growing width.",
    )
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

    page.section(
        "As delivered",
        "The same pictures as found, at most 768 px wide as JPEG q60 (web), and at most 512 px as JPEG q40 (hard). The "
        f"intervals are those of a bootstrap over {interval_units(results)}.",
    )
    page.table(*protocol_table(results))
    page.table(*verdict_table(results), "Verdicts, the check of stability and the rules of the domain included.")
    for title, groups in results["evaluation"]["groups"].items():
        if len(groups) > 1:
            page.section(f"By {title}", "As found; verdicts at the operating point `balanced`.")
            page.table(*group_table(title, groups))

    if robustness:
        page.section(
            "Robustness",
            f"The same {robustness['count']:,} pictures (seed {robustness['seed']}, none of them leaked) as "
            "they are, and under one degradation at a time.",
        )
        page.figure(
            plots.robustness_dots(robustness["rows"]),
            "Accuracy at a probability of .5.",
            "A dot for each degradation.",
        )
        page.table(*summary_table(["degradation", "severity"], robustness["rows"]))

    page.section("What was measured")
    page.table(["", ""], [[key, _plain(value)] for key, value in subject.items()])
    return page


def interval_units(results: Results) -> str:
    """Say over what the intervals were taken."""
    sources = results["evaluation"]["sources"]
    return f"{sources} sources" if sources >= FEWEST_SOURCES else "the pictures"


def _plain(value: object) -> object:
    return ", ".join(f"{key} {one}" for key, one in value.items()) if isinstance(value, Mapping) else value
