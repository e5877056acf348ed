"""Where in a picture its score comes from: a map by occlusion, and a test of whether the map can be believed.

The map is made as in Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2014): one part of the
picture after the other is made unreadable, here by a blur, and what the score loses by that is the part's share. The
test is one step of the deletion curve of Petsiuk, Das and Saenko, "RISE: Randomized Input Sampling for Explanation of
Black-box Models" (2018), held against chance. docs/explanation/explanations.md says what a map can't show.
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
_CELLS = 25  # of a larger picture, whose every pass costs a good part of a second
_THUMBNAIL = 64  # pixels of the short side, at most
_FEWEST_CELLS = 8
_SHARE = 0.25  # of the cells, taken away by the test
_DRAWS = 8
_BYTES_AT_ONCE = 64 * 1024 * 1024
_TOWARDS_AI, _TOWARDS_REAL = palette.rgb(palette.MAP_AI), palette.rgb(palette.MAP_REAL)
_STRONGEST = 0.8  # of the heat map's colours over the picture

Pixels = NDArray[np.uint8]


class Scorer(Protocol):
    """What `explain` asks of a detector."""

    def score_pixels(self, pictures: Sequence[Pixels]) -> NDArray[np.float64]:
        """Return the raw scores [N] of pictures, uint8 [H, W, 3] each."""
        ...


@dataclass(frozen=True, slots=True)
class Deletion:
    """What becomes of the raw score when a part of the cells is blurred.

    Attributes:
        share: Of the cells, in each case.
        score: Of the whole picture.
        without_highest: Of the picture without the cells that the map has as speaking most for AI.
        without_lowest: Without those that it has as speaking most for a photograph.
        without_random: Without as many cells drawn at random, for several draws.
    """

    share: float
    score: float
    without_highest: float
    without_lowest: float
    without_random: tuple[float, ...]

    @property
    def passed(self) -> bool:
        """Whether the map's cells move the score further, either way, than those of every random draw."""
        return self.without_highest < min(self.without_random) and self.without_lowest > max(self.without_random)


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Where a picture's score comes from.

    Attributes:
        map: float32 [rows, columns]: what the raw score loses without each cell. Above 0 it speaks for AI.
        deletion: The test; None where the picture has too few cells for one.
    """

    map: NDArray[np.float32]
    deletion: Deletion | None

    @property
    def faithful(self) -> bool | None:
        """Whether the map stood its test for this picture; None where it couldn't be tested."""
        return None if self.deletion is None else self.deletion.passed

    @property
    def sentence(self) -> str:
        """How far the map can be relied on, in a sentence."""
        if self.deletion is None:
            return "The picture is too narrow to test this map, so don't rely on it."
        draws = len(self.deletion.without_random)
        if self.deletion.passed:
            return (
                f"This map was tested and is faithful: to blur the marked parts moves the score further than to blur "
                f"as much elsewhere, in each of {draws} tries."
            )
        return (
            f"This map was tested and failed, so don't rely on it: to blur the marked parts doesn't move the score "
            f"further than to blur as much elsewhere, in each of {draws} tries."
        )

    def overlay(self, rgb: Pixels) -> Pixels:
        """Lay the map over the picture in grey: vermilion speaks for AI, blue for a photograph, grey for neither.

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


def explain(rgb: Pixels, detector: Scorer) -> Explanation:
    """Say where a picture's score comes from.

    It takes `passes` passes of the network. The same picture has the same map again.

    Args:
        rgb: uint8 [H, W, 3], as `fauxto.images.decode` gives it.
        detector: Whose score it is.

    Raises:
        BundleError: The network gives no finite number for the picture or a part of it.
    """
    rows, columns = _grid(*rgb.shape[:2])
    cells = [(row, column) for row in range(rows) for column in range(columns)]
    occluded = _Occluded(rgb, rows, columns)
    whole, *without_one = _scores(occluded, [[], *([cell] for cell in cells)], detector)
    drops = np.array([whole - score for score in without_one])
    found = drops.reshape(rows, columns).astype(np.float32)
    if len(cells) < _FEWEST_CELLS:
        return Explanation(found, None)
    count = math.ceil(_SHARE * len(cells))
    rising = np.argsort(drops, kind="stable")
    random = np.random.default_rng(0)
    draws = [random.choice(len(cells), count, replace=False) for _ in range(_DRAWS)]
    taken = [[cells[number] for number in numbers] for numbers in (rising[-count:], rising[:count], *draws)]
    highest, lowest, *others = _scores(occluded, taken, detector)
    return Explanation(found, Deletion(count / len(cells), whole, highest, lowest, tuple(others)))


def passes(height: int, width: int) -> int:
    """Return how many pictures `explain` has scored for one of this size: 75 for a thumbnail, else 36 at most."""
    cells = math.prod(_grid(height, width))
    return 1 + cells + (2 + _DRAWS if cells >= _FEWEST_CELLS else 0)


def _grid(height: int, width: int) -> tuple[int, int]:
    """Return the rows and columns of nearly square cells."""
    most = _CELLS_OF_A_THUMBNAIL if min(height, width) <= _THUMBNAIL else _CELLS
    columns = min(max(1, round(math.sqrt(most * width / height))), most, width)
    return min(max(1, most // columns), height), columns


class _Occluded:
    """Makes pictures of which some cells are blurred beyond recognition."""

    def __init__(self, rgb: Pixels, rows: int, columns: int) -> None:
        self.rgb = rgb
        height, width = rgb.shape[:2]
        self._down = np.linspace(0, height, rows + 1).astype(int)
        self._across = np.linspace(0, width, columns + 1).astype(int)
        # About the mean of the cell, without the hard edges that a plain colour would bring in.
        radius = max(height / rows, width / columns)
        self._blurred = np.asarray(PIL.Image.fromarray(rgb).filter(PIL.ImageFilter.GaussianBlur(radius)))

    def without(self, cells: Iterable[tuple[int, int]]) -> Pixels:
        picture = self.rgb.copy()
        for row, column in cells:
            part = np.s_[self._down[row] : self._down[row + 1], self._across[column] : self._across[column + 1]]
            picture[part] = self._blurred[part]
        return picture


def _scores(occluded: _Occluded, taken: Iterable[Iterable[tuple[int, int]]], detector: Scorer) -> list[float]:
    """Score the picture without these cells, those again, and so on; few of the copies exist at once."""
    at_once = max(1, _BYTES_AT_ONCE // occluded.rgb.nbytes)
    left = iter(taken)
    scores: list[float] = []
    while batch := [occluded.without(cells) for cells in islice(left, at_once)]:
        scores += detector.score_pixels(batch).tolist()
    if not all(map(math.isfinite, scores)):
        raise BundleError("the network gives no finite number for this picture or a part of it, so there is no map")
    return scores
