"""Windows of a picture at native resolution, for networks that look at pixels and not at scenes; kept in a cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from fauxto.lab.datasets import Split

Pixels = NDArray[np.uint8]

SIDE = 192
"""Of a window, in pixels."""

_ROWS = 4  # detail is measured on every fourth row: enough to rank windows, and cheap on the largest pictures
_WORKERS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """Windows of many pictures.

    Attributes:
        pixels: uint8 [M, SIDE, SIDE, 3], memory-mapped.
        pictures: int64 [M], the row of the split that each is from, in rising order.
    """

    pixels: Pixels
    pictures: NDArray[np.int64]


def crops(rgb: Pixels, most: int) -> Pixels:
    """Cut the windows with the most detail out of a grid; flat ones, of which large pictures are full, tell little.

    Args:
        rgb: uint8 [H, W, 3]; a side that is too short is continued by its mirror image.
        most: How many windows at most.

    Returns:
        uint8 [K, SIDE, SIDE, 3], 1 <= K <= most, the most detailed first.
    """
    missing = [max(0, SIDE - side) for side in rgb.shape[:2]]
    rgb = np.pad(rgb, [(0, missing[0]), (0, missing[1]), (0, 0)], mode="symmetric")
    height, width = rgb.shape[:2]
    down, across = height // SIDE, width // SIDE
    top, left = (height - down * SIDE) // 2, (width - across * SIDE) // 2
    grid = rgb[top : top + down * SIDE, left : left + across * SIDE]
    steps = np.abs(np.diff(grid[::_ROWS, :, 1].astype(np.int16), axis=1, append=0)).astype(np.float32)
    detail = steps.reshape(down, SIDE // _ROWS, across, SIDE).mean(axis=(1, 3))
    chosen = np.argsort(-detail.ravel(), kind="stable")[:most]
    tiles = grid.reshape(down, SIDE, across, SIDE, 3).swapaxes(1, 2)
    return tiles[chosen // across, chosen % across]


def cached(pictures: Split, label: str, view: Callable[[str, Pixels], Pixels], most: int, cache: Path) -> Crops:
    """Cut windows out of every picture of a split, once.

    Args:
        pictures: Whole pictures.
        label: Names the view, for the progress and the cache.
        view: From the sha256 of a picture's file, and its pixels, to the pixels to cut from.
        most: Windows a picture, at most.
        cache: A folder.
    """
    sha256s = pictures.rows["sha256"].to_pylist()
    key = hashlib.sha256("\n".join([label, str(most), *sha256s]).encode()).hexdigest()[:12]
    path = cache / f"{pictures.name}-{label}-{key}.npy"
    places = path.with_suffix(".rows.npy")
    if not places.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        stored = np.lib.format.open_memmap(path, "w+", np.uint8, (len(pictures) * most, SIDE, SIDE, 3))
        found = 0
        with ThreadPoolExecutor(_WORKERS) as pool:
            cut = pool.map(lambda row: crops(view(sha256s[row], pictures.images[row]), most), range(len(sha256s)))
            each = []
            for windows in track(cut, f"{pictures.name}, {label}", total=len(sha256s)):
                stored[found : found + len(windows)] = windows
                found += len(windows)
                each.append(len(windows))
        stored.flush()
        np.save(places, np.repeat(np.arange(len(sha256s)), each))
    of = np.load(places)
    return Crops(np.load(path, mmap_mode="r")[: len(of)], of)
