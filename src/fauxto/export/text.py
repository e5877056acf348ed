"""Texts as reports show them: strangers' words made harmless, times, the program's version."""

from __future__ import annotations

from datetime import UTC, datetime

from fauxto import wording

_MAX_LINE = 600
MAX_NAME = 120
"""Characters of a name."""


def shown(text: str, most: int = _MAX_LINE) -> str:
    """Return a stranger's text fit for a page: printable, and cut where it is longer than `most` characters."""
    if len(text) <= most:
        return wording.printable(text)
    return f"{wording.printable(text[:most])}… [cut: {len(text):,} characters]"


def utc(time: datetime) -> str:
    """Return a time as "2026-11-22 18:22:05 UTC"; ValueError where it has no time zone."""
    if time.tzinfo is None:
        raise ValueError("the time of a report needs its time zone, such as datetime.now(UTC)")
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def version() -> str:
    """Return the version of the fauxto that writes the report."""
    from importlib.metadata import version

    return version("fauxto")
