"""What a signature may leave out of a file: metadata and the credential, and nothing of the picture.

The credentials are put together by hand, with any hard binding and any exclusions, which c2pa's builder doesn't offer:
JUMBF boxes (C2PA specification 2.2, 11.1), a claim of version 2 (10.3) and COSE_Sign1 (13.2).
"""

from __future__ import annotations

import datetime
import hashlib
import shutil
import struct
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from fauxto import images
from fauxto.evidence import content_credentials
from fauxto.evidence.content_credentials import coverage, trust_list
from fauxto.images import jpeg, png, webp
from fauxto.limits import Limits
from fauxto.report import Evidence

RGB = np.random.default_rng(8).integers(0, 256, (40, 48, 3), np.uint8)
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
ARTIST = 0x013B
DQT, SOF, SOS, APP0, APP1, APP2 = 0xDB, 0xC0, 0xDA, 0xE0, 0xE1, 0xE2

MANIFEST = "urn:c2pa:11111111-2222-4333-8444-555555555555"
_UUID_END = bytes.fromhex("00110010800000aa00389b71")
_EDDSA = -8

Range = tuple[int, int]
"""Start and end in bytes."""
Assertions = Mapping[str, Mapping[str, Any]]
Bind = Callable[[bytes, Range], Assertions]
"""From the file with an empty credential, and where that lies, to the assertions that bind the credential to it."""

Stamp = Callable[[bytes], bytes]
"""From what is stamped to an RFC 3161 token."""


def cbor(value: Any) -> bytes:
    """Encode ints, bytes, texts, lists, dicts, None and booleans (RFC 8949)."""
    if value is None or isinstance(value, bool):
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, Mapping):
        return _head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in value.items())
    return _head(4, len(value)) + b"".join(map(cbor, value))


def _head(major: int, count: int) -> bytes:
    if count < 24:
        return bytes([major << 5 | count])
    size = next(size for size in range(4) if count < 1 << 8 * 2**size)
    return bytes([major << 5 | 24 + size]) + count.to_bytes(2**size, "big")


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


def _superbox(kind: bytes, label: str, content: bytes) -> bytes:
    return _box(b"jumb", _box(b"jumd", kind + _UUID_END + b"\x03" + label.encode() + b"\0") + content)


def store(signer: Any, assertions: Assertions, algorithm: int, stamp: Stamp | None) -> bytes:
    """Return a manifest store with one manifest, which states a capture."""
    source_type = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    actions = {"actions": [{"action": "c2pa.created", "digitalSourceType": source_type}]}
    boxes = {
        label: _superbox(b"cbor", label, _box(b"cbor", cbor(content)))
        for label, content in {"c2pa.actions.v2": actions, **assertions}.items()
    }
    references = [
        {"url": f"self#jumbf=c2pa.assertions/{label}", "hash": hashlib.sha256(box[8:]).digest()}
        for label, box in boxes.items()
    ]
    claim = cbor(
        {
            "instanceID": "xmp:iid:1",
            "claim_generator_info": {"name": "fauxto tests"},
            "signature": f"self#jumbf=/c2pa/{MANIFEST}/c2pa.signature",
            "created_assertions": references,
            "alg": "sha256",
        }
    )
    chain = [certificate.public_bytes(Encoding.DER) for certificate in (signer.certificate, signer.authority)]
    protected = cbor({1: algorithm, 33: chain})
    signature = signer.key.sign(cbor(["Signature1", protected, b"", claim]))
    token = stamp and stamp(cbor(["CounterSignature", protected, b"", cbor(signature)]))
    signed = b"\xd2" + cbor([protected, {"sigTst2": {"tstTokens": [{"val": token}]}} if token else {}, None, signature])
    manifest = (
        _superbox(b"c2as", "c2pa.assertions", b"".join(boxes.values()))
        + _superbox(b"c2cl", "c2pa.claim.v2", _box(b"cbor", claim))
        + _superbox(b"c2cs", "c2pa.signature", _box(b"cbor", signed))
    )
    return _superbox(b"c2pa", "c2pa", _superbox(b"c2ma", MANIFEST, manifest))


def _embed(picture: bytes, format: str, place: int, credential: bytes) -> tuple[bytes, Range]:
    padding = b""  # which c2pa doesn't exclude
    if format == "JPEG":
        part = b"\xff\xeb" + struct.pack(">H", len(credential) + 10) + b"JP\0\1\0\0\0\1" + credential
    elif format == "PNG":
        chunk = b"caBX" + credential
        part = struct.pack(">I", len(credential)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    else:
        part, padding = b"C2PA" + struct.pack("<I", len(credential)) + credential, bytes(len(credential) % 2)
        picture = picture[:4] + struct.pack("<I", len(picture + part + padding) - 8) + picture[8:]
    return picture[:place] + part + padding + picture[place:], (place, place + len(part))


def sign_by_hand(
    picture: bytes,
    format: str,
    signer: Any,
    bind: Bind,
    place: int,
    *,
    algorithm: int = _EDDSA,
    stamp: Stamp | None = None,
) -> bytes:
    """Put a credential into a picture at the offset `place`, bound to the file by `bind`."""
    credential = b""
    for _ in range(9):  # until its length, which it contains, is right
        signed, where = _embed(picture, format, place, credential)
        again = store(signer, bind(signed, where), algorithm, stamp)
        if len(again) == len(credential):
            return _embed(picture, format, place, again)[0]
        credential = again
    raise AssertionError("the credential's length doesn't settle")


def data_hash(signed: bytes, ranges: Sequence[Range]) -> dict[str, Any]:
    """Return a `c2pa.hash.data` of all bytes outside the ranges, which are in order."""
    hashed, end = hashlib.sha256(), 0
    for start, stop in ranges:
        hashed.update(signed[end:start])
        end = stop
    hashed.update(signed[end:])
    exclusions = [{"start": start, "length": stop - start} for start, stop in ranges]
    return {
        "exclusions": exclusions,
        "name": "jumbf manifest",
        "alg": "sha256",
        "hash": hashed.digest(),
        "pad": bytes(16),
    }


Ranges = Callable[[bytes, Range], list[Range]]


@pytest.fixture(scope="module")
def outcome(trust_file: Path) -> Callable[[bytes], str]:
    """Read a file with the tests' authority on the trust list and return the outcome."""
    trusted = trust_list.load(trust_file)

    def read(data: bytes) -> str:
        evidence: Evidence = content_credentials.read(data, images.decode(data), Limits(), trusted=trusted)
        return str(evidence.details["outcome"])

    return read


@pytest.fixture(scope="module")
def pictures(encode: Any) -> dict[str, bytes]:
    """A picture with EXIF, XMP and texts in each format whose parts are looked at."""
    exif = PIL.Image.Exif()
    exif[ARTIST] = "Ada Lovelace"
    text = PIL.PngImagePlugin.PngInfo()
    text.add_text("Title", "a loom")
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    text.add_text("Comment", "packed", zip=True)
    options: dict[str, Any] = {"exif": exif, "xmp": XMP, "icc_profile": bytes(200)}
    return {
        "JPEG": encode(RGB, "JPEG", quality=90, comment=b"a comment", **options),
        "PNG": encode(RGB, "PNG", exif=exif, pnginfo=text),
        "WEBP": encode(RGB, "WEBP", **options),
    }


def parts(data: bytes, format: str) -> dict[Any, Range]:
    """Return where the parts of a file lie; the last of each kind counts."""
    walk: dict[str, Callable[[bytes], Iterator[tuple[Any, int, int]]]] = {
        "JPEG": jpeg.segments,
        "PNG": png.chunks,
        "WEBP": webp.chunks,
    }
    found = {kind: (start, end) for kind, start, end in walk[format](data)}
    if format == "WEBP":
        return {kind: (start, end + (end - start) % 2) for kind, (start, end) in found.items()}
    return found


def place(picture: bytes, format: str) -> int:
    return {"JPEG": lambda: parts(picture, "JPEG")[APP1][1], "PNG": lambda: 33, "WEBP": lambda: len(picture)}[format]()


def hashed(ranges: Ranges) -> Bind:
    return lambda data, where: {"c2pa.hash.data": data_hash(data, ranges(data, where))}


SEGMENTS = {
    "EXIF or XMP": (APP1, "trusted"),
    "a comment": (0xFE, "trusted"),
    "JFIF": (APP0, "trusted"),
    "a colour profile": (APP2, "not_validated"),
    "quantisation tables": (DQT, "not_validated"),
    "the frame's header": (SOF, "not_validated"),
    "the scan's header": (SOS, "not_validated"),
}
CHUNKS = {
    "PNG": {b"tEXt": "trusted", b"iTXt": "trusted", b"zTXt": "trusted", b"eXIf": "trusted", b"IHDR": "not_validated",
            b"IDAT": "not_validated"},
    "WEBP": {b"EXIF": "trusted", b"XMP ": "trusted", b"ICCP": "not_validated", b"VP8X": "not_validated",
             b"VP8 ": "not_validated"},
}  # fmt: skip


@pytest.mark.parametrize("what", SEGMENTS)
def test_segments_of_a_jpeg(authority: Any, pictures: Any, outcome: Any, what: str) -> None:
    marker, expected = SEGMENTS[what]
    picture = pictures["JPEG"]
    bind = hashed(lambda data, where: sorted([parts(data, "JPEG")[marker], where]))
    assert outcome(sign_by_hand(picture, "JPEG", authority.signer("S"), bind, place(picture, "JPEG"))) == expected


@pytest.mark.parametrize(("format", "kind"), [(format, kind) for format in CHUNKS for kind in CHUNKS[format]])
def test_chunks(authority: Any, pictures: Any, outcome: Any, format: str, kind: bytes) -> None:
    picture = pictures[format]
    bind = hashed(lambda data, where: sorted([parts(data, format)[kind], where]))
    signed = sign_by_hand(picture, format, authority.signer("S"), bind, place(picture, format))
    assert outcome(signed) == CHUNKS[format][kind]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_the_credential_alone_is_left_out_and_every_other_byte_counts(
    authority: Any, pictures: Any, outcome: Any, format: str
) -> None:
    picture = pictures[format]
    signed = sign_by_hand(
        picture, format, authority.signer("S"), hashed(lambda _, where: [where]), place(picture, format)
    )
    assert outcome(signed) == "trusted"
    text = signed.index(b"Lovelace")
    assert outcome(signed[:text] + b"B" + signed[text + 1 :]) == "tampered"


def scan(data: bytes) -> Range:
    return parts(data, "JPEG")[SOS][1], len(data) - 2


EXCLUSIONS: dict[str, tuple[Ranges, str]] = {
    "several segments, each by itself": (
        lambda data, where: sorted([parts(data, "JPEG")[APP0], parts(data, "JPEG")[APP1], where]),
        "trusted",
    ),
    "part of a segment": (lambda data, where: [(where[0] - 9, where[0] - 2), where], "trusted"),
    "part of the scan": (lambda data, where: [where, (scan(data)[0] + 50, scan(data)[0] + 90)], "not_validated"),
    "one byte of the scan": (lambda data, where: [where, (scan(data)[0], scan(data)[0] + 1)], "not_validated"),
    "metadata and a byte more": (
        lambda data, where: [where, (parts(data, "JPEG")[0xFE][0], parts(data, "JPEG")[0xFE][1] + 1)],
        "not_validated",
    ),
    "the end mark": (lambda data, where: [where, (len(data) - 2, len(data))], "not_validated"),
    "from the start, as Truepic does": (lambda data, where: [(0, where[1])], "not_validated"),
    "the credential with the metadata before it": (lambda data, where: [(where[0] - 30, where[1])], "not_validated"),
    "from the start into the scan": (lambda data, where: [(0, scan(data)[0] + 9)], "tampered"),
    "the whole picture": (lambda data, where: [(0, len(data) - 2)], "tampered"),
}


@pytest.mark.parametrize("what", EXCLUSIONS)
def test_exclusions(authority: Any, pictures: Any, outcome: Any, what: str) -> None:
    ranges, expected = EXCLUSIONS[what]
    picture = pictures["JPEG"]
    signed = sign_by_hand(picture, "JPEG", authority.signer("S"), hashed(ranges), place(picture, "JPEG"))
    assert outcome(signed) == expected
    if expected == "not_validated":  # a hash that doesn't fit is never excused
        changed = bytearray(signed)
        changed[scan(signed)[0] + 200] ^= 1
        assert outcome(bytes(changed)) == "tampered"


def test_what_is_left_out_may_change_but_never_into_a_picture(
    authority: Any, encode: Any, pictures: Any, outcome: Any
) -> None:
    room = encode(PIL.Image.new("L", (48, 40), 200), "JPEG", quality=30, optimize=True)[20:]
    picture = encode(RGB, "JPEG", quality=90, xmp=XMP + b" " * (len(room) + 400))
    bind = hashed(lambda data, where: [parts(data, "JPEG")[APP1], where])
    signed = sign_by_hand(picture, "JPEG", authority.signer("S"), bind, place(picture, "JPEG"))
    start, end = parts(signed, "JPEG")[APP1]
    assert outcome(signed) == "trusted"
    edited = signed[:start] + signed[start:end].replace(b"xmpmeta", b"XMPMETA") + signed[end:]
    assert edited != signed
    assert outcome(edited) == "trusted"
    filler = end - start - len(room)
    comment = b"\xff\xfe" + (filler - 2).to_bytes(2, "big") + bytes(filler - 4)
    hidden = signed[:start] + comment + room + signed[end:]
    assert len(hidden) == len(signed)
    assert images.decode(hidden).rgb.std() == 0
    assert outcome(hidden) in ("none", "not_validated")


BINDINGS: dict[str, tuple[Bind, str]] = {
    "a multi-asset hash beside one of the whole file": (
        lambda data, where: {**_whole(data, where), "c2pa.hash.multi-asset": {"parts": []}},
        "trusted",
    ),
    "a part's hash that doesn't fit by itself": (
        lambda data, where: {**_whole(data, where), "c2pa.hash.data.part": {"hash": bytes(32), "alg": "sha256"}},
        "trusted",
    ),
    "two hard bindings": (
        lambda data, where: {**_whole(data, where), "c2pa.hash.data__1": data_hash(data, [where])},
        "not_validated",
    ),
    "two, of which one fails": (
        lambda data, where: {
            **_whole(data, where),
            "c2pa.hash.data__1": {**data_hash(data, [where]), "hash": bytes(32)},
        },
        "tampered",
    ),
    "two of different kinds, of which one fails": (
        lambda data, where: {
            **_whole(data, where),
            "c2pa.hash.boxes": {"boxes": [{"names": ["SOI"], "alg": "sha256", "hash": bytes(32), "pad": b""}]},
        },
        "tampered",
    ),
    "a hash by a method that c2pa doesn't know": (
        lambda data, where: {"c2pa.hash.data": {**data_hash(data, [where]), "alg": "md5"}},
        "not_validated",
    ),
    "a hash of something on a server": (
        lambda data, where: {"c2pa.hash.data": {**data_hash(data, [where]), "url": "https://example.org/"}},
        "not_validated",
    ),
    "a hash that doesn't fit": (
        lambda data, where: {"c2pa.hash.data": {**data_hash(data, [where]), "hash": bytes(32)}},
        "tampered",
    ),
}


def _whole(data: bytes, where: Range) -> Assertions:
    return {"c2pa.hash.data": data_hash(data, [where])}


@pytest.mark.parametrize("what", BINDINGS)
def test_hard_bindings(authority: Any, pictures: Any, outcome: Any, what: str) -> None:
    bind, expected = BINDINGS[what]
    picture = pictures["JPEG"]
    assert outcome(sign_by_hand(picture, "JPEG", authority.signer("S"), bind, place(picture, "JPEG"))) == expected


def test_a_signature_that_nobody_can_check_is_not_a_wrong_one(authority: Any, pictures: Any, outcome: Any) -> None:
    picture, signer = pictures["JPEG"], authority.signer("S")
    unknown = sign_by_hand(picture, "JPEG", signer, _whole, place(picture, "JPEG"), algorithm=-65535)
    assert outcome(unknown) == "not_validated"
    signed = sign_by_hand(picture, "JPEG", signer, _whole, place(picture, "JPEG"))
    for text in (b"fauxto tests", b"digitalCapture"):  # in the claim, in an assertion
        at = signed.index(text)
        assert outcome(signed[:at] + b"X" + signed[at + 1 :]) == "tampered"


@pytest.mark.parametrize(
    ("boxes", "is_covered"),
    [
        ([{"names": ["C2PA"]}, {"names": ["APP1"], "excluded": True}], True),
        ([{"names": ["APP1", "DQT"], "excluded": True}], False),
        ([{"names": ["SOS"], "excluded": True}], False),
        ([{"names": ["APP1"], "exclusions": [{"start": 10, "length": 5}]}], True),
        ([{"names": ["eXIf", "IDAT"], "exclusions": [{"start": 10, "length": 5, "boxIndex": 0}]}], True),
        ([{"names": ["eXIf", "IDAT"], "exclusions": [{"start": 10, "length": 5, "boxIndex": 1}]}], False),
    ],
)
def test_a_hash_of_boxes(boxes: list[dict[str, Any]], is_covered: bool) -> None:
    assert coverage.covers_picture({"c2pa.hash.boxes": {"boxes": boxes}}, ()) == is_covered


@pytest.mark.parametrize(
    ("paths", "is_covered"),
    [
        (["/uuid", "/ftyp", "/mfra"], True),
        (["/uuid", "/free", "/skip", "/udta", "/moov/udta"], True),
        (["/uuid", "/mdat"], False),
        (["/uuid", "/meta"], False),
        (["/uuid", "/meta/iloc"], False),
        (["/uuid", "/moov"], False),
    ],
)
def test_a_hash_of_the_boxes_of_avif_and_heif(paths: list[str], is_covered: bool) -> None:
    exclusions = [{"xpath": path} for path in paths]
    for version in ("v2", "v3"):
        assert coverage.covers_picture({f"c2pa.hash.bmff.{version}": {"exclusions": exclusions}}, ()) == is_covered
    assert not coverage.covers_picture({"c2pa.hash.bmff": {"exclusions": exclusions}}, ())


@pytest.fixture(scope="module")
def stamps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stamp, str]:
    """A time-stamping authority by OpenSSL: its function, and the certificate of its root."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("OpenSSL's program isn't installed")
    folder = tmp_path_factory.mktemp("stamps")

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)

    (folder / "tsa.cnf").write_text(
        "[leaf]\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
        "extendedKeyUsage=critical,timeStamping\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
        "[root]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
        "[req]\ndistinguished_name=name\n[name]\n[tsa]\nserial=serial\nsigner_cert=leaf.pem\ncerts=root.pem\n"
        "signer_key=leaf.key\nsigner_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256\ness_cert_id_alg=sha256\n"
    )
    (folder / "serial").write_text("1000")
    new = ("req", "-newkey", "rsa:2048", "-nodes", "-config", "tsa.cnf")
    run(*new, "-x509", "-extensions", "root", "-subj", "/O=Stamps/CN=Root", "-keyout", "root.key", "-out", "root.pem")
    run(*new, "-subj", "/O=Stamps/CN=Leaf", "-keyout", "leaf.key", "-out", "leaf.csr")
    issuer = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-extfile", "tsa.cnf", "-extensions", "leaf")
    run("x509", "-req", "-in", "leaf.csr", *issuer, "-out", "leaf.pem")

    def stamp(stamped: bytes) -> bytes:
        digest = hashlib.sha256(stamped).hexdigest()
        run("ts", "-query", "-digest", digest, "-sha256", "-cert", "-no_nonce", "-out", "query")
        run(
            "ts",
            "-reply",
            "-queryfile",
            "query",
            "-config",
            "tsa.cnf",
            "-section",
            "tsa",
            "-token_out",
            "-out",
            "token",
        )
        return (folder / "token").read_bytes()

    return stamp, (folder / "root.pem").read_text()


def test_a_stamp_by_a_listed_authority_keeps_a_signature_valid(
    authority: Any, stranger: Any, pictures: Any, stamps: tuple[Stamp, str]
) -> None:
    stamp, root = stamps
    picture = pictures["JPEG"]

    def outcome(data: bytes, trusted: trust_list.TrustList) -> str:
        return str(content_credentials.read(data, images.decode(data), Limits(), trusted=trusted).details["outcome"])

    def signed(signer: Any) -> bytes:
        return sign_by_hand(picture, "JPEG", signer, _whole, place(picture, "JPEG"), stamp=stamp)

    alone = trust_list.TrustList("alone", authority.pem)
    both = trust_list.TrustList("both", authority.pem, root)
    short_lived = signed(
        authority.signer_until("S", datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=3))
    )
    time.sleep(4)
    assert outcome(short_lived, alone) == "expired"
    assert outcome(short_lived, both) == "trusted"
    # An authority of time stamps is none of signers.
    lists = trust_list.TrustList("", authority.pem, stranger.pem + root)
    assert outcome(signed(stranger.signer("S")), lists) == "untrusted"
    whole = hashed(lambda _, where: [where])
    unstamped = sign_by_hand(picture, "JPEG", stranger.signer("S"), whole, place(picture, "JPEG"))
    assert outcome(unstamped, lists) == "untrusted"
