"""The plots of the exploration report, each a matplotlib figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import PIL.Image
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from fauxto import palette
from fauxto.lab.datasets.manifest import LABELS, Split
from fauxto.lab.datasets.pixel_statistics import PixelSummary, radial_profile
from fauxto.lab.html_report import plot_grid

Summaries = Mapping[str, PixelSummary]

_ROWS, _COLUMNS = 10, 10  # of a sample sheet
_THUMBNAIL, _GAP = 64, 4  # pixels
_MOST_NUMBERED = 5  # groups of bars that leave room for numbers


def grouped_bars(counts: Mapping[str, Mapping[str, int]]) -> Figure:
    """Draw a group of bars for each name, a bar for each label, from label to name to count."""
    figure, ((axes,),) = plot_grid(height=3.2)
    width = 0.8 / len(counts)
    for place, (label, by_name) in enumerate(counts.items()):
        bars = axes.bar(
            np.arange(len(by_name)) + (place - (len(counts) - 1) / 2) * width,
            list(by_name.values()),
            width * 0.94,
            color=palette.OF_LABEL[label],
            label=label,
        )
        if len(by_name) <= _MOST_NUMBERED:
            axes.bar_label(bars, fmt="{:,.0f}", padding=2, fontsize=9)
        axes.set_xticks(range(len(by_name)), _literal(by_name))
    axes.set_ylabel("pictures")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.grid(axis="x", visible=False)
    axes.margins(y=0.12)
    _add_legend(figure, axes)
    return figure


def sample_sheets(split: Split, seed: int) -> Figure:
    """Draw a sheet of random pictures for each label, a row for each object class where there are any."""
    classes = split.rows["object_class"].to_numpy(zero_copy_only=False)
    names = sorted({name for name in classes if name is not None})[:_ROWS]
    figure, (row,) = plot_grid(1, len(LABELS), height=5.0)
    rng = np.random.default_rng(seed)
    for number, (axes, label) in enumerate(zip(row, LABELS, strict=True)):
        of_label = split.labels == number
        if names:
            shown = [rng.permutation(np.flatnonzero(of_label & (classes == name)))[:_COLUMNS] for name in names]
        else:
            shown = np.array_split(rng.permutation(np.flatnonzero(of_label))[: _ROWS * _COLUMNS], _ROWS)
        _show(axes, label, _sheet(split, shown))
        if names and number == 0:
            axes.set_yticks([(place + 0.5) * (_THUMBNAIL + _GAP) for place in range(len(names))], _literal(names))
            axes.tick_params(length=0)
    return figure


def measure_histograms(summaries: Summaries, names: Sequence[str]) -> Figure:
    """Draw how some measures of single pictures are distributed."""
    figure, (row,) = plot_grid(1, len(names), height=2.9)
    for axes, name in zip(row, names, strict=True):
        values = {label: summary.measures[name] for label, summary in summaries.items()}
        edges = np.linspace(0, max(measures.max() for measures in values.values()) or 1, 61)
        for label, measures in values.items():
            _outline(axes, np.histogram(measures, edges)[0] / len(measures), edges, label)
        axes.set_title(name)
    row[0].set_ylabel("share of pictures")
    _add_legend(figure, row[0])
    return figure


def channel_histograms(summaries: Summaries) -> Figure:
    """Draw how often each level of red, green and blue occurs among all pixels."""
    figure, (row,) = plot_grid(1, 3, height=2.9)
    # Clipped pixels may rise far above the rest.
    highest = max(summary.histogram[:, 5:250].max() for summary in summaries.values()) or 1
    for channel, (axes, name) in enumerate(zip(row, ("red", "green", "blue"), strict=True)):
        for label, summary in summaries.items():
            _outline(axes, summary.histogram[channel], np.arange(257.0), label)
        axes.set(title=name, xlim=(0, 256), xticks=[0, 64, 128, 192, 255], ylim=(0, highest * 1.4))
    row[0].set_ylabel("share of pixels")
    _add_legend(figure, row[0])
    return figure


def mean_pictures(summaries: Summaries) -> Figure:
    """Draw the mean picture of each label and, of two, the difference of their grey levels."""
    means = {label: summary.mean_picture for label, summary in summaries.items()}
    figure, row = _side_by_side({label: mean.mean(axis=2) for label, mean in means.items()}, "grey levels")
    for axes, (label, mean) in zip(row, means.items(), strict=True):
        _show(axes, label, np.rint(mean).astype(np.uint8))
    return figure


def spectra(summaries: Summaries) -> Figure:
    """Draw the mean log spectrum of each label on one scale and, of two, their difference."""
    powers = {label: summary.log_spectrum for label, summary in summaries.items()}
    low, high = min(map(np.min, powers.values())), max(map(np.max, powers.values()))
    figure, row = _side_by_side(powers, "log10 power")
    for axes, (label, power) in zip(row, powers.items(), strict=True):
        image = _show(axes, label, power, cmap="magma", vmin=low, vmax=high)
    figure.colorbar(image, ax=row, label="log10 power", shrink=0.8)
    return figure


def radial_profiles(summaries: Summaries) -> Figure:
    """Draw the mean log power of each label against frequency."""
    figure, ((axes,),) = plot_grid(height=3.4)
    for label, summary in summaries.items():
        axes.plot(*radial_profile(summary.log_spectrum), color=palette.OF_LABEL[label], linewidth=2, label=label)
    axes.set(xlabel="cycles per pixel", ylabel="mean log10 power", xlim=(0, 0.5))
    _add_legend(figure, axes)
    return figure


def _literal(names: Iterable[str]) -> list[str]:
    """Keep matplotlib from reading formulas into names."""
    return [name.replace("$", r"\$") for name in names]


def _add_legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(labels), frameon=False)


def _outline(axes: Axes, shares: NDArray[np.float64], edges: NDArray[np.float64], label: str) -> None:
    axes.stairs(shares, edges, fill=True, alpha=0.22, color=palette.OF_LABEL[label])
    axes.stairs(shares, edges, color=palette.OF_LABEL[label], linewidth=1.4, label=label)


def _side_by_side(maps: Mapping[str, NDArray[np.float64]], unit: str) -> tuple[Figure, Sequence[Axes]]:
    """Make axes for each map and, of two, draw in one more the second minus the first, red where it is higher."""
    figure, (row,) = plot_grid(1, 3 if len(maps) == 2 else 1, height=3.1)
    if len(maps) == 1:
        return figure, row
    (first, low), (second, high) = maps.items()
    limit = np.abs(high - low).max() or 1
    image = _show(row[2], f"{second} − {first}", high - low, cmap="RdBu_r", vmin=-limit, vmax=limit)
    figure.colorbar(image, ax=row[2], label=unit, shrink=0.8)
    return figure, row[:2]


def _show(axes: Axes, title: str, picture: NDArray[Any], **options: Any) -> AxesImage:
    image = axes.imshow(picture, interpolation="none", **options)
    axes.set(title=title, xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set_visible(False)
    return image


def _sheet(split: Split, rows: Sequence[NDArray[np.int64]]) -> NDArray[np.uint8]:
    """Lay pictures out in rows: RGBA uint8, transparent between the pictures."""
    step = _THUMBNAIL + _GAP
    sheet = np.zeros((len(rows) * step, _COLUMNS * step, 4), dtype=np.uint8)
    for place, indices in enumerate(rows):
        for column, index in enumerate(indices):
            picture = PIL.Image.fromarray(split.images[index])
            picture = picture.resize(_fitting(picture.size), PIL.Image.Resampling.BOX)
            width, height = picture.size
            top = place * step + (step - height) // 2
            left = column * step + (step - width) // 2
            sheet[top : top + height, left : left + width, :3] = np.asarray(picture)
            sheet[top : top + height, left : left + width, 3] = 255
    return sheet


def _fitting(size: tuple[int, int]) -> tuple[int, int]:
    """Scale a size so that the longer side fills a thumbnail, small pictures by whole numbers to keep pixels crisp."""
    scale = _THUMBNAIL / max(size)
    width, height = (max(1, round(side * (int(scale) if scale >= 1 else scale))) for side in size)
    return width, height
