from __future__ import annotations

from pathlib import Path

import requests

from catalog_imagegen.adapters.comfyui.backend import OLDEST, ComfyUIBackend
from catalog_imagegen.bootstrap import init_workspace
from tests.e2e.cli import cli


def test_the_doctor_is_content_with_a_real_server(comfyui_url: str, tmp_path: Path) -> None:
    """What the shipped workflows need is there; version, memory and queue are read from real answers."""
    init_workspace(tmp_path)
    ran = cli("doctor", "-w", tmp_path, "--comfyui", comfyui_url, "--json")
    (found,) = (f for f in ran.json["findings"] if f["check"] == "server")
    assert (found["status"], found["is_simulator"]) == ("ok", False), found
    system = requests.get(f"{comfyui_url}/system_stats", timeout=10).json()["system"]
    assert (found["version"], found["torch"]) == (system["comfyui_version"], system["pytorch_version"])
    assert tuple(map(int, found["version"].lstrip("v").split("."))) >= OLDEST
    assert all(0 <= d["vram_free"] <= d["vram_total"] > 0 for d in found["devices"])
    assert found["devices"]


def test_what_a_real_server_lacks(comfyui_url: str) -> None:
    """A model file and a node class that it has not are told apart, each with its remedy."""
    backend = ComfyUIBackend(comfyui_url)
    try:
        model, node = backend.missing(
            {
                "1": {"class_type": "UNETLoader", "inputs": {"unet_name": "nope.safetensors"}},
                "2": {"class_type": "NoSuchNode", "inputs": {}},
            }
        )
    finally:
        backend.close()
    assert "models/diffusion_models" in model.remedy_en
    assert "models/diffusion_models" in model.remedy_zh
    assert node.what == "NoSuchNode"
