"""What the page calls the files of a batch: their own names, and a folder only where two names are equal."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_SEPARATOR = re.compile(r"!/|[/\\]")


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """Return a name for each path: the last part, if need be with the folder before it, or else the whole path."""
    names = {path: _last(path, 1) for path in paths}
    for parts in (2, 0):
        times = Counter(names.values())
        names = {path: _last(path, parts) if times[name] > 1 else name for path, name in names.items()}
    return names


def _last(path: str, parts: int) -> str:
    """Return a path's last parts; all of it for 0, and where one of them would be empty."""
    pieces = _SEPARATOR.split(path)[-parts:]
    return "/".join(pieces) if parts and pieces[-1] else path
