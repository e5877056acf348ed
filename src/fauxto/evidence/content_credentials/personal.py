"""Who and where, as far as a credential says so: kept apart from all else that it says."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from fauxto.evidence.content_credentials.library import Store
from fauxto.evidence.untrusted import one_line

MAX_VALUES = 32
MAX_LOOKED_AT = 20_000

# Properties of EXIF, IPTC, Dublin Core and schema.org, as metadata assertions have them, without their prefixes.
_PERSONAL = re.compile(
    r"(\w+:)?(author|artist|by-?line|creator|\w*OwnerName|\w*SerialNumber|GPS\w+|Location(Created|Shown)?)",
    re.IGNORECASE,
)
_INSIDE_ASSERTION = 3  # below the manifest's label, "assertions" and "data"


def find_personal(store: Store) -> dict[str, str]:
    """Return names, places and serial numbers by the property that states them, `MAX_VALUES` at most."""
    found: dict[str, str] = {}
    for names, value in itertools.islice(_leaves(store["manifests"], ()), MAX_LOOKED_AT):
        property = names[_INSIDE_ASSERTION:]
        if len(found) < MAX_VALUES and "credential" not in property and any(map(_PERSONAL.fullmatch, property)):
            found.setdefault(one_line(".".join(property), 100), value)
    return found


def _leaves(value: object, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each text and number inside a JSON value, with the names of the properties that lead to it."""
    if isinstance(value, dict):
        for name, one in value.items():
            if not name.startswith("@"):  # JSON-LD's own words
                yield from _leaves(one, (*names, name))
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one, names)
    elif isinstance(value, str | int | float):
        yield names, str(value)
