"""dgenerate's configuration: the command that made the picture, in PNG text "DgenerateConfig" or EXIF UserComment.

Its first lines are "#! /usr/bin/env dgenerate --file" and "#! dgenerate 4.5.1", then come the model and the options, a
line each (dgenerate, dgenerate/imagewriter and renderloop, versions 1 to 5, 2023 to 2025).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fauxto.evidence.generator_metadata.declaration import Declaration, Kind, number
from fauxto.evidence.generator_metadata.fields import Fields

MAX_CONFIG = 20_000
"""Characters of a configuration that are parsed."""

_FIRST_LINE = re.compile(r"#! ?(?:/usr/bin/env )?dgenerate\b")
_MODEL = re.compile(r"^(?![#\\\-\s])(\S+)", re.MULTILINE)
_OPTION = re.compile(r"--(?P<name>prompts|seeds|inference-steps|image-seeds) +(?P<value>\"[^\"]*\"|'[^']*'|\S+)")


def read(fields: Fields) -> Iterator[Declaration]:
    """Yield a declaration for each configuration."""
    for where, value in fields.settings():
        if not _FIRST_LINE.match(value):
            continue
        options = {option["name"]: option["value"].strip("\"'") for option in _OPTION.finditer(value[:MAX_CONFIG])}
        if not options.keys() & {"prompts", "inference-steps"}:  # it can also scale pictures
            continue
        model = _MODEL.search(value[:MAX_CONFIG])
        prompt, _, negative = options.get("prompts", "").partition("; ")
        yield Declaration(
            where=where,
            kind=Kind.COMPOSITE if "image-seeds" in options else Kind.GENERATED,
            generator="dgenerate",
            model=model[1] if model else None,
            prompt=prompt or None,
            negative_prompt=negative or None,
            seed=number(options.get("seeds")),
            steps=number(options.get("inference-steps")),
        )
