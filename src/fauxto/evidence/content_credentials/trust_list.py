"""The trust lists: certificates that a trusted signature, or a trusted time stamp, must chain to."""

from __future__ import annotations

import re
import ssl
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from fauxto.errors import ConfigError

FOLDER = Path(__file__).parents[1] / "trust"
"""The lists that ship with fauxto; its README.md states origin, date and licence of each, as TOML in a block."""

MAX_BYTES = 10_000_000

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A list that ships with fauxto.

    Attributes:
        file: Its name in `FOLDER`.
        name: For people, without its date.
        kind: "signers" or "time stamps".
        issued: The date of the list.
        source: Where it was published.
        certificates: How many it holds.
    """

    file: str
    name: str
    kind: str
    issued: date
    source: str
    certificates: int

    def read(self) -> str:
        """Return its certificates as PEM."""
        return (FOLDER / self.file).read_text(encoding="utf-8")

    def age(self, today: date) -> str:
        """Return a sentence on how old it is."""
        issued = f"{self.issued.day} {self.issued:%B %Y}"
        return f"{self.name}: {self.certificates} certificates as of {issued} ({(today - self.issued).days} days ago)."


@dataclass(frozen=True, slots=True)
class TrustList:
    """The certificates in use.

    Attributes:
        name: Of the signers' list, in reports.
        pem: Authorities of signers, as PEM.
        time_stamps: Further authorities of time stamps, as PEM; those of signers count for them, too.
    """

    name: str
    pem: str
    time_stamps: str = ""


def built_in() -> tuple[BuiltIn, ...]:
    """Return the lists that ship with fauxto: of signers, then of time-stamping authorities."""
    about = (FOLDER / "README.md").read_text(encoding="utf-8")
    lists = tomllib.loads(about.partition("```toml\n")[2].partition("```")[0])
    return tuple(BuiltIn(file, **facts) for file, facts in lists.items())


def load(path: Path | None = None) -> TrustList:
    """Load the trust list of signers, and beside it the built-in one of time-stamping authorities.

    Args:
        path: A PEM file of certificate authorities; None for the built-in list.

    Raises:
        ConfigError: The file can't be read, or contains anything but valid certificates.
    """
    signers, time_stamps = built_in()
    if path is None:
        name, pem = f"{signers.name} of {signers.issued.day} {signers.issued:%B %Y}", signers.read()
    else:
        name, pem = path.name, _read_own(path)
    # None is in both: c2pa says in which list it found an authority, and names either if it is in two.
    own = {"".join(block.split()) for block in _CERTIFICATE.findall(pem)}
    others = [block for block in _CERTIFICATE.findall(time_stamps.read()) if "".join(block.split()) not in own]
    return TrustList(name, pem, "\n".join(others))


def _read_own(path: Path) -> str:
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
    return pem
