"""What a graph needs and a server has not: nodes, model files, values of choices."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FOLDERS = {
    "unet_name": "diffusion_models",
    "clip_name": "text_encoders",
    "clip_name1": "text_encoders",
    "clip_name2": "text_encoders",
    "clip_name3": "text_encoders",
    "clip_name4": "text_encoders",
    "vae_name": "vae",
    "lora_name": "loras",
    "ckpt_name": "checkpoints",
    "control_net_name": "controlnet",
    "style_model_name": "style_models",
    "ModelPatchLoader.name": "model_patches",
    "UpscaleModelLoader.model_name": "upscale_models",
    "CLIPVisionLoader.clip_name": "clip_vision",
}
"""The folder below ``models/`` that an input names files of, by class and input or by input alone."""
_UPLOADED = re.compile(r"(?:.*/)?[0-9a-f]{64}\.(?:jpg|png|webp)")
"""What our own photos are called on a server: they are brought there before the graph is."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A node, or a value of one of its inputs, that a graph needs and a server has not."""

    what: str
    """``Class``, or ``Class.input = value``."""
    message_en: str
    message_zh: str
    remedy_en: str
    remedy_zh: str

    def __str__(self) -> str:
        return f"{self.message_en}: {self.remedy_en}"


def missing_inputs(graph: Mapping[str, Any], infos: Mapping[str, Mapping[str, Any] | None]) -> list[Missing]:
    """The nodes and model files of a graph that a server has not, each with what to do."""
    problems = {}
    for node in graph.values():
        class_type = node["class_type"]
        info = infos.get(class_type)
        if info is None:
            problems[class_type] = _missing_node(class_type)
            continue
        for name, value in node["inputs"].items():
            options = _options(info, name)
            if options is None or isinstance(value, list) or str(value) in options:
                continue
            if is_picture(info, name):
                if _UPLOADED.fullmatch(str(value)):
                    continue
                problem = _missing_picture(class_type, name, str(value))
            else:
                problem = _missing_value(class_type, name, str(value), options)
            problems[problem.what] = problem
    return list(problems.values())


def is_picture(info: Mapping[str, Any], name: str) -> bool:
    """Whether an input takes the name of a file in the server's input folder."""
    spec = _spec(info, name)
    return len(spec) > 1 and isinstance(spec[1], Mapping) and bool(spec[1].get("image_upload"))


def _missing_node(class_type: str) -> Missing:
    return Missing(
        class_type,
        f"no node {class_type}",
        f"没有节点 {class_type}",
        "update ComfyUI or install the custom node that brings it",
        "请升级 ComfyUI，或安装提供该节点的自定义节点",
    )


def _missing_picture(class_type: str, name: str, value: str) -> Missing:
    return Missing(
        f"{class_type}.{name} = {value}",
        f"no picture {value} in its input folder",
        f"input 文件夹中没有图片 {value}",
        'upload it there; or, if it stands for the photo of a product, title its node "reference"',
        "请把图片上传到该处；若此处应为商品照片，请把该节点的标题改为 reference",
    )


def _missing_value(class_type: str, name: str, value: str, options: list[str]) -> Missing:
    near = difflib.get_close_matches(value, options, n=3, cutoff=0.5) or options[:5]
    folder = _FOLDERS.get(f"{class_type}.{name}") or _FOLDERS.get(name)
    return Missing(
        f"{class_type}.{name} = {value}",
        f"no {value} for {class_type}.{name} (it has: {', '.join(near) or 'none'})",
        f"{class_type}.{name} 没有 {value}（现有：{'、'.join(near) or '无'}）",
        (f"put it into models/{folder} there" if folder else "choose one it has")
        + ", or change the workflow",
        (f"请把文件放入服务器的 models/{folder}" if folder else "请选用已有的值") + "，或修改工作流",
    )


def _options(info: Mapping[str, Any], name: str) -> list[str] | None:
    """The values a choice input takes; ComfyUI writes them in two shapes."""
    spec = _spec(info, name)
    if not spec:
        return None
    if isinstance(spec[0], list):
        return [str(option) for option in spec[0]]
    if spec[0] == "COMBO" and len(spec) > 1:
        return [str(option) for option in spec[1].get("options", ())]
    return None


def _spec(info: Mapping[str, Any], name: str) -> list[Any]:
    """How a server declares an input: its type and its options; empty for one it does not have."""
    inputs = info.get("input", {})
    found: list[Any] = inputs.get("required", {}).get(name) or inputs.get("optional", {}).get(name) or []
    return found
