"""Identifies the program that wrote a JPEG from its header."""

from __future__ import annotations

import contextlib
import functools
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.JpegPresets import presets

from fauxto.errors import ImageError
from fauxto.images.jpeg import segments
from fauxto.jpeg_tables import Table, estimate_quality, is_standard, read_tables, scaled_tables

# fmt: off
_ZIGZAG = np.array(
    [0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
     28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
     47, 55, 62, 63]
)

# The example chrominance table of ITU-T T.81 (1992), Annex K.1, row by row.
_CHROMINANCE = np.full((8, 8), 99)
_CHROMINANCE[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]

# Nicolas Robidoux's table of 2012, which mozjpeg uses for both luminance and chrominance; row by row.
_ROBIDOUX = np.array(
    [16, 16, 16, 18, 25, 37, 56, 85, 16, 17, 20, 27, 34, 40, 53, 75, 16, 20, 24, 31, 43, 62, 91, 135,
     18, 27, 31, 40, 53, 74, 106, 156, 25, 34, 43, 53, 69, 94, 131, 189, 37, 40, 62, 74, 94, 124, 169, 238,
     56, 53, 91, 106, 131, 169, 226, 311, 85, 75, 135, 156, 189, 238, 311, 418]
)
# fmt: on

_ADOBE, _START_OF_SCAN = 0xEE, 0xDA
_SUBSAMPLINGS = {
    (1.0, 1.0): "4:4:4",
    (2.0, 1.0): "4:2:2",
    (2.0, 2.0): "4:2:0",
    (1.0, 2.0): "4:4:0",
    (4.0, 1.0): "4:1:1",
}
_FRAMES = {0xC0: "baseline", 0xC1: "sequential", 0xC2: "progressive", 0xC9: "sequential", 0xCA: "progressive"}


class Family(StrEnum):
    """Origin of the quantisation tables; docs/reference/evidence-traces.md says how each is recognised."""

    LIBJPEG = "libjpeg"
    MOZJPEG = "mozjpeg"
    ADOBE = "Adobe"
    APPLE = "Apple"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a JPEG.

    Attributes:
        luminance: 64 quantisation steps in zigzag order; None in a file without table 0.
        quality: 1 to 100, on libjpeg's scale; mozjpeg uses the same formula on another table.
        family: Origin of the tables.
        subsampling: Chroma subsampling: 4:4:4, 4:2:2, 4:2:0, 4:4:0, 4:1:1, "grey", or "other".
        process: "baseline", "sequential" or "progressive".
    """

    luminance: Table | None
    quality: int | None
    family: Family
    subsampling: str
    process: str


def read_header(data: bytes) -> Header:
    """Read the header of a whole JPEG; missing parts of a damaged one are None, `unknown` or "other"."""
    adobe, subsampling, process = False, "other", "other"
    with contextlib.suppress(EOFError, IndexError, struct.error, ImageError):
        for marker, start, end in segments(data):
            if marker == _START_OF_SCAN:
                break
            if marker in _FRAMES:
                process = _FRAMES[marker]
                subsampling = _subsampling(data[start + 4 : end])
            adobe |= marker == _ADOBE and data.startswith(b"Adobe", start + 4, end)
    tables = read_tables(data)
    luminance = tables.get(0)
    if luminance is None:
        return Header(None, None, Family.UNKNOWN, subsampling, process)
    family, quality = _family(luminance, tables.get(1), adobe)
    return Header(luminance, quality, family, subsampling, process)


def _subsampling(frame: bytes) -> str:
    components = [(frame[place] >> 4, frame[place] & 15) for place in range(7, 6 + 3 * frame[5], 3)]
    if len(components) == 1:
        return "grey"
    if len(set(components[1:3])) != 1 or 0 in components[1]:
        return "other"
    across, down = (luma / chroma for luma, chroma in zip(components[0], components[1], strict=True))
    return _SUBSAMPLINGS.get((across, down), "other")


def _family(luminance: Table, chrominance: Table | None, adobe: bool) -> tuple[Family, int]:
    quality = estimate_quality(luminance)
    if is_standard(luminance) and chrominance in (None, _scaled("libjpeg")[quality - 1]):
        return Family.LIBJPEG, quality
    if luminance in _scaled("mozjpeg") and chrominance in (None, luminance):
        return Family.MOZJPEG, _scaled("mozjpeg").index(luminance) + 1
    if _is_apple(luminance):
        return Family.APPLE, quality
    if adobe or luminance in _photoshop_tables():
        return Family.ADOBE, quality
    return Family.UNKNOWN, quality


@functools.cache
def _scaled(program: str) -> list[Table]:
    """Return the tables of quality 1 to 100: libjpeg's chrominance table, or mozjpeg's table."""
    base = {"libjpeg": _CHROMINANCE, "mozjpeg": _ROBIDOUX}[program].ravel()
    return [tuple(table) for table in scaled_tables(base[_ZIGZAG]).tolist()]


@functools.cache
def _photoshop_tables() -> set[Table]:
    """Return the luminance tables of Photoshop's named settings, which Pillow ships row by row."""
    by_setting: dict[str, Any] = presets
    return {tuple(np.array(setting["quantization"][0])[_ZIGZAG].tolist()) for setting in by_setting.values()}


def _is_apple(luminance: Table) -> bool:
    """Tell whether the steps depend only on max(row, 1) + max(column, 1), and aren't constant."""
    table: NDArray[np.int64] = np.empty(64, np.int64)
    table[_ZIGZAG] = luminance
    table = table.reshape(8, 8)
    inner = table[1:, 1:]
    edges_repeat = (table[0] == table[1]).all() and (table[:, 0] == table[:, 1]).all()
    return bool(edges_repeat and (inner[1:, :-1] == inner[:-1, 1:]).all() and table[0, 0] < table[7, 7])
