"""Makes untrusted content of files safe to handle: texts, JSON, and the details built from them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

MAX_VALUE = 10_000
"""Characters of one text in an evidence's details."""

MAX_TOTAL = 80_000
"""Characters of all texts in an evidence's details, JSON-encoded."""

MAX_JSON = 1_000_000
"""Characters of a JSON text; the largest legitimate ones are ComfyUI graphs."""

MAX_JSON_TOTAL = 2_000_000
"""Characters of all JSON texts of a file."""

_LARGEST_INTEGER = 2**64
_LONGEST_ESCAPE = 12  # of one character in JSON: two surrogates


class UnreadableError(ValueError):
    """A block of metadata can't be read; the message is a sentence for a person."""


def plain(text: str) -> str:
    """Drop control characters; keep line breaks, and turn other white space into spaces."""
    return "".join(
        character if character.isprintable() or character == "\n" else " " if character.isspace() else ""
        for character in text.replace("\r\n", "\n").replace("\r", "\n")
    )


def text(value: object) -> str | None:
    """Return a value from JSON if it is a non-empty string, else None."""
    return value if isinstance(value, str) and value else None


def one_line(text: str, most: int = 120) -> str:
    """Fit a text into a sentence: printable, no line breaks, at most `most` characters."""
    line = " ".join(plain(text[: 4 * most]).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def bounded(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return `details` ready for JSON: printable texts within the limits, finite numbers, no None.

    Args:
        details: Keys of our own; values are None, str, numbers, bool, and lists and dicts of these.
    """
    left = MAX_TOTAL

    def bound_text(value: str) -> str:
        nonlocal left
        kept = value[:MAX_VALUE]
        if len(json.dumps(kept)) > left:
            kept = kept[: left // _LONGEST_ESCAPE]
        left = max(0, left - len(json.dumps(kept)))
        return plain(kept) if len(kept) == len(value) else f"{plain(kept)} [cut: {len(value)} characters in the file]"

    def bound(value: Any) -> Any:
        if isinstance(value, str):
            return bound_text(value)
        if isinstance(value, Mapping):
            return {key: bound(item) for key, item in value.items() if item is not None}
        if isinstance(value, list | tuple):
            return [bound(item) for item in value]
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        if isinstance(value, int) and abs(value) >= _LARGEST_INTEGER:
            return "a number too large to be one"
        return value

    bound_details: dict[str, Any] = bound(details)
    return bound_details


class JsonTexts:
    """Parses the JSON objects of one file: each text once, within the limits."""

    def __init__(self) -> None:
        self._parsed: dict[str, dict[str, Any] | UnreadableError | None] = {}
        self._left = MAX_JSON_TOTAL

    def parse(self, text: str) -> dict[str, Any] | None:
        """Return the JSON object in a text, shared between callers; None if it is anything else.

        Raises:
            UnreadableError: It is too large, alone or with earlier ones, or nested too deeply.
        """
        if not text.lstrip().startswith("{"):
            return None
        if text not in self._parsed:
            self._parsed[text] = self._parse(text)
        parsed = self._parsed[text]
        if isinstance(parsed, UnreadableError):
            raise parsed
        return parsed

    def _parse(self, text: str) -> dict[str, Any] | UnreadableError | None:
        if len(text) > min(MAX_JSON, self._left):
            return UnreadableError(f"a JSON text is too large ({len(text)} characters)")
        self._left -= len(text)
        try:
            parsed = json.loads(text)
        except RecursionError:
            return UnreadableError("a JSON text is nested too deeply")
        except ValueError:  # not JSON, or a number with thousands of digits
            return None
        return parsed if isinstance(parsed, dict) else None
