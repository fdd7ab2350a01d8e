"""Small UI-format files, drawn node by node as on ComfyUI's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalog_imagegen.config.declarations import packaged_declarations
from catalog_imagegen.stages.conversion import convert

Json = dict[str, Any]
Wire = tuple[int | str, int, str]
"""Origin node, its output, type. From -10 it comes from outside a subgraph."""

INSIDE, OUTSIDE = -10, -20
MUTED, BYPASSED = 2, 4


class Page:
    """The file, or the inside of a subgraph."""

    def __init__(self, name: str = "", inputs: Sequence[str] = ()) -> None:
        self.name = name
        self.nodes: list[Json] = []
        self.links: list[list[Any]] = []
        self.subgraphs: list[Page] = []
        self.inputs = inputs

    def node(
        self,
        node_id: int | str,
        kind: str,
        values: Any = None,
        *,
        mode: int = 0,
        title: str = "",
        properties: Json | None = None,
        slots: Mapping[str, Wire | str] | None = None,
    ) -> Page:
        """Draw a node. A slot has a wire, or only a type."""
        made = []
        for index, (name, wire) in enumerate((slots or {}).items()):
            link, kind_of = (
                (None, wire) if isinstance(wire, str) else (self._link(wire, node_id, index), wire[2])
            )
            made.append({"name": name, "type": kind_of, "link": link})
        body = {"id": node_id, "type": kind, "mode": mode, "inputs": made, "properties": properties or {}}
        body |= {"title": title} if title else {}
        self.nodes.append(body if values is None else {**body, "widgets_values": values})
        return self

    def out(self, origin: int | str, output: int = 0, *, at: int = 0) -> Page:
        """Wire a node to an output of the subgraph."""
        self._link((origin, output, "*"), OUTSIDE, at)
        return self

    def subgraph(self, name: str, *inputs: str) -> Page:
        """The inside of a new subgraph; nodes of its *name* are its hosts."""
        inner = Page(name, inputs)
        self.subgraphs.append(inner)
        return inner

    def _link(self, wire: Wire, target: int | str, slot: int) -> int:
        self.links.append([len(self.links) + 1, wire[0], wire[1], target, slot, wire[2]])
        return len(self.links)

    @property
    def file(self) -> Json:
        """The whole as ComfyUI saves it."""
        body: Json = {"version": 0.4, "nodes": self.nodes, "links": self.links, "extra": {}}
        if self.subgraphs:
            body["definitions"] = {"subgraphs": [inner.definition for inner in self.subgraphs]}
        return body

    @property
    def definition(self) -> Json:
        """A subgraph as the file has it."""
        names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        ports = [
            {"name": name, "type": "*", "linkIds": [x[0] for x in self.links if x[1:3] == [INSIDE, index]]}
            for index, name in enumerate(self.inputs)
        ]
        return {
            "id": self.name,
            "name": self.name,
            "inputNode": {"id": INSIDE},
            "outputNode": {"id": OUTSIDE},
            "inputs": ports,
            "outputs": [],
            "nodes": self.nodes,
            "links": [dict(zip(names, link, strict=True)) for link in self.links],
        }

    def graph(self, **options: Any) -> Json:
        """What is sent."""
        return convert(self.file, KNOWN, **options)

    def inputs_of(self, node: str, **options: Any) -> Json:
        """What a node that is sent gets."""
        found: Json = self.graph(**options)[node]["inputs"]
        return found


def declared(required: Json, **more: Any) -> Json:
    """What /object_info says of a class."""
    return {"input": {"required": required}, "output": [], "display_name": "", **more}


MADE_UP: Mapping[str, Json] = {
    "Two": declared({"first": ["IMAGE"], "second": ["IMAGE"]}),
    "Any": declared({"anything": ["*"]}),
    "Text": declared({"text": ["STRING", {"dynamicPrompts": True}], "plain": ["STRING"]}),
    "Kinds": declared({"number": ["FLOAT"], "bool": ["BOOLEAN"], "half": ["FLOAT"], "null": ["STRING"]}),
    "Number": declared({"number": ["INT", {"default": 7}]}),
}
KNOWN: Mapping[str, Mapping[str, Any]] = {**packaged_declarations(), **MADE_UP}
"""The packaged classes, and some that are made up for tests."""


def values(inputs: Json, saved: Any, **more: Any) -> Json:
    """What a class with these required inputs sends for these saved values."""
    infos = {"Tried": declared(inputs, **more)}
    found: Json = convert(Page().node(1, "Tried", saved).file, infos)["1"]["inputs"]
    return found
