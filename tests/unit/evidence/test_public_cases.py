"""Declarations in files that people reported, or that a program's source says that it writes.

tests/public_cases has their metadata byte for byte, around a picture of 32 x 24 pixels; the whole files are tried where
the folder `shared` is there.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import PIL.Image
import pytest
from typer.testing import CliRunner

from fauxto import Basis, Detector, Evidence, Report, Says, Status, Trust, Verdict, images
from fauxto.cli import commands

TESTS = Path(__file__).parents[2]
CASES = TESTS / "public_cases"
GOLDEN = TESTS / "golden" / "bundle"
WEBUI = "Stable Diffusion WebUI (AUTOMATIC1111)"


@dataclass(frozen=True)
class Right:
    """What is right for a file: what it declares, by which generator, and where. None where the file names none."""

    kind: str
    generator: str | None
    where: str


IPTC_TERM = Right("generated", None, "XMP Iptc4xmpExt:DigitalSourceType")

# A generator's own form.
OWN_FORM = {
    "m32_flux_cli.jpg": Right("generated", "FLUX (Black Forest Labs)", "EXIF Software"),
    "m34_civitai_graph.jpg": Right("generated", "ComfyUI (Civitai)", "EXIF UserComment"),
    "m01_easydiffusion.png": Right("generated", "Easy Diffusion", "PNG text"),
    "m02_easydiffusion.jpg": Right("generated", "Easy Diffusion", "EXIF UserComment"),
    "m36_ruinedfooocus.png": Right("generated", "RuinedFooocus", "PNG text 'parameters'"),
    "m12_invoke_graph_only.png": Right("generated", "InvokeAI", "PNG text 'invokeai_graph'"),
    "m15_0_GrokImageNode.png": Right("generated", "ComfyUI", "PNG text 'prompt'"),
    "m15_1_WanTextToImageApi.png": Right("generated", "ComfyUI", "PNG text 'prompt'"),
    "m15_2_ByteDanceImageEditNode.png": Right("composite", "ComfyUI", "PNG text 'prompt'"),
    "m15_5_RecraftReplaceBackgroundNode.png": Right("composite", "ComfyUI", "PNG text 'prompt'"),
    "m03_sdnext_pipes.png": Right("generated", "SD.Next", "PNG text 'parameters'"),
    "m23_openvino.png": Right("generated", "Stable Diffusion with OpenVINO", "PNG text"),
    "m37_apple_playground_iptc_only.jpg": Right("generated", "Apple Image Playground", "IPTC credit"),
}
# A known form in an unusual place.
ODD_PLACE = {
    "m05_ifd0_usercomment_bytes.jpg": Right("generated", WEBUI, "EXIF UserComment"),
    "m05d_fooocus_ifd0_only.jpg": Right("generated", "Fooocus", "EXIF UserComment"),
    "m33g_aigc_ifd0_usercomment.jpg": Right("composite", None, "EXIF UserComment"),
    "m06_a1111.gif": Right("generated", WEBUI, "GIF comment"),
    "m07_xmp_dst.gif": IPTC_TERM,
    "m33_aigc_private_chunk.png": Right("composite", None, "PNG text 'AIGC'"),
    "m08_rawprofile_xmp.png": IPTC_TERM,
    "m08b_rawprofile_exif_a1111.png": Right("generated", WEBUI, "EXIF UserComment"),
    "m08d_rawprofile_iptc.png": Right("generated", "Google AI", "IPTC credit"),
    "m14b_metahub_comfy_xmp.avif": Right("generated", "ComfyUI", "XMP comfy:prompt"),
    "m25b_two_exif.jpg": Right("generated", WEBUI, "EXIF UserComment"),
    "m11_multisegment_exif.jpg": Right("generated", WEBUI, "EXIF UserComment"),
    "m09_dsft_only.jpg": Right("generated", None, "XMP Iptc4xmpExt:DigitalSourceFileType"),
    "m20_xpcomment.jpg": Right("generated", WEBUI, "EXIF XPComment"),
}
# XMP that isn't clean UTF-8.
ODD_XMP = {
    "m30_xmp_utf16be_nobom.jpg": IPTC_TERM,
    "m30c_xmp_utf32.jpg": IPTC_TERM,
    "m31f_xmp_trailer_cut.jpg": IPTC_TERM,
    "m31g_xmp_old_tail_left.jpg": IPTC_TERM,
    "m31b_xmp_ctrl_char.jpg": IPTC_TERM,
}
# What was read before, and must be still.
READ_BEFORE = {
    "m04b_swarm_now.jpg": Right("generated", "SwarmUI", "EXIF UserComment"),
    "m22_webp_odd_chunk.webp": Right("generated", "ComfyUI", "EXIF ImageDescription"),
    "m13_comfy_nan.png": Right("generated", "ComfyUI", "PNG text 'prompt'"),
    "m16_parameters_after_idat.png": Right("generated", WEBUI, "PNG text 'parameters'"),
    "m23b_sdcpp.png": Right("generated", "stable-diffusion.cpp", "PNG text 'parameters'"),
    "p08_novelai_v4.png": Right("generated", "NovelAI", "PNG text 'Comment'"),
    "m31_xmp_nul_padded.jpg": IPTC_TERM,
}
RIGHT = {**OWN_FORM, **ODD_PLACE, **ODD_XMP, **READ_BEFORE}
UNREADABLE = "m31b_xmp_ctrl_char.jpg"
CAMERA = "x01_camera_in_xmp_only.png"
UNDECLARED = ("p09_jpeg_named.HEIC", "i05_jfif_then_junk_between_segments.jpg", "i02b_eoi_samsung_trailer.jpg")
TOO_LARGE = {"m11_multisegment_exif.jpg"}
COPIED = [name for name in RIGHT if name not in TOO_LARGE]
AT_THE_TERMINAL = (*list(OWN_FORM)[:9], *list(ODD_PLACE)[:6], *ODD_XMP, "m22_webp_odd_chunk.webp", "m23b_sdcpp.png")


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(GOLDEN)


@pytest.fixture
def public_cases(shared: Path) -> Path:
    """The folder of the whole files; the test is skipped where there is none."""
    folder = shared / "data" / "public-cases"
    if not folder.is_dir():
        pytest.skip("the folder 'shared' has no public cases")
    return folder


def evidence(report: Report, source: str) -> Evidence:
    return next(piece for piece in report.evidence if piece.source == source)


def check(detector: Detector, file: Path, right: Right) -> None:
    """Assert that a file declares what is right, and that the verdict follows it unless the pixels say real."""
    report = detector.analyze(file)
    generator, camera = (evidence(report, source) for source in ("generator_metadata", "camera_metadata"))
    details = generator.details
    assert (generator.says, generator.trust) == (Says.AI, Trust.DECLARED)
    assert Right(details["kind"], details.get("generator"), details["declarations"][0]["where"]) == right
    assert "names a camera" not in camera.summary
    assert ("unreadable" in details) == (file.name == UNREADABLE)

    stripped = io.BytesIO()
    PIL.Image.fromarray(images.decode(file.read_bytes()).rgb).save(stripped, "PNG")
    pixels = detector.analyze(stripped.getvalue()).verdict
    assert (report.verdict, report.basis) == verdict(right, pixels)


def verdict(right: Right, pixels: Verdict | None) -> tuple[Verdict, Basis]:
    """The verdict rule for declarations, with what the pixels alone say."""
    if right.kind == "composite":
        return Verdict.AI if pixels is Verdict.AI else Verdict.INCONCLUSIVE, Basis.DECLARED_METADATA
    if pixels is Verdict.REAL:
        return Verdict.INCONCLUSIVE, Basis.CONFLICT
    return Verdict.AI, Basis.DECLARED_METADATA


@pytest.mark.parametrize("name", COPIED)
def test_a_declaration_is_read(detector: Detector, name: str) -> None:
    check(detector, CASES / name, RIGHT[name])


@pytest.mark.parametrize("name", RIGHT)
def test_a_declaration_is_read_in_the_whole_file(detector: Detector, public_cases: Path, name: str) -> None:
    check(detector, public_cases / name, RIGHT[name])


@pytest.mark.parametrize("name", AT_THE_TERMINAL)
def test_a_declaration_is_in_the_json_of_check(detector: Detector, name: str) -> None:
    result = CliRunner().invoke(commands, ["check", "--model", str(GOLDEN), "--json", str(CASES / name)])
    assert result.exit_code == 0, result.output
    report, expected = json.loads(result.stdout), detector.analyze(CASES / name)
    [piece] = [piece for piece in report["evidence"] if piece["source"] == "generator_metadata"]
    assert (piece["says"], piece["details"]["kind"]) == ("ai", RIGHT[name].kind)
    assert piece["details"].get("generator") == RIGHT[name].generator
    assert (report["verdict"], report["basis"]) == (expected.verdict, expected.basis)


def test_what_can_not_be_read_is_noted(detector: Detector) -> None:
    report = detector.analyze(CASES / UNREADABLE)
    assert [reason.word for reason in report.reasons].count("metadata_unreadable") == 1
    assert "means nothing" not in evidence(report, "camera_metadata").summary
    shown = CliRunner().invoke(commands, ["check", "--model", str(GOLDEN), str(CASES / UNREADABLE)])
    assert "characters that XML forbids" in " ".join(shown.stdout.replace("│", " ").split())


def test_a_camera_that_only_xmp_names(detector: Detector) -> None:
    camera = evidence(detector.analyze(CASES / CAMERA), "camera_metadata")
    assert camera.says is Says.NOTHING
    assert "names a camera (NIKON CORPORATION NIKON D5300)" in camera.summary
    assert {key: camera.details[key] for key in ("make", "model", "lens", "taken", "exposure_seconds")} == {
        "make": "NIKON CORPORATION",
        "model": "NIKON D5300",
        "lens": "18.0-55.0 mm f/3.5-5.6",
        "taken": "2017-03-05 10:11:12",
        "exposure_seconds": 0.004,
    }


@pytest.mark.parametrize("name", UNDECLARED)
def test_a_file_without_a_declaration_declares_nothing(detector: Detector, public_cases: Path, name: str) -> None:
    report = detector.analyze(public_cases / name)
    assert report.status is Status.OK
    assert [piece.source for piece in report.evidence if piece.says is Says.AI] == []
