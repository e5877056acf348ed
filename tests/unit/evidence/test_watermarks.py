"""Invisible watermarks: read from files that the package wrote, and from an encoder of the tests' own."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from fauxto.evidence import watermarks
from fauxto.evidence.watermarks import ALL_MESSAGES, FALSE_ALARMS, THRESHOLD
from fauxto.images import decode
from fauxto.limits import Limits
from fauxto.report import Basis, Evidence, Says, Trust, Verdict
from fauxto.verdict import combine

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests" / "golden" / "watermarks"

Pixels = NDArray[np.uint8]

MESSAGES = {
    "Stable Diffusion 1": "".join(f"{byte:08b}" for byte in b"StableDiffusionV1"),
    "Stable Diffusion 1 inpainting": "".join(f"{byte:08b}" for byte in b"StableDiffusionV1-Inpainting"),
    "Stable Diffusion 2": "".join(f"{byte:08b}" for byte in b"SDV2"),
    "Stable Diffusion XL": bin(0xB3EC907BB19E)[2:],
    "FLUX": bin(0x2AFE879CF52E)[2:],
}


def mark(rgb: Pixels, message: str, *, svd: bool = False, offset: float = 128.0, swapped: bool = False) -> Pixels:
    """Mark a picture by the published algorithm. `swapped` takes red for blue, as diffusers does.

    What changes U alone is added to the pixels, so that all that this shares with the package is the outcome.
    """
    bits = np.array([int(bit) for bit in MESSAGES[message]])
    pixels = rgb[..., ::-1].astype(float) if swapped else rgb.astype(float)
    rows, columns = rgb.shape[0] // 8, rgb.shape[1] // 8
    luma = pixels @ [0.299, 0.587, 0.114]
    u = (0.492 * (pixels[..., 2] - luma) + offset)[: 8 * rows, : 8 * columns]
    approximation = (u[0::2, 0::2] + u[0::2, 1::2] + u[1::2, 0::2] + u[1::2, 1::2]) / 2
    blocks = approximation.reshape(rows, 4, columns, 4).swapaxes(1, 2).reshape(-1, 4, 4)
    wanted = bits[np.arange(len(blocks)) % len(bits)]
    if svd:
        left, values, right = np.linalg.svd(blocks)
        values[:, 0] = (values[:, 0] // 36 + 0.25 + 0.5 * wanted) * 36
        marked = (left * values[:, None]) @ right
    else:
        flat = blocks.reshape(-1, 16).copy()
        every = np.arange(len(flat))
        place = np.abs(flat[:, 1:]).argmax(axis=1) + 1
        old = flat[every, place]
        flat[every, place] = np.where(old < 0, -1, 1) * (np.abs(old) // 36 + 0.25 + 0.5 * wanted) * 36
        marked = flat.reshape(-1, 4, 4)
    change = (marked - blocks).reshape(rows, columns, 4, 4).swapaxes(1, 2).reshape(4 * rows, 4 * columns)
    u_change = np.kron(change / 2, np.ones((2, 2)))
    pixels[: 8 * rows, : 8 * columns, 2] += 2.032 * u_change
    pixels[: 8 * rows, : 8 * columns, 1] -= 0.395 * u_change
    marked_rgb = np.clip(pixels, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(marked_rgb[..., ::-1] if swapped else marked_rgb)


def as_file(rgb: Pixels, format: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(rgb).save(file, format, **options)
    return file.getvalue()


def read(data: bytes) -> Evidence:
    evidence = watermarks.read(data, decode(data), Limits())
    assert evidence.source == "watermarks"
    assert evidence.trust is Trust.INFERRED
    json.dumps(dict(evidence.details), allow_nan=False)
    return evidence


WRITERS: dict[str, dict[str, Any]] = {
    "Stable Diffusion 1": {},
    "Stable Diffusion 1 inpainting": {},
    "Stable Diffusion 2": {},
    "Stable Diffusion XL": {"offset": 0.5},
    "Stable Diffusion XL by diffusers": {"offset": 0.5, "swapped": True},
    "FLUX": {"offset": 0.5},
    "FLUX by dwtDctSvd": {"svd": True},
    "Stable Diffusion 1 by dwtDctSvd": {"svd": True},
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", ["astronaut", "chelsea", "china", "flower"])
def test_a_marked_photograph_is_recognised(photographs, name: str, writer: str) -> None:
    message = writer.partition(" by ")[0]
    evidence = read(as_file(mark(photographs[name], message, **WRITERS[writer])))
    assert evidence.says is Says.AI
    assert evidence.details["found"]
    assert message in evidence.summary
    assert "Anyone can put this watermark into any picture" in evidence.summary
    match = evidence.details["strongest_match"]
    assert (match["message"], match["bits"]) == (message, len(MESSAGES[message]))
    assert match["matched_bits"] >= 0.9 * match["bits"]
    assert match["strength"] >= THRESHOLD


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.png")), ids=lambda file: file.stem)
def test_what_the_package_itself_wrote_is_read(file: Path) -> None:
    evidence = read(file.read_bytes())
    assert evidence.says is Says.AI
    match = evidence.details["strongest_match"]
    written = "stable-diffusion-xl-dwtdctsvd" if file.stem == "dwtdctsvd" else file.stem
    assert written.startswith(match["message"].lower().replace(" ", "-"))
    assert match["matched_bits"] == match["bits"]
    assert ("svd" in file.stem) == (match["method"] == "dwtDctSvd")
    assert ("diffusers" in file.stem) == ("red for blue" in match["method"])


def test_there_is_a_golden_picture_of_every_writer() -> None:
    assert len(list(GOLDEN.glob("*.png"))) == 6


def test_the_messages_are_what_their_writers_publish() -> None:
    assert {one.writer: "".join(str(int(bit)) for bit in one.bits) for one in ALL_MESSAGES} == MESSAGES
    assert [len(one.bits) for one in ALL_MESSAGES] == [136, 224, 32, 48, 46]


@pytest.mark.parametrize("size", [(1031, 1537), (2000, 777), (769, 3000)])
@pytest.mark.parametrize("message", ["Stable Diffusion 1", "Stable Diffusion XL", "FLUX"])
def test_the_middle_of_a_large_picture_keeps_its_place_in_the_message(photo, size, message) -> None:
    large = np.tile(photo, (4, 6, 1))[: size[0], : size[1]]
    evidence = read(as_file(mark(large, message, offset=128.0 if message.endswith("1") else 0.5)))
    assert evidence.details["strongest_match"]["message"] == message
    assert evidence.says is Says.AI


def test_a_mark_written_by_svd_outlives_jpeg_and_the_other_only_good_jpeg(photo) -> None:
    by_svd = mark(photo, "Stable Diffusion XL", svd=True)
    assert read(as_file(by_svd, "JPEG", quality=75)).says is Says.AI
    plain = mark(photo, "Stable Diffusion XL", offset=0.5)
    assert read(as_file(plain, "JPEG", quality=95, subsampling="4:4:4")).says is Says.AI
    assert read(as_file(plain, "JPEG", quality=75)).says is Says.NOTHING


def test_a_cropped_mark_is_lost_and_raises_no_alarm(photo) -> None:
    marked = mark(np.tile(photo, (2, 2, 1)), "Stable Diffusion XL", offset=0.5)
    assert read(as_file(marked[5:, 3:])).says is Says.NOTHING


def test_photographs_without_a_mark_say_nothing(photograph_files) -> None:
    for file in photograph_files.values():
        evidence = read(file.read_bytes())
        assert evidence.says is Says.NOTHING
        assert not evidence.details["found"]
        assert "SynthID" in evidence.summary
        assert {"SynthID", "TrustMark", "Digimarc"} < set(evidence.details["unreadable_here"])
        assert len(evidence.details["looked_for"]) == 5


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 0, 255), (17, 130, 90)])
def test_one_colour_says_nothing(colour: tuple[int, int, int]) -> None:
    evidence = read(as_file(np.full((300, 400, 3), colour, np.uint8)))
    assert evidence.says is Says.NOTHING
    assert abs(evidence.details["strongest_match"]["strength"]) < 1e-6


@pytest.mark.parametrize("kind", ["noise", "columns", "rows", "ramp", "checkers"])
def test_patterns_say_nothing(kind: str) -> None:
    y, x = np.mgrid[:600, :800]
    plane = {
        "noise": np.random.default_rng(1).integers(0, 256, (600, 800)),
        "columns": x // 8 * 37 % 256,
        "rows": y // 8 * 91 % 256,
        "ramp": (x + y) // 6,
        "checkers": (x // 16 + y // 16) % 2 * 255,
    }[kind]
    rgb = np.stack([plane, 255 - plane // 2, 255 - plane], axis=-1).astype(np.uint8)
    assert read(as_file(rgb)).says is Says.NOTHING


@pytest.mark.parametrize(
    "size", [(1, 1), (8, 8), (255, 256), (256, 256), (7, 20_000), (20_000, 7), (8, 9_000), (65, 1_009)]
)
def test_every_shape_is_taken(size: tuple[int, int]) -> None:
    rgb = np.random.default_rng(2).integers(0, 256, (*size, 3), np.uint8)
    evidence = read(as_file(rgb))
    assert evidence.says is Says.NOTHING
    if min(size) < 8 or size[0] * size[1] < 256 * 256:
        assert "too small or too narrow" in evidence.summary


def test_a_forged_mark_moves_no_verdict(photo) -> None:
    forged = read(as_file(mark(photo, "FLUX", offset=0.5)))
    assert combine(Verdict.REAL, (forged,)) == (Verdict.REAL, Basis.PIXELS, ())


def test_the_stated_false_alarms_are_the_measured_ones() -> None:
    measured = json.loads((ROOT / "benchmarks" / "results" / "watermark-false-alarms.json").read_text())
    assert measured["threshold"] == THRESHOLD
    crops = measured["sets"]["crops of photographs, 256 x 256"]
    whole = measured["sets"]["photographs in full size"]
    assert (
        f"{crops['pictures_with_a_false_alarm']} of {crops['pictures']:,} crops of photographs, "
        f"{whole['pictures_with_a_false_alarm']} of {whole['pictures']:,} photographs in full size"
    ) == FALSE_ALARMS


def test_real_photographs_of_val_raise_no_alarm(shared) -> None:
    files = sorted((shared / "data" / "photos" / "val" / "real").iterdir())
    assert len(files) == 300
    alarms = [file.name for file in files if read(file.read_bytes()).says is not Says.NOTHING]
    assert alarms == []
