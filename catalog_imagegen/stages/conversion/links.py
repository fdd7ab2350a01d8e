"""Where a link really comes from, through nodes that are not sent and through the walls of subgraphs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from catalog_imagegen.stages.conversion.declared import MISSING
from catalog_imagegen.stages.conversion.errors import ConversionError
from catalog_imagegen.stages.conversion.instances import INSIDE, OUTSIDE, PRIMITIVE, Instance
from catalog_imagegen.stages.conversion.reading import BYPASSED, MUTED, Link, Node, Slot

REROUTE = "Reroute"
NOTES = ("Note", "MarkdownNote")
VIRTUAL = (*NOTES, REROUTE, PRIMITIVE)
"""Nodes of ComfyUI's page that its server never sees."""
_ANY = ("", "*", "0", "COMFY_MATCHTYPE_V3")
"""Types of inputs that take everything."""


@dataclass(frozen=True, slots=True)
class Output:
    """An output of a node that is sent."""

    place: Instance
    node: Node
    slot: int


@dataclass(frozen=True, slots=True)
class Literal:
    """The value that the host of a subgraph holds for an input."""

    value: Any


@dataclass(frozen=True, slots=True)
class _Carrier:
    """An input that carries a link, and the instance it is in."""

    place: Instance
    node: Node
    slot: Slot

    @property
    def en(self) -> str:
        """What messages call it; a reroute's input has no name."""
        return f"node {self.place.label(self.node)}" + (f", input {self.slot.name}" if self.slot.name else "")

    @property
    def zh(self) -> str:
        """The same."""
        return f"节点 {self.place.label(self.node)}" + (f" 的输入 {self.slot.name}" if self.slot.name else "")


def resolve(place: Instance, node: Node, slot: Slot) -> Output | Literal | None:
    """What an input gets over its link, if anything. Raises ConversionError for a link to nowhere."""
    at: _Carrier | Output | Literal | None = _Carrier(place, node, slot)
    seen: set[tuple[int, str]] = set()
    while isinstance(at, _Carrier) and at.slot.link is not None:
        step = (id(at.place), at.slot.link)
        if step in seen:
            raise _round(at)
        seen.add(step)
        at = _origin(at, at.slot.link, slot.type)
    return None if isinstance(at, _Carrier) else at


def _origin(at: _Carrier, link_id: str, wanted: str) -> _Carrier | Output | Literal | None:
    """One step against the link."""
    link = at.place.graph.links.get(link_id)
    if link is None:
        raise _dangling(at, f"link {link_id} is not in the link table", f"连线 {link_id} 不在连线表中")
    if link.origin == INSIDE and at.place.host is not None:
        return _from_outside(at, at.place.host, link)
    return _from_node(at, at.place, link, wanted)


def _from_node(at: _Carrier, place: Instance, link: Link, wanted: str) -> _Carrier | Output | Literal | None:
    """From an input, or the output side of a subgraph, to the node where a link of *place* begins."""
    node = place.graph.nodes.get(link.origin)
    if node is None:
        raise _dangling(at, f"node {link.origin} does not exist", f"节点 {link.origin} 不存在")
    if node.mode == MUTED:
        return None
    if node.mode == BYPASSED:
        picked = _bypass(node, link.origin_slot, wanted)
        return _Carrier(place, node, picked) if picked else None
    if node.kind == REROUTE:
        return _Carrier(place, node, node.slots[0]) if node.slots else None
    if node.kind in VIRTUAL:
        return None
    if child := place.children.get(node.id):
        return _from_within(at, child, place.label(node), link.origin_slot, wanted)
    return Output(place, node, link.origin_slot)


def _from_outside(at: _Carrier, host: Node, link: Link) -> _Carrier | Literal | None:
    """From the input side of a subgraph to what its host gets or holds there."""
    place = at.place
    if place.parent is None or not 0 <= link.origin_slot < len(place.graph.inputs):
        raise _dangling(
            at, f"the subgraph has no input {link.origin_slot}", f"子图没有输入 {link.origin_slot}"
        )
    name = place.graph.inputs[link.origin_slot].name
    slot = host.slot(name)
    if slot and slot.link is not None:
        return _Carrier(place.parent, host, slot)
    value = place.promoted.get(name, MISSING)
    return None if value is MISSING else Literal(value)


def _from_within(
    at: _Carrier, child: Instance, host: str, output: int, wanted: str
) -> _Carrier | Output | Literal | None:
    """From an output of a subgraph to the node inside that makes it."""
    inner = next(
        (k for k in child.graph.links.values() if k.target == OUTSIDE and k.target_slot == output), None
    )
    if inner is None:
        return None
    if inner.origin == INSIDE:
        raise ConversionError(
            f"{at.en}: output {output} of node {host} is wired straight to an input of it, which ComfyUI cannot run; "
            "link around the subgraph instead",
            zh=f"{at.zh}：节点 {host} 的输出 {output} 直接连到了它的输入，ComfyUI 无法运行；请绕过子图直接连线",
            code="conversion_passthrough",
        )
    return _from_node(at, child, inner, wanted)


def _bypass(node: Node, output: int, wanted: str) -> Slot | None:
    """The input that stands in for an output of a bypassed node, linked or not."""
    same_place = node.slots[output : output + 1] if output >= 0 else ()
    tests: list[tuple[tuple[Slot, ...], Callable[[Slot], bool]]] = [
        (same_place, lambda slot: _is_compatible(slot.type, wanted)),
        (node.slots, lambda slot: slot.type == wanted),
        (node.slots, lambda slot: _is_compatible(slot.type, wanted)),
    ]
    return next((slot for slots, fits in tests for slot in slots if fits(slot)), None)


def _is_compatible(one: str, other: str) -> bool:
    return one in _ANY or other in _ANY or not _names(one).isdisjoint(_names(other))


def _names(types: str) -> set[str]:
    return {name.strip() for name in types.split(",")}


def _dangling(at: _Carrier, what_en: str, what_zh: str) -> ConversionError:
    return ConversionError(
        f"{at.en}: {what_en}; connect that input again in ComfyUI, or remove its link",
        zh=f"{at.zh}：{what_zh}；请在 ComfyUI 中重新连接该输入，或删除连线",
        code="conversion_dangling_link",
    )


def _round(at: _Carrier) -> ConversionError:
    return ConversionError(
        f"{at.en}: its link goes round in a circle; remove one of the reroutes or bypassed nodes on the way",
        zh=f"{at.zh}：连线首尾相接成环；请删除途中的转接点或被绕过的节点",
        code="conversion_circle",
    )
