"""How the picture that a ComfyUI graph saved was made: what its pixels went through, from the saving node upstream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fauxto.evidence.generator_metadata import comfyui_nodes as nodes
from fauxto.evidence.generator_metadata.comfyui_nodes import Node
from fauxto.evidence.generator_metadata.declaration import Kind

MAX_SAVED = 16
"""Pictures of one graph that are looked into."""

REWRITES = 0.8
"""From this strength of the noise ("denoise") on, a sampler leaves little more than the layout of a picture."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What a graph tells of its saved pictures.

    Attributes:
        kind: None if no node generates; `OTHER` if the graph also saves a loaded picture, and so doesn't tell whether
            this one was generated.
        generating: The nodes that generate, from the saving node upstream.
    """

    kind: Kind | None
    generating: tuple[str, ...]


def read(graph: Mapping[str, Node]) -> Saved:
    """Tell how the pictures that a graph saves were made."""
    roots, are_saved = _roots(graph)
    steps = {identifier: _Step(node) for identifier, node in graph.items()}
    lineages = [_Lineage(steps, root) for root in roots]
    kinds = {lineage.kind for lineage in lineages if lineage.kind is not None}
    generating = tuple(dict.fromkeys(identifier for lineage in lineages for identifier in lineage.generating))
    if not kinds:
        return Saved(None, ())
    if are_saved and any(lineage.kind is None and lineage.loads for lineage in lineages):
        return Saved(Kind.OTHER, generating)
    in_part = Kind.COMPOSITE in kinds or any(node["class_type"] in nodes.INPAINTING for node in graph.values())
    return Saved(Kind.COMPOSITE if in_part else Kind.GENERATED, generating)


def _roots(graph: Mapping[str, Node]) -> tuple[list[str], bool]:
    """Return the nodes that save a picture, or else show one, or else are the last; and whether they save it."""
    for is_root in (nodes.saves, nodes.previews):
        if roots := [identifier for identifier, node in graph.items() if is_root(node)]:
            return roots[:MAX_SAVED], is_root is nodes.saves
    used = {origin for node in graph.values() for _, origin, _ in nodes.links(node)}
    last = [identifier for identifier, node in graph.items() if identifier not in used and nodes.pixel_links(node)]
    return (last or [identifier for identifier, node in graph.items() if nodes.makes_pixels(node)])[:MAX_SAVED], False


class _Step:
    """What one node does with pixels, told once for all lineages."""

    def __init__(self, node: Node) -> None:
        self.loads = nodes.loads_picture(node)
        self.decodes = nodes.decodes(node)
        self.encodes = nodes.encodes(node)
        self.samples = nodes.samples(node)
        self.generates = self.samples or nodes.calls_service(node)
        self.edits = nodes.edits(node)
        self.has_mask = nodes.has_mask(node)
        self.rewrites = self.samples and _rewrites(node)
        self.pixels = tuple(dict.fromkeys(nodes.pixel_links(node)))
        self.origins = tuple(dict.fromkeys(origin for _, origin, _ in nodes.links(node)))


class _Lineage:
    """The nodes that one saved picture's pixels went through.

    Attributes:
        generating: Those that generate.
        loads: Whether there is a picture from outside among them.
    """

    def __init__(self, steps: Mapping[str, _Step], root: str) -> None:
        self._steps = steps
        self.generating: dict[str, None] = {}
        self.loads = False
        self._survives = False
        self._seen_beside: set[str] = set()
        self._walk(root)

    @property
    def kind(self) -> Kind | None:
        """How the picture was made; None if no node generated it."""
        if not self.generating:
            return None
        return Kind.COMPOSITE if self._survives else Kind.GENERATED

    def _walk(self, root: str) -> None:
        """Follow the pixels upstream, and with them whether anything of a loaded picture would survive."""
        decoders: dict[str, None] = {}
        is_encoded = False
        waiting, seen = [(root, True)], {(root, True)}

        def follow(identifier: str, survives: bool) -> None:
            if identifier in self._steps and (identifier, survives) not in seen:
                seen.add((identifier, survives))
                waiting.append((identifier, survives))

        for identifier, survives in waiting:  # grows during iteration
            step = self._steps[identifier]
            if step.loads:
                self.loads = True
                self._survives |= survives
                continue
            if step.decodes:
                decoders[identifier] = None
            is_encoded |= step.encodes
            if step.generates:
                self.generating[identifier] = None
            if step.samples:
                for edit in self._edits(step):
                    follow(edit, True)
            kept = (survives or step.has_mask) and not step.rewrites
            for origin, slot in step.pixels:
                if slot == 0 or origin not in self._steps or not self._steps[origin].loads:  # its others are masks
                    follow(origin, kept)
        if not self.loads and not is_encoded:  # latents of a sampler that isn't known, or from a file
            self.generating.update(decoders)

    def _edits(self, sampler: _Step) -> Iterator[str]:
        """Yield the nodes beside the prompt that hand a sampler a picture to be edited."""
        waiting = list(sampler.origins)
        while waiting:
            identifier = waiting.pop()
            if identifier in self._seen_beside or identifier not in self._steps:
                continue
            self._seen_beside.add(identifier)
            if self._steps[identifier].edits:
                yield identifier
            waiting += self._steps[identifier].origins


def _rewrites(sampler: Node) -> bool:
    """Tell whether a sampler starts from so much noise that nothing but the layout of its input survives."""
    inputs = sampler["inputs"]
    if any(name in ("image", "images", "segs") for name, _, _ in nodes.links(sampler)):  # works on parts of a picture
        return False
    if "start_at_step" in inputs:
        return bool(inputs["start_at_step"] == 0 and inputs.get("add_noise") == "enable")
    denoise = inputs.get("denoise")
    return isinstance(denoise, int | float) and not isinstance(denoise, bool) and denoise >= REWRITES
