"""Generators that write their settings as one JSON object: Fooocus, SwarmUI, Draw Things and MFLUX.

Each is recognised by its own keys, in any text; MFLUX by its own XMP properties too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fauxto.evidence import xmp
from fauxto.evidence.generator_metadata.declaration import Declaration, number
from fauxto.evidence.generator_metadata.fields import Fields
from fauxto.evidence.untrusted import text

_MFLUX = "http://ns.mflux.ai/1.0/"


def read(fields: Fields) -> Iterator[Declaration]:
    """Yield a declaration for each field that holds such settings."""
    for where, value in fields.settings():
        settings = fields.json.parse(value)
        if settings is not None:
            yield from _declare(settings, where)
    if fields.xmp.text(_MFLUX, "model"):
        yield Declaration(
            where="XMP mflux:model",
            generator="MFLUX",
            model=fields.xmp.text(_MFLUX, "model"),
            prompt=fields.xmp.text(xmp.DUBLIN_CORE, "description"),
            seed=number(fields.xmp.text(_MFLUX, "seed")),
            steps=number(fields.xmp.text(_MFLUX, "steps")),
        )


def _declare(settings: dict[str, Any], where: str) -> Iterator[Declaration]:
    swarm = settings.get("sui_image_params")
    if isinstance(swarm, dict) and {"prompt", "model"} <= swarm.keys():
        yield _declaration("SwarmUI", where, swarm, negative_prompt="negativeprompt", sampler="comfyuisampler")
    elif {"base_model", "prompt", "seed", "sampler"} <= settings.keys():
        yield _declaration("Fooocus", where, settings, model="base_model")
    elif {"c", "model", "seed", "sampler", "steps"} <= settings.keys():
        yield _declaration("Draw Things", where, settings, prompt="c", negative_prompt="uc")
    elif {"mflux_version", "model", "prompt"} <= settings.keys():
        yield _declaration("MFLUX", where, settings)


def _declaration(
    generator: str,
    where: str,
    settings: dict[str, Any],
    *,
    model: str = "model",
    prompt: str = "prompt",
    negative_prompt: str = "negative_prompt",
    sampler: str = "sampler",
) -> Declaration:
    """Make a declaration from settings; the keyword arguments map keys that differ between generators."""
    return Declaration(
        where=where,
        generator=generator,
        model=text(settings.get(model)),
        prompt=text(settings.get(prompt)),
        negative_prompt=text(settings.get(negative_prompt)),
        seed=number(settings.get("seed")),
        sampler=text(settings.get(sampler)),
        steps=number(settings.get("steps")),
    )
