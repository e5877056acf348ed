"""Output files: written atomically, and those of a scan never over its inputs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fauxto.errors import ConfigError


def check_place(path: Path, sources: Sequence[str]) -> None:
    """Check in advance that a file can be written.

    Raises:
        ConfigError: It is a folder or one of the sources, or its folder isn't there.
    """
    if path.is_dir():
        raise ConfigError(f"{path} is a folder; give a file name")
    if not path.parent.is_dir():
        raise ConfigError(f"the folder {path.parent} for {path.name} doesn't exist; create it first")
    if path.exists() and any(os.path.exists(source) and path.samefile(source) for source in sources):  # noqa: PTH110
        raise ConfigError(f"{path} is one of the sources and would be overwritten; give another output file")


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Open a file that replaces `path` once it is completely on disk."""
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


def journal_of(table: Path) -> Path:
    """Return the name of a table's journal, which lies beside it."""
    return table.with_name(f"{table.name}.journal")


def unfinished(path: Path) -> Path:
    """Return a file's temporary name until it is complete."""
    return path.with_name(f"{path.name}.unfinished")
