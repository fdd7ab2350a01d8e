"""Reads ComfyUI's answers into our words."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog_imagegen.domain.job import Failure, Finished

_OUT_OF_MEMORY = {"OutOfMemoryError", "OOM_EXCEPTION"}
_FOLDERS = {
    "unet_name": "models/diffusion_models",
    "clip_name": "models/text_encoders",
    "vae_name": "models/vae",
    "lora_name": "models/loras",
    "ckpt_name": "models/checkpoints",
}


def version_of(stats: Mapping[str, Any]) -> tuple[tuple[int, ...], str]:
    """The server's version as numbers, empty when it does not say."""
    text = str(stats.get("system", {}).get("comfyui_version", ""))
    parts = text.lstrip("v").split(".")
    return (tuple(int(p) for p in parts) if all(p.isdigit() for p in parts) else ()), text


@dataclass(frozen=True, slots=True)
class Device:
    """What a server computes on, with its memory in bytes."""

    name: str
    vram_total: int
    vram_free: int


@dataclass(frozen=True, slots=True)
class Condition:
    """What a server says of itself; texts are empty where it does not say."""

    version: str
    is_simulator: bool
    torch: str
    devices: tuple[Device, ...]
    running: int
    """Prompts being executed, whoever sent them."""
    pending: int


def condition(stats: Mapping[str, Any], running: int, pending: int) -> Condition:
    """What /system_stats says, with the length of the queue."""
    system = stats.get("system", {})
    devices = tuple(
        Device(str(d.get("name", "?")), int(d.get("vram_total") or 0), int(d.get("vram_free") or 0))
        for d in stats.get("devices") or ()
    )
    return Condition(
        version=str(system.get("comfyui_version") or ""),
        is_simulator=bool(system.get("simulator")),
        torch=str(system.get("pytorch_version") or ""),
        devices=devices,
        running=running,
        pending=pending,
    )


def outcome(entry: Mapping[str, Any]) -> Finished | Failure:
    """What a history entry says. "success" without a picture is a failure."""
    status = entry.get("status") or {}
    events = dict(status.get("messages", ()))
    if status.get("status_str") != "success":
        return _failure(events)
    started = events.get("execution_start", {}).get("timestamp", 0)
    finished = events.get("execution_success", {}).get("timestamp", 0)
    images = [image for output in entry.get("outputs", {}).values() for image in output.get("images", ())]
    kept = [image for image in images if image.get("type") == "output"] or images
    if not kept:
        return Failure("no_picture", "the server reports success, but no picture")
    return Finished(
        {key: str(kept[0].get(key, "")) for key in ("filename", "subfolder", "type")}, started, finished
    )


def _failure(events: Mapping[str, Mapping[str, Any]]) -> Failure:
    if (error := events.get("execution_error")) is not None:
        kind = str(error.get("exception_type", ""))
        code = "out_of_memory" if kind.rpartition(".")[2] in _OUT_OF_MEMORY else "execution_error"
        first_line = (str(error.get("exception_message", "")).strip().splitlines() or [""])[0]
        return Failure(
            code,  # type: ignore[arg-type]  # one of two literals
            f"{error.get('node_type', '?')} (node {error.get('node_id', '?')}): {kind}: {first_line}",
        )
    if "execution_interrupted" in events:
        return Failure("interrupted", "somebody interrupted it on the server")
    return Failure("execution_error", "the server reports an error without saying which")


def refusal(body: Any) -> Failure:
    """Why a graph was not accepted: the node errors say more than the summary."""
    if not isinstance(body, Mapping):
        return Failure("rejected", f"the server refused the graph: {body!s:.200}")
    reasons = [
        f"{errors.get('class_type', '?')} (node {node}): {error.get('message')}: {error.get('details')}"
        for node, errors in (body.get("node_errors") or {}).items()
        for error in errors.get("errors", ())
    ]
    if not reasons:
        error = body.get("error") or {}
        error = error if isinstance(error, Mapping) else {"message": error}
        reasons = [" ".join(str(error[k]) for k in ("message", "details") if error.get(k))]
        if class_type := (error.get("extra_info") or {}).get("class_type"):
            reasons.append(f"class {class_type}")
    return Failure("rejected", "; ".join(reasons))


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
            problems[class_type] = Missing(
                class_type,
                f"no node {class_type}",
                f"没有节点 {class_type}",
                "update ComfyUI or install the custom node that brings it",
                "请升级 ComfyUI，或安装提供该节点的自定义节点",
            )
            continue
        for name, value in node["inputs"].items():
            options = _options(info, name)
            if options is None or isinstance(value, list) or str(value) in options:
                continue
            problem = _missing_value(class_type, name, str(value), options)
            problems[problem.what] = problem
    return list(problems.values())


def _missing_value(class_type: str, name: str, value: str, options: list[str]) -> Missing:
    near = difflib.get_close_matches(value, options, n=3, cutoff=0.5) or options[:5]
    folder = _FOLDERS.get(name)
    return Missing(
        f"{class_type}.{name} = {value}",
        f"no {value} for {class_type}.{name} (it has: {', '.join(near) or 'none'})",
        f"{class_type}.{name} 没有 {value}（现有：{'、'.join(near) or '无'}）",
        (f"put it into {folder} there" if folder else "choose one it has") + ", or change the workflow",
        (f"请把文件放入服务器的 {folder}" if folder else "请选用已有的值") + "，或修改工作流",
    )


def _options(info: Mapping[str, Any], name: str) -> list[str] | None:
    """The values a choice input takes; ComfyUI writes them in two shapes."""
    inputs = info.get("input", {})
    spec = inputs.get("required", {}).get(name) or inputs.get("optional", {}).get(name)
    if not spec:
        return None
    if isinstance(spec[0], list):
        return [str(option) for option in spec[0]]
    if spec[0] == "COMBO" and len(spec) > 1:
        return [str(option) for option in spec[1].get("options", ())]
    return None
