"""Fixtures that every test may use: real photographs, encoders, a report and the shared folder."""

from __future__ import annotations

import dataclasses
import importlib.util
import io
import json
import math
import shutil
import signal
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from fauxto.bundles.metrics import Bin, Evaluation, Measurement, Metrics, Share, Verdicts
from fauxto.report import (
    Basis,
    Crop,
    Evidence,
    ImageSummary,
    ModelSummary,
    Reason,
    Report,
    Says,
    Stability,
    Status,
    Trust,
    Verdict,
)

ROOT = Path(__file__).resolve().parents[1]

# Photographs that lie inside the wheels of scikit-image and scikit-learn.
PHOTOGRAPHS = {
    "astronaut": ("skimage", "data/astronaut.png"),
    "chelsea": ("skimage", "data/chelsea.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "china": ("sklearn", "datasets/images/china.jpg"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
}

Encode = Callable[..., bytes]


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> Iterator[None]:
    """Programs that tests start end on SIGINT, even where a shell that runs the tests in its background ignores it."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` beside the repository, with the real data; the test is skipped where there is none."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("there is no folder 'shared' beside the repository")
    return folder


@pytest.fixture(scope="session")
def photograph_files() -> dict[str, Path]:
    """The files of real photographs by name: two JPEGs and three PNGs, some with a colour profile."""
    files = {}
    for name, (package, path) in PHOTOGRAPHS.items():
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        files[name] = Path(spec.origin).parent / path
    return files


@pytest.fixture(scope="session")
def photographs(photograph_files: dict[str, Path]) -> dict[str, NDArray[np.uint8]]:
    """Real photographs by name, each read-only uint8 [height, width, 3]."""
    return {name: np.asarray(PIL.Image.open(path).convert("RGB")) for name, path in photograph_files.items()}


@pytest.fixture(scope="session")
def photo(photographs: dict[str, NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """One real photograph: the astronaut Eileen Collins, read-only uint8 [512, 512, 3]."""
    return photographs["astronaut"]


@pytest.fixture(scope="session")
def full_report() -> Report:
    """A report of which no field is empty; `dataclasses.replace` makes others of it."""
    return Report(
        path="album/holiday.jpg",
        status=Status.OK,
        verdict=Verdict.AI,
        basis=Basis.DECLARED_METADATA,
        probability=0.97,
        score=3.5,
        fpr_at_score=0.02,
        stability=Stability(flips=0, of=2),
        reasons=(
            Reason("declared_ai", "the file declares it."),
            Reason("pixels_ai", "the probability of AI is 0.9700."),
        ),
        evidence=(
            Evidence("compression", Says.NOTHING, Trust.INFERRED, "No trace of an earlier compression.", {}),
            Evidence("generator_metadata", Says.AI, Trust.DECLARED, "The file declares it.", {"prompt": "a\ncat"}),
        ),
        image=ImageSummary(512, 384, "JPEG", "ab" * 32),
        model=ModelSummary("golden", "1.0.0", "cd" * 32),
        milliseconds={"decode": 9.0, "evidence": 2.0, "model": 31.5},
        crop=Crop(16, 32, 400, 300),
    )


def _share(count: int, of: int) -> Share:
    """`count` of `of` pictures, with an interval."""
    if not of:
        return NO_SHARE
    share = count / of
    margin = 2 * math.sqrt(share * (1 - share) / of) + 1 / of
    return Share(share, max(0.0, share - margin), min(1.0, share + margin))


NO_SHARE = Share(None, None, None)


def _verdicts(real: int, ai: int, wrong: float, missed: float) -> Verdicts:
    """Verdicts with so many errors, and about a fifth of the rest left open."""
    called, overlooked = min(round(wrong), real), min(round(missed), ai)
    cleared, known = round((real - called) * 0.8), round((ai - overlooked) * 0.77)
    return Verdicts(
        fpr=_share(called, real),
        cleared=_share(cleared, real),
        tpr=_share(known, ai),
        missed=_share(overlooked, ai),
        inconclusive=_share(real + ai - called - cleared - overlooked - known, real + ai),
    )


_STRICTNESS = {"cautious": 0.5, "balanced": 1.0, "sensitive": 1.9}


def _measurement(name: str, real: int, ai: int, *, hardness: float) -> Measurement:
    """What a fair model might reach on so many pictures: the harder they are, the more errors."""
    wrong, missed = hardness * real / 17, hardness * ai / 9
    both = bool(real and ai)
    auroc = 1 - 0.03 * hardness
    return Measurement(
        name=name,
        real=real,
        ai=ai,
        auroc=Share(auroc, auroc - 0.02, min(1.0, auroc + 0.012)) if both else NO_SHARE,
        accuracy=1 - (wrong + missed) / (real + ai or 1),
        balanced_accuracy=1 - (wrong / real + missed / ai) / 2 if both else None,
        fpr=wrong / real if real else None,
        tpr=1 - missed / ai if ai else None,
        ece=0.03 * hardness,
        verdicts={point: _verdicts(real, ai, wrong * rate, missed / rate) for point, rate in _STRICTNESS.items()},
    )


@pytest.fixture(scope="session")
def make_metrics() -> Callable[..., Metrics]:
    """`make_metrics(real=331, ai=512)`: what evaluating a fair model on val and test gives, different on each."""
    photographs = {
        "Flickr, phones": 3,
        "DSLR raws": 1,
        "press archive": 7,
        "film scans": 12,
        "museum": 5,
        "family": 0.5,
    }
    generators = (
        "FLUX.1 dev",
        "SDXL",
        "Midjourney v6",
        "DALL·E 3",
        "a model with quite a long name, fine-tuned",
        "GAN",
    )

    def evaluation(split: str, use: Literal["tuning", "test"], real: int, ai: int, hardness: float) -> Evaluation:
        sizes = [real // len(photographs)] * len(photographs)
        sizes[0] += real - sum(sizes)
        made = [ai // len(generators)] * len(generators)
        made[0] += ai - sum(made)
        levels = [level for level in (1, 0.9, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01, 0.005, 0.001) if level * real >= 1]
        return Evaluation(
            dataset="album",
            split=split,
            use=use,
            sources=len(photographs) + len(generators),
            protocols=tuple(
                _measurement(name, real, ai, hardness=hardness * factor)
                for name, factor in (("clean", 1.0), ("web", 1.6), ("hard", 2.5))
            ),
            groups={
                "source": (
                    *(
                        _measurement(name, size, 0, hardness=hardness * factor / 4)
                        for (name, factor), size in zip(photographs.items(), sizes, strict=True)
                    ),
                    _measurement("generator zoo", 0, ai, hardness=hardness),
                ),
                "generator": tuple(
                    _measurement(name, 0, size, hardness=hardness * (0.5 + number))
                    for number, (name, size) in enumerate(zip(generators, made, strict=True))
                ),
            },
            robustness={"clean, as found": 0.913, "JPEG, q60": 0.871, "JPEG, q30": 0.802, "blur, σ 1.0 px": 0.764},
            reliability=tuple(
                Bin(low / 10, (low + 1) / 10, count, middle, middle**1.3)
                if count
                else Bin(low / 10, (low + 1) / 10, 0, None, None)
                for low, count in enumerate((290, 120, 60, 40, 0, 30, 33, 50, 90, 381))
                for middle in [low / 10 + 0.05]
            ),
            real_scores=tuple((-3.1 - 1.3 * math.log(level), float(level)) for level in levels),
        )

    def make_metrics(real: int = 331, ai: int = 512) -> Metrics:
        return Metrics(1, (evaluation("val", "tuning", 2 * real, 2 * ai, 0.3), evaluation("test", "test", real, ai, 1)))

    return make_metrics


@pytest.fixture(scope="session")
def measured_bundle(make_metrics: Callable[..., Metrics], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the golden bundle with a metrics.json."""
    folder = tmp_path_factory.mktemp("bundles") / "golden"
    shutil.copytree(ROOT / "tests/golden/bundle", folder)
    (folder / "metrics.json").write_text(json.dumps(dataclasses.asdict(make_metrics())))
    return folder


@pytest.fixture(scope="session")
def encode() -> Encode:
    """`encode(pixels, format, **options) -> bytes`: an array or Pillow picture as a file in memory, HEIF included."""

    def encode(pixels: NDArray[np.generic] | PIL.Image.Image, format: str, **options: object) -> bytes:
        picture = pixels if isinstance(pixels, PIL.Image.Image) else PIL.Image.fromarray(pixels)
        file = io.BytesIO()
        if format == "HEIF":
            pillow_heif = pytest.importorskip("pillow_heif")
            pillow_heif.from_pillow(picture).save(file, **options)
        else:
            picture.save(file, format, **options)
        return file.getvalue()

    return encode


@pytest.fixture(scope="session")
def png_file() -> Callable[..., bytes]:
    """`png_file((type, payload), ...) -> bytes`: a PNG of just these chunks, each with its right checksum."""

    def png_file(*chunks: tuple[bytes, bytes]) -> bytes:
        parts = [b"\x89PNG\r\n\x1a\n"]
        for kind, payload in chunks:
            parts.append(struct.pack(">I", len(payload)) + kind + payload)
            parts.append(struct.pack(">I", zlib.crc32(kind + payload)))
        return b"".join(parts)

    return png_file


@pytest.fixture(scope="session")
def exif_block() -> Callable[..., bytes]:
    """`exif_block({tag: value}, photo={...}, gps={...}) -> bytes`: an EXIF block of these tags, without its lead."""

    def exif_block(
        image: dict[int, object], *, photo: dict[int, object] | None = None, gps: dict[int, object] | None = None
    ) -> bytes:
        block = PIL.Image.Exif()
        for directory, tags in ((0x8769, photo), (0x8825, gps)):
            if tags:
                block.get_ifd(directory).update(tags)
        block.update(image)
        return block.tobytes().removeprefix(b"Exif\0\0")

    return exif_block


@pytest.fixture(scope="session")
def xmp_packet() -> Callable[..., str]:
    """`xmp_packet('dc:title="A"', "<dc:title>...") -> str`: a packet of one description, with the usual prefixes."""
    prefixes = {
        "aux": "http://ns.adobe.com/exif/1.0/aux/",
        "dc": "http://purl.org/dc/elements/1.1/",
        "exif": "http://ns.adobe.com/exif/1.0/",
        "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
        "mflux": "http://ns.mflux.ai/1.0/",
        "photoshop": "http://ns.adobe.com/photoshop/1.0/",
        "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
        "TC260": "http://www.tc260.org.cn/ns/AIGC/1.0/",
        "xmp": "http://ns.adobe.com/xap/1.0/",
        "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    }
    names = " ".join(f'xmlns:{prefix}="{address}"' for prefix, address in prefixes.items())

    def xmp_packet(attributes: str = "", elements: str = "") -> str:
        return (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            f'<rdf:Description rdf:about="" {names} {attributes}>{elements}</rdf:Description>'
            '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
        )

    return xmp_packet


@pytest.fixture(scope="session")
def with_metadata(photo: NDArray[np.uint8], encode: Encode, png_file: Callable[..., bytes]) -> Callable[..., bytes]:
    """`with_metadata(format, exif=bytes, xmp=str, iptc=bytes, comment=bytes, text={...}, ...) -> bytes`.

    A small picture that carries these blocks in their proper places. `comment` is a JPEG's COM segment, `text` the
    tEXt chunks of a PNG, `chunks` more of its chunks (type, payload), `pixels` takes the photograph's place.
    """

    def segment(marker: int, payload: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload

    def with_metadata(
        format: str = "JPEG",
        *,
        exif: bytes | None = None,
        xmp: str | None = None,
        iptc: bytes | None = None,
        comment: bytes | None = None,
        text: dict[str, str] | None = None,
        chunks: tuple[tuple[bytes, bytes], ...] = (),
        pixels: NDArray[np.uint8] = photo[100:148, 100:164],
    ) -> bytes:
        if format == "JPEG":
            parts = []
            if exif is not None:
                parts.append(segment(0xE1, b"Exif\0\0" + exif))
            if xmp is not None:
                parts.append(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp.encode()))
            if iptc is not None:
                resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + bytes(len(iptc) % 2)
                parts.append(segment(0xED, b"Photoshop 3.0\0" + resource))
            if comment is not None:
                parts.append(segment(0xFE, comment))
            plain = encode(pixels, "JPEG")
            return plain[:2] + b"".join(parts) + plain[2:]
        if format == "PNG":
            added = [(b"tEXt", key.encode("latin-1") + b"\0" + value.encode()) for key, value in (text or {}).items()]
            added += chunks
            if exif is not None:
                added.append((b"eXIf", exif))
            if xmp is not None:
                added.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp.encode()))
            plain = encode(pixels, "PNG")
            return plain[:33] + png_file(*added)[8:] + plain[33:]
        if format == "TIFF":
            block = PIL.Image.Exif()
            block.load(exif or b"")
            block.update({tag: value for tag, value in ((700, xmp and xmp.encode()), (33723, iptc)) if value})
            return encode(pixels, "TIFF", exif=block)
        options = {key: value for key, value in (("exif", exif), ("xmp", xmp and xmp.encode())) if value}
        if format in ("AVIF", "HEIF") and exif is not None:
            options["exif"] = b"Exif\0\0" + exif
        return encode(pixels, format, **options)

    return with_metadata
