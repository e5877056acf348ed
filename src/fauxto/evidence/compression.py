"""How a file was compressed, and whether it had been compressed before: context for people, never a verdict."""

from __future__ import annotations

from typing import Any

from fauxto.evidence.compression_history import jpeg_grid, requantisation
from fauxto.evidence.jpeg_encoder import Family, read_header
from fauxto.images import Image, jpeg
from fauxto.images.formats import FORMATS
from fauxto.limits import Limits
from fauxto.report import Evidence, Says, Trust

REQUANTISED = 6.0
"""Threshold of `requantisation`; docs/reference/evidence-traces.md has the false alarm rates."""

GRID = 4.0
"""Threshold of `jpeg_grid`."""

SMALLEST_SIDE = 256
"""Pixels; smaller pictures give too many false alarms and are skipped."""

_DITHERED = ("1", "P", "PA")  # dithering often uses patterns of 8 x 8

_TABLES = {
    Family.LIBJPEG: "with libjpeg's standard tables, which most programs use",
    Family.MOZJPEG: "with mozjpeg's tables, which many web services use",
    Family.ADOBE: "with Adobe's tables",
    Family.APPLE: "with Apple's tables",
    Family.UNKNOWN: "with custom tables, as many cameras use",
}


def read(data: bytes, image: Image, limits: Limits) -> Evidence:
    """Describe the compression of a file; it never says real or AI.

    Args:
        data: The whole file.
        image: The decoded picture.
        limits: Not used: at most 512 x 512 pixels and the file's header are looked at.
    """
    kind = image.facts.format
    details: dict[str, Any] = {"format": kind}
    if kind == jpeg.FORMAT.name:
        summary = _read_jpeg(data, image, details)
    elif FORMATS[kind].is_lossless and image.facts.mode not in _DITHERED:
        summary = _read_lossless(image, details)
    else:
        summary = f"fauxto looks for no traces of compression in a {kind} of mode {image.facts.mode}."
    if details.get("earlier_compression", {}).get("found"):
        details["found"] = True
    return Evidence("compression", Says.NOTHING, Trust.INFERRED, summary, details)


def _read_jpeg(data: bytes, image: Image, details: dict[str, Any]) -> str:
    header = read_header(data)
    details |= {
        "encoder": header.family.value,
        "quality": header.quality,
        "subsampling": header.subsampling,
        "process": header.process,
    }
    if header.luminance is None:
        return "The JPEG has no luminance quantisation table."
    is_measurable = _is_large_enough(image) and image.scale == 1
    strength = requantisation(image.rgb, header.luminance) if is_measurable else None
    details["earlier_compression"] = _trace(strength, REQUANTISED)
    summary = f"A JPEG of quality {header.quality}, {header.subsampling}, {_TABLES[header.family]}"
    if image.scale > 1:
        return f"{summary}; it is too large to look for an earlier compression."
    if strength is None:
        return f"{summary}; earlier compression can't be measured."
    if strength < REQUANTISED:
        return f"{summary}; no trace of an earlier compression."
    return f"{summary}; it was probably compressed before, at another quality."


def _read_lossless(image: Image, details: dict[str, Any]) -> str:
    kind = image.facts.format
    if not _is_large_enough(image):
        details["earlier_compression"] = _trace(None, GRID)
        return f"The {kind} is too small to tell whether it used to be a JPEG."
    strength, offset = jpeg_grid(image.rgb)
    details["earlier_compression"] = _trace(strength, GRID)
    if strength < GRID:
        return f"The {kind} shows no trace of an earlier JPEG compression."
    details["earlier_compression"]["grid_offset"] = list(offset)
    cropped = "" if offset == (0, 0) else " and was then cropped or shifted"
    return f"The {kind} probably used to be a JPEG{cropped}: its block grid is visible."


def _is_large_enough(image: Image) -> bool:
    return min(image.facts.width, image.facts.height) >= SMALLEST_SIDE


def _trace(strength: float | None, threshold: float) -> dict[str, Any]:
    return {
        "strength": None if strength is None else round(strength, 2),
        "threshold": threshold,
        "found": strength is not None and strength >= threshold,
    }
