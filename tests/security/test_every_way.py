"""Files that may surprise: the library, the command line and the service promise the same outcome of each.

`ELSEWHERE` says where more is tested of these, and where dangers are that no single file holds.
"""

from __future__ import annotations

import json
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from typer.testing import CliRunner

from fauxto import Detector
from fauxto.cli import commands

TESTS = Path(__file__).resolve().parents[1]
GOLDEN = TESTS / "golden/bundle"

ELSEWHERE = {
    "no pictures, cut or longer files, other formats, bombs, odd shapes": "security/test_hostile_files.py",
    "paths that are no files": "security/test_hostile_files.py",
    "metadata: broken, endless, declarations that don't count": "security/test_hostile_metadata.py",
    "content credentials, trusted ones too": "unit/evidence/test_content_credentials.py",
    "bundles: damaged, missing, with networks that reach out": "security/test_hostile_bundles.py",
    "pictures by their address": "security/test_addresses.py",
    "thousands of mutated files": "security/test_fuzz.py",
    "colours, modes, orientation, lossless copies": "unit/test_images.py",
    "pictures of no kind that a network was measured on": "golden/test_domain.py",
    "the same scores in every run and order": "golden/test_golden.py",
    "re-encoded copies": "lab/test_robustness.py",
    "too much at once, slow clients, keys": "service/test_refusals.py",
    "slow pictures, a full line, workers that die": "service/test_faults.py",
    "names with markup on the page": "web/test_browser.py",
    "names and texts in tables and reports": "unit/export",
    "archives, folders, scans that are cut off": "scan/test_scan.py",
    "a batch that is interrupted": "cli/test_check.py",
}
NOTED = ("metadata_unreadable",)
OUTSIDE = ("out_of_domain",)
REFUSED = "unsupported_format"


@dataclass
class Case:
    """A file and its outcome; of files of one `group` all scores must be equal.

    `words` lead reasons, `credential` is what is found of content credentials, and `absent` stands nowhere in a report.
    """

    data: bytes
    status: str = "ok"
    words: tuple[str, ...] = ()
    name: str = "picture"
    verdict: str | None = None
    group: str | None = None
    credential: str = "none"
    absent: str = "\0"
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)


Encode = Callable[..., bytes]


def build(photo, encode: Encode, png_file, with_metadata, xmp_packet, exif_block, signed) -> dict[str, Case]:
    small = photo[180:212, 200:232]
    jpeg, png = encode(small, "JPEG"), encode(small, "PNG")
    bomb = zlib.compress(bytes(64 << 20), 9)
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("parameters", "Steps: 20, Seed: 1, trainedAlgorithmicMedia")
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    medium = struct.pack(">IIBBBBB", 9_500, 9_500, 8, 2, 0, 0, 0)
    dot = b",\0\0\0\0\1\0\1\0\0\2\2D\1\0"
    gif = encode(small, "GIF")
    hidden = np.dstack([small, np.full((32, 32), 255, np.uint8)])
    hidden[8:, :, 3] = 0
    other = hidden.copy()
    other[8:, :, :3] = 77
    turned = {
        1: small, 2: small[:, ::-1], 3: small[::-1, ::-1], 4: small[::-1], 5: small.transpose(1, 0, 2),
        6: np.rot90(small), 7: np.rot90(small, 2).transpose(1, 0, 2), 8: np.rot90(small, 3),
    }  # fmt: skip
    noise = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    grey16 = np.full((32, 32), 40_000, np.uint16)
    grey16[:16] = np.arange(512, dtype=np.uint16).reshape(16, 32) * 100
    brand = with_metadata("PNG", text=dict.fromkeys(("Title", "Comment", "Author"), "Made with Midjourney by OpenAI"))
    algorithmic = (
        'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"'
    )
    tampered = signed["stranger"].replace(signed["stranger"][-40:-30], bytes(10))
    place = {1: "N", 2: (52.0, 30.0, 1.0), 3: "E", 4: (13.0, 24.0, 1.0)}
    located = exif_block({271: "Canon", 315: "Ann Example"}, gps=place)
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
    plain = {
        "empty": Case(b"", "unreadable"),
        "one byte": Case(b"\xff", REFUSED),
        "text": Case(b"a photograph of a cat" * 99, REFUSED, name="cat.jpg"),
        "60,000 x 60,000": Case(png_file((b"IHDR", header), (b"IDAT", b""), (b"IEND", b"")), "too_large"),
        "9,500 x 9,500": Case(png_file((b"IHDR", medium), (b"IDAT", b""), (b"IEND", b"")), "too_large"),
        "text bomb": Case(png[:33] + png_file((b"zTXt", b"a\0\0" + bomb))[8:] + png[33:], group="bomb"),
        "profile bomb": Case(
            png[:33] + png_file((b"iCCP", b"a\0\0" + bomb))[8:] + png[33:], words=NOTED, group="bomb"
        ),
        "half a JPEG": Case(jpeg[: len(jpeg) // 2], "truncated"),
        "half a PNG": Case(png[: len(png) // 2], "truncated"),
        "a closed half": Case((big := encode(photo, "JPEG"))[: len(big) // 2] + b"\xff\xd9", "truncated"),
        "1,000 bytes more": Case(jpeg + b"A" * 1_000, words=("trailing_data",), group="jpeg"),
        "a ZIP behind": Case(jpeg + archive.getvalue(), words=("trailing_data",), group="jpeg"),
        "nothing behind": Case(jpeg, group="jpeg"),
        "behind IEND": Case(png + b"parameters\0Steps: 20", words=("trailing_data",), group="bomb"),
        "a JPEG called PNG": Case(jpeg, words=("name_mismatch",), name="a.png", group="jpeg"),
        "EPS": Case(b"%!PS-Adobe-3.0 EPSF-3.0\n" + bytes(99), REFUSED, name="a.jpg"),
        "PDF": Case(b"%PDF-1.7\n" + bytes(99), REFUSED),
        "PSD": Case(b"8BPS\0\1" + bytes(99), REFUSED),
        "FITS": Case(b"SIMPLE  =                    T" + bytes(99), REFUSED),
        "ICO": Case(b"\0\0\1\0\1\0\x10\x10" + bytes(99), REFUSED),
        "nested TIFF": Case(encode(small, "TIFF", tiffinfo={330: 8}), REFUSED),
        "SVG": Case(
            b'<!DOCTYPE svg [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]><svg><script>&x;</script></svg>', REFUSED
        ),
        "10,000 frames": Case(gif[:-1] + dot * 9_999 + b";", words=("animated",)),
        "CMYK": Case(encode(PIL.Image.fromarray(small).convert("CMYK"), "JPEG")),
        "16-bit grey": Case(encode(PIL.Image.fromarray(grey16), "PNG"), group="grey"),
        "its high bytes": Case(encode((grey16 >> 8).astype(np.uint8), "PNG"), group="grey"),
        "float": Case(encode(PIL.Image.fromarray(small[..., 0].astype(np.float32)), "TIFF"), "unsupported_mode"),
        "hidden colours": Case(encode(hidden, "PNG"), group="hidden"),
        "other hidden colours": Case(encode(other, "PNG"), group="hidden"),
        "palette": Case(encode(PIL.Image.fromarray(small).quantize(64), "PNG", transparency=3)),
        "one bit": Case(encode(PIL.Image.fromarray(small).convert("1"), "PNG")),
        **{
            f"orientation {number}": Case(encode(pixels, "PNG", exif=orientation(number)), group="turned")
            for number, pixels in turned.items()
        },
        "broken EXIF": Case(encode(small, "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"), words=NOTED),
        "60 kB of EXIF": Case(encode(small, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08" + b"\xff" * 60_000)),
        "broken profile": Case(encode(small, "PNG", icc_profile=b"no profile"), words=NOTED),
        "1 x 1": Case(encode(photo[:1, :1], "PNG"), words=("too_small",), verdict="inconclusive"),
        "1 x 10,000": Case(encode(np.resize(photo, (10_000, 1, 3)), "PNG"), verdict="inconclusive"),
        "31 x 31": Case(encode(photo[:31, :31], "PNG")),
        "flat": Case(encode(np.full((32, 32, 3), 90, np.uint8), "PNG"), words=OUTSIDE, verdict="inconclusive"),
        "noise": Case(encode(noise, "PNG"), words=OUTSIDE, verdict="inconclusive"),
        **{
            f"lossless {format}": Case(encode(small, format, **options), group="lossless")
            for format, options in (("PNG", {}), ("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True}))
        },
        "declared": Case(with_metadata("PNG", xmp=xmp_packet(algorithmic), pixels=small), group="lossless"),
        "a brand in a caption": Case(brand),
        "a stranger's credential": Case(signed["stranger"], credential="untrusted"),
        "an expired credential": Case(signed["expired"], credential="expired"),
        "a credential of other pixels": Case(tampered, credential="tampered"),
        "10 MB of EXIF": Case(
            with_metadata("PNG", exif=exif_block({270: "a" * 10_000_000}), pixels=small), group="lossless"
        ),
        "a place": Case(with_metadata("PNG", exif=located, pixels=small), group="lossless", absent="52.5"),
        "a person": Case(with_metadata("JPEG", exif=located, pixels=small), absent="Ann Example"),
        "laughs": Case(with_metadata("PNG", xmp=laughs, pixels=small), group="lossless"),
    }  # fmt: skip
    for number, name in enumerate(NAMES):
        plain[f"name {number}"] = Case(png, name=name, group="lossless")
    return plain


NAMES = [
    "<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "\u202egpj.exe", "\U0001f600" * 20, "a\nb: c",
    "../../etc/passwd", "C:\\x", "con", "/etc/passwd", "=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\ta", "a\x7fb",
    "x" * 255, "%0d%0aSet-Cookie: a=b", "{{7*7}}", "${jndi:ldap://127.0.0.1/a}",
]  # fmt: skip


def orientation(number):
    block = PIL.Image.Exif()
    block[274] = number
    return block.tobytes()


@pytest.fixture(scope="module")
def signed(photo, encode, sign, stranger):
    """Pictures with content credentials, by whose certificate signed them."""
    picture, made = encode(photo[100:164, 100:164], "JPEG"), ["trainedAlgorithmicMedia"]
    signers = {"stranger": stranger.signer("A stranger"), "expired": stranger.expired_signer("A stranger")}
    return {name: sign(picture, "JPEG", signer, made) for name, signer in signers.items()}


@pytest.fixture(scope="module")
def cases(photo, encode, png_file, with_metadata, xmp_packet, exif_block, signed, service, tmp_path_factory):
    """Every case, judged every way."""
    found = build(photo, encode, png_file, with_metadata, xmp_packet, exif_block, signed)
    detector = Detector(GOLDEN)
    folder = tmp_path_factory.mktemp("cases")
    paths = {}
    for number, (label, case) in enumerate(found.items()):
        case.reports["bytes"] = detector.analyze(case.data, name=case.name).to_dict()
        # A name that can't be a file's stands in the other ways only.
        name = case.name if "/" not in case.name and len(case.name.encode()) < 250 else "picture"
        (folder / str(number)).mkdir()
        paths[label] = folder / str(number) / name
        paths[label].write_bytes(case.data)
    for (label, case), report in zip(found.items(), detector.analyze_many(paths.values()), strict=True):
        case.reports["path"] = report.to_dict()
        case.reports["service"] = service.analyze(case.data, case.name)
        assert label
    run = CliRunner().invoke(commands, ["check", "--json", "--model", str(GOLDEN), *map(str, paths.values())])
    assert run.exit_code == 1, run.output
    lines = run.stdout.splitlines()
    files = [("files", (case.name, case.data)) for case in found.values()]
    batch = service.post("/v1/analyze/batch", files=files).text.splitlines()
    for case, line, row in zip(found.values(), lines, batch, strict=True):
        case.reports["command line"] = json.loads(line)
        case.reports["batch"] = json.loads(row)
    return found


def outcome(report):
    """What must be the same whichever way a file came."""
    reasons = [reason for reason in report["reasons"] if "_mismatch: " not in reason]  # a path has another name
    return {**report, "reasons": reasons, "milliseconds": None, "path": None}


def test_every_way_gives_the_same_report(cases):
    for label, case in cases.items():
        first = outcome(case.reports["bytes"])
        for way, report in case.reports.items():
            assert outcome(report) == first, (label, way)


def test_each_case_has_its_outcome(cases):
    for label, case in cases.items():
        for way, report in case.reports.items():
            words = {reason.partition(":")[0] for reason in report["reasons"]}
            assert report["status"] == case.status, (label, way)
            assert (report["verdict"] is None) == (case.status != "ok"), (label, way)
            if way != "path" or case.name == "picture":
                assert words >= set(case.words), (label, way)
            if case.verdict:
                assert report["verdict"] == case.verdict, (label, way)
            if case.status != "ok":
                assert words == {case.status}, (label, way)


def test_scores_that_must_be_equal_are(cases):
    groups: dict[str, list[float]] = {}
    for case in cases.values():
        if case.group:
            groups.setdefault(case.group, []).extend(report["score"] for report in case.reports.values())
    assert len(groups) == 6
    for group, scores in groups.items():
        assert max(scores) - min(scores) < 1e-6, group


def test_a_declaration_counts_and_leaves_the_score_alone(cases):
    for report in cases["declared"].reports.values():
        says = {one["source"]: one["says"] for one in report["evidence"]}
        assert says["generator_metadata"] == "ai"
    for report in cases["a brand in a caption"].reports.values():
        assert {one["says"] for one in report["evidence"]} == {"nothing"}


def test_a_credential_is_the_same_from_every_way(cases):
    """One that is trusted needs a trust list, which only the library and the command line take: see ELSEWHERE."""
    for label, case in cases.items():
        for way, report in case.reports.items():
            found = [one for one in report["evidence"] if one["source"] == "content_credentials"]
            if case.status == "ok":
                assert [one["details"]["outcome"] for one in found] == [case.credential], (label, way)
                assert found[0]["trust"] != "signed", (label, way)


def test_reports_are_short_and_tell_of_no_place_or_person(cases):
    for label, case in cases.items():
        for way, report in case.reports.items():
            text = json.dumps(report)
            assert case.absent not in text, (label, way)
            assert len(text) < 100_000, (label, way)


def test_a_name_is_a_word_and_nothing_else(cases, service):
    for label, case in cases.items():
        if label.startswith("name "):
            assert case.reports["bytes"]["path"] == case.name
            assert case.reports["service"]["path"]
    assert list(service.folder.rglob("*")) == []
    log = "".join(service.lines)
    assert not [name for name in NAMES if len(name) > 4 and name in log]
    for line in service.log():
        assert "\n" not in json.dumps(line)


def test_no_trace_and_no_path_in_any_answer(cases):
    for label, case in cases.items():
        text = json.dumps([case.reports["service"], case.reports["batch"]])
        assert "Traceback" not in text, label
        assert "site-packages" not in text, label
        assert str(GOLDEN) not in text, label


def test_judging_opens_no_connection(cases, monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    detector = Detector(GOLDEN)
    for label, case in cases.items():
        assert outcome(detector.analyze(case.data, name=case.name).to_dict()) == outcome(case.reports["bytes"]), label


def test_what_is_tested_elsewhere_is_there():
    assert [where for where in ELSEWHERE.values() if not (TESTS / where).exists()] == []
