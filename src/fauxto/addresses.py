"""Tells addresses from paths, and the names in both; cheap to import."""

from __future__ import annotations

import re
from pathlib import PurePath


def is_address(source: str) -> bool:
    """Tell whether a text is an address ("https://...") rather than a path."""
    return re.match(r"[a-z][a-z0-9+.-]+://", source, re.IGNORECASE) is not None


def file_name(source: str) -> str:
    """Return the last part of a path or an address, without folders and query; "" where there is none."""
    return PurePath(re.split(r"[?#]", source)[0] if is_address(source) else source).name
