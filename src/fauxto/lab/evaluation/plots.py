"""The plots of an evaluation, each a matplotlib figure drawn from the JSON results alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from fauxto import palette
from fauxto.lab.datasets.manifest import LABELS
from fauxto.lab.html_report import plot_grid
from fauxto.report import Verdict

_CALLED = {Verdict.REAL: "called real", Verdict.INCONCLUSIVE: "inconclusive", Verdict.AI: "called ai"}


def curve_pair(figures: Mapping[str, Any]) -> Figure:
    """Draw the ROC curve, with the operating points on it, beside the precision-recall curve."""
    figure, ((roc, precision_recall),) = plot_grid(1, 2, height=4.4)
    curves = figures["curves"]
    drawn = [roc]
    if any(tpr > 0.8 for fpr, tpr in zip(*curves["roc"].values(), strict=True) if fpr < 0.1):  # else an empty frame
        drawn.append(roc.inset_axes((0.42, 0.36, 0.53, 0.4), xlim=(0, 0.1), ylim=(0.8, 1.005)))
        drawn[1].tick_params(labelsize=8)
    for axes in drawn:
        axes.plot(curves["roc"]["fpr"], curves["roc"]["tpr"], linewidth=2)
        for marker, (name, point) in zip("osD", figures["operating_points"].items(), strict=False):
            axes.plot(point["fpr"], point["tpr"], marker, color=palette.ACCENT, markersize=6, label=name)
    if figures["operating_points"]:
        roc.legend(loc="lower right", ncols=3, columnspacing=0.8, handletextpad=0, frameon=False)
    roc.set(title=f"ROC, area {figures['auroc']:.4f}", xlabel="fpr: real pictures called ai", ylabel="tpr")
    precision_recall.plot(curves["precision_recall"]["recall"], curves["precision_recall"]["precision"], linewidth=2)
    precision_recall.set(
        title=f"Precision by recall, area {figures['average_precision']:.4f}",
        xlabel="recall: AI pictures called ai",
        ylabel="precision",
    )
    for axes in (roc, precision_recall):
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    return figure


def reliability_diagram(figures: Mapping[str, Any]) -> Figure:
    """Draw the share of AI pictures by probability, before and after calibration, above the counts."""
    stages = figures["calibration"]
    figure, axes = plot_grid(2, len(stages), width=4.6 * len(stages), height=5.2)
    figure.set_layout_engine("constrained", h_pad=0.05)
    grid = axes[0, 0].get_gridspec()
    grid.set_height_ratios([3, 1])
    for column, (name, stage) in enumerate(stages.items()):
        bins = stage["reliability"]
        filled = [entry for entry in bins if entry["count"]]
        diagram, counts = axes[:, column]
        diagram.plot([0, 1], [0, 1], color=palette.NEUTRAL, linewidth=1, linestyle=":")
        diagram.plot(
            [entry["probability"] for entry in filled],
            [entry["share_ai"] for entry in filled],
            marker="o",
            markersize=5,
            linewidth=1.6,
        )
        diagram.set(title=f"{name} calibration, ECE {stage['ece']:.4f}", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        counts.bar(
            [entry["low"] for entry in bins],
            [max(entry["count"], 0.5) for entry in bins],
            width=1 / len(bins),
            align="edge",
            edgecolor="white",
            linewidth=0.8,
        )
        counts.set(yscale="log", xlim=(-0.02, 1.02), ylim=(0.8, None), xlabel="probability of AI")
    axes[0, 0].set_ylabel("share of AI pictures")
    axes[1, 0].set_ylabel("pictures")
    return figure


def score_histogram(figures: Mapping[str, Any]) -> Figure:
    """Draw how the raw scores of both labels lie."""
    figure, ((axes,),) = plot_grid(height=3.4)
    histogram = figures["histogram"]
    for label in LABELS:
        axes.stairs(histogram[label], histogram["edges"], fill=True, alpha=0.35, color=palette.OF_LABEL[label])
        axes.stairs(histogram[label], histogram["edges"], color=palette.OF_LABEL[label], linewidth=1.5, label=label)
    axes.legend(frameon=False)
    axes.set(xlabel="score (logit of AI, before calibration)", ylabel="pictures")
    return figure


def confusion_matrix(figures: Mapping[str, Any]) -> Figure:
    """Draw the counts of each label by what it was called, shaded by the share of the label."""
    figure, ((axes,),) = plot_grid(width=4.6, height=3.6)
    counts = np.array(figures["confusion"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        colour = palette.ON_SHADE.dark if shares[row, column] > 0.55 else palette.ON_SHADE.light
        text = f"{count:,}\n{100 * shares[row, column]:.1f} %"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=12)
    axes.set(xticks=[0, 1], xticklabels=[f"called {label}" for label in LABELS], yticks=[0, 1], yticklabels=LABELS)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


def verdict_bars(rows: Sequence[tuple[str, Mapping[str, float]]]) -> Figure:
    """Draw the shares of verdicts as bars: by a bar's name, the share called real, inconclusive and ai."""
    figure, ((axes,),) = plot_grid(height=1.0 + 0.3 * len(rows))
    names, ends = [name for name, _ in rows], np.zeros(len(rows))
    for verdict in (Verdict.REAL, Verdict.INCONCLUSIVE, Verdict.AI):
        shares = np.array([shares[verdict] for _, shares in rows])
        colour = palette.NEUTRAL + "59" if verdict is Verdict.INCONCLUSIVE else palette.FILL[verdict]
        axes.barh(range(len(rows)), shares, left=ends, color=colour, height=0.72, label=_CALLED[verdict])
        for place, (share, end) in enumerate(zip(shares, ends, strict=True)):
            if share >= 0.07:
                axes.text(end + share / 2, place, f"{100 * share:.0f} %", ha="center", va="center", fontsize=8.5)
        ends += shares
    axes.set_yticks(range(len(rows)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.margins(y=0.01)
    axes.grid(False)
    axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    figure.legend(loc="outside upper right", ncols=3, frameon=False)
    return figure


def roc_overlay(models: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draw the ROC curves of several models, by name, from the `figures` of each."""
    figure, ((axes,),) = plot_grid(width=5.4, height=4.8)
    for name, figures in models.items():
        roc = figures["curves"]["roc"]
        axes.plot(roc["fpr"], roc["tpr"], linewidth=2, label=f"{name}, area {figures['auroc']:.4f}")
    axes.plot([0, 1], [0, 1], color=palette.NEUTRAL, linewidth=1, linestyle=":")
    axes.legend(loc="lower right", frameon=False)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set(xlabel="fpr: real pictures called ai", ylabel="tpr: AI pictures called ai")
    return figure


def training_curves(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw loss and accuracy by epoch, on the train split and on val."""
    figure, (panels,) = plot_grid(1, 2, height=3.6)
    epochs = [line["epoch"] for line in history]
    for axes, figure_of_merit in zip(panels, ("loss", "accuracy"), strict=True):
        for key, split in ((figure_of_merit, "train"), (f"val_{figure_of_merit}", "val")):
            axes.plot(epochs, [line[key] for line in history], marker="o", markersize=3, linewidth=1.8, label=split)
        axes.set(title=figure_of_merit, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].legend(frameon=False)
    return figure


def robustness_dots(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw the accuracy under each degradation as a dot, that of the untouched pictures as a line across."""
    untouched, *damaged = rows
    figure, ((axes,),) = plot_grid(height=0.8 + 0.26 * len(damaged))
    names = [f"{row['degradation']}, {row['severity']}" for row in damaged]
    axes.axvline(untouched["accuracy"], color=palette.ACCENT, linewidth=1.4, label=f"untouched, {_percent(untouched)}")
    axes.plot([row["accuracy"] for row in damaged], names, "o")
    for row, name in zip(damaged, names, strict=True):
        axes.annotate(
            _percent(row),
            (row["accuracy"], name),
            (-8, 0),
            textcoords="offset points",
            ha="right",
            va="center",
        )
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.set_xlabel("accuracy")
    figure.legend(loc="outside upper right", frameon=False)
    return figure


def _percent(row: Mapping[str, Any]) -> str:
    return f"{100 * row['accuracy']:.1f} %"
