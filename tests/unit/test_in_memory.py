"""Pixels that a program holds pass the same gate as files, and come out the same."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest
from numpy.typing import NDArray

from fauxto import ImageError, Limits
from fauxto.images import decode
from fauxto.images.in_memory import from_pixels

LIMITS = Limits()
COLOURS = np.random.default_rng(1).integers(0, 256, (40, 60, 4), np.uint8)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_mode_is_read_as_in_a_file(mode: str, encode: Callable[..., bytes]) -> None:
    picture = PIL.Image.fromarray(COLOURS).convert(mode)
    want, got = decode(encode(picture, "TIFF" if mode == "CMYK" else "PNG")), from_pixels(picture, LIMITS)
    np.testing.assert_array_equal(got.rgb, want.rgb)
    assert (got.alpha is None) == (want.alpha is None)
    assert (got.facts.format, got.facts.mode) == ("pixels", want.facts.mode)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_an_opened_file_is_upright_and_in_srgb(format: str, encode: Callable[..., bytes]) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    profile = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("XYZ")).tobytes()
    options = {"exif": exif.tobytes(), "icc_profile": profile if format == "PNG" else b""}
    data = encode(COLOURS[..., :3], format, **options)
    got = from_pixels(PIL.Image.open(io.BytesIO(data)), LIMITS)
    assert got.rgb.shape == (60, 40, 3)
    np.testing.assert_array_equal(got.rgb, decode(data).rgb)


@pytest.mark.parametrize(
    ("pixels", "want"),
    [
        (COLOURS[..., :3], COLOURS[..., :3]),
        (COLOURS[::-2, ::3, :3], COLOURS[::-2, ::3, :3]),  # not contiguous
        (COLOURS[..., 0], COLOURS[..., :1].repeat(3, 2)),
        (COLOURS[..., :1], COLOURS[..., :1].repeat(3, 2)),
        (np.full((4, 5, 4), 0, np.uint8), np.full((4, 5, 3), 255, np.uint8)),  # what is transparent lies on white
    ],
    ids=["rgb", "strided", "grey", "one channel", "rgba"],
)
def test_arrays(pixels: NDArray[np.uint8], want: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(from_pixels(pixels, LIMITS).rgb, want)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((3, 9, 9), np.uint8),
        np.zeros((9, 9, 2), np.uint8),
        np.zeros((9, 9, 3), np.float32),
        np.zeros((9, 9), bool),
        np.zeros((2, 9, 9, 3), np.uint8),
        np.zeros((0, 9, 3), np.uint8),
    ],
    ids=lambda wrong: f"{wrong.dtype} {wrong.shape}",
)
def test_other_arrays_are_a_wrong_call(wrong: NDArray[np.uint8]) -> None:
    with pytest.raises(TypeError, match=r"an array of pixels is uint8 \[H, W, 3\].*, not \w+ \["):
        from_pixels(wrong, LIMITS)


@pytest.mark.parametrize(
    ("picture", "status"),
    [
        (PIL.Image.new("F", (9, 9)), "unsupported_mode"),
        (PIL.Image.new("LAB", (9, 9)), "unsupported_mode"),
        (PIL.Image.new("RGB", (0, 9)), "unreadable"),
        (PIL.Image.new("RGB", (9, 10)), "too_large"),
    ],
    ids=["F", "LAB", "empty", "large"],
)
def test_other_pil_images_say_what_to_do(picture: PIL.Image.Image, status: str) -> None:
    with pytest.raises(ImageError) as refused:
        from_pixels(picture, Limits(max_pixels=81))
    assert refused.value.status == status


def test_a_file_that_pil_can_only_open_is_a_status(encode: Callable[..., bytes]) -> None:
    cut = encode(COLOURS[..., :3], "PNG")[:-3000]
    with pytest.raises(ImageError, match="no usable pixels"):
        from_pixels(PIL.Image.open(io.BytesIO(cut)), LIMITS)
