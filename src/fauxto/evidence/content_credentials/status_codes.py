"""C2PA's validation status codes, sorted by what they mean for the picture.

The codes of the C2PA specification 2.3 (15.2), of older ones, of c2pa-rs 0.91 (`sdk/src/validation_results.rs`) and of
CAWG's identity assertion 1.2. A code that isn't here counts as a broken rule: it shows no change and validates nothing.
"""

from __future__ import annotations

TAMPERED = frozenset(
    """
    assertion.alternativeContentRepresentation.hashMismatch assertion.bmffHash.mismatch assertion.boxesHash.mismatch
    assertion.boxesHash.unknownBox assertion.collectionHash.mismatch assertion.dataHash.mismatch
    assertion.hashedURI.mismatch assertion.multiAssetHash.mismatch claimSignature.mismatch hashedURI.mismatch
    ingredient.claimSignature.mismatch ingredient.hashedURI.mismatch ingredient.manifest.mismatch
    """.split()  # noqa: SIM905
)
"""A hash or a signature doesn't fit: the picture, the claim or an assertion was changed. `unknownBox` is c2pa-rs's word
for a hash of boxes that the file hasn't got."""

UNTRUSTED = frozenset({"signingCredential.untrusted"})
"""The signer isn't on the trust list."""

EXPIRED = frozenset({"claimSignature.outsideValidity", "signingCredential.expired"})
"""The certificate had expired, as far as can be shown."""

NOT_VALIDATED = frozenset(
    """
    algorithm.unsupported assertion.action.ingredientMismatch assertion.action.malformed assertion.action.missing
    assertion.action.redacted assertion.action.redactionMismatch assertion.action.softBindingMissing
    assertion.alternativeContentRepresentation.malformed assertion.alternativeContentRepresentation.missing
    assertion.bmffHash.malformed assertion.boxesHash.malformed assertion.cbor.invalid assertion.cloud-data.actions
    assertion.cloud-data.hardBinding assertion.cloud-data.labelMismatch assertion.cloud-data.malformed
    assertion.collectionHash.incorrectFileCount assertion.collectionHash.invalidURI assertion.collectionHash.malformed
    assertion.dataHash.malformed assertion.dataHash.redacted assertion.external-reference.actions
    assertion.external-reference.created assertion.external-reference.hardBinding
    assertion.external-reference.malformed assertion.hardBinding.redacted assertion.inaccessible
    assertion.ingredient.malformed assertion.json.invalid assertion.metadata.disallowed assertion.missing
    assertion.multiAssetHash.malformed assertion.multiAssetHash.missingPart assertion.multipleHardBindings
    assertion.notRedacted assertion.outsideManifest assertion.required.missing assertion.selfRedacted
    assertion.timestamp.malformed assertion.undeclared
    cawg.ica.credential.revoked cawg.ica.did_unavailable cawg.ica.did_unsupported_method cawg.ica.invalid_alg
    cawg.ica.invalid_content_type cawg.ica.invalid_cose_sign1 cawg.ica.invalid_did_document cawg.ica.invalid_issuer
    cawg.ica.invalid_verifiable_credential cawg.ica.revocation.unavailable cawg.ica.revocation.unsupported
    cawg.ica.signature_mismatch cawg.ica.signer_payload.mismatch cawg.ica.time_stamp.invalid cawg.ica.untrusted_issuer
    cawg.ica.valid_from.invalid cawg.ica.valid_from.missing cawg.ica.valid_until.invalid
    cawg.ica.verified_identities.invalid cawg.ica.verified_identities.missing cawg.identity.assertion.duplicate
    cawg.identity.assertion.mismatch cawg.identity.cbor.invalid cawg.identity.credential_revoked
    cawg.identity.hard_binding_incorrect cawg.identity.hard_binding_missing cawg.identity.network_traffic_blocked
    cawg.identity.pad.invalid cawg.identity.sig_type.unknown cawg.x509.algorithm.unsupported
    cawg.x509.credential.invalid cawg.x509.credential.untrusted cawg.x509.signature.mismatch
    cawg.x509.signature.outside_validity cawg.x509.time_stamp.malformed cawg.x509.time_stamp.mismatch
    cawg.x509.time_stamp.outside_validity cawg.x509.time_stamp.untrusted
    claim.cbor.invalid claim.hardBindings.missing claim.malformed claim.missing claim.multiple claim.required.missing
    claimSignature.missing com.adobe.prerelease general.error hashedURI.missing ingredient.claimSignature.missing
    ingredient.manifest.missing manifest.compressed.invalid manifest.inaccessible manifest.missing
    manifest.multipleParents manifest.timestamp.invalid manifest.timestamp.wrongParents manifest.unknownProvenance
    manifest.unreferenced manifest.update.invalid manifest.update.wrongParents
    signingCredential.invalid signingCredential.ocsp.inaccessible signingCredential.ocsp.revoked
    signingCredential.ocsp.skipped signingCredential.ocsp.unknown signingCredential.revoked
    timeOfSigning.outsideValidity timeStamp.credentialInvalid timeStamp.malformed timeStamp.mismatch
    timeStamp.outsideValidity timeStamp.untrusted
    """.split()  # noqa: SIM905
)
"""A rule of the standard or the format is broken, a certificate is revoked or was made for something else, or a part is
missing. Nothing shows that the picture, or what is said of it, was changed: `ingredientMismatch` is an action without
its ingredient, `timeStamp.mismatch` a time stamp for another signature, and CAWG's are about the identity of a person.
What c2pa only informs of doesn't count unless it is reported as a failure."""

FINE = frozenset(
    """
    algorithm.deprecated assertion.accessible assertion.alternativeContentRepresentation.match
    assertion.bmffHash.additionalExclusionsPresent assertion.bmffHash.match
    assertion.boxesHash.additionalExclusionsPresent assertion.boxesHash.match assertion.collectionHash.match
    assertion.dataHash.additionalExclusionsPresent assertion.dataHash.match assertion.hashedURI.match
    assertion.multiAssetHash.match cawg.ica.credential.not_revoked cawg.ica.credential_valid
    cawg.ica.time_stamp.validated cawg.identity.trusted cawg.identity.well-formed cawg.x509.credential.trusted
    cawg.x509.signature.inside_validity cawg.x509.signature.validated cawg.x509.time_stamp.trusted
    cawg.x509.time_stamp.validated claimSignature.insideValidity claimSignature.validated
    ingredient.claimSignature.validated ingredient.manifest.validated ingredient.unknownProvenance
    signingCredential.ocsp.notRevoked signingCredential.trusted timeOfSigning.insideValidity timeStamp.trusted
    timeStamp.validated
    """.split()  # noqa: SIM905
)
"""Nothing is wrong. Exclusions beyond the credential itself are looked at in `coverage.py`."""
