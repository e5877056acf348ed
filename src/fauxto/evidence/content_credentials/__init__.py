"""Content credentials (C2PA): signed manifests in which a camera, a program or a service says how a picture was made.

    trust_list.py    whose signatures count
    jumbf.py         how large its parts may be
    library.py       c2pa, the native reader
    manifests.py     the chain of manifests
    validation.py    what its validation found, as one of seven outcomes
    statement.py     what the chain says of the picture, and whether a trusted signer says it
    personal.py      who and where

docs/reference/evidence-credentials.md has every outcome and every detail.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

from fauxto.evidence import blocks
from fauxto.evidence.content_credentials import jumbf, library, manifests, statement, trust_list, validation
from fauxto.evidence.content_credentials.manifests import Manifest
from fauxto.evidence.content_credentials.personal import find_personal, without_serial_numbers
from fauxto.evidence.content_credentials.statement import Kind
from fauxto.evidence.content_credentials.trust_list import TrustList
from fauxto.evidence.content_credentials.validation import Outcome
from fauxto.evidence.untrusted import bounded, one_line
from fauxto.images import Image
from fauxto.limits import Limits
from fauxto.report import Evidence, Says, Trust

SOURCE = "content_credentials"

_load_trust_list = functools.cache(trust_list.load)


def read(data: bytes, image: Image, limits: Limits, *, trusted: TrustList | None = None) -> Evidence:
    """Read and validate a file's content credential.

    Args:
        data: The whole file, which the gate has decoded.
        image: What the gate made of it.
        limits: `max_metadata_bytes` bounds the credential.
        trusted: Whose signatures count; None for the list that ships with fauxto.

    Returns:
        `says` is `ai` or `real` with trust `signed` only if a trusted signer states it and the file is as it was
        signed. `details["outcome"]` is an `Outcome`.
    """
    format = image.facts.format
    try:
        stored = blocks.find_credential(data, format)
        if not stored:
            return _nothing(
                Outcome.NONE, "The file carries no content credential, which says nothing: most files don't."
            )
        if len(stored) > limits.max_metadata_bytes:
            raise ValueError(f"it has {len(stored)} bytes, the limit is {limits.max_metadata_bytes}")
        jumbf.check_size(stored)
        trusted = trusted or _load_trust_list()
        store, hashes = library.read_store(data, format, trusted)
        return _evidence(store, hashes, trusted)
    except Exception as error:  # a native parser has read a stranger's bytes, and its JSON may have any shape
        cause = one_line(without_serial_numbers(str(error))) or type(error).__name__
        return _nothing(
            Outcome.UNREADABLE,
            f"The file carries a content credential that can't be read ({cause}), so it says nothing.",
            unreadable=f"the content credential can't be read ({cause})",
        )


def _nothing(outcome: Outcome, summary: str, **details: str) -> Evidence:
    return Evidence(SOURCE, Says.NOTHING, Trust.INFERRED, summary, {"outcome": outcome.value, **details})


def _evidence(store: library.Store, hashes: Mapping[str, Any], trusted: TrustList) -> Evidence:
    outcome, problems = validation.judge(store, hashes)
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


_SAID = {
    Kind.GENERATED: "a generative model made the picture",
    Kind.COMPOSITE: "a generative model had a part in the picture",
    Kind.CAPTURED: "a camera took the picture, and names no generative step since",
    None: "nothing about how the picture was made",
}
_BUT = {
    Outcome.UNTRUSTED: "its signer isn't on the trust list, so anyone could have written it",
    Outcome.EXPIRED: "it wasn't validated, because its certificate has expired",
}


def _summary(outcome: Outcome, problems: Mapping[str, str], own: Manifest, stated: statement.Statement) -> str:
    by = f"naming {one_line(own.signer)} as its signer" if own.signer else "with a certificate without an organisation"
    if outcome is Outcome.TAMPERED:
        return (
            f"A content credential {by} doesn't fit the file: one of them was changed after signing, "
            "or the credential comes from another file."
        )
    said = _SAID[stated.kind]
    says = f"says that {said}" if stated.kind else f"says {said}"
    if outcome is not Outcome.TRUSTED:
        but = _BUT.get(outcome) or f"it wasn't validated ({one_line(next(iter(problems.values())))})"
        return f"A content credential {by} {says}; {but}."
    if stated.kind and not stated.is_signed:
        says = f"passes on from elsewhere that {said}"
    if own.signer is None:
        return f"A content credential {by}, which the trust list vouches for, {says}."
    return f"A content credential of {one_line(own.signer)}, a signer on the trust list, {says}."
