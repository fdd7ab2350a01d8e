"""Finds points by following the links back from the picture that is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from catalog_imagegen.stages.workflow.anatomy import Anatomy, picture_line
from catalog_imagegen.stages.workflow.graph import Graph, Place, source, sources, text_at, typed_at, upstream
from catalog_imagegen.stages.workflow.points import REFERENCES, Echo, Point

TRACING = "tracing"
CARRIERS: Mapping[str, tuple[str, ...]] = {
    "positive": ("text", "prompt", "value"),
    "negative": ("text", "prompt", "value"),
    "seed": ("seed", "noise_seed", "value"),
    "width": ("width", "value"),
    "height": ("height", "value"),
    "steps": ("steps", "value"),
    "cfg": ("cfg", "cfg_conds", "value"),
    "filename_prefix": ("filename_prefix", "value"),
    "sampler": ("sampler_name", "value"),
    "scheduler": ("scheduler", "value"),
    "denoise": ("denoise", "value"),
    "shift": ("shift", "value"),
    "batch": ("batch_size", "amount", "value"),
    **dict.fromkeys(REFERENCES, ("image", "value")),
    "lora": ("lora_name", "value"),
    "lora_strength": ("strength_model", "strength", "value"),
}
"""The inputs of a node that carry each point's value, tried in this order."""
_TEXTUAL = frozenset({"sampler", "scheduler", "lora", "filename_prefix", *REFERENCES})
_ENCODED = ("text", "prompt", "user_prompt", "text_g", "text_l", "t5xxl", "clip_l", "clip_g", "llama")
"""What text encoders call their texts; those with several want the same in each."""
_ZERO_OUT = "ConditioningZeroOut"
_CONDITIONING = frozenset({"positive", "negative", "conditioning", "cond1", "cond2"})
_PICTURE = frozenset({"image", "images", "pixels", "samples", "latent", "latent_image", "mask"})
_NO_TEXT = _PICTURE | {"model", "clip", "vae", "control_net", "clip_vision_output", "style_model"}
_ENTRIES: Mapping[str, str] = {
    "seed": "noise",
    "steps": "sigmas",
    "scheduler": "sigmas",
    "denoise": "sigmas",
    "sampler": "sampler",
    "cfg": "guider",
}
"""Where a custom sampler gets a value from that others have themselves."""
_RESIZERS: Mapping[str, str] = {
    "LatentUpscaleBy": "scale_by",
    "ImageScaleBy": "scale_by",
    "UltimateSDUpscale": "upscale_by",
    "ImageUpscaleWithModel": "",
    "ImageScaleToTotalPixels": "",
    "ImageScaleToMaxDimension": "",
    "FluxKontextImageScale": "",
    "ImageStitch": "",
    "ImagePadForOutpaint": "",
}
"""Nodes after which a picture has another size than it came with; the input that says how many times larger."""
_EXACT = frozenset({"LatentUpscaleBy", "ImageScaleBy"})
"""Those that multiply both sides and do nothing else: ComfyUI's nodes.py, ``round(side * scale_by)``."""


def is_text(point: str) -> bool:
    """Whether a point takes a prompt."""
    return point in ("positive", "negative")


def place_of(graph: Graph, node: str, name: str, point: str) -> Place:
    """Where the value of a node's input is typed, as far as it can be a value of this point."""
    if is_text(point):
        return text_at(graph, node, name)
    names = [n for n in CARRIERS[point] if n != "value"]
    return typed_at(graph, node, name, alike=names, is_text=point in _TEXTUAL)


class Tracer:
    """Looks for points in one graph."""

    def __init__(self, anatomy: Anatomy) -> None:
        self._anatomy = anatomy
        self._graph = anatomy.graph
        self._line = anatomy.picture_line()
        self._ways: Mapping[str, Callable[[str], Point | None]] = {
            "positive": self._text,
            "negative": self._text,
            "width": self._size,
            "height": self._size,
            "batch": self._batch,
            "shift": self._of_model,
            "lora": self._lora,
            "lora_strength": self._lora,
            "reference": self._reference,
        }

    def find(self, point: str) -> Point | None:
        """Where the links lead to; None where they do not, or to several places alike."""
        way = self._ways.get(point, self._sampling if point in _ENTRIES else _nowhere)
        return way(point)

    def resizers(self) -> list[str]:
        """The nodes that change the size of the picture after it was set."""
        return [node for node in self._before_size() if self._is_resizer(node)]

    def enlarges(self) -> Fraction | None:
        """How many times larger the picture becomes after its size was set; None where no graph can tell."""
        resizers = self.resizers()
        if not resizers:
            return Fraction(1)
        # Two in a row round twice, and then not every size comes out as it should.
        return self._factor(resizers[0]) if len(resizers) == 1 else None

    def _factor(self, node: str) -> Fraction | None:
        kind = self._graph[node]["class_type"]
        if kind not in _EXACT or _RESIZERS[kind] not in self._graph[node]["inputs"]:
            return None
        where, name = typed_at(self._graph, node, _RESIZERS[kind])
        if where != node and not self._graph[where]["class_type"].startswith("Primitive"):
            return None
        value = self._graph[where]["inputs"][name]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return Fraction(str(value)) if is_number and value > 0 else None

    def begins_with_picture(self) -> bool:
        """Whether the picture is made from another, whose size it takes."""
        return bool(self._line) and is_load_image(self._graph, self._line[-1])

    def encoded(self, sampler: str, side: str) -> list[Place]:
        """The places of the texts that one side of a sampler hears, nearest first."""
        return [place for node in self._encoders(sampler, side) for place in self._texts(node, side)]

    # Texts

    def _text(self, side: str) -> Point | None:
        first = self._anatomy.first
        if first is None or not (found := self._encoders(first, side)):
            return None
        (node, name), *others = self._texts(found[0], side)
        if side == "negative" and (node, name) in self.encoded(first, "positive"):
            return None  # one text on both sides: binding this one would replace the prompt
        for sampler in self._anatomy.samplers:
            others += [
                place for place in self.encoded(sampler, side) if self._says_the_same(place, (node, name))
            ]
        echoes = dict.fromkeys(place for place in others if place != (node, name))
        return Point(node, name, TRACING, tuple(Echo(*place) for place in echoes))

    def _says_the_same(self, place: Place, other: Place) -> bool:
        """Whether a text is typed twice: a refining sampler is often given a copy of the prompt."""
        one, two = (self._graph[node]["inputs"][name] for node, name in (place, other))
        return isinstance(one, str) and one != "" and one == two

    def _encoders(self, sampler: str, side: str) -> list[str]:
        """The text encoders that one side hears, nearest first; not those whose text is zeroed."""
        start = self._side_of(sampler, side)
        queue = [start] if start is not None else []
        found = []
        for node in queue:  # grows on the way
            if self._texts(node, side):
                found.append(node)
            elif self._graph[node]["class_type"] != _ZERO_OUT:
                queue += [feeding for feeding in self._heard(node, side) if feeding not in queue]
        return found

    def _side_of(self, sampler: str, side: str) -> str | None:
        """The node that a side of a sampler, or of its guider, is linked to."""
        names = ("positive", "cond1", "conditioning") if side == "positive" else ("negative",)
        guiders = upstream(
            self._graph, [source(self._graph, sampler, "guider")], skip=_CONDITIONING | _NO_TEXT
        )
        found = (source(self._graph, node, name) for node in (sampler, *guiders) for name in names)
        return next((node for node in found if node is not None), None)

    def _heard(self, node: str, side: str) -> list[str]:
        """What a node that has no text of its own passes on; of a node with two sides only what feeds *side*."""
        if side in self._graph[node]["inputs"]:
            feeding = source(self._graph, node, side)
            return [] if feeding is None else [feeding]
        fed = list(sources(self._graph, node, skip=_NO_TEXT))
        return [feeding for name, feeding in fed if name.startswith("cond")] or [
            feeding for _, feeding in fed
        ]

    def _texts(self, node: str, side: str) -> list[Place]:
        """Where the texts of an encoder are typed; none for a node that only passes conditioning on."""
        inputs = self._graph[node]["inputs"]
        if isinstance(inputs.get(side), str):
            return [(node, side)]
        if any(name.startswith("cond") for name, _ in sources(self._graph, node)):
            return []
        return list(dict.fromkeys(text_at(self._graph, node, name) for name in _ENCODED if name in inputs))

    # Numbers and choices of the sampler

    def _sampling(self, point: str) -> Point | None:
        first = self._anatomy.first
        if first is None:
            return None
        entry = source(self._graph, first, _ENTRIES[point])
        found = self._nearest(point, [first, *upstream(self._graph, [entry], skip=_CONDITIONING | _NO_TEXT)])
        return found or (self._only(point, self._anatomy.live) if point == "seed" else None)

    def _of_model(self, point: str) -> Point | None:
        return self._nearest(point, self._model_nodes())

    def _model_nodes(self) -> list[str]:
        """What the model comes through on its way to the sampler, nearest first."""
        first = self._anatomy.first
        if first is None:
            return []
        skip = _CONDITIONING | _PICTURE | {"clip", "vae"}
        guiders = upstream(self._graph, [source(self._graph, first, "guider")], skip=skip | {"model"})
        starts = [source(self._graph, node, "model") for node in (first, *guiders)]
        return upstream(self._graph, starts, skip=skip)

    def _nearest(self, point: str, nodes: Sequence[str]) -> Point | None:
        return next(self._carrying(point, nodes), None)

    def _carrying(self, point: str, nodes: Sequence[str]) -> Iterator[Point]:
        for node in nodes:
            inputs = self._graph[node]["inputs"]
            name = next((n for n in CARRIERS[point] if n != "value" and n in inputs), None)
            if name is not None:
                yield Point(*place_of(self._graph, node, name, point), TRACING)

    def _only(self, point: str, nodes: Collection[str]) -> Point | None:
        """What the only node has that carries a point; of several nobody can say which is meant."""
        found = list(self._carrying(point, [node for node in self._graph if node in nodes]))
        return found[0] if len(found) == 1 else None

    def _lora(self, point: str) -> Point | None:
        return self._only(
            point, [node for node in self._model_nodes() if "lora_name" in self._graph[node]["inputs"]]
        )

    # The picture's way

    def _size(self, point: str) -> Point | None:
        """At the node that sets the size of what is saved; those before it keep their proportion to it."""
        sized = [node for node in self._sized() if point in self._graph[node]["inputs"]]
        if not sized:
            return None
        node, name = place_of(self._graph, sized[0], point, point)
        echoes = []
        for other in sized[1:]:
            place = place_of(self._graph, other, point, point)
            whole, part = self._number((node, name)), self._number(place)
            if place != (node, name) and whole and part:
                echoes.append(Echo(*place, part / whole))
        return Point(node, name, TRACING, tuple(dict.fromkeys(echoes)))

    def _sized(self) -> list[str]:
        """The nodes with a width or a height, nearest to the saved picture first."""
        found = [node for node in self._line if self._has_size(node)]
        measured = source(self._graph, found[0], "width") if found else None
        if measured is not None and self._graph[measured]["class_type"].startswith("GetImageSize"):
            # the size is read off another picture, so it is set where that one gets it
            found = [n for n in picture_line(self._graph, measured) if self._has_size(n)] or found
        return found

    def _has_size(self, node: str) -> bool:
        return bool({"width", "height"} & self._graph[node]["inputs"].keys())

    def _before_size(self) -> list[str]:
        sized = next((i for i, node in enumerate(self._line) if self._has_size(node)), 0)
        return self._line[:sized]

    def _is_resizer(self, node: str) -> bool:
        factor = _RESIZERS.get(self._graph[node]["class_type"])
        return factor is not None and not _is_one(self._graph[node]["inputs"].get(factor))

    def _number(self, place: Place) -> float:
        value: Any = self._graph[place[0]]["inputs"][place[1]]
        return value if isinstance(value, int | float) and value > 0 else 0

    def _batch(self, point: str) -> Point | None:
        """How many pictures are made at once; where several nodes say it, at each of them."""
        live = [node for node in self._graph if node in self._anatomy.live]
        counting = [node for node in live if self._counts(node)]
        places = list(dict.fromkeys((at.node, at.input) for at in self._carrying(point, counting)))
        return Point(*places[0], TRACING, tuple(Echo(*place) for place in places[1:])) if places else None

    def _counts(self, node: str) -> bool:
        body = self._graph[node]
        makes_latents = {"batch_size", "width"} <= body["inputs"].keys()
        return makes_latents or str(body["class_type"]).startswith("Repeat")

    def _reference(self, point: str) -> Point | None:
        """The only picture that is loaded."""
        return self._only(point, [node for node in self._anatomy.live if is_load_image(self._graph, node)])


def is_load_image(graph: Graph, node: str) -> bool:
    """Whether a node reads a picture from the server's input folder."""
    body = graph[node]
    is_loader = body["class_type"].startswith("LoadImage") and "Mask" not in body["class_type"]
    return is_loader and isinstance(body["inputs"].get("image"), str)


def _is_one(value: object) -> bool:
    return isinstance(value, int | float) and value == 1


def _nowhere(_point: str) -> None:
    """Points that links do not lead to."""
