"""A certificate authority of the tests' own, and pictures that carry real content credentials by it."""

from __future__ import annotations

import datetime
import io
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
YEAR = datetime.timedelta(days=365)
IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_INGREDIENT_ACTIONS = {"parentOf": "c2pa.opened", "componentOf": "c2pa.placed"}


def _person(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _name(organisation: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation), x509.NameAttribute(NameOID.COMMON_NAME, "A")]
    )


@dataclass(frozen=True)
class Signer:
    """A certificate with its key, the authority's certificate, and what the certificate shall be swapped for."""

    key: Ed25519PrivateKey
    certificate: x509.Certificate
    authority: x509.Certificate
    swapped_for: x509.Certificate | None = None


class Authority:
    """A certificate authority. Ed25519, so that certificates that differ in a date alone have the same length."""

    _serial_numbers = itertools.count(2**64)

    def __init__(self, name: str) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._name = _name(name)
        self.certificate = self._build(self._name, self._key, NOW - 9 * YEAR, NOW + 9 * YEAR, is_authority=True)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def _build(
        self,
        name: x509.Name,
        key: Ed25519PrivateKey,
        start: datetime.datetime,
        end: datetime.datetime,
        *,
        is_authority: bool = False,
        purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION,
        ocsp: str | None = None,
    ) -> x509.Certificate:
        usage = dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        builder = (
            x509.CertificateBuilder(self._name, name, key.public_key(), next(self._serial_numbers), start, end)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not is_authority, key_cert_sign=is_authority, crl_sign=is_authority, **usage
                ),
                critical=True,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if not is_authority:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        if ocsp:
            address = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp))
            builder = builder.add_extension(x509.AuthorityInformationAccess([address]), critical=False)
        return builder.sign(self._key, None)

    def signer(self, name: str, *, ocsp: str | None = None) -> Signer:
        key = Ed25519PrivateKey.generate()
        valid = self._build(_name(name), key, NOW - YEAR, NOW + YEAR, ocsp=ocsp)
        return Signer(key, valid, self.certificate)

    def signer_until(self, name: str, end: datetime.datetime) -> Signer:
        """A signer whose certificate is valid from a year ago to `end`."""
        key = Ed25519PrivateKey.generate()
        return Signer(key, self._build(_name(name), key, NOW - YEAR, end), self.certificate)

    def private_signer(self, name: str) -> Signer:
        """A signer whose certificate names a person and no organisation."""
        key = Ed25519PrivateKey.generate()
        return Signer(key, self._build(_person(name), key, NOW - YEAR, NOW + YEAR), self.certificate)

    def expired_signer(self, name: str) -> Signer:
        """A signer whose certificate has run out: c2pa doesn't sign with one, so it is swapped in while signing."""
        key = Ed25519PrivateKey.generate()
        valid = self._build(_name(name), key, NOW - YEAR, NOW + YEAR)
        return Signer(key, valid, self.certificate, self._build(_name(name), key, NOW - 2 * YEAR, NOW - YEAR))

    def signer_for_websites(self, name: str) -> Signer:
        """A signer whose certificate is meant for something else than signing pictures."""
        key = Ed25519PrivateKey.generate()
        valid = self._build(_name(name), key, NOW - YEAR, NOW + YEAR, purpose=ExtendedKeyUsageOID.EMAIL_PROTECTION)
        other = self._build(_name(name), key, NOW - YEAR, NOW + YEAR, purpose=ExtendedKeyUsageOID.SERVER_AUTH)
        return Signer(key, valid, self.certificate, other)


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The authority on the tests' trust list."""
    return Authority("Trusted authority")


@pytest.fixture(scope="session")
def stranger() -> Authority:
    """An authority that nobody trusts."""
    return Authority("Strange authority")


@pytest.fixture(scope="session")
def trust_file(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trust list with the one authority."""
    path = tmp_path_factory.mktemp("trust") / "trusted.pem"
    path.write_text(authority.pem)
    return path


Sign = Callable[..., bytes]


@pytest.fixture(scope="session")
def sign() -> Sign:
    """`sign(picture, format, signer, actions) -> bytes`: the picture with a content credential.

    `actions` are the source types ("digitalCapture") of one action each: the first one creates the picture, unless
    there is a parent among the `ingredients`, which are (relationship, picture) pairs; the others edit it. With
    `passed_on` the signer has the actions from elsewhere, with `thumbnails` of so many pixels the pictures are inside.
    """

    def sign(
        picture: bytes,
        format: str,
        signer: Signer,
        actions: Sequence[str] = (),
        *,
        ingredients: Sequence[tuple[str, bytes]] = (),
        assertions: Sequence[Mapping[str, Any]] = (),
        passed_on: bool = False,
        remote_url: str | None = None,
        compress: bool = False,
        thumbnails: int = 0,
    ) -> bytes:
        steps: list[dict[str, Any]] = [
            {"action": _INGREDIENT_ACTIONS[relationship], "parameters": {"ingredientIds": [str(number)]}}
            for number, (relationship, _) in enumerate(ingredients)
        ]
        for term in actions:
            steps.append(
                {
                    "action": "c2pa.edited" if steps else "c2pa.created",
                    "softwareAgent": "Test Agent",
                    "digitalSourceType": IPTC + term,
                }
            )
        definition = {
            "claim_generator_info": [{"name": "fauxto tests", "version": "1.0"}],
            "assertions": [{"label": "c2pa.actions", "data": {"actions": steps}}, *assertions],
        }
        settings: dict[str, Any] = {
            "core": {"prefer_compress_manifests": compress},
            "verify": {"verify_after_sign": False},
            "builder": {
                "thumbnail": {"enabled": thumbnails > 0, "long_edge": thumbnails or 1},
                "created_assertion_labels": [] if passed_on else ["c2pa.actions"],
            },
        }
        builder = c2pa.Builder(definition, context=c2pa.Context.from_dict(settings))
        for number, (relationship, ingredient) in enumerate(ingredients):
            named = {
                "title": f"{number}",
                "relationship": relationship,
                "instance_id": f"{number}",
                "label": f"{number}",
            }
            builder.add_ingredient(named, _mime(ingredient), io.BytesIO(ingredient))
        if remote_url:
            builder.set_remote_url(remote_url)
            builder.set_no_embed()
        signed = io.BytesIO()
        builder.sign(_native_signer(signer), f"image/{format.lower()}", io.BytesIO(picture), signed)
        if signer.swapped_for is None:
            return signed.getvalue()
        return signed.getvalue().replace(_der(signer.certificate), _der(signer.swapped_for))

    return sign


def _native_signer(signer: Signer) -> c2pa.Signer:
    def sign_bytes(data: bytes) -> bytes:
        if signer.swapped_for is not None:
            assert _der(signer.certificate) in data
            data = data.replace(_der(signer.certificate), _der(signer.swapped_for))
        return signer.key.sign(data)

    chain = (signer.certificate, signer.authority)
    pem = "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in chain)
    return c2pa.Signer.from_callback(sign_bytes, c2pa.C2paSigningAlg.ED25519, pem)


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _mime(picture: bytes) -> str:
    return "image/png" if picture.startswith(b"\x89PNG") else "image/jpeg"
