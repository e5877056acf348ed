"""model.onnx on disk: whole, or in parts model.onnx.1, model.onnx.2 and so on."""

from __future__ import annotations

from io import BytesIO
from itertools import takewhile
from pathlib import Path

from fauxto.errors import BundleFormatError

NAME = "model.onnx"
_MAX_BYTES = 1024**3
_PART_BYTES = 40 * 10**6  # hosts of repositories warn of files of 50 MB
_MOST_PARTS = 100


def read(folder: Path) -> bytes:
    """Read the network of a bundle; parts are joined.

    Raises:
        BundleFormatError: It is missing, there twice or too large.
        OSError: It can't be read.
    """
    parts = list(takewhile(Path.exists, (folder / _part(number) for number in range(1, _MOST_PARTS + 1))))
    if parts and (folder / NAME).exists():
        raise BundleFormatError(f"{folder} holds both {NAME} and {_part(1)}; take one out")
    paths = parts or [folder / NAME]
    for path in paths:
        if not path.is_file():  # reading a pipe would block for ever
            raise BundleFormatError(f"{folder} isn't a complete bundle: {path.name} is missing")
    sizes = [path.stat().st_size for path in paths]
    if sum(sizes) > _MAX_BYTES:
        raise BundleFormatError(f"{folder / NAME} is larger than {_MAX_BYTES:,} bytes")
    joined = BytesIO(bytes(sum(sizes)))
    with joined.getbuffer() as buffer:  # filled in place: copies of so much would take as long again
        start = 0
        for path, size in zip(paths, sizes, strict=True):
            with path.open("rb") as file:
                file.readinto(buffer[start : start + size])
            start += size
    return joined.getvalue()


def as_stored(model: bytes) -> dict[str, bytes]:
    """Return the files in which a bundle keeps `model`, by name: one, or parts of about one size where it is large."""
    if len(model) <= _PART_BYTES:
        return {NAME: model}
    parts = -(-len(model) // _PART_BYTES)
    size = -(-len(model) // parts)
    return {_part(n): model[start : start + size] for n, start in enumerate(range(0, len(model), size), 1)}


def _part(number: int) -> str:
    return f"{NAME}.{number}"
