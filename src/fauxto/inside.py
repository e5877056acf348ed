"""The picture inside a screenshot: found between flat bars and interface, by cuts along its flat rows and columns.

The cuts are those of Nagy and Seth, "Hierarchical representation of optically scanned documents" (1984): the picture is
cut at rows of one colour, then at columns, and so on, each time for the block with the most detail, until no flat line
is left. What comes out is a picture only if it is a rectangle whose edges are straight, with flat ground on opposite
sides: things on a plain table, the lamps of a night and the sea below an even sky aren't.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fauxto.domain import objection
from fauxto.errors import ConfigError
from fauxto.images import Image
from fauxto.report import Crop, Reason, Report

_SIDE = 192  # samples of the short side, at least; no smaller picture has one inside
_MOST_ASPECT = 8  # of a picture in which one is looked for
_LIKE = 10  # levels of 256 by which samples of one colour differ at most, in each channel
_FLAT = 0.985  # of a flat line's samples have its colour
_DETAIL = 3  # levels by which neighbours in detail differ at least
_PROBES = 15  # samples whose median is a line's colour
_CUTS, _COARSE = 12, 16  # at most; levels that tell the colours of runs apart when their lines are counted
_FRAME, _WIDEST_FRAME = 0.8, 5  # of a frame's samples have its colour; samples
_GROUND = 0.9  # of the samples beside a picture have one colour
_EDGE, _LEAST_EDGE = 0.6, 0.2  # of the samples along its edges differ from that: of all, and of each edge
_LEAST_SIDE, _LEAST_AREA = 0.34, 0.06  # of the whole
_EVEN = 0.65  # of the samples around a picture are like their neighbours
_AROUND, _BETWEEN_BARS = 0.25, 0.6  # of the whole: around a picture at least, between bars at most
_SHARP, _INTERFACE = 40, 0.01  # levels between neighbours in letters; share of such neighbours around a picture
_DIMMED = 3  # times darker is a picture around a crop

Rectangle = Crop | tuple[int, int, int, int]
"""x, y, width and height in pixels."""

Samples = NDArray[np.int16]
"""Levels of red, green and blue: [3, N, M], N lines of M samples each."""

Span = tuple[int, int]
"""The first line, and the one behind the last."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring lines of one `colour`; a block of others has none."""

    start: int
    stop: int
    colour: Samples | None

    def is_like(self, other: _Run) -> bool:
        if self.colour is None or other.colour is None:
            return False
        return bool(np.abs(self.colour - other.colour).max() <= _LIKE)


@dataclass(frozen=True, slots=True)
class Part:
    """What of a picture is judged.

    Attributes:
        crop: None for the whole.
        short_side: Of the part, in pixels of the whole after orientation.
        objection: Why the part gets no verdict, whatever its size (`fauxto.domain.objection`), or None.
        reasons: Why it is not the whole.
    """

    crop: Crop | None
    short_side: int
    objection: str | None
    reasons: tuple[Reason, ...] = ()


def part_to_judge(image: Image, crop: Rectangle | None = None) -> tuple[NDArray[np.uint8], Part]:
    """Choose the part of a picture to judge: as asked, or the picture inside it, or the whole.

    A picture inside is taken where the whole gets no verdict, or where it is plain that it is inside something.

    Args:
        image: The picture as decoded.
        crop: What was asked for: x, y, width and height in pixels after orientation; None to look for it.

    Returns:
        Its pixels, uint8 [H, W, 3], a view of the whole, and what they are.

    Raises:
        ConfigError: The crop reaches beyond the picture, or is empty.
        TypeError: It isn't four whole numbers.
    """
    rgb, facts = image.rgb, image.facts
    if crop is not None:
        crop = _checked(crop, facts.width, facts.height)
        pixels = cut(rgb, crop, facts.width)
        reason = Reason("crop", f"only the part that was asked for was judged: {crop}.")
        return pixels, Part(crop, min(crop.width, crop.height), objection(pixels), (reason,))
    whole = Part(None, min(facts.width, facts.height), objection(rgb))
    inside = find(rgb, must_be_plain=whole.objection is None)
    if inside is None:
        return rgb, whole
    inside = _enlarged(inside, image.scale, facts.width, facts.height)
    pixels = cut(rgb, inside, facts.width)
    if objection(pixels) is not None:
        return rgb, whole
    reason = Reason("picture_inside", f"judged was the picture inside, without what is around it: {inside}.")
    return pixels, Part(inside, min(inside.width, inside.height), None, (reason,))


def judged_part(rgb: NDArray[np.uint8], report: Report) -> NDArray[np.uint8]:
    """Return the part of a decoded picture, uint8 [H, W, 3], that its report is about; a view."""
    return rgb if report.crop is None or report.image is None else cut(rgb, report.crop, report.image.width)


def marked(rgb: NDArray[np.uint8], report: Report) -> NDArray[np.uint8]:
    """Return a decoded picture, uint8 [H, W, 3], dimmed around the part that its report is about."""
    return rgb if report.crop is None or report.image is None else dimmed(rgb, report.crop, report.image.width)


def dimmed(rgb: NDArray[np.uint8], crop: Crop, width: int) -> NDArray[np.uint8]:
    """Return a picture, uint8 [H, W, 3], dimmed around a crop; the arguments are those of `cut`."""
    around = rgb // np.uint8(_DIMMED)
    cut(around, crop, width)[:] = cut(rgb, crop, width)
    return around


def cut(rgb: NDArray[np.uint8], crop: Crop, width: int) -> NDArray[np.uint8]:
    """Cut a crop out of a picture.

    Args:
        rgb: uint8 [H, W, 3], perhaps decoded or shown smaller than it is.
        crop: In pixels of the picture.
        width: Of the picture.

    Returns:
        A view of `rgb`, at least one pixel high and wide.
    """
    factor = rgb.shape[1] / width
    left, top = (min(int(start * factor), side - 1) for start, side in ((crop.x, rgb.shape[1]), (crop.y, len(rgb))))
    right, bottom = round((crop.x + crop.width) * factor), round((crop.y + crop.height) * factor)
    return rgb[top : max(bottom, top + 1), left : max(right, left + 1)]


def _enlarged(crop: Crop, scale: int, width: int, height: int) -> Crop:
    x, y = crop.x * scale, crop.y * scale
    return Crop(x, y, min(crop.width * scale, width - x), min(crop.height * scale, height - y))


def _checked(crop: Rectangle, width: int, height: int) -> Crop:
    if not isinstance(crop, Crop):
        if len(crop) != 4:
            raise TypeError(f"a crop is x, y, width and height in pixels, not {len(crop)} numbers")
        crop = Crop(*map(operator.index, crop))
    if min(crop.x, crop.y) < 0 or min(crop.width, crop.height) < 1:
        raise ConfigError(f"the crop {crop} is none: x and y are 0 or more, width and height 1 or more")
    if crop.x + crop.width > width or crop.y + crop.height > height:
        raise ConfigError(f"the crop {crop} reaches beyond the picture of {width} x {height} px")
    return crop


def find(rgb: NDArray[np.uint8], *, must_be_plain: bool = False) -> Crop | None:
    """Find the picture inside a screenshot, a letterbox or a margin.

    Args:
        rgb: uint8 [H, W, 3].
        must_be_plain: Whether there have to be wide bars, letters or symbols around it: a print's border isn't enough.

    Returns:
        The rectangle, inside the picture's edges by at most 1/192 of the short side; None where there is none.
    """
    step = min(rgb.shape[:2]) // _SIDE
    if step == 0 or max(rgb.shape[:2]) > _MOST_ASPECT * min(rgb.shape[:2]):
        return None
    samples = np.ascontiguousarray(rgb[step // 2 :: step, step // 2 :: step].transpose(2, 0, 1), dtype=np.int16)
    box = _cut(samples)
    if box is None or not _is_large(samples, box) or not _is_picture(samples, box := _without_frame(samples, box)):
        return None
    steps = _steps_around(samples, box)
    if np.count_nonzero(steps <= 1) <= _EVEN * steps.size:
        return None
    has_interface = steps.size >= _AROUND * samples[0].size and np.mean(steps >= _SHARP) >= _INTERFACE
    if must_be_plain and not (has_interface or _is_between_bars(samples, box)):
        return None
    (top, bottom), (left, right) = (
        (start and step // 2 + start * step, side if stop == count else step // 2 + (stop - 1) * step + 1)
        for (start, stop), count, side in zip(box, samples.shape[1:], rgb.shape, strict=False)
    )
    return Crop(left, top, right - left, bottom - top)


def _part(samples: Samples, box: Sequence[Span], axis: int) -> Samples:
    """Return the rows (axis 0) or the columns (axis 1) of a box as lines."""
    (top, bottom), (left, right) = box
    part = samples[:, top:bottom, left:right]
    return part if axis == 0 else part.swapaxes(1, 2)


def _cut(samples: Samples) -> list[Span] | None:
    """Return rows and columns where no flat line is left; None where there is nothing but flat lines."""
    box = [(0, samples.shape[1]), (0, samples.shape[2])]
    uncut = 0
    for cut in range(_CUTS):
        axis = cut % 2
        start, stop = box[axis]
        block = _block(_part(samples, box, axis))
        if block is None:
            return None
        uncut = uncut + 1 if block == (0, stop - start) else 0
        box[axis] = start + block[0], start + block[1]
        if uncut == 2:
            break
    return box


def _block(lines: Samples) -> Span | None:
    """Return where among `lines` the block with the most detail is."""
    runs = _runs(lines)
    blocks = [number for number, run in enumerate(runs) if run.colour is None]
    if len(runs) == 1 or not blocks:
        return (0, lines.shape[1]) if blocks else None
    detail = (np.abs(np.diff(lines, axis=2)).max(axis=0) >= _DETAIL).sum(axis=1)
    best = max(blocks, key=lambda number: int(detail[runs[number].start : runs[number].stop].sum()))
    coarse = [b"" if run.colour is None else (run.colour // _COARSE).tobytes() for run in runs]
    lines_of: Counter[bytes] = Counter()
    for colour, run in zip(coarse, runs, strict=True):
        lines_of[colour] += run.stop - run.start if colour else 0
    ground = runs[coarse.index(lines_of.most_common(1)[0][0])]
    around = [runs[best], *_sky(runs[:best][::-1], ground), *_sky(runs[best + 1 :], ground)]
    return min(run.start for run in around), max(run.stop for run in around)


def _sky(beyond: Sequence[_Run], ground: _Run) -> Sequence[_Run]:
    """Return the flat run that belongs to the picture beside it, as an even sky does: beyond it there is ground."""
    if not beyond or beyond[0].is_like(ground) or (len(beyond) > 1 and not beyond[1].is_like(ground)):
        return ()
    return beyond[:1]


def _runs(lines: Samples) -> list[_Run]:
    """Part `lines` into runs of one colour each and the blocks between them."""
    colours, shares = _colours(lines)
    is_flat = shares >= _FLAT
    changes = (is_flat[1:] != is_flat[:-1]) | (is_flat[1:] & (np.abs(np.diff(colours)).max(axis=0) > _LIKE))
    bounds = [0, *(np.flatnonzero(changes) + 1).tolist(), lines.shape[1]]
    return [_Run(start, stop, colours[:, start] if is_flat[start] else None) for start, stop in pairwise(bounds)]


def _colours(lines: Samples) -> tuple[Samples, NDArray[np.float64]]:
    """Return each line's colour [3, N], and the share of its samples [N] that have it."""
    colours = np.median(lines[:, :, :: max(1, lines.shape[2] // _PROBES)], axis=2).astype(np.int16)
    return colours, (np.abs(lines - colours[:, :, np.newaxis]).max(axis=0) <= _LIKE).mean(axis=1)


def _without_frame(samples: Samples, box: list[Span]) -> list[Span]:
    """Take off a frame of one colour that is too thin or too round at its corners for a cut, as of a chat's bubble."""
    for axis, (start, stop) in enumerate(box):
        _, shares = _colours(_part(samples, box, axis))
        is_frame = np.append(shares[:_WIDEST_FRAME] >= _FRAME, False)
        before = int(np.argmin(is_frame))
        is_frame = np.append(shares[: -_WIDEST_FRAME - 1 : -1] >= _FRAME, False)
        box[axis] = start + before, stop - int(np.argmin(is_frame))
    return box


def _is_large(samples: Samples, box: list[Span]) -> bool:
    (height, width), whole = (stop - start for start, stop in box), samples.shape[1:]
    return bool(min(height, width) >= _LEAST_SIDE * min(whole) and height * width >= _LEAST_AREA * np.prod(whole))


def _is_picture(samples: Samples, box: list[Span]) -> bool:
    """Tell whether a box has straight edges and flat ground on opposite sides."""
    edges: list[float] = []
    is_between = False
    for axis, length in enumerate(samples.shape[1:]):
        lines = _part(samples, [(0, length), box[1]] if axis == 0 else [box[0], (0, length)], axis)
        start, stop = box[axis]
        free = [(first, outward) for first, outward in ((start, -1), (stop - 1, 1)) if 0 < first < length - 1]
        edges += [_edge(lines, *side) for side in free]
        is_between = is_between or len(free) == 2
    return is_between and min(edges) >= _LEAST_EDGE and sum(edges) >= _EDGE * len(edges)


def _edge(lines: Samples, first: int, outward: int) -> float:
    """Return which share of the samples along an edge, at its `first` line, differ from the flat ground beyond it.

    Either of two lines on each side will do, since scaling and compression blur the one at the edge.
    """
    beyond = [first + outward, min(max(first + 2 * outward, 0), lines.shape[1] - 1)]
    colours, shares = _colours(lines[:, beyond])
    ground = int(shares.argmax())
    if shares[ground] < _GROUND:
        return 0.0
    edge = lines[:, [first, first - outward]]
    return float((np.abs(edge - colours[:, ground, np.newaxis, np.newaxis]).max(axis=0) > _LIKE).any(axis=0).mean())


def _steps_around(samples: Samples, box: list[Span]) -> Samples:
    """Return the steps between neighbours in all rows around a box, in levels."""
    (top, bottom), (left, right) = box
    is_around = np.ones(samples.shape[1:], bool)
    is_around[max(top - 2, 0) : bottom + 2, max(left - 2, 0) : right + 2] = False
    return np.asarray(np.abs(np.diff(samples, axis=2)).max(axis=0)[is_around[:, 1:]], np.int16)


def _is_between_bars(samples: Samples, box: list[Span]) -> bool:
    """Tell whether a box reaches from side to side between two bars of one colour, which take most of the rest."""
    for axis, (start, stop) in enumerate(box):
        length, across = samples.shape[1 + axis], samples.shape[2 - axis]
        if box[1 - axis] == (0, across) and 0 < start < stop < length and stop - start <= _BETWEEN_BARS * length:
            lines = samples if axis == 0 else samples.swapaxes(1, 2)
            bars = np.concatenate([lines[:, : start - 1], lines[:, stop + 1 :]], axis=1).reshape(3, -1)
            colour = np.median(bars[:, :: 1 + bars.shape[1] // 999], axis=1)
            return bool((np.abs(bars - colour[:, np.newaxis]).max(axis=0) <= _LIKE).mean() >= _FLAT)
    return False
