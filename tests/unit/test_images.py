"""What `fauxto.images` makes of honest files: pixels, colours, facts and sources."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest

from fauxto.errors import ImageError
from fauxto.images import decode, read_bytes
from fauxto.limits import Limits

LOSSLESS: list[tuple[str, dict[str, Any]]] = [
    ("PNG", {}),
    ("BMP", {}),
    ("WEBP", {"lossless": True}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ("TIFF", {"compression": "packbits"}),
    ("TIFF", {"big_endian": True}),
]
LOSSY: list[tuple[str, dict[str, Any]]] = [
    ("JPEG", {}),
    ("JPEG", {"progressive": True, "subsampling": 0}),
    ("JPEG", {"restart_marker_blocks": 5}),
    ("WEBP", {}),
    ("GIF", {}),
    ("AVIF", {}),
    ("HEIF", {}),
]
INVERSE_OF_ORIENTATION = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: np.rot90(a, -1),
}
WHITE = 255


def pillow_rgb(data):
    with PIL.Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))


def words(facts):
    return [note.word for note in facts.notes]


def failure(data, limits=None):
    with pytest.raises(ImageError) as caught:
        decode(data, limits or Limits())
    return caught.value


def exif(orientation):
    block = PIL.Image.Exif()
    block[274] = orientation
    return block.tobytes()


def swapped_profile():
    """An sRGB profile whose red and green have changed places, so that a conversion can't go unseen."""
    profile = bytearray(PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes())
    places = {}
    for entry in range(132, 132 + 12 * struct.unpack_from(">I", profile, 128)[0], 12):
        kind, offset, size = struct.unpack_from(">4sII", profile, entry)
        places[kind] = slice(offset, offset + size)
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    profile[red], profile[green] = profile[green], profile[red]
    return bytes(profile)


@pytest.mark.parametrize(("format", "options"), LOSSLESS + LOSSY)
def test_pixels_are_pillows_own(photo, encode, format, options):
    data = encode(photo[:200, :301], format, **options)
    image = decode(data)
    if format == "HEIF":  # plain Pillow can't open it
        assert np.abs(image.rgb.astype(int) - photo[:200, :301]).mean() < 4
    else:
        np.testing.assert_array_equal(image.rgb, pillow_rgb(data))
    assert image.rgb.dtype == np.uint8
    assert not image.rgb.flags.writeable
    facts = image.facts
    assert (facts.format, facts.bytes, facts.width, facts.height) == (format, len(data), 301, 200)
    assert (facts.mode, facts.orientation, facts.frames) == ("P" if format == "GIF" else "RGB", 1, 1)
    assert (facts.icc_profile, facts.trailing_bytes, facts.notes) == (None, 0, ())


def test_lossless_copies_have_identical_pixels(photo, encode):
    for format, options in LOSSLESS:
        np.testing.assert_array_equal(decode(encode(photo, format, **options)).rgb, photo, err_msg=format)


@pytest.mark.parametrize("mode", ["1", "L", "P"])
@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP", "GIF"])
def test_palette_grey_and_black_and_white(photo, encode, mode, format):
    data = encode(PIL.Image.fromarray(photo).convert(mode), format)
    np.testing.assert_array_equal(decode(data).rgb, pillow_rgb(data))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP", "JPEG", "AVIF"])
def test_orientation_is_undone(photo, encode, format, orientation):
    upright = photo[:48, :64]
    stored = np.ascontiguousarray(INVERSE_OF_ORIENTATION[orientation](upright))
    options = {"lossless": True} if format == "WEBP" else {"quality": 95, "subsampling": "4:4:4"}
    image = decode(encode(stored, format, exif=exif(orientation), **options if format not in ("PNG", "TIFF") else {}))
    assert np.abs(image.rgb.astype(int) - upright).mean() < (3 if format in ("JPEG", "AVIF") else 1e-9)
    assert (image.facts.orientation, image.facts.width, image.facts.height) == (orientation, 64, 48)


def test_sixteen_bit_grey_is_scaled_not_clipped(encode):
    values = np.array([[0, 255, 256, 40000, 65535]], np.uint16)
    for data in (encode(values, "PNG"), encode(values, "TIFF"), encode(values.astype(">u2"), "TIFF")):
        assert decode(data).rgb[0, :, 0].tolist() == [0, 0, 1, 156, 255]


def test_eight_bits_stored_in_sixteen_come_back_exactly(encode, png_file):
    levels = np.arange(256, dtype=np.uint16) * 257
    assert decode(encode(levels[None], "PNG")).rgb[0, :, 0].tolist() == list(range(256))
    row = b"\0" + np.repeat(levels, 3).astype(">u2").tobytes()
    header = struct.pack(">IIBBBBB", 256, 1, 16, 2, 0, 0, 0)
    data = png_file((b"IHDR", header), (b"IDAT", zlib.compress(row)), (b"IEND", b""))
    assert decode(data).rgb[0].tolist() == [[level] * 3 for level in range(256)]


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
def test_the_alpha_channel_is_handed_out_as_stored(photo, encode, format, orientation):
    alpha = np.random.default_rng(0).integers(0, 256, photo.shape[:2], np.uint8)
    options = {"lossless": True, "exact": True} if format == "WEBP" else {}
    stored = INVERSE_OF_ORIENTATION[orientation](np.dstack([photo, alpha]))
    image = decode(encode(np.ascontiguousarray(stored), format, exif=exif(orientation), **options))
    np.testing.assert_array_equal(image.alpha, alpha)
    assert image.alpha is not None
    assert not image.alpha.flags.writeable
    assert decode(encode(photo, format, **options)).alpha is None


@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_hidden_colours_do_not_show(photo, encode, format, mode):
    pixels = photo if mode == "RGBA" else photo[..., :1]
    alpha = np.zeros((*photo.shape[:2], 1), np.uint8)
    alpha[:256] = 255
    options = {"lossless": True, "exact": True} if format == "WEBP" else {}
    rgb = decode(encode(np.concatenate([pixels, alpha], -1), format, **options)).rgb
    np.testing.assert_array_equal(rgb[:256], np.broadcast_to(pixels, photo.shape)[:256])
    assert (rgb[256:] == WHITE).all()


def test_half_transparent_is_halfway_to_white(encode):
    assert decode(encode(np.array([[[100, 0, 255, 128]]], np.uint8), "PNG")).rgb.tolist() == [[[177, 127, 255]]]


@pytest.mark.parametrize(
    ("mode", "transparency", "expected"),
    [
        ("P", 0, [WHITE, 20, 30]),
        ("P", b"\xff\x00\x80", [10, WHITE, 142]),
        ("L", 1, [0, WHITE, 2]),
        ("RGB", (2, 2, 2), [0, 1, WHITE]),
    ],
)
def test_transparent_colours_of_a_png(encode, mode, transparency, expected):
    picture = PIL.Image.fromarray(np.array([[0, 1, 2]], np.uint8))
    if mode == "P":
        picture = PIL.Image.frombytes("P", (3, 1), b"\0\1\2")
        picture.putpalette([10, 10, 10, 20, 20, 20, 30, 30, 30])
    data = encode(picture if mode != "RGB" else picture.convert("RGB"), "PNG", transparency=transparency)
    assert decode(data).rgb[0, :, 0].tolist() == expected


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_a_colour_profile_is_applied(photo, encode, format):
    plain = decode(encode(photo, format)).rgb
    image = decode(encode(photo, format, icc_profile=swapped_profile()))
    assert image.facts.icc_profile == "sRGB built-in"
    assert np.abs(image.rgb.astype(int) - plain[..., [1, 0, 2]]).max() <= 1


def test_a_colour_profile_under_transparency_and_on_grey(photo, encode):
    rgba = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
    rgba[:9] = 0
    rgb = decode(encode(rgba, "PNG", icc_profile=swapped_profile())).rgb
    assert (rgb[:9] == WHITE).all()
    assert np.abs(rgb[9:].astype(int) - photo[9:, :, [1, 0, 2]]).max() <= 1
    grey = decode(encode(photo[..., 0], "PNG", icc_profile=swapped_profile()))
    assert grey.facts.notes == ()
    assert np.abs(grey.rgb.astype(int) - photo[..., :1]).max() <= 1


def test_a_profile_that_is_srgb_changes_nothing(encode, photographs, photograph_files):
    for name, path in photograph_files.items():
        image = decode(path.read_bytes(), name=path.name)
        np.testing.assert_array_equal(image.rgb, photographs[name], err_msg=name)
        assert image.facts.icc_profile in (None, "sRGB IEC61966-2.1")
        assert image.facts.notes == ()
    with PIL.Image.open(photograph_files["china"]) as picture:
        profile = picture.info["icc_profile"]
    colours = np.zeros((16, 256, 3), np.uint8)
    colours[..., 1] = np.arange(256)  # lcms moves the green of 236 by a level
    np.testing.assert_array_equal(decode(encode(colours, "PNG", icc_profile=profile)).rgb, colours)


@pytest.mark.parametrize("profile", [b"junk" * 99, "LAB"])
def test_a_profile_that_cannot_be_used_is_noted(photo, encode, profile):
    if profile == "LAB":
        profile = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("LAB")).tobytes()
    for format in ("PNG", "JPEG", "TIFF"):
        data = encode(photo[:50], format, icc_profile=profile)
        image = decode(data)
        np.testing.assert_array_equal(image.rgb, pillow_rgb(data))
        assert (image.facts.icc_profile, words(image.facts)) == (None, ["metadata_unreadable"])


def test_cmyk_and_ycck_jpegs(photo, encode):
    cmyk = encode(PIL.Image.fromarray(photo).convert("CMYK"), "JPEG", quality=95)
    # Pillow can't write YCCK. Such a file holds the luma and chroma of the inverted colours, and K, all inverted.
    inverted = np.asarray(PIL.Image.fromarray(255 - photo).convert("YCbCr"))
    planes = np.dstack([255 - inverted, np.zeros(photo.shape[:2], np.uint8)])
    ycck = bytearray(encode(PIL.Image.frombytes("CMYK", photo.shape[1::-1], planes.tobytes()), "JPEG", quality=95))
    ycck[ycck.index(b"Adobe") + 11] = 2
    for data in (cmyk, bytes(ycck)):
        image = decode(data)
        assert image.facts.mode == "CMYK"
        assert np.abs(image.rgb.mean((0, 1)) - photo.mean((0, 1))).max() < 2
        assert np.abs(image.rgb.astype(int) - photo).mean() < 3
        np.testing.assert_array_equal(image.rgb, pillow_rgb(data))


def test_modes_that_are_not_read(photo, encode, png_file):
    grey = PIL.Image.fromarray(photo[..., 0])
    twelve_bits = bytearray(encode(photo, "JPEG"))
    twelve_bits[twelve_bits.index(b"\xff\xc0") + 4] = 12
    run_length = bytearray(encode(grey, "BMP"))
    run_length[30] = 1
    white_is_zero = bytearray(encode(grey.convert("I").convert("I;16"), "TIFF"))
    at = white_is_zero.index(struct.pack("<HHI", 262, 3, 1)) + 8
    white_is_zero[at] = 0
    header = struct.pack(">IIBBBBB", 1, 1, 16, 0, 0, 0, 0)
    deep_key = png_file((b"IHDR", header), (b"tRNS", b"\0\1"), (b"IDAT", zlib.compress(b"\0\0\1")), (b"IEND", b""))
    files = {
        "float TIFF": encode(grey.convert("F"), "TIFF"),
        "32-bit TIFF": encode(grey.convert("I"), "TIFF"),
        "fax in TIFF": encode(grey.convert("1"), "TIFF", compression="group4"),
        "white-is-zero 16-bit TIFF": bytes(white_is_zero),
        "Lab TIFF": encode(PIL.Image.fromarray(photo).convert("LAB"), "TIFF"),
        "12-bit JPEG": bytes(twelve_bits),
        "run-length BMP": bytes(run_length),
        "16-bit PNG with a transparent colour": deep_key,
    }
    assert {name: failure(data).status for name, data in files.items()} == dict.fromkeys(files, "unsupported_mode")


def test_facts_of_animations_and_pages(photo, encode):
    frames = [PIL.Image.fromarray(np.roll(photo[:64, :64], shift, 0)) for shift in range(5)]
    for format in ("GIF", "PNG", "WEBP", "AVIF", "TIFF"):
        options = {"lossless": True} if format == "WEBP" else {}
        data = encode(frames[0], format, save_all=True, append_images=frames[1:], **options)
        image = decode(data)
        word = "several_pictures" if format == "TIFF" else "animated"
        assert (image.facts.frames, words(image.facts)) == (5, [word]), format
        np.testing.assert_array_equal(image.rgb, pillow_rgb(data), err_msg=format)
        capped = decode(data, Limits(max_frames=3)).facts
        assert (capped.frames, "at least 3" in capped.notes[0].sentence) == (3, True)


def test_the_still_picture_of_an_apng_counts_too(photo, encode):
    frames = [PIL.Image.fromarray(photo[at : at + 64, :64]) for at in (0, 100, 200)]
    data = encode(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=True)
    image = decode(data)
    assert image.facts.frames == 3
    np.testing.assert_array_equal(image.rgb, photo[:64, :64])


@pytest.mark.parametrize(
    ("name", "noted"),
    [
        ("a.png", ["name_mismatch"]),
        ("a.jpg.HEIC", ["name_mismatch"]),
        ("a.JPEG", []),
        ("a.bin", []),
        ("png", []),
        (None, []),
        ("\0\n.jpg", []),
    ],
)
def test_the_name_only_makes_a_note(photo, encode, name, noted):
    assert words(decode(encode(photo[:16, :16], "JPEG"), name=name).facts) == noted


def test_limits_are_the_callers(photo, encode):
    data = encode(photo[:100, :100], "PNG")
    assert decode(data, Limits(max_bytes=len(data), max_pixels=10_000)).rgb.shape == (100, 100, 3)
    assert failure(data, Limits(max_bytes=len(data) - 1)).status == "too_large"
    assert failure(data, Limits(max_pixels=9_999)).status == "too_large"


def test_pillows_own_bound_is_a_ceiling_and_never_only_warns(photo, encode, monkeypatch):
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 9_999)
    for format in ("PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"):
        assert failure(encode(photo[:100, :100], format), Limits(max_pixels=10**9)).status == "too_large"
    assert decode(encode(photo[:100, :100], "JPEG"), Limits(max_pixels=10**9)).rgb.shape == (50, 50, 3)


def test_threads_get_the_same_pixels(photographs, encode):
    files = [encode(pixels, format) for pixels in photographs.values() for format in ("JPEG", "PNG", "WEBP", "TIFF")]
    alone = [decode(data).rgb for data in files]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(decode, files * 2))
    for image, expected in zip(together, alone * 2, strict=True):
        np.testing.assert_array_equal(image.rgb, expected)


def test_heif_without_its_extra_says_which(photo, encode, monkeypatch):
    data = encode(photo, "HEIF")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    error = failure(data)
    assert (error.status, "'.[formats]'" in str(error)) == ("unsupported_format", True)


def test_no_other_parser_is_even_imported():
    code = (
        "import sys, fauxto.images; allowed = {'Bmp', 'Gif', 'Jpeg', 'Png', 'Tiff', 'WebP', 'Avif'};"
        "loaded = {m[4:-11] for m in sys.modules if m.startswith('PIL.') and m.endswith('ImagePlugin')};"
        "print(loaded - allowed)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


class Trickle(io.BytesIO):
    """A stream that gives a few bytes at a time, as sockets do."""

    def read(self, size=-1):
        return super().read(min(size, 7))


def test_read_bytes_from_each_kind_of_source(tmp_path):
    path = tmp_path / "picture.jpg"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        sources: list[Any] = [path, str(path), b"0123456789", file, io.BytesIO(b"0123456789"), Trickle(b"0123456789")]
        for source in sources:
            assert read_bytes(source, Limits(max_bytes=10)) == b"0123456789"
    for source in [path, b"0123456789", io.BytesIO(b"0123456789"), Trickle(b"0123456789")]:
        with pytest.raises(ImageError) as caught:
            read_bytes(source, Limits(max_bytes=9))
        assert caught.value.status == "too_large"
