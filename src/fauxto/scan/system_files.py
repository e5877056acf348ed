"""Files that macOS and Windows keep for themselves beside a person's own, in folders and in archives made there."""

from __future__ import annotations

import re

from fauxto.images import formats

_APPLE_DOUBLE = bytes.fromhex("00051607")
"""First bytes of a file's Mac attributes where the disk or archive can't hold them (RFC 1740, 1994, appendix B)."""

_NAMES = frozenset({".ds_store", ".localized", "icon\r", "thumbs.db", "ehthumbs.db", "desktop.ini"})
_FOLDER = "__macosx"
"""Where the Finder puts AppleDouble files in a ZIP."""


def has_system_name(path: str) -> bool:
    """Tell whether a path is one of those that macOS and Windows give their own files."""
    *folders, name = re.split(r"[/\\]", path.lower())
    return name in _NAMES or _FOLDER in folders


def is_system_file(path: str, head: bytes) -> bool:
    """Tell whether a file is kept by the system: by its first bytes or, if they aren't a picture's, by its path.

    Args:
        path: Its path, in a folder or an archive.
        head: Its first bytes, some dozens at least where the file has them.
    """
    if head.startswith(_APPLE_DOUBLE):
        return True
    return has_system_name(path) and not any(format.matches(head) for format in formats.FORMATS.values())
