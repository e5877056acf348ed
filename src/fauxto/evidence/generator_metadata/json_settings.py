"""Programs that write their settings as keys and values: as one JSON object, or each as a text of its own in a PNG.

Each is known by keys that it alone writes together, in any text. Adding a program is adding a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fauxto.evidence import xmp
from fauxto.evidence.generator_metadata.declaration import Declaration, number
from fauxto.evidence.generator_metadata.fields import Fields
from fauxto.evidence.untrusted import UnreadableError, text

_MFLUX = "http://ns.mflux.ai/1.0/"
_VERSION = re.compile(r"(?P<name>[A-Za-z]{0,20}(?:Fooocus|SDXL)[A-Za-z]{0,20}) ?v?\d[\w.\-]*(?P<mre> MRE\b.{0,20})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Program:
    """A program, the keys that tell it from others, and its words for the settings.

    Attributes:
        name: What it is called.
        keys: Keys that it always writes.
        value: A key with the value that it always has.
        inside: The key of the object that holds the settings, if they aren't at the top.
    """

    name: str
    keys: frozenset[str] = frozenset()
    value: tuple[str, str] | None = None
    inside: str | None = None
    model: str = "model"
    prompt: str = "prompt"
    negative_prompt: str = "negative_prompt"
    seed: str = "seed"
    sampler: str = "sampler"
    steps: str = "steps"

    def declare(self, settings: Mapping[str, Any], where: str) -> Declaration | None:
        """Return a declaration if settings are this program's."""
        if self.inside is not None:
            settings = settings.get(self.inside, {})
        if not isinstance(settings, Mapping) or not self.keys <= settings.keys():
            return None
        if self.value is not None and settings.get(self.value[0]) != self.value[1]:
            return None
        return Declaration(
            where=where,
            generator=_fork(settings) if self.name == "Fooocus" else self.name,
            model=text(settings.get(self.model)),
            prompt=text(settings.get(self.prompt)),
            negative_prompt=text(settings.get(self.negative_prompt)),
            seed=number(settings.get(self.seed)),
            sampler=text(settings.get(self.sampler)),
            steps=number(settings.get(self.steps)),
        )


# The first that fits counts. docs/reference/evidence-metadata.md names the sources.
_PROGRAMS = (
    _Program(
        name="SwarmUI",
        inside="sui_image_params",
        keys=frozenset({"prompt", "model"}),
        negative_prompt="negativeprompt",
        sampler="comfyuisampler",
    ),
    _Program(
        name="RuinedFooocus",
        value=("software", "RuinedFooocus"),
        model="base_model_name",
        prompt="Prompt",
        negative_prompt="Negative",
        sampler="sampler_name",
    ),
    _Program(name="Fooocus", keys=frozenset({"base_model", "prompt", "seed", "sampler"}), model="base_model"),
    _Program(
        name="Draw Things",
        keys=frozenset({"c", "model", "seed", "sampler", "steps"}),
        prompt="c",
        negative_prompt="uc",
    ),
    _Program(name="MFLUX", keys=frozenset({"mflux_version", "model", "prompt"})),
    _Program(
        name="Easy Diffusion",
        keys=frozenset({"use_stable_diffusion_model", "prompt", "seed"}),
        model="use_stable_diffusion_model",
        sampler="sampler_name",
        steps="num_inference_steps",
    ),
    _Program(
        name="Easy Diffusion",
        keys=frozenset({"Stable Diffusion model", "Prompt", "Seed", "Guidance Scale"}),
        model="Stable Diffusion model",
        prompt="Prompt",
        negative_prompt="Negative Prompt",
        seed="Seed",
        sampler="Sampler",
        steps="Steps",
    ),
    _Program(
        name="Stable Diffusion with OpenVINO",
        value=("Created with", "stable_diffusion.openvino"),
        model="Stable diffusion model",
        steps="num_inference_steps",
    ),
    _Program(
        name="Tensor.Art",
        keys=frozenset({"prompt", "negativePrompt", "samplerName", "cfgScale", "seed"}),
        negative_prompt="negativePrompt",
        sampler="samplerName",
    ),
    _Program(
        name="Diffusers",
        keys=frozenset({"prompt", "num_inference_steps", "guidance_scale"}),
        sampler="scheduler",
        steps="num_inference_steps",
    ),
)


def read(fields: Fields) -> Iterator[Declaration]:
    """Yield a declaration for each field that holds such settings.

    Raises:
        UnreadableError: Settings can't be read; raised after all others were yielded.
    """
    unreadable: list[UnreadableError] = []
    settings: list[tuple[str, Mapping[str, Any]]] = [("PNG text", fields.groups["PNG text"])]
    for where, value in fields.settings():
        try:
            settings.append((where, fields.json.parse(value.rstrip("\0")) or {}))
        except UnreadableError as error:
            unreadable.append(error)
    for where, values in settings:
        declared = (program.declare(values, where) for program in _PROGRAMS)
        if declaration := next(filter(None, declared), None):
            yield declaration
    if fields.xmp.text(_MFLUX, "model"):
        yield Declaration(
            where="XMP mflux:model",
            generator="MFLUX",
            model=fields.xmp.text(_MFLUX, "model"),
            prompt=fields.xmp.text(xmp.DUBLIN_CORE, "description"),
            seed=number(fields.xmp.text(_MFLUX, "seed")),
            steps=number(fields.xmp.text(_MFLUX, "steps")),
        )
    if unreadable:
        raise unreadable[0]


def _fork(settings: Mapping[str, Any]) -> str:
    """Return the name of Fooocus or of a fork, which writes the same keys and its own name before its version."""
    version = _VERSION.fullmatch(text(settings.get("version")) or "")
    if version is None:
        return "Fooocus"
    return f"{version['name']}-MRE" if version["mre"] else version["name"]
