"""Every use of a subgraph with values of its own: definitions are shared, values are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog_imagegen.stages.conversion.declared import MISSING, Classes
from catalog_imagegen.stages.conversion.errors import ConversionError
from catalog_imagegen.stages.conversion.reading import File, Graph, Link, Node, Port, Slot
from catalog_imagegen.stages.conversion.widgets import Widgets, assign

INSIDE, OUTSIDE = "-10", "-20"
"""Ids of a subgraph's input and output side in its own link table."""
OWN = "-1"
"""The inner node of a proxy that stands for an input of the subgraph itself."""
PRIMITIVE = "PrimitiveNode"
CONTROL = "control_after_generate"
MAX_DEPTH, MAX_NODES = 40, 100_000
"""Subgraphs inside each other, and nodes in all; no person draws as many."""


@dataclass(slots=True, eq=False)
class Instance:
    """The file itself, or one use of a subgraph."""

    graph: Graph
    host: Node | None = None
    parent: Instance | None = None
    widgets: dict[str, Widgets] = field(default_factory=dict)
    """By node; nodes of unknown classes have none."""
    children: dict[str, Instance] = field(default_factory=dict)
    """By host."""
    promoted: dict[str, Any] = field(default_factory=dict)
    """Inputs that stand for a widget inside, by name; MISSING where that holds nothing."""

    def path(self, node: Node) -> str:
        """The id of a node of it in the API graph."""
        if self.parent is None or self.host is None:
            return node.id
        return f"{self.parent.path(self.host)}:{node.id}"

    def label(self, node: Node) -> str:
        """A node as messages name it."""
        child = self.children.get(node.id)
        kind = f'subgraph "{child.graph.name}"' if child else node.kind
        title = f' "{node.title}"' if node.title and node.title != node.kind else ""
        return f"{self.path(node)} {kind}{title}"

    def leaving(self, index: int) -> Iterator[tuple[Node, Slot]]:
        """What hangs on an input of the subgraph, in the order of its links."""
        order = self.graph.inputs[index].links
        links = [self.graph.links[link] for link in order if link in self.graph.links]
        links += [link for link in self.graph.links.values() if link.id not in order]
        for link in links:
            if link.origin == INSIDE and link.origin_slot == index:
                yield from _ending(self.graph, link)


def _ending(graph: Graph, link: Link) -> Iterator[tuple[Node, Slot]]:
    node = graph.nodes.get(link.target)
    slot = node.slot_of(link.id) if node else None
    if node and slot:
        yield node, slot


class Builder:
    """Makes the instances of one file."""

    def __init__(self, file: File, classes: Classes) -> None:
        self._file = file
        self._classes = classes
        self._nodes = 0

    def build(self) -> Instance:
        """The file with all its subgraphs. Raises ConversionError for endless or countless ones."""
        return self._instance(Instance(self._file.root), ())

    def _instance(self, made: Instance, within: tuple[str, ...]) -> Instance:
        self._refuse_endless(made, within)
        for node in made.graph.nodes.values():
            if definition := self._file.definitions.get(node.kind):
                child = Instance(definition, host=node, parent=made)
                made.children[node.id] = self._instance(child, (*within, definition.id))
            elif known := self._classes.get(node.kind):
                made.widgets[node.id] = assign(known, node.values)
        _write_primitives(made)
        for index, port in enumerate(made.graph.inputs):
            _promote(made, index, port)
        if made.host is not None:
            _take_values(made, made.host)
        return made

    def _refuse_endless(self, made: Instance, within: tuple[str, ...]) -> None:
        self._nodes += len(made.graph.nodes)
        at = made.parent.path(made.host) if made.parent and made.host else "workflow"
        if made.graph.id in within[:-1]:
            raise ConversionError(
                f'subgraph "{made.graph.name}" holds itself (node {at}); remove that node from it in ComfyUI',
                zh=f"子图「{made.graph.name}」包含了自身（节点 {at}）；请在 ComfyUI 中将该节点从子图中移除",
                code="conversion_recursive",
            )
        if len(within) > MAX_DEPTH or self._nodes > MAX_NODES:
            raise ConversionError(
                f"node {at}: more than {MAX_DEPTH} subgraphs inside each other or {MAX_NODES} nodes in all; "
                "unpack subgraphs in ComfyUI",
                zh=f"节点 {at}：子图嵌套超过 {MAX_DEPTH} 层，或节点总数超过 {MAX_NODES}；请在 ComfyUI 中展开子图",
                code="conversion_too_large",
            )


def _write_primitives(made: Instance) -> None:
    """A PrimitiveNode overwrites the widgets that are linked to it directly, whatever its mode."""
    for link in made.graph.links.values():
        node = made.graph.nodes.get(link.origin)
        if node is None or node.kind != PRIMITIVE or isinstance(node.values, Mapping) or not node.values:
            continue
        for target, slot in _ending(made.graph, link):
            if node.values[0] is not None:
                _set_widget(made, target, slot.name, node.values[0])


def _set_widget(made: Instance, node: Node, name: str, value: Any) -> None:
    widgets = made.widgets.get(node.id)
    if widgets and name in widgets.declared:
        made.widgets[node.id] = widgets.having(name, value)


def _promote(made: Instance, index: int, port: Port) -> None:
    """An input with a widget behind it holds what the first of these holds."""
    for node, slot in made.leaving(index):
        child, widgets = made.children.get(node.id), made.widgets.get(node.id)
        if child is not None and slot.name in child.promoted:
            made.promoted[port.name] = child.promoted[slot.name]
            return
        if widgets is not None and slot.name in widgets.declared:
            made.promoted[port.name] = widgets.values.get(slot.name, MISSING)
            return
        if child is None and widgets is None and slot.is_widget:
            made.promoted[port.name] = MISSING
            return


def _take_values(made: Instance, host: Node) -> None:
    """What the host holds: by place for its inputs, then, where it names inner widgets, for these."""
    if isinstance(host.values, Mapping):
        made.promoted |= {name: host.values[name] for name in made.promoted if name in host.values}
        return
    made.promoted |= dict(zip(made.promoted, host.values, strict=False))
    for (inner, name), value in zip(host.proxies or (), host.values, strict=False):
        if inner != OWN:
            _set_proxied(made, inner, name, value)
        elif name in made.promoted:
            made.promoted[name] = value


def _set_proxied(made: Instance, inner: str, name: str, value: Any) -> None:
    """Set an inner widget, or the input of the subgraph that it hangs on."""
    node = made.graph.nodes.get(inner)
    if node is None or value is None or name == CONTROL:
        return
    slot = node.slot(name)
    link = made.graph.links.get(slot.link) if slot and slot.link else None
    if link and link.origin == INSIDE and 0 <= link.origin_slot < len(made.graph.inputs):
        port = made.graph.inputs[link.origin_slot].name
        if port in made.promoted:
            made.promoted[port] = value
        return
    child = made.children.get(inner)
    if child is None:
        _set_widget(made, node, name, value)
    elif name in child.promoted:
        child.promoted[name] = value
    else:
        further = next((proxied for proxied, widget in node.proxies or () if widget == name), None)
        if further is not None:
            _set_proxied(child, further, name, value)
