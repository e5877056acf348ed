"""Tells addresses from paths; cheap to import."""

from __future__ import annotations

import re


def is_address(source: str) -> bool:
    """Tell whether a text is an address ("https://...") rather than a path."""
    return re.match(r"[a-z][a-z0-9+.-]+://", source) is not None
