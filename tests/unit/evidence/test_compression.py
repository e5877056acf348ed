"""Traces of compression: who wrote a JPEG, and whether its pixels were compressed before."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageCms
from PIL.JpegImagePlugin import JpegImageFile
from PIL.JpegPresets import presets

from fauxto.evidence import compression
from fauxto.evidence.jpeg_encoder import Family, read_header
from fauxto.images import decode
from fauxto.limits import Limits
from fauxto.report import Evidence, Says, Trust


def read(data: bytes) -> Evidence:
    evidence = compression.read(data, decode(data), Limits())
    assert (evidence.source, evidence.says, evidence.trust) == ("compression", Says.NOTHING, Trust.INFERRED)
    json.dumps(dict(evidence.details), allow_nan=False)
    return evidence


def robidoux(quality: int) -> list[int]:
    """The table of mozjpeg row by row, by the formula of libjpeg."""
    half = [16, 16, 16, 18, 25, 37, 56, 85, 17, 20, 27, 34, 40, 53, 75, 24, 31, 43, 62, 91, 135, 40, 53, 74, 106, 156]
    half += [69, 94, 131, 189, 124, 169, 238, 226, 311, 418]
    table = np.zeros((8, 8), int)
    table[np.triu_indices(8)] = half
    table = np.triu(table) + np.triu(table, 1).T
    table[6, 1] = table[1, 6]
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((table * percent + 50) // 100, 1, 255).ravel().tolist()


def apple(*steps: int) -> list[int]:
    """A table whose steps depend on max(row, 1) + max(column, 1)."""
    place = np.maximum(np.arange(8), 1)
    return np.array(steps)[place[:, None] + place - 2].ravel().tolist()


# The steps of photographs that an iPhone 8 and an iPhone 12 wrote.
IPHONE_8 = apple(1, 1, 2, 3, 3, 4, 5, 6, 7, 8, 8, 8, 8)
IPHONE_12 = apple(2, 2, 3, 4, 5, 7, 8, 10, 11, 13, 13, 13, 13)
ONE_BY_ONE = list(range(1, 65))


@pytest.mark.parametrize(
    ("options", "family", "quality"),
    [
        *(({"quality": quality}, Family.LIBJPEG, quality) for quality in (1, 30, 75, 92, 100)),
        ({"quality": 85, "progressive": True, "optimize": True}, Family.LIBJPEG, 85),
        *(({"qtables": [robidoux(quality)] * 2}, Family.MOZJPEG, quality) for quality in (10, 70, 75, 90)),
        *(({"quality": name}, Family.ADOBE, None) for name in presets if name != "web_maximum"),
        ({"qtables": [IPHONE_8, IPHONE_8]}, Family.APPLE, None),
        ({"qtables": [IPHONE_12, ONE_BY_ONE]}, Family.APPLE, None),
        ({"qtables": [ONE_BY_ONE, ONE_BY_ONE[::-1]]}, Family.UNKNOWN, None),
        ({"qtables": [[7] * 64, [7] * 64]}, Family.UNKNOWN, None),
        ({"qtables": [robidoux(75), ONE_BY_ONE]}, Family.UNKNOWN, None),
    ],
)
def test_the_encoder_is_known_by_its_tables(photo, encode, options, family, quality) -> None:
    evidence = read(encode(photo[:80, :80], "JPEG", **options))
    assert evidence.details["encoder"] == family
    assert 1 <= evidence.details["quality"] <= 100
    assert quality in (None, evidence.details["quality"])


def test_standard_luminance_with_foreign_chrominance_is_not_libjpegs(photo, encode) -> None:
    with PIL.Image.open(io.BytesIO(encode(photo[:16, :16], "JPEG", quality=60))) as picture:
        assert isinstance(picture, JpegImageFile)
        standard = picture.quantization
    assert read(encode(photo[:80, :80], "JPEG", qtables=standard)).details["encoder"] == "libjpeg"
    mixed = {0: standard[0], 1: [step + 1 for step in standard[1]]}
    assert read(encode(photo[:80, :80], "JPEG", qtables=mixed)).details["encoder"] == "unknown"


def test_adobes_marker_counts_only_beside_foreign_tables(photo, encode) -> None:
    marker = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x01"
    for options, family in (({"qtables": [ONE_BY_ONE] * 2}, "Adobe"), ({"quality": 75}, "libjpeg")):
        data = encode(photo[:80, :80], "JPEG", **options)
        assert read(data[:2] + marker + data[2:]).details["encoder"] == family


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_subsampling_and_process(photo, encode, subsampling, progressive) -> None:
    details = read(encode(photo[:80, :80], "JPEG", subsampling=subsampling, progressive=progressive)).details
    assert details["subsampling"] == subsampling
    assert details["process"] == ("progressive" if progressive else "baseline")


def test_grey_and_cmyk(photo, encode) -> None:
    picture = PIL.Image.fromarray(photo[:80, :80])
    assert read(encode(picture.convert("L"), "JPEG")).details["subsampling"] == "grey"
    assert read(encode(picture.convert("CMYK"), "JPEG")).details["format"] == "JPEG"


def shrunk(rgb):
    """A photograph without a history: shrunk to two thirds."""
    picture = PIL.Image.fromarray(rgb)
    return np.asarray(picture.resize((picture.width * 2 // 3, picture.height * 2 // 3), PIL.Image.Resampling.LANCZOS))


@pytest.mark.parametrize("name", ["astronaut", "coffee", "china", "flower"])
def test_a_second_compression_is_found_and_a_first_is_not(photographs, encode, name) -> None:
    picture = shrunk(photographs[name])
    for quality in (75, 85, 90, 95):
        once = read(encode(picture, "JPEG", quality=quality))
        assert not once.details["earlier_compression"]["found"]
        assert "no trace of an earlier compression" in once.summary
    for first, second in ((60, 85), (75, 90), (85, 95)):
        before = decode(encode(picture, "JPEG", quality=first)).rgb
        twice = read(encode(before, "JPEG", quality=second))
        assert twice.details["earlier_compression"]["found"]
        assert "compressed before, at another quality" in twice.summary


def test_pixels_that_were_changed_after_decoding_are_not_measured(photo, encode) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 8  # stored lying on its side
    turned = read(encode(photo[:488, :504], "JPEG", quality=80, exif=exif.tobytes()))
    gamma = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ"))
    converted = read(encode(photo, "JPEG", quality=80, icc_profile=gamma.tobytes()))
    for evidence in (turned, converted):
        trace = evidence.details["earlier_compression"]
        assert not trace["found"]
    assert turned.details["earlier_compression"]["strength"] is None
    assert "can't be measured" in turned.summary


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF"])
def test_the_grid_of_a_jpeg_shows_in_a_lossless_file(photo, encode, format) -> None:
    assert not read(encode(photo, format)).details["earlier_compression"]["found"]
    before = decode(encode(photo, "JPEG", quality=80)).rgb
    found = read(encode(before, format))
    assert found.details["earlier_compression"]["found"]
    assert found.details["earlier_compression"]["grid_offset"] == [0, 0]
    assert "cropped" not in found.summary
    cropped = read(encode(np.ascontiguousarray(before[3:, 6:]), format))
    assert cropped.details["earlier_compression"]["grid_offset"] == [2, 5]
    assert "cropped" in cropped.summary


@pytest.mark.parametrize("format", ["WEBP", "AVIF", "HEIF", "GIF", "PNG"])
def test_in_other_formats_and_in_few_colours_nothing_is_looked_for(photo, encode, format) -> None:
    picture = PIL.Image.fromarray(photo)
    evidence = read(encode(picture.quantize(64) if format in ("GIF", "PNG") else picture, format))
    assert evidence.details == {"format": format}
    assert "looks for no traces" in evidence.summary


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (255, 256), (256, 256), (257, 2000), (8, 8)])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF"])
@pytest.mark.parametrize("kind", ["flat", "noise"])
def test_every_shape_is_taken(encode, size, format, kind) -> None:
    rgb = np.full((*size, 3), 200, np.uint8)
    if kind == "noise":
        rgb = np.random.default_rng(3).integers(0, 256, (*size, 3), np.uint8)
    evidence = read(encode(rgb, format))
    assert not evidence.details.get("earlier_compression", {"found": False})["found"]


def test_a_jpeg_without_a_table_for_its_luminance_is_described() -> None:
    header = read_header(b"\xff\xd8\xff\xe0\x00\x04ab\xff\xd9")
    assert (header.luminance, header.quality, header.family) == (None, None, Family.UNKNOWN)


@given(st.data())
def test_no_damage_to_a_header_raises(data) -> None:
    file = io.BytesIO()
    PIL.Image.new("RGB", (16, 16)).save(file, "JPEG")
    damaged = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(2, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    header = read_header(bytes(damaged[: data.draw(st.integers(3, len(damaged)))]))
    assert header.family in Family


@pytest.mark.parametrize("components", [0, 1, 2, 3, 4, 255])
@pytest.mark.parametrize("sampling", [0x00, 0x01, 0x10, 0x11, 0x44, 0xFF])
def test_no_frame_header_raises(components, sampling) -> None:
    frame = struct.pack(">BHHB", 8, 16, 16, components) + bytes((1, sampling, 0)) * 3
    data = b"\xff\xd8\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame + b"\xff\xd9"
    assert isinstance(read_header(data).subsampling, str)


def test_the_docs_show_the_measured_traces() -> None:
    root = Path(__file__).resolve().parents[3]
    measured = json.loads((root / "benchmarks" / "results" / "compression-hints.json").read_text())
    assert measured["thresholds"] == {"requantised": compression.REQUANTISED, "grid": compression.GRID}
    lines = (root / "docs" / "reference" / "evidence-traces.md").read_text().splitlines()
    sets = measured["sets"].values()
    for name in next(iter(sets))["traces"]:
        (line,) = (line for line in lines if line.startswith(f"| {name} |"))
        shown = [int(cell.split()[0].rstrip(",")) for cell in line.strip("| ").split(" | ")[1:]]
        assert shown == [one["traces"][name]["found"] for one in sets]


def test_small_pictures_are_not_looked_into(photo, encode) -> None:
    before = decode(encode(photo[:255, :400], "JPEG", quality=60)).rgb
    for data in (encode(before, "JPEG", quality=85), encode(before, "PNG")):
        assert read(data).details["earlier_compression"]["strength"] is None


def test_crops_of_real_photographs_raise_no_alarm(shared, encode) -> None:
    files = sorted((shared / "data" / "photos" / "val" / "real").iterdir())
    small = [np.asarray(PIL.Image.fromarray(decode(file.read_bytes()).rgb).resize((100, 100))) for file in files]
    mosaics = [np.vstack([np.hstack(small[at + row : at + row + 3]) for row in (0, 3, 6)]) for at in range(0, 297, 9)]
    assert len(mosaics) == 33
    for mosaic in mosaics:
        for data in (encode(mosaic, "JPEG", quality=85), encode(mosaic, "PNG")):
            assert not read(data).details["earlier_compression"]["found"]
