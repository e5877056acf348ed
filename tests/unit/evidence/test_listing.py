"""Every field of a file's metadata: read, bounded, made visible, and what is personal left out unless asked for."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time
from typing import Any

import pytest

import fauxto
from fauxto.errors import ImageError
from fauxto.evidence import listing
from fauxto.evidence.personal_fields import is_personal

CASE = Path(__file__).parents[2] / "public_cases" / "s01_signed_edit.jpg"
GPS = {1: "S", 2: (33.0, 51.0, 30.0), 3: "E", 4: (151.0, 12.0, 36.0)}

WithMetadata = Callable[..., bytes]


def value(metadata: fauxto.FileMetadata, where: str, name: str) -> str:
    [found] = [field.value for field in metadata.fields if (field.where, field.name) == (where, name)]
    return found


def texts(plain: object) -> Iterator[str]:
    if isinstance(plain, dict):
        plain = list(plain.values())
    if isinstance(plain, list):
        for item in plain:
            yield from texts(item)
    elif isinstance(plain, str):
        yield plain


def test_what_people_come_for() -> None:
    metadata = fauxto.read_metadata(CASE)
    assert dict(metadata.glance) == {
        "Taken": "2026-05-01 12:30:00 +02:00",
        "Camera": "Canon EOS R5",
        "Lens": "RF24-105mm F4 L IS USM",
        "Exposure": "1/250 s, f/2.8, ISO 400, 35 mm",
        "Programs, oldest first": "Canon EOS R5, Editor 4.2",
    }
    assert metadata.edits == (
        "created, 2026-05-01T12:30:00+02:00, Canon EOS R5",
        "saved, 2026-05-02T09:00:00+02:00, Editor 4.2",
    )
    assert value(metadata, "EXIF", "FNumber") == "2.8"
    assert value(metadata, "EXIF", "ExifVersion") == "0232"
    assert value(metadata, "XMP", "dc:subject 2") == "garden"
    assert value(metadata, "XMP", "xmpMM:History 2/stEvt:softwareAgent") == "Editor 4.2"
    assert metadata.thumbnail is not None
    assert metadata.thumbnail.shape == (80, 120, 3)
    assert "shows a different picture" in metadata.thumbnail_sentence
    assert "thumbnail" not in " ".join(metadata.notes)
    assert json.loads(json.dumps(metadata.to_dict(), allow_nan=False))["edits"] == list(metadata.edits)


def test_a_path_bytes_and_an_open_file_give_the_same() -> None:
    wanted = fauxto.read_metadata(CASE).to_dict()
    assert fauxto.read_metadata(CASE.read_bytes()).to_dict() == wanted
    assert fauxto.read_metadata(io.BytesIO(CASE.read_bytes())).to_dict() == wanted
    with pytest.raises(ImageError, match="isn't a picture"):
        fauxto.read_metadata(b"text")


def test_each_container_is_listed(with_metadata: WithMetadata, xmp_packet: Any) -> None:
    iptc = b"".join(
        bytes((0x1C, 2, dataset)) + len(text).to_bytes(2, "big") + text
        for dataset, text in (
            (105, b"A headline"),
            (55, b"20260501"),
            (200, b"12"),
            (201, b"other"),
            (27, b"Reykjavik"),
        )
    )
    metadata = fauxto.read_metadata(with_metadata(iptc=iptc, comment=b"a comment", xmp=xmp_packet('xmp:Rating="4"')))
    assert value(metadata, "IPTC", "headline") == "A headline"
    assert value(metadata, "IPTC", "date created") == "20260501"
    assert value(metadata, "IPTC", "dataset 200") == "12"
    # A place, and a text in a field without a name, of which nobody knows what it tells.
    assert metadata.withheld == 2
    assert not {"dataset 201", "content location name"} & {field.name for field in metadata.fields}
    assert value(metadata, "JPEG comment", "") == "a comment"
    assert value(metadata, "XMP", "xmp:Rating") == "4"
    assert value(fauxto.read_metadata(with_metadata("PNG", text={"Note": "hills"})), "PNG text", "Note") == "hills"
    nothing = fauxto.read_metadata(with_metadata())
    assert (nothing.fields, nothing.glance, nothing.withheld, nothing.credential) == ((), (), 0, None)


def test_people_and_places_come_only_when_asked_for(
    with_metadata: WithMetadata, exif_block: Callable[..., bytes], xmp_packet: Any
) -> None:
    exif = exif_block({0x010F: "Canon", 0x013B: "Jane Example"}, photo={0xA431: "0123456789"}, gps=GPS)
    structure = (
        "<Iptc4xmpExt:LocationShown><rdf:Bag><rdf:li rdf:parseType='Resource'>"
        "<Iptc4xmpExt:Sublocation>Opera House</Iptc4xmpExt:Sublocation></rdf:li></rdf:Bag></Iptc4xmpExt:LocationShown>"
        "<dc:description>seen from 33.8583, 151.2100 at noon</dc:description>"
    )
    iptc = b"\x1c\x02\x5a\x00\x06Sydney"
    data = with_metadata(exif=exif, xmp=xmp_packet('exif:GPSLatitude="33,51.5S"', structure), iptc=iptc)
    private = fauxto.read_metadata(data)
    said = json.dumps(private.to_dict())
    for secret in ("Jane", "0123456789", "33", "151.2", "Opera", "Sydney", "GPS"):
        assert secret not in said, secret
    assert private.position is None
    assert private.withheld == 10
    assert value(private, "EXIF", "Make") == "Canon"
    asked = fauxto.read_metadata(data, personal=True)
    assert asked.position == (-33.858333, 151.21)
    assert asked.withheld == 0
    assert len(asked.fields) == len(private.fields) + private.withheld
    assert value(asked, "EXIF GPS", "GPSLatitude") == "33, 51, 30"


@pytest.mark.parametrize(
    ("stated", "position"),
    [
        (("48,51.4937N", "2,17.67E"), (48.858228, 2.2945)),
        (("33,51,30S", "151,12,36W"), (-33.858333, -151.21)),
        (("91,0.0N", "2,17.67E"), None),
        (("48.85", "2.29"), None),
    ],
)
def test_a_position_that_only_xmp_has(
    with_metadata: WithMetadata, xmp_packet: Any, stated: tuple[str, str], position: tuple[float, float] | None
) -> None:
    xmp = xmp_packet(f'exif:GPSLatitude="{stated[0]}" exif:GPSLongitude="{stated[1]}"')
    assert fauxto.read_metadata(with_metadata(xmp=xmp), personal=True).position == position


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("XMP dc:creator", "J", True),
        ("XMP xmp:CreatorTool", "Editor 4.2", False),
        ("XMP drone-dji:GpsLongtitude", "1", True),
        ("PNG text geolocation", "1", True),
        ("XMP mwg-rs:Regions/mwg-rs:RegionList 1/mwg-rs:Name", "J", True),
        ("XMP aux:LensSerialNumber", "1", True),
        ("XMP crs:CameraProfileName", "Standard", False),
        ("EXIF SubjectLocation", "10, 20", False),
        ("EXIF UserComment", "all is well", False),
        ("IPTC by-line", "J", True),
        ("IPTC province or state", "NSW", True),
        ("EXIF ImageDescription", "+48.8577+002.2950/", True),
        ("EXIF ImageDescription", "48°51'29\"N 2°17'40\"E", True),
        ("EXIF ImageDescription", "write to jane@example.org", True),
        ("PNG text workflow", '{"latitude": 48.8}', True),
        ("EXIF DateTimeOriginal", "2026:05:01 12:30:00", False),
        ("XMP xmp:CreateDate", "2026-05-01T12:30:00+02:00", False),
        ("EXIF LensModel", "RF24-105mm F4 L IS USM", False),
        ("PNG text parameters", "Steps: 20, CFG scale: 7, Size: 512x768, 1.250, 0.75", False),
    ],
)
def test_what_is_personal(name: str, value: str, expected: bool) -> None:
    assert is_personal(name, value) is expected


def test_hostile_texts_are_visible_and_bounded(with_metadata: WithMetadata) -> None:
    texts_of_it = {"a": "x\x1b[31m\u202egnp\x00\x9b\ttab", "b": "n" * 50_000}
    metadata = fauxto.read_metadata(with_metadata("PNG", text={**texts_of_it, **{f"k{n}": "v" for n in range(60)}}))
    assert value(metadata, "PNG text", "a").startswith("x\\x1b[31m")
    assert value(metadata, "PNG text", "b") == "n" * listing.MAX_VALUE + " [cut: 50,000 characters in the file]"
    for text in texts(metadata.to_dict()):
        assert text.replace("\n", "").isprintable()


def test_many_fields_are_counted_and_not_all_listed(with_metadata: WithMetadata, xmp_packet: Any) -> None:
    elements = "".join(f"<dc:t{number}>{'v' * 900}</dc:t{number}>" for number in range(900))
    metadata = fauxto.read_metadata(with_metadata("PNG", xmp=xmp_packet("", elements)))
    assert 0 < len(metadata.fields) <= listing.MAX_FIELDS
    assert sum(len(field.value) for field in metadata.fields) <= listing.MAX_TOTAL
    assert metadata.unlisted == 900 - len(metadata.fields)


def test_tags_that_share_their_bytes_cost_little(with_metadata: WithMetadata) -> None:
    """A thousand tags that each name the same megabyte would be a gigabyte of text."""
    length, count = 60_000, 900
    start = 8 + 2 + 12 * count + 4
    entries = b"".join(
        tag.to_bytes(2, "little") + b"\2\0" + length.to_bytes(4, "little") + start.to_bytes(4, "little")
        for tag in range(0x9000, 0x9000 + count)
    )
    block = b"II*\0\x08\0\0\0" + count.to_bytes(2, "little") + entries + bytes(4)
    data = with_metadata("PNG", exif=block + b"@ " * (length // 2))
    tracemalloc.start()
    started = process_time()
    metadata = fauxto.read_metadata(data)
    assert process_time() - started < 20
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
    assert sum(len(field.value) for field in metadata.fields) <= listing.MAX_TOTAL


def test_a_search_finds_words_in_any_case_and_place() -> None:
    metadata = fauxto.read_metadata(CASE)
    assert [field.name for field in metadata.matching("LENS")] == ["LensModel"]
    assert [field.name for field in metadata.matching("exif editor")] == ["Software"]
    assert metadata.matching("") == metadata.fields
    assert metadata.matching("no such thing") == ()
