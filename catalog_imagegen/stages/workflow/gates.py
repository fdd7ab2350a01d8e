"""Since which version ComfyUI can do what a graph asks of it, where its lists of nodes and files do not tell."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from catalog_imagegen.stages.workflow.models import model_files
from catalog_imagegen.stages.workflow.points import Workflow

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """A feature and the first release of ComfyUI that has it."""

    feature: str
    since: Version
    is_used: Callable[[frozenset[str], str], bool]
    """Of the classes of a graph, and of the names of its model files, a line each."""

    @property
    def version(self) -> str:
        """As people write it."""
        return ".".join(map(str, self.since))


def _names(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda files: compiled.search(files) is not None


_z_image = _names(r"z[-_]image")
_CONTROL = {"QwenImageDiffsynthControlnet", "ZImageFunControlnet"}
_LORAS = {"LoraLoader", "LoraLoaderModelOnly"}

# Versions: observed on 0.3.75 and 0.33.0, and read from release notes. Which first had the reference method of
# Qwen-Image-Edit-2511 is Comfy-Org/ComfyUI#11340 (2025-12-16); the official template of that model was saved by 0.5.1.
GATES = (
    Gate("Z-Image", (0, 3, 74), lambda _, files: _z_image(files)),
    Gate("LoRA of Z-Image", (0, 3, 76), lambda classes, files: _z_image(files) and bool(classes & _LORAS)),
    Gate(
        "Fun ControlNet of Z-Image",
        (0, 4, 0),
        lambda classes, files: _z_image(files) and bool(classes & _CONTROL),
    ),
    Gate(
        "Fun ControlNet 2 of Z-Image",
        (0, 5, 0),
        lambda _, files: _names(r"z[-_]image.*controlnet-union-2")(files),
    ),
    Gate("Qwen-Image-Edit-2511", (0, 5, 1), lambda _, files: _names(r"edit[-_]2511")(files)),
    Gate("SaveImageAdvanced", (0, 23, 0), lambda classes, _: "SaveImageAdvanced" in classes),
)


def gates(workflow: Workflow) -> list[Gate]:
    """The gates a workflow must pass, the strictest last."""
    classes = frozenset(body["class_type"] for body in workflow.graph.values())
    files = "\n".join(model_files(workflow))
    return sorted((gate for gate in GATES if gate.is_used(classes, files)), key=lambda gate: gate.since)


def unmet(workflow: Workflow, version: Version) -> list[Gate]:
    """The gates that a server of this version does not pass; none where it does not say its version."""
    padded = (*version, 0, 0, 0)[: max(3, len(version))]
    return [gate for gate in gates(workflow) if version and padded < gate.since]
