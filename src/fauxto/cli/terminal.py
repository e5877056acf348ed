"""What may be written to a terminal: no text from a file or a bundle may steer it."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return `text` with what isn't printable (controls, line ends, changes of direction) escaped."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)
