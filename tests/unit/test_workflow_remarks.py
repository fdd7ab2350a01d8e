from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from catalog_imagegen.stages.workflow import Workflow, gates, model_files, parse_workflow, remarks, unmet
from tests.unit.builders import Node, graph, node

SHIPPED = Path(__file__).parents[2] / "config" / "workflows"
PHOTO = node("LoadImage", image="left_by_somebody.png")


def parse(nodes: Mapping[str, Any]) -> Workflow:
    """Read a graph as if from a file."""
    return parse_workflow("mine", json.dumps(nodes))


def shipped(name: str) -> Workflow:
    """Read a shipped graph."""
    return parse_workflow(name, (SHIPPED / f"{name}.json").read_text(encoding="utf-8"))


def codes(nodes: Mapping[str, Any]) -> list[str]:
    """What is remarked of a graph."""
    return [remark.code for remark in remarks(parse(nodes))]


def with_encoder(**inputs: Any) -> dict[str, Node]:
    """A graph whose text encoder is loaded by itself."""
    nodes = graph(clip=node("CLIPLoader", **inputs))
    nodes["n2"]["inputs"]["clip"] = nodes["n3"]["inputs"]["clip"] = ["clip", 0]
    return nodes


def test_of_a_plain_graph_nothing_is_remarked() -> None:
    """What works as everybody expects needs no words."""
    assert codes(graph()) == []


@pytest.mark.parametrize("is_silent", [True, False])
def test_a_negative_text_that_nobody_hears_is_remarked(is_silent: bool) -> None:
    """Without an input, and at cfg 1, whatever templates write there is lost."""
    nodes = graph(n3=node("ConditioningZeroOut", conditioning=["n2", 0])) if is_silent else graph()
    nodes["n5"]["inputs"]["cfg"] = 1 if not is_silent else 8.0
    assert codes(nodes) == ["negative_unused"]


def test_a_text_that_stays_is_quoted() -> None:
    """A refiner's own words shine through in every picture."""
    nodes = graph(
        n8=node("CLIPTextEncode", clip=["n1", 1], text="a bottle with a galaxy " * 9),
        n9=node("CLIPTextEncode", clip=["n1", 1], text=" "),
        mix=node("ConditioningCombine", conditioning_1=["n8", 0], conditioning_2=["n9", 0]),
        more=node("ConditioningCombine", conditioning_1=["n2", 0], conditioning_2=["mix", 0]),
    )
    nodes["n5"]["inputs"]["positive"] = ["more", 0]
    (remark,) = remarks(parse(nodes))
    assert remark.code == "own_text"
    assert "n8 (CLIPTextEncode).text" in remark.message_en
    assert "'a bottle with a galaxy a bottle with a g'" in remark.message_en
    assert "a bottle" in remark.message_zh


@pytest.mark.parametrize(
    ("encoder", "is_literal"),
    [
        ({"clip_name": "qwen_3_4b.safetensors", "type": "lumina2"}, True),
        ({"clip_name": "qwen_2.5_vl_7b.safetensors", "type": "qwen_image"}, True),
        ({"clip_name": "gemma_2_2b.safetensors", "type": "lumina2"}, False),
        ({"clip_name": "clip_l.safetensors", "type": "stable_diffusion"}, False),
    ],
)
def test_weights_that_would_be_drawn_as_text_are_remarked(encoder: dict[str, str], is_literal: bool) -> None:
    """Qwen's encoders take (词:1.2) literally; CLIP understands it."""
    assert codes(with_encoder(**encoder)) == (["weights_literal"] if is_literal else [])


def test_a_batch_is_remarked() -> None:
    """Whoever drew four pictures gets one."""
    nodes = graph()
    nodes["n4"]["inputs"]["batch_size"] = 4
    (remark,) = remarks(parse(nodes))
    assert remark.code == "batch_of_one"
    assert "batch of 4" in remark.message_en


def test_pictures_are_said_to_be_the_products_or_everybodys() -> None:
    """A titled node waits for the product's photo; any other has a file that lies on the server."""
    nodes = graph(photo=PHOTO, more=node("LoadImage", image="style.png"))
    nodes["n2"]["inputs"] |= {"image1": ["photo", 0], "image2": ["more", 0]}
    assert codes(nodes) == ["fixed_picture", "fixed_picture"]
    nodes["photo"] = PHOTO | {"_meta": {"title": "reference"}}
    assert codes(nodes) == ["needs_photo", "fixed_picture"]
    assert "style.png" in remarks(parse(nodes))[1].message_en


def test_remarks_are_in_two_languages() -> None:
    """Merchandisers read them."""
    for path in SHIPPED.glob("*.json"):
        for remark in remarks(shipped(path.stem)):
            assert remark.message_en != remark.message_zh
            assert remark.message_en.isascii() or "词" in remark.message_en or "–" in remark.message_en


def test_model_files_are_named_once_and_in_order() -> None:
    """By their endings, and LoRAs by their input; nodes that hang on nothing load nothing."""
    nodes = graph(
        lora=node("LoraLoader", model=["n1", 0], clip=["n1", 1], lora_name="style", strength_model=1.0),
        vae=node("VAELoader", vae_name="b.SFT"),
        orphan=node("VAELoader", vae_name="c.pth"),
        same=node("UNETLoader", unet_name="a.safetensors"),
        note=node("Note", text="d.bin"),
    )
    nodes["n5"]["inputs"]["model"] = ["lora", 0]
    nodes["n6"]["inputs"] |= {"vae": ["vae", 0], "unet": ["same", 0]}
    workflow = parse(nodes)
    assert model_files(workflow) == ("a.safetensors", "b.SFT", "style")
    assert model_files(workflow, workflow.bind({"lora": "other.pt"})) == (
        "a.safetensors",
        "b.SFT",
        "other.pt",
    )


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("z_image_turbo", {"Z-Image": "0.3.74"}),
        ("z_image_turbo_2k", {"Z-Image": "0.3.74"}),
        ("z_image_base", {"Z-Image": "0.3.74"}),
        ("z_image_turbo_img2img", {"Z-Image": "0.3.74"}),
        ("z_image_turbo_controlnet", {"Z-Image": "0.3.74", "Fun ControlNet of Z-Image": "0.4.0"}),
        ("qwen_image_edit_2511", {"Qwen-Image-Edit-2511": "0.5.1"}),
        ("qwen_image_edit_2511_lightning", {"Qwen-Image-Edit-2511": "0.5.1"}),
    ],
)
def test_shipped_graphs_say_which_comfyui_they_need(name: str, needs: dict[str, str]) -> None:
    """Its lists of nodes and files do not tell whether an older server can run the model."""
    assert {gate.feature: gate.version for gate in gates(shipped(name))} == needs


def test_a_graph_that_enlarges_says_which_sizes_it_makes() -> None:
    """Others are refused, so it is told before."""
    codes = {remark.code: remark for remark in remarks(shipped("z_image_turbo_2k"))}
    assert "1.6 times" in codes["enlarges"].message_en
    assert "multiples of 128" in codes["enlarges"].message_en
    assert "128 的倍数" in codes["enlarges"].message_zh
    assert "enlarges" not in {remark.code for remark in remarks(shipped("z_image_turbo"))}


def test_other_features_have_their_version() -> None:
    """A LoRA and the second ControlNet of Z-Image, and the newer node that saves."""
    nodes = graph(
        n1=node("UNETLoader", unet_name="z_image_turbo_bf16.safetensors"),
        lora=node("LoraLoaderModelOnly", model=["n1", 0], lora_name="style", strength_model=1.0),
        patch=node("ModelPatchLoader", name="Z-Image-Turbo-Fun-Controlnet-Union-2.1.safetensors"),
        net=node("QwenImageDiffsynthControlnet", model=["lora", 0], model_patch=["patch", 0]),
        n7=node("SaveImageAdvanced", images=["n6", 0], filename_prefix="x", format="png"),
    )
    nodes["n5"]["inputs"]["model"] = ["net", 0]
    workflow = parse(nodes)
    needs = {gate.feature: gate.version for gate in gates(workflow)}
    assert needs == {
        "Z-Image": "0.3.74",
        "LoRA of Z-Image": "0.3.76",
        "Fun ControlNet of Z-Image": "0.4.0",
        "Fun ControlNet 2 of Z-Image": "0.5.0",
        "SaveImageAdvanced": "0.23.0",
    }
    assert [gate.version for gate in unmet(workflow, (0, 4, 1))] == ["0.5.0", "0.23.0"]
    assert unmet(workflow, (0, 23)) == [], "0.23 is as new as 0.23.0"
    assert unmet(workflow, ()) == [], (
        "a server that does not say its version is given the benefit of the doubt"
    )
