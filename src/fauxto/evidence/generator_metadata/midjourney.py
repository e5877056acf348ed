"""Midjourney's description: the prompt, its options, and "Job ID:" with a UUID at the end.

Stock agencies and print shops write job numbers too. So we also require a Midjourney option with a value, or the same
UUID as the image GUID in the XMP.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fauxto.evidence import xmp
from fauxto.evidence.generator_metadata.declaration import Declaration, number
from fauxto.evidence.generator_metadata.fields import Fields

MAX_DESCRIPTION = 10_000

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_JOB = re.compile(rf"(?P<prompt>.*)\bJob ID: (?P<id>{_UUID})", re.DOTALL)
_OPTION = re.compile(
    r"(?:^|\s)--(?P<name>v|niji|ar|stylize|s|chaos|c|style|seed|raw|cref|sref|iw|q)\b ?(?P<value>[\w.:]*)"
)
_DISTINCTIVE = ("v", "niji", "ar")
"""Options that don't occur in captions by chance, unlike the short ones."""


def read(fields: Fields) -> Iterator[Declaration]:
    """Yield a declaration for each text in this format."""
    guids = {fields.xmp.text(xmp.IPTC_EXTENSION, name) for name in ("DigImageGUID", "DigitalImageGUID")}
    for field in fields.texts:
        description = field.value
        job = _JOB.fullmatch(description.strip()) if len(description) <= MAX_DESCRIPTION else None
        if job is None:
            continue
        options = {option["name"]: option["value"] for option in _OPTION.finditer(job["prompt"])}
        if not any(options.get(name, "")[:1].isdigit() for name in _DISTINCTIVE) and job["id"] not in guids:
            continue
        version = next((f"{name} {options[name]}" for name in ("v", "niji") if options.get(name)), None)
        yield Declaration(
            where=field.where,
            generator="Midjourney",
            statement=f"Job ID: {job['id']}",
            model=version,
            prompt=job["prompt"].strip() or None,
            seed=number(options.get("seed")),
        )
