"""Files whose end mark is missing: judged where every pixel is there, truncated where one is not."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from typer.testing import CliRunner

from fauxto import Detector
from fauxto.cli import commands
from fauxto.errors import ImageError
from fauxto.images import decode, gif, jpeg

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
EXIF_CHUNK = 30


def samsung(content: bytes = b"MotionPhoto_Data\0\0\0\x18ftypmp42\xff\xd8\xff\xe0\0\0\xff\xd9") -> bytes:
    """The trailer of a Samsung phone with one entry, which may hold pictures of its own."""
    block = struct.pack("<HHI", 0, 0x0A30, 16) + content
    directory = b"SEFH" + struct.pack("<IIHHII", 106, 1, 0, 0x0A30, len(block), len(block))
    return block + directory + struct.pack("<I", len(directory)) + b"SEFT"


def last_scan(data: bytes) -> int:
    return [end for marker, _, end in jpeg.segments(data) if marker == 0xDA][-1]


def outcome_of(data: bytes, pixels) -> str:
    """The status of a file that can't be decoded, else whether it has these pixels: "whole" or "different"."""
    try:
        return "whole" if np.array_equal(decode(data).rgb, pixels) else "different"
    except ImageError as error:
        return str(error.status)


@pytest.fixture
def unclosed(photo, encode, with_metadata) -> dict[str, tuple[bytes, bytes]]:
    """By name: a file without its end mark, and the whole file."""
    small = photo[100:164, 100:180]
    plain, progressive = encode(small, "JPEG"), encode(small, "JPEG", progressive=True)
    restarts = encode(small, "JPEG", restart_marker_blocks=3)
    png, gif_file = encode(small, "PNG"), encode(small, "GIF")
    webp = with_metadata("WEBP", xmp="<x:xmpmeta/>!", pixels=small)
    animation = encode(
        PIL.Image.fromarray(small), "GIF", save_all=True, append_images=[PIL.Image.fromarray(small[::-1])]
    )
    return {
        "JPEG without EOI": (plain[:-2], plain),
        "JPEG with half of EOI": (plain[:-1], plain),
        "progressive JPEG": (progressive[:-2], progressive),
        "JPEG with restart markers": (restarts[:-2], restarts),
        "zeros for EOI": (plain[:-2] + bytes(512), plain),
        "zeros for EOI of a progressive JPEG": (progressive[:-2] + bytes(4096), progressive),
        "JPEG before a Samsung trailer": (plain[:-2] + samsung(), plain),
        "progressive JPEG before a Samsung trailer": (progressive[:-2] + samsung(), progressive),
        "JPEG before another JPEG": (plain[:-2] + progressive, plain),
        "progressive JPEG before another JPEG": (progressive[:-2] + plain, progressive),
        "PNG without IEND": (png[:-12], png),
        "PNG with half of IEND": (png[:-6], png),
        "PNG without a checksum of IDAT": (png[:-16], png),
        "zeros for IEND": (png[:-12] + bytes(99), png),
        "GIF without trailer": (gif_file[:-1], gif_file),
        "GIF without its last empty sub-block": (gif_file[:-2], gif_file),
        "zeros for a GIF's trailer": (gif_file[:-1] + bytes(40), gif_file),
        "animated GIF": (animation[:-1], animation),
        "WebP without its last pad byte": (webp[:-1], webp),
        "WebP with half of its XMP": (webp[:-8], webp),
    }


def test_every_pixel_is_there(unclosed):
    for name, (cut, whole) in unclosed.items():
        image = decode(cut)
        np.testing.assert_array_equal(image.rgb, decode(whole).rgb, err_msg=name)
        assert "end_missing" in [note.word for note in image.facts.notes], name
        if "zeros for EOI" in name:
            assert image.facts.trailing_bytes == len(cut) - len(cut.rstrip(b"\0")), name
        assert "end_missing" not in [note.word for note in decode(whole).facts.notes], name


def test_the_library_and_the_command_line_say_so(unclosed, tmp_path):
    detector = Detector(GOLDEN)
    for number, (name, (cut, whole)) in enumerate(unclosed.items()):
        report, expected = detector.analyze(cut), detector.analyze(whole)
        assert (report.status, report.score, report.verdict) == ("ok", expected.score, expected.verdict), name
        assert "end_missing" in [reason.word for reason in report.reasons], name
        (tmp_path / f"{number:02}").write_bytes(cut)
    run = CliRunner().invoke(commands, ["check", f"{tmp_path}/*", "--json", "--model", str(GOLDEN)])
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(rows) == len(unclosed)
    assert {row["status"] for row in rows} == {"ok"}
    assert all(any(reason.startswith("end_missing: ") for reason in row["reasons"]) for row in rows)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"quality": 100, "subsampling": 0},
        {"progressive": True},
        {"progressive": True, "quality": 100},
        {"restart_marker_blocks": 3},
    ],
)
def test_a_jpeg_that_is_cut_stays_truncated(photo, encode, options):
    """Also in its last row, where blocks lie partly outside the picture, and in its last scans."""
    whole = encode(photo[:130, :101], "JPEG", **options)
    pixels = decode(whole).rgb
    start = last_scan(whole)
    cuts = {*range(max(start, len(whole) - 30), len(whole) - 2), *random.Random(1).sample(range(700, len(whole)), 20)}
    refused = 0
    for cut in cuts:
        for filler in (b"", bytes(100)):
            outcome = outcome_of(whole[:cut] + filler, pixels)
            assert outcome in ("whole", "truncated", "unreadable")
            refused += outcome == "truncated"
    assert refused > 1.8 * len(cuts)


@pytest.mark.parametrize("format", ["PNG", "GIF"])
def test_a_png_or_gif_that_is_cut_stays_truncated(photo, encode, format):
    black = photo[:60, :71].copy()
    black[40:] = 0
    whole = encode(black, format)
    pixels = decode(whole).rgb
    for cut in range(len(whole) - 40, len(whole)):
        for filler in (b"", bytes(40)):
            outcome = outcome_of(whole[:cut] + filler, pixels)
            assert outcome == "truncated" or (outcome == "unreadable" and filler) or cut > len(whole) - 30
            assert outcome != "different"


def test_a_trailer_that_lies_about_its_start_hides_no_picture(photo, encode):
    whole = encode(photo[:64, :64], "JPEG")
    for start in (0, 1, 2**32 - 1):
        directory = b"SEFH" + struct.pack("<IIHHII", 106, 1, 0, 0x0A30, start, 1)
        data = whole + directory + struct.pack("<I", len(directory)) + b"SEFT"
        np.testing.assert_array_equal(decode(data).rgb, decode(whole).rgb)
        decode(whole + struct.pack("<I", start) + b"SEFT")


@pytest.mark.parametrize(
    ("behind", "what"),
    [
        (b"\xff\xd8\xff\xe1and so on", "another JPEG"),
        (bytes(64) + b"\xff\xd8\xff\xe2MPF", "another JPEG"),
        (b"\0\0\0\x18ftypmp42" + bytes(16), "a video"),
        (samsung(), "a video"),
    ],
)
def test_what_phones_put_behind_a_picture_is_named(photo, encode, behind, what):
    (note,) = decode(encode(photo[:64, :64], "JPEG") + behind).facts.notes
    assert (note.word, what in note.sentence) == ("trailing_data", True)


def test_a_gif_flood_without_trailer_is_bounded(photo, encode):
    whole = encode(photo[:16, :16], "GIF")
    assert len(list(gif.blocks(whole[:-1] + bytes(5_000_000)))) == len(list(gif.blocks(whole))) - 1
