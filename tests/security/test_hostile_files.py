"""Hostile and awkward files through the one gate.

Colours, modes, orientation and lossless copies are in tests/unit/test_images.py.
"""

from __future__ import annotations

import dataclasses
import io
import os
import random
import struct
import subprocess
import sys
import textwrap
import warnings
import zipfile
import zlib

import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest

from fauxto.errors import ImageError
from fauxto.images import decode, formats, jpeg, read_bytes
from fauxto.images.container import MAX_PARTS
from fauxto.images.jpeg import MAX_SCANS
from fauxto.limits import Limits
from fauxto.report import Status

FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"]
BOMB = zlib.compress(bytes(64 << 20), 9)


def status(data, limits=None):
    """The status of a file that can't be decoded, or "ok"; any exception but ImageError fails the test."""
    try:
        decode(data, limits or Limits())
    except ImageError as error:
        return error.status if str(error).isprintable() else f"unprintable: {error}"
    return Status.OK


def words(data):
    return [note.word for note in decode(data).facts.notes]


def png_header(width, height, depth=8, colour=2, interlaced=0):
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)


@pytest.fixture
def small(photo):
    return photo[100:164, 100:180]


def test_what_is_no_picture_at_all():
    assert status(b"") == "unreadable"
    for data in (b"\xff", b"\x89", b"BM", b"RIFF", b"II*", b"a photograph of a cat" * 99, b"BM is no bitmap" * 99):
        assert status(data) == "unsupported_format"


def test_bombs_cost_nothing(small, encode, png_file, tmp_path):
    """In a process of its own, so that the peak of memory is that of the bombs."""
    png = encode(small, "PNG")
    jpeg = encode(small, "JPEG")
    frame = jpeg.index(b"\xff\xc0")
    gif = encode(small, "GIF")
    avif = encode(small, "AVIF")
    extent = avif.index(b"ispe") + 8
    huge = struct.pack(">HH", 65500, 65500)
    bombs = {
        "png-60000": png_file(png_header(60_000, 60_000), (b"IDAT", b""), (b"IEND", b"")),
        "png-60000-header-only": png_file(png_header(60_000, 60_000)),
        "png-9500": png_file(png_header(9_500, 9_500), (b"IDAT", b""), (b"IEND", b"")),
        "jpeg-65500": jpeg[: frame + 5] + huge + jpeg[frame + 9 :],
        "gif-65535": gif[:6] + b"\xff" * 4 + gif[10:],
        "gif-frame-65535": gif.replace(b",\0\0\0\0" + struct.pack("<HH", 80, 64), b"," + b"\0" * 4 + b"\xff" * 4),
        "webp-lossless-16384": b"RIFF\x1e\0\0\0WEBPVP8L\x12\0\0\0\x2f\xff\xff\xff\x0f" + bytes(13),
        "webp-extended-2-24": b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff" * 6,
        "bmp-60000": b"BM" + struct.pack("<4IiiHHI", 100, 0, 54, 40, 60_000, -60_000, 1, 24, 0) + bytes(60),
        "tiff-60000": struct.pack("<2sHIH", b"II", 42, 8, 3)
        + b"".join(struct.pack("<HHII", *tag) for tag in ((256, 4, 1, 60_000), (257, 4, 1, 60_000), (262, 3, 1, 2)))
        + bytes(4),
        "avif-30000": avif[:extent] + struct.pack(">II", 30_000, 30_000) + avif[extent + 8 :],
        "ok-ztxt": png[:33] + png_file((b"zTXt", b"a\0\0" + BOMB), (b"iTXt", b"a\0\1\0\0\0" + BOMB))[8:] * 9 + png[33:],
        "ok-iccp": png[:33] + png_file((b"iCCP", b"a\0\0" + BOMB))[8:] * 9 + png[33:],
    }
    for name, data in bombs.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "ok-first").write_bytes(png)
    code = """
        import pathlib, sys
        from fauxto.errors import ImageError
        from fauxto.images import decode
        status = pathlib.Path("/proc/self/status")
        peak = lambda: int(status.read_text().split("VmHWM:")[1].split()[0]) if status.exists() else 0
        decode((pathlib.Path(sys.argv[1]) / "ok-first").read_bytes())
        before = peak()
        for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
            try:
                decode(path.read_bytes())
                print(path.name, "ok")
            except ImageError as error:
                print(path.name, error.status)
        print("megabytes", (peak() - before) // 1024)
    """
    run = [sys.executable, "-c", textwrap.dedent(code), tmp_path]
    said = dict(line.split() for line in subprocess.run(run, capture_output=True, text=True).stdout.splitlines())
    assert int(said.pop("megabytes")) < 20
    assert said.pop("avif-30000") in ("unreadable", "too_large")
    assert said == {name: "ok" if name.startswith("ok") else "too_large" for name in said}
    assert len(said) == len(bombs)


def test_a_profile_bomb_is_noted(small, encode, png_file):
    png = encode(small, "PNG")
    bomb = png_file((b"iCCP", b"a\0\0" + BOMB))[8:]
    np.testing.assert_array_equal(decode(png[:33] + bomb + png[33:]).rgb, small)
    assert words(png[:33] + bomb + png[33:]) == ["metadata_unreadable"]
    profile = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    first = png_file((b"iCCP", b"a\0\0" + zlib.compress(profile)))[8:]
    assert decode(png[:33] + first + bomb * 9 + png[33:]).facts.icc_profile == "sRGB built-in"


def test_files_of_endless_parts_are_refused(small, encode):
    png, jpeg, gif = (encode(small, format) for format in ("PNG", "JPEG", "GIF"))
    webp, avif = encode(small, "WEBP"), encode(small, "AVIF")
    empty = b"RIFF" + struct.pack("<I", len(webp) - 8 + 8 * MAX_PARTS) + webp[8:] + b"abcd\0\0\0\0" * MAX_PARTS
    floods = {
        "chunks": png[:33] + (b"\0\0\0\0aaAa" + struct.pack(">I", zlib.crc32(b"aaAa"))) * MAX_PARTS + png[33:],
        "segments": jpeg[:2] + b"\xff\xe5\0\2" * MAX_PARTS + jpeg[2:],
        "sub-blocks": gif[:-1] + b"!\xfe" + b"\1a" * MAX_PARTS + b"\0;",
        "riff": empty,
        "boxes": avif + b"\0\0\0\x08free" * MAX_PARTS,
    }
    assert {name: status(data) for name, data in floods.items()} == dict.fromkeys(floods, "too_large")
    progressive = encode(small, "JPEG", progressive=True)
    last = progressive.rindex(b"\xff\xda")
    for more, expected in ((9, "ok"), (MAX_SCANS, "too_large")):
        assert status(progressive[:-2] + progressive[last:-2] * more + b"\xff\xd9") == expected


def test_a_run_of_ff_takes_linear_time(small, encode):
    """A search that backtracks would need hours for this file, and the test's time limit would end it."""
    whole = encode(small, "JPEG")
    assert status(whole[:-2] + b"\xff" * 5_000_000) == "ok"
    assert status(whole[: len(whole) // 2] + b"\xff" * 5_000_000) == "truncated"


@pytest.mark.parametrize("format", FORMATS)
def test_cut_files_are_truncated(small, encode, format):
    """The last byte may belong to a mark that says no more than that the file ends."""
    whole = encode(small, format)
    for cut in (len(whole) // 2, len(whole) * 9 // 10, len(whole) - 25):
        assert status(whole[:cut]) == "truncated", cut
    if format in ("JPEG", "PNG", "GIF"):
        assert words(whole[:-1])[0] == "end_missing"
        np.testing.assert_array_equal(decode(whole[:-1]).rgb, decode(whole).rgb)
    else:
        assert status(whole[:-1]) == "truncated"


@pytest.mark.parametrize("format", ["PNG", "GIF", "WEBP", "AVIF"])
def test_cut_animations_are_truncated(small, encode, format):
    whole = encode(small, format, save_all=True, append_images=[PIL.Image.fromarray(np.roll(small, 9, 0))])
    for cut in (len(whole) // 2, len(whole) * 9 // 10, len(whole) - 20):
        assert status(whole[:cut]) == "truncated", cut


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_cut_tiffs_of_every_compression(small, encode, compression):
    whole = encode(small, "TIFF", compression=compression)
    for cut in range(len(whole) // 10, len(whole), len(whole) // 10):
        assert status(whole[:cut]) == "truncated"


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGB", {}),
        ("RGB", {"subsampling": 0, "quality": 95}),
        ("L", {}),
        ("CMYK", {}),
        ("RGB", {"restart_marker_blocks": 3}),
        ("RGB", {"optimize": True}),
    ],
)
def test_a_cut_jpeg_that_was_closed_again_is_not_judged_on_grey_filler(photo, encode, mode, options):
    whole = encode(PIL.Image.fromarray(photo).convert(mode), "JPEG", **options)
    assert status(whole) == "ok"
    for percent in range(20, 100, 5):
        assert status(whole[: len(whole) * percent // 100] + b"\xff\xd9") == "truncated", percent
    restart = whole.find(b"\xff\xd3", len(whole) // 2)
    if restart > 0:
        assert status(whole[:restart] + b"\xff\xd9") == "truncated"


PROGRESSIVE = [
    ("RGB", {"quality": 95}),
    ("RGB", {"quality": 30, "subsampling": 0}),
    ("RGB", {"quality": 75, "subsampling": 1, "restart_marker_blocks": 5}),
    ("RGB", {"keep_rgb": True}),
    ("L", {}),
    ("CMYK", {"quality": 60}),
]


@pytest.mark.parametrize(("mode", "options"), PROGRESSIVE)
def test_a_progressive_jpeg_that_lacks_scans_is_truncated(photo, encode, mode, options):
    picture = PIL.Image.fromarray(photo[:100, :130]).convert(mode)
    whole = encode(picture, "JPEG", progressive=True, **options)
    assert status(whole) == "ok"
    scans = [start for marker, start, _ in jpeg.segments(whole) if marker == 0xDA]
    assert len(scans) > 5
    for scan in scans[1:]:
        assert status(whole[:scan] + b"\xff\xd9") == "truncated"


def test_a_component_without_a_scan_is_missed(photo, encode):
    """A sequential JPEG may bring one component a scan too."""
    whole = encode(photo[:64, :64], "JPEG")
    scan = whole.index(b"\xff\xda")
    one_of_three = whole[:scan] + b"\xff\xda\0\x08\1\1\0\0\x3f\0" + whole[scan + 14 :]
    assert status(one_of_three) == "truncated"


def test_photographs_of_the_world_are_whole(shared, encode):
    files = sorted((shared / "data" / "photos").rglob("*.jp*g"))[::50]
    if not files:
        pytest.skip("shared/data/photos holds no JPEG")
    for number, file in enumerate(files):
        again = encode(PIL.Image.open(file), "JPEG", progressive=True, quality=30 + number % 70, subsampling=number % 3)
        assert (status(file.read_bytes()), status(again)) == ("ok", "ok"), file


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
def test_a_picture_with_a_grey_corner_is_not_taken_for_a_cut_one(photo, encode, options):
    framed = photo.copy()
    framed[-64:] = 128
    assert status(encode(framed, "JPEG", quality=95, **options)) == "ok"
    assert status(encode(np.full_like(photo, 128), "JPEG", **options)) == "ok"


@pytest.mark.parametrize("interlaced", [0, 1])
def test_a_png_whose_stream_ends_early_is_truncated(png_file, interlaced):
    # Columns and rows that each of Adam7's passes has of 7 x 7 pixels.
    passes = ((1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (3, 4), (7, 3)) if interlaced else ((7, 7),)
    stream = sum(rows * (1 + 3 * columns) for columns, rows in passes)
    for missing, expected in ((0, "ok"), (1, "truncated"), (stream // 2, "truncated")):
        pixels = (b"IDAT", zlib.compress(bytes(stream - missing)))
        data = png_file(png_header(7, 7, interlaced=interlaced), pixels, (b"IEND", b""))
        assert status(data) == expected, missing


def test_a_gif_whose_frame_ends_early_is_truncated(small, encode):
    whole = encode(small, "GIF")
    first_sub_block = whole.index(b",\0\0\0\0" + struct.pack("<HH", 80, 64)) + 11
    assert whole[first_sub_block] == 255
    assert status(whole[: first_sub_block + 256] + b"\0;") == "truncated"


def test_a_damaged_png_is_not_judged(small, encode):
    data = bytearray(encode(small, "PNG"))
    data[len(data) // 2] ^= 1
    assert status(bytes(data)) == "unreadable"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF"])
def test_what_follows_the_picture_is_noted_and_ignored(small, encode, format):
    whole = encode(small, format)
    for trailer in (b"\0", b"A" * 1000, b"PK\3\4" + b"zip" * 99, encode(small[::-1], format), b"\xff\xd9" * 9):
        if format == "AVIF" and trailer[4:8] == b"ftyp":
            continue  # two files one after the other are one sequence of boxes
        image = decode(whole + trailer)
        np.testing.assert_array_equal(image.rgb, decode(whole).rgb)
        assert image.facts.trailing_bytes == len(trailer)
        assert words(whole + trailer) == ["trailing_data"]


def test_the_content_decides(small, encode):
    for format in FORMATS:
        image = decode(encode(small, format), name="picture.jpg")
        assert image.facts.format == format
        assert [note.word for note in image.facts.notes] == ([] if format == "JPEG" else ["name_mismatch"])


@pytest.mark.parametrize(
    "start",
    [
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b'<!DOCTYPE svg [<!ENTITY x SYSTEM "http://127.0.0.1/x">]><svg>&x;</svg>',
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"%PDF-1.7\n",
        b"8BPS\0\1" + bytes(20),
        b"SIMPLE  =                    T",
        b"\0\0\1\0\1\0\x10\x10" + bytes(20),
        b"P6 2 2 255\n" + bytes(12),
        b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(20),
        b"\0\0\0\x18ftypisom\0\0\0\0isommp42",
        b"II+\0\x08\0\0\0" + bytes(20),
        b"RIFF\x20\0\0\0WAVEfmt " + bytes(20),
    ],
)
def test_other_formats_are_refused_unopened(start, monkeypatch):
    def opened(*_, **__):
        raise AssertionError("a parser or the network was entered")

    refusing = {name: dataclasses.replace(format, read=opened, open=opened) for name, format in formats.FORMATS.items()}
    monkeypatch.setattr(formats, "FORMATS", refusing)
    monkeypatch.setattr("socket.socket", opened)
    with pytest.raises(AssertionError, match="a parser or the network was entered"):
        status(b"II*\0" + bytes(999))
    assert status(start + bytes(999)) == "unsupported_format"


def test_pillows_registry_of_formats_is_never_asked(small, encode, monkeypatch):
    files = [encode(small, format) for format in FORMATS]
    monkeypatch.setattr(PIL.Image, "OPEN", {})
    monkeypatch.setattr(PIL.Image, "ID", [])
    assert [decode(data).facts.format for data in files] == FORMATS


def test_a_tiff_with_nested_directories(small, encode):
    data = encode(small, "TIFF", tiffinfo={330: 8})
    assert status(data) == "unsupported_format"


def test_ten_thousand_frames(small, encode, png_file):
    gif = encode(small, "GIF")
    png = encode(small, "PNG")
    webp = encode(small, "WEBP")
    dot = b",\0\0\0\0\1\0\1\0\0\2\2D\1\0"
    control = (b"fcTL", struct.pack(">5I2H2B", 0, 80, 64, 0, 0, 1, 10, 0, 0))
    start = png_file((b"acTL", struct.pack(">II", 10_000, 0)), control)[8:]
    apng = png[:33] + start + png[33:-12] + png_file(control, (b"fdAT", bytes(8)))[8:] * 9_999 + png[-12:]
    place = bytes(6) + struct.pack("<I", 79)[:3] + struct.pack("<I", 63)[:3] + bytes(4)
    frame = b"ANMF" + struct.pack("<I", len(place) + len(webp) - 12) + place + webp[12:]
    canvas = b"VP8X\x0a\0\0\0\2\0\0\0" + place[6:12]
    body = b"WEBP" + canvas + b"ANIM\6\0\0\0" + bytes(6) + frame * 10_000
    animations = {
        "GIF": (gif[:-1] + dot * 9_999 + b";", gif),
        "PNG": (apng, png),
        "WEBP": (b"RIFF" + struct.pack("<I", len(body)) + body, webp),
    }
    for format, (animation, still) in animations.items():
        image = decode(animation)
        assert (image.facts.frames, words(animation)) == (1_000, ["animated"]), format
        np.testing.assert_array_equal(image.rgb, decode(still).rgb)
        assert decode(animation, Limits(max_frames=20_000)).facts.frames == 10_000


@pytest.mark.parametrize(
    "block",
    [
        b"junk",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\x80\0\0\0",
        b"II*\0\x08\0\0\0\xff\xff",
        b"II*\0\x08\0\0\0\1\0\x12\1\3\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0",
        b"II*\0\x08\0\0\0\1\0\x12\1\2\0\1\0\0\0\6\0\0\0\0\0\0\0",
        b"II*\0\x08\0\0\0\xff\xff" + b"\1\1\4\0\1\0\0\0\0\0\0\0" * 5_000,
    ],
)
def test_broken_exif_is_noted_and_passed_over(small, encode, block):
    for format in ("JPEG", "PNG", "WEBP"):
        data = encode(small, format, exif=b"Exif\0\0" + block)
        assert words(data) == ["metadata_unreadable"], format
        np.testing.assert_array_equal(decode(data).rgb, decode(encode(small, format)).rgb)


@pytest.mark.parametrize("format", ["AVIF", "HEIF"])
def test_broken_exif_never_reaches_the_decoder(small, encode, format):
    """The rotation of these formats is stated outside EXIF, and Pillow warns of what it can't parse."""
    exif = PIL.Image.Exif()
    exif[271] = "a camera"
    whole = encode(small, format, exif=exif.tobytes())
    assert whole.count(b"MM\0*\0\0\0\x08") == 1
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        image = decode(whole.replace(b"MM\0*\0\0\0\x08", b"MM\0*\0\0\x09\xff"))
    assert (caught, image.facts.notes) == ([], ())


def test_exif_with_five_thousand_entries_is_read(small, encode):
    entries = b"".join(struct.pack("<HHII", 40_000 + n, 4, 1, 0) for n in range(5_000))
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", 5_001) + struct.pack("<HHII", 274, 3, 1, 3) + entries + bytes(4)
    image = decode(encode(small, "JPEG", exif=b"Exif\0\0" + block))
    assert (image.facts.orientation, image.facts.notes) == (3, ())


@pytest.mark.parametrize("shape", [(1, 1), (1, 10_000), (10_000, 1), (31, 31), (2, 3)])
def test_odd_shapes(photo, encode, shape):
    pixels = np.resize(photo, (*shape, 3))
    for format in set(FORMATS) - {"HEIF"}:  # its encoder refuses some of these
        image = decode(encode(pixels, format))
        assert image.rgb.shape == (*shape, 3)
        if format in ("PNG", "BMP", "TIFF"):
            np.testing.assert_array_equal(image.rgb, pixels)


def test_paths_that_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    expected = {
        "missing\n\u202egpj.jpg": "not_found",
        "file/below": "not_found",
        "nul\0": "not_found",
        "": "not_a_file",
        "pipe": "not_a_file",
        "/dev/zero": "not_a_file",
        "loop": "unreadable",
        "x" * 300: "unreadable",
    }
    for name, word in expected.items():
        with pytest.raises(ImageError) as caught:
            read_bytes(os.path.join(tmp_path, name))  # noqa: PTH118 (Path would drop a trailing separator)
        assert (caught.value.status, str(caught.value).isprintable()) == (word, True), name


@pytest.mark.parametrize("error", [zipfile.BadZipFile("Bad CRC-32"), EOFError(), OSError(5, "Input/output error")])
def test_a_stream_that_fails_is_unreadable(error):
    class Broken(io.RawIOBase):
        def read(self, size=-1):
            raise error

    with pytest.raises(ImageError) as caught:
        read_bytes(Broken())
    assert (caught.value.status, str(caught.value).partition(":")[0]) == ("unreadable", "the file can't be read")


@pytest.mark.parametrize("source", [None, 7, io.StringIO("text")])
def test_what_no_bytes_can_be_read_from_is_a_wrong_call(source):
    with pytest.raises(TypeError, match=r"a picture is a path, bytes or a file opened in binary mode \(.*\), not "):
        read_bytes(source)


def mutated(data, dice):
    """Damage a file as a bad copy or a fuzzer would; a PNG's checksums are put right, so that more gets through."""
    data = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 3, 9))):
        at = dice.randrange(min(len(data), dice.choice((40, 300, 10**9))))
        kind = dice.randrange(6)
        if kind == 0:
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            data[at : at + 4] = struct.pack(dice.choice("<>") + "I", dice.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF)))
        elif kind == 2:
            data[at] = dice.randrange(256)
        elif kind == 3:
            del data[at : at + dice.choice((1, 4, 200))]
        elif kind == 4:
            data[at:at] = dice.randbytes(dice.choice((1, 2, 16)))
        else:
            other = dice.randrange(len(data))
            data[at : at + 12] = data[other : other + 12]
    start = 8
    while data.startswith(b"\x89PNG") and start + 12 <= len(data):
        end = start + 8 + int.from_bytes(data[start : start + 4])
        data[end : end + 4] = struct.pack(">I", zlib.crc32(data[start + 4 : end]))
        start = end + 4
    return bytes(data)


def test_two_thousand_damaged_files(small, encode):
    picture = PIL.Image.fromarray(small)
    rgba = picture.copy()
    rgba.putalpha(90)
    movie = {"save_all": True, "append_images": [PIL.Image.fromarray(np.roll(small, 9, 0))]}
    exif = PIL.Image.Exif()
    exif[274] = 6
    files = [
        encode(small, format, **({"exif": exif.tobytes()} if format not in ("GIF", "BMP") else {}))
        for format in FORMATS
    ]
    files += [encode(rgba, format) for format in ("PNG", "WEBP", "TIFF", "AVIF")]
    files += [encode(picture, format, **movie) for format in ("GIF", "PNG", "WEBP", "TIFF", "AVIF")]
    files += [encode(picture.convert("P"), format) for format in ("PNG", "BMP")]
    files += [encode(picture.convert("CMYK"), format) for format in ("JPEG", "TIFF")]
    files += [encode(small, "JPEG", progressive=True), encode(small, "TIFF", compression="tiff_lzw")]
    dice = random.Random(49)
    seen = set()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2_000):
            seen.add(status(mutated(dice.choice(files), dice)))
    assert [str(warning.message) for warning in caught] == []
    assert seen == {"ok", "unreadable", "unsupported_format", "unsupported_mode", "too_large", "truncated"}
