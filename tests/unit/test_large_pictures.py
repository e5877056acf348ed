"""Pictures of 50 to 250 megapixels: large JPEGs are decoded smaller, within bounds of memory."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from typer.testing import CliRunner

from fauxto import Detector, Limits
from fauxto.cli import commands
from fauxto.errors import ImageError
from fauxto.evidence import compression, watermarks
from fauxto.images import decode, jpeg

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
SIZES = [(8160, 6144), (8192, 6144), (8688, 5792), (9504, 6336), (11648, 8736), (12000, 9000), (16320, 12240)]


def flat(width: int, height: int, encode, *, progressive: bool = False) -> bytes:
    """A grey JPEG with blocks of 4:2:0 that each say "no change", 32 bits for 16 x 16 pixels, or one that claims so."""
    whole = encode(PIL.Image.new("RGB", (16, 16), (128, 128, 128)), "JPEG", progressive=progressive)
    frame = whole.index(b"\xff\xc2" if progressive else b"\xff\xc0") + 5
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    scan = next(end for marker, _, end in jpeg.segments(whole) if marker == 0xDA)
    blocks = -(-width // 16) * -(-height // 16)
    body = whole[scan:] if progressive else b"\x28\xa2\x8a\x00" * blocks + b"\xff\xd9"
    return whole[:frame] + size + whole[frame + 4 : scan] + body


@pytest.fixture
def small_limit(monkeypatch) -> None:
    """JPEGs of more than 10,000 pixels count as very large."""
    monkeypatch.setattr(jpeg, "FULL_SIZE", 10_000)


@pytest.mark.parametrize(("side", "scale"), [(100, 1), (101, 2), (200, 2), (201, 4), (401, 8)])
@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_very_large_jpeg_is_decoded_smaller(photo, encode, small_limit, side, scale, options):
    pixels = photo[:side, :side]
    image = decode(encode(pixels, "JPEG", quality=95, **options))
    shrunk = -(-side // scale)
    assert (image.scale, image.rgb.shape, image.facts.width) == (scale, (shrunk, shrunk, 3), side)
    assert ("decoded_smaller" in [note.word for note in image.facts.notes]) == (scale > 1)
    whole = side // scale
    expected = np.asarray(PIL.Image.fromarray(pixels).reduce(scale), np.int16)[:whole, :whole]
    assert np.abs(image.rgb[:whole, :whole] - expected).mean() < 4


def test_facts_are_those_of_the_file(photo, encode, small_limit):
    exif = PIL.Image.Exif()
    exif[274] = 6
    image = decode(encode(photo[:110, :151], "JPEG", exif=exif.tobytes()))
    assert (image.facts.width, image.facts.height, image.rgb.shape) == (110, 151, (76, 55, 3))


def test_a_cut_very_large_jpeg_is_truncated(photo, encode, small_limit):
    whole = encode(photo[:200, :200], "JPEG")
    for data in (whole[: len(whole) // 2], whole[: len(whole) // 2] + b"\xff\xd9"):
        with pytest.raises(ImageError) as caught:
            decode(data)
        assert caught.value.status == "truncated"
    assert [note.word for note in decode(whole[:-2]).facts.notes] == ["end_missing", "decoded_smaller"]


def test_evidence_of_single_pixels_is_left_out_with_a_word(photo, encode, small_limit):
    data = encode(photo, "JPEG")
    image = decode(data)
    assert image.scale == 8
    assert "too large" in compression.read(data, image, Limits()).summary
    assert "too large" in watermarks.read(data, image, Limits()).summary


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_sizes_of_phones_and_cameras_are_within_the_limits(encode, size):
    """On the file's outside; the slow test below decodes."""
    outside = jpeg.read(flat(size[0], size[1], encode), Limits())
    assert size[0] * size[1] / outside.scale**2 <= jpeg.FULL_SIZE


def test_the_limits_say_what_is_too_large(encode, png_file):
    for data in (flat(16_000, 15_700, encode), flat(16_000, 14_000, encode, progressive=True)):
        with pytest.raises(ImageError) as caught:
            jpeg.read(data, Limits())
        assert caught.value.status == "too_large"
    many = flat(16_000, 12_000, encode, progressive=True)
    last = many.rindex(b"\xff\xda")
    with pytest.raises(ImageError, match="too many scans"):
        jpeg.read(many[:-2] + many[last:-2] * 30 + b"\xff\xd9", Limits())
    header = (8_193).to_bytes(4, "big") + (8_193).to_bytes(4, "big") + b"\x08\x02\0\0\0"
    with pytest.raises(ImageError, match="the limit is 64000000 in all"):
        decode(png_file((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")))


def test_the_command_line_sets_the_limit(photo, encode, tmp_path):
    (tmp_path / "a.jpg").write_bytes(encode(np.resize(photo, (1024, 1024, 3)), "JPEG"))
    for megapixels, status in (("1", "too_large"), ("2", "ok")):
        options = ["--json", "--model", str(GOLDEN), "--max-megapixels", megapixels]
        run = CliRunner().invoke(commands, ["check", str(tmp_path / "a.jpg"), *options])
        assert json.loads(run.stdout)["status"] == status
    for command in ("scan", "app", "serve", "bench"):
        assert "--max-megapixels" in CliRunner().invoke(commands, [command, "--help"], terminal_width=200).output


@pytest.mark.slow
def test_fifty_megapixels_are_judged(encode, tmp_path):
    for size in SIZES[:3]:
        data = flat(size[0], size[1], encode)
        report = Detector(GOLDEN).analyze(data)
        assert (report.status, report.image and (report.image.width, report.image.height)) == ("ok", size)


@pytest.mark.slow
def test_the_largest_pictures_keep_to_their_memory(encode, png_file, tmp_path):
    """In a process of its own: what decoding adds, in megabytes."""
    zeros = zlib.compress(bytes(8_000 * (3 * 8_000 + 1)), 1)
    header = (8_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    files = {
        "250 megapixels": flat(16_000, 15_600, encode),
        "61 megapixels": flat(9504, 6336, encode),
        "64 megapixels of zeros": png_file((b"IHDR", header), (b"IDAT", zeros), (b"IEND", b"")),
    }
    code = """
        import pathlib, sys
        from fauxto.images import decode
        status = pathlib.Path("/proc/self/status")
        peak = lambda: int(status.read_text().split("VmHWM:")[1].split()[0]) if status.exists() else 0
        data = pathlib.Path(sys.argv[1]).read_bytes()
        before = peak()
        decode(data)
        print((peak() - before) // 1024)
    """
    for name, data in files.items():
        path = tmp_path / "picture"
        path.write_bytes(data)
        run = [sys.executable, "-c", textwrap.dedent(code), path]
        assert int(subprocess.run(run, capture_output=True, text=True, check=True).stdout) < 600, name
