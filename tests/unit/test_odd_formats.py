"""Odd kinds of known formats: Apple's PNG, TIFFs with JPEG inside, pyramids beside raw camera files."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from typer.testing import CliRunner

from fauxto.cli import commands
from fauxto.errors import ImageError
from fauxto.images import decode

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"


def tiff(tags: dict[int, tuple[int, int, int]], copies: list[dict[int, tuple[int, int, int]]], data: bytes) -> bytes:
    """A TIFF of these entries (type, count, value), with nested directories; `data` starts at offset 8."""

    def directory(entries: dict[int, tuple[int, int, int]]) -> bytes:
        rows = b"".join(struct.pack("<HHII", tag, *entries[tag]) for tag in sorted(entries))
        return struct.pack("<H", len(entries)) + rows + bytes(4)

    start = 8 + len(data)
    places = []
    behind = b""
    for copy in copies:
        places.append(start + len(behind))
        behind += directory(copy)
    if len(places) == 1:
        tags = {**tags, 330: (13, 1, places[0])}
    elif places:
        tags = {**tags, 330: (4, len(places), start + len(behind))}
        behind += struct.pack(f"<{len(places)}I", *places)
    return b"II*\0" + struct.pack("<I", start + len(behind)) + data + behind + directory(tags)


def plain(width: int, height: int, **more: int) -> dict[int, tuple[int, int, int]]:
    """The entries of a grey picture at offset 8."""
    values = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: width * height}
    values |= {int(tag[1:]): value for tag, value in more.items()}
    return {tag: (4, 1, value) for tag, value in values.items()}


def failure(data: bytes) -> ImageError:
    with pytest.raises(ImageError) as caught:
        decode(data)
    return caught.value


def test_a_pyramid_is_judged_by_its_full_picture(photo, tmp_path):
    grey = np.ascontiguousarray(photo[:60, :80, 0])
    small = [plain(80 >> level, 60 >> level, t254=1) for level in (1, 2, 3)]
    for copies in (small[:1], small):
        for more in ({}, {"t254": 0}):
            data = tiff(plain(80, 60, **more), copies, grey.tobytes())
            assert (decode(data).rgb == grey[..., None]).all()
    (tmp_path / "a.tif").write_bytes(data)
    run = CliRunner().invoke(commands, ["check", str(tmp_path / "a.tif"), "--json", "--model", str(GOLDEN)])
    assert json.loads(run.stdout)["status"] == "ok"


@pytest.mark.parametrize(
    ("main", "copies"),
    [
        ({"t254": 1}, [{"t254": 0}]),  # a thumbnail first, the raw picture nested: NEF, ARW, DNG
        ({"t254": 1}, [{"t254": 1}]),
        ({}, [{"t254": 1}, {"t254": 0}]),
        ({}, [{}]),
        ({"t50706": 1}, [{"t254": 1}]),  # DNGVersion
        ({"t50706": 1}, []),
    ],
)
def test_raw_camera_files_stay_refused(main, copies):
    nested = [plain(40, 30, **copy) for copy in copies]
    assert failure(tiff(plain(80, 60, **main), nested, bytes(4800))).status == "unsupported_format"


def test_a_copy_that_is_no_smaller_or_lies_nowhere_is_refused():
    assert failure(tiff(plain(80, 60), [plain(80, 60, t254=1)], bytes(4800))).status == "unsupported_format"
    assert failure(tiff(plain(80, 60, t330=10**9), [], bytes(4800))).status == "unsupported_format"


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpeg_strips_of_a_tiff(photo, encode, mode):
    picture = PIL.Image.fromarray(photo[:200, :301]).convert(mode)
    data = encode(picture, "TIFF", compression="jpeg", quality=90)
    image = decode(data)
    assert np.abs(image.rgb.astype(int) - np.asarray(picture.convert("RGB"))).mean() < 4
    for cut in (len(data) // 2, len(data) - 400):
        assert failure(data[:cut]).status == "truncated"


def test_jpeg_tiles_of_a_tiff(photo, encode):
    tiles = [encode(photo[y : y + 64, x : x + 64, 0], "JPEG", quality=95) for y in (0, 64) for x in (0, 64)]
    places = [8 + sum(map(len, tiles[:number])) for number in range(4)]
    lists = struct.pack("<8I", *places, *map(len, tiles))
    at = 8 + sum(map(len, tiles))
    tags = {
        tag: (4, 1, value)
        for tag, value in {256: 128, 257: 128, 258: 8, 259: 7, 262: 1, 277: 1, 322: 64, 323: 64}.items()
    }
    tags |= {324: (4, 4, at), 325: (4, 4, at + 16)}
    data = tiff(tags, [], b"".join(tiles) + lists)
    assert np.abs(decode(data).rgb[..., 0].astype(int) - photo[:128, :128, 0]).mean() < 4
    assert failure(data.replace(tiles[3][-2:] + lists, bytes(2) + lists)).status == "truncated"


def test_a_jpeg_in_a_tiff_that_claims_more_than_its_tile_is_no_bomb(photo, encode):
    data = encode(photo[:64, :64], "TIFF", compression="jpeg")
    frame = data.index(b"\xff\xc0")
    huge = data[: frame + 5] + b"\xff\xdc\xff\xdc" + data[frame + 9 :]
    assert failure(huge).status in ("unreadable", "truncated", "unsupported_mode")


def test_old_jpeg_and_ycbcr_without_jpeg_are_not_read():
    assert failure(tiff(plain(8, 8, t259=6), [], bytes(64))).status == "unsupported_mode"
    assert failure(tiff(plain(8, 8, t262=6), [], bytes(64))).status == "unsupported_mode"


def test_apples_png_is_named(photo, encode, png_file, tmp_path):
    whole = encode(photo[:20, :20], "PNG")
    data = png_file((b"CgBI", b"P\0 \2")) + whole[8:]
    for file in (data, data[:-12], data[:60]):
        error = failure(file)
        assert (error.status, "Apple-optimised PNG" in str(error)) == ("unsupported_format", True)
    (tmp_path / "a.png").write_bytes(data)
    run = CliRunner().invoke(commands, ["check", str(tmp_path / "a.png"), "--json", "--model", str(GOLDEN)])
    report = json.loads(run.stdout)
    assert (run.exit_code, report["status"], "Apple-optimised" in report["reasons"][0]) == (
        1,
        "unsupported_format",
        True,
    )
