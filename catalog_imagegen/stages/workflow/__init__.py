"""Finds the input points of a ComfyUI graph and binds values to them, never by hard-coded id."""

from catalog_imagegen.stages.workflow.gates import Gate, gates, unmet
from catalog_imagegen.stages.workflow.models import model_files
from catalog_imagegen.stages.workflow.parsing import parse_workflow
from catalog_imagegen.stages.workflow.points import (
    POINTS,
    REFERENCES,
    REQUIRED,
    VERSION,
    BoundGraph,
    Echo,
    Point,
    RenderKeys,
    Workflow,
    render_key,
)
from catalog_imagegen.stages.workflow.remarks import Remark, remarks

__all__ = [
    "POINTS",
    "REFERENCES",
    "REQUIRED",
    "VERSION",
    "BoundGraph",
    "Echo",
    "Gate",
    "Point",
    "Remark",
    "RenderKeys",
    "Workflow",
    "gates",
    "model_files",
    "parse_workflow",
    "remarks",
    "render_key",
    "unmet",
]
