"""Metadata wrapped to cost much: in raw profiles, resources, thousands of segments, packets that need mending."""

from __future__ import annotations

import json
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from hashlib import md5
from typing import Any

import PIL.Image
import pytest

from fauxto.evidence import camera_metadata, generator_metadata
from fauxto.images import decode
from fauxto.limits import Limits
from fauxto.report import Says

MAX_MEMORY = 60 << 20
MAX_SECONDS = 5  # of processor time for both sources; without limits it is minutes

XMP_LEAD, EXTENSION_LEAD = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
GIF_XMP = b"\x21\xff\x0bXMP DataXMP"


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def directory(*entries: tuple[int, int, int, int]) -> bytes:
    return (
        b"II*\0\x08\0\0\0"
        + struct.pack("<H", len(entries))
        + b"".join(struct.pack("<HHII", *entry) for entry in entries)
        + bytes(4)
    )


def resource(number: int, block: bytes) -> bytes:
    return b"8BIM" + struct.pack(">H", number) + b"\0\0" + struct.pack(">I", len(block)) + block + bytes(len(block) % 2)


def jpeg(make: Any, *segments: bytes) -> bytes:
    plain: bytes = make("JPEG")
    return plain[:2] + b"".join(segments) + plain[2:]


def gif(encode: Any, photo: Any, *extensions: bytes) -> bytes:
    plain: bytes = encode(PIL.Image.fromarray(photo[:48, :64]).quantize(16), "GIF")
    return plain[:-1] + b"".join(extensions) + plain[-1:]


def extended(digest: bytes, length: int, offset: int, part: bytes) -> bytes:
    return segment(0xE1, EXTENSION_LEAD + digest + struct.pack(">II", length, offset) + part)


def nested(depth: int) -> bytes:
    """EXIF in Photoshop's resources in EXIF, and so on."""
    block = directory()
    for _ in range(depth):
        inner = resource(0x0422, block)
        block = directory((34377, 7, len(inner), 26)) + inner
    return block


DIGEST = md5(b"").hexdigest().upper().encode()
MANY_ELEMENTS = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    + ("<y/>" * 49_000)
)
LARGE_PACKET = MANY_ELEMENTS + "&" * 300_000 + "&#1;" * 50_000

# Each file, and whether something of it must be noted.
COSTLY: dict[str, tuple[Callable[[Any, Any, Any], bytes], bool]] = {
    "raw profiles that are bombs": (
        lambda make, encode, photo: make(
            "PNG",
            chunks=((b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n 9\n" + b"4" * (64 << 20), 9)),)
            * 60,
        ),
        True,
    ),
    "raw profiles without end": (
        lambda make, encode, photo: make(
            "PNG",
            chunks=tuple((b"tEXt", b"Raw profile type xmp\0\nxmp\n 9\n" + b"%04x" % n * 4_000) for n in range(250)),
        ),
        True,
    ),
    "a raw profile of white space": (
        lambda make, encode, photo: make("PNG", chunks=((b"tEXt", b"Raw profile type exif\0\n" + b" " * 4_000_000),)),
        True,
    ),
    "1,400 XMP packets": (
        lambda make, encode, photo: jpeg(
            make, *(segment(0xE1, XMP_LEAD + (MANY_ELEMENTS + str(n)).encode()[-65_000:]) for n in range(1_400))
        ),
        True,
    ),
    "100,000 empty EXIF segments": (
        lambda make, encode, photo: jpeg(make, segment(0xE1, b"Exif\0\0II*\0") * 100_000),
        True,
    ),
    "100,000 comments": (lambda make, encode, photo: jpeg(make, segment(0xFE, b'{"a": "b"}') * 100_000), True),
    "an EXIF of 1,400 segments": (
        lambda make, encode, photo: jpeg(
            make, segment(0xE1, b"Exif\0\0" + directory()), segment(0xE1, b"Exif\0\0" + b"a" * 65_000) * 1_400
        ),
        True,
    ),
    "extended XMP that overlaps": (
        lambda make, encode, photo: jpeg(
            make, segment(0xE1, XMP_LEAD + DIGEST), extended(DIGEST, 4_000_000_000, 0, b"<" * 65_000) * 1_000
        ),
        True,
    ),
    "extended XMP in 100,000 pieces": (
        lambda make, encode, photo: jpeg(
            make, segment(0xE1, XMP_LEAD + DIGEST), *(extended(DIGEST, 100_000, n, b"<") for n in range(100_000))
        ),
        True,
    ),
    "60,000 tags with the same packet": (
        lambda make, encode, photo: make(
            "PNG", exif=directory(*((700, 7, 3_000_000, 8) for _ in range(60_000))) + bytes(3_000_000)
        ),
        True,
    ),
    "EXIF in resources in EXIF": (lambda make, encode, photo: make("PNG", exif=nested(2_000)), True),
    "resources of nothing": (
        lambda make, encode, photo: jpeg(make, segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, b"") * 5_000)),
        True,
    ),
    "packets that are mended in vain": (
        lambda make, encode, photo: make(
            "PNG",
            chunks=tuple(
                (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(f"{LARGE_PACKET}{n}".encode()))
                for n in range(4)
            ),
        ),
        True,
    ),
    "a packet of brackets": (lambda make, encode, photo: make("PNG", xmp="<a:" * 300_000), True),
    "a packet in no encoding": (lambda make, encode, photo: make("WEBP", xmp="\0<\0r\0" * 200_000), True),
    "a GIF of 3,000 comments": (
        lambda make, encode, photo: gif(encode, photo, b'\x21\xfe\x0a{"a": "b"}\0' * 3_000),
        True,
    ),
    "a GIF's comment of 30 megabytes": (
        lambda make, encode, photo: gif(encode, photo, b"\x21\xfe" + (b"\xff" + b"a" * 255) * 120_000 + b"\0"),
        True,
    ),
    "a GIF's XMP of 30 megabytes": (
        lambda make, encode, photo: gif(encode, photo, GIF_XMP + (b"\xff" + b"<" * 255) * 120_000 + b"\0"),
        True,
    ),
    "a GIF of 3,000 XMP packets": (
        lambda make, encode, photo: gif(encode, photo, (GIF_XMP + b"\x05<a/> \0") * 3_000),
        True,
    ),
    "a property with 50,000 values": (
        lambda make, encode, photo: make(
            "PNG",
            xmp="<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description><prompt><rdf:Bag>"
            + "<rdf:li>{}</rdf:li>" * 40_000
            + "</rdf:Bag></prompt></rdf:Description></rdf:RDF>",
        ),
        False,
    ),
}


@pytest.mark.parametrize("name", COSTLY)
def test_it_costs_little_and_is_noted(name: str, with_metadata: Any, encode: Any, photo: Any) -> None:
    build, is_noted = COSTLY[name]
    data = build(with_metadata, encode, photo)
    image = decode(data)
    started = time.process_time()
    evidence = [source.read(data, image, Limits()) for source in (generator_metadata, camera_metadata)]
    assert time.process_time() - started < MAX_SECONDS
    tracemalloc.start()
    try:
        generator_metadata.read(data, image, Limits())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MAX_MEMORY
    for piece in evidence:
        assert piece.says is Says.NOTHING
        assert ("unreadable" in piece.details) == is_noted
        assert len(json.dumps(piece.details)) < 10_000
        assert piece.summary.isprintable()
