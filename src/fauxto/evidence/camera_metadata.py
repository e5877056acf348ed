"""Camera metadata: the settings, the software used since, and where they contradict the picture.

Anyone can write it or copy it from a photograph, so it is never evidence of a real one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fauxto.evidence import exif, iptc, metadata, thumbnail, xmp
from fauxto.evidence.generator_metadata.makers import in_place_of_camera
from fauxto.evidence.metadata import Metadata
from fauxto.evidence.untrusted import bounded, one_line
from fauxto.images import FileFacts, Image
from fauxto.jpeg_tables import is_standard, read_tables
from fauxto.limits import Limits
from fauxto.report import Evidence, Says, Trust

SOURCE = "camera_metadata"

MAX_SOFTWARE = 20
MAX_NAME = 100

# Tags of EXIF 3.0.
_MAKE, _MODEL, _SOFTWARE, _ARTIST, _HOST_COMPUTER, _COPYRIGHT = 0x010F, 0x0110, 0x0131, 0x013B, 0x013C, 0x8298
_EXPOSURE_TIME, _F_NUMBER, _ISO, _TIME_TAKEN, _TIME_ZONE = 0x829A, 0x829D, 0x8827, 0x9003, 0x9011
_FOCAL_LENGTH, _MAKER_NOTE, _WIDTH, _HEIGHT, _FOCAL_LENGTH_35 = 0x920A, 0x927C, 0xA002, 0xA003, 0xA405
_OWNER, _SERIAL_NUMBER, _LENS, _LENS_SERIAL_NUMBER = 0xA430, 0xA431, 0xA434, 0xA435
_LATITUDE_SIGN, _LATITUDE, _LONGITUDE_SIGN, _LONGITUDE = 1, 2, 3, 4
_DATE = re.compile(r"^(\d{4}):(\d\d):(\d\d)")
_ISO_TIME = re.compile(r"^([\d-]{10})T([\d:.]*)(Z|[+-][\d:]*)?")
_FRACTION = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)(?:/(\d{1,12}))?")
# "GPSCoordinate" of ISO 16684-1 (2019).
_XMP_POSITION = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d{1,12})?)(?:,(\d{1,2}(?:\.\d{1,12})?))?([NSEW])")


WITH_MAKER_NOTE = ("Apple", "Canon", "NIKON CORPORATION")
OWN_TABLES = ("Canon",)
"""Makes whose cameras write a MakerNote, and those with quantisation tables of their own, as far as we could measure:
docs/reference/evidence-metadata.md has the counts. Others, including newer Nikon cameras, write libjpeg's tables."""

SAME_PICTURE = 0.7
"""Correlation below which thumbnail and picture show different things; measured on the same page."""


def read(data: bytes, image: Image, limits: Limits) -> Evidence:
    """Read what the metadata states about the camera and later software.

    Args:
        data: The whole file.
        image: The decoded picture.
        limits: Limits on the file.

    Returns:
        Evidence that always says `nothing`. Names, serial numbers and places are in its details under "personal" and
        nowhere else. docs/reference/evidence-metadata.md has the rest.
    """
    parsed = metadata.parse(data, image.facts.format, limits)
    settings = _settings(parsed)
    location = _location(parsed)
    preview = thumbnail.compare(parsed.exif.thumbnail, image) if parsed.exif.thumbnail else {}
    details = {
        **settings,
        "has_location": bool(location) or None,
        "software": _software(parsed) or None,
        "thumbnail": preview or None,
        "notes": list(_notes(data, image.facts, parsed.exif, preview)) or None,
        "personal": {**location, **_personal(parsed)} or None,
        "unreadable": "; ".join(dict.fromkeys(parsed.unreadable)) or None,
    }
    software = [text.value for text in parsed.texts if text.name in ("Software", "CreatorTool")]
    summary = _summary(details, software)
    return Evidence(SOURCE, Says.NOTHING, Trust.DECLARED, summary, bounded(details))


def _summary(details: Mapping[str, Any], software: Sequence[str]) -> str:
    make, model = (one_line(details.get(key) or "", 60) for key in ("make", "model"))
    if generator := in_place_of_camera(make, model, software):
        return f"Where the camera belongs, the metadata names an image generator, {generator}."
    if not make and not model and details["unreadable"]:
        return "A part of the metadata can't be read and may name a camera; what can be read names none."
    others = [key.removeprefix("has_") for key, value in details.items() if value is not None and key != "personal"]
    if not make and not model and others:
        return f"The metadata names no camera, but has other fields ({', '.join(others).replace('_', ' ')})."
    if not make and not model:
        return "The metadata names no camera. That means nothing: many programs and sites strip metadata."
    camera = model if model.lower().startswith(make.lower()) else f"{make} {model}".strip()
    date = f" on {one_line(details['taken'], 30)}" if details.get("taken") else ""
    return f"The metadata names a camera ({camera}){date}. Anyone can write that, so it isn't evidence of a photograph."


def _settings(parsed: Metadata) -> dict[str, Any]:
    """Return what EXIF states, or else XMP: Lightroom and Bridge write XMP only into a PNG."""
    image, photo, properties = parsed.exif.image, parsed.exif.photo, parsed.xmp
    numbers = {
        "exposure_seconds": (_EXPOSURE_TIME, xmp.EXIF, "ExposureTime"),
        "f_number": (_F_NUMBER, xmp.EXIF, "FNumber"),
        "iso": (_ISO, xmp.EXIF_2, "PhotographicSensitivity"),
        "focal_length_mm": (_FOCAL_LENGTH, xmp.EXIF, "FocalLength"),
        "focal_length_35mm": (_FOCAL_LENGTH_35, xmp.EXIF, "FocalLengthIn35mmFilm"),
    }
    read = {
        name: _first(photo.number(tag), _fraction(properties.text(namespace, field)))
        for name, (tag, namespace, field) in numbers.items()
    }
    read["iso"] = _first(read["iso"], _fraction(properties.text(xmp.EXIF, "ISOSpeedRatings")))  # before EXIF 2.3
    return {
        "make": _name(image.text(_MAKE) or properties.text(xmp.TIFF, "Make")),
        "model": _name(image.text(_MODEL) or properties.text(xmp.TIFF, "Model")),
        "lens": _name(
            photo.text(_LENS) or properties.text(xmp.EXIF_2, "LensModel") or properties.text(xmp.CAMERA, "Lens")
        ),
        "taken": _name(_time_taken(parsed)),
        **{name: None if number is None else _rounded(number) for name, number in read.items()},
    }


def _first(number: float | None, other: float | None) -> float | None:
    return other if number is None else number


def _fraction(value: str | None) -> float | None:
    """Return a number that XMP writes as "1/250" or "8"; None for anything else."""
    parts = _FRACTION.fullmatch(value or "")
    if parts is None:
        return None
    denominator = float(parts[2] or 1)
    return float(parts[1]) / denominator if denominator else None


def _time_taken(parsed: Metadata) -> str:
    photo, properties = parsed.exif.photo, parsed.xmp
    if time := photo.text(_TIME_TAKEN):
        return " ".join((_DATE.sub(r"\1-\2-\3", time), photo.text(_TIME_ZONE) or "")).strip()
    time = properties.text(xmp.EXIF, "DateTimeOriginal") or properties.text(xmp.PHOTOSHOP, "DateCreated") or ""
    return _ISO_TIME.sub(r"\1 \2 \3", time).strip()


def _rounded(number: float) -> float:
    """Round to four significant digits; whole numbers become int."""
    rounded = float(f"{number:.4g}")
    return int(rounded) if rounded.is_integer() else rounded


def _name(value: str | None) -> str | None:
    """Return a value that may be a name; ComfyUI writes its graphs into the camera fields."""
    return value if value and len(value) <= MAX_NAME and "{" not in value else None


def _software(parsed: Metadata) -> list[str]:
    """Return the programs that the metadata names, oldest first where the order is known."""
    history = parsed.xmp.fields(xmp.MEDIA_MANAGEMENT, "History", xmp.RESOURCE_EVENT, "softwareAgent")
    in_xmp = (*parsed.xmp.texts(xmp.BASIC, "CreatorTool"), *parsed.xmp.texts(xmp.TIFF, "Software"))
    named = (*history, *in_xmp, *parsed.exif.image.texts(_SOFTWARE))
    return list(dict.fromkeys(name for name in named if name))[:MAX_SOFTWARE]


def position(parsed: Metadata) -> tuple[float, float] | None:
    """Return latitude and longitude in degrees, north and east positive; None without a valid position."""
    stated = _location(parsed)
    latitude, longitude = (_xmp_degrees(stated.get(name, "")) for name in ("latitude", "longitude"))
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return latitude, longitude


def _xmp_degrees(stated: float | str) -> float | None:
    """Return a position of XMP, "48,51,29N" or "48,51.49N", in degrees; None for another text."""
    if isinstance(stated, float):
        return stated
    parts = _XMP_POSITION.fullmatch(stated)
    if parts is None:
        return None
    degrees = float(parts[1]) + float(parts[2]) / 60 + float(parts[3] or 0) / 3600
    return round(-degrees if parts[4] in "SW" else degrees, 6)


def _location(parsed: Metadata) -> dict[str, float | str]:
    """Return latitude and longitude: degrees (north and east positive), or text where only XMP has them."""
    texts = {name: parsed.xmp.text(xmp.EXIF, f"GPS{name.title()}") for name in ("latitude", "longitude")}
    return _degrees(parsed.exif.gps) or {name: text for name, text in texts.items() if text}


def _degrees(gps: exif.Tags) -> dict[str, float | str]:
    """Return latitude and longitude in degrees; empty unless both are valid."""
    degrees: dict[str, float | str] = {}
    for name, tag, sign_tag, negative, most in (
        ("latitude", _LATITUDE, _LATITUDE_SIGN, "S", 90),
        ("longitude", _LONGITUDE, _LONGITUDE_SIGN, "W", 180),
    ):
        parts = gps.numbers(tag)
        if parts is None or len(parts) != 3 or not all(map(math.isfinite, parts)):
            return {}
        value = parts[0] + parts[1] / 60 + parts[2] / 3600
        if not abs(value) <= most:
            return {}
        degrees[name] = round(-value if gps.text(sign_tag) == negative else value, 6)
    return degrees


def _personal(parsed: Metadata) -> dict[str, str]:
    """Return the fields that identify a person, a device or a place."""
    image, photo, properties, captions = parsed.exif.image, parsed.exif.photo, parsed.xmp, parsed.iptc
    fields = {
        "artist": image.text(_ARTIST) or captions.get(iptc.BY_LINE) or parsed.png_text.get("Author"),
        "creator": ", ".join(properties.texts(xmp.DUBLIN_CORE, "creator")),
        "prompt_writer": properties.text(xmp.IPTC_EXTENSION, "AIPromptWriterName"),
        "owner": photo.text(_OWNER)
        or properties.text(xmp.CAMERA, "OwnerName")
        or properties.text(xmp.EXIF_2, "CameraOwnerName"),
        "copyright": image.text(_COPYRIGHT) or properties.text(xmp.DUBLIN_CORE, "rights"),
        "host_computer": image.text(_HOST_COMPUTER),
        "serial_number": photo.text(_SERIAL_NUMBER)
        or properties.text(xmp.CAMERA, "SerialNumber")
        or properties.text(xmp.EXIF_2, "BodySerialNumber"),
        "lens_serial_number": photo.text(_LENS_SERIAL_NUMBER)
        or properties.text(xmp.CAMERA, "LensSerialNumber")
        or properties.text(xmp.EXIF_2, "LensSerialNumber"),
        "place": captions.get(iptc.SUB_LOCATION) or properties.text(xmp.IPTC_CORE, "Location"),
        "city": captions.get(iptc.CITY) or properties.text(xmp.PHOTOSHOP, "City"),
        "state": captions.get(iptc.PROVINCE) or properties.text(xmp.PHOTOSHOP, "State"),
        "country": captions.get(iptc.COUNTRY) or properties.text(xmp.PHOTOSHOP, "Country"),
    }
    return {name: value for name, value in fields.items() if value}


def _notes(data: bytes, facts: FileFacts, directories: exif.Exif, preview: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence, led by a stable word, on each sign that the file isn't straight from a camera."""
    photo, make = directories.photo, directories.image.text(_MAKE)
    width, height = photo.number(_WIDTH), photo.number(_HEIGHT)
    if width and height and {width, height} != {facts.width, facts.height}:
        yield (
            f"resized: EXIF states {width:g} x {height:g} pixels, but the picture has {facts.width} x {facts.height}; "
            "it has been resized or cropped."
        )
    if preview and preview["correlation"] is not None and preview["correlation"] < SAME_PICTURE:
        yield "thumbnail_differs: the thumbnail shows a different picture, or another part of this one."
    if make in WITH_MAKER_NOTE and _MAKER_NOTE not in photo:
        yield f"no_maker_note: {make} cameras write a MakerNote; software has removed it."
    if make in OWN_TABLES and (luminance := read_tables(data).get(0)) is not None and is_standard(luminance):
        yield f"saved_again: the quantisation tables are libjpeg's; {make} cameras use their own."
