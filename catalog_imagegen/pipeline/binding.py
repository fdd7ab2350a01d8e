"""PURE: writes the prompt of a picture, binds its graph and names its render."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.fingerprint import Fingerprint, fingerprint
from catalog_imagegen.domain.imaging import (
    NO_PROMPT,
    FromPhoto,
    ImageKey,
    ImageRole,
    Smaller,
    Take,
    Wanted,
    seed_for,
)
from catalog_imagegen.pipeline.album import Album, Means
from catalog_imagegen.pipeline.quoting import write_within
from catalog_imagegen.pipeline.studio import VERSION as STUDIO
from catalog_imagegen.stages.prompt import PromptBook
from catalog_imagegen.stages.workflow import REFERENCES, BoundGraph, RenderKeys, Workflow, model_files


@dataclass(frozen=True, slots=True)
class Subject:
    """What pictures are of: a SKU, or an SPU spoken for by one of its variants."""

    id: str
    product: Product
    order: int


@dataclass(frozen=True, slots=True)
class Ask:
    """One picture to be asked for, before its prompt is written."""

    key: ImageKey
    subject: Subject
    role: ImageRole
    item_text: str
    slot: int
    platforms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Bench:
    """What all pictures of a role have in common, made once."""

    workflow: Workflow
    graph: Mapping[str, Any]
    """With the values bound that do not depend on the product."""
    models: tuple[str, ...]
    keys: RenderKeys
    made_of: Mapping[str, str]
    """Ingredients that all have: the role's own inputs, its size, its workflow."""
    needs: frozenset[str]
    prefix_at: tuple[str, str]


def bench_for(role: ImageRole, workflow: Workflow) -> Bench:
    """What all pictures of a role are bound on."""
    values = {"width": role.width, "height": role.height, "batch": 1, **role.inputs}
    graph = workflow.bind(values)
    names = ["positive", "negative", "seed", *(REFERENCES if role.reference else ())]
    marks = {name: f"{_MARK}{name}" for name in names}
    keys = RenderKeys(workflow.bind(marks, onto=graph), marks)
    made_of = {
        "size": f"{role.width}x{role.height}",
        f"workflow:{role.workflow}.json": workflow.digest,
        "inputs": fingerprint("inputs", 1, dict(role.inputs))[:12],
    }
    prefix = workflow.points["filename_prefix"]
    return Bench(
        workflow,
        graph,
        model_files(workflow, graph),
        keys,
        made_of,
        frozenset(role.needs),
        (prefix.node, prefix.input),
    )


_MARK = "\ue000"
"""Of a private use: it begins the text that stands where a value goes that differs from picture to picture."""


def bind(ask: Ask, prompts: PromptBook, take: Take, bench: Bench, album: Album) -> Wanted:
    """Write the prompt, bind the graph and name the render. Raises PromptError and PhotoError."""
    role, product, workflow = ask.role, ask.subject.product, bench.workflow
    means = album.means(role, product, workflow)
    if means.source == "cutout":
        return _cut_out(ask, take, means)
    in_scene = means.source == "composite"
    written = write_within(
        role, product, item=ask.item_text, note=take.note, prompts=prompts, in_scene=in_scene
    )
    seed = seed_for(ask.key, take)
    values = {
        "positive": written.prompt.positive,
        "negative": written.prompt.negative,
        "seed": seed,
        **{point: photo.file_name for point, photo in means.points.items()},
    }
    digests = tuple(photo.digest for photo in means.points.values())
    key = bench.keys.of(values, take=take.number, pictures=digests)
    from_photo = _in_scene(means, key, role) if in_scene else None
    return Wanted(
        *_about(ask, take),
        prompt=written.prompt,
        graph=BoundGraph(workflow.points, values, bench.graph),
        prefix_at=bench.prefix_at,
        render_key=_render_key(from_photo) if from_photo else key,
        workflow=role.workflow,
        seed=seed,
        made_of={
            **written.made_of,
            "item": _item_digest(ask.item_text),
            "take": f"{take.number}",
            "seed": f"{seed}",
            **bench.made_of,
            **({"photo": " ".join(name[:12] for name in digests)} if digests else {}),
            **(_made_of_photo(from_photo) if from_photo else {}),
        },
        platforms=ask.platforms,
        family=product.family,
        approval="human" if means.doubt else role.approval,
        pictures={photo.file_name: photo.digest for photo in means.points.values()},
        smaller=tuple(
            Smaller(
                width,
                height,
                BoundGraph(workflow.points, {**values, "width": width, "height": height}, bench.graph),
            )
            for width, height in role.smaller_sizes
        ),
        models=bench.models,
        needs=bench.needs,
        from_photo=from_photo,
        compared=means.photo.original if means.source == "reference" and means.photo else None,
        doubt=means.doubt,
        remarks=(means.remark,) if means.remark else (),
    )


def _cut_out(ask: Ask, take: Take, means: Means) -> Wanted:
    """A picture that is made of a photo alone: another take of it would be the same."""
    role = ask.role
    assert means.photo is not None  # noqa: S101 - a cut-out has one
    from_photo = FromPhoto("cutout", means.photo.original)
    shape = f"{role.width}x{role.height}"
    return Wanted(
        *_about(ask, take),
        prompt=NO_PROMPT,
        graph={},
        prefix_at=("", ""),
        render_key=_render_key(from_photo, shape),
        workflow="",
        seed=seed_for(ask.key, take),
        made_of={**_made_of_photo(from_photo), "size": shape},
        platforms=ask.platforms,
        family=ask.subject.product.family,
        approval=role.approval,
        from_photo=from_photo,
    )


def _about(ask: Ask, take: Take) -> tuple[ImageKey, str, int, int, str, str, Take, int, int]:
    """The first fields of a wanted picture, which are the same whatever it is made of."""
    role, product = ask.role, ask.subject.product
    about = ask.key, ask.item_text, ask.slot, ask.subject.order, product.sku, product.name, take
    return *about, role.width, role.height


def _in_scene(means: Means, scene: Fingerprint, role: ImageRole) -> FromPhoto:
    assert means.photo is not None  # noqa: S101 - a composite has one
    return FromPhoto("composite", means.photo.original, scene, role.room)


def _render_key(of: FromPhoto, shape: str = "") -> Fingerprint:
    """Names a picture that shows a photo: by its bytes, by what is around it, and by how that is done."""
    return fingerprint(of.how, STUDIO, [of.photo, of.scene_key or shape, *of.room])


def _made_of_photo(of: FromPhoto) -> Mapping[str, str]:
    return {"product": of.how, "photo": of.photo[:12]}


@lru_cache(maxsize=20_000)
def _item_digest(text: str) -> str:
    return fingerprint("item", 1, text)[:12]
