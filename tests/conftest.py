"""Fixtures that every test may use: real photographs, encoders and the shared folder."""

from __future__ import annotations

import importlib.util
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

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
