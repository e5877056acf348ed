"""Every status code that c2pa may report is sorted, and what isn't known proves nothing."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import c2pa
import pytest

from fauxto.evidence.content_credentials import status_codes, validation
from fauxto.evidence.content_credentials.validation import Outcome

# c2pa-rs 0.91, sdk/src/validation_results.rs and validation_status.rs; C2PA specification 2.3, 15.2.
KNOWN = {
    "algorithm": "deprecated unsupported",
    "assertion": "accessible inaccessible missing multipleHardBindings notRedacted outsideManifest required.missing "
    "selfRedacted undeclared json.invalid cbor.invalid hardBinding.redacted timestamp.malformed metadata.disallowed",
    "assertion.action": "ingredientMismatch malformed missing redacted redactionMismatch softBindingMissing",
    "assertion.alternativeContentRepresentation": "match malformed hashMismatch missing",
    "assertion.bmffHash": "match malformed mismatch additionalExclusionsPresent",
    "assertion.boxesHash": "match malformed mismatch unknownBox additionalExclusionsPresent",
    "assertion.cloud-data": "actions hardBinding labelMismatch malformed",
    "assertion.collectionHash": "match malformed mismatch incorrectFileCount invalidURI",
    "assertion.dataHash": "match malformed mismatch redacted additionalExclusionsPresent",
    "assertion.external-reference": "actions created hardBinding malformed",
    "assertion.hashedURI": "match mismatch",
    "assertion.ingredient": "malformed",
    "assertion.multiAssetHash": "match malformed mismatch missingPart",
    "claim": "cbor.invalid hardBindings.missing malformed missing multiple required.missing",
    "claimSignature": "insideValidity mismatch missing outsideValidity validated",
    "com.adobe": "prerelease",
    "general": "error",
    "hashedURI": "missing mismatch",
    "ingredient": "unknownProvenance hashedURI.mismatch",
    "ingredient.claimSignature": "missing mismatch validated",
    "ingredient.manifest": "missing mismatch validated",
    "manifest": "compressed.invalid inaccessible missing multipleParents timestamp.invalid timestamp.wrongParents "
    "unknownProvenance unreferenced update.invalid update.wrongParents",
    "signingCredential": "expired invalid revoked trusted untrusted",
    "signingCredential.ocsp": "inaccessible notRevoked revoked skipped unknown",
    "timeOfSigning": "insideValidity outsideValidity",
    "timeStamp": "credentialInvalid malformed mismatch outsideValidity trusted untrusted validated",
}
GROUPS = {
    Outcome.TAMPERED: status_codes.TAMPERED,
    Outcome.NOT_VALIDATED: status_codes.NOT_VALIDATED,
    Outcome.EXPIRED: status_codes.EXPIRED,
    Outcome.UNTRUSTED: status_codes.UNTRUSTED,
    Outcome.TRUSTED: status_codes.FINE,
}
SORTED = frozenset().union(*GROUPS.values())


def failed(*codes: str) -> dict[str, Any]:
    return {"validation_results": {"activeManifest": {"failure": [{"code": code} for code in codes]}}}


def test_every_known_code_is_sorted_once() -> None:
    known = {f"{prefix}.{word}" for prefix, words in KNOWN.items() for word in words.split()}
    assert known == {code for code in SORTED if not code.startswith("cawg.")}
    assert all(first.isdisjoint(second) for first, second in itertools.combinations(GROUPS.values(), 2))


def test_the_installed_reader_has_no_other_mismatch() -> None:
    """Its texts stand one behind the other, so that a code may have another's end in front of it."""
    [library] = (
        path for path in Path(c2pa.__file__).parent.glob("libs/*c2pa_c.*") if path.suffix in (".so", ".dylib", ".dll")
    )
    words = (
        rb"(?:assertion|cawg|claim|claimSignature|hashedURI|ingredient|manifest|timeStamp)(?:\.[\w-]+?)*?[._]mismatch"
    )
    texts = {text.decode() for text in re.findall(words, library.read_bytes())}
    assert len(texts) > 5
    assert not [text for text in texts if not any(text.endswith(code) or code.endswith(text) for code in SORTED)]


@pytest.mark.parametrize("outcome", [outcome for outcome in GROUPS if outcome is not Outcome.TRUSTED])
def test_a_failure_has_the_outcome_of_its_code(outcome: Outcome) -> None:
    for code in GROUPS[outcome]:
        assert validation.judge(failed(code), {})[0] is outcome


def test_the_severest_counts() -> None:
    order = (Outcome.TAMPERED, Outcome.NOT_VALIDATED, Outcome.EXPIRED, Outcome.UNTRUSTED)
    for severe, mild in itertools.combinations(order, 2):
        codes = (min(GROUPS[mild]), min(GROUPS[severe]))
        assert validation.judge(failed(*codes), {})[0] is severe
    two = {
        "activeManifest": {},
        "ingredientDeltas": [{"validationDeltas": {"failure": [{"code": "hashedURI.mismatch"}]}}],
    }
    assert validation.judge({"validation_results": two}, {})[0] is Outcome.TAMPERED


@pytest.mark.parametrize(
    "code", ["", "assertion.newHash.mismatch", "claim.mismatch", "none", "assertion.dataHash.match"]
)
def test_an_unknown_failure_is_neither_tampered_nor_trusted(code: str) -> None:
    for state in ("Trusted", "Valid", "Invalid", None):
        store = {**failed(code), "validation_state": state}
        assert validation.judge(store, {"c2pa.hash.data": {"exclusions": [{}]}})[0] is Outcome.NOT_VALIDATED
