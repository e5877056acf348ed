"""How a file was compressed, and whether its pixels were compressed before: context for a person, never a verdict."""

from __future__ import annotations

from typing import Any

from fauxto.evidence.compression_history import jpeg_grid, requantisation
from fauxto.evidence.jpeg_encoder import Family, read_header
from fauxto.images import Image, jpeg
from fauxto.images.formats import FORMATS
from fauxto.limits import Limits
from fauxto.report import Evidence, Says, Trust

REQUANTISED = 6.0
"""From this value on, `requantisation` is taken as a trace; docs/reference/evidence-traces.md has the false alarms."""

GRID = 4.0
"""From this value on, `jpeg_grid` is taken as a trace."""

SMALLEST_SIDE = 256
"""Pixels; in smaller pictures no trace is looked for: there false alarms are too many."""

_DITHERED = ("1", "P", "PA")  # few colours are often laid out in patterns of 8 x 8

_WRITTEN = {
    Family.LIBJPEG: "with libjpeg's standard tables, as most programs write it",
    Family.MOZJPEG: "with mozjpeg's tables, as many web services write it",
    Family.ADOBE: "with tables of Adobe's programs",
    Family.APPLE: "with tables of Apple's devices and programs",
    Family.UNKNOWN: "with tables of its own, as many cameras write it",
}


def read(data: bytes, image: Image, limits: Limits) -> Evidence:
    """Describe the compression of a file; it says nothing of real or AI.

    Args:
        data: The whole file.
        image: What the gate made of it.
        limits: Not used: at most 512 x 512 pixels and the file's header are looked at.
    """
    kind = image.facts.format
    details: dict[str, Any] = {"format": kind}
    if kind == jpeg.FORMAT.name:
        summary = _read_jpeg(data, image, details)
    elif FORMATS[kind].is_lossless and image.facts.mode not in _DITHERED:
        summary = _read_lossless(image, details)
    else:
        summary = f"In a {kind} of mode {image.facts.mode}, fauxto looks for no traces of compression."
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
        return "The JPEG has no quantisation table for its luminance."
    strength = requantisation(image.rgb, header.luminance) if _is_large_enough(image) else None
    details["earlier_compression"] = _trace(strength, REQUANTISED)
    summary = f"A JPEG of quality {header.quality}, {header.subsampling}, {_WRITTEN[header.family]}"
    if strength is None:
        return f"{summary}; whether it was compressed before can't be measured."
    if strength < REQUANTISED:
        return f"{summary}; no trace of an earlier compression."
    return f"{summary}; it seems to have been compressed before, at another quality."


def _read_lossless(image: Image, details: dict[str, Any]) -> str:
    kind = image.facts.format
    if not _is_large_enough(image):
        details["earlier_compression"] = _trace(None, GRID)
        return f"The {kind} is too small for telling whether it was a JPEG before."
    strength, offset = jpeg_grid(image.rgb)
    details["earlier_compression"] = _trace(strength, GRID)
    if strength < GRID:
        return f"The {kind} shows no trace of an earlier JPEG compression."
    details["earlier_compression"]["grid_offset"] = list(offset)
    cropped = "" if offset == (0, 0) else ", and cropped or moved since"
    return f"The {kind} seems to have been a JPEG before{cropped}: the grid of its blocks shows."


def _is_large_enough(image: Image) -> bool:
    return min(image.facts.width, image.facts.height) >= SMALLEST_SIDE


def _trace(strength: float | None, threshold: float) -> dict[str, Any]:
    return {
        "strength": None if strength is None else round(strength, 2),
        "threshold": threshold,
        "found": strength is not None and strength >= threshold,
    }
