"""The model files that a graph loads."""

from __future__ import annotations

from catalog_imagegen.stages.workflow.graph import Graph, is_link
from catalog_imagegen.stages.workflow.parsing import anatomy_of
from catalog_imagegen.stages.workflow.points import Workflow

SUFFIXES = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".gguf")
_NAMES = ("lora_name",)
"""Inputs that name a model file whatever it is called."""


def model_files(workflow: Workflow, graph: Graph | None = None) -> tuple[str, ...]:
    """The names of the files that a workflow, or its *graph* with values bound, loads; sorted."""
    bound = workflow.graph if graph is None else graph
    values = (
        value
        for node in anatomy_of(workflow).live
        for name, value in bound[node]["inputs"].items()
        if not is_link(value) and isinstance(value, str) and (name in _NAMES or _is_model(value))
    )
    return tuple(sorted(set(values)))


def _is_model(value: str) -> bool:
    return value.lower().endswith(SUFFIXES)
