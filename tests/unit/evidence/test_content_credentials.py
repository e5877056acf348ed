"""Content credentials that were really signed, by an authority of the tests' own, and real ones of `shared`."""

from __future__ import annotations

import csv
import datetime
import http.server
import io
import json
import random
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import c2pa
import numpy as np
import PIL.Image
import pytest
from cryptography import x509

from fauxto import images
from fauxto.errors import ConfigError, ImageError
from fauxto.evidence import content_credentials
from fauxto.evidence.content_credentials import library, manifests, personal, statement, trust_list, validation
from fauxto.images import jpeg
from fauxto.limits import Limits
from fauxto.report import Evidence, Says, Trust

RGB = np.random.default_rng(8).integers(0, 256, (40, 48, 3), np.uint8)
FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF"]
CAMERA, MODEL, IN_PART = "digitalCapture", "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"

Read = Callable[..., Evidence]


def read_with(trusted: trust_list.TrustList | None, data: bytes, limits: Limits = Limits()) -> Evidence:  # noqa: B008
    found = content_credentials.read(data, images.decode(data), limits, trusted=trusted)
    assert found.source == "content_credentials"
    assert len(json.dumps(found.details, allow_nan=False)) < 100_000
    assert found.summary.endswith(".")
    assert found.summary.isprintable()
    return found


@pytest.fixture(scope="module")
def read(trust_file: Path) -> Read:
    """Decode and read a file, with the tests' authority on the trust list."""
    trusted = trust_list.load(trust_file)
    return lambda data, limits=Limits(): read_with(trusted, data, limits)  # noqa: B008


@pytest.fixture(scope="module")
def jpeg_file(encode: Any) -> bytes:
    return encode(RGB, "JPEG", quality=90)


def said(found: Evidence) -> tuple[str, str, str, str | None]:
    return found.details["outcome"], found.says, found.trust, found.details.get("kind")


# The rows of metadata-cases/INDEX.tsv with a credential -> what is found with the built-in trust list.
UNTRUSTED_AI = ("untrusted", "ai", "declared", "generated")
TEST_SIGNER = ("untrusted", "nothing", "declared", None, "C2PA Test Signing Cert")
TAMPERED_TEST = ("tampered", "nothing", "declared", None, "C2PA Test Signing Cert")
CASES = {
    "c2pa-camera__nikon-20221019-building.jpeg": ("expired", "nothing", "declared", None, "NIKON CORPORATION"),
    "c2pa-dalle3-webp__orful_LED_strips_in_various_patterns_and_colo.webp": (*UNTRUSTED_AI, "OpenAI"),
    "c2pa-dalle3-webp__ful_LED_strips_in_various_patterns_and_colors.webp": (*UNTRUSTED_AI, "OpenAI"),
    "c2pa-openai-png__image_10_20250718_093054.png": (
        "not_validated",
        "ai",
        "declared",
        "generated",
        "Microsoft Corporation",
    ),
    "c2pa-rs-ai__ocsp.jpg": ("untrusted", "ai", "declared", "composite", "Adobe Inc."),
    "c2pa-rs-firefly__ocsp.jpg": ("untrusted", "ai", "declared", "composite", "Adobe Inc."),
    "xc2pa-rs-jpg__C.jpg": TEST_SIGNER,
    "c2pa-rs-jpg__C.jpg": TEST_SIGNER,
    "c2pa-testfile__adobe-20220124-A.jpg": ("none", "nothing", "inferred", None, None),
    "c2pa-testfile__adobe-20220124-C.jpg": TEST_SIGNER,
    "c2pa-testfile__adobe-20220124-CA.jpg": TEST_SIGNER,
    "c2pa-testfile__adobe-20220124-XCA.jpg": TAMPERED_TEST,
    "c2pa-testfile__adobe-20220124-E-sig-CA.jpg": TAMPERED_TEST,
    "firefly-c2pa__booking.jpg": (*UNTRUSTED_AI, "Adobe Inc."),
    "firefly-c2pa__market.jpg": (*UNTRUSTED_AI, "Adobe Inc."),
    "google-ai-c2pa__imageai256.jpg": ("trusted", "ai", "signed", "generated", "Google LLC"),
}


def test_every_case_with_a_credential_and_none_else(shared: Path) -> None:
    folder = shared / "data" / "metadata-cases"
    with (folder / "INDEX.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert {row["file"] for row in rows if "C2PA" in row["what"] or "c2pa" in row["what"]} == CASES.keys()
    for row in rows:
        found = read_with(None, (folder / row["file"]).read_bytes())
        manifests: list[dict[str, Any]] = found.details.get("manifests", [])
        signer = manifests[0].get("signer") if manifests else None
        assert (*said(found), signer) == CASES.get(row["file"], ("none", "nothing", "inferred", None, None)), row[
            "file"
        ]


@pytest.mark.parametrize("format", FORMATS)
def test_a_trusted_signer_in_every_format(authority: Any, sign: Any, encode: Any, read: Read, format: str) -> None:
    picture = encode(RGB, format)
    assert said(read(picture)) == ("none", "nothing", "inferred", None)
    signer = authority.signer("Camera Works")
    assert said(read(sign(picture, format, signer, [CAMERA]))) == ("trusted", "real", "signed", "captured")
    assert said(read(sign(picture, format, signer, [MODEL]))) == ("trusted", "ai", "signed", "generated")


def test_what_anyone_may_replace_is_not_signed(authority: Any, sign: Any, encode: Any, read: Read) -> None:
    """c2pa leaves the length of a TIFF's credential out of the hash: more than the credential itself."""
    found = read(sign(encode(RGB, "TIFF"), "TIFF", authority.signer("Camera Works"), [CAMERA]))
    assert said(found) == ("not_validated", "nothing", "declared", "captured")
    assert "doesn't cover the whole file" in found.summary


SIGNERS: dict[str, Callable[[Any, Any], Any]] = {
    "trusted": lambda authority, stranger: authority.signer("Camera Works"),
    "untrusted": lambda authority, stranger: stranger.signer("Camera Works"),
    "expired": lambda authority, stranger: authority.expired_signer("Camera Works"),
    "not_validated": lambda authority, stranger: authority.signer_for_websites("Camera Works"),
}


@pytest.mark.parametrize("outcome", SIGNERS)
@pytest.mark.parametrize(
    ("actions", "kind"),
    [
        ([CAMERA], "captured"),
        (["computationalCapture", "humanEdits"], "captured"),
        ([MODEL], "generated"),
        ([CAMERA, IN_PART], "composite"),
        (["compositeSynthetic"], "composite"),
        (["algorithmicMedia"], None),
        (["digitalArt"], None),
        (["composite"], None),
        ([CAMERA, "composite"], None),
        ([CAMERA, "virtualRecording"], None),
        (["negativeFilm"], None),
    ],
)
def test_outcome_and_source_type_decide(
    authority: Any, stranger: Any, sign: Any, jpeg_file: bytes, read: Read, outcome: str, actions: list[str], kind: str
) -> None:
    found = read(sign(jpeg_file, "JPEG", SIGNERS[outcome](authority, stranger), actions))
    says = "ai" if kind in ("generated", "composite") else "nothing"
    if outcome == "trusted" and kind == "captured":
        says = "real"
    assert said(found) == (outcome, says, "signed" if outcome == "trusted" else "declared", kind)
    assert "Camera Works" in found.summary


def test_a_chain(authority: Any, stranger: Any, sign: Any, jpeg_file: bytes, read: Read) -> None:
    editor = authority.signer("Editor")

    def signed(signer: Any, *actions: str, **options: Any) -> bytes:
        return sign(jpeg_file, "JPEG", signer, actions, **options)

    shot = signed(authority.signer("Camera Works"), CAMERA)
    other_shot = signed(authority.signer("Camera Works"), CAMERA)
    model = signed(authority.signer("Model Works"), MODEL)
    edited = signed(editor, ingredients=[("parentOf", shot)])
    real, nothing = ("real", "signed", "captured"), ("nothing", "signed")
    table: list[tuple[list[tuple[str, bytes]], list[str], tuple[str | None, ...]]] = [
        ([("parentOf", shot)], ["humanEdits"], real),
        ([("parentOf", edited)], [], real),
        ([("parentOf", shot), ("componentOf", other_shot)], [], real),
        ([("parentOf", shot)], [IN_PART], ("ai", "signed", "composite")),
        # A model changed what a camera took, whatever the editor's program calls that.
        ([("parentOf", shot)], [MODEL], ("ai", "signed", "composite")),
        ([("parentOf", shot)], ["trainedAlgorithmicData"], ("ai", "signed", "composite")),
        ([], [CAMERA, MODEL], ("ai", "signed", "composite")),
        ([], [MODEL, MODEL], ("ai", "signed", "generated")),
        ([("parentOf", model)], [MODEL], ("ai", "signed", "generated")),
        ([("parentOf", model)], [], ("ai", "signed", "generated")),
        ([("parentOf", shot), ("componentOf", model)], [], ("ai", "signed", "composite")),
        ([("parentOf", signed(stranger.signer("S"), MODEL))], [], ("ai", "declared", "generated")),
        # What a trusted editor was given by someone else isn't trusted for that.
        ([("parentOf", signed(stranger.signer("S"), CAMERA))], [], nothing),
        ([("parentOf", signed(authority.expired_signer("S"), CAMERA))], [], nothing),
        ([("parentOf", signed(authority.signer_for_websites("S"), CAMERA))], [], nothing),
        ([("parentOf", shot + b"changed")], [], nothing),
        ([("parentOf", jpeg_file)], [], nothing),
        ([("parentOf", shot), ("componentOf", jpeg_file)], [], nothing),
    ]
    for ingredients, actions, expected in table:
        found = read(signed(editor, *actions, ingredients=ingredients))
        assert found.details["outcome"] == "trusted"
        assert (found.says, found.trust, found.details.get("kind"))[: len(expected)] == expected
    first, second = read(signed(editor, ingredients=[("parentOf", edited)])).details["manifests"][:2]
    assert first["ingredients"][0]["manifest"] == second["label"]
    assert (first["generator"], second["vouched"]) == ("fauxto tests 1.0", True)


@pytest.mark.parametrize(("term", "says", "trust"), [(CAMERA, "nothing", "signed"), (MODEL, "ai", "declared")])
def test_what_a_signer_passes_on_is_hearsay(
    authority: Any, sign: Any, jpeg_file: bytes, read: Read, term: str, says: str, trust: str
) -> None:
    found = read(sign(jpeg_file, "JPEG", authority.signer("Editor"), [term], passed_on=True))
    assert (found.details["outcome"], found.says, found.trust) == ("trusted", says, trust)
    assert found.details["manifests"][0]["hearsay"][0]["source_type"] == term


def app11(data: bytes) -> bytes:
    return b"".join(data[start:end] for marker, start, end in jpeg.segments(data) if marker == 0xEB)


def spoofs(signed: bytes, encode: Any) -> Iterator[tuple[str, str, bytes]]:
    """Yield (what, outcome, file) of each way to misuse a signed JPEG."""
    other = encode(255 - RGB, "JPEG", quality=90)
    credential = app11(signed)
    yield "copied from another picture", "tampered", other[:20] + credential + other[20:]
    yield "other pixels", "tampered", signed.replace(signed[-40:-30], bytes(10))
    yield "13 bytes appended", "tampered", signed + b"13-byte-trail"
    yield "another picture appended", "tampered", signed + other
    yield "behind the end", "none", other + credential
    yield "in a picture behind the end", "none", other + signed
    comment = b"\xff\xfe" + struct.pack(">H", len(credential) + 2) + credential
    yield "in a comment", "none", other[:20] + comment + other[20:]
    yield "between scan and end", "none", other[:-2] + credential + other[-2:]
    yield "twice", "unreadable", signed[:20] + credential.replace(b"JP\x02\x11", b"JP\x02\x12") + signed[20:]


def test_spoofs_are_never_signed(authority: Any, sign: Any, encode: Any, jpeg_file: bytes, read: Read) -> None:
    for term in (CAMERA, MODEL):
        signed = sign(jpeg_file, "JPEG", authority.signer("Camera Works"), [term])
        assert read(signed).trust is Trust.SIGNED
        for what, outcome, data in spoofs(signed, encode):
            found = read(data)
            assert (found.details["outcome"], found.says) == (outcome, Says.NOTHING), what
            assert found.trust is not Trust.SIGNED


def test_no_picture_hides_in_what_the_signature_leaves_out(
    authority: Any, sign: Any, encode: Any, jpeg_file: bytes, read: Read
) -> None:
    """A credential has padding that isn't signed: cut it out, put a small picture in, end the file there."""
    signed = sign(jpeg_file, "JPEG", authority.signer("Camera Works"), [CAMERA])
    store = signed.index(b"jumb") - 4
    padding = signed.rindex(b"cpad") + 7
    (length,) = struct.unpack_from(">H", signed, padding - 2)
    hidden = encode(PIL.Image.new("L", (48, 40), 200), "JPEG", quality=30, optimize=True)[20:]
    filled = length - 10
    assert len(hidden) + 4 < filled
    shrunk = bytearray(signed)
    struct.pack_into(">H", shrunk, padding - 2, length - filled)
    struct.pack_into(">H", shrunk, store - 10, struct.unpack_from(">H", signed, store - 10)[0] - filled)

    def shrink_boxes(start: int, stop: int) -> None:
        while start < stop:
            size, kind = struct.unpack_from(">I4s", signed, start)
            if start < padding < start + size:
                struct.pack_into(">I", shrunk, start, size - filled)
                if kind == b"jumb":
                    shrink_boxes(start + 8, start + size)
            start += size

    shrink_boxes(store, store + struct.unpack_from(">I", signed, store)[0])
    end = store + struct.unpack_from(">I", signed, store)[0]
    comment = b"\xff\xfe" + struct.pack(">H", filled - len(hidden) - 2) + bytes(filled - len(hidden) - 4)
    attack = bytes(shrunk[:padding] + shrunk[padding + filled : end]) + comment + hidden + signed[end:]
    assert len(attack) == len(signed)
    assert images.decode(attack).rgb.std() == 0  # the hidden picture is what everyone sees
    assert said(read(attack))[:3] == ("tampered", "nothing", "declared")


@pytest.mark.parametrize(
    ("assertions", "outcome"),
    [
        ({"c2pa.hash.data": {"exclusions": [{"start": 2, "length": 9}]}}, "trusted"),
        ({"c2pa.hash.data": {"exclusions": [{"start": 2, "length": 9}, {"start": 99, "length": 9}]}}, "not_validated"),
        ({"c2pa.hash.boxes": {"boxes": [{"names": ["C2PA"]}, {"names": ["IDAT"]}]}}, "trusted"),
        ({"c2pa.hash.boxes": {"boxes": [{"names": ["C2PA"]}, {"names": ["IDAT"], "excluded": True}]}}, "not_validated"),
        ({"c2pa.hash.bmff.v3": {"exclusions": [{"xpath": "/uuid"}, {"xpath": "/free"}]}}, "trusted"),
        ({"c2pa.hash.bmff.v2": {"exclusions": [{"xpath": "/uuid"}, {"xpath": "/mdat"}]}}, "not_validated"),
        ({"c2pa.hash.bmff": {"exclusions": [{"xpath": "/uuid"}]}}, "not_validated"),
        ({"c2pa.actions": {}}, "not_validated"),
        ({"c2pa.hash.data": {"exclusions": [{}]}, "c2pa.hash.boxes": {"boxes": []}}, "not_validated"),
    ],
)
def test_a_signature_must_cover_the_picture(assertions: dict[str, Any], outcome: str) -> None:
    assert validation.judge({"validation_state": "Trusted"}, assertions)[0] == outcome


def test_names_and_places_are_kept_apart(authority: Any, sign: Any, jpeg_file: bytes, read: Read) -> None:
    work = {
        "label": "stds.schema-org.CreativeWork",
        "data": {"@type": "CreativeWork", "author": [{"@type": "Person", "name": "Ada Lovelace"}], "keywords": "loom"},
        "kind": "Json",
    }
    exif = {
        "label": "stds.exif",
        "data": {"@context": {"exif": "x"}, "exif:GPSLatitude": "51,30.0N", "exifEX:BodySerialNumber": "S-1"},
        "kind": "Json",
    }
    found = read(sign(jpeg_file, "JPEG", authority.signer("Camera Works"), [CAMERA], assertions=[work, exif]))
    kept_apart = dict(found.details).pop("personal")
    assert kept_apart == {
        "author.name": "Ada Lovelace",
        "exif:GPSLatitude": "51,30.0N",
        "exifEX:BodySerialNumber": "S-1",
    }
    rest = json.dumps({key: value for key, value in found.details.items() if key != "personal"}) + found.summary
    assert not any(value in rest for value in kept_apart.values())


def test_a_private_signer_is_a_person(authority: Any, sign: Any, jpeg_file: bytes, read: Read) -> None:
    found = read(sign(jpeg_file, "JPEG", authority.private_signer("Ada Lovelace"), [CAMERA]))
    assert said(found) == ("trusted", "real", "signed", "captured")
    assert found.summary.startswith("Signed by a certificate that names no organisation as captured by a camera")
    assert dict(found.details).pop("personal") == {"signer": "Ada Lovelace"}
    assert json.dumps({**found.details, "personal": None, "summary": found.summary}).count("Lovelace") == 0


def test_a_serial_number_in_labels_and_programs_is_kept_apart(
    authority: Any, sign: Any, jpeg_file: bytes, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Leica writes it."""
    signed = sign(jpeg_file, "JPEG", authority.signer("Camera Works"), [CAMERA])
    label, parent = "5889294:urn:uuid:63326d61", "5889294:urn:uuid:0"
    program = "M11-P/2.0.2 (Serial: 5889294) lc_c2pa/v1.6.1"
    action = {"action": "c2pa.created", "softwareAgent": program}
    manifest = {
        "claim_version": 1,
        "claim_generator": program,
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [action]}}],
        "ingredients": [{"relationship": "parentOf", "active_manifest": parent}],
    }
    problem = {"code": "claim.missing", "explanation": f"there is no self#jumbf=/c2pa/{parent}/c2pa.claim"}
    store = {
        "active_manifest": label,
        "manifests": {label: manifest},
        "validation_results": {"activeManifest": {"failure": [problem]}},
    }
    monkeypatch.setattr(content_credentials.library, "read_store", lambda *_: (store, {}))
    found = read(signed)
    assert found.details["personal"] == {"serial_number": "5889294"}
    assert json.dumps({**found.details, "personal": None, "summary": found.summary}).count("5889294") == 0
    [described] = found.details["manifests"]
    assert (described["label"], described["generator"]) == ("urn:uuid:63326d61", "M11-P/2.0.2 lc_c2pa/v1.6.1")
    assert described["ingredients"][0]["manifest"] == "urn:uuid:0"


def test_long_names_of_properties_cost_little(
    authority: Any, sign: Any, jpeg_file: bytes, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []

    class Counting:
        def fullmatch(self, name: str) -> object:
            compared.append(name)
            return pattern.fullmatch(name)

    pattern = personal._PERSONAL
    monkeypatch.setattr(personal, "_PERSONAL", Counting())
    hostile = {"label": "org.test", "data": {"S" * 150_000: {"creator": ["b"] * 3_000}}, "kind": "Json"}
    found = read(sign(jpeg_file, "JPEG", authority.signer("S"), [CAMERA], assertions=[hostile]))
    assert list(found.details["personal"].values()) == ["b"]
    assert compared.count("creator") == 1
    assert max(map(len, compared)) <= personal.MAX_NAME


def test_a_model_of_another_company_in_adobes_own_parameter() -> None:
    address = f"http://cv.iptc.org/newscodes/digitalsourcetype/{MODEL}"
    raw = {"action": "c2pa.opened", "parameters": {"com.adobe.digitalSourceType": address}}
    for action, kind in (("opened", "composite"), ("placed", "composite"), ("created", "generated")):
        step = manifests._read_action({**raw, "action": f"c2pa.{action}"})
        assert step.source_type == MODEL
        own = manifests.Manifest("m", "S", None, None, True, True, (step,), (), (), False)
        assert statement.find([own]).kind == kind
    assert manifests._read_action({**raw, "digitalSourceType": "humanEdits"}).source_type == "humanEdits"
    assert manifests._read_action({"action": "c2pa.opened", "parameters": ["x"]}).source_type is None


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """A web server on this machine, and what it was asked for."""
    paths: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", paths
    server.shutdown()
    thread.join()
    server.server_close()


def test_nothing_is_asked_for_over_the_network(
    authority: Any, sign: Any, encode: Any, read: Read, asked: tuple[str, list[str]]
) -> None:
    address, paths = asked
    signer = authority.signer("Camera Works", ocsp=f"{address}/ocsp")
    picture = encode(RGB, "PNG")
    assert said(read(sign(picture, "PNG", signer, [CAMERA])))[0] == "trusted"
    elsewhere = sign(picture, "PNG", signer, [CAMERA], remote_url=f"{address}/manifest")
    found = read(elsewhere)
    assert said(found) == ("elsewhere", "nothing", "declared", None)
    assert found.details["address"] == f"{address}/manifest"
    with pytest.raises(c2pa.C2paError):
        library.read_store(elsewhere, "PNG", trust_list.load())
    assert paths == []
    # c2pa's own defaults do ask.
    with pytest.raises(c2pa.C2paError):
        c2pa.Reader("image/png", io.BytesIO(elsewhere))
    assert paths


def test_no_library_is_loaded_from_the_current_folder(tmp_path: Path) -> None:
    for name in ("libc2pa_c.so", "libc2pa_c.dylib", "c2pa_c.dll"):
        (tmp_path / name).write_bytes(b"planted")
        (tmp_path / "libs").mkdir(exist_ok=True)
        (tmp_path / "libs" / name).write_bytes(b"planted")
    script = """
import ctypes, os, sys
load, loaded = ctypes.CDLL.__init__, []
def note(self, name, *arguments, **options):
    loaded.append(str(name))
    load(self, name, *arguments, **options)
ctypes.CDLL.__init__ = note
from fauxto.evidence.content_credentials import library
library._import_c2pa()
assert [name for name in loaded if "c2pa_c" in name], loaded
assert not [name for name in loaded if os.getcwd() in name], loaded
assert "C2PA_LIBRARY_NAME" not in os.environ
"""
    ended = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_several_threads_at_once(authority: Any, stranger: Any, sign: Any, jpeg_file: bytes, read: Read) -> None:
    trusted = sign(jpeg_file, "JPEG", authority.signer("Camera Works"), [CAMERA])
    untrusted = sign(jpeg_file, "JPEG", stranger.signer("Camera Works"), [CAMERA])
    with ThreadPoolExecutor(8) as pool:
        outcomes = [found.details["outcome"] for found in pool.map(read, [trusted, untrusted] * 20)]
    assert outcomes == ["trusted", "untrusted"] * 20


def png_with(store: bytes) -> bytes:
    chunk = b"caBX" + store
    plain = io.BytesIO()
    PIL.Image.new("RGB", (8, 8)).save(plain, "PNG")
    data = plain.getvalue()
    return data[:33] + struct.pack(">I", len(store)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[33:]


def box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


def described(kind: bytes, label: bytes) -> bytes:
    return box(b"jumd", kind + bytes.fromhex("00110010800000aa00389b71") + b"\x03" + label + b"\0")


def nested_boxes(depth: int) -> bytes:
    description = described(b"c2as", b"c2pa.assertions")
    sizes = range(depth * (len(description) + 8), 0, -len(description) - 8)
    return b"".join(struct.pack(">I4s", size, b"jumb") + description for size in sizes)


def claim(cbor: bytes) -> bytes:
    inside = box(b"jumb", described(b"c2cl", b"c2pa.claim.v2") + box(b"cbor", cbor))
    return box(b"jumb", described(b"c2pa", b"c2pa") + box(b"jumb", described(b"c2ma", b"urn:c2pa:1") + inside))


def stated(cbor: bytes) -> bytes:
    return box(b"jumb", described(b"cbor", b"c2pa.actions") + box(b"cbor", cbor))


HOSTILE = {
    "boxes in boxes": box(b"jumb", described(b"c2pa", b"c2pa") + nested_boxes(50_000)),
    "lists in lists": claim(b"\x81" * 1_000_000 + b"\0"),
    "maps in maps": claim(b"\xa1\x61a" * 300_000 + b"\0"),
    "a list that claims to be endless": claim(b"\x9b" + b"\xff" * 8),
    "a text that claims to be endless": claim(b"\x7b" + b"\xff" * 8),
    "too large": claim(bytes(5_000_000)),
    "too many references": claim(bytes(100_001)),
    "too many statements": stated(bytes(500_001)),
    "too many boxes": stated(b"") * 2_000,
    "only the word": b"jumb",
    "a box longer than the file": struct.pack(">I4s", 2**32 - 1, b"jumb"),
    "a box of no length": bytes(4) + b"jumb" * 1_000,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_credentials_are_unreadable(read: Read, what: str) -> None:
    found = read(png_with(HOSTILE[what]))
    assert said(found) == ("unreadable", "nothing", "inferred", None)
    assert found.details["unreadable"].startswith("the content credentials can't be read (")
    assert len(found.summary) < 400


def test_what_would_keep_the_native_reader_busy_is_unreadable(
    authority: Any, sign: Any, encode: Any, read: Read
) -> None:
    signer = authority.signer("Camera Works")
    compressed = sign(encode(RGB, "PNG"), "PNG", signer, [CAMERA], compress=True)
    assert read(compressed).details["outcome"] == "unreadable"
    signed = sign(encode(RGB, "PNG"), "PNG", signer, [CAMERA])
    chunk = bytes(4) + b"teSt" + struct.pack(">I", zlib.crc32(b"teSt"))
    assert "more than 15000 parts" in read(signed[:-12] + chunk * 15_000 + signed[-12:]).summary
    signed = sign(encode(RGB, "AVIF"), "AVIF", signer, [CAMERA])
    free = struct.pack(">I4s", 8, b"free")
    assert read(signed + free * 100).trust is Trust.SIGNED  # where anything may be, by the standard
    assert "more than 15000 parts" in read(signed + free * 15_000).summary
    assert "structure has" in read(signed + box(b"moov", free * 15_000)).summary


def test_every_shortened_credential_is_unreadable_or_tampered(
    authority: Any, sign: Any, encode: Any, read: Read
) -> None:
    signed = sign(encode(RGB, "PNG"), "PNG", authority.signer("Camera Works"), [CAMERA])
    start = signed.index(b"caBX") + 4
    (length,) = struct.unpack_from(">I", signed, start - 8)
    store = signed[start : start + length]
    for kept in [*range(100), *range(100, length, 97)]:
        found = read(png_with(store[:kept]))
        assert found.details["outcome"] in ("none", "unreadable", "tampered"), kept
        assert found.says is Says.NOTHING


def test_damage_never_raises_and_no_other_picture_is_ever_signed(
    authority: Any, sign: Any, encode: Any, read: Read
) -> None:
    chance = random.Random(4)
    for format in ("JPEG", "PNG", "WEBP", "GIF", "AVIF"):
        signed = sign(encode(RGB, format), format, authority.signer("Model Works"), [MODEL])
        original = images.decode(signed).rgb
        first = signed.index(b"jumb")
        (length,) = struct.unpack_from(">I", signed, first - 4)
        outcomes = set()
        for _ in range(120):
            damaged = bytearray(signed)
            for _ in range(chance.choice((1, 1, 2, 8))):
                inside = chance.random() < 0.8
                at = first + 4 + chance.randrange(length - 8) if inside else chance.randrange(len(signed))
                damaged[at] ^= 1 << chance.randrange(8)
            try:
                picture = images.decode(bytes(damaged))
            except ImageError:
                continue
            found = read(bytes(damaged))
            outcomes.add(found.details["outcome"])
            assert found.trust is not Trust.SIGNED or np.array_equal(picture.rgb, original)
        assert {"tampered", "unreadable"} <= outcomes <= set(validation.Outcome)


def test_a_reader_that_fails_is_no_exception(
    authority: Any, sign: Any, jpeg_file: bytes, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = sign(jpeg_file, "JPEG", authority.signer("Camera Works"), [CAMERA])
    for error in (MemoryError(), RecursionError("deep"), KeyError("manifests"), OSError("gone")):

        def fail(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(content_credentials.library, "read_store", fail)
        assert read(signed).details["outcome"] == "unreadable"


def test_the_built_in_trust_lists() -> None:
    signers, time_stamps = trust_list.built_in()
    assert (signers.kind, time_stamps.kind) == ("signers", "time stamps")
    for built_in in (signers, time_stamps):
        certificates = x509.load_pem_x509_certificates(built_in.read().encode())
        assert len(certificates) == built_in.certificates
        by_subject = {certificate.subject: certificate for certificate in certificates}
        for certificate in certificates:  # a letter amiss would show, wherever the issuer is in the list
            if issuer := by_subject.get(certificate.issuer):
                certificate.verify_directly_issued_by(issuer)
        assert built_in.source.startswith("https://github.com/c2pa-org/conformance-public/")
    assert all(certificate.issuer in by_subject for certificate in certificates)
    loaded = trust_list.load()
    assert (loaded.name, loaded.pem) == ("C2PA trust list of 7 July 2026", signers.read())
    further = x509.load_pem_x509_certificates(loaded.time_stamps.encode())
    assert len(further) == 7  # the other 15 are in both lists
    assert set(further).isdisjoint(x509.load_pem_x509_certificates(signers.read().encode()))


def test_a_trust_list_says_how_old_it_is() -> None:
    signers = trust_list.built_in()[0]
    assert signers.age(signers.issued + datetime.timedelta(days=9)) == (
        "C2PA trust list: 28 certificates as of 7 July 2026 (9 days ago)."
    )


@pytest.mark.parametrize(
    "content",
    [None, b"", b"no certificates", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
)
def test_a_trust_list_that_is_none_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "list.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"list\.pem.* can't be used"):
        trust_list.load(path)


def test_one_damaged_certificate_spoils_a_trust_list(authority: Any, stranger: Any, tmp_path: Path) -> None:
    path = tmp_path / "list.pem"
    path.write_text(f"# Ours: Ü\n{authority.pem}\n{stranger.pem}")
    assert trust_list.load(path).name == "list.pem"
    path.write_text(authority.pem + stranger.pem.replace("MII", "XII"))
    with pytest.raises(ConfigError):
        trust_list.load(path)


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (manifests.Action("cropped", None, None, None), "captured"),
        (manifests.Action("edited", "humanEdits", None, None), "captured"),
        (manifests.Action("edited", None, "Adobe Firefly", None), None),
        (manifests.Action("metadata", "trainedAlgorithmicMedia", None, None), "generated"),
        (manifests.Action("metadata", "digitalArt", None, None), None),
    ],
)
def test_a_step_that_may_have_been_generative_is_no_mere_capture(step: manifests.Action, kind: str | None) -> None:
    shot = manifests.Action("created", "digitalCapture", None, None)
    own = manifests.Manifest("m", "S", None, None, True, True, (shot,), (step,), (), False)
    assert statement.find([own]).kind == kind


def test_a_source_type_in_a_metadata_assertion_is_read(authority: Any, sign: Any, encode: Any, read: Read) -> None:
    context = {"Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"}
    stated = {
        "@context": context,
        "Iptc4xmpExt:DigitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/" + MODEL,
    }
    assertion = {"label": "c2pa.metadata", "data": stated}
    signer = authority.signer("Camera Works")
    found = read(sign(encode(RGB, "JPEG"), "JPEG", signer, [CAMERA], assertions=[assertion]))
    assert (found.says, found.trust) == (Says.AI, Trust.DECLARED), found.details
