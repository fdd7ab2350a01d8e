"""The node classes the simulator knows, declared as each version of ComfyUI declares them in /object_info."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

Graph = dict[str, Any]

ASPECT_RATIOS = {
    "1:1 (Square)": (1, 1),
    "2:3 (Portrait Photo)": (2, 3),
    "3:2 (Photo)": (3, 2),
    "3:4 (Portrait Standard)": (3, 4),
    "4:3 (Standard)": (4, 3),
    "9:16 (Portrait Widescreen)": (9, 16),
    "16:9 (Widescreen)": (16, 9),
    "21:9 (Ultrawide)": (21, 9),
}

DEFAULT_MODELS: Mapping[str, Sequence[str]] = {
    "checkpoints": (),
    "controlnet": (),
    "diffusion_models": (
        "qwen_image_edit_2511_bf16.safetensors",
        "qwen_image_edit_2511_fp8mixed.safetensors",
        "z_image_bf16.safetensors",
        "z_image_turbo_bf16.safetensors",
    ),
    "loras": (
        "Qwen-Image-Edit-2511-Lightning-4steps-V1.0-bf16.safetensors",
        "z_image_turbo_product_v1.safetensors",
    ),
    "model_patches": ("Z-Image-Turbo-Fun-Controlnet-Union.safetensors",),
    "text_encoders": ("qwen_2.5_vl_7b_fp8_scaled.safetensors", "qwen_3_4b.safetensors"),
    "vae": ("ae.safetensors", "qwen_image_vae.safetensors"),
}
FOLDER_ALIASES = {"unet": "diffusion_models", "clip": "text_encoders"}
BUILT_IN = {"vae": ("pixel_space",)}  # offered beside the files


@dataclass(frozen=True)
class NodeClass:
    """One node class: what it takes, what it returns, how a front-end shows it."""

    output: Sequence[str]
    category: str
    required: Mapping[str, list[Any]] = field(default_factory=dict)
    optional: Mapping[str, list[Any]] = field(default_factory=dict)
    display_name: str | None = ""
    """Nothing where it is the class's own name."""
    output_node: bool = False
    output_name: Sequence[str] = ()
    python_module: str = "nodes"
    experimental: bool = False
    is_schema: bool = False
    """It is written in the newer of ComfyUI's two ways, and described with more keys."""


def model_choices(models: Mapping[str, Sequence[str]] | None) -> dict[str, list[str]]:
    """Lay the given model files over the default ones; "unet" and "clip" name the folders as of old."""
    chosen = {folder: list(names) for folder, names in DEFAULT_MODELS.items()}
    for folder, names in (models or {}).items():
        chosen[FOLDER_ALIASES.get(folder, folder)] = list(names)
    return chosen


@lru_cache(maxsize=2)
def _declared(version: str) -> Any:
    """Read the declarations of a ComfyUI version; "@name" in them stands for a list of choices."""
    return json.loads((files(__package__) / "declared" / f"{version}.json").read_text(encoding="utf-8"))


def node_classes(
    version: str, models: Mapping[str, Sequence[str]], input_files: Sequence[str] = ()
) -> dict[str, NodeClass]:
    """Declare every node class of *version*, with these files as choices."""
    declared = _declared(version)
    lists: dict[str, list[str]] = {**declared["lists"], "input": list(input_files)}
    for folder, names in models.items():
        lists[folder] = [*sorted(names), *BUILT_IN.get(folder, ())]
    return {name: NodeClass(**_filled(node, lists)) for name, node in declared["classes"].items()}


def _filled(part: Any, lists: Mapping[str, list[str]]) -> Any:
    """Copy a declaration with every "@name" replaced by its list."""
    if isinstance(part, dict):
        return {key: _filled(value, lists) for key, value in part.items()}
    if isinstance(part, list):
        return [_filled(value, lists) for value in part]
    return lists.get(part[1:], []) if isinstance(part, str) and part.startswith("@") else part


def describe(name: str, node: NodeClass, *, is_old: bool) -> dict[str, Any]:
    """Show a node class as /object_info does, before 0.33 with fewer keys."""
    inputs: dict[str, Any] = {"required": dict(node.required)}
    if node.optional:
        inputs["optional"] = dict(node.optional)
    if node.output_node:
        inputs["hidden"] = {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"}
    told: dict[str, Any] = {
        "input": inputs,
        "input_order": {group: list(names) for group, names in inputs.items()},
        "output": list(node.output),
        "output_is_list": [False] * len(node.output),
        "output_name": list(node.output_name or node.output),
        "name": name,
        "display_name": name if node.display_name == "" else node.display_name,
        "description": "",
        "python_module": node.python_module,
        "category": node.category,
        "output_node": node.output_node,
    }
    if not is_old:
        told |= {"is_input_list": False, "has_intermediate_output": False, "search_aliases": []}
    if node.is_schema:
        told |= {"output_tooltips": [None] * len(node.output), "deprecated": False, "api_node": False}
        told |= {"experimental": node.experimental}
        told |= {} if is_old else {"output_matchtypes": None, "dev_only": False, "price_badge": None}
    elif node.experimental:
        told["experimental"] = True
    return told
