"""Reads a UI-format file into frozen values, or says what in it is not as ComfyUI writes it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog_imagegen.stages.conversion.errors import ConversionError, malformed

MUTED, BYPASSED = 2, 4
"""Modes of a node that keep it out of the prompt; all other modes run."""
MAX_NESTING = 100
"""Levels of lists and objects in a file; ComfyUI's own files have about ten."""
_PAIR, _LINK_FIELDS = 2, 5


@dataclass(frozen=True, slots=True)
class Slot:
    """An input of a node; widgets may have one too."""

    name: str
    type: str
    link: str | None
    is_widget: bool


@dataclass(frozen=True, slots=True)
class Node:
    """A node as the file has it."""

    id: str
    kind: str
    """Its class, or the id of a subgraph's definition."""
    title: str
    searched_as: str
    """The property "Node name for S&R"."""
    mode: object
    slots: tuple[Slot, ...]
    values: Sequence[Any] | Mapping[str, Any]
    proxies: tuple[tuple[str, str], ...] | None
    """The property proxyWidgets: which inner node and widget each value is for."""

    @property
    def is_dropped(self) -> bool:
        """Whether it is muted or bypassed."""
        return self.mode in (MUTED, BYPASSED)

    def slot(self, name: str) -> Slot | None:
        """The input of this name."""
        return next((slot for slot in self.slots if slot.name == name), None)

    def slot_of(self, link: str) -> Slot | None:
        """The input that carries this link."""
        return next((slot for slot in self.slots if slot.link == link), None)


@dataclass(frozen=True, slots=True)
class Link:
    """A line of the link table."""

    id: str
    origin: str
    origin_slot: int
    target: str
    target_slot: int


@dataclass(frozen=True, slots=True)
class Port:
    """An input of a subgraph, and the links that leave it inside."""

    name: str
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """The nodes and links of the file, or of one subgraph's definition."""

    id: str
    name: str
    nodes: Mapping[str, Node]
    links: Mapping[str, Link]
    inputs: tuple[Port, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A whole file."""

    root: Graph
    definitions: Mapping[str, Graph]


def is_ui_format(document: object) -> bool:
    """Whether this is what ComfyUI's Save button writes, however well."""
    return isinstance(document, Mapping) and isinstance(document.get("nodes"), list)


def read(document: Mapping[str, Any]) -> File:
    """Both versions of the format: links as lists, or as objects. Raises ConversionError."""
    if not is_ui_format(document):
        raise ConversionError(
            "this is no UI-format workflow: it has no list of nodes; save it in ComfyUI with Workflow → Save",
            zh="这不是界面格式的工作流：其中没有节点列表；请在 ComfyUI 中用「工作流 → 保存」保存",
            code="conversion_not_ui",
        )
    refuse_unsound(document, "workflow")
    bodies = _list(_mapping(document.get("definitions")).get("subgraphs"), "definitions.subgraphs")
    definitions = [_graph(_object(body, "definitions.subgraphs")) for body in bodies]
    return File(_graph(document), {graph.id: graph for graph in definitions})


def refuse_unsound(document: object, where: str) -> None:
    """Raises ConversionError for what JSON files of ComfyUI never hold, and what could not be written again."""
    waiting: list[tuple[object, int]] = [(document, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_NESTING:
            raise malformed(where, f"nested deeper than {MAX_NESTING} levels", f"嵌套超过 {MAX_NESTING} 层")
        if isinstance(value, Mapping):
            waiting += [(key, depth) for key in value]
            waiting += [(inner, depth + 1) for inner in value.values()]
        elif isinstance(value, list):
            waiting += [(inner, depth + 1) for inner in value]
        elif isinstance(value, float) and not math.isfinite(value):
            raise malformed(
                where, f"it holds {value}, which is no JSON number", f"含有 {value}，不是有效的数字"
            )
        elif isinstance(value, str) and not value.isascii() and not _is_text(value):
            raise malformed(where, "it holds half a character", "含有不完整的字符")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _graph(body: Mapping[str, Any]) -> Graph:
    name = _text(body.get("name"))
    place = f'subgraph "{name}"' if "inputNode" in body or name else "workflow"
    nodes: dict[str, Node] = {}
    for item in _list(body.get("nodes"), f"{place}: nodes"):
        node = _node(_object(item, f"{place}: nodes"), place)
        if node.id in nodes:
            raise malformed(place, f"two nodes have the id {node.id}", f"有两个节点的编号都是 {node.id}")
        nodes[node.id] = node
    links = {link.id: link for link in _links(body, place)}
    ports = [_port(_object(item, f"{place}: inputs"), place) for item in _ports(body, place)]
    return Graph(str(body.get("id")), name or "workflow", nodes, links, tuple(ports))


def _ports(body: Mapping[str, Any], place: str) -> list[Any]:
    return _list(body.get("inputs"), f"{place}: inputs")


def _node(body: Mapping[str, Any], place: str) -> Node:
    node = _id(body.get("id"), f"{place}: node id")
    kind = body.get("type")
    where = f"{place}: node {node}"
    if not isinstance(kind, str):
        raise malformed(where, f"its type is {kind!r:.60}, not a name", f"类型 {kind!r:.60} 不是名称")
    values = body.get("widgets_values")
    if not isinstance(values, list | Mapping | None):
        raise malformed(
            f"{where} {kind}",
            f"its widgets_values are {values!r:.60}, not a list",
            f"widgets_values 为 {values!r:.60}，不是列表",
        )
    properties = _mapping(body.get("properties"))
    slots = _list(body.get("inputs"), f"{where} {kind}: inputs")
    return Node(
        id=node,
        kind=kind,
        title=_text(body.get("title")),
        searched_as=_text(properties.get("Node name for S&R")),
        mode=body.get("mode"),
        slots=tuple(_slot(_object(slot, f"{where} {kind}: inputs"), f"{where} {kind}") for slot in slots),
        values=values or (),
        proxies=_proxies(properties.get("proxyWidgets")),
    )


def _slot(body: Mapping[str, Any], where: str) -> Slot:
    link = body.get("link")
    kind = body.get("type")
    return Slot(
        name=_text(body.get("name")),
        type=",".join(map(str, kind)) if isinstance(kind, list) else str(kind or ""),
        link=None if link is None else _id(link, f"{where}: link"),
        is_widget=bool(body.get("widget")),
    )


def _proxies(entries: object) -> tuple[tuple[str, str], ...] | None:
    """What is no entry keeps its place, for values are told apart by position, and names nothing."""
    if not isinstance(entries, list):
        return None
    return tuple(
        (str(entry[0]), str(entry[1])) if isinstance(entry, list) and len(entry) >= _PAIR else ("", "")
        for entry in entries
    )


def _links(body: Mapping[str, Any], place: str) -> Iterator[Link]:
    where = f"{place}: links"
    for item in _list(body.get("links"), where):
        if item is None:  # a gap
            continue
        if isinstance(item, list) and len(item) >= _LINK_FIELDS:
            fields = item[:_LINK_FIELDS]
        else:
            names = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
            fields = [_object(item, where).get(name) for name in names]
        link, origin, origin_slot, target, target_slot = fields
        yield Link(
            _id(link, where),
            _id(origin, where),
            _number(origin_slot, where),
            _id(target, where),
            _number(target_slot, where),
        )


def _port(body: Mapping[str, Any], place: str) -> Port:
    where = f"{place}: inputs"
    links = [_id(link, where) for link in _list(body.get("linkIds"), where)]
    return Port(_text(body.get("name")), tuple(links))


def _id(value: object, where: str) -> str:
    """Ids are numbers or texts; the number 4 and the text "4" are the same id."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise malformed(where, f"{value!r:.60} is no id", f"{value!r:.60} 不是编号")
    return str(value)


def _number(value: object, where: str) -> int:
    text = _id(value, where)
    if not (text.removeprefix("-").isdecimal() and text.isascii()):
        raise malformed(where, f"{value!r:.60} is no number of a slot", f"{value!r:.60} 不是插槽编号")
    return int(text)


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise malformed(where, f"{value!r:.60} is no object", f"{value!r:.60} 不是对象")
    return value


def _list(value: object, where: str) -> list[Any]:
    """A list that may be absent."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise malformed(where, f"{value!r:.60} is no list", f"{value!r:.60} 不是列表")
    return value


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
