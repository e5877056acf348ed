"""Files that consist of one part many times over: walkers look at each a bounded number of times, and copy none."""

from __future__ import annotations

import struct
import time
from typing import Any

import PIL.Image
import pytest

from fauxto.errors import ImageError
from fauxto.evidence.jpeg_encoder import read_header
from fauxto.images import decode, isobmff
from fauxto.images.container import MAX_PARTS
from fauxto.limits import Limits
from fauxto.report import Status

MAX_SECONDS = 5  # of processor time; without bounds it is minutes


@pytest.mark.parametrize("marker", [b"\xff\xd8", b"\xff\x01", b"\xff\xd8\0"])
def test_a_jpeg_of_markers_without_segments_is_too_large(marker: bytes, encode: Any, photo: Any) -> None:
    plain = encode(PIL.Image.fromarray(photo[:32, :32]), "JPEG")
    data = plain[:2] + marker * (60_000_000 // len(marker)) + plain[2:]
    started = time.process_time()
    with pytest.raises(ImageError) as raised:
        decode(data)
    assert raised.value.status is Status.TOO_LARGE
    read_header(data)
    assert time.process_time() - started < MAX_SECONDS
    assert decode(plain[:2] + marker * 1_000 + plain[2:]).facts.width == 32
    assert MAX_PARTS * 2 < 60_000_000 // 3


def box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def test_an_avif_of_meta_boxes_is_walked_without_copies() -> None:
    meta = box(b"meta", bytes(4) + box(b"iinf", b"....Exif....Exif"))
    data = box(b"ftyp", b"avif\0\0\0\0avif") + meta * 100_000
    started = time.process_time()
    pixels = isobmff.read(data, Limits()).pixels
    assert time.process_time() - started < MAX_SECONDS
    assert len(pixels) == len(data)
    assert b"Exif" not in pixels


def test_an_item_list_that_reaches_over_the_end_of_its_box_hides_no_bytes_and_adds_none() -> None:
    reaching = box(b"meta", bytes(4) + struct.pack(">I4s", 10_000, b"iinf") + b"Exif")
    data = box(b"ftyp", b"avif\0\0\0\0avif") + reaching + box(b"meta", bytes(4) + box(b"iinf", b"Exif"))
    pixels = isobmff.read(data, Limits()).pixels
    assert pixels == data.replace(b"Exif", b"none")
