"""ComfyUI's graphs, brought into one form.

"prompt" has the nodes by identifier, each with its inputs; an input that is a list links to another node's output.
"workflow" is the editor's file (schema 0.4 and 1, ComfyUI_frontend 2023 to 2026): lists of nodes and links, subgraphs
in "definitions", nodes that are muted or bypassed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fauxto.evidence.generator_metadata.comfyui_nodes import Node

MAX_NODES = 5_000
MAX_NAME = 200
MAX_NESTED = 20
Graph = Mapping[str, Node]

_MUTED, _BYPASSED = 2, 4  # values of a node's "mode" in the editor: not run
_INPUTS, _OUTPUTS = -10, -20  # of a subgraph, where a node's number would be


def of_prompt(run: object) -> Graph:
    """Return the valid nodes of "prompt"."""
    if not isinstance(run, dict):
        return {}
    return {
        identifier: node
        for identifier, node in list(run.items())[:MAX_NODES]
        if isinstance(node, dict) and _is_name(node.get("class_type")) and isinstance(node.get("inputs"), dict)
    }


def of_workflow(editor: object) -> Graph:
    """Return the valid nodes of "workflow" that run, with their links but no values, whose names aren't stored.

    A bypassed node passes on what it gets; subgraphs are put in the place of the nodes that stand for them.
    """
    if not isinstance(editor, dict) or not isinstance(editor.get("nodes"), list):
        return {}
    definitions = editor.get("definitions")
    subgraphs = _dicts(definitions.get("subgraphs")) if isinstance(definitions, dict) else []
    flattener = _Flattener({subgraph["id"]: _Level(subgraph) for subgraph in subgraphs if _is_name(subgraph.get("id"))})
    flattener.add(_Level(editor), "", {}, MAX_NESTED)
    return flattener.graph


class _Level:
    """The nodes and links of the editor's canvas or of a subgraph."""

    def __init__(self, level: Mapping[str, Any]) -> None:
        self.nodes = [node for node in _dicts(level.get("nodes")) if _is_name(node.get("type"))]
        self.inputs = [str(slot.get("name")) for slot in _dicts(level.get("inputs"))]
        self.origins: dict[int | str, tuple[int | str, int]] = {}
        self.outputs: dict[int, int | str] = {}
        links = level.get("links")
        for link in links if isinstance(links, list) else []:
            if isinstance(link, dict):  # a list on the canvas, an object in subgraphs
                link = [link.get(name) for name in ("id", "origin_id", "origin_slot", "target_id", "target_slot")]
            if not isinstance(link, list) or len(link) < 5 or not all(isinstance(item, int | str) for item in link[:5]):
                continue
            number, start, slot, end, end_slot = link[:5]
            self.origins[number] = (start, slot if isinstance(slot, int) else 0)
            if end == _OUTPUTS and isinstance(end_slot, int):
                self.outputs[end_slot] = number
        named = ((_first_value(node), node.get("id")) for node in self.nodes if node["type"] == "SetNode")
        self.setters = {name: identifier for name, identifier in named if name is not None}


class _Flattener:
    """Puts the nodes of all levels into one graph, at most `MAX_NODES` in all."""

    def __init__(self, subgraphs: Mapping[str, _Level]) -> None:
        self.graph: dict[str, Node] = {}
        self._subgraphs = subgraphs
        self._left = MAX_NODES

    def add(self, level: _Level, prefix: str, given: Mapping[str, list[Any] | None], depth: int) -> None:
        """Add the nodes of a level; `given` are the links of a subgraph's inputs, by name."""
        stand_ins = {
            str(node.get("id"))
            for node in level.nodes
            if node["type"] in self._subgraphs and node.get("mode") != _BYPASSED
        }

        def link(number: object) -> list[Any] | None:
            start, slot = level.origins.get(number, (None, 0)) if isinstance(number, int | str) else (None, 0)
            if start is None:
                return None
            if start == _INPUTS:
                return given.get(level.inputs[slot]) if 0 <= slot < len(level.inputs) else None
            return [f"{prefix}{start}:{_OUTPUTS}:{slot}", 0] if str(start) in stand_ins else [f"{prefix}{start}", slot]

        for node in level.nodes:
            self._left -= 1
            if self._left < 0:
                return
            mode, key, slots = node.get("mode"), f"{prefix}{node.get('id', self._left)}", _dicts(node.get("inputs"))
            if mode == _MUTED:
                continue
            if mode == _BYPASSED:
                passed = [output.get("type") for output in _dicts(node.get("outputs"))]
                slots = [slot for slot in slots if slot.get("type") in passed]
            inputs = {str(slot.get("name", place)): link(slot.get("link")) for place, slot in enumerate(slots)}
            subgraph = self._subgraphs.get(node["type"])
            if subgraph is not None and mode != _BYPASSED:
                if depth:
                    self.add(subgraph, f"{key}:", inputs, depth - 1)
                continue
            if node["type"] == "GetNode" and (name := _first_value(node)) in level.setters:
                inputs = {"": [f"{prefix}{level.setters[name]}", 0]}
            self.graph[key] = {"class_type": "" if mode == _BYPASSED else node["type"], "inputs": inputs}
        for slot, number in level.outputs.items():
            self._left -= 1
            if self._left >= 0:
                self.graph[f"{prefix}{_OUTPUTS}:{slot}"] = {"class_type": "", "inputs": {"": link(number)}}


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_NAME


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value[:MAX_NODES] if isinstance(item, dict)] if isinstance(value, list) else []


def _first_value(node: Mapping[str, Any]) -> str | None:
    values = node.get("widgets_values")
    return values[0] if isinstance(values, list) and values and isinstance(values[0], str) else None
