"""Small pictures, and the ways in which files are broken."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fauxto.options import DetectorOptions
from fauxto.report import Status

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"


@pytest.fixture(scope="session")
def golden() -> DetectorOptions:
    return DetectorOptions(GOLDEN)


@pytest.fixture(scope="session")
def pictures(photo: NDArray[np.uint8], encode: Callable[..., bytes]) -> Callable[[int], bytes]:
    """`pictures(n) -> bytes`: one of many different windows of 32 pixels of a photograph, mostly JPEGs."""

    def picture(number: int) -> bytes:
        top, left = 37 * number % 480, 53 * number % 480
        window = photo[top : top + 32, left : left + 32]
        return encode(window, "PNG") if number % 7 == 0 else encode(window, "JPEG", quality=85)

    return picture


@pytest.fixture(scope="session")
def broken(
    photo: NDArray[np.uint8], encode: Callable[..., bytes], png_file: Callable[..., bytes]
) -> dict[str, tuple[bytes, Status]]:
    """Ten ways of being broken, by name: the bytes, and the status that says so."""
    jpeg = encode(photo[:64, :64], "JPEG", quality=90)
    png = encode(photo[:64, :64], "PNG")
    floats = io.BytesIO()
    np.save(floats, np.zeros(4))
    header = b"\0\0\xea\x60\0\0\xea\x60\x08\x02\0\0\0"  # 60,000 x 60,000 px, RGB
    return {
        "empty.jpg": (b"", Status.UNREADABLE),
        "one-byte.jpg": (b"\xff", Status.UNSUPPORTED_FORMAT),
        "text.jpg": (b"no picture, whatever the name says", Status.UNSUPPORTED_FORMAT),
        "half.jpg": (jpeg[: len(jpeg) // 2], Status.TRUNCATED),
        "half.png": (png[: len(png) // 2], Status.TRUNCATED),
        "huge.png": (png_file((b"IHDR", header), (b"IDAT", b""), (b"IEND", b"")), Status.TOO_LARGE),
        "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Status.UNSUPPORTED_FORMAT),
        "page.pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", Status.UNSUPPORTED_FORMAT),
        "numbers.npy": (floats.getvalue(), Status.UNSUPPORTED_FORMAT),
        "bad-checksum.png": (png[:60] + bytes([png[60] ^ 0xFF]) + png[61:], Status.UNREADABLE),
    }
