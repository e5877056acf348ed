"""What became of a credential's validation, as one word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from fauxto.evidence.content_credentials.library import Store
from fauxto.evidence.content_credentials.manifests import statuses

# C2PA specification 2.2, 15.2; a code that ends in ".mismatch" says that a hash or a signature doesn't fit.
_UNTRUSTED = {"signingCredential.untrusted"}
_EXPIRED = {"signingCredential.expired", "claimSignature.outsideValidity"}
_TAMPERED = {"assertion.boxesHash.unknownBox"}

# Boxes without pixels or a say in where they lie; the hash of an AVIF or HEIF covers the offset of every other box.
_BOXES_LEFT_OUT = {"/uuid", "/ftyp", "/mfra", "/free", "/skip"}
_UNCOVERED = "the signature doesn't cover the whole file, so that the picture could be another one"


class Outcome(StrEnum):
    """What became of a credential's validation."""

    TRUSTED = "trusted"
    """Valid, and its signer is on the trust list."""
    UNTRUSTED = "untrusted"
    """Valid, but anyone could be its signer."""
    EXPIRED = "expired"
    """Its certificate had run out and no trusted time stamp says that it was signed before; else nothing is wrong."""
    NOT_VALIDATED = "not_validated"
    """Present and unchanged, but it breaks a rule, as some genuine old ones do."""
    TAMPERED = "tampered"
    """The file or the credential was changed after signing, or the credential is that of another file."""
    NONE = "none"
    """There is none."""
    UNREADABLE = "unreadable"
    """There is one, but it is damaged or too large."""


def judge(store: Store, hashes: Mapping[str, Any]) -> tuple[Outcome, dict[str, str]]:
    """Return the outcome for a store that c2pa has read, and what it failed at: c2pa's code -> its explanation.

    Args:
        store: What c2pa read.
        hashes: The assertions of the active manifest, if c2pa holds it to be trusted.
    """
    failed = list(statuses(store.get("validation_results") or {}, "failure"))
    failed.sort(key=lambda status: status.get("code") in _UNTRUSTED)  # the least telling one last
    problems = {str(status.get("code")): str(status.get("explanation") or status.get("code")) for status in failed}
    codes = problems.keys()
    if codes & _TAMPERED or any(code.endswith(".mismatch") for code in codes):
        return Outcome.TAMPERED, problems
    if codes - _UNTRUSTED - _EXPIRED:
        return Outcome.NOT_VALIDATED, problems
    if codes & _EXPIRED:
        return Outcome.EXPIRED, problems
    if codes & _UNTRUSTED:
        return Outcome.UNTRUSTED, problems
    if store.get("validation_state") != "Trusted":
        return Outcome.NOT_VALIDATED, {"state": f"the validation ended as {store.get('validation_state')!r}"}
    if not _cover_the_picture(hashes):
        return Outcome.NOT_VALIDATED, {"coverage": _UNCOVERED}
    return Outcome.TRUSTED, {}


def _cover_the_picture(assertions: Mapping[str, Any]) -> bool:
    """Tell whether nothing but the credential itself is left out of the hash that binds a manifest to its file.

    A signer may leave out more, such as the metadata, and c2pa only mentions it. But what is left out can be replaced,
    by a whole picture if it's large enough, so that the rest of the signed one goes unseen.
    """
    bindings = {label: assertion for label, assertion in assertions.items() if label.startswith("c2pa.hash.")}
    if len(bindings) != 1:
        return False
    [(label, binding)] = bindings.items()
    if label.startswith("c2pa.hash.data"):
        return len(binding["exclusions"]) == 1  # which is the credential: c2pa compares its place
    if label.startswith("c2pa.hash.boxes"):
        return not any(box.get("excluded") and box["names"] != ["C2PA"] for box in binding["boxes"])
    # The first version for AVIF and HEIF didn't cover the offsets of boxes.
    return label.startswith(("c2pa.hash.bmff.v2", "c2pa.hash.bmff.v3")) and _are_harmless(binding["exclusions"])


def _are_harmless(exclusions: Iterable[Mapping[str, Any]]) -> bool:
    return all(exclusion["xpath"] in _BOXES_LEFT_OUT for exclusion in exclusions)
