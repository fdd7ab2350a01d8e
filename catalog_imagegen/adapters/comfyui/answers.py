"""Reads ComfyUI's answers into our words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog_imagegen.domain.failure import Failure, FailureCode
from catalog_imagegen.domain.job import Finished

_OUT_OF_MEMORY = {"OutOfMemoryError", "OOM_EXCEPTION"}
_FILE_ERRORS = {
    error.__name__
    for error in (OSError, PermissionError, FileNotFoundError, FileExistsError, NotADirectoryError)
}
"""Of a node that saves, these are about the server's disk."""
_ABOUT_THE_SERVER = {"missing_node_type", "invalid_prompt", "value_not_in_list"}
"""What validation says when another server may well accept the same graph; ``invalid_prompt`` is how servers before
0.12 call a node class they do not have."""
TOO_LARGE = 413


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
        first_line = (str(error.get("exception_message", "")).strip().splitlines() or [""])[0]
        where = f"{error.get('node_type', '?')} (node {error.get('node_id', '?')})"
        return Failure(_code(kind, str(error.get("node_type"))), f"{where}: {kind}: {first_line}")
    if "execution_interrupted" in events:
        return Failure("interrupted", "somebody interrupted it on the server")
    return Failure("execution_error", "the server reports an error without saying which")


def _code(exception_type: str, node_type: str) -> FailureCode:
    """What an exception is about, by its class and by what the node does."""
    kind = exception_type.rpartition(".")[2]
    if kind in _OUT_OF_MEMORY:
        return "out_of_memory"
    return "cannot_save" if kind in _FILE_ERRORS and node_type.startswith("Save") else "execution_error"


def refusal(body: Any, *, status: int = 400) -> Failure:
    """Why a graph was not accepted: the node errors say more than the summary."""
    if status == TOO_LARGE:
        return Failure("too_large", f"HTTP {status} {body!s:.100}")
    if not isinstance(body, Mapping):
        return Failure("rejected", f"the server refused the graph: {body!s:.200}")
    code: FailureCode = "server_lacks" if _error_types(body) <= _ABOUT_THE_SERVER else "rejected"
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
    return Failure(code, "; ".join(reasons))


def _error_types(body: Mapping[str, Any]) -> set[str]:
    """The types of all errors of nodes; of the whole graph where no node has one."""
    nodes = (body.get("node_errors") or {}).values()
    types = {str(error.get("type")) for node in nodes for error in node.get("errors", ())}
    error = body.get("error")
    return types or {str(error.get("type")) if isinstance(error, Mapping) else ""}
