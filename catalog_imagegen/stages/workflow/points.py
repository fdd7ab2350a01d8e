"""The inputs of a workflow that take values, and binding values to them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from catalog_imagegen.domain.fingerprint import Fingerprint, as_json, document, fingerprint, named
from catalog_imagegen.stages.workflow.graph import Graph

VERSION = 1
"""Of the render step: bump it when the same graph would be rendered differently."""

REFERENCES = ("reference", "reference2", "reference3")
POINTS = (
    "positive",
    "negative",
    "seed",
    "width",
    "height",
    "steps",
    "cfg",
    "filename_prefix",
    "sampler",
    "scheduler",
    "denoise",
    "shift",
    "batch",
    *REFERENCES,
    "lora",
    "lora_strength",
)
REQUIRED = ("positive", "seed", "width", "height", "filename_prefix")
GRID = 16
"""Pixels that sizes of latent pictures are multiples of."""


@dataclass(frozen=True, slots=True)
class Echo:
    """A further input that takes the value of a point, or its share of it."""

    node: str
    input: str
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Point:
    """A place in a graph that takes a value."""

    node: str
    input: str
    found_by: str
    """"mapping", "title" or "tracing"."""
    echoes: tuple[Echo, ...] = ()
    share: float = 1.0
    """What of the value goes there: less than all where the picture is enlarged afterwards."""

    def spread(self, value: Any) -> Iterator[tuple[str, str, Any]]:
        """(node, input, value) of every input that *value* goes to."""
        yield self.node, self.input, value if self.share == 1 else _part(value, self.share)
        for echo in self.echoes:
            yield echo.node, echo.input, value if echo.share == 1 else _part(value, echo.share)


def _part(value: float, share: float) -> int:
    return max(GRID, round(value * share / GRID) * GRID)


@dataclass(frozen=True, slots=True)
class Workflow:
    """An API-format graph and its input points."""

    name: str
    graph: Graph
    points: Mapping[str, Point]
    digest: str
    """Of the graph, short: tells whether the file changed."""
    enlarges: Fraction = Fraction(1)
    """How many times larger a picture is when it is saved than where its size is set."""

    @property
    def step(self) -> int:
        """Pixels that sides of its pictures are multiples of, so that they are whole before they are enlarged."""
        return GRID * self.enlarges.numerator

    def lacks(self, point: str) -> bool:
        """Whether text or a number for this point would go nowhere."""
        return point not in self.points

    def bind(self, values: Mapping[str, Any], onto: Graph | None = None) -> dict[str, Any]:
        """The graph, or *onto* which has values already, with *values* at their points.

        Values for missing points are left out. Nodes without a point are shared with the workflow, not copied.
        """
        return _bound(self.points, values, self.graph if onto is None else onto)

    def typed(self, point: str) -> Any:
        """The value that the file has at a point; None for a point it lacks, and for a link."""
        if (at := self.points.get(point)) is None:
            return None
        value = self.graph[at.node]["inputs"].get(at.input)
        return None if isinstance(value, list) else value


class BoundGraph(Mapping[str, Any]):
    """A graph with values at their points, put together when somebody looks: most plans never send it."""

    __slots__ = ("_graph", "_made", "_points", "_values")

    def __init__(self, points: Mapping[str, Point], values: Mapping[str, Any], onto: Graph) -> None:
        self._points, self._values, self._graph = points, values, onto
        self._made: dict[str, Any] | None = None

    def __reduce__(self) -> Any:
        return BoundGraph, (self._points, self._values, self._graph)

    @property
    def whole(self) -> dict[str, Any]:
        """The nodes; those without a point are shared with the workflow."""
        if self._made is None:
            self._made = _bound(self._points, self._values, self._graph)
        return self._made

    def __getitem__(self, node: str) -> Any:
        return self.whole[node]

    def __iter__(self) -> Iterator[str]:
        return iter(self._graph)

    def __len__(self) -> int:
        return len(self._graph)


def _bound(points: Mapping[str, Point], values: Mapping[str, Any], onto: Graph) -> dict[str, Any]:
    graph: dict[str, Any] = dict(onto)
    for name, value in values.items():
        if (point := points.get(name)) is not None:
            for where, input_name, given in point.spread(value):
                node = graph[where]
                graph[where] = {**node, "inputs": {**node["inputs"], input_name: given}}
    return graph


def render_key(graph: Graph, *, take: int, pictures: tuple[str, ...] = ()) -> Fingerprint:
    """Name a render by all that goes into it.

    Left out: ``_meta``, which ComfyUI does not execute, and ``filename_prefix``, which only says where
    the server keeps its copy. *pictures* are digests of input pictures.
    """
    bare = _executed(graph)
    return fingerprint("render", VERSION, {"graph": bare, "pictures": list(pictures), "take": take})


class RenderKeys:
    """The same names for graphs that differ in a few values only; what they share is written out once.

    *graph* has *marks* where the values go: texts that stand nowhere else in it.
    """

    def __init__(self, graph: Graph, marks: Mapping[str, str]) -> None:
        inputs = {"graph": _executed(graph), "pictures": _MARK_PICTURES, "take": _MARK_TAKE}
        names = {mark: name for name, mark in marks.items()}
        names |= {_MARK_PICTURES: "pictures", _MARK_TAKE: "take"}
        written = document("render", VERSION, inputs)
        parts = re.split("(" + "|".join(re.escape(f'"{mark}"') for mark in names) + ")", written)
        self._parts = [names[part[1:-1]] if place % 2 else part for place, part in enumerate(parts)]
        self._places = range(1, len(parts), 2)

    def of(self, values: Mapping[str, Any], *, take: int, pictures: tuple[str, ...] = ()) -> Fingerprint:
        """The name of the render with these values at the marks."""
        given = {**values, "take": take, "pictures": pictures}
        parts = self._parts.copy()
        for place in self._places:
            parts[place] = _json(given[parts[place]])
        return named("".join(parts))


def _json(value: Any) -> str:
    """Its JSON: most values are texts, whole numbers, or the pictures that there are none of."""
    return str(value) if type(value) is int else "[]" if value == () else as_json(value)


_MARK_PICTURES, _MARK_TAKE = "\ue000pictures", "\ue000take"


def _executed(graph: Graph) -> dict[str, Any]:
    return {
        node: {
            "class_type": body["class_type"],
            "inputs": {k: v for k, v in body["inputs"].items() if k != "filename_prefix"},
        }
        for node, body in graph.items()
    }
