"""The graphs that ComfyUI writes as JSON: "prompt", what was run, and "workflow", what the editor showed.

They are in PNG text, in XMP, in EXIF Make and Model with the name as a prefix ("workflow:{...}") in WebP and others, or
together in an EXIF UserComment; a text in one of these forms is read wherever it is. A graph without a generating node
(one that only scales a photograph, say) declares nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from fauxto.evidence.generator_metadata.declaration import Declaration, Kind, number
from fauxto.evidence.generator_metadata.fields import Fields
from fauxto.evidence.untrusted import UnreadableError, text

MAX_NODES = 5_000

Graph = Mapping[str, Mapping[str, Any]]
"""Nodes by identifier, each with its "class_type" and "inputs"; a list as an input links to another node."""

_SAMPLER = re.compile(
    r"(easy (full)?|ttN pipe|Impact|BNK_Tiled|Clownshar)?[Kk]Sampler(?!Select)|SamplerCustom(?=Advanced|\W|_|$)"
)
_DECODER = re.compile(r"VAEDecode")
# Inputs tell samplers with other names from those of frames or colours.
_NAMED_SAMPLER = re.compile(r"(?<!re)(?<!up)(?<!down)(?<!sub)sampler", re.IGNORECASE)
_NOISE = {"seed", "noise_seed", "noise"}
_GUIDANCE = {"positive", "guider", "conditioning", "text_embeds"}
_SERVICES = re.compile(
    r"OpenAI(Dalle[23]|GPTImage1)|Flux(Pro(Ultra|1\.1)?|Kontext(Pro|Max)|2Pro|2Max)ImageNode|FluxPro(Expand|Fill)Node"
    r"|Gemini(Image2?Node|NanoBanana2(V2)?)|IdeogramV[123]|Recraft(TextToImage|ImageToImage|ImageInpainting)Node"
    r"|StabilityStableImage(Ultra|SD_3_5)Node|LumaImageNode|KlingImageGenerationNode|RunwayTextToImageNode"
    r"|ByteDance(ImageNode|SeedreamNode(V[23])?)"
)
_INPAINTING = {"VAEEncodeForInpaint", "InpaintModelConditioning", "FluxProFillNode", "RecraftImageInpaintingNode"}

_PROMPTS = ("text", "prompt", "text_g", "t5xxl", "clip_l", "string", "value")
_MODELS = ("ckpt_name", "unet_name", "model_name", "model")
_NAMED_GRAPH = re.compile(r"(prompt|workflow):(?=\s*\{)", re.IGNORECASE)
_MUTED, _BYPASSED = 2, 4  # values of a node's "mode" in the editor: not run
_GRAPHS = ("prompt", "workflow")


def read(fields: Fields) -> Iterator[Declaration]:
    """Yield a declaration for each container with a generating graph.

    The graph that was run counts; the editor's is used only if that one is missing or invalid.

    Raises:
        UnreadableError: A graph can't be read; raised after all others were yielded.
    """
    unreadable: list[UnreadableError] = []
    for container in _containers(fields):
        for name, as_graph in (("prompt", _as_graph), ("workflow", _as_graph_of_editor)):
            where, value = container.get(name, ("", None))
            try:
                graph = as_graph(fields.json.parse(value) if isinstance(value, str) else value)
            except UnreadableError as error:
                unreadable.append(error)
                continue
            if any(_generates(node) for node in graph.values()):
                yield _declare(where, graph)
            if graph:
                break
    if unreadable:
        raise unreadable[0]


def _containers(fields: Fields) -> Iterator[dict[str, tuple[str, object]]]:
    """Yield the JSON of each container (text or parsed) and its location, by "prompt" and "workflow"."""
    collected: list[tuple[str, dict[str, tuple[str, object]]]] = []
    for field in fields.texts:
        prefixed = _NAMED_GRAPH.match(field.value)
        name = prefixed[1].lower() if prefixed else field.name
        if name not in _GRAPHS:
            continue
        lacking = (graphs for container, graphs in collected if container == field.container and name not in graphs)
        if (graphs := next(lacking, None)) is None:
            graphs = {}
            collected.append((field.container, graphs))
        graphs[name] = field.where, field.value[prefixed.end() :] if prefixed else field.value
    yield from (graphs for _, graphs in collected)
    for where, parsed in fields.objects():
        yield {name: (where, parsed[name]) for name in _GRAPHS if isinstance(parsed.get(name), dict | str)}


def _as_graph(run: object) -> Graph:
    """Return the valid nodes of "prompt"."""
    if not isinstance(run, dict):
        return {}
    return {
        identifier: node
        for identifier, node in list(run.items())[:MAX_NODES]
        if isinstance(node, dict) and isinstance(node.get("class_type"), str) and isinstance(node.get("inputs"), dict)
    }


def _as_graph_of_editor(editor: object) -> Graph:
    """Return the valid, active nodes of "workflow", without inputs: their names aren't reliable."""
    nodes = editor.get("nodes") if isinstance(editor, dict) else None
    if not isinstance(nodes, list):
        return {}
    types = [
        node["type"]
        for node in nodes[:MAX_NODES]
        if isinstance(node, dict) and isinstance(node.get("type"), str) and node.get("mode") not in (_MUTED, _BYPASSED)
    ]
    return {str(place): {"class_type": node_type, "inputs": {}} for place, node_type in enumerate(types)}


def _samples(node: Mapping[str, Any]) -> bool:
    name, inputs = node["class_type"], node["inputs"].keys()
    return bool(_SAMPLER.match(name) or (_NAMED_SAMPLER.search(name) and inputs & _NOISE and inputs & _GUIDANCE))


def _generates(node: Mapping[str, Any]) -> bool:
    return bool(_samples(node) or _DECODER.match(node["class_type"]) or _SERVICES.fullmatch(node["class_type"]))


def _declare(where: str, graph: Graph) -> Declaration:
    """Take the settings from around the first sampler node, or else the first generating one."""
    generating = [identifier for identifier, node in graph.items() if _generates(node)]
    start = next((identifier for identifier in generating if _samples(graph[identifier])), generating[0])
    positive, negative = (_linked(graph[start]["inputs"].get(name)) for name in ("positive", "negative"))
    return Declaration(
        where=where,
        kind=Kind.COMPOSITE if any(node["class_type"] in _INPAINTING for node in graph.values()) else Kind.GENERATED,
        generator="ComfyUI",
        model=text(_nearest(graph, [start], _MODELS, text)),
        prompt=text(_nearest(graph, positive or [start], _PROMPTS, text)),
        negative_prompt=text(_nearest(graph, negative, _PROMPTS, text)),
        seed=_nearest(graph, [start], ("seed", "noise_seed"), number),
        sampler=text(_nearest(graph, [start], ("sampler_name",), text)),
        steps=_nearest(graph, [start], ("steps",), number),
    )


def _nearest(
    graph: Graph, starts: Iterable[str], names: tuple[str, ...], convert: Callable[[object], int | str | None]
) -> int | str | None:
    """Search upstream, breadth first, for the first input with one of the names that `convert` accepts."""
    queue = [start for start in starts if start in graph]
    seen = set(queue)
    for identifier in queue:  # grows during iteration
        inputs = graph[identifier]["inputs"]
        for name in names:
            if (value := convert(inputs.get(name))) is not None:
                return value
        for linked in (link for value in inputs.values() for link in _linked(value)):
            if linked in graph and linked not in seen:
                queue.append(linked)
                seen.add(linked)
    return None


def _linked(value: object) -> list[str]:
    """Return the identifier of the node that an input links to, as a list; empty if it isn't a link."""
    return [str(value[0])] if isinstance(value, list) and value and isinstance(value[0], str | int) else []
