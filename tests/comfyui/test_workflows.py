from __future__ import annotations

import pytest

from tests.e2e.cli import called
from tests.shipped import (
    FOLDER,
    HEIGHT,
    NAMES,
    WIDTH,
    assert_gives_pictures,
    bound,
    photo,
    rendered,
    shipped,
    upload,
)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_graph_gives_a_picture_of_the_roles_size(comfyui_url: str, name: str) -> None:
    """A real server accepts it; a photo of any shape is brought to the size."""
    assert_gives_pictures(comfyui_url, name)


def test_settings_of_a_role_are_accepted(comfyui_url: str) -> None:
    """Each point takes a value of its kind."""
    workflow = shipped("qwen_image_edit_2511_lightning")
    settings = {"steps": 3, "cfg": 1.5, "sampler": "euler", "scheduler": "beta", "denoise": 0.9, "shift": 2.0}
    lora = {"lora": workflow.typed("lora"), "lora_strength": 0.5}
    place = upload(comfyui_url, photo((200, 40, 40), 60))
    assert rendered(comfyui_url, bound(workflow, reference=place, **settings, **lora)).size == (WIDTH, HEIGHT)


@pytest.mark.parametrize("name", NAMES)
def test_check_asks_a_real_server(comfyui_url: str, name: str) -> None:
    """Nodes and files are there; whether the version can run the model is told by the gates."""
    ran = called("workflow", "check", FOLDER / f"{name}.json", "--server", comfyui_url, "--json")
    (server,) = ran.json["servers"]
    version = tuple(map(int, server["version"].lstrip("v").split(".")))
    too_new = {
        f"ComfyUI {need['comfyui']}: {need['feature']}"
        for need in ran.json["needs"]
        if tuple(map(int, need["comfyui"].split("."))) > version
    }
    assert {missing["what"] for missing in server["lacks"]} == too_new
    assert ran.code == (1 if too_new else 0)
