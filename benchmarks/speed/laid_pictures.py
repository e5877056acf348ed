"""JPEGs of any size for the benchmarks of speed, laid together from windows of scikit-image's photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data


def pictures(folder: Path, megapixels: float, count: int) -> list[Path]:
    """Return so many pictures of a size, made unless the folder has them; no two are alike."""
    paths = []
    for seed in range(count):
        path = folder / f"{megapixels:g}-{seed:04}.jpg"
        if not path.exists():
            _picture(megapixels, seed).save(path, quality=88)
        paths.append(path)
    return paths


def _picture(megapixels: float, seed: int) -> Image.Image:
    """Lay windows of photographs side by side: details and grain of real pictures at any size."""
    rng = np.random.default_rng(seed)
    photographs = [data.astronaut(), data.coffee(), data.chelsea()]
    side = round((megapixels * 1e6) ** 0.5)
    window = min(side, 256)
    tiles = -(-side // window)
    rows = []
    for _ in range(tiles):
        row = []
        for _ in range(tiles):
            photograph = photographs[rng.integers(len(photographs))]
            top, left = (int(rng.integers(length - window + 1)) for length in photograph.shape[:2])
            row.append(photograph[top : top + window, left : left + window])
        rows.append(np.hstack(row))
    return Image.fromarray(np.vstack(rows)[:side, :side])


def copy_apart(origin: Path, path: Path, number: int) -> None:
    """Copy a JPEG with a comment of its own: a scan judges the same bytes once."""
    comment = f"{number:08}".encode()
    content = origin.read_bytes()
    path.write_bytes(content[:2] + b"\xff\xfe" + (2 + len(comment)).to_bytes(2, "big") + comment + content[2:])
