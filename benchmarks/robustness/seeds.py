"""Small whole files of every kind that fauxto opens, which benchmarks then damage: pictures, credentials, archives."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from PIL.PngImagePlugin import PngInfo

from fauxto.evidence.blocks import find_credential

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
ARCHIVES = ("ZIP", "TAR", "TAR.GZ")
Kinds = Mapping[str, tuple[bytes, ...]]
"""Whole files, by kind: a format, "JUMBF" for what carries a credential, or an archive."""

CASES = Path(__file__).parents[2] / "tests/public_cases"

_CASE_FORMATS = {".jpg": "JPEG", ".png": "PNG", ".gif": "GIF", ".webp": "WEBP", ".avif": "AVIF"}
_LARGEST_CASE = 10_000  # bytes
_SIGNED = "c02_pixel_xmp_excluded.jpg"
_XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
_RICH_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
    b' xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"'
    b' xmp:CreatorTool="a program"><dc:creator><rdf:Seq><rdf:li>Ann</rdf:li></rdf:Seq></dc:creator><xmpMM:History>'
    b'<rdf:Seq><rdf:li stEvt:action="saved" stEvt:softwareAgent="a &amp; b"/></rdf:Seq></xmpMM:History>'
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)
_CREDENTIAL_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_PHOTOSHOP = b"Photoshop 3.0\08BIM\x04\x04\0\0\0\0\0\x16\x1c\x02\x50\0\x03Ann\x1c\x02\x6e\0\x09an editor"
_SETTINGS = 'a cat\nNegative prompt: a dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 64x48, Model: "m"'
_GRAPH = '{"3": {"class_type": "KSampler", "inputs": {"seed": 1, "model": ["4", 0], "latent_image": ["5", 0]}}}'


def picture(width: int = 64, height: int = 48) -> PIL.Image.Image:
    """Return a small part of a photograph."""
    from skimage import data

    return PIL.Image.fromarray(np.ascontiguousarray(data.astronaut()[100 : 100 + height, 100 : 100 + width]))


def saved(image: PIL.Image.Image, format: str, **options: Any) -> bytes:
    """Return a picture as a file."""
    file = io.BytesIO()
    if format == "HEIF":
        from pillow_heif import from_pillow

        from_pillow(image).save(file, **options)
    else:
        if format == "JXL":
            import pillow_jxl  # noqa: F401  # it registers the format
        image.save(file, format, **options)
    return file.getvalue()


def whole_files() -> list[bytes]:
    """Return one undamaged file of each of `FORMATS`, with metadata where it has a place."""
    image = picture()
    exif = PIL.Image.Exif()
    exif.update({271: "Canon", 274: 6, 305: "a program", 315: "Ann"})
    files = []
    for format in FORMATS:
        options: dict[str, Any] = {} if format in ("GIF", "BMP") else {"exif": exif.tobytes()}
        if format in ("JPEG", "WEBP", "AVIF"):
            options["xmp"] = _XMP
        if format == "GIF":
            options |= {"save_all": True, "append_images": [image.rotate(90)]}
        files.append(saved(image, format, **options))
    return files


@cache
def pictures() -> dict[str, tuple[bytes, ...]]:
    """Return small pictures by format, in many variants, and under "JUMBF" those with a content credential."""
    image = picture(40, 32)
    grey, alpha, palette = image.convert("L"), image.convert("RGBA"), image.quantize(16)
    alpha.putalpha(grey)
    exif = _exif()
    cases: dict[str, list[bytes]] = {format: [data] for format, data in zip(FORMATS, whole_files(), strict=True)}
    for path in sorted(CASES.iterdir()):
        if (format := _CASE_FORMATS.get(path.suffix, "")) and path.stat().st_size <= _LARGEST_CASE:
            cases[format].append(path.read_bytes())
    icc = _profile()
    both = {"exif": exif, "xmp": _RICH_XMP}
    jpeg = saved(image, "JPEG", **both, icc_profile=icc, comment=b"a comment")
    cases["JPEG"] += [
        jpeg[:2] + _segment(0xED, _PHOTOSHOP) + jpeg[2:],
        saved(image, "JPEG", progressive=True, quality=60),
        saved(image.convert("CMYK"), "JPEG", exif=exif, restart_marker_blocks=2),
        saved(grey, "JPEG") + jpeg,
    ]
    cases["PNG"] += [
        saved(alpha, "PNG", pnginfo=_png_texts(), exif=exif, icc_profile=icc),
        saved(palette, "PNG", transparency=3),
        saved(PIL.Image.fromarray(np.asarray(grey, np.uint16) * 257), "PNG"),
        saved(image, "PNG", save_all=True, append_images=[image.rotate(90)]),
        saved(grey.convert("1"), "PNG"),
    ]
    cases["WEBP"] += [
        saved(alpha, "WEBP", lossless=True, **both, icc_profile=icc),
        saved(image, "WEBP", save_all=True, append_images=[image.rotate(90)]),
        saved(image, "WEBP", lossless=True),
    ]
    comment = {"comment": _SETTINGS.encode(), "transparency": 3}
    cases["GIF"] += [saved(palette, "GIF", interlace=0), saved(palette, "GIF", **comment)]
    cases["BMP"] += [saved(palette, "BMP"), saved(alpha, "BMP"), saved(grey.convert("1"), "BMP")]
    compressions = ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    cases["TIFF"] += [
        saved(image, "TIFF", compression=compression, tiffinfo=_tiff_tags()) for compression in compressions
    ]
    cases["TIFF"] += [
        saved(image.convert("CMYK"), "TIFF", icc_profile=icc, strip_size=1024),
        saved(grey, "TIFF", save_all=True, append_images=[grey]),
        saved(palette, "TIFF"),
        saved(alpha, "TIFF"),
    ]
    cases["AVIF"] += [
        saved(alpha, "AVIF", **both, quality=40),
        saved(image, "AVIF", save_all=True, append_images=[image]),
    ]
    cases["HEIF"] += [saved(alpha, "HEIF", **both, quality=40), saved(grey, "HEIF")]
    bare = saved(image, "JXL", lossless=True)
    cases["JXL"] = [bare, saved(alpha, "JXL", **both, use_container=True), saved(image, "JXL", exif=exif, quality=70)]
    cases["JUMBF"] = _signed(cases)
    return {format: tuple(files) for format, files in cases.items()}


@cache
def archives() -> dict[str, tuple[bytes, ...]]:
    """Return small archives by kind, each of a few pictures and of members that aren't read."""
    members = {
        "a.jpg": pictures()["JPEG"][0],
        "b/c.png": pictures()["PNG"][1],
        "b/ü.gif": pictures()["GIF"][1],
        "notes.txt": b"no picture\n" * 20,
    }
    tars = (_tar(members, tarfile.USTAR_FORMAT), _tar(members, tarfile.GNU_FORMAT), _tar(members, tarfile.PAX_FORMAT))
    zips = (_zip(members, zipfile.ZIP_STORED), _zip(members, zipfile.ZIP_DEFLATED), _zip(members, zipfile.ZIP_LZMA))
    return {"ZIP": zips, "TAR": tars, "TAR.GZ": tuple(gzip.compress(tar, 6, mtime=0) for tar in tars)}


def _zip(members: dict[str, bytes], compression: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.comment = b"a comment"
        archive.writestr(zipfile.ZipInfo("b/"), b"")
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = compression
            with archive.open(info, "w", force_zip64=name == "a.jpg") as member:
                member.write(data)
    return file.getvalue()


def _tar(members: dict[str, bytes], format: int) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=format, pax_headers={"comment": "of all members"}) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name if format == tarfile.USTAR_FORMAT else f"{'long/' * 30}{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        kinds = {
            "link": tarfile.SYMTYPE,
            "pipe": tarfile.FIFOTYPE,
            "folder": tarfile.DIRTYPE,
            "holes": tarfile.GNUTYPE_SPARSE,
        }
        for name, kind in kinds.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "a.jpg"
            info.uid = 0 if format == tarfile.USTAR_FORMAT else 1 << 40  # beyond octal: base 256, or a record
            archive.addfile(info)
        if format == tarfile.PAX_FORMAT:
            info = tarfile.TarInfo("holes too")
            info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "more.jpg"}
            archive.addfile(info)
    return file.getvalue().rstrip(b"\0").ljust(512 * 80, b"\0")


def _exif() -> bytes:
    exif = PIL.Image.Exif()
    exif.update({271: "Apple", 272: "a phone", 274: 1, 305: "a program", 306: "2024:01:02 03:04:05", 0x9C9C: b"a\0b\0"})
    exif.get_ifd(0x8769).update({0x829A: 0.004, 0x9286: b"ASCII\0\0\0" + _SETTINGS.encode(), 0xA002: 40, 0xA003: 32})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 29.0), 3: "E", 4: (2.0, 17.0, 40.0)})
    block = bytearray(exif.tobytes())
    # Behind the tags, a directory with a thumbnail, to which that of the picture's tags leads on.
    small = saved(picture(8, 6), "JPEG")
    order, start = ("<", ">")[block[6:8] == b"MM"], len(block) - 6
    entries = (2, 0x201, 4, 1, start + 30, 0x202, 4, 1, len(small), 0)
    thumbnail = struct.pack(f"{order}HHHIIHHIII", *entries)
    (first,) = struct.unpack_from(f"{order}I", block, 10)
    (count,) = struct.unpack_from(f"{order}H", block, 6 + first)
    struct.pack_into(f"{order}I", block, 6 + first + 2 + 12 * count, start)
    return bytes(block) + thumbnail + small


def _tiff_tags() -> dict[int, Any]:
    return {305: "a program", 315: "Ann", 700: _RICH_XMP, 33723: _PHOTOSHOP[-26:], 34377: _PHOTOSHOP[14:]}


def _png_texts() -> PngInfo:
    texts = PngInfo()
    texts.add_text("parameters", _SETTINGS)
    texts.add_text("prompt", _GRAPH, zip=True)
    texts.add_itxt("XML:com.adobe.xmp", _RICH_XMP.decode(), zip=True)
    profile = (b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x011\0\x02\0\0\0\x04abc\0\0\0\0\0").hex()
    texts.add_text("Raw profile type exif", f"\nexif\n{len(profile) // 2:8}\n{profile}\n", zip=True)
    texts.add(b"AIGC", b'{"Label": "1", "ContentProducer": "a program"}')
    return texts


def _profile() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _signed(cases: dict[str, list[bytes]]) -> list[bytes]:
    """Return a signed JPEG, and pictures of other formats that carry its credential, which doesn't fit them."""
    signed = (CASES / _SIGNED).read_bytes()
    credential = find_credential(signed, "JPEG")
    png, webp, gif, avif = (cases[format][0] for format in ("PNG", "WEBP", "GIF", "AVIF"))
    chunk = b"caBX" + credential
    png = png[:33] + struct.pack(">I", len(credential)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + png[33:]
    chunks = webp[12:] + b"C2PA" + struct.pack("<I", len(credential)) + credential + bytes(len(credential) % 2)
    webp = b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks
    blocks = (credential[start : start + 255] for start in range(0, len(credential), 255))
    extension = b"\x21\xff\x0bC2PA_GIF\x01\0\0" + b"".join(bytes((len(block),)) + block for block in blocks) + b"\0"
    payload = _CREDENTIAL_BOX + bytes(4) + b"manifest\0" + bytes(8) + credential
    avif += struct.pack(">I4s", 8 + len(payload), b"uuid") + payload
    jxl = cases["JXL"][1] + credential
    tiff = saved(picture(40, 32), "TIFF", tiffinfo=_credential_tag(credential))
    return [signed, png, webp, gif[:-1] + extension + gif[-1:], avif, jxl, tiff]


def _credential_tag(credential: bytes) -> Any:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    tags = ImageFileDirectory_v2()
    tags[0xCD41] = credential
    tags.tagtype[0xCD41] = 7
    return tags
