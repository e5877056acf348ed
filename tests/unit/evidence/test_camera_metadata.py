"""What a file says of its camera: always declared, never evidence of anything, and personal things apart."""

from __future__ import annotations

import io
import json

import numpy as np
import PIL.Image
import pytest
from PIL.TiffImagePlugin import IFDRational

from fauxto.evidence import camera_metadata
from fauxto.images import decode
from fauxto.limits import Limits
from fauxto.report import Says, Trust

MAKE, MODEL, SOFTWARE, ARTIST, HOST, ORIENTATION = 0x010F, 0x0110, 0x0131, 0x013B, 0x013C, 0x0112
EXPOSURE, F_NUMBER, ISO, FOCAL_LENGTH, TAKEN, ZONE = 0x829A, 0x829D, 0x8827, 0x920A, 0x9003, 0x9011
WIDTH, HEIGHT, MAKER_NOTE, SERIAL, LENS = 0xA002, 0xA003, 0x927C, 0xA431, 0xA434
CANON = {MAKE: "Canon", MODEL: "Canon EOS 40D"}


def read(data):
    limits = Limits()
    evidence = camera_metadata.read(data, decode(data, limits), limits)
    assert (evidence.source, evidence.says, evidence.trust) == ("camera_metadata", Says.NOTHING, Trust.DECLARED)
    json.dumps(evidence.details, allow_nan=False)
    return evidence


def words(evidence):
    return [note.partition(":")[0] for note in evidence.details.get("notes", ())]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_the_settings_of_a_camera(format, with_metadata, exif_block):
    photo = {
        EXPOSURE: IFDRational(10, 3000),
        F_NUMBER: IFDRational(71, 10),
        ISO: 100,
        FOCAL_LENGTH: IFDRational(135, 1),
        TAKEN: "2008:05:30 15:56:01",
        ZONE: "+02:00",
        LENS: "EF 135mm f/2L USM",
        MAKER_NOTE: b"x",
    }
    evidence = read(with_metadata(format, exif=exif_block(CANON | {SOFTWARE: "GIMP 2.4.5"}, photo=photo)))
    assert evidence.details == {
        "make": "Canon",
        "model": "Canon EOS 40D",
        "lens": "EF 135mm f/2L USM",
        "taken": "2008-05-30 15:56:01 +02:00",
        "exposure_seconds": 0.003333,
        "f_number": 7.1,
        "iso": 100,
        "focal_length_mm": 135,
        "software": ["GIMP 2.4.5"],
        **({"notes": evidence.details["notes"]} if format == "JPEG" else {}),
    }
    assert words(evidence) == (["saved_again"] if format == "JPEG" else [])
    assert "(Canon EOS 40D) on 2008-05-30 15:56:01 +02:00" in evidence.summary


def test_a_generator_in_the_place_of_a_camera(with_metadata, exif_block):
    evidence = read(with_metadata("PNG", exif=exif_block({MAKE: "Ideogram AI"})))
    assert evidence.details["make"] == "Ideogram AI"
    assert "names an image generator, Ideogram AI." in evidence.summary


def test_a_file_without_a_camera(with_metadata):
    evidence = read(with_metadata("PNG"))
    assert dict(evidence.details) == {}
    assert "That means nothing" in evidence.summary


def test_personal_things_stand_apart(with_metadata, exif_block, xmp_packet):
    gps = {1: "S", 2: (40.0, 44.0, 11.0), 3: "W", 4: (73.0, 59.0, IFDRational(355, 10))}
    exif = exif_block(CANON | {ARTIST: "Ann", HOST: "Anns phone"}, photo={SERIAL: "062", MAKER_NOTE: b"x"}, gps=gps)
    xmp = xmp_packet(
        'aux:OwnerName="Bob" photoshop:City="Oslo" Iptc4xmpExt:AIPromptWriterName="Dee"',
        "<dc:creator><rdf:Seq><rdf:li>Cy</rdf:li></rdf:Seq></dc:creator>",
    )
    evidence = read(with_metadata("PNG", exif=exif, xmp=xmp))
    assert evidence.details["personal"] == {
        "latitude": -40.736389,
        "longitude": -73.993194,
        "artist": "Ann",
        "creator": "Cy",
        "prompt_writer": "Dee",
        "owner": "Bob",
        "host_computer": "Anns phone",
        "serial_number": "062",
        "city": "Oslo",
    }
    assert evidence.details["has_location"] is True
    rest = json.dumps([{key: value for key, value in evidence.details.items() if key != "personal"}, evidence.summary])
    assert not any(word in rest for word in ("40.7", "Ann", "Cy", "Bob", "062", "Oslo", "Dee"))


@pytest.mark.parametrize(
    "gps",
    [
        {1: "N", 2: (40.0, 44.0, 11.0)},
        {2: (IFDRational(1, 0), 0.0, 0.0), 4: (1.0, 0.0, 0.0)},
        {2: (95.0, 0.0, 0.0), 4: (1.0, 0.0, 0.0)},
        {2: (40.0, 0.0), 4: (1.0, 0.0, 0.0)},
    ],
)
def test_a_location_that_is_none(gps, with_metadata, exif_block):
    assert dict(read(with_metadata(exif=exif_block({}, gps=gps))).details) == {}


def test_a_location_in_xmp_alone(with_metadata, xmp_packet):
    data = with_metadata("PNG", xmp=xmp_packet('exif:GPSLatitude="40,44.2N" exif:GPSLongitude="73,59.6W"'))
    expected = {"has_location": True, "personal": {"latitude": "40,44.2N", "longitude": "73,59.6W"}}
    assert read(data).details == expected


def test_the_history_of_software(with_metadata, exif_block, xmp_packet):
    steps = "".join(
        f'<rdf:li stEvt:softwareAgent="{name}"/>' for name in ("Lightroom 5", "Photoshop 25", "Photoshop 25")
    )
    xmp = xmp_packet('xmp:CreatorTool="Lightroom 5"', f"<xmpMM:History><rdf:Seq>{steps}</rdf:Seq></xmpMM:History>")
    evidence = read(with_metadata(exif=exif_block({SOFTWARE: "GIMP 2.10"}), xmp=xmp))
    assert evidence.details == {"software": ["Lightroom 5", "Photoshop 25", "GIMP 2.10"]}


def test_what_comfyui_writes_is_no_camera(with_metadata, exif_block):
    exif = exif_block({MAKE: 'workflow:{"nodes": []}', MODEL: "prompt:{}"})
    assert dict(read(with_metadata("WEBP", exif=exif)).details) == {}


@pytest.mark.parametrize(
    ("tags", "settings", "expected"),
    [
        (CANON, {MAKER_NOTE: b"x"}, ["saved_again"]),
        (CANON, {}, ["no_maker_note", "saved_again"]),
        ({MAKE: "NIKON CORPORATION"}, {}, ["no_maker_note"]),
        ({MAKE: "SONY"}, {}, []),
        ({MAKE: "SONY"}, {WIDTH: 64, HEIGHT: 48}, []),
        ({MAKE: "SONY"}, {WIDTH: 48, HEIGHT: 64}, []),  # turned
        ({MAKE: "SONY"}, {WIDTH: 6000, HEIGHT: 4000}, ["resized"]),
        ({MAKE: "SONY"}, {WIDTH: 0, HEIGHT: 0}, []),
    ],
)
def test_notes(tags, settings, expected, with_metadata, exif_block):
    assert words(read(with_metadata(exif=exif_block(tags, photo=settings)))) == expected


def with_thumbnail(pixels, thumbnail, orientation=1):
    """A JPEG whose EXIF block has a thumbnail in its second directory."""
    small, file = io.BytesIO(), io.BytesIO()
    PIL.Image.fromarray(thumbnail).save(small, "JPEG", quality=60)
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = orientation
    block = exif.tobytes()
    assert block[6:8] == b"MM"
    start = len(block) - 6
    entries = ((0x0201, start + 30), (0x0202, small.tell()))
    directory = b"".join(tag.to_bytes(2, "big") + b"\0\4\0\0\0\1" + value.to_bytes(4, "big") for tag, value in entries)
    block = block[:-4] if block.endswith(b"\0\0\0\0") else block
    block += (start).to_bytes(4, "big")
    block += b"\0\2" + directory + b"\0\0\0\0" + small.getvalue()
    PIL.Image.fromarray(pixels).save(file, "JPEG", exif=block)
    return file.getvalue()


def shrink(pixels, width, height):
    return np.asarray(PIL.Image.fromarray(pixels).resize((width, height)))


def bars(pixels, top, bottom):
    return np.pad(pixels, ((top, bottom), (0, 0), (0, 0)), constant_values=4)


def test_a_thumbnail_is_compared_with_its_picture(photographs):
    picture, other = photographs["coffee"], photographs["chelsea"]  # 600 x 400, 451 x 300
    small = shrink(picture, 160, 106)
    same = [
        with_thumbnail(picture, small),
        with_thumbnail(picture, bars(small, 7, 7)),
        with_thumbnail(picture, bars(small, 14, 0)),
        with_thumbnail(np.ascontiguousarray(np.rot90(picture)), np.ascontiguousarray(np.rot90(small)), 6),
        with_thumbnail(np.ascontiguousarray(np.rot90(picture)), small, 6),  # a program turned only the pixels
    ]
    for data in same:
        evidence = read(data)
        assert evidence.details["thumbnail"]["same_shape"]
        assert evidence.details["thumbnail"]["correlation"] > 0.95
        assert evidence.details["thumbnail"]["difference"] < 8
        assert "notes" not in evidence.details
    for thumbnail in (shrink(other, 160, 106), shrink(picture[:200, :300], 160, 106)):
        evidence = read(with_thumbnail(picture, thumbnail))
        assert words(evidence) == ["thumbnail_differs"]
    stretched = read(with_thumbnail(picture, shrink(picture, 160, 120)))
    assert stretched.details["thumbnail"]["same_shape"] is False
    assert "notes" not in stretched.details


def test_a_thumbnail_that_is_too_large_or_flat(photographs):
    picture = photographs["coffee"]
    assert "thumbnail" not in read(with_thumbnail(picture, shrink(picture, 900, 600))).details
    flat = read(with_thumbnail(picture, np.full((106, 160, 3), 128, np.uint8)))
    assert "correlation" not in flat.details["thumbnail"]
    assert "notes" not in flat.details


CAMERAS = {
    "camera__Canon_40D.jpg": ("Canon", "Canon EOS 40D", False, ["no_maker_note", "saved_again"]),
    "camera__DSCN0010.jpg": ("NIKON", "COOLPIX P6000", True, []),
    "camera__canon_hdr_YES.jpg": ("Canon", "Canon PowerShot SX60 HS", False, []),
    "c2pa-camera__nikon-20221019-building.jpeg": ("NIKON CORPORATION", "NIKON Z 9", True, []),
    "xmp-composite__beau_headshot.jpg": ("SONY", "ILCE-7M3", False, ["resized"]),
    "c2pa-rs-jpg__C.jpg": (None, None, False, []),
}


@pytest.mark.parametrize("name", CAMERAS)
def test_real_files(name, shared):
    make, model, has_location, notes = CAMERAS[name]
    evidence = read((shared / "data/metadata-cases" / name).read_bytes())
    details = evidence.details
    assert (details.get("make"), details.get("model"), details.get("has_location", False)) == (
        make,
        model,
        has_location,
    )
    assert ("latitude" in details.get("personal", {})) is has_location
    assert words(evidence) == notes
    if "thumbnail" in details:
        assert details["thumbnail"]["correlation"] > 0.99
