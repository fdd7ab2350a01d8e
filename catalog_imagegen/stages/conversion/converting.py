"""The API graph of a UI-format file: which nodes are sent, and with which inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any
from typing import Literal as Either

from catalog_imagegen.stages.conversion.declared import Classes
from catalog_imagegen.stages.conversion.errors import ConversionError, UnknownClasses
from catalog_imagegen.stages.conversion.instances import Builder, Instance
from catalog_imagegen.stages.conversion.links import NOTES, VIRTUAL, Literal, resolve
from catalog_imagegen.stages.conversion.reading import BYPASSED, MUTED, Node, read, refuse_unsound
from catalog_imagegen.stages.conversion.text import chosen, named, names_files
from catalog_imagegen.stages.conversion.widgets import Widgets

_GROUP_NODE = ("workflow>", "workflow/")
_HINTS = 20
"""Unknown classes for which a name that could have been meant is looked for."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A node of the file that is not sent, and why."""

    node: str
    why: Either["muted", "bypassed", "note"]


def convert(
    document: Mapping[str, Any],
    node_infos: Mapping[str, Mapping[str, Any]],
    *,
    now: datetime | None = None,
) -> dict[str, Any]:
    """What ComfyUI's page would send for a UI-format file: node id → class_type, inputs and ``_meta.title``.

    *node_infos* is what ``/object_info`` answers. *now*, in local time, is for ``%date:…%`` in file names;
    without it these stay. The same arguments give the same graph. Values are not checked: the server does that.
    Raises ConversionError for a file that cannot be converted.
    """
    classes = Classes(node_infos)
    root = Builder(read(document), classes).build()
    sent = list(_sent(root))
    _refuse_unknown(sent, classes)
    graph: dict[str, Any] = {}
    for place, node in sent:
        widgets, path = place.widgets[node.id], place.path(node)
        if path in graph:
            raise ConversionError(
                f"node {place.label(node)}: another node has the id {path} too; open the file in ComfyUI and save it again",
                zh=f"节点 {place.label(node)}：另有节点也使用编号 {path}；请在 ComfyUI 中打开并重新保存",
                code="conversion_same_id",
            )
        graph[path] = {
            "inputs": _inputs(place, node, widgets, partial(_looked_up, root), now),
            "class_type": node.kind,
            "_meta": {"title": node.title or widgets.of.title},
        }
    refuse_unsound(graph, "the graph")
    return graph


def left_out(document: Mapping[str, Any]) -> list[LeftOut]:
    """The nodes that a file has and its API graph has not, but for those that only draw lines."""
    file = read(document)
    found = []
    for graph in (file.root, *file.definitions.values()):
        for node in graph.nodes.values():
            definition = file.definitions.get(node.kind)
            name = f"{node.id} {definition.name if definition else node.kind}"
            if node.kind in NOTES:
                found.append(LeftOut(name, "note"))
            elif node.mode == MUTED:
                found.append(LeftOut(name, "muted"))
            elif node.mode == BYPASSED:
                found.append(LeftOut(name, "bypassed"))
    return found


def _sent(place: Instance, *, is_inside: bool = False) -> Iterator[tuple[Instance, Node]]:
    """The nodes that are sent.

    A muted or bypassed subgraph takes all that is inside with it, unless it is itself inside another: then ComfyUI's
    page sends its nodes, though nothing leads to them any more, and so do we.
    """
    for node in place.graph.nodes.values():
        child = place.children.get(node.id)
        if node.kind in VIRTUAL or (node.is_dropped and not (child and is_inside)):
            continue
        if child:
            yield from _sent(child, is_inside=True)
        else:
            yield place, node


def _refuse_unknown(sent: list[tuple[Instance, Node]], classes: Classes) -> None:
    places: dict[str, list[str]] = {}
    for place, node in sent:
        if node.kind.startswith(_GROUP_NODE):
            raise ConversionError(
                f"node {place.label(node)} is a group node, an old form of subgraph; open the file in ComfyUI, which "
                "turns it into a subgraph, and save it again",
                zh=f"节点 {place.label(node)} 是旧式的组节点；请在 ComfyUI 中打开该文件（会自动转换为子图），重新保存后再转换",
                code="conversion_group_node",
            )
        if classes.get(node.kind) is None:
            title = f' "{node.title}"' if node.title and node.title != node.kind else ""
            places.setdefault(node.kind, []).append(f"{place.path(node)}{title}")
    if places:
        near = {name: classes.near(name) for name in islice(places, _HINTS)}
        raise UnknownClasses(places, near)


def _inputs(
    place: Instance, node: Node, widgets: Widgets, value_of: Callable[[str, str], Any], now: datetime | None
) -> dict[str, Any]:
    """Values of widgets, replaced by what comes over links; a widget whose link leads nowhere keeps its own."""
    found = {slot.name: resolve(place, node, slot) for slot in node.slots if slot.link is not None}
    for name, source in found.items():
        if isinstance(source, Literal) and widgets.declared.get(name) and widgets.declared[name].below:
            widgets = widgets.having(name, source.value)
    inputs = {}
    for name, value in widgets.values.items():
        own = value
        if isinstance(own, str) and widgets.declared[name].is_prompt:
            own = chosen(own)
        elif isinstance(own, str) and name == "filename_prefix" and names_files(node.kind):
            own = named(own, now=now, value_of=value_of)
        inputs[name] = _as_sent(own)
    for name, source in found.items():
        if source is None or not widgets.takes(name):
            continue
        if isinstance(source, Literal):
            inputs[name] = _as_sent(source.value)
        else:
            inputs[name] = [source.place.path(source.node), source.slot]
    return inputs


def _as_sent(value: Any) -> Any:
    """A list would be taken for a link."""
    return {"__value__": value} if isinstance(value, list) else value


def _looked_up(root: Instance, node_name: str, widget: str) -> Any:
    """What a widget holds, for a token in a file name. Raises LookupError."""
    everything = list(_everything(root))
    for place, node in everything:
        if node.searched_as == node_name:
            return _held(place, node, widget)
    for place, node in everything:
        if _title(place, node) == node_name:
            return _held(place, node, widget)
    raise LookupError(node_name)


def _everything(place: Instance) -> Iterator[tuple[Instance, Node]]:
    for node in place.graph.nodes.values():
        yield place, node
        if child := place.children.get(node.id):
            yield from _everything(child)


def _title(place: Instance, node: Node) -> str:
    if node.title:
        return node.title
    if child := place.children.get(node.id):
        return child.graph.name
    return place.widgets[node.id].of.title if node.id in place.widgets else node.kind


def _held(place: Instance, node: Node, widget: str) -> Any:
    if child := place.children.get(node.id):
        return child.promoted[widget]
    return place.widgets[node.id].values[widget]
