"""The text format of AUTOMATIC1111's Stable Diffusion WebUI, which many other programs use too.

The prompt, then a line "Negative prompt: ...", then a line "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, ...":
in PNG text "parameters", EXIF UserComment, the comment of a GIF, the alpha channel, and wherever people moved it to.
SD.Next parted the settings by " | " in July 2023.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fauxto.evidence.generator_metadata.declaration import Declaration, Kind, number
from fauxto.evidence.generator_metadata.fields import Fields

MAX_SETTINGS = 10_000
"""Characters of the settings line that are parsed."""

MAX_TEMPLATES = 20_000
"""Characters of prompts and templates together."""

_NEGATIVE = "Negative prompt: "
_STEPS = re.compile(r"(?:^|\n)(?=Steps: \d{1,6}(?:, | \| ))")
_PIPES = re.compile(r"Steps: \d{1,6} \| [^\n]{0,10000}")
_ABOVE_PIPES = re.compile(r"\nVersion: [^\n]{0,200}\s*$")  # the program's version stood above, with the pipeline
_SETTING = re.compile(r'(\w[\w \-/]{0,40}): ("(?:\\.|[^"\\])*+"|[^,\n]*+)(?:, |,?$)', re.MULTILINE)
_NUMBER = re.compile(r"-?\d")
_LINE = re.compile(r'(?:: "(?:\\.|[^"\\])*+"|[^\n])*+')
_TRAILERS = re.compile(r"\s*(?:(?:Lora hashes|TI hashes|Hashes|Civitai resources|Civitai metadata): [^\n]*\s*)*+")

# The dynamic prompts extension also writes its templates: the words of the prompts, and placeholders.
_TEMPLATES = re.compile(r"^(?:Negative )?Template: ", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\{[^{}]*\}|__\S+?__|#[^\n]*")  # {a|b} and ${a}, the innermost first; a wildcard; a comment
_MOST_NESTED = 20

# Other programs that write this format, by a setting and the beginning of its value.
_PROGRAMS = (
    ("App", "SD.Next", "SD.Next"),
    ("Parser", "", "SD.Next"),
    ("Seed Mode", "", "Draw Things"),
    ("Civitai resources", "", "Civitai"),
    ("Version", "ComfyUI", "ComfyUI"),
    ("Version", "Fooocus", "Fooocus"),
    ("Version", "RuinedFooocus", "RuinedFooocus"),
    ("Version", "stable-diffusion.cpp", "stable-diffusion.cpp"),
    ("Version", "classic", "Stable Diffusion WebUI Forge"),
    ("Version", "reForge", "Stable Diffusion WebUI reForge"),
    ("Version", "forge", "Stable Diffusion WebUI Forge"),
    ("Version", "f", "Stable Diffusion WebUI Forge"),
    ("Version", "neo", "Stable Diffusion WebUI Forge"),
)


def read(fields: Fields) -> Iterator[Declaration]:
    """Yield a declaration for each field with settings in this format."""
    for where, text in fields.settings():
        starts = [match.end() for match in _STEPS.finditer(text)]
        if not starts:
            continue
        if has_pipes := _PIPES.match(text, starts[-1]):
            text = text[: starts[-1]] + has_pipes[0].replace(" | ", ", ") + text[has_pipes.end() :]
        settings = dict(_SETTING.findall(text[starts[-1] : starts[-1] + MAX_SETTINGS]))
        if not (_NUMBER.match(settings.get("Seed", "")) and settings.keys() & {"Sampler", "CFG scale", "Size"}):
            continue
        prompts, trailer = text[: starts[-1]], _TRAILERS.sub("", text[_end(text, starts[-1]) :], count=1)
        if trailer and not _are_templates(trailer, prompts):  # prose that quotes settings
            continue
        if has_pipes:
            prompts = _ABOVE_PIPES.sub("", prompts).removeprefix("prompt: ")
        prompt, _, negative = prompts.partition(_NEGATIVE)
        yield Declaration(
            where=where,
            kind=Kind.COMPOSITE if "Mask blur" in settings else Kind.GENERATED,  # written for inpainting only
            generator="SD.Next" if has_pipes else _program(settings),
            model=settings.get("Model"),
            prompt=prompt.strip() or None,
            negative_prompt=negative.strip() or None,
            seed=number(settings["Seed"]),
            sampler=settings.get("Sampler"),
            steps=number(settings["Steps"]),
        )


def _end(text: str, start: int) -> int:
    """Return the end of the settings line; a quoted value may contain line breaks."""
    line = _LINE.match(text, start)
    return line.end() if line else start


def _are_templates(trailer: str, prompts: str) -> bool:
    """Tell whether the text after the settings is templates whose words all occur in the prompts."""
    if not _TEMPLATES.match(trailer) or len(trailer) + len(prompts) > MAX_TEMPLATES:
        return False
    words = _TEMPLATES.sub("", trailer)
    for _ in range(_MOST_NESTED):
        words = _PLACEHOLDER.sub(" ", words)
    return all(word in prompts for word in set(re.findall(r"\w+", words)))  # "cat{s|}" became "cats"


def _program(settings: dict[str, str]) -> str:
    for setting, beginning, program in _PROGRAMS:
        if setting in settings and settings[setting].startswith(beginning):
            return program
    return "Stable Diffusion WebUI (AUTOMATIC1111)"
