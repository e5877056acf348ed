"""Aligned AI examples: a window of a photograph as a generator's autoencoder gives it back, all else equal.

A network that must tell the copy from the window can't go by content, size or codec, only by what the decoder leaves
in the pixels (Rajan et al. 2024, "Aligned Datasets Improve Detection of Latent Diffusion-Generated Images"; Guillaro
et al. 2025, "A Bias-Free Training Paradigm for More General AI-generated Image Detection"). The decoders are those of
TAEF2, which stands for the latent space of FLUX.2, and of VAElight, which stands for Stable Diffusion's; `enlarged`
copies carry the trace of interpolation alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.progress import track

from fauxto.lab import corruptions
from fauxto.lab.datasets import Split
from fauxto.lab.photos.autoencoders import Copier, taef2, vaelight
from fauxto.lab.photos.crops import SIDE

Pixels = NDArray[np.uint8]

WINDOW = 256
"""Side in pixels of a window that is copied: larger than a network's, so that it can be cut out anywhere."""

SMALLEST, LARGEST = 256, 768
"""Short side of the photograph, at random, when the window is cut. Shrinking takes most traces of its own codec away:
a copy has none, and these must not become what tells the two apart."""

_WORKERS = 2


def windows(pictures: Split, rows: NDArray[np.int64], seed: int, cache: Path) -> Pixels:
    """Cut a window at random out of each of some photographs, once.

    Args:
        pictures: Whole pictures.
        rows: Which of them.
        seed: Of size and place.
        cache: A folder.

    Returns:
        uint8 [len(rows), WINDOW, WINDOW, 3].
    """
    sha256s = [pictures.rows["sha256"][int(row)].as_py() for row in rows]
    path = cache / f"windows-{_key(str(seed), *sha256s)}.npy"
    if not path.is_file():

        def cut(place: int) -> Pixels:
            draws = np.random.default_rng((seed, int(sha256s[place][:8], 16)))
            return _window(pictures.images[int(rows[place])], draws)

        _keep(path, _each(cut, len(rows), "windows"))
    return np.load(path)


def copies(originals: Pixels, name: str, copier: Copier, cache: Path) -> Pixels:
    """Copy windows, once.

    Args:
        originals: uint8 [N, WINDOW, WINDOW, 3].
        name: Of the copier; the cache keeps its copies in `copy-<name>-<hash of the originals>.npy`.
        copier: Makes one copy; only its name is in the cache's key.
        cache: A folder.

    Returns:
        uint8 [N, WINDOW, WINDOW, 3].
    """
    path = cache / f"copy-{name}-{_key(originals.tobytes())}.npy"
    if not path.is_file():
        _keep(path, _each(lambda place: copier(originals[place]), len(originals), f"copy: {name}"))
    return np.load(path)


def sent(window: Pixels, rng: np.random.Generator) -> Pixels:
    """Scale, cut, mirror and save a window: with equal draws for it and its copy, both travel alike.

    `delivery.deliver` is for whole pictures: it would enlarge three windows of four by the same factor.

    Args:
        window: uint8 [WINDOW, WINDOW, 3].
        rng: Where every draw comes from.

    Returns:
        uint8 [SIDE, SIDE, 3].
    """
    if rng.random() < 0.5:
        side = int(rng.integers(SIDE, WINDOW * 5 // 4))
        window = np.asarray(Image.fromarray(window).resize((side, side), Image.Resampling.BICUBIC))
    top, left = rng.integers(0, len(window) - SIDE + 1, 2)
    window = window[top : top + SIDE, left : left + SIDE]
    if rng.random() < 0.5:
        window = window[:, ::-1]
    for _ in range(rng.choice(3, p=(0.15, 0.6, 0.25))):
        save = corruptions.jpeg if rng.random() < 0.8 else corruptions.webp
        window = save(window, int(rng.integers(35, 97)))
    return window


def enlarged(how: Image.Resampling) -> Copier:
    """Return a copier that shrinks a window to half its sides and enlarges it again by the filter `how`."""

    def copy(window: Pixels) -> Pixels:
        small = Image.fromarray(window).resize((WINDOW // 2, WINDOW // 2), Image.Resampling.BOX)
        return np.asarray(small.resize((WINDOW, WINDOW), how))

    return copy


def copiers(weights: Path) -> dict[str, Copier]:
    """Return every copier by its name; `weights` is the folder of the autoencoders' files."""
    return {
        "taef2": taef2(weights / "taef2_encoder.pth", weights / "taef2_decoder.pth"),
        "vaelight": vaelight(weights / "VAEencoder.onnx", weights / "VAEpreview.onnx"),
        "lanczos": enlarged(Image.Resampling.LANCZOS),
        "bicubic": enlarged(Image.Resampling.BICUBIC),
    }


def _window(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    picture = Image.fromarray(rgb)
    short_side = min(int(rng.integers(SMALLEST, LARGEST + 1)), max(WINDOW, min(picture.size)))
    factor = short_side / min(picture.size)
    size = [max(WINDOW, round(side * factor)) for side in picture.size]
    left, top = (int(rng.integers(0, side - WINDOW + 1)) for side in size)
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    return np.asarray(picture.crop((left, top, left + WINDOW, top + WINDOW)))


def _each(make: Callable[[int], Pixels], count: int, what: str) -> Pixels:
    with ThreadPoolExecutor(_WORKERS) as pool:
        return np.stack(list(track(pool.map(make, range(count)), what, total=count)))


def _keep(path: Path, pixels: Pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.save(file, pixels)
    unfinished.rename(path)


def _key(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
    return digest.hexdigest()[:12]
