"""Makes all files that places in listings ask for of one render, decoding it once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from PIL import Image

from catalog_imagegen.domain.design import PLAIN, Design
from catalog_imagegen.domain.imaging import Placement, Render
from catalog_imagegen.pipeline.compliance import forbids_text, text_on_picture
from catalog_imagegen.pipeline.finishing import Finish, SideBySide
from catalog_imagegen.pipeline.ground import Ground
from catalog_imagegen.pipeline.ports import BlobStore, Previews
from catalog_imagegen.stages.label import (
    CLEANED,
    COMPOSITE,
    TRAINED,
    aigc_text,
    as_xml,
    judge_labels,
    packet,
    read_labels,
)
from catalog_imagegen.stages.rendition import Marks, Rendition, adapt, file_shape, open_render
from catalog_imagegen.stages.verdict import judge_file

LETTERING_VERSION = 1
"""Of the stage that writes on pictures, which is loaded only where something is written."""
PRODUCT_VERSION = 1
"""Of the stage that changes what is behind a product."""
VERSIONS = (LETTERING_VERSION, PRODUCT_VERSION)
"""Of all steps, besides the rendition itself, that have a hand in a file."""

LONGEST_LABEL = 10_000
"""Signs of a label that is passed on, as it is written; ours have 400. A JPEG takes 64 KB of metadata at most, and what is longer is none."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made of one render, in a form that can travel to another process."""

    render: Render
    placements: tuple[Placement, ...]
    producer: str = ""
    """Who is named as the maker in the labels of generated pictures."""
    design: Design = PLAIN


Developed = tuple[Rendition, ...]


class Credentials(Protocol):
    """Signs files for whoever made them; the last that happens to a file."""

    @property
    def name(self) -> str:
        """Who signs: another one signs every file again."""
        ...

    @property
    def room(self) -> int:
        """Bytes that signing adds at most."""
        ...

    def sign(self, content: bytes, kind: str, source_type: str) -> bytes:
        """The signed file."""
        ...


class Darkroom(Protocol):
    """Makes files of renders, maybe elsewhere: encoding is work for all processors."""

    @property
    def ahead(self) -> int:
        """How many orders it is best given before the result of the first one is asked for."""
        ...

    def begin(self, order: Order) -> Callable[[], Developed | None]:
        """Start with an order; what is returned waits for its files, None where the render's bytes are lost."""
        ...


@dataclass(frozen=True, slots=True)
class DarkroomHere:
    """A darkroom that makes the files when they are asked for."""

    blobs: BlobStore
    previews: Previews | None = None
    credentials: Credentials | None = None
    ahead: int = 0

    def begin(self, order: Order) -> Callable[[], Developed | None]:
        """See the port."""
        return lambda: self.fill(order)

    def fill(self, order: Order) -> Developed | None:
        """Make the files now; None where the render's bytes are lost."""
        pair = order.design.pair
        try:
            content = self.blobs.get(order.render.digest)
            second = self.blobs.get(pair.second.digest) if pair else b""
        except FileNotFoundError:
            return None
        return develop(content, order, self.previews, self.credentials, second=second)


def develop(
    content: bytes,
    order: Order,
    previews: Previews | None = None,
    credentials: Credentials | None = None,
    *,
    second: bytes = b"",
) -> Developed:
    """The files of an order, each with what is wrong with it. Places that ask for the same file share its bytes.

    *second* is the other picture of a comparison.
    """
    image = _opened(content, order.render, previews)
    ground: Ground | SideBySide = Ground(image)
    if pair := order.design.pair:
        ground = SideBySide(image, _opened(second, pair.second, previews), pair)
    labels = _labels([content, second] if second else [content], order)
    marks = Marks(packet(*labels), is_placeholder=order.render.placeholder)
    bench = _Bench(ground, order.design, marks, credentials, labels[1])
    made: dict[Placement, Rendition] = {}
    is_generated = bool(labels[0])
    for placement in order.placements:
        shape = file_shape(placement)
        if shape not in made:
            wanted = placement if is_generated else replace(placement, visible_label="never")
            made[shape] = bench.made(wanted)
    return tuple(
        _judged(made[file_shape(each)], each, order.design, is_generated=is_generated)
        for each in order.placements
    )


def _opened(content: bytes, render: Render, previews: Previews | None) -> Image.Image:
    image = open_render(content)
    if previews is not None:
        previews.keep(render.digest, image)
    return image


@dataclass(frozen=True, slots=True)
class _Bench:
    """What all files of an order have in common."""

    ground: Ground | SideBySide
    design: Design
    marks: Marks
    credentials: Credentials | None
    source_type: str

    def made(self, placement: Placement) -> Rendition:
        """The file of a placement, signed where somebody signs; the cap is on what it is then."""
        if self.credentials is None:
            return self._adapted(placement)
        smaller = replace(placement, max_bytes=max(1, placement.max_bytes - self.credentials.room))
        made = self._adapted(smaller)
        signed = self.credentials.sign(made.content, placement.format, self.source_type)
        return replace(made, content=signed)

    def _adapted(self, placement: Placement) -> Rendition:
        """One that is too narrow for its label or its texts fails, and is made without."""
        found, finish = self.ground.prepared(placement), Finish(self.design, placement)
        drawing = finish.draw if finish.is_needed else None
        made = adapt(found.negative, placement, marks=self.marks, frame=found.frame, finish=drawing)
        return replace(made, verdicts=(*found.verdicts, *finish.verdicts))


def _labels(contents: Sequence[bytes], order: Order) -> tuple[str, str]:
    """AIGC label and source type of every file of these renders: those they came with, or ours. Never two.

    A photo is no machine's work: cleaned of its background it gets no AIGC label, unless it says itself that it is one.
    What a camera says of a photo says nothing of the scene around it.
    """
    found = [read_labels(content) for content in contents]
    origin = order.design.origin(order.render)
    aigc = [label.text for each in found for label in each.aigc if _is_carried(label.text)]
    types = [kind for each in found for kind in each.source_types if _is_carried(kind)]
    if origin in _SOURCE_TYPES:
        types = [kind for kind in types if _is_machines(kind)] if origin == "photo" else []
    if origin == "photo" and not aigc and not types:
        return "", CLEANED
    ours = aigc_text(producer=order.producer, produce_id=order.render.render_key)
    return next(iter(aigc), ours), next(iter(types), _SOURCE_TYPES.get(origin, TRAINED))


def _is_machines(source_type: str) -> bool:
    return source_type.casefold().endswith("trainedalgorithmicmedia")


_SOURCE_TYPES = {"photo": TRAINED, "composite": COMPOSITE}
"""What is said of a photo is for one that a machine made."""


def _is_carried(text: str) -> bool:
    """Whether a label says anything, and is short enough to be one."""
    return 0 < len(as_xml(text).strip()) <= LONGEST_LABEL


def _judged(made: Rendition, placement: Placement, design: Design, *, is_generated: bool) -> Rendition:
    labels = judge_labels(made.content, is_generated=is_generated)
    found = [*made.verdicts, *judge_file(made.content, placement), *labels]
    severity = forbids_text(placement)
    if design.words and severity is not None:
        found += text_on_picture(design.words, severity)
    return replace(made, verdicts=tuple(found))
