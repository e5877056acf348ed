"""The targets of `walker_fuzz`: each gives bytes to one reader, which may raise what it documents and nothing else."""

from __future__ import annotations

import contextlib
import functools
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.robustness import seeds
from fauxto.errors import ImageError
from fauxto.evidence import blocks, exif, iptc, jpeg_encoder, wrappings, xmp
from fauxto.evidence.content_credentials import jumbf
from fauxto.evidence.generator_metadata import stealth
from fauxto.evidence.metadata import parse
from fauxto.evidence.untrusted import JsonTexts, UnreadableError
from fauxto.images import formats, jpeg_end, tiff
from fauxto.images.container import Kind
from fauxto.images.formats import FORMATS
from fauxto.jpeg_tables import read_tables
from fauxto.limits import Limits
from fauxto.scan.archives import Archive

WALKER = (EOFError, IndexError, struct.error, ImageError)
"""What a walker may raise, as images/container.py says."""

METADATA = (*WALKER, ValueError)
LIMITS = Limits(max_pixels=4_000_000, max_full_pixels=4_000_000)


@dataclass(frozen=True, slots=True)
class Target:
    """A reader, what it may raise, and the kind of whole files that it starts from."""

    read: Callable[[bytes], object]
    raises: tuple[type[Exception], ...]
    kind: str

    def __call__(self, data: bytes) -> None:
        """Read some bytes."""
        with contextlib.suppress(*self.raises):
            self.read(data)


def whole_files() -> dict[str, tuple[bytes, ...]]:
    """Return the whole files by kind; those with a credential are also among those of their format."""
    kinds = {**seeds.pictures(), **seeds.archives()}
    for data in kinds["JUMBF"]:
        kinds[formats.sniff(data).name] += (data,)
    return kinds


def _walk(format: str, data: bytes) -> None:
    if FORMATS[format].matches(data):
        FORMATS[format].read(data, LIMITS)


def _metadata(format: str, data: bytes) -> None:
    """Read what lies inside a file, which may raise nothing, and then its credential, which may."""
    parse(data, format, LIMITS)
    if store := blocks.find_credential(data, format):
        jumbf.check_size(store)
    list(FORMATS[format].metadata_parts(data))


def _jpeg_end(data: bytes) -> None:
    body = jpeg_end.without_trailer(data)
    jpeg_end.close(body[: jpeg_end.end_of_scan(body, min(len(body), 600))])


def _jpeg_header(data: bytes) -> None:
    read_tables(data)
    if FORMATS["JPEG"].matches(data):
        jpeg_encoder.read_header(data)


def _exif(data: bytes) -> None:
    parsed = exif.parse(data, data[7:])
    list(exif.texts(parsed))
    for directory in parsed.photo.directories:
        for tag in directory.entries:
            for value_of in (directory.text, directory.numbers, directory.raw):
                value_of(tag)


def _xmp(data: bytes) -> None:
    properties = xmp.parse(data)
    list(properties.values())
    list(properties.named_texts())


def _wrapped(data: bytes) -> None:
    for kind in (Kind.EXIF, Kind.PHOTOSHOP):
        list(wrappings.unwrap(kind, data))
    with contextlib.suppress(ValueError):
        wrappings.raw_profile(data.decode("latin-1"))
    JsonTexts().parse(data.decode("utf-8", "replace"))


def _stealth(data: bytes) -> None:
    import numpy as np

    spread = np.unpackbits(np.frombuffer(data + b"\0", np.uint8)).reshape(-1, 8, 1)
    with contextlib.suppress(UnreadableError):
        stealth.read(spread, 10_000)


def _archive(ending: str, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=ending) as file:
        file.write(data)
        file.flush()
        archive = Archive(file.name)
        archive.count()
        list(archive.items(LIMITS, lambda key: False))


TARGETS: dict[str, Target] = {
    **{f"{name} walker": Target(functools.partial(_walk, name), WALKER, name) for name in FORMATS},
    **{f"{name} metadata": Target(functools.partial(_metadata, name), METADATA, name) for name in FORMATS},
    "sniffing": Target(formats.sniff, (ImageError,), "AVIF"),
    "JPEG end": Target(_jpeg_end, (), "JPEG"),
    "JPEG header": Target(_jpeg_header, (), "JPEG"),
    "orientation": Target(tiff.exif_orientation, (*METADATA, KeyError), "TIFF"),
    "EXIF": Target(_exif, (), "TIFF"),
    "XMP": Target(_xmp, (UnreadableError,), "JPEG"),
    "IPTC": Target(lambda data: list(iptc.datasets(data)), (UnreadableError,), "JPEG"),
    "wrapped blocks": Target(_wrapped, (UnreadableError,), "PNG"),
    "JUMBF": Target(jumbf.check_size, METADATA, "JUMBF"),
    "pixel message": Target(_stealth, (), "PNG"),
    "ZIP": Target(functools.partial(_archive, ".zip"), (), "ZIP"),
    "TAR": Target(functools.partial(_archive, ".tar"), (), "TAR"),
    "TAR.GZ": Target(functools.partial(_archive, ".tar.gz"), (), "TAR.GZ"),
}
"""The targets, by name."""
