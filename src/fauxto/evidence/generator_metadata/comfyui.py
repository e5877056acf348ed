"""The graphs that ComfyUI writes as JSON: "prompt", what was run, and "workflow", what the editor showed.

They are in PNG text, in XMP, in EXIF texts with the name as a prefix ("workflow:{...}") in WebP and others, together in
a UserComment, or, as Civitai writes it, a UserComment is the graph itself; a text in one of these forms is read
wherever it is. A graph declares what the pixels of its saved picture went through; if that was no generating node (it
only scales a photograph, say), it declares nothing.

    comfyui_nodes.py      the names and inputs by which nodes are known
    comfyui_graph.py      both graphs in one form
    comfyui_lineage.py    from the saving node upstream
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from fauxto.evidence.generator_metadata import comfyui_graph, comfyui_lineage, comfyui_nodes
from fauxto.evidence.generator_metadata.comfyui_graph import Graph
from fauxto.evidence.generator_metadata.comfyui_lineage import Saved
from fauxto.evidence.generator_metadata.declaration import Declaration, Kind, number
from fauxto.evidence.generator_metadata.fields import Fields
from fauxto.evidence.untrusted import UnreadableError, text

_PROMPTS = ("text", "prompt", "text_g", "t5xxl", "clip_l", "string", "value", "model.prompt")
_MODELS = ("ckpt_name", "unet_name", "model_name", "model")
_GRAPHS = {"prompt": comfyui_graph.of_prompt, "workflow": comfyui_graph.of_workflow}
_NAMED_GRAPH = re.compile(r"(prompt|workflow):(?=\s*\{)", re.IGNORECASE)
_CIVITAI = {"extraMetadata", "resource-stack"}


def read(fields: Fields) -> Iterator[Declaration]:
    """Yield a declaration for each container with a generating graph.

    The graph that was run counts; the editor's is used only if that one is missing or invalid.

    Raises:
        UnreadableError: A graph can't be read; raised after all others were yielded.
    """
    unreadable: list[UnreadableError] = []
    for container in _containers(fields):
        for name, as_graph in _GRAPHS.items():
            where, value = container.get(name, ("", None))
            try:
                parsed = fields.json.parse(value) if isinstance(value, str) else value
            except UnreadableError as error:
                unreadable.append(error)
                continue
            graph = as_graph(parsed)
            saved = comfyui_lineage.read(graph)
            if saved.kind is not None:
                is_civitai = isinstance(parsed, dict) and bool(parsed.keys() & _CIVITAI)
                yield _declare(where, graph, saved, "ComfyUI (Civitai)" if is_civitai else "ComfyUI")
            if graph:
                break
    if unreadable:
        raise unreadable[0]


def _containers(fields: Fields) -> Iterator[dict[str, tuple[str, object]]]:
    """Yield the JSON of each container (text or parsed) and its location, by "prompt" and "workflow".

    A JSON object has both graphs in it, or is one itself: nodes by identifier (Civitai), or the editor's file.
    """
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
    kept_apart = {where for _, graphs in collected for where, _ in graphs.values()}
    for where, parsed in fields.objects():
        if where in kept_apart:
            continue
        if any(isinstance(value, dict) and "class_type" in value for value in parsed.values()):
            yield {"prompt": (where, parsed)}
        elif isinstance(parsed.get("nodes"), list):
            yield {"workflow": (where, parsed)}
        else:
            yield {name: (where, parsed[name]) for name in _GRAPHS if isinstance(parsed.get(name), dict | str)}


def _declare(where: str, graph: Graph, saved: Saved, generator: str) -> Declaration:
    """Take the settings from around the first sampler node, or else the first generating one."""
    if saved.kind is Kind.OTHER:
        several = "a ComfyUI graph that saves a generated picture and one that isn't, and doesn't tell which this is"
        return Declaration(where=where, kind=Kind.OTHER, statement=several)
    samplers = (identifier for identifier in saved.generating if comfyui_nodes.samples(graph[identifier]))
    start = next(samplers, saved.generating[0])
    positive, negative = (_linked(graph[start]["inputs"].get(name)) for name in ("positive", "negative"))
    return Declaration(
        where=where,
        kind=saved.kind or Kind.GENERATED,
        generator=generator,
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
