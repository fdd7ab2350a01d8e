"""A ComfyUI graph in API format: read from text, and followed along its links."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NoReturn

from catalog_imagegen.domain.errors import ConfigError

Graph = Mapping[str, Mapping[str, Any]]
Place = tuple[str, str]
"""A node and one of its inputs."""


def parse_graph(name: str, text: str) -> Graph:
    """Read a graph. Raises ConfigError that names the workflow and the remedy."""
    try:
        data = json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        raise ConfigError(
            f"workflow {name}: not JSON ({error}); export it again from ComfyUI with Workflow → Export (API)",
            zh=f"工作流 {name}：不是有效的 JSON（{error}）；请在 ComfyUI 中用「工作流 → 导出 (API)」重新导出",
            code="workflow_not_json",
        ) from error
    if isinstance(data, dict) and isinstance(data.get("nodes"), list):
        raise ConfigError(
            f"workflow {name}: this is the UI format, which ComfyUI's Save button writes and its /prompt does "
            "not take; open it in ComfyUI and use Workflow → Export (API), then use that file",
            zh=f"工作流 {name}：这是界面格式（「保存」按钮所写），服务器不接受；"
            "请在 ComfyUI 中打开它，用「工作流 → 导出 (API)」导出后再使用",
            code="workflow_ui_format",
        )
    if not isinstance(data, dict) or not data or not all(_is_node(body) for body in data.values()):
        raise ConfigError(
            f"workflow {name}: not an API-format graph (node id → class_type and inputs); export it from ComfyUI "
            "with Workflow → Export (API)",
            zh=f"工作流 {name}：不是 API 格式（节点编号 → class_type 与 inputs）；"
            "请在 ComfyUI 中用「工作流 → 导出 (API)」导出",
            code="workflow_wrong_format",
        )
    return data


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"it holds {constant}")


def _is_node(body: object) -> bool:
    return (
        isinstance(body, dict)
        and isinstance(body.get("class_type"), str)
        and isinstance(body.get("inputs"), dict)
        and isinstance(body.get("_meta", {}), dict)
    )


def is_link(value: object) -> bool:
    """Whether an input is fed by another node; anything else is a value."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)  # noqa: PLR2004 - [node, slot]


def source(graph: Graph, node: str | None, name: str) -> str | None:
    """The node that feeds an input; None for a value, for no such input, and where that node is not there."""
    value: Any = graph[node]["inputs"].get(name) if node is not None else None
    return value[0] if is_link(value) and value[0] in graph else None


def sources(graph: Graph, node: str, *, skip: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """(input, the node that feeds it) of one node, in the order of its inputs."""
    for name in graph[node]["inputs"]:
        if name not in skip and (found := source(graph, node, name)) is not None:
            yield name, found


def upstream(graph: Graph, starts: Iterable[str | None], *, skip: Collection[str] = ()) -> list[str]:
    """These nodes and all that feed them, nearest first; inputs called as in *skip* are not followed."""
    found = dict.fromkeys(start for start in starts if start is not None)
    queue = list(found)
    for node in queue:  # grows on the way
        for _, feeding in sources(graph, node, skip=skip):
            if feeding not in found:
                found[feeding] = None
                queue.append(feeding)
    return list(found)


def title_of(graph: Graph, node: str) -> str:
    """What a node is called in ComfyUI, where the file says it."""
    return str(graph[node].get("_meta", {}).get("title", ""))


def called(graph: Graph, node: str) -> str:
    """A node as a message names it."""
    return f"{node} ({graph[node]['class_type']})"


_NUMBER = (int, float)


def typed_at(
    graph: Graph, node: str, name: str, *, alike: Iterable[str] = (), is_text: bool = False
) -> Place:
    """Where the value of an input is typed: there, or in the node that feeds it.

    Such a node, a primitive, calls it ``value`` or *alike*. Where it is computed it is not followed: what is
    bound there replaces the link.
    """
    place, seen = (node, name), {node}
    while is_link(graph[place[0]]["inputs"][place[1]]):
        feeding = source(graph, *place)
        if feeding is None or feeding in seen:
            return node, name
        seen.add(feeding)
        inputs = graph[feeding]["inputs"]
        held = next((n for n in ("value", *alike) if n in inputs and _fits(inputs[n], is_text=is_text)), None)
        if held is None:
            return node, name
        place = feeding, held
    return place


def _fits(value: object, *, is_text: bool) -> bool:
    if is_link(value):
        return True
    return isinstance(value, str) if is_text else isinstance(value, _NUMBER) and not isinstance(value, bool)


_TEXTS = ("value", "text", "prompt", "string", "user_prompt", "Text", "String")
"""What nodes that hold or pass on a text call it."""


def text_at(graph: Graph, node: str, name: str) -> Place:
    """The same for a prompt, which may be joined from parts: of these the one that is linked to.

    Where all parts are typed into the joining node, what is bound replaces the whole.
    """
    feeding = source(graph, node, name)
    return (_text_behind(graph, feeding, {node}) if feeding is not None else None) or (node, name)


def _text_behind(graph: Graph, node: str, seen: set[str]) -> Place | None:
    if node in seen:
        return None
    seen.add(node)
    inputs = graph[node]["inputs"]
    for name in _TEXTS:
        if isinstance(inputs.get(name), str):
            return node, name
        if (feeding := source(graph, node, name)) is not None:
            return _text_behind(graph, feeding, seen)
    parts = (_text_behind(graph, feeding, seen) for _, feeding in sources(graph, node))
    return next((part for part in parts if part is not None), None)
