"""What a file itself carries about how it was made, gathered from independent sources behind one face.

A source is a file or folder with one function, `read(data, image, limits) -> Evidence`, and a row in `SOURCES`: its
name, which its Evidence bears, and its title.

    content_credentials/    signed manifests (C2PA)
    generator_metadata/     what programs and services write into the files that they generate
    camera_metadata.py      what cameras write
    compression.py          traces of how the file was compressed
    watermarks.py           invisible marks that open models leave in the pixels

Other packages add sources by entry points in the group `fauxto.evidence` (docs/how-to/write-an-evidence-source.md).
The modules beside the sources read the containers that several of them share.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from fauxto.errors import ConfigError
from fauxto.evidence import camera_metadata, compression, content_credentials, generator_metadata, watermarks
from fauxto.evidence.content_credentials import trust_list as trust_lists
from fauxto.evidence.untrusted import one_line
from fauxto.images import Image
from fauxto.limits import Limits
from fauxto.report import Evidence, Says, Trust

ENTRY_POINTS = "fauxto.evidence"
MAX_DETAILS = 100_000
"""Characters of one evidence's details as JSON."""

Read = Callable[[bytes, Image, Limits], Evidence]
"""A source's function: the whole file, which the gate has decoded; what the gate made of it; what it may cost."""


@dataclass(frozen=True, slots=True)
class Source:
    """One source of evidence.

    Attributes:
        name: As reports have it.
        title: As people read it.
        read: Its function.
    """

    name: str
    title: str
    read: Read


SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        Source("content_credentials", "Content credentials", content_credentials.read),
        Source("generator_metadata", "Generator metadata", generator_metadata.read),
        Source("camera_metadata", "Camera metadata", camera_metadata.read),
        Source("compression", "Compression history", compression.read),
        Source("watermarks", "Invisible watermarks", watermarks.read),
    )
}
"""The built-in sources by name, in the order in which reports have them."""


def title(name: str) -> str:
    """Return what people read for a source: a built-in one's title, else the name of a plug-in in words."""
    return SOURCES[name].title if name in SOURCES else name.replace("_", " ").capitalize()


def load_sources(trust_list: Path | None = None) -> dict[str, Read]:
    """Return the sources by name: the built-in ones in their order, then those of other packages by name.

    Args:
        trust_list: Certificates of those whose content credentials count as signed; None for the built-in list.

    Raises:
        ConfigError: The trust list can't be used, or two sources are called the same.
    """
    sources = {source.name: source.read for source in SOURCES.values()}
    trusted = trust_lists.load(trust_list)
    sources[content_credentials.SOURCE] = functools.partial(content_credentials.read, trusted=trusted)
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        if point.name in sources:
            raise ConfigError(
                f"two sources of evidence are called {point.name!r}; uninstall the package of {point.value}"
            )
        sources[point.name] = _plug_in(point)
    return sources


def _plug_in(point: EntryPoint) -> Read:
    """Return a plug-in's function, held to what the built-in ones keep to; one that can't be loaded always fails."""
    read: Read | None = None
    failed: Exception | None = None
    try:
        read = point.load()
    except Exception as error:  # any code may run here
        failed = error

    def checked(data: bytes, image: Image, limits: Limits) -> Evidence:
        if read is None:
            raise ImportError(f"it can't be loaded: {failed}")
        evidence = read(data, image, limits)
        size = len(json.dumps(evidence.details, allow_nan=False))
        if size > MAX_DETAILS:
            raise ValueError(f"its details have {size} characters, the limit is {MAX_DETAILS}")
        says, trust = Says(evidence.says), Trust(evidence.trust)
        return Evidence(point.name, says, trust, str(evidence.summary), evidence.details)

    return checked


def gather(
    data: bytes, image: Image, limits: Limits, sources: Mapping[str, Read], *, personal: bool = False
) -> tuple[Evidence, ...]:
    """Ask every source about one file. None of them can end the analysis: one that fails says so in its place.

    Args:
        data: The whole file, which the gate has decoded.
        image: What the gate made of it.
        limits: What the file may cost.
        sources: Whom to ask, by name.
        personal: Whether to keep what names a person or a place (`details["personal"]`).
    """
    return tuple(_ask(name, read, data, image, limits, personal) for name, read in sources.items())


def _ask(name: str, read: Read, data: bytes, image: Image, limits: Limits, personal: bool) -> Evidence:
    try:
        evidence = read(data, image, limits)
        if personal or "personal" not in evidence.details:
            return evidence
        return replace(evidence, details={key: value for key, value in evidence.details.items() if key != "personal"})
    except Exception as error:  # what a source raises is its own affair
        cause = one_line(f"{type(error).__name__}: {error}")
        return Evidence(
            source=name,
            says=Says.NOTHING,
            trust=Trust.INFERRED,
            summary=f"The source {name} failed on this file, so it says nothing ({cause}).",
            details={"unreadable": f"the source failed ({cause})"},
        )
