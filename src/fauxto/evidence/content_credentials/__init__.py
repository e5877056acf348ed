"""Content credentials (C2PA): signed manifests in which a camera, a program or a service states how a picture was made.

    trust_list.py    the certificates that we trust
    jumbf.py         size limits for the JUMBF boxes
    library.py       c2pa, the native reader
    manifests.py     the chain of manifests
    coverage.py      what the signature leaves out of the file
    status_codes.py  C2PA's status codes, sorted
    validation.py    the result of validation, as one of eight outcomes
    statement.py     what the chain states about the picture, and whether a trusted signer states it
    personal.py      names, places and serial numbers
    timeline.py      the chain as a timeline for people

docs/reference/evidence-credentials.md lists every outcome and detail.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fauxto.evidence import blocks, metadata
from fauxto.evidence.content_credentials import jumbf, library, manifests, statement, timeline, trust_list, validation
from fauxto.evidence.content_credentials.manifests import Manifest
from fauxto.evidence.content_credentials.personal import find_personal, without_serial_numbers
from fauxto.evidence.content_credentials.statement import Kind
from fauxto.evidence.content_credentials.timeline import Timeline
from fauxto.evidence.content_credentials.trust_list import TrustList
from fauxto.evidence.content_credentials.validation import Outcome
from fauxto.evidence.untrusted import bounded, one_line
from fauxto.images import Image
from fauxto.images.formats import FORMATS
from fauxto.limits import Limits
from fauxto.report import Evidence, Says, Trust

SOURCE = "content_credentials"

_DUBLIN_CORE_TERMS = "http://purl.org/dc/terms/"
_ADDRESS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]{1,2000}")  # the characters of RFC 3986

_load_trust_list = functools.cache(trust_list.load)


def read(data: bytes, image: Image, limits: Limits, *, trusted: TrustList | None = None) -> Evidence:
    """Read and validate a file's content credential.

    Args:
        data: The whole file.
        image: The decoded picture.
        limits: `max_metadata_bytes` bounds the credential.
        trusted: The trust list; None for the one that ships with fauxto.

    Returns:
        `says` is `ai` or `real` with trust `signed` only if a trusted signer states it and the file is unchanged since
        signing. `details["outcome"]` is an `Outcome`.
    """
    format = image.facts.format
    try:
        stored = blocks.find_credential(data, format)
        if not stored:
            return _no_credential(data, format, limits)
        trusted = trusted or _load_trust_list()
        store, outcome, problems = _validate(data, format, stored, limits, trusted)
        return _evidence(store, outcome, problems, trusted)
    except Exception as error:  # a native parser reads untrusted bytes, and its JSON may have any shape
        cause = one_line(without_serial_numbers(str(error))) or type(error).__name__
        return _nothing(
            Outcome.UNREADABLE,
            f"The file has content credentials, but they can't be read ({cause}).",
            unreadable=f"the content credentials can't be read ({cause})",
        )


def _validate(
    data: bytes, format: str, stored: bytes, limits: Limits, trusted: TrustList
) -> tuple[manifests.Store, Outcome, dict[str, str]]:
    """Return the store of a file's credential, the outcome of its validation, and its failures."""
    if len(stored) > limits.max_metadata_bytes:
        raise ValueError(f"it has {len(stored)} bytes, the limit is {limits.max_metadata_bytes}")
    jumbf.check_size(stored)
    store, hashes = library.read_store(data, format, trusted)
    parts = list(FORMATS[format].metadata_parts(data)) if hashes else ()
    return store, *validation.judge(store, hashes, parts)


def read_timeline(data: bytes, format: str, limits: Limits, *, trust_list: Path | None = None) -> Timeline | None:
    """Read a file's content credential as a timeline, with its thumbnails; None without one that can be read.

    Args:
        data: The whole file, which has been decoded once.
        format: Its `FileFacts.format`.
        limits: `max_metadata_bytes` bounds the credential.
        trust_list: PEM file of trusted certificate authorities; None for the built-in list.

    Raises:
        ConfigError: The trust list can't be used.
    """
    trusted = _load_trust_list(trust_list)
    try:
        stored = blocks.find_credential(data, format)
        if not stored:
            return None
        store, outcome, _ = _validate(data, format, stored, limits, trusted)
        chain = manifests.read_chain(store, is_trusted=outcome is Outcome.TRUSTED)
        pictures = library.read_resources(data, format, timeline.addresses(store, chain))
        return timeline.assemble(store, chain, outcome, pictures)
    except Exception:  # as in `read`, which says why in its evidence
        return None


def _no_credential(data: bytes, format: str, limits: Limits) -> Evidence:
    """Return what a file without a credential says: nothing, or in XMP's dcterms:provenance, where one is kept."""
    named = metadata.parse(data, format, limits).xmp.texts(_DUBLIN_CORE_TERMS, "provenance")
    address = next(filter(_is_web_address, named), None)
    if address is None:
        return _nothing(Outcome.NONE, "The file has no content credentials. That means nothing: most files have none.")
    summary = (
        f"The file has no content credentials in it, but names an address where they are kept: {one_line(address, 250)}"
        " (fauxto never fetches them, so what they say is unknown)."
    )
    details = {"outcome": Outcome.ELSEWHERE.value, "address": address}
    return Evidence(SOURCE, Says.NOTHING, Trust.DECLARED, summary, bounded(details))


def _is_web_address(text: str) -> bool:
    """Tell whether a text is a plain http(s) address: nobody's name in it, and nothing that a page could misread."""
    try:
        parts = urlsplit(text)
        is_plain = bool(parts.hostname) and "@" not in parts.netloc and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return is_plain and parts.scheme in ("http", "https") and _ADDRESS.fullmatch(text) is not None


def _nothing(outcome: Outcome, summary: str, **details: str) -> Evidence:
    return Evidence(SOURCE, Says.NOTHING, Trust.INFERRED, summary, {"outcome": outcome.value, **details})


def _evidence(store: manifests.Store, outcome: Outcome, problems: Mapping[str, str], trusted: TrustList) -> Evidence:
    problems = without_serial_numbers(problems)
    chain = manifests.read_chain(store, is_trusted=outcome is Outcome.TRUSTED)
    stated = statement.find(chain)
    says = Says.NOTHING
    if outcome is not Outcome.TAMPERED and stated.kind in (Kind.GENERATED, Kind.COMPOSITE):
        says = Says.AI
    elif stated.kind is Kind.CAPTURED and stated.is_signed:
        says = Says.REAL
    is_signed = outcome is Outcome.TRUSTED and (stated.is_signed or says is Says.NOTHING)
    details = {
        "outcome": outcome.value,
        "kind": stated.kind and stated.kind.value,
        "problems": problems or None,
        "trust_list": trusted.name,
        "manifests": [_describe(manifest) for manifest in chain],
        "personal": find_personal(store) or None,
    }
    return Evidence(
        source=SOURCE,
        says=says,
        trust=Trust.SIGNED if is_signed else Trust.DECLARED,
        summary=_summary(outcome, problems, chain[0], stated),
        details=bounded(details),
    )


def _describe(manifest: Manifest) -> dict[str, Any]:
    plain = dataclasses.asdict(manifest)
    described = {name: value for name, value in plain.items() if value and name not in ("is_whole", "cut")}
    return dict(without_serial_numbers(described))


_LABELS = {
    Kind.GENERATED: "as AI-generated",
    Kind.COMPOSITE: "as made or edited in part with AI",
    Kind.CAPTURED: "as captured by a camera, with no AI edits since",
    None: "without stating how the picture was made",
}
_UNVALIDATED = {
    Outcome.UNTRUSTED: "the signer isn't on the trust list, so anyone could have signed it",
    Outcome.EXPIRED: "the certificate has expired",
}


def _summary(outcome: Outcome, problems: Mapping[str, str], own: Manifest, stated: statement.Statement) -> str:
    signer = one_line(own.signer) if own.signer else "a certificate that names no organisation"
    if outcome is Outcome.TAMPERED:
        return (
            f"The content credentials (signed by {signer}) don't match the file: it was changed after signing, "
            "or they were copied from another file."
        )
    label = _LABELS[stated.kind]
    if outcome is not Outcome.TRUSTED:
        cause = _UNVALIDATED.get(outcome) or f"validation failed ({one_line(next(iter(problems.values())))})"
        return f"Signed by {signer} {label}, but {cause}."
    if stated.kind and not stated.is_signed:
        label = f"{label}, but the signer only repeats what an earlier source stated"
    return f"Signed by {signer} {label}; the signer is on the trust list."
