"""An illustrated report on a data set: what it holds, and how the two labels differ before any model is trained.

The counts cover every split. Pixels are described on the train split alone (or the first that there is), so that
whoever reads the report and then builds a model hasn't looked at the pictures that will judge it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from fauxto.errors import DatasetError
from fauxto.lab.datasets import exploration_plots as plots
from fauxto.lab.datasets.manifest import LABELS, Dataset, Split
from fauxto.lab.datasets.pixel_statistics import PixelSummary, cut_squares, summarise
from fauxto.lab.html_report import HtmlPage

SAMPLE_PICTURES, SAMPLE_BYTES = 10_000, 256 * 1024 * 1024
"""At most this much of each label's pixels is described, whichever comes first."""

_SEED = 0
_LONGEST_LIST = 20
_SMALLEST_SIDE = 8  # pixels
_NEARLY_GREY = 4  # mean distance between the highest and the lowest channel, in levels


def explore(dataset: Dataset, out: str | Path) -> Path:
    """Write the report.

    Args:
        dataset: The data set.
        out: The HTML file to write.

    Returns:
        The file.

    Raises:
        DatasetError: Its pictures are too small to have a spectrum.
    """
    split = dataset.split(dataset.splits[0])
    summaries = _summarise_labels(split)
    page = HtmlPage(f"The data set {dataset.name}", f"{len(dataset.manifest):,} pictures, before any model is trained")
    _show_contents(page, dataset)
    _show_samples(page, split)
    _show_colours(page, split, summaries)
    _show_mean_pictures(page, summaries)
    _show_spectra(page, summaries)
    _tabulate_measures(page, summaries)
    return page.write(out)


def _summarise_labels(split: Split) -> dict[str, PixelSummary]:
    """Sum up a seeded sample of each label that occurs, cut to squares of a side that nine in ten pictures have."""
    shorter = np.minimum(split.rows["pixel_height"].to_numpy(), split.rows["pixel_width"].to_numpy())
    side = int(np.quantile(shorter, 0.1))
    if side < _SMALLEST_SIDE:
        raise DatasetError(f"one in ten pictures of {split.name} is smaller than {_SMALLEST_SIDE} pixels; remove them")
    count = min(SAMPLE_PICTURES, SAMPLE_BYTES // (side * side * 3))
    summaries = {}
    for number, label in enumerate(LABELS):
        large_enough = np.flatnonzero((split.labels == number) & (shorter >= side))
        if len(large_enough):
            chosen = np.sort(np.random.default_rng(_SEED).permutation(large_enough)[:count])
            summaries[label] = summarise(cut_squares((split.images[index] for index in chosen), side))
    return summaries


def _show_contents(page: HtmlPage, dataset: Dataset) -> None:
    skipped = len(dataset.description["skipped"])
    page.section(
        "What it holds",
        "A good set has about as many pictures of either label in every split, and the same kinds of things in them. "
        "Where it hasn't, accuracy misleads, and a model may learn the subject instead of the trace of a generator."
        + (f"\n\n{skipped:,} files could not be used; dataset.json names them and says why." if skipped else ""),
    )
    counts = dataset.description["counts"]
    by_split = {label: {split: counts[split].get(label, 0) for split in dataset.splits} for label in LABELS}
    page.figure(
        plots.grouped_bars(by_split),
        "Pictures by split and label.",
        "; ".join(
            f"{split}: {labels.get('real', 0)} real, {labels.get('ai', 0)} ai" for split, labels in counts.items()
        ),
    )
    object_classes = Counter(dataset.manifest["object_class"].drop_null().to_pylist()).most_common(_LONGEST_LIST)
    if object_classes:
        both = Counter(_tuples(dataset, ["label", "object_class"]))
        names = sorted(name for name, _ in object_classes)
        by_class = {label: {name: both[label, name] for name in names} for label in LABELS}
        page.figure(plots.grouped_bars(by_class), "Pictures by what they show.", f"Bars for {', '.join(names)}.")
    kinds = Counter(_tuples(dataset, ["label", "source", "generator", "format"])).most_common()
    rows = [[*kind, f"{count:,}"] for kind, count in kinds[:_LONGEST_LIST]]
    more = f"; {len(kinds) - len(rows)} rarer kinds are left out" if len(kinds) > len(rows) else ""
    page.table(["label", "source", "generator", "file format", "pictures"], rows, f"Where they come from{more}.")


def _tuples(dataset: Dataset, columns: list[str]) -> Iterator[tuple[str | None, ...]]:
    return zip(*dataset.manifest.select(columns).to_pydict().values(), strict=True)


def _show_samples(page: HtmlPage, split: Split) -> None:
    page.section(
        "What the pictures look like",
        f"Drawn at random from {split.name}, a row for each kind of thing where the set names one. Can you tell the "
        "labels apart? Whatever helps you to, a model can use too, for better or worse.",
    )
    page.figure(
        plots.sample_sheets(split, seed=_SEED),
        "Random pictures, photographs on the left and AI pictures on the right; large ones are shrunk here.",
        "Two sheets of sample pictures.",
    )


def _show_colours(page: HtmlPage, split: Split, summaries: Mapping[str, PixelSummary]) -> None:
    sampled = ", ".join(f"{len(summary.measures['brightness']):,} {label}" for label, summary in summaries.items())
    grey = ", ".join(
        f"{100 * np.mean(summary.measures['colourfulness'] < _NEARLY_GREY):.1f}\N{NO-BREAK SPACE}% of {label}"
        for label, summary in summaries.items()
    )
    page.section(
        "Brightness and colour",
        "Differences here come from what was photographed or asked for, and from how files were prepared. They are no "
        "traces of a generator, and a model that leans on them fails on other pictures."
        f"\n\nThis and all that follows describes pictures of the split {split.name} ({sampled}). "
        f"Nearly grey are {grey}.",
    )
    page.figure(
        plots.measure_histograms(summaries, ("brightness", "contrast", "colourfulness")),
        "Brightness is the mean of the luma, contrast its standard deviation, colourfulness the mean distance between "
        "the highest and the lowest channel; all on the scale of the grey levels, 0 to 255.",
        "Histograms of brightness, contrast and colourfulness, a line for each label.",
    )
    page.figure(
        plots.channel_histograms(summaries),
        "How often each level of red, green and blue occurs among all pixels. Spikes at the ends, which may be cut off "
        "here, mean clipping.",
        "Histograms of the red, green and blue levels, a line for each label.",
    )


def _show_mean_pictures(page: HtmlPage, summaries: Mapping[str, PixelSummary]) -> None:
    page.section(
        "The average picture",
        "All pictures of a label laid over each other. What is left is how that label is composed: where the sky, the "
        "subject and the ground are.",
    )
    page.figure(
        plots.mean_pictures(summaries),
        "The mean picture of each label, and the mean of AI minus that of photographs, in grey levels.",
        "The mean picture of each label and their difference.",
    )


def _show_spectra(page: HtmlPage, summaries: Mapping[str, PixelSummary]) -> None:
    page.section(
        "The average spectrum",
        "How much detail of each fineness the pictures hold, which the eye can't judge. The middle of a map stands for "
        "coarse structure, its edges for differences from one pixel to the next. Generators build pictures by repeated "
        "enlarging, and may leave too much, too little or periodic detail: a difference at the edges, a grid of dots.",
    )
    page.figure(
        plots.spectra(summaries),
        "Mean log10 power of the luma by frequency, under a Hann window, and the difference of AI minus photographs.",
        "The mean spectrum of each label as a map, and their difference.",
    )
    page.figure(
        plots.radial_profiles(summaries),
        "The same averaged over all directions; 0.5 cycles per pixel is the finest detail that a picture can hold.",
        "Mean log power against frequency, a line for each label.",
    )


def _tabulate_measures(page: HtmlPage, summaries: Mapping[str, PixelSummary]) -> None:
    page.section(
        "The figures",
        "The last column is Cohen's d (1988): the difference of the means, AI minus real, in standard deviations. "
        "Around 0.2 is small, 0.5 medium, 0.8 large. The command fauxto data audit measures how far such facts give "
        "the label away by themselves.",
    )
    header = ["measure", *(f"{what}, {label}" for label in summaries for what in ("mean", "deviation"))]
    rows = []
    for name in next(iter(summaries.values())).measures:
        values = [summary.measures[name] for summary in summaries.values()]
        rows.append([name, *(f"{figure:.1f}" for measures in values for figure in (measures.mean(), measures.std()))])
        if len(values) == len(LABELS):
            real, ai = values
            spread = np.sqrt((real.var() + ai.var()) / 2)
            rows[-1].append(f"{(ai.mean() - real.mean()) / spread:+.2f}" if spread else "–")
    if len(summaries) == len(LABELS):
        header.append("d")
    page.table(
        header,
        rows,
        "Measures of single pictures, in grey levels. Fine detail is the mean difference of neighbouring pixels.",
    )
