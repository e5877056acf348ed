"""Whether the thumbnail in an EXIF block shows the picture that it came with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from fauxto import images
from fauxto.errors import ImageError
from fauxto.limits import Limits

LIMITS = Limits(max_bytes=256 * 1024, max_pixels=640 * 480, max_frames=1, max_metadata_bytes=64 * 1024)
"""Limits for a thumbnail: EXIF specifies 160 x 120, some phones write 512 x 384."""

SAME_SHAPE = 0.03
"""Largest relative difference in aspect ratio that rounding to whole pixels explains."""

_CELLS = 8
_SAMPLES = 16
_DARK = 32


def decode(thumbnail: bytes) -> NDArray[np.uint8] | None:
    """Return a thumbnail's pixels, uint8 RGB [H, W, 3]; None if it can't be decoded within `LIMITS`."""
    try:
        return images.decode(thumbnail, LIMITS).rgb
    except ImageError:
        return None


def compare(thumbnail: bytes, image: images.Image) -> dict[str, Any]:
    """Compare a thumbnail with its picture by the mean colours of 8 x 8 cells.

    Some cameras add black bars for another aspect ratio, others stretch the picture, and some programs rotate the
    picture but not its thumbnail: the best match counts.

    Args:
        thumbnail: A JPEG; decoded by `images.decode`.
        image: The picture.

    Returns:
        "width" and "height" in pixels as stored; "same_shape"; "difference", the mean absolute difference in levels
        (0 to 255), and "correlation" (-1 to 1, None for a flat picture) of the cells. Empty if the thumbnail
        can't be decoded within `LIMITS`.
    """
    decoded = decode(thumbnail)
    if decoded is None:
        return {}
    picture = _cells(image.rgb)
    shape = image.rgb.shape[1] / image.rgb.shape[0]
    uprights = [decoded]
    if (turn := images.UPRIGHT.get(image.facts.orientation)) is not None:
        uprights.append(np.asarray(PIL.Image.fromarray(decoded).transpose(turn)))
    views = [(_cells(view), same_shape) for upright in uprights for view, same_shape in _views(upright, shape)]
    cells, same_shape = min(views, key=lambda view: float(np.abs(view[0] - picture).mean()))
    flat = cells.std() < 1 or picture.std() < 1
    return {
        "width": decoded.shape[1],
        "height": decoded.shape[0],
        "same_shape": same_shape,
        "difference": round(float(np.abs(cells - picture).mean()), 1),
        "correlation": None if flat else round(float(np.corrcoef(cells.ravel(), picture.ravel())[0, 1]), 3),
    }


def _cells(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return float64 [8, 8, 3]: mean colours over a regular grid of samples."""
    rows, columns = ((np.arange(_CELLS * _SAMPLES) + 0.5) * length // (_CELLS * _SAMPLES) for length in rgb.shape[:2])
    samples = rgb[rows.astype(np.intp)[:, None], columns.astype(np.intp)]
    cells: NDArray[np.float64] = samples.reshape(_CELLS, _SAMPLES, _CELLS, _SAMPLES, 3).mean((1, 3))
    return cells


def _views(rgb: NDArray[np.uint8], shape: float) -> Iterator[tuple[NDArray[np.uint8], bool]]:
    """Yield a thumbnail as it is and without possible black bars, each with whether its aspect ratio matches.

    Args:
        rgb: The thumbnail.
        shape: The picture's aspect ratio, width / height.
    """
    height, width = rgb.shape[:2]
    same_shape = abs(width / height / shape - 1) <= SAME_SHAPE
    yield rgb, same_shape
    if same_shape:
        return
    rows, columns = max(1, min(height, round(width / shape))), max(1, min(width, round(height * shape)))
    total = int(rgb.sum(dtype=np.int64))
    for share in (0.5, 1.0, 0.0):  # share of the bars above or left of the picture: most cameras centre it
        top, left = round((height - rows) * share), round((width - columns) * share)
        inner = rgb[top : top + rows, left : left + columns]
        if total - int(inner.sum(dtype=np.int64)) <= _DARK * (rgb.size - inner.size):
            yield inner, True
