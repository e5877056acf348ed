"""Reading quantisation tables, whole and damaged, and estimating the quality behind them."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL.JpegImagePlugin import JpegImageFile

from fauxto.jpeg_tables import estimate_quality, read_tables


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True, "subsampling": "4:4:4"}])
def test_the_quality_of_libjpegs_files_is_found_exactly(photo, encode, options) -> None:
    for quality in range(1, 101):
        tables = read_tables(encode(photo[:16, :16], "JPEG", quality=quality, **options))
        assert sorted(tables) == [0, 1]
        assert estimate_quality(tables[0]) == quality


def test_tables_are_those_that_pillow_reads(photo, encode) -> None:
    steps = np.arange(1, 65).tolist()
    data = encode(photo[:16, :16], "JPEG", qtables=[steps, steps[::-1]])
    with PIL.Image.open(io.BytesIO(data)) as picture:
        assert isinstance(picture, JpegImageFile)
        assert {key: tuple(table) for key, table in picture.quantization.items()} != {}
    natural = {key: sorted(table) for key, table in read_tables(data).items()}
    assert natural == {0: steps, 1: steps}


def test_foreign_tables_get_the_nearest_quality(photo, encode) -> None:
    ours = read_tables(encode(photo[:16, :16], "JPEG", quality=80))[0]
    nudged = tuple(step + (place % 7 == 0) for place, step in enumerate(ours))
    assert abs(estimate_quality(nudged) - 80) <= 1


def test_sixteen_bit_tables_are_read(photo, encode) -> None:
    steps = [300] * 64
    data = b"\xff\xd8\xff\xdb\x00\x83\x10" + np.array(steps, ">u2").tobytes() + b"\xff\xd9"
    assert read_tables(data) == {0: tuple(steps)}


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF"])
def test_other_formats_have_no_tables(photo, encode, format) -> None:
    assert read_tables(encode(photo[:16, :16], format)) == {}


def test_damage_costs_only_what_lies_behind_it(photo, encode) -> None:
    data = encode(photo[:16, :16], "JPEG", quality=50)
    whole = read_tables(data)
    found = [read_tables(data[:length]) for length in range(len(data))]
    assert found[0] == {}
    assert found[-1] == whole
    assert {len(tables) for tables in found} == {0, 1, 2}
    assert all(tables.items() <= whole.items() for tables in found)


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    for prefix in (b"", b"\xff\xd8\xff", b"\xff\xd8\xff\xdb"):
        for table in read_tables(prefix + data).values():
            assert len(table) == 64
            assert 1 <= estimate_quality(table) <= 100
