"""From a decoded picture to a network's input: the one road, for the runtime and the laboratory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import PIL.Image
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
View = Literal["whole", "centre"]

MAX_CROPS = 16
CENTRE_SHARE = 0.62
"""Of each side of the picture, what the view "centre" keeps."""

_GAP = 2.0  # how many times larger than its result a picture stays where whole pixels are averaged first
_PIXELS_AT_ONCE = 1 << 17
_PLASTIC = 1.324717957244746  # the real root of x**3 = x + 1


@dataclass(frozen=True, slots=True)
class Input:
    """What a network is fed: (rgb * scale - mean) / std of some parts of the picture, each of `height` x `width`.

    Attributes:
        views: "whole" is the whole picture, "centre" the inner 62 % of each side; both are resized, their proportions
            given up.
        crops: How many windows are taken at the picture's own resolution; 0 to 16.
        height: Rows of a part.
        width: Columns of a part.
        scale: Factor on pixels from 0 to 255.
        mean: One number a channel.
        std: One number a channel.
    """

    views: tuple[View, ...]
    crops: int
    height: int
    width: int
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __post_init__(self) -> None:
        rules = {
            "views must not name a view twice": len(set(self.views)) == len(self.views),
            f"crops must be 0 to {MAX_CROPS}": 0 <= self.crops <= MAX_CROPS,
            "views must have an entry where there are no crops": self.count >= 1,
            "height must be 1 to 4096 pixels": 1 <= self.height <= 4096,
            "width must be 1 to 4096 pixels": 1 <= self.width <= 4096,
            "scale must be greater than 0": self.scale > 0,
            "std must be greater than 0": min(self.std) > 0,
        }
        for rule, is_kept in rules.items():
            if not is_kept:
                raise ValueError(rule)

    @property
    def count(self) -> int:
        """How many parts of a picture the network sees."""
        return len(self.views) + self.crops


def views(rgb: Pixels, input: Input) -> Pixels:
    """Return the parts of a picture that a network sees.

    Args:
        rgb: uint8 [h, w, 3].
        input: What the network is fed.

    Returns:
        uint8 [K, height, width, 3] with K = `input.count`: the views, then the crops. It may share memory with `rgb`.
    """
    parts = [resize(_VIEWS[name](rgb), input.height, input.width) for name in input.views]
    parts += _crops(rgb, input)
    if input.count == 1 and input.views:
        return parts[0][np.newaxis]
    return np.stack(parts)  # a copy, lest a crop keeps the whole picture in memory


def resize(rgb: Pixels, height: int, width: int) -> Pixels:
    """Resize the whole picture, by Pillow's bilinear filter (which averages when it shrinks).

    Where it shrinks more than four times, whole pixels are averaged first, which is several times faster.

    Args:
        rgb: uint8 [h, w, 3].
        height: Rows of the result.
        width: Columns of the result.

    Returns:
        uint8 [height, width, 3]; `rgb` itself where it has that size already.
    """
    rows, columns = rgb.shape[:2]
    if (rows, columns) == (height, width):
        return rgb
    across, down = _factors(rgb, height, width)
    box = 0.0, 0.0, columns / across, rows / down
    smaller = PIL.Image.fromarray(_averaged(rgb, across, down))
    return np.asarray(smaller.resize((width, height), PIL.Image.Resampling.BILINEAR, box))


def reduced(rgb: Pixels, input: Input) -> Pixels:
    """Average whole pixels, as `resize` does first, so that `views` of the result take little time and hardly differ.

    Args:
        rgb: uint8 [h, w, 3].
        input: What the network is fed.

    Returns:
        uint8 [h / y, w / x, 3], with whole numbers x and y; `rgb` itself where crops need each of its pixels.
    """
    if input.crops:
        return rgb
    factors = [_factors(_VIEWS[name](rgb), input.height, input.width) for name in input.views]
    return _averaged(rgb, *(min(all_of_them) for all_of_them in zip(*factors, strict=True)))


def _factors(rgb: Pixels, height: int, width: int) -> tuple[int, int]:
    """Return how many pixels across and down are averaged before a picture is resized."""
    return max(1, int(rgb.shape[1] / width / _GAP)), max(1, int(rgb.shape[0] / height / _GAP))


def _averaged(rgb: Pixels, across: int, down: int) -> Pixels:
    """Average blocks of so many pixels; those at the right and lower edges may be smaller.

    It goes strip by strip: Pillow's copy of a large picture would take three times as long as the averages.
    """
    if across == down == 1:
        return rgb
    rows = down * max(1, _PIXELS_AT_ONCE // (down * rgb.shape[1]))
    strips = (PIL.Image.fromarray(rgb[top : top + rows]).reduce((across, down)) for top in range(0, len(rgb), rows))
    return np.concatenate([np.asarray(strip) for strip in strips])


def normalise(pixels: Pixels, into: Input) -> NDArray[np.float32]:
    """Return (pixels * scale - mean) / std as float32, in the shape [N, H, W, 3] of `pixels`."""

    def single(numbers: Any) -> NDArray[np.float32]:
        return np.asarray(numbers, np.float32)

    return (pixels * single(into.scale) - single(into.mean)) / single(into.std)


def _centre(rgb: Pixels) -> Pixels:
    height, width = rgb.shape[:2]
    rows, columns = (max(1, round(CENTRE_SHARE * side)) for side in (height, width))
    top, left = (height - rows) // 2, (width - columns) // 2
    return rgb[top : top + rows, left : left + columns]


_VIEWS: Mapping[str, Callable[[Pixels], Pixels]] = {"whole": lambda rgb: rgb, "centre": _centre}


def _crops(rgb: Pixels, input: Input) -> Iterator[Pixels]:
    """Take windows at the points of the R2 sequence, which are spread evenly over the picture however many there are.

    The first window is in the middle; window k (from 0) has k / g of the room above it and k / g**2 of that to its
    left, plus a half, without the whole numbers; g is the plastic number. In a picture that is smaller than the window,
    the window shrinks until it just fits and what it shows is enlarged: a long strip must not grow with its short side.
    """
    height, width = rgb.shape[:2]
    share = min(1.0, height / input.height, width / input.width)
    rows, columns = max(1, round(share * input.height)), max(1, round(share * input.width))
    for number in range(input.crops):
        top = round((0.5 + number / _PLASTIC) % 1 * (height - rows))
        left = round((0.5 + number / _PLASTIC**2) % 1 * (width - columns))
        yield resize(rgb[top : top + rows, left : left + columns], input.height, input.width)
