"""A credential as a timeline for people: who did what to the picture, when, with which tool, and from what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fauxto import images
from fauxto.errors import ImageError
from fauxto.evidence import source_types
from fauxto.evidence.content_credentials import manifests
from fauxto.evidence.content_credentials.manifests import MAX_INGREDIENTS, METADATA, Manifest, Store
from fauxto.evidence.content_credentials.personal import without_serial_numbers
from fauxto.evidence.content_credentials.validation import Outcome
from fauxto.evidence.untrusted import one_line
from fauxto.limits import Limits

MAX_PICTURES = 16
"""Thumbnails of one credential that are decoded."""

PICTURE_LIMITS = Limits(max_bytes=1024 * 1024, max_pixels=2048 * 2048, max_frames=1, max_metadata_bytes=64 * 1024)
"""Limits for one of them; c2pa's own are 1,024 pixels a side at most."""

_IN_STORE = "self#jumbf="

# The actions of C2PA 2.2 whose names don't tell a reader what was done.
_ACTIONS = {
    METADATA: "Described in its metadata",
    "adjustedColor": "Colours adjusted",
    "color_adjustments": "Colours adjusted",
    "converted": "Saved in another format",
    "drawing": "Drawn on",
    "opened": "Opened to be edited",
    "orientation": "Turned or mirrored",
    "placed": "Another picture placed in it",
    "repackaged": "Saved anew without a change",
    "transcoded": "Encoded anew",
    "unknown": "Something done that isn't named",
}
_SOURCES = (
    (source_types.GENERATED, "by a generative model"),
    (source_types.GENERATED_IN_PART, "in part by a generative model"),
    (source_types.CAPTURED, "by a camera"),
    (frozenset({"humanEdits", "minorHumanEdits"}), "by a person"),
)
_ROLES = {
    "parentOf": "the picture that it started from",
    "componentOf": "a picture placed in it",
    "inputTo": "a picture given to a program",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done.

    Attributes:
        what: In words.
        tool: The program; "" if not stated.
        when: "2026-05-01 12:30:00 UTC", or as stated; "" if not stated.
        is_repeated: Whether the signer only repeats what an earlier source stated.
    """

    what: str
    tool: str
    when: str
    is_repeated: bool


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A picture that went into this one.

    Attributes:
        title: Its name, without folders; "" if it has none.
        role: What it was for, in words.
        is_signed: Whether it has a credential of its own, which is an entry of the timeline.
        picture: Its thumbnail, uint8 RGB [H, W, 3]; None if the credential carries none that can be read.
    """

    title: str
    role: str
    is_signed: bool
    picture: NDArray[np.uint8] | None = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """What one signer states: one manifest.

    Attributes:
        who: The organisation in the certificate; "" if there is none.
        is_vouched: Whether a trusted signer vouches for it.
        when: When it was signed, by its time stamp; "" without one.
        tool: The program that wrote it; "" if not stated.
        steps: What was done, in order.
        sources: The pictures that went into this one.
        picture: Its thumbnail, as in `Source`.
        is_own: Whether it is the file's own manifest, not that of an ingredient.
    """

    who: str
    is_vouched: bool
    when: str
    tool: str
    steps: tuple[Step, ...]
    sources: tuple[Source, ...]
    picture: NDArray[np.uint8] | None = field(repr=False)
    is_own: bool


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """The entries of a credential, the oldest first; every text is on one line, printable and bounded."""

    outcome: Outcome
    entries: tuple[Entry, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and strings for JSON; of a thumbnail, only that there is one."""
        return {"outcome": self.outcome.value, "entries": [_plain(entry) for entry in self.entries]}


def _plain(entry: Entry) -> dict[str, Any]:
    return {
        "who": entry.who or None,
        "vouched": entry.is_vouched,
        "when": entry.when or None,
        "tool": entry.tool or None,
        "steps": [
            {"what": step.what, "tool": step.tool or None, "when": step.when or None, "repeated": step.is_repeated}
            for step in entry.steps
        ],
        "ingredients": [
            {
                "title": source.title or None,
                "role": source.role,
                "signed": source.is_signed,
                "has_thumbnail": source.picture is not None,
            }
            for source in entry.sources
        ],
        "has_thumbnail": entry.picture is not None,
    }


def addresses(store: Store, chain: Sequence[Manifest]) -> list[str]:
    """Return where in the store its thumbnails lie, at most `MAX_PICTURES`; never an address outside of it."""
    raw = [store["manifests"][manifest.label] for manifest in chain]
    holders = [holder for own in raw for holder in (own, *manifests.dicts(own.get("ingredients")))]
    named = dict.fromkeys(filter(None, map(_address, holders)))
    return list(named)[:MAX_PICTURES]


def assemble(store: Store, chain: Sequence[Manifest], outcome: Outcome, thumbnails: Mapping[str, bytes]) -> Timeline:
    """Make the timeline of a chain.

    Args:
        store: What c2pa read.
        chain: Its manifests, the file's own first.
        outcome: Of its validation.
        thumbnails: The bytes of pictures by `addresses`.
    """
    decoded = {address: picture for address, data in thumbnails.items() if (picture := _decode(data)) is not None}
    labels = {manifest.label for manifest in chain}
    entries = []
    for manifest in reversed(chain):  # an ingredient was signed before what it went into
        raw = store["manifests"][manifest.label]
        ingredients = list(manifests.dicts(raw.get("ingredients")))[:MAX_INGREDIENTS]
        entry = Entry(
            who=_line(manifest.signer),
            is_vouched=manifest.vouched,
            when=_time(manifest.signed_at),
            tool=_line(manifest.generator),
            steps=tuple(_steps(manifest)),
            sources=tuple(_source(ingredient, labels, decoded) for ingredient in ingredients),
            picture=decoded.get(_address(raw)),
            is_own=manifest is chain[0],
        )
        entries.append(entry)
    return Timeline(outcome, tuple(entries))


def _steps(manifest: Manifest) -> Iterator[Step]:
    for actions, is_repeated in ((manifest.actions, False), (manifest.hearsay, True)):
        for action in actions:
            done = _ACTIONS.get(action.action) or _line(action.action.replace("_", " ").replace(".", " ")).capitalize()
            source = action.source_type or ""
            by = next((words for terms, words in _SOURCES if source in terms), source and f"({_line(source)})")
            yield Step(f"{done} {by}".strip(), _line(action.software), _time(action.when), is_repeated)


def _source(ingredient: Mapping[str, Any], labels: set[str], decoded: Mapping[str, NDArray[np.uint8]]) -> Source:
    title = ingredient.get("title")
    relationship = str(ingredient.get("relationship"))
    return Source(
        title=_line(_name(title) if isinstance(title, str) else ""),
        role=_ROLES.get(relationship) or _line(relationship),
        is_signed=ingredient.get("active_manifest") in labels,
        picture=decoded.get(_address(ingredient)),
    )


def _name(title: str) -> str:
    """Return a file's name without its folders, which may name a person."""
    return PureWindowsPath(PurePosixPath(title[:1000]).name).name


def _address(holder: Mapping[str, Any]) -> str:
    thumbnail = holder.get("thumbnail")
    address = thumbnail.get("identifier") if isinstance(thumbnail, Mapping) else None
    return address if isinstance(address, str) and address.startswith(_IN_STORE) else ""


def _decode(data: bytes) -> NDArray[np.uint8] | None:
    try:
        return images.decode(data, PICTURE_LIMITS).rgb
    except ImageError:
        return None


def _line(text: str | None) -> str:
    return one_line(without_serial_numbers(text or ""), 200)


def _time(stated: str | None) -> str:
    """Return an ISO 8601 time as people write it; another text as it stands."""
    try:
        time = datetime.fromisoformat(stated or "")
    except ValueError:
        return _line(stated)
    zone = f" {time.tzname()}" if time.tzinfo else ""
    return f"{time:%Y-%m-%d %H:%M:%S}{zone}"
