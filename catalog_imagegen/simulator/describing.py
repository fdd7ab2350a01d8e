"""The routes that tell what the server is and has."""

import sys
from dataclasses import replace
from typing import Any

from aiohttp import web

from catalog_imagegen.simulator.answers import answer
from catalog_imagegen.simulator.desk import Desk
from catalog_imagegen.simulator.events import features
from catalog_imagegen.simulator.nodes import describe

GIB = 2**30
IDLE_GB = 0.5  # taken although nothing is loaded
MODELS_GB = {"z_image": 12.0, "qwen_image": 20.0}  # by the beginning of the file's name
OTHER_MODEL_GB = 8.0


async def object_info(desk: Desk, request: web.Request) -> web.Response:
    """Declare every node class, or one; {} for a class that is not there."""
    wanted = request.match_info.get("name")
    classes = desk.classes()
    if wanted is None:
        return answer({name: _described(desk, name) for name in classes})
    return answer({wanted: _described(desk, wanted)} if wanted in classes else {})


def _described(desk: Desk, name: str) -> dict[str, Any]:
    node = desk.classes()[name]
    if name == "LoadImage":
        node = replace(node, required={"image": [desk.folders.inputs(), {"image_upload": True}]})
    return describe(name, node, is_old=desk.version.is_old)


async def models(desk: Desk, request: web.Request) -> web.Response:
    """List a model folder, or the folders."""
    folder = request.match_info.get("folder")
    if folder is None:
        return answer(list(desk.models))
    names = desk.files().get(folder)
    return web.Response(status=404) if names is None else answer(sorted(names))


async def get_features(desk: Desk, _: web.Request) -> web.Response:
    """Tell what the server can do."""
    return answer(features(desk.version))


async def system_stats(desk: Desk, _: web.Request) -> web.Response:
    """Tell version and memory, and that this is a simulator."""
    total = round(desk.vram_gb * GIB)
    free = max(total - round(_taken_gb(desk.machine.memory.loaded) * GIB), total // 20)
    memory = {"vram_total": total, "vram_free": free, "torch_vram_total": total, "torch_vram_free": free}
    system: dict[str, Any] = {
        "os": desk.version.os,
        "ram_total": 32 * GIB,
        "ram_free": 24 * GIB,
        "comfyui_version": desk.version.name,
        "required_frontend_version": "simulated",
        "installed_templates_version": None,
        "required_templates_version": "simulated",
        "simulator": "catalog-imagegen",
        "python_version": sys.version,
        "pytorch_version": "simulated",
        "embedded_python": False,
        "argv": [],
    }
    if not desk.version.is_old:
        package = {"name": "comfyui-frontend-package", "installed": None, "required": "simulated"}
        system |= {"comfy_package_versions": [package], "deploy_environment": "simulated"}
    device = {"name": "simulated", "type": "cpu", "index": None, **memory}
    return answer({"system": system, "devices": [device]})


def _taken_gb(model: str | None) -> float:
    if model is None:
        return IDLE_GB
    sizes = [size for start, size in MODELS_GB.items() if model.startswith(start)]
    return IDLE_GB + (sizes[0] if sizes else OTHER_MODEL_GB)
