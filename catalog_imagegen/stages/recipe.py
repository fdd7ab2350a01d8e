"""What one render was made of, written down so that it can be made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog_imagegen.domain.fingerprint import Digest

Graph = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Base:
    """The graph of a workflow before anything is bound, and the blob that keeps it."""

    digest: Digest
    graph: Graph


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything a server is sent to render one picture, but for the name of the file it keeps."""

    graph: Graph
    prefix_at: tuple[str, str]
    """(node, input) of the file name prefix."""
    job: Mapping[str, str]
    """What the server writes into the picture's metadata."""
    width: int
    height: int
    """Pixels."""
    pictures: Mapping[str, str]
    """File names in the graph → digests of the bytes they stand for."""

    def sent(self, prefix: str) -> dict[str, Any]:
        """The graph with a file name prefix, as it is sent."""
        node, name = self.prefix_at
        body = self.graph[node]
        return {**self.graph, node: {**body, "inputs": {**body["inputs"], name: prefix}}}

    def to_document(self, base: Base | None = None) -> dict[str, Any]:
        """As JSON data: only what differs from the *base*, which thousands of pictures share."""
        graph = (
            {"graph": self.graph}
            if base is None
            else {"base": base.digest, "set": _changes(base.graph, self.graph)}
        )
        return {
            **graph,
            "prefix_at": list(self.prefix_at),
            "job": dict(self.job),
            "size": [self.width, self.height],
            "pictures": dict(self.pictures),
        }


def parse_recipe(document: Mapping[str, Any], base: Graph | None = None) -> Recipe:
    """Read a document; *base* is the graph that its ``base`` names. Raises KeyError where something is missing."""
    if "graph" in document:
        graph = document["graph"]
    elif base is None:
        raise KeyError(f"the graph {document['base']}")
    else:
        graph = {
            node: {**body, "inputs": {**body["inputs"], **document["set"].get(node, {})}}
            for node, body in base.items()
        }
    node, name = document["prefix_at"]
    width, height = document["size"]
    return Recipe(graph, (node, name), document["job"], width, height, document["pictures"])


def _changes(base: Graph, graph: Graph) -> dict[str, dict[str, Any]]:
    """Node → inputs that were bound. Binding changes values only, and shares the nodes that it leaves alone."""
    return {
        node: {
            name: value
            for name, value in body["inputs"].items()
            if name not in base[node]["inputs"] or base[node]["inputs"][name] != value
        }
        for node, body in graph.items()
        if body is not base[node]
    }


def renamed(graph: Graph, names: Mapping[str, str]) -> Graph:
    """The graph with input pictures under the names that a server gave them."""
    other = {name: given for name, given in names.items() if name != given}
    if not other:
        return graph
    return {
        node: {
            **body,
            "inputs": {
                key: other.get(value, value) if isinstance(value, str) else value
                for key, value in body["inputs"].items()
            },
        }
        for node, body in graph.items()
    }


def file_prefix(run: str, prompt_id: str) -> str:
    """What the server's file names begin with: plain ASCII, and a folder per run so that saving stays quick."""
    return f"catalog-imagegen/{run}/{prompt_id}"
