"""What is rendered: pictures that no server has cached, because their seeds are new."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from catalog_imagegen.config import defaults
from catalog_imagegen.domain.imaging import FIRST_TAKE, SEED_SPACE, ImageKey, Prompt, Wanted, item_id
from catalog_imagegen.stages.workflow import Workflow, model_files, parse_workflow, render_key

TURBO, BASE = "z_image_turbo", "z_image_base"
"""Shipped workflows that load different models."""
SIZE = 1024
"""Pixels, across and down."""


def new_pictures(count: int, *, workflows: Sequence[str] = (TURBO,), first: int = 0) -> list[Wanted]:
    """So many pictures in catalog order, which take turns in the workflows; *first* is the place of the first one."""
    places = range(first, first + count)
    return [_picture(order, _workflow(workflows[order % len(workflows)])) for order in places]


def saved_as(prefix: str, wanted: Wanted) -> Mapping[str, Any]:
    """The graph of a picture with a file name prefix."""
    node, name = wanted.prefix_at
    body = wanted.graph[node]
    return {**wanted.graph, node: {**body, "inputs": {**body["inputs"], name: prefix}}}


@cache
def _workflow(name: str) -> Workflow:
    path = defaults() / "config" / "workflows" / f"{name}.json"
    return parse_workflow(name, path.read_text(encoding="utf-8"))


def _picture(order: int, workflow: Workflow) -> Wanted:
    seed, text = secrets.randbelow(SEED_SPACE), "a white enamel mug"
    graph = workflow.bind({"positive": text, "seed": seed, "width": SIZE, "height": SIZE})
    prefix = workflow.points["filename_prefix"]
    sku = f"BENCH-{order:04}"
    return Wanted(
        key=ImageKey(f"sku:{sku}", "main", item_id(f"{text} {seed}")),
        item_text=text,
        slot=1,
        order=order,
        sku=sku,
        name=text,
        take=FIRST_TAKE,
        prompt=Prompt(text),
        graph=graph,
        prefix_at=(prefix.node, prefix.input),
        render_key=render_key(graph, take=FIRST_TAKE.number),
        width=SIZE,
        height=SIZE,
        workflow=workflow.name,
        seed=seed,
        models=model_files(workflow, graph),
    )
