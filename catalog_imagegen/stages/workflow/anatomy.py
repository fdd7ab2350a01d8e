"""Which nodes of a graph make the picture that is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from catalog_imagegen.stages.workflow.graph import Graph, source, sources, upstream

PREFIX = "filename_prefix"
_PICTURES = (
    "images",
    "image",
    "pixels",
    "samples",
    "latent_image",
    "latent",
    "destination",
    "image1",
    "input",
)
"""Inputs through which the picture itself comes, first the surest."""
_NO_PICTURES = (
    {"model", "clip", "vae", "clip_vision", "control_net", "model_patch", "upscale_model"}
    | {"positive", "negative", "conditioning", "guider", "noise", "sampler", "sigmas"}
    | {"mask", "switch", "width", "height"}
)


@dataclass(frozen=True, slots=True)
class Anatomy:
    """The nodes that matter; whatever the picture does not need counts for nothing."""

    graph: Graph
    keepers: tuple[str, ...]
    """The nodes that save the picture; several where nothing says which of them counts."""
    live: frozenset[str]
    """What these need."""
    samplers: tuple[str, ...]
    firsts: tuple[str, ...]
    """The samplers that no other comes before; more than one if nothing says which of them counts."""

    @property
    def first(self) -> str | None:
        """The sampler that drives: others refine what it made."""
        return self.firsts[0] if len(self.firsts) == 1 else None

    def picture_line(self) -> list[str]:
        """The way of the picture from the node that saves it back to where it begins."""
        start = self.keepers[0] if len(self.keepers) == 1 else self.first
        return list(picture_line(self.graph, start))


def savers(graph: Graph) -> list[str]:
    """The nodes that write files, those of pictures that are sampled if there are any."""
    found = [node for node, body in graph.items() if PREFIX in body["inputs"]]
    return [node for node in found if any(_is_sampler(graph, n) for n in upstream(graph, [node]))] or found


def readers(graph: Graph, place: tuple[str, str]) -> list[str]:
    """The nodes that are called by the prefix at *place*: that node, or those it feeds."""
    fed = [node for node in graph if source(graph, node, PREFIX) == place[0]]
    return fed or [place[0]]


def dissect(graph: Graph, keepers: Sequence[str]) -> Anatomy:
    """Find what the *keepers* need; where they need no sampler, or there are none, everything counts."""
    live = frozenset(upstream(graph, keepers))
    if not any(_is_sampler(graph, node) for node in live):
        keepers = savers(graph)
        live = frozenset(upstream(graph, keepers))
    if not any(_is_sampler(graph, node) for node in live):
        live = frozenset(graph)
    samplers = tuple(node for node in graph if node in live and _is_sampler(graph, node))
    firsts = tuple(node for node in samplers if not set(upstream(graph, [node])) & (set(samplers) - {node}))
    return Anatomy(graph, tuple(keepers), live, samplers, firsts or samplers)


def _is_sampler(graph: Graph, node: str) -> bool:
    """A node samples if it takes a latent picture, and conditioning or a guider."""
    inputs = graph[node]["inputs"]
    return "latent_image" in inputs and bool({"positive", "guider"} & inputs.keys())


def picture_line(graph: Graph, start: str | None) -> Iterator[str]:
    """*start* and, one after the other, the nodes its picture comes through."""
    node, seen = start, set[str]()
    while node is not None and node not in seen:
        yield node
        seen.add(node)
        feeding = dict(sources(graph, node))
        names = [name for name in _PICTURES if name in feeding]
        names += [name for name in feeding if name not in _NO_PICTURES]
        node = feeding[names[0]] if names else None
