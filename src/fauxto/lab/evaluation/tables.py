"""The tables of an evaluation, for its page, the card and the terminal: all from the results alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fauxto.lab.datasets.manifest import LABELS
from fauxto.lab.evaluation.intervals import FEWEST_SOURCES

if TYPE_CHECKING:
    from fauxto.lab.run import RunCalibration

Results = Mapping[str, Any]
INTERVALS = (
    f"Intervals are of 95 %: of {FEWEST_SOURCES} sources and more by a bootstrap over sources, of fewer over pictures."
)

Table = tuple[Sequence[str], list[list[object]]]


def share(value: float | None) -> str | None:
    """Format a share as a percentage with two decimals."""
    return None if value is None else f"{100 * value:.2f} %"


def decimal(value: float | None) -> str | None:
    """Format a number with four decimals."""
    return None if value is None else f"{value:.4f}"


def markdown(table: Table) -> str:
    """Write a Markdown table; an empty cell is a dash."""
    header, rows = table
    lines = [header, ["---"] * len(header), *rows]
    cells = [["–" if cell is None else str(cell).replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def bullets(lines: Sequence[str]) -> str:
    """Write a Markdown list."""
    return "\n".join(f"- {line.strip()}" for line in lines)


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


def unlike_prose(results: Results) -> str:
    """Say how many pictures are refused as too unlike those that were learnt; "" for none."""
    refused = results.get("unlike", {})  # results of before have no such key
    if not any(refused.values()):
        return ""
    return f"As too unlike what it learnt, it refuses {share(refused['real'])} and {share(refused['ai'])} of them."


def foreign_prose(fitted: RunCalibration) -> str:
    """Say what was made sure of on photographs of other sources; "" where there were none."""
    if not fitted.foreign_photographs:
        return ""
    refused = share(fitted.foreign_unlike / fitted.foreign_photographs)
    return (
        f" Of {fitted.foreign_photographs:,} photographs of other sources, shrunk to thumbnails, no more may be called "
        "ai than of the data set's own: the network knows only that."
        + ("" if fitted.max_unlikeness is None else f" It refuses {refused} of them as too unlike what it learnt.")
    )


def overview_table(results: Results) -> Table:
    """Return header and rows: the main figures on the whole split and without leaked pictures."""
    columns = {"whole split": results["full"]}
    if results["without_leaked"]:
        columns["without leaked pictures"] = results["without_leaked"]
    columns_figures = list(columns.values())
    stage = "after" if "after" in results["full"]["calibration"] else "before"
    rows: list[list[object]] = [
        ["pictures", *(f"{figures['count']:,}" for figures in columns_figures)],
        ["accuracy", *(share(figures["accuracy"]) for figures in columns_figures)],
        ["balanced accuracy", *(share(figures["balanced_accuracy"]) for figures in columns_figures)],
        ["AUROC", *(decimal(figures["auroc"]) for figures in columns_figures)],
        ["average precision", *(decimal(figures["average_precision"]) for figures in columns_figures)],
        ["ECE", *(decimal(figures["calibration"][stage]["ece"]) for figures in columns_figures)],
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


def leans_table(results: Results) -> Table:
    """Return header and rows: where pictures without a verdict lean, and the share of these that are of that label."""
    header = ["operating point", "leans", "real", "ai", "of these, to the right side"]
    return header, [
        [
            row["point"],
            row["lean"],
            f"{row['real']:,}",
            f"{row['ai']:,}",
            share(row[row["lean"]] / total) if (total := row["real"] + row["ai"]) else None,
        ]
        for row in results["leans"]
    ]


def verdict_shares(groups: Sequence[Results], point: str = "balanced") -> list[tuple[str, dict[str, float]]]:
    """Return a bar a group and label, for `plots.verdict_bars`: its name and number, and the shares of the verdicts."""
    bars = []
    for label, called_ai, called_real in (("real", "fpr", "cleared"), ("ai", "tpr", "missed")):
        for group in groups:
            if group[label]:
                ai, real = (group["verdicts"][point][key]["value"] for key in (called_ai, called_real))
                shares = {"real": real, "inconclusive": max(0.0, 1 - real - ai), "ai": ai}
                bars.append((f"{group['name'][:40]}, {label} ({group[label]:,})", shares))
    return bars


def published_table(figures: Results, published: Results, ours: str = "this network") -> Table:
    """Return header and rows: the report on each label, and that which others published of the same network."""
    header, rows = classification_table(figures)
    theirs = [
        ["published", row["name"], f"{row['precision']:.2f}", f"{row['recall']:.2f}", None, f"{row['support']:,}"]
        for row in published["classes"]
    ]
    return ["", *header], [*([ours, *row] for row in rows), *theirs]


def models_table(models: Sequence[Results]) -> Table:
    """Return header and rows: the main figures of several models side by side."""
    header = ["model", "real", "ai", "AUROC", "95 %", "balanced accuracy", "real called ai", "ai called ai"]
    rows: list[list[object]] = []
    for results in models:
        clean = results["evaluation"]["protocols"][0]
        verdicts = clean["verdicts"]["balanced"]
        rows.append(
            [
                results["name"],
                f"{clean['real']:,}",
                f"{clean['ai']:,}",
                decimal(clean["auroc"]["value"]),
                interval(clean["auroc"], decimal),
                share(clean["balanced_accuracy"]),
                *(share(verdicts[key]["value"]) for key in ("fpr", "tpr")),
                share(verdicts["inconclusive"]["value"]),
            ]
        )
    return [*header, "inconclusive"], rows


def families_table(results: Results) -> Table:
    """Return header and rows: how often a family of generators is named, and how often rightly."""
    header = ["family", "pictures", "called ai", "of these, a family named", "of these, the right one"]
    header += ["its name given to any", "of these, rightly"]
    return header, [
        [
            row["family"] or "all",
            *(f"{row[key]:,}" for key in ("count", "called_ai", "named")),
            share(row["right"] / row["named"]) if row["named"] else None,
            f"{row['given']:,}",
            share(row["right"] / row["given"]) if row["given"] else None,
        ]
        for row in results["families"]
    ]


def matched_table(results: Results) -> Table:
    """Return header and rows: the AUROC over pairs of pictures whose files are alike."""
    return ["alike in", "pairs", "AUROC"], [
        [row["alike"], f"{row['pairs']:,}", decimal(row["auroc"])] for row in results["shortcuts"]["matched"]
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
            decimal(figures["real_below"]),
            decimal(figures["ai_above"]),
            *(share(figures[key]) for key in ("fpr", "tpr", "missed", "inconclusive", "balanced_accuracy")),
        ]
        for name, figures in decisions.items()
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
