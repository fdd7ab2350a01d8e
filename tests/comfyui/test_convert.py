"""A real server takes what the converter makes of workflows that ComfyUI saved."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from catalog_imagegen.config.declarations import packaged_declarations
from catalog_imagegen.stages.conversion import UnknownClasses, convert
from tests.comfyui.peer import ComfyUI, Peer
from tests.comfyui.test_peer import Graph, fetch, is_uniform, run
from tests.e2e.cli import cli

PAIRS = Path(__file__).parents[1] / "data" / "ui2api"
NOW = datetime(2026, 11, 22, 12)  # noqa: DTZ001 - in local time
FOLDERS = {
    ("CLIPVisionLoader", "clip_name"): "clip_vision",
    ("CheckpointLoaderSimple", "ckpt_name"): "checkpoints",
    ("ControlNetLoader", "control_net_name"): "controlnet",
    ("ModelPatchLoader", "name"): "model_patches",
    ("StyleModelLoader", "style_model_name"): "style_models",
    ("UNETLoader", "unet_name"): "diffusion_models",
    ("VAELoader", "vae_name"): "vae",
    ("LoraLoader", "lora_name"): "loras",
    ("LoraLoaderModelOnly", "lora_name"): "loras",
    ("CLIPLoader", "clip_name"): "text_encoders",
    **{("DualCLIPLoader", f"clip_name{number}"): "text_encoders" for number in (1, 2)},
    **{("QuadrupleCLIPLoader", f"clip_name{number}"): "text_encoders" for number in (1, 2, 3, 4)},
}
"""Where a server looks for the file that an input names."""
TURBO, TURBO_CONTROLLED = "image_z_image_turbo", "image_z_image_turbo_fun_union_controlnet"
TEMPLATES = [
    TURBO,
    TURBO_CONTROLLED,
    "flux1_dev_uso_reference_image_gen",
    "flux1_krea_dev",
    "flux_fill_outpaint_example",
    "flux_kontext_dev_basic",
    "flux_redux_model_example",
    "hidream_e1_1",
    "image_netayume_lumina_t2i",
    "image_qwen_image_controlnet_patch",
    "sd3.5_large_canny_controlnet_example",
    "sdxl_refiner_prompt_example",
    "sdxl_revision_text_prompts",
    "template_qwen_image_illustration_lora",
    "templates-1_click_multiple_scene_angles-v1.0",
]
"""Templates all of whose classes this server has."""


def drawing(name: str) -> dict[str, Any]:
    """A template as ComfyUI saves it."""
    found: dict[str, Any] = json.loads(gzip.decompress((PAIRS / f"{name}.json.gz").read_bytes()))["ui"]
    return found


def lay_out_files(base: Path, graph: Graph) -> None:
    """Empty files of all names that a graph loads."""
    for body in graph.values():
        for name, value in body["inputs"].items():
            folder = FOLDERS.get((body["class_type"], name))
            place = (
                "input"
                if (body["class_type"], name) == ("LoadImage", "image")
                else folder and f"models/{folder}"
            )
            if place and isinstance(value, str):
                file = base / place / value
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()


@pytest.fixture(scope="module")
def server(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyUI]:
    """A server with the files that the templates load, of which others must not know."""
    base = tmp_path_factory.mktemp("templates")
    for name in TEMPLATES:
        lay_out_files(base, convert(drawing(name), packaged_declarations()))
    with ComfyUI(base, seconds=0.05, peer=peer) as found:
        yield found


@pytest.fixture(scope="module")
def node_infos(server: ComfyUI) -> dict[str, Any]:
    """What that server says of its nodes."""
    found: dict[str, Any] = requests.get(f"{server.url}/object_info", timeout=30).json()
    return found


@pytest.mark.parametrize("by", ["its own declarations", "the packaged ones"])
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_converted_template_is_accepted(
    name: str, by: str, server: ComfyUI, node_infos: dict[str, Any]
) -> None:
    """The server finds nothing wrong with any node, although the packaged declarations are of another version."""
    infos = node_infos if by == "its own declarations" else packaged_declarations()
    reply = requests.post(
        f"{server.url}/prompt", json={"prompt": convert(drawing(name), infos, now=NOW)}, timeout=30
    )
    requests.post(f"{server.url}/queue", json={"clear": True}, timeout=10)
    assert (reply.status_code, reply.json()["node_errors"]) == (200, {}), reply.text[:2000]


def test_a_converted_template_becomes_a_picture(server: ComfyUI, tmp_path: Path) -> None:
    """Through the command, by the declarations of the server that then runs it."""
    path, out = tmp_path / "turbo.json", tmp_path / "api.json"
    path.write_text(json.dumps(drawing(TURBO)), encoding="utf-8")
    ran = cli("workflow", "convert", path, "--server", server.url, "--out", out)
    assert ran.code == 0, ran.err
    entry = run(server.url, json.loads(out.read_text(encoding="utf-8")))
    assert entry["status"]["status_str"] == "success"
    assert not is_uniform(fetch(server.url, entry))


def test_classes_that_an_older_server_lacks(node_infos: dict[str, Any]) -> None:
    """They are named before anything is sent."""
    with pytest.raises(UnknownClasses) as caught:
        convert(drawing("image_z_image"), node_infos)
    assert set(caught.value.places) == {"ResolutionSelector", "SaveImageAdvanced"}
