"""Names, places and serial numbers in a credential, kept apart from its other details."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from typing import Any

from fauxto.evidence.content_credentials.manifests import Store
from fauxto.evidence.untrusted import one_line

MAX_VALUES = 32
MAX_LOOKED_AT = 20_000
MAX_NAME = 100
"""Characters of a property's name; the ones that we search for are shorter."""

# Properties of EXIF, IPTC, Dublin Core and schema.org, as in metadata assertions, without prefixes.
_PERSONAL = re.compile(
    r"(\w+:)?(author|artist|by-?line|creator|\w*OwnerName|\w*SerialNumber|GPS\w+|Location(Created|Shown)?)",
    re.IGNORECASE,
)
# Leica writes a camera's serial number into the manifest's label and the program's name.
_LABEL_LEAD = re.compile(r"(?<![^\s/=])([^\s/:=]{1,100}):(?=urn:)")
_SERIAL = re.compile(r" ?\(Serial:? ?([^()]{1,100})\)", re.IGNORECASE)
_INSIDE_ASSERTION = 3  # below the manifest's label, "assertions" and "data"


def find_personal(store: Store) -> dict[str, str]:
    """Return names, places and serial numbers by property, at most `MAX_VALUES`."""

    @functools.cache
    def is_personal(name: str) -> bool:
        return len(name) <= MAX_NAME and _PERSONAL.fullmatch(name) is not None

    values: dict[str, str] = {}
    for label, manifest in itertools.islice(store["manifests"].items(), MAX_VALUES):
        lead = _LABEL_LEAD.match(label)
        if lead and any(map(str.isdigit, lead[1])):
            values.setdefault("serial_number", lead[1])
        signature = manifest.get("signature_info") or {}
        if signature.get("common_name") and not signature.get("issuer"):  # without an organisation, usually a person
            values.setdefault("signer", str(signature["common_name"]))
    for names, value in itertools.islice(_leaves(store["manifests"], ()), MAX_LOOKED_AT):
        property = names[_INSIDE_ASSERTION:]
        if len(values) < MAX_VALUES and "credential" not in property and any(map(is_personal, property)):
            values.setdefault(one_line(".".join(name[:MAX_NAME] for name in property), MAX_NAME), value)
        if serial := _SERIAL.search(value):
            values.setdefault("serial_number", serial[1])
    return values


def without_serial_numbers(value: Any) -> Any:
    """Remove the serial numbers of cameras from a text, or from all texts in lists and dicts."""
    if isinstance(value, str):
        return _SERIAL.sub("", _LABEL_LEAD.sub("", value))
    if isinstance(value, dict):
        return {name: without_serial_numbers(item) for name, item in value.items()}
    return [without_serial_numbers(item) for item in value] if isinstance(value, list | tuple) else value


def _leaves(value: object, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each text and number in a JSON value, with its property path."""
    if isinstance(value, dict):
        for name, item in value.items():
            if not name.startswith("@"):  # JSON-LD keywords
                yield from _leaves(item, (*names, name))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, names)
    elif isinstance(value, str | int | float):
        yield names, str(value)
