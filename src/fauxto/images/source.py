"""From a path, an open file or bytes to the bytes of a picture."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import BinaryIO

from fauxto.addresses import is_address
from fauxto.errors import ImageError
from fauxto.limits import Limits
from fauxto.report import Status

File = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
"""A path, the bytes of a file, or a file that is open for reading bytes."""

CANT_BE_READ = "can't be read"
"""In the sentence on a file that is there, but that the system doesn't give, so that nobody knows what is in it."""

_DEFAULT_LIMITS = Limits()


def read_bytes(source: File, limits: Limits = _DEFAULT_LIMITS) -> bytes:
    """Return the bytes of a picture, and never hold more than `limits.max_bytes` of them.

    Args:
        source: A path, the bytes themselves, or a file opened in binary mode, which is read to its end.
        limits: Only `max_bytes` counts here.

    Raises:
        ImageError: `not_found`, `not_a_file`, `unreadable` or `too_large`.
        TypeError: `source` is nothing that bytes can be read from.
    """
    if isinstance(source, (str, os.PathLike)):
        try:
            return _read_path(Path(source), limits)
        except ImageError as error:
            if error.status is not Status.NOT_FOUND or not (isinstance(source, str) and is_address(source)):
                raise
            sentence = (
                f"{source!a} is an address, and fauxto fetches none unless asked to (--fetch-urls); save the picture "
                "and give its path"
            )
            raise ImageError(Status.NOT_FOUND, sentence) from error
    if isinstance(source, (bytes, bytearray, memoryview)):
        check_bytes(memoryview(source).nbytes, limits)
        return bytes(source)
    if isinstance(source, io.TextIOBase) or not hasattr(source, "read"):
        raise TypeError(
            "a picture is a path, bytes or a file opened in binary mode (a Detector also takes PIL images and uint8 "
            f"arrays [H, W, 3]), not {type(source).__name__}"
        )
    data = _read_file(source, limits)
    check_bytes(len(data), limits)
    return data


def check_bytes(count: int, limits: Limits) -> None:
    """Raise ImageError (too_large) for a file of more than `limits.max_bytes`."""
    if count > limits.max_bytes:
        raise ImageError(Status.TOO_LARGE, f"the file has more than {limits.max_bytes} bytes; save the picture smaller")


def _read_path(path: Path, limits: Limits) -> bytes:
    name = ascii(os.fspath(path))
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):  # opening a pipe or a device might wait forever
            raise ImageError(Status.NOT_A_FILE, f"{name} isn't a file; give the path of a picture")
        check_bytes(facts.st_size, limits)
        with path.open("rb") as file:
            data = _read_file(file, limits)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a NUL in the path
        raise ImageError(Status.NOT_FOUND, f"there is no file {name}; check the path") from error
    except OSError as error:
        raise ImageError(Status.UNREADABLE, f"{name} {CANT_BE_READ}: {error.strerror or error}") from error
    check_bytes(len(data), limits)
    return data


def _read_file(file: BinaryIO, limits: Limits) -> bytes:
    """Read to the end or to one byte over the limit; a raw stream may give less at a time than it is asked for."""
    parts = []
    remaining = limits.max_bytes + 1
    try:
        while remaining > 0 and (part := file.read(remaining)):
            parts.append(part)
            remaining -= len(part)
    except Exception as error:  # members of archives and responses of servers raise nearly anything
        cause = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        raise ImageError(Status.UNREADABLE, f"the file {CANT_BE_READ}: {cause}") from error
    return b"".join(parts)
