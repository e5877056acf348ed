"""Evidence in the file itself about how a picture was made, gathered from independent sources.

A source is a file or folder with one function, `read(data, image, limits) -> Evidence`, and a row in `SOURCES` with its
name (as in its Evidence) and its title.

    content_credentials/    signed manifests (C2PA)
    generator_metadata/     what generators write into their files
    camera_metadata.py      what cameras write
    compression.py          traces of compression
    watermarks.py           invisible watermarks that open models embed in the pixels

Other packages add sources by entry points in the group `fauxto.evidence` (docs/how-to/write-an-evidence-source.md).
The other modules read containers that several sources share.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from fauxto.errors import ConfigError
from fauxto.evidence import camera_metadata, compression, content_credentials, generator_metadata, watermarks
from fauxto.evidence.content_credentials import trust_list as trust_lists
from fauxto.evidence.untrusted import one_line
from fauxto.images import Image
from fauxto.limits import Limits
from fauxto.report import Evidence, Reason, Says, Trust

ENTRY_POINTS = "fauxto.evidence"
MAX_DETAILS = 100_000
"""Characters of an evidence's details as JSON."""

MAX_FAULTS = 500
"""Characters of the reason on unreadable metadata."""

Read = Callable[[bytes, Image, Limits], Evidence]
"""A source's function. Takes the whole file, the decoded image and the limits."""


@dataclass(frozen=True, slots=True)
class Source:
    """One source of evidence.

    Attributes:
        name: Its name in reports.
        title: Its name for people.
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
"""The built-in sources by name, in the order of reports."""


def title(name: str) -> str:
    """Return the title of a source; for a plug-in, its name in words."""
    return SOURCES[name].title if name in SOURCES else name.replace("_", " ").capitalize()


def load_sources(trust_list: Path | None = None) -> dict[str, Read]:
    """Return the sources by name: the built-in ones in their order, then plug-ins by name.

    Args:
        trust_list: PEM file of trusted certificate authorities; None for the built-in list.

    Raises:
        ConfigError: The trust list can't be used, or two sources have the same name.
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
    """Wrap a plug-in so that its evidence is checked; one that can't be loaded raises on every call."""
    read: Read | None = None
    failed: Exception | None = None
    try:
        read = point.load()
    except Exception as error:  # a plug-in may raise anything
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
    """Read every source of evidence for one file. A source that fails returns evidence that says so.

    Args:
        data: The whole file.
        image: The decoded picture.
        limits: Limits on the file.
        sources: The sources by name.
        personal: Whether to keep names and places (`details["personal"]`).
    """
    return tuple(_read_source(name, read, data, image, limits, personal) for name, read in sources.items())


def unreadable(evidence: Sequence[Evidence], notes: Sequence[Reason]) -> tuple[Reason, ...]:
    """Return a reason that says what of the metadata couldn't be read; none where all of it was, or `notes` say so."""
    metadata = (piece for piece in evidence if piece.source in (generator_metadata.SOURCE, camera_metadata.SOURCE))
    faults = next((fault for piece in metadata if (fault := piece.details.get("unreadable"))), None)
    if faults is None or any(note.sentence.startswith(faults) for note in notes):
        return ()
    return (Reason("metadata_unreadable", f"{one_line(faults, MAX_FAULTS)}. What else it states isn't known."),)


def _read_source(name: str, read: Read, data: bytes, image: Image, limits: Limits, personal: bool) -> Evidence:
    try:
        evidence = read(data, image, limits)
        if personal or "personal" not in evidence.details:
            return evidence
        return replace(evidence, details={key: value for key, value in evidence.details.items() if key != "personal"})
    except Exception as error:  # a source may raise anything
        cause = one_line(f"{type(error).__name__}: {error}")
        return Evidence(
            source=name,
            says=Says.NOTHING,
            trust=Trust.INFERRED,
            summary=f"The source {name} failed on this file and says nothing ({cause}).",
            details={"unreadable": f"the source failed ({cause})"},
        )
