"""Credentials as people reported them, rebuilt on a procedural picture and signed by an authority of our own.

The pictures of tests/public_cases: contentauth/c2pa-rs#1609 (Pixel 10 leaves XMP out of the hash),
c2pa-org/public-testfiles (the multi-asset hash of Ultra HDR; Truepic's exclusion from the start of the file),
contentauth/c2pa-rs#831 (a manifest on a server).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import PIL.Image
import PIL.PngImagePlugin
import pytest
from typer.testing import CliRunner

from fauxto import Basis, Detector, Evidence, Verdict, images
from fauxto.cli import commands
from fauxto.evidence import content_credentials
from fauxto.evidence.content_credentials import trust_list
from fauxto.images import jpeg
from fauxto.limits import Limits

TESTS = Path(__file__).parents[2]
CASES = TESTS / "public_cases"
AUTHORITY = CASES / "ca-root.pem"
GOLDEN = TESTS / "golden" / "bundle"
ADDRESS = "https://cai-manifests.example.org/manifests/adobe-urn-uuid-11111111-2222-4333-8444-555555555555"

RIGHT = {
    "c02_pixel_xmp_excluded.jpg": ("trusted", "real", "signed", "captured"),
    "c04_generated_xmp_excluded.jpg": ("trusted", "ai", "signed", "generated"),
    "c05_truepic_from_start.jpg": ("not_validated", "nothing", "declared", "captured"),
    "c06_multi_asset.jpg": ("trusted", "real", "signed", "captured"),
    "r01_remote_manifest.jpg": ("elsewhere", "nothing", "declared", None),
}


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(GOLDEN, trust_list=AUTHORITY)


def read(data: bytes) -> Evidence:
    trusted = trust_list.load(AUTHORITY)
    return content_credentials.read(data, images.decode(data), Limits(), trusted=trusted)


def xmp(value: str) -> bytes:
    names = 'xmlns:x="adobe:ns:meta/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    return f"""<x:xmpmeta {names}><rdf:RDF><rdf:Description xmlns:dcterms="http://purl.org/dc/terms/" {value}
        </rdf:RDF></x:xmpmeta>""".encode()


@pytest.mark.parametrize("name", RIGHT)
def test_what_people_reported_is_right_in_python(detector: Detector, name: str) -> None:
    report = detector.analyze(CASES / name)
    piece = next(piece for piece in report.evidence if piece.source == "content_credentials")
    assert (piece.details["outcome"], piece.says, piece.trust, piece.details.get("kind")) == RIGHT[name]
    assert not any(reason.word == "tampered_credential" for reason in report.reasons)
    if piece.trust == "signed":
        assert report.basis is Basis.CONTENT_CREDENTIALS
        assert report.verdict is (Verdict.AI if piece.says == "ai" else Verdict.REAL)
    if name.startswith("r01"):
        assert piece.details["address"] == ADDRESS
        assert ADDRESS in piece.summary


@pytest.mark.parametrize("name", RIGHT)
def test_what_people_reported_is_right_at_the_terminal(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    arguments = ["check", "--model", str(GOLDEN), "--trust-list", str(AUTHORITY), str(CASES / name)]
    report = json.loads(CliRunner().invoke(commands, [*arguments, "--json"]).stdout)
    [piece] = [piece for piece in report["evidence"] if piece["source"] == "content_credentials"]
    assert (piece["details"]["outcome"], piece["says"], piece["trust"], piece["details"].get("kind")) == RIGHT[name]
    shown = " ".join(CliRunner().invoke(commands, arguments).stdout.replace("│", " ").split())
    words = {"trusted": "the signer is on the trust list", "elsewhere": "names an address where they are kept"}
    assert words.get(piece["details"]["outcome"], "but validation failed (data hash exclusion") in shown
    assert "changed" not in shown


def test_a_changed_picture_is_still_found_out() -> None:
    for name in ("c02_pixel_xmp_excluded.jpg", "c05_truepic_from_start.jpg", "c06_multi_asset.jpg"):
        changed = bytearray((CASES / name).read_bytes())
        scan = next(end for marker, _, end in jpeg.segments(bytes(changed)) if marker == 0xDA)
        changed[scan + 500] ^= 1
        assert read(bytes(changed)).details["outcome"] == "tampered"


ADDRESSES = {
    "https://example.org/manifests/1.c2pa": True,
    "http://127.0.0.1:8000/m?a=1&amp;b=2#x": True,
    "HTTPS://EXAMPLE.ORG/": True,
    "self#jumbf=/c2pa/urn:uuid:1": False,
    "javascript:alert(1)": False,
    "file:///etc/passwd": False,
    "ftp://example.org/": False,
    "https://": False,
    "https:///path": False,
    "https://name:secret@example.org/": False,
    "https://example.org:99999/": False,
    "https://example.org/ and more": False,
    "https://example.org/&#x202e;gpj": False,
    "https://[::1/": False,
    "https://example.org/" + "a" * 2000: False,
    "//example.org/": False,
    "": False,
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_only_a_plain_web_address_counts(encode: Any, address: str) -> None:
    picture = PIL.Image.new("RGB", (8, 8))
    for format in ("JPEG", "PNG", "WEBP", "AVIF"):
        packet = xmp(f'dcterms:provenance="{address}"/>')
        if format == "PNG":
            text = PIL.PngImagePlugin.PngInfo()
            text.add_itxt("XML:com.adobe.xmp", packet.decode())
            data = encode(picture, format, pnginfo=text)
        else:
            data = encode(picture, format, xmp=packet)
        found = read(data)
        assert found.details["outcome"] == ("elsewhere" if ADDRESSES[address] else "none"), format
        assert found.says == "nothing"
        assert found.summary.isprintable()


def test_every_form_of_the_property_counts(encode: Any) -> None:
    for value in (
        f'><dcterms:provenance rdf:resource="{ADDRESS}"/></rdf:Description>',
        f"><dcterms:provenance>{ADDRESS}</dcterms:provenance></rdf:Description>",
        f"><dcterms:provenance><rdf:Bag><rdf:li>self#jumbf=x</rdf:li><rdf:li>{ADDRESS}</rdf:li></rdf:Bag>"
        "</dcterms:provenance></rdf:Description>",
    ):
        data = encode(PIL.Image.new("RGB", (8, 8)), "JPEG", xmp=xmp(value))
        assert read(data).details["address"] == ADDRESS


def test_a_credential_in_the_file_counts_before_one_elsewhere(authority: Any, sign: Any, encode: Any) -> None:
    picture = encode(PIL.Image.new("RGB", (48, 40)), "JPEG", xmp=xmp(f'dcterms:provenance="{ADDRESS}"/>'))
    found = read(sign(picture, "JPEG", authority.signer("Camera Works"), ["digitalCapture"]))
    assert found.details["outcome"] == "untrusted"
