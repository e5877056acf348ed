"""The sources behind one face, plug-ins, and the verdict rule end to end with files that were really signed."""

from __future__ import annotations

import dataclasses
import io
import re
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pytest

from fauxto import Detector, Evidence, Limits, Says, Trust, evidence, images, verdict
from fauxto.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests" / "golden" / "bundle"
BUILT_IN = list(evidence.SOURCES)
CAMERA, MODEL = "digitalCapture", "trainedAlgorithmicMedia"


def png(rgb: object, **texts: str) -> bytes:
    file, text = io.BytesIO(), PIL.PngImagePlugin.PngInfo()
    for keyword, value in texts.items():
        text.add_text(keyword, value)
    PIL.Image.fromarray(np.asarray(rgb, np.uint8)).save(file, "PNG", pnginfo=text)
    return file.getvalue()


def lines(contrast: int) -> Any:
    """A slope from dark to light under dark and light lines: the golden bundle measures how rough it is."""
    slope = np.linspace(0, 255 - contrast, 32)[None, :, None]
    return np.broadcast_to(slope + (np.arange(32) % 2 * contrast)[:, None, None], (32, 32, 3))


# What the golden bundle says of them at its balanced operating point.
PIXELS = {"real": lines(10), "inconclusive": lines(60), "ai": lines(150)}
PARAMETERS = (
    "a cat\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 32x32, Model: sd14"
)


@pytest.fixture(scope="module")
def detector(trust_file: Path) -> Detector:
    return Detector(GOLDEN, trust_list=trust_file)


def test_every_report_has_one_entry_a_source_in_their_order(detector: Detector) -> None:
    report = detector.analyze(png(PIXELS["real"]))
    assert [evidence.source for evidence in report.evidence][: len(BUILT_IN)] == BUILT_IN
    assert {evidence.says for evidence in report.evidence[: len(BUILT_IN)]} == {Says.NOTHING}
    assert report.milliseconds["evidence"] > 0


def test_without_evidence_the_pixels_decide(authority: Any, sign: Any) -> None:
    signed = sign(png(PIXELS["real"]), "PNG", authority.signer("Model Works"), [MODEL])
    report = Detector(GOLDEN, evidence=False).analyze(signed)
    assert (report.verdict, report.basis, report.evidence) == ("real", "pixels", ())
    assert report.milliseconds.keys() == {"decode", "model"}


def exchange(monkeypatch: pytest.MonkeyPatch, name: str, read: evidence.Read) -> None:
    """Give a built-in source another function."""
    row = dataclasses.replace(evidence.SOURCES[name], read=read)
    monkeypatch.setattr(evidence, "SOURCES", {**evidence.SOURCES, name: row})


def test_each_source_is_asked_once_a_picture(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    read = evidence.watermarks.read

    def note(data: bytes, image: images.Image, limits: Limits) -> Evidence:
        asked.append(data)
        return read(data, image, limits)

    exchange(monkeypatch, "watermarks", note)
    pictures = [png(lines(shade)) for shade in range(5)]
    list(Detector(GOLDEN, batch_size=2).analyze_many([*pictures, b"no picture"]))
    assert sorted(asked) == sorted(pictures)


# What the file carries -> verdict and basis where the pixels say real, inconclusive, ai.
CREDENTIALS, DECLARED, CONFLICT = "content credentials", "declared metadata", "conflict"
AS_PIXELS = [("real", "pixels"), ("inconclusive", "pixels"), ("ai", "pixels")]
AS_DECLARED = [("inconclusive", CONFLICT), ("ai", DECLARED), ("ai", DECLARED)]
Make = Callable[[Any, Any, Any, object], bytes]
ROWS: dict[str, tuple[Make, list[tuple[str, str]]]] = {
    "nothing": (lambda sign, authority, stranger, rgb: png(rgb), AS_PIXELS),
    "signed: AI": (
        lambda sign, authority, stranger, rgb: sign(png(rgb), "PNG", authority.signer("M"), [MODEL]),
        [("ai", CREDENTIALS)] * 3,
    ),
    "signed: camera": (
        lambda sign, authority, stranger, rgb: sign(png(rgb), "PNG", authority.signer("C"), [CAMERA]),
        [("real", CREDENTIALS), ("real", CREDENTIALS), ("inconclusive", CONFLICT)],
    ),
    "signed: camera, and declared: AI": (
        lambda sign, authority, stranger, rgb: sign(
            png(rgb, parameters=PARAMETERS), "PNG", authority.signer("C"), [CAMERA]
        ),
        [("inconclusive", CONFLICT)] * 3,
    ),
    "declared: AI, in metadata": (
        lambda sign, authority, stranger, rgb: png(rgb, parameters=PARAMETERS),
        AS_DECLARED,
    ),
    "declared: AI, by an unknown signer": (
        lambda sign, authority, stranger, rgb: sign(png(rgb), "PNG", stranger.signer("M"), [MODEL]),
        AS_DECLARED,
    ),
    "declared: AI, expired": (
        lambda sign, authority, stranger, rgb: sign(png(rgb), "PNG", authority.expired_signer("M"), [MODEL]),
        AS_DECLARED,
    ),
    "a camera, by an unknown signer": (
        lambda sign, authority, stranger, rgb: sign(png(rgb), "PNG", stranger.signer("C"), [CAMERA]),
        AS_PIXELS,
    ),
    "a camera, expired": (
        lambda sign, authority, stranger, rgb: sign(png(rgb), "PNG", authority.expired_signer("C"), [CAMERA]),
        AS_PIXELS,
    ),
    "tampered: camera": (
        lambda sign, authority, stranger, rgb: sign(png(rgb), "PNG", authority.signer("C"), [CAMERA]) + b"x",
        [("inconclusive", "pixels"), ("inconclusive", "pixels"), ("ai", "pixels")],
    ),
    "tampered: AI, and declared: AI": (
        lambda sign, authority, stranger, rgb: (
            sign(png(rgb, parameters=PARAMETERS), "PNG", authority.signer("M"), [MODEL]) + b"x"
        ),
        AS_DECLARED,
    ),
}


@pytest.mark.parametrize("carried", ROWS)
def test_the_verdict_rule_end_to_end(
    detector: Detector, authority: Any, stranger: Any, sign: Any, carried: str
) -> None:
    make, expected = ROWS[carried]
    for (said, rgb), outcome in zip(PIXELS.items(), expected, strict=True):
        report = detector.analyze(make(sign, authority, stranger, rgb))
        assert (report.verdict, report.basis) == outcome, said
        plain = detector.analyze(png(rgb))
        assert (report.score, report.probability) == (plain.score, plain.probability)
        assert any(reason.word == f"pixels_{said}" for reason in report.reasons)
        warned = any(reason.word == "tampered_credential" for reason in report.reasons)
        assert warned == carried.startswith("tampered")


def jpeg(rgb: object) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(np.asarray(rgb, np.uint8)).save(file, "JPEG", quality=95)
    return file.getvalue()


def behind_the_header(picture: bytes, marker: int, payload: bytes) -> bytes:
    """Put a segment behind the first one of a JPEG."""
    return picture[:20] + struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload + picture[20:]


def credential_of(signed: bytes) -> bytes:
    """Return the segments with the credential of a JPEG, as they stand in the file."""
    return b"".join(signed[start:end] for marker, start, end in images.jpeg.segments(signed) if marker == 0xEB)


XMP = b"http://ns.adobe.com/xap/1.0/\0"


@pytest.mark.parametrize("said", PIXELS)
def test_a_spoof_changes_neither_the_score_nor_what_the_verdict_rests_on(
    detector: Detector, authority: Any, sign: Any, xmp_packet: Any, said: str
) -> None:
    plain = jpeg(PIXELS[said])
    label = xmp_packet(
        f'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{MODEL}"'
    ).encode()
    other = jpeg(lines(100))
    spoofs = {
        "a brand in a comment": behind_the_header(plain, 0xFE, b"Made with Midjourney"),
        "settings in a comment": behind_the_header(plain, 0xFE, b"parameters\0" + PARAMETERS.encode()),
        "a label behind the end": plain + struct.pack(">BBH", 0xFF, 0xE1, len(XMP + label) + 2) + XMP + label,
        "13 bytes behind the end": plain + b"AI generated!",
        **{
            f"another picture's credential: {term}": plain[:20]
            + credential_of(sign(other, "JPEG", authority.signer("M"), [term]))
            + plain[20:]
            for term in (CAMERA, MODEL)
        },
    }
    expected = detector.analyze(plain)
    for what, data in spoofs.items():
        report = detector.analyze(data)
        assert (report.score, report.probability) == (expected.score, expected.probability), what
        assert report.basis == "pixels", what
        assert all(one.trust is not Trust.SIGNED and one.says is Says.NOTHING for one in report.evidence), what
        copied = "credential" in what and expected.verdict == "real"
        assert report.verdict == ("inconclusive" if copied else expected.verdict), what
    # The same words and credentials where they belong do count.
    declared = detector.analyze(behind_the_header(plain, 0xE1, XMP + label))
    assert declared.basis in ("declared metadata", "conflict")
    assert declared.score == expected.score
    assert detector.analyze(sign(plain, "JPEG", authority.signer("M"), [MODEL])).basis == "content credentials"


def test_the_page_on_the_verdict_rule_has_the_table_of_the_code() -> None:
    page = (ROOT / "docs" / "explanation" / "verdict.md").read_text()
    assert verdict.__doc__ is not None
    in_code = [line for line in verdict.__doc__.splitlines() if line.startswith("|")]
    assert len(in_code) == 13
    assert [line for line in page.splitlines() if line.startswith("|")] == in_code


def test_what_names_a_person_is_left_out_unless_asked_for(authority: Any, sign: Any, trust_file: Path) -> None:
    work = {"label": "stds.schema-org.CreativeWork", "data": {"author": [{"name": "Ada Lovelace"}]}, "kind": "Json"}
    signer = authority.signer("Camera Works")
    signed = sign(png(PIXELS["real"]), "PNG", signer, [CAMERA], assertions=[work])
    for personal in (False, True):
        report = Detector(GOLDEN, trust_list=trust_file, personal=personal).analyze(signed)
        assert report.verdict == "real"
        assert ("Ada Lovelace" in str(report.to_dict())) is personal


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, code: str, *points: str) -> None:
    """Install a package with a module and entry points, as pip would."""
    information = folder / "studio-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: studio\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[fauxto.evidence]\n" + "\n".join(points) + "\n")
    (folder / "studio_pictures.py").write_text(code)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "studio_pictures", raising=False)


def test_the_source_of_the_how_to_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "write-an-evidence-source.md").read_text()
    [code] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    [point] = re.findall(r'```toml\n\[project.entry-points."fauxto.evidence"\]\n(\w+) = "(\S+)"\n```', page)
    assert len(code.splitlines()) <= 40
    install(monkeypatch, tmp_path, code, " = ".join(point))
    ours, another = png(PIXELS["inconclusive"]), png(PIXELS["ai"])
    listed = tmp_path / "list.txt"
    listed.write_text(images.decode(ours).facts.sha256 + "\n")
    monkeypatch.setenv("STUDIO_PICTURES", str(listed))
    detector = Detector(GOLDEN)
    report = detector.analyze(ours)
    assert [one.source for one in report.evidence] == [*BUILT_IN, "studio_pictures"]
    assert (report.verdict, report.basis) == ("ai", "declared metadata")
    assert report.evidence[-1].details == {"entries": 1}
    assert detector.analyze(another).evidence[-1].says is Says.NOTHING


PLUG_IN = """
from fauxto import Evidence, Says, Trust
def read(data, image, limits):
    {body}
"""
SAYS_NOTHING = "return Evidence('other', Says.NOTHING, Trust.INFERRED, 'Nothing.', {details})"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (PLUG_IN.format(body="raise RuntimeError('no\\x1b[31m luck')"), "RuntimeError: no[31m luck"),
        (PLUG_IN.format(body="raise MemoryError"), "MemoryError"),
        (PLUG_IN.format(body="return read(data, image, limits)"), "RecursionError"),
        (PLUG_IN.format(body="return None"), "AttributeError"),
        (PLUG_IN.format(body="return Evidence('studio', 'fake', 'signed', 'Hm.')"), "ValueError"),
        (PLUG_IN.format(body=SAYS_NOTHING.format(details="{'bytes': data}")), "TypeError"),
        (PLUG_IN.format(body=SAYS_NOTHING.format(details="{'score': float('nan')}")), "ValueError"),
        (PLUG_IN.format(body=SAYS_NOTHING.format(details="{'text': 'x' * 200_000}")), "the limit is 100000"),
        ("import no_such_package", "No module named 'no_such_package'"),
        ("raise SyntaxError('x')", "ImportError"),
        ("", "has no attribute 'read'"),
    ],
)
def test_a_plug_in_that_fails_says_so_in_its_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, said: str
) -> None:
    install(monkeypatch, tmp_path, code, "studio = studio_pictures:read")
    report = Detector(GOLDEN).analyze(png(PIXELS["ai"]))
    assert report.verdict == "ai"
    failed = report.evidence[-1]
    assert (failed.source, failed.says, failed.trust) == ("studio", Says.NOTHING, Trust.INFERRED)
    assert said in failed.details["unreadable"]
    assert failed.summary.isprintable()


def test_a_plug_in_bears_the_name_of_its_entry_point(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code = PLUG_IN.format(body=SAYS_NOTHING.format(details="{}"))
    install(monkeypatch, tmp_path, code, "b = studio_pictures:read", "a = studio_pictures:read")
    report = Detector(GOLDEN).analyze(png(PIXELS["ai"]))
    assert [one.source for one in report.evidence] == [*BUILT_IN, "a", "b"]


def test_a_plug_in_cannot_take_the_place_of_another_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, "", "content_credentials = studio_pictures:read")
    with pytest.raises(ConfigError, match="two sources of evidence are called 'content_credentials'"):
        Detector(GOLDEN)


def test_a_built_in_source_that_fails_does_not_end_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Evidence:
        raise KeyError("surprise")

    exchange(monkeypatch, "camera_metadata", fail)
    reports = list(Detector(GOLDEN).analyze_many([png(PIXELS["ai"])] * 3))
    assert [report.verdict for report in reports] == ["ai"] * 3
    assert all("KeyError" in report.evidence[2].details["unreadable"] for report in reports)


def test_a_trust_list_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="trust list"):
        Detector(GOLDEN, trust_list=tmp_path / "none.pem")
