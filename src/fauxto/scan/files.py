"""The files that a scan writes: there whole or not at all, and never in the place of what it reads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fauxto.errors import ConfigError


def check_place(path: Path, sources: Sequence[str]) -> None:
    """See before the work that a file can be written afterwards.

    Raises:
        ConfigError: It is a folder or one of the sources, or its folder isn't there.
    """
    if path.is_dir():
        raise ConfigError(f"{path} is a folder; name the file to write")
    if not path.parent.is_dir():
        raise ConfigError(f"there is no folder {path.parent} to write {path.name} in; make it first")
    if path.exists() and any(os.path.exists(source) and path.samefile(source) for source in sources):  # noqa: PTH110
        raise ConfigError(f"{path} is what is to be scanned, and would be written over; name another file to write")


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` when all of it is on the disk, and only then."""
    new = unfinished(path)
    try:
        with new.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def unfinished(path: Path) -> Path:
    """Return what a file is called until all of it is on the disk."""
    return path.with_name(f"{path.name}.unfinished")
