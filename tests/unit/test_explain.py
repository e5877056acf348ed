"""The map finds what a known scorer looks at, its test tells a true map from a false one, and its cost is bounded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from fauxto.errors import BundleError
from fauxto.explain import Explanation, explain, passes

Pixels = NDArray[np.uint8]


class Stub:
    """A detector whose score is a function of the pixels; counts what it is asked."""

    def __init__(self, score: Callable[[Pixels], float]) -> None:
        self._score = score
        self.passes = 0
        self.most_bytes_at_once = 0

    def score_pixels(self, pictures: Sequence[Pixels]) -> NDArray[np.float64]:
        self.passes += len(pictures)
        self.most_bytes_at_once = max(self.most_bytes_at_once, sum(one.nbytes for one in pictures))
        return np.array([self._score(one) for one in pictures], np.float64)


def noise(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def detail(part: Pixels) -> float:
    return float(np.abs(np.diff(part.astype(float), axis=1)).mean())


def test_the_map_shows_what_speaks_for_either_side() -> None:
    """The score is the fine detail of the upper left quarter less that of the lower right one."""
    stub = Stub(lambda rgb: detail(rgb[:200, :200]) - detail(rgb[200:, 200:]))
    found = explain(noise(400, 400), stub)
    assert found.map.dtype == np.float32
    assert found.map.shape == (5, 5)
    assert found.map[:2, :2].min() > 5
    assert found.map[3:, 3:].max() < -5
    assert np.abs(found.map[:2, 3:]).max() < 0.1
    assert found.faithful is True
    assert found.deletion is not None
    assert found.deletion.without_highest < found.deletion.score < found.deletion.without_lowest
    assert "is faithful" in found.sentence
    assert stub.passes == 36


def test_a_map_of_chance_fails_its_test() -> None:
    """A score without any tie to places: whatever the map shows, it can't be relied on."""
    outcomes = [
        explain(noise(32, 32, seed), Stub(lambda rgb: float(np.random.default_rng(rgb.sum()).normal()))).faithful
        for seed in range(40)
    ]
    assert outcomes.count(True) <= 3  # both sides beat 8 draws by chance once in 90 times
    deaf = explain(noise(32, 32), stub := Stub(lambda rgb: 1.0))
    assert deaf.faithful is False
    assert deaf.sentence == "This map was tested and failed: no part of the picture explains the score."
    assert deaf.deletion is not None
    assert deaf.deletion.without_random == (1.0,)
    assert stub.passes == 1 + 64 + 2 + 1
    assert not deaf.map.any()


@pytest.mark.parametrize(
    ("height", "width", "shape", "count"),
    [
        (32, 32, (8, 8), 75),
        (64, 64, (8, 8), 75),
        (65, 65, (5, 5), 36),
        (400, 600, (4, 6), 35),
        (600, 400, (6, 4), 35),
        (3000, 4000, (4, 6), 35),
        (1, 1, (1, 1), 2),
        (1, 3, (1, 3), 4),
        (1, 5000, (1, 64), 75),
        (5000, 1, (64, 1), 75),
        (100, 3000, (1, 25), 36),
    ],
)
def test_the_cost_is_bounded_whatever_the_shape(height: int, width: int, shape: tuple[int, int], count: int) -> None:
    rgb = np.broadcast_to(noise(1, width), (height, width, 3))
    stub = Stub(lambda rgb: float(rgb[0, 0, 0]))
    found = explain(rgb, stub)
    assert found.map.shape == shape
    assert count - 7 <= stub.passes <= passes(height, width) == count  # the test of a map ends where it fails
    assert stub.most_bytes_at_once <= max(64 * 1024 * 1024, rgb.size)
    assert (found.faithful is None) == (found.map.size < 8)
    if found.faithful is None:
        assert "too narrow" in found.sentence


def test_a_picture_that_was_reduced_has_the_cells_of_the_whole_one() -> None:
    rgb = noise(300, 400)
    whole = explain(rgb, Stub(lambda rgb: float(rgb[: len(rgb) // 2].std())))
    reduced = explain(rgb[::2, ::4], Stub(lambda rgb: float(rgb[: len(rgb) // 2].std())), rgb.shape)
    assert reduced.map.shape == whole.map.shape == (4, 6)
    assert (np.sign(reduced.map) == np.sign(whole.map))[:2].all()


def test_the_same_picture_has_the_same_map_and_isnt_touched() -> None:
    rgb = noise(100, 120)
    rgb.flags.writeable = False
    first, second = (explain(rgb, Stub(detail)) for _ in range(2))
    assert (first.map == second.map).all()
    assert first.deletion == second.deletion


def test_the_overlay_has_the_size_that_is_asked_for_and_tells_the_sides_apart() -> None:
    found = Explanation(np.array([[2.0, 0.0], [0.0, -2.0]], np.float32), None)
    for height, width in ((32, 32), (300, 200), (1, 1)):
        drawn = found.overlay(np.full((height, width, 3), 128, np.uint8))
        assert drawn.shape == (height, width, 3)
        assert drawn.dtype == np.uint8
    drawn = found.overlay(np.full((100, 100, 3), 128, np.uint8)).astype(int)
    assert drawn[0, 0, 0] > drawn[0, 0, 2] + 100  # vermilion
    assert drawn[99, 99, 2] > drawn[99, 99, 0] + 100  # blue
    assert np.ptp(drawn[0, 99]) < 3  # grey
    flat = Explanation(np.zeros((8, 8), np.float32), None).overlay(noise(8, 8))
    assert np.ptp(flat, axis=2).max() == 0


def test_a_score_that_is_no_number_is_an_error() -> None:
    with pytest.raises(BundleError, match="no finite number"):
        explain(noise(32, 32), Stub(lambda rgb: float("nan")))
