"""Fixtures that every test may use: real photographs, encoders, a report and the shared folder."""

from __future__ import annotations

import importlib.util
import io
import signal
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from fauxto.report import (
    Basis,
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
    )


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
