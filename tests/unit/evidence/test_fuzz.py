"""Every parser of evidence on thousands of damaged inputs: nothing leaves it but what it says that it raises."""

from __future__ import annotations

import functools
import io
import json
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from hashlib import md5
from typing import Any

import numpy as np
import PIL.Image
import pytest

from fauxto import evidence
from fauxto.errors import ImageError
from fauxto.evidence import blocks, exif, iptc, jpeg_encoder, metadata, thumbnail, wrappings, xmp
from fauxto.evidence.content_credentials import jumbf
from fauxto.evidence.generator_metadata import stealth
from fauxto.evidence.untrusted import JsonTexts, UnreadableError
from fauxto.images import Image, decode, isobmff_items
from fauxto.images.container import Kind
from fauxto.images.formats import FORMATS
from fauxto.limits import Limits

LIMITS = Limits()
WALKING = (EOFError, IndexError, ValueError, struct.error, ImageError)
"""What the walkers of containers raise on damage, which their callers know."""

INTERESTING = (
    b"\xff" * 4,
    bytes(4),
    b"\x80\0\0\0",
    b"\x7f\xff\xff\xff",
    b"\0\0\0\1",
    b"<",
    b"&",
    b'"',
    b"{",
    b"\x1c\x02",
)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Change, cut out, double, swap or splice in some bytes; one time in twenty, make up all of them."""
    if chance.random() < 0.05:
        return chance.randbytes(chance.randrange(200))
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 8, 30))):
        at, length = chance.randrange(len(changed) + 1), chance.randrange(1, 60)
        kind = chance.randrange(6)
        if kind == 0:
            changed[at : at + 1] = chance.randbytes(1)
        elif kind == 1:
            piece = chance.choice(INTERESTING)
            changed[at : at + len(piece)] = piece
        elif kind == 2:
            del changed[at : at + length]
        elif kind == 3:
            changed[at:at] = changed[at : at + length]
        elif kind == 4:
            other = chance.randrange(len(changed) + 1)
            changed[at : at + length] = changed[other : other + length]
        else:
            del changed[at if chance.random() < 0.2 else len(changed) :]
    return bytes(changed)


def every_tag(block: bytes) -> None:
    """Ask for every tag of an EXIF block in every way, sound and unsound."""
    found = exif.parse(block)
    for tags in (found.image, found.photo, found.gps):
        for directory in tags.directories:
            for tag in directory.entries:
                directory.raw(tag), tags.text(tag), tags.numbers(tag), tags.number(tag)
    list(exif.texts(found))
    exif.user_comment(found.photo)


def properties(packet: bytes) -> None:
    found = xmp.parse(packet)
    list(found.named_texts())
    for name in ("DigitalSourceType", "creator", "History"):
        for namespace in (xmp.IPTC_EXTENSION, xmp.DUBLIN_CORE, xmp.MEDIA_MANAGEMENT):
            found.texts(namespace, name)
            found.fields(namespace, name, xmp.RESOURCE_EVENT, "softwareAgent")


def profile(packed: bytes) -> None:
    wrappings.raw_profile(zlib.decompress(packed).decode("latin-1"))


def segments(jpeg: bytes, *added: tuple[int, bytes]) -> bytes:
    parts = (struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload for marker, payload in added)
    return jpeg[:2] + b"".join(parts) + jpeg[2:]


def small_picture() -> Image:
    file = io.BytesIO()
    PIL.Image.radial_gradient("L").resize((40, 40)).convert("RGB").save(file, "PNG")
    return decode(file.getvalue())


def message(packed: bytes) -> None:
    bits = np.unpackbits(np.frombuffer(packed + bytes(len(packed) % 2), np.uint8))
    samples = bits.reshape(-1, 16).T  # the bits run down the columns
    if samples.size:
        stealth.read(samples[..., None], 10_000)


@pytest.fixture(scope="module")
def files(
    with_metadata: Any, exif_block: Any, xmp_packet: Any, encode: Any, photo: Any, authority: Any, sign: Any
) -> dict[str, list[bytes]]:
    """Sound inputs by kind: blocks, and whole files of every format with all the metadata that they can carry."""
    comment = b"UNICODE\0" + "a cat\nSteps: 20, Sampler: Euler a, Seed: 1, CFG scale: 7".encode("utf-16-be")
    exif = exif_block(
        {0x010F: "Canon", 0x0110: "EOS", 0x0131: "GIMP", 0x013B: "Ann"},
        photo={0x9286: comment, 0x829A: 0.01, 0x9003: "2024:01:01 00:00:00", 0xA002: 64, 0xA003: 48},
        gps={1: "N", 2: (1.0, 2.0, 3.0), 3: "E", 4: (1.0, 2.0, 3.0)},
    )
    packet = xmp_packet(
        'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic"',
        '<dc:creator><rdf:Seq><rdf:li>Ann</rdf:li><rdf:li rdf:resource="x"/></rdf:Seq></dc:creator>'
        '<xmpMM:History><rdf:Seq><rdf:li stEvt:softwareAgent="A"/></rdf:Seq></xmpMM:History>',
    )
    datasets = b"\x1c\x02\x6e\x00\x0cAI Generated\x1c\x02\x50\x00\x03Ann\x1c\x02\x78\x00\x02Hi"
    graph = json.dumps({"1": {"class_type": "KSampler", "inputs": {"seed": 1, "positive": ["1", 0]}}})
    text = {
        "parameters": "a\nSteps: 20, Sampler: b, Seed: 1",
        "prompt": graph,
        "Software": "NovelAI",
        "Dream": '"a" -s 1',
    }
    small = encode(photo[:60, :80], "JPEG")
    paletted = PIL.Image.fromarray(photo[:40, :48]).quantize(16)
    digest = md5(packet.encode()).hexdigest().upper()
    main = xmp_packet(f'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{digest}"')
    extended = b"http://ns.adobe.com/xmp/extension/\0" + digest.encode() + struct.pack(">II", len(packet), 0)
    resources = b"8BIM\x04\x24\0\0" + struct.pack(">I", len(packet)) + packet.encode() + bytes(len(packet) % 2)
    gif = encode(PIL.Image.fromarray(photo[:40, :48]).quantize(16), "GIF")
    raw_profile = b"Raw profile type exif\0\0" + zlib.compress(f"\nexif\n{len(exif):8}\n{exif.hex()}\n".encode())
    wrapped = [
        segments(
            with_metadata("JPEG", xmp=main),
            *((0xE1, b"Exif\0\0" + part) for part in (exif[:99], exif[99:], exif)),
            (0xE1, extended + packet.encode()),
            (0xED, b"Photoshop 3.0\0" + resources),
        ),
        with_metadata("PNG", chunks=((b"zTXt", raw_profile), (b"AIGC", b'{"Label": "1", "ProduceID": "a"}'))),
        with_metadata("TIFF", exif=exif_block({34377: resources})),
        gif[:-1]
        + b"\x21\xfe\x0aa comment!\0"
        + b"\x21\xff\x0bXMP DataXMP"
        + packet.encode()
        + b"\1"
        + bytes(range(255, -1, -1))
        + b"\0;",
    ]
    plain = [
        *wrapped,
        with_metadata("JPEG", exif=exif, xmp=packet, iptc=datasets, comment=b"a comment"),
        with_metadata("PNG", exif=exif, xmp=packet, text=text, chunks=((b"zTXt", b"a\0\0" + zlib.compress(b"text")),)),
        *(with_metadata(format, exif=exif, xmp=packet) for format in ("WEBP", "TIFF", "AVIF", "HEIF")),
        encode(paletted, "GIF"),
        encode(photo[:40, :48], "BMP"),
    ]
    signer = authority.signer("Camera Works")
    signed = [
        sign(encode(photo[:40, :48], format), format, signer, ["digitalCapture"])
        for format in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF")
    ]
    store = blocks.find_credential(signed[0], "JPEG")
    assert store
    return {
        "EXIF": [exif, b"Exif\0\0" + exif],
        "XMP": [packet.encode(), packet.encode("utf-16-le"), packet[:-3].replace("Ann", "A\x01").encode()],
        "raw profile": [raw_profile.partition(b"\0\0")[2], zlib.compress(b"\niptc\n 2\n1c02\n")],
        "resources": [resources],
        "IPTC": [datasets],
        "JSON": [graph.encode(), b'{"a": [1, 2.5e3, "\\u00e9", null, {"b": {}}]}'],
        "message": [
            b"stealth_pnginfo" + struct.pack(">I", 8 * 9) + b'{"a": 12}',
            b"stealth_pngcomp" + struct.pack(">I", 8 * 200) + zlib.compress(b"a" * 100, wbits=31).ljust(200, b"\0"),
        ],
        "thumbnail": [small],
        "credential": [store],
        "plain": plain,
        "signed": signed,
    }


# What each is given, and the only exceptions that may leave it.
PARSERS: dict[str, tuple[str, Callable[[bytes], object], tuple[type[Exception], ...]]] = {
    "exif": ("EXIF", every_tag, ()),
    "xmp": ("XMP", properties, (UnreadableError,)),
    "iptc": ("IPTC", lambda data: list(iptc.datasets(data)), (UnreadableError,)),
    "raw profiles": ("raw profile", profile, (ValueError, zlib.error)),
    "resources": ("resources", lambda data: list(wrappings.unwrap(Kind.PHOTOSHOP, data)), ()),
    "blocks in EXIF": ("EXIF", lambda data: list(wrappings.unwrap(Kind.EXIF, data)), ()),
    "JSON texts": ("JSON", lambda data: JsonTexts().parse(data.decode("utf-8", "replace")), (UnreadableError,)),
    "stealth": ("message", message, (UnreadableError,)),
    "thumbnail": ("thumbnail", functools.partial(thumbnail.compare, image=small_picture()), ()),
    "jpeg_encoder": ("plain", jpeg_encoder.read_header, ()),
    "jumbf": ("credential", jumbf.check_size, WALKING),
    "items of boxes": ("plain", lambda data: list(isobmff_items.metadata(data, LIMITS)), WALKING),
}


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_raises_only_what_is_its_own(name: str, files: dict[str, list[bytes]]) -> None:
    kind, parse, raises = PARSERS[name]
    chance = random.Random(name)
    for sound in files[kind]:
        for number in range(1_000 // len(files[kind])):
            data = damaged(sound, chance) if number else sound
            try:
                parse(data)
            except raises:
                assert number, "the sound input was refused"
            except Exception as error:
                pytest.fail(f"{type(error).__name__}: {error} on {data!r}")


@pytest.mark.parametrize("format", FORMATS)
def test_no_container_makes_the_finders_of_blocks_fail(format: str, files: dict[str, list[bytes]]) -> None:
    """Whatever the format that the bytes are taken for."""
    chance = random.Random(format)
    for sound in (*files["plain"], *files["signed"]):
        for _ in range(40):
            data = damaged(sound, chance)
            assert isinstance(blocks.find(data, format, LIMITS), blocks.Blocks)
            assert isinstance(metadata.parse(data, format, LIMITS), metadata.Metadata)
            try:
                assert isinstance(blocks.find_credential(data, format), bytes)
            except WALKING:
                continue


def decodable(sound: bytes, chance: random.Random, count: int) -> Iterator[bytes]:
    """Yield damaged files that the gate still takes, for most of which the damage lies in what isn't pixels."""
    for _ in range(count):
        data = damaged(sound, chance)
        try:
            decode(data)
        except ImageError:
            continue
        yield data


@pytest.mark.parametrize("kind", ["plain", "signed"])
def test_no_source_fails_on_a_file_that_the_gate_takes(kind: str, files: dict[str, list[bytes]]) -> None:
    chance = random.Random(kind)
    sources = evidence.load_sources()
    taken = 0
    for sound in files[kind]:
        for data in (sound, *decodable(sound, chance, 100)):
            taken += 1
            image = decode(data)
            for name, read in sources.items():
                found = read(data, image, LIMITS)  # unlike `gather`, this would let an exception through
                assert found.source == name
                assert len(json.dumps(found.details, allow_nan=False)) < evidence.MAX_DETAILS
                assert found.summary.isprintable()
    assert taken > 100
