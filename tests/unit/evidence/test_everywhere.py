"""A declaration counts wherever it is in a file, however it is wrapped and encoded; a photographer's prose doesn't."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from hashlib import md5
from typing import Any

import PIL.Image
import pytest

from fauxto.evidence import blocks, camera_metadata, generator_metadata
from fauxto.images import decode
from fauxto.limits import Limits
from fauxto.report import Evidence, Says

SETTINGS = "a lighthouse\nNegative prompt: blurry\nSteps: 25, Sampler: Euler a, CFG scale: 7, Seed: 123, Size: 512x512"
SOURCE_TYPE = 'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"'
LABEL = json.dumps({"AIGC": {"Label": "1", "ContentProducer": "0011911", "ProduceID": "a1b2"}})
CREDIT = b"\x1c\x02\x6e\x00\x13Made with Google AI"
GRAPH = json.dumps({"1": {"class_type": "KSampler", "inputs": {"seed": 1}}})
FOOOCUS = json.dumps({"base_model": "a", "prompt": "b", "seed": 1, "sampler": "c"})
JOB = "a lighthouse --ar 3:2 --v 6.0 Job ID: 826ac0a7-c9b9-4eda-b2cb-ef7dd4bc8ee3"
MAKE, SOFTWARE, DESCRIPTION, USER_COMMENT = 0x010F, 0x0131, 0x010E, 0x9286
XP_TITLE, XP_COMMENT, XP_KEYWORDS, XP_SUBJECT = 0x9C9B, 0x9C9C, 0x9C9E, 0x9C9F
WEBUI = "Stable Diffusion WebUI (AUTOMATIC1111)"
XMP_LEAD, EXTENSION_LEAD = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"


def read(data: bytes) -> Evidence:
    return generator_metadata.read(data, decode(data), Limits())


def camera(data: bytes) -> Evidence:
    return camera_metadata.read(data, decode(data), Limits())


def assert_declared(data: bytes, kind: str, generator: str | None = None) -> None:
    evidence = read(data)
    assert (evidence.says, evidence.details.get("kind")) == (Says.AI, kind), evidence
    assert evidence.details.get("generator") == generator
    assert "unreadable" not in evidence.details


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def resources(*parts: tuple[int, bytes]) -> bytes:
    """Photoshop's image resources, the first with a name."""
    return b"".join(
        b"8BIM" + struct.pack(">H", number) + b"\0\0" + struct.pack(">I", len(part)) + part + bytes(len(part) % 2)
        for number, part in ((0x03ED, b"abc"), *parts)
    )


def profile(name: str, block: bytes) -> bytes:
    """The text of ImageMagick's raw profile: hexadecimal digits in lines of 72."""
    digits = block.hex()
    lines = "\n".join(digits[start : start + 72] for start in range(0, len(digits), 72))
    return f"\n{name}\n{len(block):8}\n{lines}\n".encode()


def extended(packet: bytes, *, size: int = 300, backwards: bool = False) -> list[bytes]:
    """The segments of an extended XMP."""
    digest = md5(packet).hexdigest().upper().encode()
    parts = [
        segment(0xE1, EXTENSION_LEAD + digest + struct.pack(">II", len(packet), start) + packet[start : start + size])
        for start in range(0, len(packet), size)
    ]
    return parts[::-1] if backwards else parts


def main_packet(xmp_packet: Callable[..., str], packet: bytes) -> bytes:
    note = f'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{md5(packet).hexdigest().upper()}"'
    return segment(0xE1, XMP_LEAD + xmp_packet(note).encode())


class Pictures:
    """Makes files with metadata in odd places."""

    def __init__(self, with_metadata: Any, exif_block: Any, xmp_packet: Any, encode: Any, photo: Any) -> None:
        self.with_metadata, self.exif_block, self.xmp_packet = with_metadata, exif_block, xmp_packet
        self.encode, self.photo = encode, photo
        self.packet = xmp_packet(SOURCE_TYPE).encode()
        self.comment = exif_block({}, photo={USER_COMMENT: b"ASCII\0\0\0" + SETTINGS.encode()})

    def jpeg(self, *segments: bytes) -> bytes:
        plain: bytes = self.with_metadata("JPEG")
        return plain[:2] + b"".join(segments) + plain[2:]

    def png(self, *chunks: tuple[bytes, bytes]) -> bytes:
        png: bytes = self.with_metadata("PNG", chunks=chunks)
        return png

    def profile(self, name: str, block: bytes, chunk: bytes = b"zTXt") -> bytes:
        text, keyword = profile(name, block), f"Raw profile type {name}\0".encode()
        packed = b"\0" + zlib.compress(text)
        return self.png((chunk, keyword + {b"zTXt": packed, b"tEXt": text, b"iTXt": b"\1\0\0\0" + packed[1:]}[chunk]))

    def gif(self, *extensions: bytes, behind: bool = False) -> bytes:
        plain: bytes = self.encode(PIL.Image.fromarray(self.photo[:48, :64]).quantize(16), "GIF")
        place = len(plain) - 1 if behind else 13 + 3 * 2 ** ((plain[10] & 7) + 1)
        return plain[:place] + b"".join(extensions) + plain[place:]

    def webp(self, *chunks: tuple[bytes, bytes]) -> bytes:
        plain: bytes = self.with_metadata("WEBP", xmp="x")
        plain = plain[: plain.index(b"XMP ")]
        added = b"".join(kind + struct.pack("<I", len(chunk)) + chunk + bytes(len(chunk) % 2) for kind, chunk in chunks)
        return plain[:4] + struct.pack("<I", len(plain) + len(added) - 8) + plain[8:] + added


@pytest.fixture(scope="module")
def pictures(with_metadata: Any, exif_block: Any, xmp_packet: Any, encode: Any, photo: Any) -> Pictures:
    return Pictures(with_metadata, exif_block, xmp_packet, encode, photo)


def sub_blocks(data: bytes) -> bytes:
    parts = [data[start : start + 255] for start in range(0, len(data), 255)]
    return b"".join(bytes((len(part),)) + part for part in parts) + b"\0"


def windows(text: str) -> bytes:
    return text.encode("utf-16-le") + b"\0\0"


MAGIC_TRAILER = b"\1" + bytes(range(255, -1, -1)) + b"\0"
GIF_XMP = b"\x21\xff\x0bXMP DataXMP"
XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")

ENCODED = {
    f"{encoding}{', with a byte order mark' if mark else ''}": (encoding, mark)
    for encoding in ("utf-8", "utf-16-be", "utf-16-le", "utf-32-be", "utf-32-le")
    for mark in (False, True)
}

# What each file is, and the kind and generator that it declares.
WRAPPED: dict[str, tuple[Callable[[Pictures], bytes], str, str | None]] = {
    "UserComment as bytes in IFD 0": (
        lambda p: p.with_metadata("JPEG", exif=p.exif_block({USER_COMMENT: b"ASCII\0\0\0" + SETTINGS.encode()})),
        "generated",
        WEBUI,
    ),
    "UserComment without a code in IFD 0 of a WebP": (
        lambda p: p.webp((b"EXIF", p.exif_block({USER_COMMENT: FOOOCUS.encode()}))),
        "generated",
        "Fooocus",
    ),
    "a label in IFD 0 of an AVIF": (
        lambda p: p.with_metadata("AVIF", exif=p.exif_block({USER_COMMENT: LABEL.encode()})),
        "composite",
        None,
    ),
    "settings in ImageDescription of a TIFF": (
        lambda p: p.with_metadata("TIFF", exif=p.exif_block({DESCRIPTION: SETTINGS})),
        "generated",
        WEBUI,
    ),
    "Software in the Exif IFD": (
        lambda p: p.with_metadata("PNG", exif=p.exif_block({}, photo={SOFTWARE: "Draw Things"})),
        "generated",
        "Draw Things",
    ),
    **{
        f"Windows' tag {tag:#x}": (
            lambda p, tag=tag: p.with_metadata("JPEG", exif=p.exif_block({tag: windows(SETTINGS)})),  # type: ignore[misc]
            "generated",
            WEBUI,
        )
        for tag in (XP_TITLE, XP_COMMENT, XP_KEYWORDS, XP_SUBJECT)
    },
    **{
        f"EXIF's tag {tag:#x} in {directory}": (
            lambda p, tag=tag, directory=directory: p.with_metadata(  # type: ignore[misc]
                "JPEG", exif=p.exif_block({tag: SETTINGS} if directory == "IFD 0" else {}, photo={tag: SETTINGS})
            ),
            "generated",
            WEBUI,
        )
        for tag in (0x000B, 0x011D, 0x9213, 0xA436, 0xA43A, 0xA43B, 0xA43C)
        for directory in ("IFD 0", "the Exif IFD")
    },
    **{
        f"EXIF behind {lead!r}": (
            lambda p, lead=lead: p.jpeg(segment(0xE1, lead + p.comment)),  # type: ignore[misc]
            "generated",
            WEBUI,
        )
        for lead in (b"Exif\0\xff", b"EXIF\0\0")
    },
    **{
        f"XMP behind {lead!r}": (
            lambda p, lead=lead: p.jpeg(segment(0xE1, lead + p.packet)),  # type: ignore[misc]
            "generated",
            None,
        )
        for lead in (XMP_LEAD[:-1], b"XMP\0" + XMP_LEAD[4:])
    },
    "a job of Midjourney in XPComment": (
        lambda p: p.with_metadata("JPEG", exif=p.exif_block({XP_COMMENT: windows(JOB)})),
        "generated",
        "Midjourney",
    ),
    "the second EXIF": (
        lambda p: p.jpeg(*(segment(0xE1, b"Exif\0\0" + b) for b in (p.exif_block({MAKE: "Canon"}), p.comment))),
        "generated",
        WEBUI,
    ),
    "the second of two values": (
        lambda p: p.jpeg(
            *(segment(0xE1, b"Exif\0\0" + p.exif_block({SOFTWARE: name})) for name in ("GIMP", "Ideogram AI"))
        ),
        "generated",
        "Ideogram",
    ),
    "the second eXIf": (
        lambda p: p.png((b"eXIf", p.exif_block({MAKE: "Canon"})), (b"eXIf", p.comment)),
        "generated",
        WEBUI,
    ),
    "EXIF over three segments, with XMP between": (
        lambda p: p.jpeg(
            segment(0xE1, b"Exif\0\0" + p.comment[:60]),
            segment(0xE1, b"Exif\0\0" + p.comment[60:100]),
            segment(0xE1, XMP_LEAD + p.xmp_packet().encode()),
            segment(0xE1, b"Exif\0\0" + p.comment[100:]),
        ),
        "generated",
        WEBUI,
    ),
    "extended XMP": (
        lambda p: p.jpeg(main_packet(p.xmp_packet, p.packet), *extended(p.packet)),
        "generated",
        None,
    ),
    "extended XMP in front of the main packet, backwards": (
        lambda p: p.jpeg(*extended(p.packet, backwards=True), main_packet(p.xmp_packet, p.packet)),
        "generated",
        None,
    ),
    "the second XMP": (
        lambda p: p.jpeg(*(segment(0xE1, XMP_LEAD + packet) for packet in (p.xmp_packet().encode(), p.packet))),
        "generated",
        None,
    ),
    "the settings of Fooocus in a JPEG's comment": (
        lambda p: p.with_metadata("JPEG", comment=FOOOCUS.encode() + b"\0"),
        "generated",
        "Fooocus",
    ),
    "an IPTC credit of extended length, behind another": (
        lambda p: p.with_metadata("JPEG", iptc=b"\x1c\x02\x05\x80\x04\0\0\0\1a" + CREDIT + bytes(3)),
        "generated",
        "Google AI",
    ),
    "XMP in Photoshop's resources": (
        lambda p: p.jpeg(segment(0xED, b"Photoshop 3.0\0" + resources((0x0424, p.packet)))),
        "generated",
        None,
    ),
    "EXIF in Photoshop's resources, over two segments": (
        lambda p: p.jpeg(
            segment(0xED, b"Photoshop 3.0\0" + resources((0x0422, p.comment))[:70]),
            segment(0xED, b"Photoshop 3.0\0" + resources((0x0422, p.comment))[70:]),
        ),
        "generated",
        WEBUI,
    ),
    "XMP in the EXIF of a WebP": (
        lambda p: p.webp((b"EXIF", p.exif_block({700: p.packet}))),
        "generated",
        None,
    ),
    "IPTC in Photoshop's resources in a TIFF": (
        lambda p: p.with_metadata("TIFF", exif=p.exif_block({34377: resources((0x0404, CREDIT))})),
        "generated",
        "Google AI",
    ),
    "WebP's XMP by its wrong name": (lambda p: p.webp((b"XMP\0", p.packet)), "generated", None),
    "AIGC in a private chunk": (lambda p: p.png((b"AIGC", LABEL.encode())), "composite", None),
    **{
        f"raw profile {name} in {chunk.decode()}": (
            lambda p, name=name, block=block, chunk=chunk: p.profile(name, block(p), chunk),  # type: ignore[misc]
            "generated",
            generator,
        )
        for chunk in (b"tEXt", b"zTXt", b"iTXt")
        for name, block, generator in (
            ("xmp", lambda p: p.packet, None),
            ("APP1", lambda p: XMP_LEAD + p.packet, None),
            ("exif", lambda p: b"Exif\0\0" + p.comment, WEBUI),
            ("APP1", lambda p: b"Exif\0\0" + p.comment, WEBUI),
            ("iptc", lambda p: resources((0x0404, CREDIT)), "Google AI"),
            ("iptc", lambda p: CREDIT, "Google AI"),
            ("8bim", lambda p: resources((0x0424, p.packet)), None),
        )
    },
    "a GIF's comment": (lambda p: p.gif(b"\x21\xfe" + sub_blocks(SETTINGS.encode())), "generated", WEBUI),
    "a GIF's second comment, behind the picture": (
        lambda p: p.gif(b"\x21\xfe" + sub_blocks(b"a"), b"\x21\xfe" + sub_blocks(LABEL.encode() + b"\0"), behind=True),
        "composite",
        None,
    ),
    "a GIF's XMP": (lambda p: p.gif(GIF_XMP + p.packet + MAGIC_TRAILER), "generated", None),
    "a GIF's XMP, behind the picture": (
        lambda p: p.gif(GIF_XMP + p.packet + MAGIC_TRAILER, behind=True),
        "generated",
        None,
    ),
    "a GIF's XMP in sub-blocks": (lambda p: p.gif(GIF_XMP + sub_blocks(p.packet)), "generated", None),
    "XMP in a box of its own": (
        lambda p: p.with_metadata("AVIF") + struct.pack(">I4s", 24 + len(p.packet), b"uuid") + XMP_BOX + p.packet,
        "generated",
        None,
    ),
    "ComfyUI's graph in XMP": (
        lambda p: p.with_metadata(
            "AVIF",
            xmp=p.xmp_packet("", f'<c:prompt xmlns:c="https://example.org/c">{GRAPH.replace("<", "&lt;")}</c:prompt>'),
        ),
        "generated",
        "ComfyUI",
    ),
    "ComfyUI's graph, named, in ImageDescription": (
        lambda p: p.with_metadata("HEIF", exif=p.exif_block({DESCRIPTION: "Workflow:{}\0", MAKE: f"prompt:{GRAPH}"})),
        "generated",
        "ComfyUI",
    ),
    "settings in XMP": (
        lambda p: p.with_metadata("JPEG", xmp=p.xmp_packet("", f"<dc:description>{SETTINGS}</dc:description>")),
        "generated",
        WEBUI,
    ),
    "settings in a PNG's text of another name": (
        lambda p: p.with_metadata("PNG", text={"Comment": SETTINGS}),
        "generated",
        WEBUI,
    ),
    "a second text of the same name": (
        lambda p: p.png((b"tEXt", b"parameters\0none"), (b"tEXt", b"parameters\0" + SETTINGS.encode())),
        "generated",
        WEBUI,
    ),
    "DigitalSourceFileType": (
        lambda p: p.with_metadata("PNG", xmp=p.xmp_packet(SOURCE_TYPE.replace("SourceType", "SourceFileType", 1))),
        "generated",
        None,
    ),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_a_declaration_counts_wherever_it_is(name: str, pictures: Pictures) -> None:
    build, kind, generator = WRAPPED[name]
    assert_declared(build(pictures), kind, generator)


@pytest.mark.parametrize("name", ENCODED)
@pytest.mark.parametrize("format", ["JPEG", "GIF", "WEBP"])
def test_xmp_in_every_encoding(name: str, format: str, pictures: Pictures) -> None:
    encoding, mark = ENCODED[name]
    text = pictures.xmp_packet(SOURCE_TYPE, "<dc:title>猫 é</dc:title>").replace("\ufeff", "")
    packet = (("\ufeff" if mark else "") + text).encode(encoding)
    files = {
        "JPEG": lambda: pictures.jpeg(segment(0xE1, XMP_LEAD + packet)),
        "GIF": lambda: pictures.gif(GIF_XMP + sub_blocks(packet)),
        "WEBP": lambda: pictures.webp((b"XMP ", packet)),
    }
    assert_declared(files[format](), "generated")


SOUND = {
    "a cut trailer": lambda packet: packet.replace('<?xpacket end="w"?>', '<?xpacket end="w"'),
    "an old tail": lambda packet: packet + '\n</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>',
    "half an old packet": lambda packet: packet + packet[len(packet) // 2 :],
    "NULs behind it": lambda packet: packet + "\0" * 100,
    "rubbish in front": lambda packet: "\x03rubbish & <" + packet,
    "no trailer at all": lambda packet: packet.replace('<?xpacket end="w"?>', ""),
    "no x:xmpmeta": lambda packet: packet[packet.index("<rdf:RDF") : packet.index("</x:xmpmeta>")] + "\x01",
    "another encoding declared": lambda packet: '<?xml version="1.0" encoding="UTF-16"?>' + packet,
    "another prefix": lambda packet: (
        packet.replace("<x:", "<my.own-1:").replace("</x:", "</my.own-1:").replace("xmlns:x=", "xmlns:my.own-1=")
    ),
}
MENDED = {
    "a control character": lambda packet: packet.replace("HERE", "line\x0bbreak"),
    "a NUL": lambda packet: packet.replace("HERE", "a\0b"),
    "an escape in a reference": lambda packet: packet.replace("HERE", "a&#x1b;b&#0;"),
    "a bare ampersand": lambda packet: packet.replace("HERE", "salt & pepper"),
    "U+FFFF": lambda packet: packet.replace("HERE", "a\uffffb"),
    "a control character and a cut trailer": lambda packet: packet.replace("HERE", "\x02")[:-2],
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize("name", [*SOUND, *MENDED])
def test_xmp_that_is_not_clean(name: str, encoding: str, pictures: Pictures) -> None:
    packet = pictures.xmp_packet("", f"<dc:title>HERE</dc:title><Iptc4xmpExt:{SOURCE_TYPE[12:].replace('=', '>', 1)}")
    packet = packet.replace('>"http', ">http").replace('Media"<', "Media</Iptc4xmpExt:DigitalSourceType><")
    mangled = (SOUND | MENDED)[name](packet).encode(encoding)
    evidence = read(pictures.jpeg(segment(0xE1, XMP_LEAD + mangled)))
    assert evidence.says is Says.AI
    assert ("characters that XML forbids" in evidence.details.get("unreadable", "")) == (name in MENDED)


def test_what_stands_before_a_fault_is_read_and_the_rest_is_noted(pictures: Pictures) -> None:
    packet = pictures.xmp_packet(SOURCE_TYPE, "<dc:title>a title</dc:title>")
    cut = packet[: packet.index("a title")].encode()
    evidence = read(pictures.jpeg(segment(0xE1, XMP_LEAD + cut)))
    assert evidence.says is Says.AI
    assert "up to the fault" in evidence.details["unreadable"]
    evidence = read(pictures.with_metadata("JPEG", iptc=CREDIT + b"\x1c\x02\x6e\x00\x63cut"))
    assert evidence.says is Says.AI
    assert evidence.details["unreadable"] == "the IPTC block is damaged"


@pytest.mark.parametrize("packet", ["<!DOCTYPE x>{}", '<!DOCTYPE x [<!ENTITY e "a">]>{}', "rubbish<!DOCTYPE x>{}"])
def test_document_types_stay_refused(packet: str, pictures: Pictures) -> None:
    data = pictures.jpeg(segment(0xE1, XMP_LEAD + packet.format(pictures.packet.decode()).encode()))
    assert read(data).says is Says.NOTHING
    assert "document type" in read(data).details["unreadable"]


def test_extended_xmp_counts_only_whole_and_with_its_main_packet(pictures: Pictures) -> None:
    main = main_packet(pictures.xmp_packet, pictures.packet)
    stale = pictures.jpeg(main, *extended(pictures.packet.replace(b"xpacket begin", b"xpacket  begin")))
    assert read(stale).says is Says.NOTHING
    assert "unreadable" not in read(stale).details
    lacking = pictures.jpeg(main, *extended(pictures.packet)[:-1])
    assert read(lacking).says is Says.NOTHING
    assert "a part of the XMP block is missing" in read(lacking).details["unreadable"]


def test_all_blocks_together_have_a_limit(pictures: Pictures) -> None:
    limits = Limits(max_metadata_bytes=2_000)
    data = pictures.webp(*((b"EXIF", pictures.exif_block({DESCRIPTION: f"{n}" * 1_500})) for n in range(5)))
    evidence = generator_metadata.read(data, decode(data), limits)
    assert evidence.details["unreadable"] == "the blocks of metadata have more than 4000 bytes in all"
    assert len(blocks.find(data, "WEBP", limits).exif) == 2


def test_identical_blocks_count_once(pictures: Pictures) -> None:
    data = pictures.profile("xmp", pictures.packet)
    both = pictures.png((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + pictures.packet))
    chunk = data[33 : 33 + 12 + struct.unpack_from(">I", data, 33)[0]]
    assert len(read(both[:33] + chunk + both[33:]).details["declarations"]) == 1


PROSE = (
    "OLYMPUS DIGITAL CAMERA",
    "Steps: 20, up the hill and down again, Seed: poppies, Size: large",
    "AI generated? No: trainedAlgorithmicMedia is not what this is. Made with Midjourney, said nobody.",
    '{"Label": "1", "note": "a label of ours", "steps": 3}',
    "workflow:{import, cull, edit}",
    "prompt: {} seed sampler KSampler",
    "The settings were these:\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 1x1\nand I liked the result.",
)


@pytest.mark.parametrize("prose", PROSE)
def test_what_a_photographer_writes_declares_nothing(prose: str, pictures: Pictures) -> None:
    escaped = prose.replace("&", "&amp;").replace("<", "&lt;")
    elements = "".join(f"<dc:{name}>{escaped}</dc:{name}>" for name in ("description", "title", "prompt", "Software"))
    block = pictures.exif_block(
        dict.fromkeys((DESCRIPTION, MAKE, SOFTWARE), prose) | {XP_COMMENT: windows(prose), XP_KEYWORDS: windows(prose)},
        photo={USER_COMMENT: b"ASCII\0\0\0" + prose.encode()},
    )
    iptc = b"".join(
        struct.pack(">BBBH", 28, 2, dataset, len(prose)) + prose.encode() for dataset in (5, 25, 40, 65, 110, 120)
    )
    text = dict.fromkeys(("Comment", "Description", "Software", "prompt", "parameters"), prose)
    jpeg = pictures.with_metadata(
        "JPEG", exif=block, xmp=pictures.xmp_packet("", elements), iptc=iptc, comment=prose.encode()
    )
    for data in (
        jpeg,
        pictures.with_metadata("PNG", exif=block, text=text),
        pictures.gif(b"\x21\xfe" + sub_blocks(prose.encode())),
    ):
        assert read(data).says is Says.NOTHING


def test_a_camera_named_only_in_xmp(pictures: Pictures) -> None:
    packet = pictures.xmp_packet(
        'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exifEX="http://cipa.jp/exif/1.0/" '
        'tiff:Make="NIKON CORPORATION" tiff:Model="NIKON D5300" exif:DateTimeOriginal="2017-03-05T10:11:12+01:00" '
        'exif:ExposureTime="1/250" exif:FNumber="80/10" exif:FocalLength="350/10" exif:FocalLengthIn35mmFilm="52" '
        'exifEX:LensModel="18.0-55.0 mm f/3.5-5.6" exifEX:BodySerialNumber="123" tiff:Software="Ver.1.01"',
        "<exif:ISOSpeedRatings><rdf:Seq><rdf:li>200</rdf:li></rdf:Seq></exif:ISOSpeedRatings>",
    )
    evidence = camera(pictures.with_metadata("PNG", xmp=packet))
    assert {key: value for key, value in evidence.details.items() if key != "personal"} == {
        "make": "NIKON CORPORATION",
        "model": "NIKON D5300",
        "lens": "18.0-55.0 mm f/3.5-5.6",
        "taken": "2017-03-05 10:11:12 +01:00",
        "exposure_seconds": 0.004,
        "f_number": 8,
        "iso": 200,
        "focal_length_mm": 35,
        "focal_length_35mm": 52,
        "software": ["Ver.1.01"],
    }
    assert evidence.details["personal"] == {"serial_number": "123"}
    assert "NIKON D5300" in evidence.summary


def test_exif_goes_before_xmp_and_nonsense_is_no_number(pictures: Pictures) -> None:
    packet = pictures.xmp_packet('xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Make="Nikon" exif:FNumber="1/0"')
    data = pictures.with_metadata("JPEG", exif=pictures.exif_block({MAKE: "Canon"}), xmp=packet)
    assert camera(data).details["make"] == "Canon"
    assert "f_number" not in camera(data).details
