"""What is found in a file's containers, and what EXIF, XMP and IPTC blocks give."""

from __future__ import annotations

import struct
import zlib

import pytest
from PIL.TiffImagePlugin import IFDRational

from fauxto.evidence import blocks, exif, iptc, xmp
from fauxto.evidence.untrusted import MAX_VALUE, JsonTexts, UnreadableError, bounded, one_line
from fauxto.images import decode
from fauxto.limits import Limits

FORMATS = ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"]
IPTC = b"\x1c\x01\x5a\x00\x03\x1b%G" + b"\x1c\x02\x6e\x00\x0cAI Generated" + b"\x1c\x02\x50\x00\x03Ann"
MAKE, USER_COMMENT = 0x010F, 0x9286


def find(data, limits=None):
    limits = limits or Limits()
    return blocks.find(data, decode(data, limits).facts.format, limits)


@pytest.mark.parametrize("format", FORMATS)
def test_exif_and_xmp_are_found_in_each_format(format, with_metadata, exif_block, xmp_packet):
    data = with_metadata(format, exif=exif_block({MAKE: "Canon"}), xmp=xmp_packet('xmp:CreatorTool="A"'))
    for found in (find(data), find(data + b"trailer" if format != "TIFF" else data)):
        assert exif.parse(*found.exif).image.text(MAKE) == "Canon"
        assert xmp.parse(*found.xmp).text(xmp.BASIC, "CreatorTool") == "A"
        assert found.unreadable == ()


@pytest.mark.parametrize("format", [*FORMATS, "GIF", "BMP"])
def test_a_file_without_metadata_has_none(format, with_metadata, encode, photo):
    data = encode(photo[:48, :64], format)
    found = find(data)
    assert (found.xmp, found.iptc, found.texts, found.unreadable) == ((), (), (), ())
    assert found.exif in ((), (data,))  # a TIFF is one


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_iptc_is_found(format, with_metadata):
    assert [dict(iptc.datasets(block)) for block in find(with_metadata(format, iptc=IPTC)).iptc] == [
        {110: "AI Generated", 80: "Ann"}
    ]


def test_texts_of_a_png_in_all_three_kinds_of_chunks(with_metadata):
    packed = zlib.compress("zwölf".encode())
    chunks = (
        (b"tEXt", b"latin\0zw\xf6lf"),
        (b"tEXt", "utf-8\0zwölf".encode()),
        (b"zTXt", b"packed\0\0" + packed),
        (b"iTXt", "plain\0\0\0de\0Wort\0zwölf".encode()),
        (b"iTXt", b"both\0\1\0\0\0" + packed),
        (b"tEXt", b"latin\0a second text of the same keyword"),
    )
    found = find(with_metadata("PNG", chunks=chunks))
    assert found.texts == (
        *((keyword, "zwölf") for keyword in ("latin", "utf-8", "packed", "plain", "both")),
        ("latin", "a second text of the same keyword"),
    )
    assert found.unreadable == ()


def test_only_the_proper_place_counts(with_metadata, exif_block, xmp_packet):
    """Other segments, an XMP that lacks its lead, the trailer, and a chunk whose checksum is wrong."""
    block, packet = exif_block({MAKE: "Canon"}), xmp_packet()
    jpeg = with_metadata("JPEG", comment=b"Exif\0\0" + block)
    stray = struct.pack(">BBH", 0xFF, 0xE1, len(packet) + 2) + packet.encode()
    jpeg = jpeg[:2] + stray[: 2 + struct.unpack_from(">H", stray, 2)[0]] + jpeg[2:]
    jpeg += with_metadata("JPEG", exif=block, xmp=packet, iptc=IPTC)
    found = find(jpeg)
    assert (found.exif, found.xmp, found.iptc) == ((), (), ())
    png = with_metadata("PNG", text={"parameters": "a cat"})
    place = png.index(b"parameters")
    found = find(png[: place + 12] + b"r" + png[place + 13 :] + with_metadata("PNG", text={"behind": "IEND"}))
    assert (found.texts, found.unreadable) == ((), ("a text chunk of the PNG is damaged or too large",))


def test_the_first_of_two_values_counts(with_metadata, exif_block):
    first, second = (with_metadata("JPEG", exif=exif_block({MAKE: make})) for make in ("Canon", "Nikon"))
    segment = second[2 : 4 + struct.unpack_from(">H", second, 4)[0]]
    place = 4 + struct.unpack_from(">H", first, 4)[0]
    assert exif.parse(*find(first[:place] + segment + first[place:]).exif).image.text(MAKE) == "Canon"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"ASCII\0\0\0a cat\0\0", "a cat"),
        (b"UNICODE\0" + "a cat, naïve".encode("utf-16-be"), "a cat, naïve"),
        (b"UNICODE\0" + "a cat, naïve".encode("utf-16-le"), "a cat, naïve"),
        (b"UNICODE\0" + "猫".encode("utf-16"), "猫"),
        (b"UNICODE\0a cat in UTF-8", "a cat in UTF-8"),
        (bytes(8) + "猫".encode(), "猫"),
        (b'{"no": "code at all"}', '{"no": "code at all"}'),
        (b"ASCII\0\0\0" + b" " * 200, None),
        (bytes(300), None),
        (b"", None),
    ],
)
def test_user_comments(value, text, exif_block):
    assert exif.user_comment(exif.parse(exif_block({}, photo={USER_COMMENT: value})).photo) == text


def test_exif_values(exif_block):
    photo = {0x829A: IFDRational(1, 250), 0x8827: 400, 0x920A: IFDRational(0, 0), 0xA434: "  a lens\0"}
    parsed = exif.parse(b"Exif\0\0" + exif_block({MAKE: "Canon"}, photo=photo, gps={1: "N", 2: (48.0, 30.0, 0.0)}))
    assert parsed.photo.number(0x829A) == 0.004
    assert parsed.photo.number(0x8827) == 400
    assert parsed.photo.text(0xA434) == "a lens"
    assert parsed.photo.number(0x920A) is None  # 0/0
    assert parsed.photo.text(0x8827) is None  # a number is no text
    assert parsed.image.number(MAKE) is None
    assert parsed.gps.numbers(2) == (48.0, 30.0, 0.0)
    assert (parsed.thumbnail, parsed.damage) == (None, ())


def test_xmp_properties_in_every_spelling(xmp_packet):
    packet = xmp_packet(
        'dc:format="image/jpeg"',
        "<xmp:CreatorTool> A &amp; B </xmp:CreatorTool>"
        "<dc:creator><rdf:Seq><rdf:li>Ann</rdf:li><rdf:li>Bob</rdf:li><rdf:li/></rdf:Seq></dc:creator>"
        '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">T</rdf:li></rdf:Alt></dc:title>'
        "<xmpMM:History><rdf:Seq>"
        '<rdf:li stEvt:softwareAgent="one"/>'
        '<rdf:li rdf:parseType="Resource"><stEvt:softwareAgent>two</stEvt:softwareAgent></rdf:li>'
        '<rdf:li><rdf:Description stEvt:softwareAgent="three"/></rdf:li>'
        "</rdf:Seq></xmpMM:History>",
    )
    parsed = xmp.parse(packet)
    assert parsed.text(xmp.DUBLIN_CORE, "format") == "image/jpeg"
    assert parsed.text(xmp.BASIC, "CreatorTool") == "A & B"
    assert parsed.texts(xmp.DUBLIN_CORE, "creator") == ["Ann", "Bob"]
    assert parsed.text(xmp.DUBLIN_CORE, "title") == "T"
    assert parsed.fields(xmp.MEDIA_MANAGEMENT, "History", xmp.RESOURCE_EVENT, "softwareAgent") == [
        "one",
        "two",
        "three",
    ]
    assert parsed.text("http://another.example/", "CreatorTool") is None


def test_xmp_of_an_ingredient_is_not_that_of_the_picture(xmp_packet):
    ingredient = '<rdf:li><rdf:Description xmp:CreatorTool="A"/></rdf:li>'
    parsed = xmp.parse(xmp_packet("", f"<xmpMM:Ingredients><rdf:Bag>{ingredient}</rdf:Bag></xmpMM:Ingredients>"))
    assert parsed.text(xmp.BASIC, "CreatorTool") is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_xmp_encodings(encoding, with_metadata, xmp_packet):
    plain = with_metadata("WEBP", xmp="X")
    packet = (xmp_packet('xmp:CreatorTool="猫"') + "\0").encode(encoding)
    chunk = b"XMP " + struct.pack("<I", len(packet)) + packet + bytes(len(packet) % 2)
    start = plain.index(b"XMP ")
    data = plain[:4] + struct.pack("<I", start + len(chunk) - 8) + plain[8:start] + chunk
    assert xmp.parse(*find(data).xmp).text(xmp.BASIC, "CreatorTool") == "猫"


@pytest.mark.parametrize("text", ["", "x", "[1]", "{", '{"a": 1' + "0" * 5000 + "}", "null", '"{}"'])
def test_what_is_no_json_object(text):
    assert JsonTexts().parse(text) is None


def test_json_that_is_too_much():
    for text in ('{"a": ' * 5000, '{"a": "' + "x" * 3_000_000 + '"}'):
        texts = JsonTexts()
        for _ in range(2):
            with pytest.raises(UnreadableError):
                texts.parse(text)


def test_all_json_of_a_file_has_one_limit_and_each_text_is_parsed_once():
    texts = JsonTexts()
    large = ['{"a": "' + character * 900_000 + '"}' for character in "bcd"]
    parsed = [texts.parse(text) for text in large[:2]]
    with pytest.raises(UnreadableError, match="too large"):
        texts.parse(large[2])
    assert [texts.parse(text) is before for text, before in zip(large[:2], parsed, strict=True)] == [True, True]
    assert texts.parse('{"small": 1}') == {"small": 1}


def test_texts_are_cut_and_cleaned():
    details = bounded(
        {"a": "x" * 20_000, "b": "\u202e\x1b[31mred\r\nline\u3000", "c": None, "d": [float("nan"), 2**70, True]}
    )
    assert details["a"] == "x" * MAX_VALUE + " [cut: 20000 characters in the file]"
    assert details["b"] == "[31mred\nline "
    assert "c" not in details
    assert details["d"] == ["nan", "a number too large to be one", True]
    assert one_line("a\n\n b\0" + "c" * 500, 20) == "a b" + "c" * 16 + "…"
