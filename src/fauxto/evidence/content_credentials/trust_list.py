"""The trust list: certificates that a trusted signature must chain to."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from fauxto.errors import ConfigError

BUILT_IN = Path(__file__).parents[1] / "trust" / "c2pa-trust-list.pem"
"""The list that ships with fauxto; the README next to it states its origin, date and licence."""

BUILT_IN_NAME = "C2PA trust list of 7 July 2026"
MAX_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class TrustList:
    """A trust list: its name in reports, and its certificates as PEM."""

    name: str
    pem: str


def load(path: Path | None = None) -> TrustList:
    """Load a trust list.

    Args:
        path: A PEM file of certificate authorities; None for the built-in list.

    Raises:
        ConfigError: The file can't be read, or contains anything but valid certificates.
    """
    if path is None:
        return TrustList(BUILT_IN_NAME, BUILT_IN.read_text(encoding="ascii"))
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES:,} bytes")
        pem = path.read_text(encoding="utf-8")
        # OpenSSL rejects the whole list for one damaged certificate; c2pa would silently skip it.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem.encode("ascii", "replace").decode())
    except (OSError, ValueError) as error:  # UnicodeDecodeError is a ValueError, SSLError an OSError
        raise ConfigError(
            f"the trust list {str(path)!r} can't be used ({error}); give a file of PEM certificates"
        ) from error
    return TrustList(path.name, pem)
