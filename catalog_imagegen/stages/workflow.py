"""Finds the input points of a ComfyUI graph and binds values to them, never by hard-coded id."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.fingerprint import Fingerprint, fingerprint

VERSION = 1
"""Of the render step: bump it when the same graph would be rendered differently."""

POINTS = ("positive", "negative", "seed", "width", "height", "steps", "cfg", "filename_prefix")
REQUIRED = ("positive", "seed", "width", "height", "filename_prefix")

# The input of a node that carries each point's value, tried in this order.
_CARRIERS: Mapping[str, tuple[str, ...]] = {
    "positive": ("text", "prompt", "value"),
    "negative": ("text", "prompt", "value"),
    "seed": ("seed", "noise_seed", "value"),
    "width": ("width", "value"),
    "height": ("height", "value"),
    "steps": ("steps", "value"),
    "cfg": ("cfg", "value"),
    "filename_prefix": ("filename_prefix", "value"),
}
_ZERO_OUT = "ConditioningZeroOut"

Graph = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Point:
    """A place in a graph that takes a value."""

    node: str
    input: str
    found_by: str
    """"mapping", "title" or "tracing"."""


@dataclass(frozen=True, slots=True)
class Workflow:
    """An API-format graph and its input points."""

    name: str
    graph: Graph
    points: Mapping[str, Point]
    digest: str
    """Of the graph, short: tells whether the file changed."""

    def lacks(self, point: str) -> bool:
        """Whether text or a number for this point would go nowhere."""
        return point not in self.points

    def bind(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The graph with *values* at their points; values for missing points are left out.

        Nodes without a point are shared with the workflow, not copied.
        """
        graph: dict[str, Any] = dict(self.graph)
        for name, value in values.items():
            if (point := self.points.get(name)) is not None:
                node = graph[point.node]
                graph[point.node] = {**node, "inputs": {**node["inputs"], point.input: value}}
        return graph


def render_key(graph: Graph, *, take: int, pictures: tuple[str, ...] = ()) -> Fingerprint:
    """Name a render by all that goes into it.

    Left out: ``_meta``, which ComfyUI does not execute, and ``filename_prefix``, which only says where
    the server keeps its copy. *pictures* are digests of input pictures.
    """
    bare = {
        node: {
            "class_type": body["class_type"],
            "inputs": {k: v for k, v in body["inputs"].items() if k != "filename_prefix"},
        }
        for node, body in graph.items()
    }
    return fingerprint("render", VERSION, {"graph": bare, "pictures": list(pictures), "take": take})


def parse_workflow(name: str, text: str, mapping: Mapping[str, str] | None = None) -> Workflow:
    """Read an API-format workflow and find its points.

    *mapping* names points as ``"title or id.input"`` and comes before titles, which come before
    tracing. Raises ConfigError that names file, node and remedy.
    """
    graph = _parse_graph(name, text)
    finder = _Finder(name, graph)
    points = {}
    for point in POINTS:
        found = (
            finder.mapped(point, (mapping or {}).get(point, ""))
            or finder.titled(point)
            or finder.traced(point)
        )
        if found is not None:
            points[point] = found
    _refuse_shared(name, points)
    missing = [point for point in REQUIRED if point not in points]
    if missing:
        raise ConfigError(
            f"workflow {name}: no input point for {', '.join(missing)}; give a node the title of the point "
            f'(e.g. "{missing[0]}") or map it in config/roles.toml: [workflows.{name}.points]',
            zh=f"工作流 {name}：找不到输入点 {'、'.join(missing)}；请把节点标题改为该名称，"
            f"或在 config/roles.toml 的 [workflows.{name}.points] 中指定",
            code="workflow_point_missing",
        )
    digest = fingerprint("workflow", VERSION, graph)[:12]
    return Workflow(name=name, graph=graph, points=points, digest=digest)


def _refuse_shared(name: str, points: Mapping[str, Point]) -> None:
    """One input cannot hold two values: a primitive that feeds width and height makes every size square."""
    holders: dict[tuple[str, str], str] = {}
    for point, at in points.items():
        if (other := holders.setdefault((at.node, at.input), point)) != point:
            raise ConfigError(
                f"workflow {name}: {other} and {point} are the same input ({at.node}.{at.input}); give each its own",
                zh=f"工作流 {name}：{other} 与 {point} 是同一个输入（{at.node}.{at.input}）；请为它们分别设置",
                code="workflow_point_shared",
            )


def _parse_graph(name: str, text: str) -> Graph:
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


def _is_link(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)  # noqa: PLR2004 - [node, slot]


class _Finder:
    """Looks for points in one graph."""

    def __init__(self, name: str, graph: Graph) -> None:
        self.name = name
        self.graph = graph

    def mapped(self, point: str, target: str) -> Point | None:
        if not target:
            return None
        where, _, input_name = target.rpartition(".")
        node = where if where in self.graph else self._by_title(where)
        if node is None or input_name not in self.graph[node]["inputs"]:
            raise ConfigError(
                f"workflow {self.name}: config maps {point} to {target!r}, which is not in the graph; "
                "write it as title.input or id.input",
                zh=f"工作流 {self.name}：配置把 {point} 指向 {target}，但图中没有；请写成「标题.输入」或「编号.输入」",
                code="workflow_mapping_wrong",
            )
        return Point(node, input_name, "mapping")

    def titled(self, point: str) -> Point | None:
        node = self._by_title(point)
        if node is None:
            return None
        carrier = self._carrier(node, point)
        return Point(*carrier, "title") if carrier else None

    def traced(self, point: str) -> Point | None:
        carrier: tuple[str, str] | None
        if point == "filename_prefix":
            carrier = next(
                ((node, point) for node, body in self.graph.items() if point in body["inputs"]), None
            )
        else:
            sampler = self._sampler()
            carrier = self._trace(sampler, point) if sampler else None
            if sampler and point == "negative" and carrier == self._trace(sampler, "positive"):
                carrier = None  # one text on both sides: binding this one would replace the prompt
        return Point(*carrier, "tracing") if carrier else None

    def _by_title(self, title: str) -> str | None:
        found = [n for n, body in self.graph.items() if body.get("_meta", {}).get("title") == title]
        if len(found) > 1:
            raise ConfigError(
                f"workflow {self.name}: {len(found)} nodes are titled {title!r}, and only one "
                "can be the input point; rename the others",
                zh=f"工作流 {self.name}：有 {len(found)} 个节点标题都是 {title}，但输入点只能有一个；请给其他节点改名",
                code="workflow_title_ambiguous",
            )
        return found[0] if found else None

    def _sampler(self) -> str | None:
        """The node that samples: it takes a latent picture, and conditioning or a guider."""
        found = [
            node
            for node, body in self.graph.items()
            if "latent_image" in body["inputs"] and {"positive", "guider"} & body["inputs"].keys()
        ]
        if len(found) > 1:
            raise ConfigError(
                f"workflow {self.name}: {len(found)} samplers ({', '.join(found)}); map the points of the one "
                f"to drive in config/roles.toml: [workflows.{self.name}.points]",
                zh=f"工作流 {self.name}：有 {len(found)} 个采样器（{'、'.join(found)}）；"
                f"请在 config/roles.toml 的 [workflows.{self.name}.points] 中指定",
                code="workflow_sampler_ambiguous",
            )
        return found[0] if found else None

    def _trace(self, sampler: str, point: str) -> tuple[str, str] | None:
        if point in ("positive", "negative"):
            return self._trace_text(sampler, point)
        entries = ("latent_image",) if point in ("width", "height") else ("", "guider", "noise", "sigmas")
        for entry in entries:
            start = self._linked(sampler, entry) if entry else sampler
            for node in self._upstream(start, deep=entry != ""):
                carrier = self._carrier(node, point)
                if carrier and carrier != (node, "value"):  # a primitive here may feed some other input
                    return carrier
        return None

    def _trace_text(self, sampler: str, point: str) -> tuple[str, str] | None:
        inputs = self.graph[sampler]["inputs"]
        start = sampler if point in inputs else self._linked(sampler, "guider")
        start = self._linked(start, point) if start else None
        if start is None and point == "positive":  # BasicGuider has a single conditioning
            guider = self._linked(sampler, "guider")
            start = self._linked(guider, "conditioning") if guider else None
        for node in self._upstream(start, side=point):
            if self.graph[node]["class_type"] == _ZERO_OUT:
                return None  # the text of the other side, zeroed: this side has no text of its own
            if carrier := self._carrier(node, point):
                return carrier
        return None

    def _carrier(self, node: str, point: str) -> tuple[str, str] | None:
        """The node and input that hold a point's value, following a link to a primitive node."""
        for name in _CARRIERS[point]:
            value = self.graph[node]["inputs"].get(name)
            if value is None:
                continue
            if not _is_link(value):
                return (node, name)
            if value[0] in self.graph and "value" in self.graph[value[0]]["inputs"]:
                return (value[0], "value")
        return None

    def _linked(self, node: str | None, name: str) -> str | None:
        value: Any = self.graph[node]["inputs"].get(name) if node else None
        return value[0] if _is_link(value) and value[0] in self.graph else None

    def _upstream(self, start: str | None, *, deep: bool = True, side: str = "") -> Iterator[str]:
        """*start* and what it is linked to, nearest first; of a node with two sides only what feeds *side*."""
        if start is None:
            return
        queue, seen = [start], {start}
        while queue:
            node = queue.pop(0)
            yield node
            if not deep:
                return
            inputs = self.graph[node]["inputs"]
            for value in [inputs[side]] if side in inputs else inputs.values():
                if _is_link(value) and value[0] in self.graph and value[0] not in seen:
                    seen.add(value[0])
                    queue.append(value[0])
