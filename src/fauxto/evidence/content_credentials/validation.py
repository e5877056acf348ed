"""The outcome of a credential's validation."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from fauxto.evidence.content_credentials import status_codes
from fauxto.evidence.content_credentials.coverage import Ranges, covers_picture, excludes_only
from fauxto.evidence.content_credentials.manifests import Store, entries, status_groups, statuses

_UNCOVERED = "the signature doesn't cover the whole file, so the picture could have been replaced"

# c2pa-rs says "mismatch" here, although it compared nothing (`sdk/src/claim.rs`, `hash_utils.rs`).
_NOT_COMPARED = ("remote data hash URIs are not supported", "error: type is unsupported")


class Outcome(StrEnum):
    """The outcome of validation."""

    TRUSTED = "trusted"
    """Valid, and its signer is on the trust list."""
    UNTRUSTED = "untrusted"
    """Valid, but its signer isn't on the trust list and could be anyone."""
    EXPIRED = "expired"
    """The certificate has expired and no trusted time stamp shows an earlier signature; otherwise valid."""
    NOT_VALIDATED = "not_validated"
    """Present, and nothing shows a change, but it breaks a rule of the standard, as some genuine old ones do, or leaves
    parts of the picture unsigned."""
    TAMPERED = "tampered"
    """The file or the credential was changed after signing, or the credential belongs to another file."""
    NONE = "none"
    """The file has no credential."""
    ELSEWHERE = "elsewhere"
    """The file has none, but names the address of one."""
    UNREADABLE = "unreadable"
    """The credential is damaged or too large."""


_HASH = "assertion.dataHash"
_OUTCOMES = {
    code: outcome
    for outcome, codes in (
        (Outcome.UNTRUSTED, status_codes.UNTRUSTED),
        (Outcome.EXPIRED, status_codes.EXPIRED),
        (Outcome.NOT_VALIDATED, status_codes.NOT_VALIDATED),
        (Outcome.TAMPERED, status_codes.TAMPERED),
    )
    for code in codes
}
_SEVEREST_FIRST = (Outcome.TAMPERED, Outcome.NOT_VALIDATED, Outcome.EXPIRED, Outcome.UNTRUSTED)


def judge(store: Store, hashes: Mapping[str, Any], parts: Ranges = ()) -> tuple[Outcome, dict[str, str]]:
    """Return the outcome for a store, and its failures: c2pa's code -> explanation.

    Args:
        store: What c2pa read.
        hashes: The assertions of the active manifest, where `library.read_store` returned them.
        parts: Where metadata and the credential lie in the file (`Format.metadata_parts`).
    """
    results = store.get("validation_results") or {}
    # The least specific explanations last.
    failed = sorted(statuses(results, "failure"), key=lambda status: status.get("code") in status_codes.UNTRUSTED)
    problems = {str(status.get("code")): str(status.get("explanation") or status.get("code")) for status in failed}
    outcomes = {_OUTCOMES.get(code, Outcome.NOT_VALIDATED) for code in problems}
    if Outcome.TAMPERED in outcomes and not any(
        _shows_change(group, hashes, parts) for group in status_groups(results)
    ):
        outcomes = {Outcome.NOT_VALIDATED}
    if outcomes:
        return next(outcome for outcome in _SEVEREST_FIRST if outcome in outcomes), problems
    if store.get("validation_state") != "Trusted":
        return Outcome.NOT_VALIDATED, {"state": f"the validation ended as {store.get('validation_state')!r}"}
    if not covers_picture(hashes, parts):
        return Outcome.NOT_VALIDATED, {"coverage": _UNCOVERED}
    return Outcome.TRUSTED, {}


def _shows_change(group: Mapping[str, Any], hashes: Mapping[str, Any], parts: Ranges) -> bool:
    """Tell whether a hash or signature of one manifest doesn't fit.

    c2pa reports three other things by the same codes: that it compared nothing, that it couldn't check the signature,
    and that a hash fits but leaves out more than the credential in one piece, as Truepic's cameras do. The last is
    excused only where nothing but metadata is left out: else another picture could hide there.
    """
    fitting = {status.get("url") for status in entries(group, "success") if status.get("code") == _HASH + ".match"}
    failed = entries(group, "failure")
    codes = {status.get("code") for status in failed}
    for status in failed:
        code, url = status.get("code"), str(status.get("url"))
        if code not in status_codes.TAMPERED or str(status.get("explanation")).endswith(_NOT_COMPARED):
            continue
        if code == "claimSignature.mismatch" and "algorithm.unsupported" in codes:
            continue
        binding = hashes.get(url.rpartition("/")[2], {}) if code == _HASH + ".mismatch" and url in fitting else {}
        if not binding or not excludes_only(binding.get("exclusions") or (), parts):
            return True
    return False
