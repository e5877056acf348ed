"""API keys and how much each may ask for.

A key is 32 random bytes, so its plain SHA-256 is enough to keep it by. A slow hash such as scrypt protects words that
people choose, which can be guessed from a list; here it would only let a stranger spend the service's time. The file
holds one `name:sha256` a line; the key itself is shown once, when it is made.
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
    """The keys that are accepted; empty for a service that asks for none."""

    def __init__(self, hashes: dict[str, bytes]) -> None:
        self._hashes = hashes

    @classmethod
    def load(cls, path: Path) -> KeyRing:
        """Read a file of keys.

        Raises:
            ConfigError: It can't be read, holds no key or a line that is none.
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
            raise ConfigError(f"the file of keys {str(path)!r} holds none; make one: fauxto serve --new-key NAME")
        return cls(hashes)

    def name_of(self, key: str) -> str | None:
        """Return the name of a key, None for a wrong one; the time taken says nothing of the keys."""
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
        raise ConfigError(f"{name!r} is no name for a key; use up to 64 letters, digits, dots, dashes and underscores")
    try:
        if path.exists() and any(line.startswith(f"{name}:") for line in path.read_text("utf-8").splitlines()):
            raise ConfigError(f"there is a key called {name!r}; remove its line first")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        raise ConfigError(f"the file of keys {str(path)!r} can't be written: {error.strerror}") from error
    return key


class Rates:
    """Pictures a minute for each key: a bucket that holds a minute's worth and fills evenly."""

    def __init__(self, per_minute: int) -> None:
        self._most = float(per_minute)
        self._per_second = per_minute / 60
        self._buckets: dict[str, tuple[float, float]] = {}

    def spend(self, name: str, pictures: int) -> None:
        """Take `pictures` from a key's bucket, which may thereby go into debt: a batch is counted when it is read.

        Raises:
            Problem: rate_exceeded, where the bucket is empty.
        """
        now = monotonic()
        tokens, updated = self._buckets.get(name, (self._most, now))
        tokens = min(self._most, tokens + (now - updated) * self._per_second)
        if tokens < 1:
            wait = (1 - tokens) / self._per_second
            raise Problem("rate_exceeded", "This key has asked for too many pictures; wait.", retry_after=wait)
        self._buckets[name] = (tokens - pictures, now)

    def charge(self, name: str, pictures: int) -> None:
        """Take `pictures` more without asking whether there are any."""
        tokens, updated = self._buckets.get(name, (self._most, monotonic()))
        self._buckets[name] = (tokens - pictures, updated)
