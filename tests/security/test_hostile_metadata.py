"""Hostile metadata and spoofed declarations."""

from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
import textwrap
import tracemalloc
import zlib

import numpy as np
import pytest

from fauxto.evidence import camera_metadata, exif, generator_metadata, load_sources
from fauxto.images import Image, decode
from fauxto.limits import Limits
from fauxto.report import Evidence, Says, Trust

SETTINGS = "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 123, Size: 512x512, Model: dream"
ALGORITHMIC = 'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"'
BOMB = zlib.compress(bytes(64 << 20), 9)
MAKE, DESCRIPTION, ARTIST, USER_COMMENT = 0x010F, 0x010E, 0x013B, 0x9286


OTHER_SOURCES = {
    name: read for name, read in load_sources().items() if name not in ("generator_metadata", "camera_metadata")
}


def read(data):
    """What both sources say; no source may raise, and what they hand out must be small and fit for JSON."""
    limits = Limits()
    image = decode(data, limits)
    for name, ask in OTHER_SOURCES.items():
        other = ask(data, image, limits)
        assert other.source == name
        assert len(json.dumps(other.details, allow_nan=False)) < 100_000
    return [checked(source.read(data, image, limits)) for source in (generator_metadata, camera_metadata)]


def checked(evidence):
    assert isinstance(evidence, Evidence)
    assert evidence.trust is Trust.DECLARED
    assert len(json.dumps(evidence.details, allow_nan=False)) < 100_000
    assert evidence.summary.isprintable()
    assert len(evidence.summary) < 2_000
    return evidence


def segment(marker, payload):
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def exif_of(*entries, start=8):
    """A little-endian EXIF block with one directory at the start: (tag, type, count, value)."""
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", start) + directory + bytes(4)


BROKEN_EXIF = {
    "no TIFF": b"what is this",
    "empty": b"",
    "cut": exif_of((MAKE, 2, 6, 200))[:20],
    "first directory far outside": exif_of(start=0xFFFFFFF0),
    "first directory at -1": exif_of(start=0xFFFFFFFF),
    "first directory is the header": exif_of(start=0),
    "Exif directory at -8": exif_of((0x8769, 4, 1, 0xFFFFFFF8)),
    "Exif directory is a text": exif_of((0x8769, 2, 6, 8)),
    "thumbnail directory at -2": exif_of((MAKE, 2, 2, 0x41))[:-4] + b"\xfe\xff\xff\xff",
    "65,535 entries": b"II*\0\x08\0\0\0\xff\xff" + bytes(60_000),
}


@pytest.mark.parametrize("name", BROKEN_EXIF)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_broken_exif_is_noted(name, format, with_metadata):
    for evidence in read(with_metadata(format, exif=BROKEN_EXIF[name] or b"\0")):
        assert evidence.says == Says.NOTHING
        assert "EXIF" in evidence.details["unreadable"]


def test_an_exif_bomb_of_60_kilobytes(with_metadata):
    """Directories that point at themselves and each other, and 900 entries that each claim four gigabytes."""
    huge = [(0xA000 + tag, kind, 0xFFFFFFFF, 8) for tag in range(70) for kind in range(13)]
    for entries in (
        [(0x8769, 4, 1, 8), (0x8825, 4, 1, 8), *huge],
        [(tag, 2, 0xFFFFFFFF, 8) for tag in (MAKE, 0x0110, 0x0131, 0x013B)],
        [(MAKE, 2, 59_000, 8)],
    ):
        block = exif_of(*entries)[:-4] + struct.pack("<I", 8)
        for evidence in read(with_metadata("JPEG", exif=block + b"A" * (60_000 - len(block)))):
            assert evidence.says == Says.NOTHING


def test_a_large_tiff_is_copied_once_at_most():
    """Both directories lie at its end, where the offset of the next one is missing."""
    size = 8_000_000
    block = exif_of((0x8769, 4, 1, size - 2), (0x8825, 4, 1, size - 2))
    block += bytes(size - len(block))
    tracemalloc.start()
    try:
        found = exif.parse(block)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.damage == ()
    assert peak < 1.5 * size


def test_a_thumbnail_may_cost_little(encode, photo, with_metadata):
    """One of 36 megapixels, one that claims 65,500 x 65,500, and one that is not a JPEG."""
    huge = encode(np.zeros((6_000, 6_000), np.uint8), "JPEG")
    small = encode(photo[:8, :8], "JPEG")
    place = small.index(b"\xff\xc0") + 5
    for thumbnail in (huge, small[:place] + b"\xff\xdc" * 2 + small[place + 4 :], encode(photo[:8, :8], "PNG")):
        entries = struct.pack("<HHHIIHHII", 2, 0x0201, 4, 1, 44, 0x0202, 4, 1, len(thumbnail))
        block = exif_of()[:-4] + struct.pack("<I", 14) + entries + bytes(4) + thumbnail
        assert "thumbnail" not in read(with_metadata("PNG", exif=block))[1].details


def test_only_valid_xmp_counts(with_metadata, xmp_packet):
    plain = with_metadata("JPEG")
    packet = xmp_packet(ALGORITHMIC)
    as_text = b"parameters\0" + SETTINGS.encode()
    spoofs = {
        "parameters in a comment": with_metadata("JPEG", comment=as_text),
        "settings in a comment": with_metadata("JPEG", comment=SETTINGS.encode()),
        "XMP in a comment": with_metadata("JPEG", comment=packet.encode()),
        "XMP in a bare APP1": plain[:2] + segment(0xE1, packet.encode()) + plain[2:],
        "XMP in an APP2": plain[:2] + segment(0xE2, b"http://ns.adobe.com/xap/1.0/\0" + packet.encode()) + plain[2:],
        "text in an APP1": plain[:2] + segment(0xE1, b"trainedAlgorithmicMedia") + plain[2:],
        "XMP behind the end": plain + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet.encode()),
        "a whole file behind the end": plain + with_metadata("JPEG", xmp=packet),
        "13 bytes behind the end": plain + b"AI generated!",
        "XMP between scan and end": plain[:-2]
        + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet.encode())
        + plain[-2:],
        "text behind IEND": with_metadata("PNG") + with_metadata("PNG", text={"parameters": SETTINGS})[33:],
        "chunk behind the RIFF": with_metadata("WEBP") + b"XMP " + struct.pack("<I", len(packet)) + packet.encode(),
    }
    for name, data in spoofs.items():
        generator, camera = read(data)
        assert (generator.says, camera.says) == (Says.NOTHING, Says.NOTHING), name
        assert "declarations" not in generator.details, name
    declared = with_metadata("JPEG", xmp=packet)
    evidence = read(declared)[0]
    assert (evidence.says, evidence.trust) == (Says.AI, Trust.DECLARED)
    assert "anyone can write" in evidence.summary
    for data in (declared, *(spoof for name, spoof in spoofs.items() if spoof.startswith(b"\xff\xd8"))):
        np.testing.assert_array_equal(decode(data).rgb, decode(plain).rgb)  # so the pixel score is the same


@pytest.mark.parametrize(
    "words", ["Made with Midjourney", "OpenAI DALL-E", "trainedAlgorithmicMedia", "NovelAI", "Adobe Firefly"]
)
def test_a_brand_in_a_caption_is_no_declaration(words, with_metadata, exif_block, xmp_packet):
    caption = f"Our stand: {words} and others"
    xmp = xmp_packet(
        f'photoshop:Credit="{caption}" Iptc4xmpExt:DigitalSourceType="{caption}"',
        f"<dc:title>{words}</dc:title><dc:description>{words}</dc:description><dc:creator>{words}</dc:creator>",
    )
    iptc = b"".join(struct.pack(">BBBH", 28, 2, dataset, len(words)) + words.encode() for dataset in (5, 25, 80, 120))
    photo = {USER_COMMENT: b"ASCII\0\0\0" + words.encode()}
    exif = exif_block({DESCRIPTION: words, ARTIST: words, 0x0131: caption, MAKE: caption}, photo=photo)
    text = dict.fromkeys(("Title", "Description", "Comment", "Author", "Source", "parameters", "prompt"), words)
    for data in (
        with_metadata("JPEG", exif=exif, xmp=xmp, iptc=iptc, comment=words.encode()),
        with_metadata("PNG", exif=exif, xmp=xmp, text=text | {"Software": caption}),
    ):
        assert read(data)[0].says == Says.NOTHING
        assert "declarations" not in read(data)[0].details


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
HOSTILE_XMP = {
    "billion laughs": f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>' + "<x>&l11;</x>",
    "external DTD": '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>',
    "external entity": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "undeclared entity": "<x>&e;</x>",
    "too deep": "<x>" * 60_000 + "</x>" * 60_000,
    "too many elements": "<x>" + "<y/>" * 200_000 + "</x>",
    "a long namespace in every attribute": f'<x xmlns:a="{"u" * 100_000}"><a:x '
    + " ".join(f'a:b{n}=""' for n in range(20_000))
    + "/></x>",
    "a long namespace in every element": f'<x xmlns:a="{"u" * 100_000}">'
    + "".join(f"<a:b{n}/>" for n in range(20_000))
    + "</x>",
    "too many attributes": "<x><y " + " ".join(f'b{n}=""' for n in range(60_000)) + "/></x>",
    "too long": "<x>" + "y" * 1_000_001 + "</x>",
    "not closed": "<x><y></x>",
    "no XML": "trainedAlgorithmicMedia",
    "empty": " ",
}


@pytest.mark.parametrize("name", HOSTILE_XMP)
def test_hostile_xmp_is_noted(name, with_metadata):
    for evidence in read(with_metadata("PNG", xmp=HOSTILE_XMP[name])):
        assert evidence.says == Says.NOTHING
        assert "XMP" in evidence.details["unreadable"]


DEEP = '{"a":' * 200_000
HOSTILE_JSON = [
    {"workflow": '{"nodes": ' + "[" * 200_000 + "]" * 200_000 + "}"},
    {"prompt": DEEP},
    {"parameters": DEEP},
    {"Software": "NovelAI", "Comment": DEEP},
    {"invokeai_metadata": '{"seed": 1, "positive_prompt": ' + "[" * 100_000},
    {"AIGC": DEEP},
]


@pytest.mark.parametrize("text", HOSTILE_JSON, ids=lambda text: list(text)[-1])
def test_deep_json_is_noted_and_the_rest_is_read(text, with_metadata, xmp_packet):
    evidence = read(with_metadata("PNG", text=text, xmp=xmp_packet(ALGORITHMIC)))[0]
    assert "JSON" in evidence.details["unreadable"]
    assert evidence.says == Says.AI


def test_deep_json_in_a_user_comment(with_metadata, exif_block):
    exif = exif_block({}, photo={USER_COMMENT: b"ASCII\0\0\0" + DEEP.encode()})
    assert "JSON" in read(with_metadata("PNG", exif=exif))[0].details["unreadable"]


SLOW_TEXTS = {
    "settings without an end": {"parameters": "Steps: 1, " + "a: " * 1_000_000 + ",x"},
    "settings of open quotes": {"parameters": "Steps: 1, Seed: 1, " + 'a: "' * 900_000},
    "settings of words": {"parameters": "Steps: 1, " + "word " * 800_000},
    "many settings": {"parameters": "\nSteps: 1, Seed: 1" * 200_000},
    "a dream of quotes": {"Dream": '"' + '" -s 1 -S 1 ' * 300_000},
    "a dream of blanks": {"Dream": '"' + " " * 3_000_000 + '] [" -s 1 -S 1 -A k'},
    "a description of options": {"Description": " --v 6" * 600_000 + " Job ID: 826ac0a7"},
    "a graph of 5,000 links": {
        "prompt": json.dumps(
            {
                str(n): {"class_type": "KSampler", "inputs": {f"i{k}": [str((n * k) % 5_000), 0] for k in range(9)}}
                for n in range(5_000)
            }
        )
    },
    "a graph that links to itself": {
        "prompt": '{"1": {"class_type": "KSampler", "inputs": {"positive": ["1", 0], "model": [{}, []], "seed": [[]]}}}'
    },
    "numbers that are none": {
        "parameters": '{"sui_image_params": {"prompt": NaN, "model": 1e999, "seed": 1' + "0" * 4_000 + "}}"
    },
}


@pytest.mark.parametrize("name", SLOW_TEXTS)
def test_texts_made_to_be_slow(name, with_metadata):
    """Each takes well under a second; one that takes minutes runs into the time limit of the tests."""
    read(with_metadata("PNG", text=SLOW_TEXTS[name]))


def test_bombs_cost_little_memory_and_are_noted(with_metadata, xmp_packet, png_file, tmp_path):
    """In a process of its own, so that the peak of memory is that of the bombs."""
    packed = b"\0\0" + BOMB
    files = {
        "plain": with_metadata("PNG"),
        "texts": with_metadata(
            "PNG", chunks=((b"zTXt", b"parameters" + packed), (b"iTXt", b"prompt\0\1\0\0\0" + BOMB)) * 40
        ),
        "xmp": with_metadata("PNG", chunks=((b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + BOMB),) * 40),
        "large-text": with_metadata("PNG", chunks=((b"tEXt", b"parameters\0" + b"a" * (30 << 20)),)),
        "many-texts": with_metadata("PNG", chunks=tuple((b"tEXt", b"%d\0" % n + b"a" * 99) for n in range(50_000))),
        "large-exif": with_metadata("PNG", exif=b"II*\0" + bytes(30 << 20)),
        "photoshop": b"\xff\xd8" + segment(0xED, b"Photoshop 3.0\0" + b"a" * 65_000) * 400 + with_metadata("JPEG")[2:],
        "laughs": with_metadata("PNG", xmp=HOSTILE_XMP["billion laughs"]),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    code = """
        import pathlib, sys
        from fauxto.evidence import camera_metadata, generator_metadata, load_sources
        from fauxto.images import decode
        from fauxto.limits import Limits
        status = pathlib.Path("/proc/self/status")
        peak = lambda: int(status.read_text().split("VmHWM:")[1].split()[0]) if status.exists() else 0
        for path in (pathlib.Path(sys.argv[1]) / "plain", *sorted(pathlib.Path(sys.argv[1]).iterdir())):
            data = path.read_bytes()
            image = decode(data)
            before = peak()
            unreadable = [source.read(data, image, Limits()).details.get("unreadable", "")
                          for source in (generator_metadata, camera_metadata)]
            print(path.name, (peak() - before) // 1024, *("noted" if one else "silent" for one in unreadable))
    """
    run = [sys.executable, "-c", textwrap.dedent(code), tmp_path]
    ended = subprocess.run(run, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    said = {name: (int(megabytes), *noted) for name, megabytes, *noted in map(str.split, ended.stdout.splitlines())}
    assert said.keys() == files.keys()
    assert {name: megabytes for name, (megabytes, *_) in said.items() if megabytes >= 40} == {}
    silent = {name for name, (_, *noted) in said.items() if noted != ["noted", "noted"]}
    assert silent == {"plain"}


def test_damaged_bytes_of_every_kind_give_evidence(with_metadata, exif_block, xmp_packet, encode, photo):
    """3,000 files with some bytes changed, cut out, doubled or swapped; only Evidence may come of them."""
    rng = random.Random(5)
    exif = exif_block(
        {MAKE: "Canon", DESCRIPTION: "a cat --v 6 Job ID: 826ac0a7-c9b9-4eda-b2cb-ef7dd4bc8ee3", ARTIST: "Ann"},
        photo={USER_COMMENT: b"UNICODE\0" + SETTINGS.encode("utf-16-be"), 0x829A: 0.01, 0x9003: "2024:01:01 00:00:00"},
        gps={1: "N", 2: (1.0, 2.0, 3.0), 3: "E", 4: (1.0, 2.0, 3.0)},
    )
    small = encode(photo[:60, :80], "JPEG")
    thumbnail = struct.pack(">HHHIIHHII", 2, 0x0201, 4, 1, len(exif) + 30, 0x0202, 4, 1, len(small)) + bytes(4) + small
    place = 8 + 2 + 12 * struct.unpack_from(">H", exif, 8)[0]
    exif = exif[:place] + struct.pack(">I", len(exif)) + exif[place + 4 :] + thumbnail
    history = '<xmpMM:History><rdf:Seq><rdf:li stEvt:softwareAgent="A"/></rdf:Seq></xmpMM:History>'
    packet = xmp_packet(ALGORITHMIC, history)
    blocks = {"exif": exif, "xmp": packet}
    graph = {
        "1": {"class_type": "KSampler", "inputs": {"seed": 1, "positive": ["2", 0]}},
        "2": {"class_type": "X", "inputs": {}},
    }
    text = {
        "parameters": SETTINGS,
        "prompt": json.dumps(graph),
        "workflow": '{"nodes": [{"type": "KSampler"}]}',
        "Dream": '"a [b]" -s 1 -S 2 -A k',
        "Software": "NovelAI",
        "Comment": '{"steps": 1, "seed": 2, "sampler": "a"}',
        "invokeai_metadata": '{"seed": 1, "positive_prompt": "a", "model": {}}',
        "sd-metadata": '{"app_id": "invoke-ai/InvokeAI", "image": {"prompt": [{"prompt": "a [b]"}]}}',
        "AIGC": '{"AIGC": {"Label": "1", "ProduceID": "x"}}',
    }
    message = b"stealth_pnginfo" + struct.pack(">I", 8 * len(SETTINGS)) + SETTINGS.encode()
    bits = np.unpackbits(np.frombuffer(message, np.uint8))
    alpha = np.full(64 * 64, 255, np.uint8)
    alpha[: len(bits)] = 254 | bits
    iptc = b"\x1c\x02\x6e\x00\x0cAI Generated\x1c\x02\x50\x00\x03Ann"
    originals = [
        with_metadata("JPEG", **blocks, iptc=iptc, comment=b"a comment"),
        with_metadata("PNG", **blocks, text=text, chunks=((b"zTXt", b"a\0\0" + zlib.compress(b"text")),)),
        with_metadata("PNG", pixels=np.dstack([photo[:64, :64], alpha.reshape(64, 64).T])),
        *(with_metadata(format, **blocks) for format in ("WEBP", "TIFF", "AVIF", "HEIF")),
    ]
    limits = Limits()
    for original in originals:
        image = decode(original, limits)
        assert any(source.read(original, image, limits).details for source in (generator_metadata, camera_metadata))
        start = max(0, min(original.find(exif[:8]), original.find(b"xpacket")))
        for number in range(1_500 // len(originals)):
            damaged = damage(original, rng, start if number % 2 else 0)
            if image.alpha is not None:
                noise = np.frombuffer(rng.randbytes(image.alpha.size), np.uint8).reshape(image.alpha.shape)
                kept = rng.randrange(20, 64)
                image = Image(image.rgb, image.facts, np.hstack([image.alpha[:, :kept], noise[:, kept:]]))
            for source in (generator_metadata, camera_metadata):
                checked(source.read(damaged, image, limits))
    for number in range(1_500):  # the same within blocks that are whole, since a PNG's checksums keep damage out
        blocks = {"exif": damage(exif, rng), "xmp": damage(packet.encode(), rng).decode(errors="replace")}
        if number % 2:
            data = with_metadata("JPEG", **blocks, iptc=damage(iptc, rng))
        else:
            values = {key: damage(value.encode(), rng).decode(errors="replace") for key, value in text.items()}
            data = with_metadata("PNG", **blocks, text=values)
        read(data)


def damage(data, rng, start=0):
    damaged = bytearray(data)
    for _ in range(rng.randrange(1, 8)):
        place = rng.randrange(min(start, len(damaged) - 1), len(damaged))
        kind = rng.randrange(5)
        if kind == 0:
            damaged[place] = rng.randrange(256)
        elif kind == 1:
            damaged[place : place + 4] = rng.choice((b"\xff" * 4, bytes(4), b"\x80\0\0\0", b"\x7f\xff\xff\xff"))
        elif kind == 2:
            del damaged[place : place + rng.randrange(1, 50)]
        elif kind == 3:
            damaged[place:place] = damaged[place : place + rng.randrange(1, 50)]
        else:
            damaged[place] ^= 1 << rng.randrange(8)
        if not damaged:
            break
    return bytes(damaged)
