"""InvokeAI's PNG texts: "Dream" (a command line), "sd-metadata" and "invokeai_metadata" (JSON), and its graphs.

"invokeai_graph" (3.0 to 4.x, 2023 and 2024) and "invokeai_workflow" stand alone in pictures of the canvas. A graph
without a node that denoises, one that only scales, say, declares nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fauxto.evidence.generator_metadata.declaration import Declaration, Kind, number
from fauxto.evidence.generator_metadata.fields import Fields
from fauxto.evidence.untrusted import text

_OPTION = re.compile(r"(?:^| )-([sSA]) ?(\w+)")
_APPLICATIONS = ("invoke-ai/InvokeAI", "lstein/stable-diffusion")
_PARTIAL = ("inpaint", "outpaint")

# Types of nodes, from invokeai/app/invocations/*.py.
_DENOISING = re.compile(r"(?!create_)(\w+_)?denoise(_latents)?(_meta|_video)?|t2l(_onnx)?|l2l|txt2img|img2img|inpaint")
_FROM_PICTURE = re.compile(r"(\w+_)?i2l|\w*vae_encode|img2img|inpaint|create_\w*mask|infill_\w+|canvas_paste_back")

MAX_DREAM = 20_000
"""Characters of a command line."""

MAX_TYPE = 200
"""Characters of a node's type."""


def read(fields: Fields) -> Iterator[Declaration]:
    """Yield a declaration for each of the formats; for a graph only where there is nothing else."""
    is_declared = False
    for declaration in _by_settings(fields):
        is_declared = True
        yield declaration
    for field in () if is_declared else fields.named("invokeai_graph", "invokeai_workflow"):
        if by_graph := _graph(fields.json.parse(field.value) or {}, field.where):
            yield by_graph
            return


def _by_settings(fields: Fields) -> Iterator[Declaration]:
    for keyword, reader in (("invokeai_metadata", _current), ("sd-metadata", _version_2)):
        for field in fields.named(keyword):
            parsed = fields.json.parse(field.value)
            if parsed is not None and (declaration := reader(parsed, field.where)):
                yield declaration
    for field in fields.named("Dream"):
        if declaration := _dream(field.value, field.where):
            yield declaration


def _current(parsed: dict[str, Any], where: str) -> Declaration | None:
    if "seed" not in parsed or not parsed.keys() & {"generation_mode", "positive_prompt"}:
        return None
    mode, model = text(parsed.get("generation_mode")) or "", parsed.get("model")
    return Declaration(
        where=where,
        kind=Kind.COMPOSITE if any(word in mode for word in _PARTIAL) else Kind.GENERATED,
        generator="InvokeAI",
        model=text(model.get("model_name") or model.get("name")) if isinstance(model, dict) else text(model),
        prompt=text(parsed.get("positive_prompt")),
        negative_prompt=text(parsed.get("negative_prompt")),
        seed=number(parsed["seed"]),
        sampler=text(parsed.get("scheduler")),
        steps=number(parsed.get("steps")),
    )


def _version_2(parsed: dict[str, Any], where: str) -> Declaration | None:
    image = parsed.get("image") if parsed.get("app_id") in _APPLICATIONS else None
    if not isinstance(image, dict):
        return None
    prompt, negative = _split(_first_prompt(image.get("prompt")))
    return Declaration(
        where=where,
        kind=Kind.COMPOSITE if image.get("type") in _PARTIAL else Kind.GENERATED,
        generator="InvokeAI",
        model=text(parsed.get("model_weights")) or text(parsed.get("model")),
        prompt=prompt,
        negative_prompt=negative,
        seed=number(image.get("seed")),
        sampler=text(image.get("sampler")),
        steps=number(image.get("steps")),
    )


def _first_prompt(prompt: Any) -> str:
    """Return the prompt, which some versions store as a list of weighted prompts."""
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], dict):
        prompt = prompt[0].get("prompt")
    return text(prompt) or ""


def _dream(value: str, where: str) -> Declaration | None:
    """Read a command line: the prompt in quotation marks, then options of one letter each."""
    quoted, _, arguments = value[:MAX_DREAM].strip().rpartition('" ')
    options = dict(_OPTION.findall(arguments))
    if not quoted.startswith('"') or not options.keys() >= {"s", "S", "A"} or not options["S"].isdigit():
        return None
    prompt, negative = _split(quoted[1:])
    return Declaration(
        where=where,
        generator="InvokeAI",
        prompt=prompt,
        negative_prompt=negative,
        seed=number(options["S"]),
        sampler=options["A"],
        steps=number(options["s"]),
    )


def _graph(parsed: Mapping[str, Any], where: str) -> Declaration | None:
    """Read a graph: nodes by name, or in a workflow a list of nodes with their "data"."""
    listed = parsed.get("nodes")
    candidates = list(listed.values()) if isinstance(listed, dict) else listed if isinstance(listed, list) else []
    nodes = [
        node["data"] if isinstance(node.get("data"), dict) else node for node in candidates if isinstance(node, dict)
    ]
    types = [kind for node in nodes if isinstance(kind := node.get("type"), str) and len(kind) <= MAX_TYPE]
    if not any(map(_DENOISING.fullmatch, types)):
        return None

    def first(*names: str) -> Any:
        return next((node[name] for name in names for node in nodes if isinstance(node.get(name), str | int)), None)

    return Declaration(
        where=where,
        kind=Kind.COMPOSITE if any(map(_FROM_PICTURE.fullmatch, types)) else Kind.GENERATED,
        generator="InvokeAI",
        prompt=text(first("positive_prompt", "prompt")),
        seed=number(first("seed")),
        sampler=text(first("scheduler")),
        steps=number(first("steps", "num_steps")),
    )


def _split(prompt: str) -> tuple[str | None, str | None]:
    """Split off the negative prompt, which is in brackets at the end."""
    before, bracket, negative = prompt.rstrip().removesuffix("]").rpartition("[")
    if not bracket or not prompt.rstrip().endswith("]"):
        return prompt or None, None
    return before.rstrip() or None, negative or None
