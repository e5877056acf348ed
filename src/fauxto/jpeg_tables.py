"""The quantisation tables of a JPEG and the quality setting that they amount to.

Only the file's header segments are read; no pixel is decoded here.
"""

from __future__ import annotations

import contextlib
import functools
import struct

import numpy as np
from numpy.typing import NDArray

from fauxto.errors import ImageError
from fauxto.images.jpeg import FORMAT, segments

Table = tuple[int, ...]

# The example luminance table of ITU-T T.81 (1992), Annex K.1, in the zigzag order in which files store it.
# fmt: off
_LUMINANCE = np.array(
    [16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40,
     26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51,
     56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87,
     95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99]
)
# fmt: on

_START_OF_SCAN, _QUANTISATION = 0xDA, 0xDB


def read_tables(data: bytes) -> dict[int, Table]:
    """Collect the quantisation tables that stand before the first scan of a JPEG.

    Args:
        data: A whole file. Of a damaged JPEG, the tables before the damage are returned; of another file, none.

    Returns:
        The 64 steps of each table in zigzag order, by table number (0 is the luminance's by custom).
    """
    tables: dict[int, Table] = {}
    with contextlib.suppress(EOFError, struct.error, ImageError):  # what `segments` raises
        for marker, start, end in segments(data) if FORMAT.matches(data) else ():
            if marker == _START_OF_SCAN:
                break
            if marker == _QUANTISATION:
                tables.update(_parse_segment(data[start + 4 : end]))
    return tables


def _parse_segment(segment: bytes) -> dict[int, Table]:
    tables: dict[int, Table] = {}
    position = 0
    while position < len(segment):
        step_bytes = 2 if segment[position] >> 4 else 1
        steps = segment[position + 1 : position + 1 + 64 * step_bytes]
        if len(steps) < 64 * step_bytes:
            break
        tables[segment[position] & 15] = tuple(np.frombuffer(steps, dtype=f">u{step_bytes}").tolist())
        position += 1 + 64 * step_bytes
    return tables


def scaled_tables(base: NDArray[np.int64]) -> NDArray[np.int64]:
    """Scale a table as libjpeg does.

    Args:
        base: int64 [64], the table of quality 50.

    Returns:
        int64 [100, 64]: the tables of quality 1, 2, ... 100.
    """
    quality = np.arange(1, 101)
    percent = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    tables: NDArray[np.int64] = np.clip((base * percent[:, None] + 50) // 100, 1, 255)
    return tables


@functools.cache
def _standard_tables() -> NDArray[np.int64]:
    return scaled_tables(_LUMINANCE)


@functools.lru_cache(maxsize=4096)
def estimate_quality(luminance: Table) -> int:
    """Estimate the quality setting, 1 to 100, on the scale of the Independent JPEG Group's libjpeg.

    It is the setting whose table lies nearest in total absolute difference: exact for files written by libjpeg and its
    many descendants, an equivalent for encoders with tables of their own (Adobe, most cameras).

    Args:
        luminance: 64 steps in zigzag order.
    """
    return int(np.abs(_standard_tables() - np.array(luminance)).sum(axis=1).argmin()) + 1


def is_standard(luminance: Table) -> bool:
    """Tell whether libjpeg itself writes this luminance table at some quality setting.

    Args:
        luminance: 64 steps in zigzag order.
    """
    return bool((_standard_tables() == np.array(luminance)).all(axis=1).any())
