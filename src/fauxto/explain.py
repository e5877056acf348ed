"""Where in a picture its score comes from: an occlusion map, and a test of whether the map is faithful.

The map follows Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2014): the parts of the
picture are blurred one by one, and the drop in the score is the part's share. The test is one step of the deletion
curve of Petsiuk, Das and Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box Models" (2018), compared
with random parts. docs/explanation/explanations.md says what a map can't show.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np
import PIL.Image
import PIL.ImageFilter
from numpy.typing import NDArray

from fauxto import palette
from fauxto.errors import BundleError

_CELLS_OF_A_THUMBNAIL = 64
_CELLS = 25  # of a larger picture, where each forward pass is slow
_THUMBNAIL = 64  # pixels of the short side, at most
_FEWEST_CELLS = 8
_SHARE = 0.25  # of the cells, removed by the test
_DRAWS = 8
_BYTES_AT_ONCE = 64 * 1024 * 1024
_TOWARDS_AI, _TOWARDS_REAL = palette.rgb(palette.MAP_AI), palette.rgb(palette.MAP_REAL)
_STRONGEST = 0.8  # opacity of the heat map over the picture

Pixels = NDArray[np.uint8]


class Scorer(Protocol):
    """What `explain` needs of a detector."""

    def score_pixels(self, pictures: Sequence[Pixels]) -> NDArray[np.float64]:
        """Return the raw scores [N] of pictures, uint8 [H, W, 3] each."""
        ...


@dataclass(frozen=True, slots=True)
class Deletion:
    """The raw score after blurring some of the cells.

    Attributes:
        share: Share of the cells that are blurred.
        score: Score of the whole picture.
        without_highest: Score without the cells that the map rates highest (AI).
        without_lowest: Score without the cells that the map rates lowest (photograph).
        without_random: Scores without as many random cells, draw by draw, up to the first that fails the map.
    """

    share: float
    score: float
    without_highest: float
    without_lowest: float
    without_random: tuple[float, ...]

    @property
    def passed(self) -> bool:
        """Whether the map's cells move the score further, in both directions, than every random draw."""
        return self.without_highest < min(self.without_random) and self.without_lowest > max(self.without_random)


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Where a picture's score comes from.

    Attributes:
        map: float32 [rows, columns]: the drop in the raw score without each cell; above 0 points to AI.
        deletion: The test; None if the picture has too few cells.
    """

    map: NDArray[np.float32]
    deletion: Deletion | None

    @property
    def faithful(self) -> bool | None:
        """Whether the map passed its test; None if it couldn't be tested. Pages and reports show no other by itself."""
        return None if self.deletion is None else self.deletion.passed

    @property
    def sentence(self) -> str:
        """A sentence on how reliable the map is."""
        if self.deletion is None:
            return "The picture is too narrow to test a map of it, so don't rely on one."
        if self.deletion.passed:
            return (
                f"This map was tested and is faithful: blurring the marked parts moved the score further than blurring "
                f"as much elsewhere, in each of {len(self.deletion.without_random)} tries."
            )
        return "This map was tested and failed: no part of the picture explains the score."

    def overlay(self, rgb: Pixels) -> Pixels:
        """Overlay the map on the picture in grey: vermilion points to AI, blue to a photograph, grey to neither.

        Args:
            rgb: uint8 [H, W, 3], the picture in any size.

        Returns:
            uint8 [H, W, 3] of the same size.
        """
        size = rgb.shape[1::-1]
        strongest = float(np.abs(self.map).max()) or 1.0
        smooth = PIL.Image.fromarray(self.map / strongest).resize(size, PIL.Image.Resampling.BILINEAR)
        shares = np.asarray(smooth)
        colour = PIL.Image.composite(
            PIL.Image.new("RGB", size, _TOWARDS_AI), PIL.Image.new("RGB", size, _TOWARDS_REAL), _mask(shares > 0)
        )
        grey = PIL.Image.fromarray(rgb).convert("L").convert("RGB")
        return np.asarray(PIL.Image.composite(colour, grey, _mask(np.abs(shares) * _STRONGEST)))


def _mask(opacity: NDArray[Any]) -> PIL.Image.Image:
    return PIL.Image.fromarray((opacity * np.float32(255)).astype(np.uint8))


def explain(rgb: Pixels, detector: Scorer, shape: Sequence[int] | None = None) -> Explanation:
    """Explain where a picture's score comes from.

    Takes at most `passes` forward passes of the network, and is deterministic.

    Args:
        rgb: uint8 [H, W, 3], as returned by `fauxto.images.decode`, or `Detector.reduced` of it, which is faster.
        detector: Gives the scores.
        shape: H and W before it was reduced, which decide on the cells; None for those of `rgb`.

    Raises:
        BundleError: The network gives no finite number for the picture or a part of it.
    """
    height, width = (shape or rgb.shape)[:2]
    rows, columns = _grid(height, width)
    cells = [(row, column) for row in range(rows) for column in range(columns)]
    # About the mean of the cell, without the hard edges of a plain colour.
    radius = max(height / rows, width / columns)
    across, down = radius * rgb.shape[1] / width, radius * rgb.shape[0] / height
    occluded = _Occluded(rgb, rows, columns, across, down)
    whole, *without_one = _scores(occluded, [[], *([cell] for cell in cells)], detector)
    drops = np.array([whole - score for score in without_one])
    drop_map = drops.reshape(rows, columns).astype(np.float32)
    if len(cells) < _FEWEST_CELLS:
        return Explanation(drop_map, None)
    count = math.ceil(_SHARE * len(cells))
    rising = np.argsort(drops, kind="stable")
    random = np.random.default_rng(0)

    def without(numbers: Iterable[int]) -> float:
        return _scores(occluded, [[cells[number] for number in numbers]], detector)[0]

    highest, lowest = without(rising[-count:]), without(rising[:count])
    others: tuple[float, ...] = ()
    for _ in range(_DRAWS):
        others = (*others, without(random.choice(len(cells), count, replace=False)))
        deletion = Deletion(count / len(cells), whole, highest, lowest, others)
        if not deletion.passed:
            break
    return Explanation(drop_map, deletion)


def passes(height: int, width: int) -> int:
    """Return how many forward passes `explain` takes at most at this size: 75 for a thumbnail, else at most 36."""
    cells = math.prod(_grid(height, width))
    return 1 + cells + (2 + _DRAWS if cells >= _FEWEST_CELLS else 0)


def _grid(height: int, width: int) -> tuple[int, int]:
    """Return the rows and columns of nearly square cells."""
    most = _CELLS_OF_A_THUMBNAIL if min(height, width) <= _THUMBNAIL else _CELLS
    columns = min(max(1, round(math.sqrt(most * width / height))), most, width)
    return min(max(1, most // columns), height), columns


class _Occluded:
    """Blurs cells of a picture beyond recognition."""

    def __init__(self, rgb: Pixels, rows: int, columns: int, across: float, down: float) -> None:
        """Blur by so many pixels across and down."""
        self.rgb = rgb
        height, width = rgb.shape[:2]
        self._down = np.linspace(0, height, rows + 1).astype(int)
        self._across = np.linspace(0, width, columns + 1).astype(int)
        self._blurred = np.asarray(PIL.Image.fromarray(rgb).filter(PIL.ImageFilter.GaussianBlur((across, down))))

    def without(self, cells: Iterable[tuple[int, int]]) -> Pixels:
        picture = self.rgb.copy()
        for row, column in cells:
            part = np.s_[self._down[row] : self._down[row + 1], self._across[column] : self._across[column + 1]]
            picture[part] = self._blurred[part]
        return picture


def _scores(occluded: _Occluded, removed: Iterable[Iterable[tuple[int, int]]], detector: Scorer) -> list[float]:
    """Score the picture without each of these groups of cells, in batches that bound memory."""
    at_once = max(1, _BYTES_AT_ONCE // occluded.rgb.nbytes)
    remaining = iter(removed)
    scores: list[float] = []
    while batch := [occluded.without(cells) for cells in islice(remaining, at_once)]:
        scores += detector.score_pixels(batch).tolist()
    if not all(map(math.isfinite, scores)):
        raise BundleError("the network gives no finite number for this picture or a part of it, so there is no map")
    return scores
