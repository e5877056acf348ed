"""API keys and their rate limits.

A key is 32 random bytes, so a plain SHA-256 is enough to store it. A slow hash such as scrypt protects guessable
passwords; here it would only let strangers waste the service's time. The file has one `name:sha256` per line; the key
itself is shown once, when it is created.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path
from time import monotonic

from fauxto.errors import ConfigError
from fauxto.service.problems import Problem

_PREFIX = "fauxto_"
_LINE = re.compile(r"([A-Za-z0-9._-]{1,64}):([0-9a-f]{64})")


class KeyRing:
    """The accepted keys; empty for a service without keys."""

    def __init__(self, hashes: dict[str, bytes]) -> None:
        self._hashes = hashes

    @classmethod
    def load(cls, path: Path) -> KeyRing:
        """Read a file of keys.

        Raises:
            ConfigError: It can't be read, has no key, or has an invalid line.
        """
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"the file of keys {str(path)!r} can't be read: {error}") from error
        hashes = {}
        for number, line in enumerate(lines, start=1):
            if not line.strip() or line.startswith("#"):
                continue
            match = _LINE.fullmatch(line.strip())
            if match is None or match[1] in hashes:
                raise ConfigError(f"line {number} of the file of keys isn't a new name, a colon and a SHA-256")
            hashes[match[1]] = bytes.fromhex(match[2])
        if not hashes:
            raise ConfigError(f"the file of keys {str(path)!r} is empty; create a key: fauxto serve --new-key NAME")
        return cls(hashes)

    def name_of(self, key: str) -> str | None:
        """Return the name of a key, None for a wrong one; takes constant time."""
        digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
        matching_name = None
        for name, known_digest in self._hashes.items():
            if hmac.compare_digest(digest, known_digest):
                matching_name = name
        return matching_name


def new_key(path: Path, name: str) -> str:
    """Make a key, add its hash to a file (which only its owner may read if it is new), and return the key.

    Raises:
        ConfigError: The name can't be used or is taken, or the file can't be written.
    """
    key = _PREFIX + secrets.token_urlsafe(32)
    line = f"{name}:{hashlib.sha256(key.encode()).hexdigest()}"
    if _LINE.fullmatch(line) is None:
        raise ConfigError(
            f"{name!r} isn't a valid key name; use up to 64 letters, digits, dots, dashes and underscores"
        )
    try:
        if path.exists() and any(line.startswith(f"{name}:") for line in path.read_text("utf-8").splitlines()):
            raise ConfigError(f"a key named {name!r} already exists; remove its line first")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        raise ConfigError(f"the file of keys {str(path)!r} can't be written: {error.strerror}") from error
    return key


class Rates:
    """Pictures per minute for each key: a token bucket of one minute."""

    def __init__(self, per_minute: int) -> None:
        self._most = float(per_minute)
        self._per_second = per_minute / 60
        self._buckets: dict[str, tuple[float, float]] = {}

    def spend(self, name: str, pictures: int) -> None:
        """Take `pictures` from a key's bucket, which may go into debt, because a batch is counted when it is read.

        Raises:
            Problem: rate_exceeded, where the bucket is empty.
        """
        now = monotonic()
        tokens, updated = self._buckets.get(name, (self._most, now))
        tokens = min(self._most, tokens + (now - updated) * self._per_second)
        if tokens < 1:
            wait = (1 - tokens) / self._per_second
            raise Problem("rate_exceeded", "This key has sent too many pictures; wait and retry.", retry_after=wait)
        self._buckets[name] = (tokens - pictures, now)

    def charge(self, name: str, pictures: int) -> None:
        """Take `pictures` more without a check."""
        tokens, updated = self._buckets.get(name, (self._most, monotonic()))
        self._buckets[name] = (tokens - pictures, updated)
