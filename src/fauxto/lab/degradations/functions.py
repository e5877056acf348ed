"""What happens to a picture on its way to a reader: one function each, from uint8 [H, W, 3] to uint8 [H, W, 3].

The random chain draws their severities (`chain.py`); the protocols step through fixed ones (`protocols.py`).
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from fauxto import reencoding

Pixels = NDArray[np.uint8]

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def jpeg(rgb: Pixels, quality: int) -> Pixels:
    """Save as JPEG (4:2:0) at `quality` 1..95 and read it back."""
    return reencoding.jpeg(rgb, quality)


def webp(rgb: Pixels, quality: int) -> Pixels:
    """Save as lossy WebP at `quality` 0..100 and read it back."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "WEBP", quality=quality)
    with Image.open(buffer, formats=["WEBP"]) as image:
        return np.asarray(image.convert("RGB"))


def blur(rgb: Pixels, sigma: float) -> Pixels:
    """Blur by a Gaussian with a standard deviation of `sigma` pixels."""
    return np.asarray(Image.fromarray(rgb).filter(ImageFilter.GaussianBlur(sigma)))


def noise(rgb: Pixels, sigma: float, rng: np.random.Generator) -> Pixels:
    """Add Gaussian noise with a standard deviation of `sigma` levels (of 255), drawn from `rng`."""
    noisy = rgb + rng.normal(0.0, sigma, rgb.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def rescale(rgb: Pixels, factor: float) -> Pixels:
    """Shrink (or enlarge) both sides by `factor` and scale back to the first size, bicubic."""
    height, width = rgb.shape[:2]
    small = (max(1, round(width * factor)), max(1, round(height * factor)))
    image = Image.fromarray(rgb).resize(small, Image.Resampling.BICUBIC)
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


def enlarge(rgb: Pixels, side: int) -> Pixels:
    """Enlarge so that the shorter side has `side` pixels, bicubic; a picture that has as many stays as it is."""
    height, width = rgb.shape[:2]
    factor = side / min(height, width)
    if factor <= 1:
        return rgb
    size = (round(width * factor), round(height * factor))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC))


def greyscale(rgb: Pixels) -> Pixels:
    """Replace all three channels by the luma."""
    luma = np.clip(np.rint(rgb @ LUMA), 0, 255).astype(np.uint8)
    return np.repeat(luma[..., None], 3, axis=2)


def crop(rgb: Pixels, share: float, x: float = 0.5, y: float = 0.5) -> Pixels:
    """Keep a window of `share` of both sides (placed by `x`, `y` in [0, 1]) and scale it back to the first size."""
    height, width = rgb.shape[:2]
    kept = (max(1, round(width * share)), max(1, round(height * share)))
    left, top = round((width - kept[0]) * x), round((height - kept[1]) * y)
    window = Image.fromarray(rgb).crop((left, top, left + kept[0], top + kept[1]))
    return np.asarray(window.resize((width, height), Image.Resampling.BICUBIC))


def sharpen(rgb: Pixels, percent: int) -> Pixels:
    """Sharpen edges of a pixel's width by `percent`."""
    return np.asarray(Image.fromarray(rgb).filter(ImageFilter.UnsharpMask(1, percent, 0)))


def shrink(rgb: Pixels, longest: int) -> Pixels:
    """Shrink to at most `longest` pixels a side, proportions kept, by Lanczos's filter; a smaller picture stays."""
    height, width = rgb.shape[:2]
    factor = longest / max(height, width)
    if factor >= 1:
        return rgb
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS))
