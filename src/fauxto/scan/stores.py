"""Object stores, by their addresses (`s3://bucket/key`), through fsspec; the extra `scale` has it and two stores."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from fauxto.addresses import is_address
from fauxto.errors import ConfigError, FauxtoError, MissingExtraError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem  # type: ignore[import-untyped]

SCHEMES = frozenset({"s3", "gs", "file", "memory"})
"""Stores only, never the web: a table from a stranger may not send this machine to an address of its choice."""

_PAUSES = (0.5, 2.0)
"""Seconds before the second and the third try; the stores' libraries try several times themselves, but not always."""

_BUFFER = 64 * 1024
_FINAL = (
    *(FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError),
    *(ValueError, TypeError, NotImplementedError, FauxtoError),  # an address or a setting is wrong, and stays so
)

Answer = TypeVar("Answer")


class StoreError(OSError):
    """A store failed, again and again."""


def is_fault(error: Exception) -> bool:
    """Tell whether a store is behind an error; zipfile raises its own in the place of what reading raised."""
    return isinstance(error, StoreError) or isinstance(error.__context__, StoreError)


def parent(address: str) -> str:
    """Return the address of the folder that an object lies in, with a slash at its end."""
    return address.rpartition("/")[0] + "/"


def open_location(location: str) -> BinaryIO:
    """Open the file at a path or an address for reading; raises as `open_address` does."""
    return open_address(location) if is_address(location) else Path(location).open("rb")


def open_address(address: str) -> BinaryIO:
    """Open an object for reading.

    Raises:
        OSError: The store has no such object, or refuses; FileNotFoundError for the first. A StoreError where it fails
            otherwise, also from the file's own methods: they try again what failed.
        ConfigError: Its scheme isn't one of `SCHEMES`.
        MissingExtraError: The store's library isn't installed.
    """
    store, path = _store(address)
    opened = _tried(partial(store.open, path, "rb", cache_type="readahead"))
    return cast(BinaryIO, io.BufferedReader(_Object(opened), _BUFFER))


class _Object(io.RawIOBase):
    """An open object, whose parts are asked for again where the store fails."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell  # type: ignore[method-assign]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = _tried(partial(self._read, self._file.tell(), len(buffer)))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _read(self, position: int, size: int) -> bytes:
        self._file.seek(position)
        return self._file.read(size)


def _tried(ask: Callable[[], Answer]) -> Answer:
    for pause in (*_PAUSES, None):
        try:
            return ask()
        except _FINAL:
            raise
        except Exception as error:  # each store's library has errors of its own
            if pause is None:
                message = " ".join(f"{type(error).__name__}: {error}".split())[:300]
                raise StoreError(f"the store failed several times ({message})") from error
            time.sleep(pause)
    raise AssertionError  # the last try returns or raises


def size_of(file: BinaryIO) -> int:
    """Return the size of an open file in bytes, and leave it at its beginning."""
    size = file.seek(0, 2)
    file.seek(0)
    return size


def listing(address: str) -> Iterator[tuple[str, int]]:
    """Yield the address and size in bytes of every object at or under `address`, which may be a pattern (`*`).

    Raises:
        OSError: The store can't be listed; FileNotFoundError where nothing is there.
        ConfigError, MissingExtraError: As `open_address`.
    """
    store, path = _store(address)
    if "*" in path:
        entries = store.glob(path, detail=True).values()
        yield from (
            (_address(store, entry["name"]), entry["size"] or 0) for entry in entries if entry["type"] == "file"
        )
    elif store.isfile(path):
        yield _address(store, path), store.size(path) or 0
    elif not store.isdir(path):
        raise FileNotFoundError(f"there is nothing at {address}")
    else:
        for _, _, files in store.walk(path, detail=True):  # a folder at a time: a bucket may hold millions
            yield from ((_address(store, entry["name"]), entry["size"] or 0) for entry in files.values())


def _store(address: str) -> tuple[AbstractFileSystem, str]:
    scheme = address.partition("://")[0]
    if scheme not in SCHEMES:
        schemes = ", ".join(f"{known_scheme}://" for known_scheme in sorted(SCHEMES - {"memory"}))
        raise ConfigError(f"{address!r} is no address of an object store that fauxto reads ({schemes})")
    try:
        import fsspec

        store = fsspec.filesystem(scheme, use_listings_cache=False)
    except ImportError as error:
        raise MissingExtraError("scale", f"reading from {scheme}://") from error
    return store, store._strip_protocol(address)


def _address(store: Any, path: str) -> str:
    return str(store.unstrip_protocol(path))


def name_of(location: str) -> str:
    """Return the last part of a path or address, in lower case."""
    return PurePosixPath(location.replace("\\", "/")).name.lower()
