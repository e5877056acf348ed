"""Which pictures are like those that a network was measured on, whatever their size; only these get a verdict.

The thresholds were chosen on the pictures of CIFAKE's train split (32 x 32 px, photographs and generated ones): each
lies in the thin tail of its figure, and together they refuse 0.32 % of them, while plain colours, noise, printed
text and drawings of few colours lie beyond. Two figures come from photographs of train in full size: the share of
pixels like their neighbour, which none reaches and screenshots do, and what a thing on plain ground is, which text,
charts and flat drawings aren't. tests/golden/test_domain.py holds examples,
benchmarks/results/domain-rules.json counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_ASPECT = 2.0
"""Longest side in short sides: a network that sees the whole picture squeezed sees no shapes in a strip."""

_MIN_CONTRAST = 6.0  # standard deviation of the luma, in levels of 256
_MIN_CORRELATION = 0.45  # of the luma of pixels side by side
_MIN_TONES = 32  # different levels of luma
_MAX_SHARE_OF_ONE_TONE = 0.56  # of the pixels, within two levels, unless they are the ground of a thing:
_GROUND_LEVELS = 8  # levels around that tone are ground
_MIN_THICK = 0.87  # of the thing's pixels have a left neighbour in it, which strokes of letters haven't
_SOFT_LEVELS, _MIN_SOFT = 12, 0.4  # of its pairs of neighbours differ, by no more levels: even areas don't
_MAX_SHARE_ALIKE = 0.85  # of the pixels: of the very luma that their neighbour has
_ROWS = 64  # of a larger picture about so many are looked at, evenly spaced
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def objection(rgb: NDArray[np.uint8]) -> str | None:
    """Say why no verdict on this picture would mean anything, whatever its size.

    Args:
        rgb: uint8 [H, W, 3].

    Returns:
        The reason in words that follow "the picture ", or None.
    """
    height, width = rgb.shape[:2]
    if max(height, width) > MAX_ASPECT * min(height, width):
        return f"is a strip of {width} x {height} px"
    luma = rgb[:: max(1, height // _ROWS)] @ _LUMA
    centred = luma - luma.mean()
    if np.vdot(centred, centred) < _MIN_CONTRAST**2 * centred.size:
        return "is of one colour"
    left, right = centred[:, :-1], centred[:, 1:]
    if np.vdot(left, right) < _MIN_CORRELATION * np.sqrt(np.vdot(left, left) * np.vdot(right, right)):
        return "is noise or small print: pixels side by side have little in common"
    tones = np.bincount(luma.astype(np.uint8).ravel(), minlength=256)
    if np.count_nonzero(tones) < _MIN_TONES:
        return "has very few colours, as drawings have"
    shares = np.convolve(tones, np.ones(5), "same") / luma.size
    if shares.max() > _MAX_SHARE_OF_ONE_TONE and not _is_thing_on_plain_ground(luma, int(shares.argmax())):
        return "is mostly of one colour, as text and drawings are"
    if np.mean(luma[:, 1:] == luma[:, :-1]) > _MAX_SHARE_ALIKE:
        return "is made of even areas, as screenshots and drawings are"
    return None


def _is_thing_on_plain_ground(luma: NDArray[np.float32], ground: int) -> bool:
    """Tell whether what stands on a ground of one tone is a thing with soft shades: neither strokes nor even areas."""
    is_thing = np.abs(luma - ground) > _GROUND_LEVELS
    pairs = is_thing[:, :-1] & is_thing[:, 1:]
    steps = np.abs(np.diff(luma, axis=1))[pairs]
    is_thick = steps.size > _MIN_THICK * np.count_nonzero(is_thing[:, 1:])
    return bool(is_thick and np.mean((steps > 0) & (steps <= _SOFT_LEVELS)) > _MIN_SOFT)
