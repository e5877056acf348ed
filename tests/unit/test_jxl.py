"""JPEG XL: pixels, boxes and limits. Needs pillow-jxl-plugin, of the extra `formats`."""

from __future__ import annotations

import contextlib
import io
import random
import struct
import sys

import numpy as np
import PIL.Image
import pytest

from fauxto.errors import ImageError
from fauxto.images import decode, jxl
from fauxto.images.container import Kind
from fauxto.limits import Limits

pytest.importorskip("pillow_jxl")
SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"


def encode(pixels, **options) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "JXL", **options)
    return file.getvalue()


def box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", 8 + len(payload)) + kind + payload


def boxed(stream: bytes, *behind: bytes) -> bytes:
    return b"".join((SIGNATURE, box(b"ftyp", b"jxl \0\0\0\0jxl "), box(b"jxlc", stream), *behind))


def failure(data: bytes) -> ImageError:
    with pytest.raises(ImageError) as caught:
        decode(data)
    return caught.value


@pytest.mark.parametrize("size", [(64, 80), (63, 81), (512, 512), (300, 400), (1, 9), (256, 128)])
def test_pixels_and_sizes(photo, size):
    pixels = np.ascontiguousarray(np.resize(photo, (600, 600, 3))[: size[0], : size[1]])
    stream = encode(pixels, lossless=True)
    for data in (stream, boxed(stream), boxed(stream, box(b"Exif", b"\0\0\0\0II*\0"))):
        image = decode(data, name="a.jxl")
        np.testing.assert_array_equal(image.rgb, pixels)
        assert (image.facts.format, image.facts.width, image.facts.notes) == ("JXL", size[1], ())
        assert jxl.FORMAT.matches(data)


def test_alpha_and_grey(photo):
    grey = np.ascontiguousarray(photo[:60, :60, 0])
    assert (decode(encode(grey, lossless=True)).rgb == grey[..., None]).all()
    alpha = np.dstack([photo[:60, :60], grey])
    image = decode(encode(alpha, lossless=True))
    np.testing.assert_array_equal(image.alpha, grey)


def test_parts_of_a_codestream_and_what_follows(photo):
    stream = encode(photo[:64, :64], lossless=True)
    parts = box(b"jxlp", bytes(4) + stream[:99]) + box(b"jxlp", b"\x80\0\0\1" + stream[99:])
    image = decode(SIGNATURE + box(b"ftyp", b"jxl \0\0\0\0jxl ") + parts + b"\0\0\0\x0cwhat" + bytes(4))
    np.testing.assert_array_equal(image.rgb, photo[:64, :64])
    assert image.facts.trailing_bytes == 12


def test_cut_and_damaged_files(photo):
    stream = encode(photo[:64, :64])
    whole = boxed(stream, box(b"xml ", b"<x:xmpmeta/>" * 9))
    for data in (stream, boxed(stream)):
        for cut in (len(data) // 2, len(data) - 9, len(data) - 1):
            assert failure(data[:cut]).status == "truncated"
    assert failure(SIGNATURE).status == "truncated"
    assert [note.word for note in decode(whole[:-20]).facts.notes] == ["end_missing"]
    dice = random.Random(7)
    for _ in range(150):
        damaged = bytearray(dice.choice((stream, whole)))
        damaged[dice.randrange(12, len(damaged))] ^= 1 << dice.randrange(8)
        with contextlib.suppress(ImageError):
            decode(bytes(damaged), Limits(max_full_pixels=400_000))


def test_a_bomb_is_refused_by_its_header():
    bits = 0 | (3 << 1) | (59_999 << 3) | (1 << 33)  # not small; 30 bits of height; as wide as high
    data = b"\xff\x0a" + bits.to_bytes(16, "little")
    error = failure(data)
    assert (error.status, "60000 x 60000" in str(error)) == ("too_large", True)
    assert failure(boxed(data)).status == "too_large"


def test_metadata_boxes(photo):
    stream = encode(photo[:16, :16])
    tiff = b"II*\0\x08\0\0\0\0\0\0\0\0\0"
    data = boxed(stream, box(b"Exif", bytes(4) + tiff), box(b"xml ", b"<x/>"), box(b"brob", b"Exif\x1b\0"))
    offset, xmp, packed = jxl.metadata(data, Limits())
    assert data[offset.start : offset.end] == tiff
    assert (xmp.kind, data[xmp.start : xmp.end]) == (Kind.XMP, b"<x/>")
    assert (packed.kind, packed.is_unusable) == (Kind.EXIF, True)
    (bare,) = jxl.metadata(boxed(stream, box(b"Exif", tiff)), Limits())
    assert bare.end - bare.start == len(tiff)
    assert list(jxl.metadata(stream, Limits())) == []


def test_the_credential_is_the_box_with_c2pa(photo):
    stream = encode(photo[:16, :16])
    credential = box(b"jumb", box(b"jumd", b"c2pa" + bytes(12)))
    data = boxed(stream, box(b"jumb", box(b"jumd", b"json" + bytes(12))), credential)
    assert list(jxl.credential(data)) == [credential]
    assert list(jxl.credential(stream)) == []


def test_without_its_extra_it_says_which(photo, monkeypatch):
    data = encode(photo[:16, :16])
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    error = failure(data)
    assert (error.status, "'.[formats]'" in str(error)) == ("unsupported_format", True)
