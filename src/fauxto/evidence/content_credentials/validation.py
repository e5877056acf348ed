"""The outcome of a credential's validation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from fauxto.evidence.content_credentials.library import Store
from fauxto.evidence.content_credentials.manifests import statuses

# C2PA specification 2.2, 15.2; a code that ends in ".mismatch" means a wrong hash or signature.
_UNTRUSTED = {"signingCredential.untrusted"}
_EXPIRED = {"signingCredential.expired", "claimSignature.outsideValidity"}
_TAMPERED = {"assertion.boxesHash.unknownBox"}

# Boxes that neither hold pixels nor locate them; the hash of an AVIF or HEIF covers the offset of every other box.
_BOXES_LEFT_OUT = {"/uuid", "/ftyp", "/mfra", "/free", "/skip"}
_UNCOVERED = "the signature doesn't cover the whole file, so the picture could have been replaced"


class Outcome(StrEnum):
    """The outcome of validation."""

    TRUSTED = "trusted"
    """Valid, and its signer is on the trust list."""
    UNTRUSTED = "untrusted"
    """Valid, but its signer isn't on the trust list and could be anyone."""
    EXPIRED = "expired"
    """The certificate has expired and no trusted time stamp shows an earlier signature; otherwise valid."""
    NOT_VALIDATED = "not_validated"
    """Present and unchanged, but breaks a rule of the standard, as some genuine old ones do."""
    TAMPERED = "tampered"
    """The file or the credential was changed after signing, or the credential belongs to another file."""
    NONE = "none"
    """The file has no credential."""
    UNREADABLE = "unreadable"
    """The credential is damaged or too large."""


def judge(store: Store, hashes: Mapping[str, Any]) -> tuple[Outcome, dict[str, str]]:
    """Return the outcome for a store, and its failures: c2pa's code -> explanation.

    Args:
        store: What c2pa read.
        hashes: The assertions of the active manifest, if c2pa trusts it.
    """
    failed = list(statuses(store.get("validation_results") or {}, "failure"))
    failed.sort(key=lambda status: status.get("code") in _UNTRUSTED)  # the least specific ones last
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
    if not _covers_picture(hashes):
        return Outcome.NOT_VALIDATED, {"coverage": _UNCOVERED}
    return Outcome.TRUSTED, {}


def _covers_picture(assertions: Mapping[str, Any]) -> bool:
    """Tell whether the hash that binds a manifest to its file excludes only the credential itself.

    A signer may exclude more, such as the metadata, and c2pa accepts that. But excluded bytes can be replaced, even by
    another picture that is shown instead of the signed one.
    """
    bindings = {label: assertion for label, assertion in assertions.items() if label.startswith("c2pa.hash.")}
    if len(bindings) != 1:
        return False
    [(label, binding)] = bindings.items()
    if label.startswith("c2pa.hash.data"):
        return len(binding["exclusions"]) == 1  # the credential: c2pa checks its position
    if label.startswith("c2pa.hash.boxes"):
        return not any(box.get("excluded") and box["names"] != ["C2PA"] for box in binding["boxes"])
    # The first version for AVIF and HEIF didn't cover the offsets of boxes.
    return label.startswith(("c2pa.hash.bmff.v2", "c2pa.hash.bmff.v3")) and _are_harmless(binding["exclusions"])


def _are_harmless(exclusions: Iterable[Mapping[str, Any]]) -> bool:
    return all(exclusion["xpath"] in _BOXES_LEFT_OUT for exclusion in exclusions)
