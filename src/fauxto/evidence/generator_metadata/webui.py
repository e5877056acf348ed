"""The settings that AUTOMATIC1111's Stable Diffusion WebUI writes as text, and the many programs after its manner.

The prompt, then a line "Negative prompt: ...", then one of "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, ...":
PNG text "parameters", EXIF UserComment, or the alpha channel.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fauxto.evidence.generator_metadata.declaration import Declaration, Kind, number
from fauxto.evidence.generator_metadata.fields import Fields

MAX_SETTINGS = 10_000
"""Characters of the line of settings that are looked at."""

MAX_TEMPLATES = 20_000
"""Characters of prompts and their templates together."""

_NEGATIVE = "Negative prompt: "
_STEPS = re.compile(r"(?:^|\n)(?=Steps: \d{1,6}, )")
_SETTING = re.compile(r'(\w[\w \-/]{0,40}): ("(?:\\.|[^"\\])*+"|[^,\n]*+)(?:, |,?$)', re.MULTILINE)
_LINE = re.compile(r'(?:: "(?:\\.|[^"\\])*+"|[^\n])*+')
_TRAILERS = re.compile(r"\s*(?:(?:Lora hashes|TI hashes|Hashes|Civitai resources|Civitai metadata): [^\n]*\s*)*+")

# The extension for dynamic prompts writes down what the prompts were made from: their own words, and places to fill.
_TEMPLATES = re.compile(r"^(?:Negative )?Template: ", re.MULTILINE)
_PLACE = re.compile(r"\{[^{}]*\}|__\S+?__|#[^\n]*")  # {a|b} and ${a}, the innermost first; a wildcard; a comment
_MOST_NESTED = 20

# How other programs that write this form are told apart: a setting and how its value begins.
_PROGRAMS = (
    ("App", "SD.Next", "SD.Next"),
    ("Civitai resources", "", "Civitai"),
    ("Version", "ComfyUI", "ComfyUI"),
    ("Version", "Fooocus", "Fooocus"),
    ("Version", "f", "Stable Diffusion WebUI Forge"),
    ("Version", "neo", "Stable Diffusion WebUI Forge"),
)


def read(fields: Fields) -> Iterator[Declaration]:
    """Yield a declaration for each field that holds settings of this form."""
    for where, text in fields.settings():
        starts = [match.end() for match in _STEPS.finditer(text)]
        if not starts:
            continue
        settings = dict(_SETTING.findall(text[starts[-1] : starts[-1] + MAX_SETTINGS]))
        if not ("Seed" in settings and settings.keys() & {"Sampler", "CFG scale", "Size"}):
            continue
        prompts, trailer = text[: starts[-1]], _TRAILERS.sub("", text[_end(text, starts[-1]) :], count=1)
        if trailer and not _are_templates(trailer, prompts):  # prose that quotes settings
            continue
        prompt, _, negative = prompts.partition(_NEGATIVE)
        yield Declaration(
            where=where,
            kind=Kind.COMPOSITE if "Mask blur" in settings else Kind.GENERATED,  # written for inpainting only
            generator=_program(settings),
            model=settings.get("Model"),
            prompt=prompt.strip() or None,
            negative_prompt=negative.strip() or None,
            seed=number(settings["Seed"]),
            sampler=settings.get("Sampler"),
            steps=number(settings["Steps"]),
        )


def _end(text: str, start: int) -> int:
    """Return where the line of settings ends; a value in quotation marks may hold line breaks."""
    line = _LINE.match(text, start)
    return line.end() if line else start


def _are_templates(trailer: str, prompts: str) -> bool:
    """Tell whether what stands behind the settings are templates, all of whose own words stand in the prompts too."""
    if not _TEMPLATES.match(trailer) or len(trailer) + len(prompts) > MAX_TEMPLATES:
        return False
    words = _TEMPLATES.sub("", trailer)
    for _ in range(_MOST_NESTED):
        words = _PLACE.sub(" ", words)
    return all(word in prompts for word in set(re.findall(r"\w+", words)))  # "cat{s|}" became "cats"


def _program(settings: dict[str, str]) -> str:
    for setting, beginning, program in _PROGRAMS:
        if setting in settings and settings[setting].startswith(beginning):
            return program
    return "Stable Diffusion WebUI (AUTOMATIC1111)"
