from __future__ import annotations

from typing import Any

import pytest

from catalog_imagegen.adapters.comfyui.equipment import Missing, missing_inputs
from tests.unit.builders import node

PHOTO = f"{'ab' * 32}.jpg"
Info = dict[str, Any]


def info(**inputs: Any) -> Info:
    """What a server says of a node class."""
    return {"input": {"required": inputs}}


def only(class_type: str, given: dict[str, Any], said: Info | None) -> Missing:
    """The one thing that is missing."""
    (found,) = missing_inputs({"1": node(class_type, **given)}, {class_type: said})
    assert found.message_en != found.message_zh
    assert found.remedy_en != found.remedy_zh
    return found


def choices(*values: str, is_new: bool, **options: Any) -> list[Any]:
    """A choice in one of the two shapes in which ComfyUI writes it."""
    return ["COMBO", {"options": list(values), **options}] if is_new else [list(values), options]


def test_a_class_that_is_not_there() -> None:
    """Named once, however often it stands in the graph."""
    graph = {"1": node("Nope"), "2": node("Nope")}
    (found,) = missing_inputs(graph, {"Nope": None})
    assert (found.what, str(found).startswith("no node Nope: ")) == ("Nope", True)


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize(
    ("class_type", "name", "folder"),
    [
        ("UNETLoader", "unet_name", "diffusion_models"),
        ("LoraLoaderModelOnly", "lora_name", "loras"),
        ("DualCLIPLoader", "clip_name2", "text_encoders"),
        ("CLIPVisionLoader", "clip_name", "clip_vision"),
        ("ModelPatchLoader", "name", "model_patches"),
        ("UpscaleModelLoader", "model_name", "upscale_models"),
    ],
)
def test_a_model_file_that_is_not_there(class_type: str, name: str, folder: str, *, is_new: bool) -> None:
    """With the names that are near it, and the folder it belongs into."""
    said = info(**{name: choices("style_v2.safetensors", "other.safetensors", is_new=is_new)})
    found = only(class_type, {name: "style_v3.safetensors"}, said)
    assert found.what == f"{class_type}.{name} = style_v3.safetensors"
    assert "it has: style_v2.safetensors" in found.message_en
    assert f"models/{folder}" in found.remedy_en
    assert f"models/{folder}" in found.remedy_zh


def test_a_choice_that_is_no_file() -> None:
    """There is no folder to put it into."""
    found = only("KSampler", {"scheduler": "beta57"}, info(scheduler=choices("simple", "beta", is_new=True)))
    assert "choose one it has" in found.remedy_en
    assert only("X", {"y": "z"}, info(y=choices(is_new=False))).message_en.endswith("(it has: none)")


@pytest.mark.parametrize("is_new", [True, False])
def test_a_picture_of_ours_is_brought_and_any_other_must_be_there(*, is_new: bool) -> None:
    """Photos are uploaded before the graph is sent; a file somebody drew must lie in the input folder."""
    said = info(image=choices("there.png", is_new=is_new, image_upload=True))
    for name in (PHOTO, f"catalog-imagegen/{PHOTO}", "there.png"):
        assert missing_inputs({"1": node("LoadImage", image=name)}, {"LoadImage": said}) == []
    found = only("LoadImage", {"image": "backdrop.png"}, said)
    assert "no picture backdrop.png in its input folder" in found.message_en
    assert '"reference"' in found.remedy_en


def test_what_is_no_choice_is_not_judged() -> None:
    """Numbers, texts, links, and inputs that the server does not declare."""
    said = info(
        seed=["INT", {}], mode=["COMFY_DYNAMICCOMBO_V3", {"options": [{"key": "a"}]}], model=["MODEL"]
    )
    graph = {"1": node("K", seed=7, mode="b", model=["2", 0], more="x"), "2": node("L", which=["1", 0])}
    infos = {"K": said, "L": info(which=choices("a", is_new=False))}
    assert missing_inputs(graph, infos) == []


def test_numbers_and_booleans_are_compared_as_written() -> None:
    """Some lists hold numbers."""
    said = info(size=[[512, 1024], {}])
    assert missing_inputs({"1": node("S", size=1024)}, {"S": said}) == []
    assert only("S", {"size": 768}, said).what == "S.size = 768"
