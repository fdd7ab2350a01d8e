from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog_imagegen.simulator import Simulator
from tests.e2e.cli import Ran, assert_explains, called
from tests.shipped import FOLDER, NAMES
from tests.unit.builders import graph, interface_graph, node

CONTROL = FOLDER / "z_image_turbo_controlnet.json"
NOBODY = "http://127.0.0.1:9"


def check(file: Path, *more: str, **env: str) -> Ran:
    """Run the command in an empty folder, which has no mapping of its own."""
    return called("workflow", "check", file, "--workspace", file.parent, *more, env=env)


def written(folder: Path, document: object) -> Path:
    """A workflow file."""
    path = folder / "mine.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def old() -> Iterator[str]:
    """A server that is too old for some, and has one text encoder under another name."""
    models = {"text_encoders": ["qwen_3_4b_fp8.safetensors"]}
    with Simulator(seconds=0.0, version="0.3.75", models=models) as simulator:
        yield simulator.url


@pytest.fixture(scope="module")
def new() -> Iterator[str]:
    """A server that has everything."""
    with Simulator(seconds=0.0) as simulator:
        yield simulator.url


@pytest.mark.parametrize("name", NAMES)
def test_shipped_workflows_pass(name: str, new: str) -> None:
    """With and without a server; nothing a role may set is missing from the answer."""
    path = FOLDER / f"{name}.json"
    assert check(path).code == 0
    ran = check(path, "--server", new)
    assert ran.code == 0, ran.out
    assert ran.says("has everything")


def test_programs_are_told_everything(tmp_path: Path) -> None:
    """Points and how each was found, remarks, model files, versions."""
    nodes = graph(size=node("ResolutionSelector", aspect_ratio="1:1"), second=graph()["n5"])
    nodes["second"]["inputs"]["latent_image"] = ["n5", 0]
    nodes["n6"]["inputs"]["samples"] = ["second", 0]
    nodes["n4"]["inputs"]["batch_size"] = 4
    nodes["n5"]["inputs"]["cfg"] = 1
    said = check(written(tmp_path, nodes), "--json").json
    assert said["workflow"] == "mine"
    assert said["points"]["seed"] == "n5.seed"
    assert said["found_by"]["seed"] == "tracing"
    assert {"reference", "lora", "shift"} <= set(said["lacks"])
    assert [remark["code"] for remark in said["remarks"]] == ["negative_unused", "batch_of_one"]
    assert said["models"] == ["a.safetensors"]
    assert said["needs"] == said["servers"] == []


def test_people_see_where_values_go(tmp_path: Path) -> None:
    """A link that is replaced, and inputs that go along, are told beside the point."""
    nodes = graph(size=node("ResolutionSelector", aspect_ratio="1:1"))
    nodes["n2"] = node("CLIPTextEncodeFlux", clip=["n1", 1], clip_l="a", t5xxl="b")
    nodes["n4"]["inputs"] |= {"width": ["size", 0], "height": ["size", 1]}
    path = written(tmp_path, nodes)
    english, chinese = check(path, LANG="en_US.UTF-8"), check(path, LANG="zh_CN.UTF-8")
    assert english.says("replaces the link that is there")
    assert english.says("also sets n2.clip_l")
    assert english.says("takes no photo of the product")
    assert chinese.says("代替原有的连线")
    assert chinese.says("同时设置 n2.clip_l")
    assert chinese.says("不使用商品照片")


def test_what_the_save_button_writes_is_read(tmp_path: Path) -> None:
    """Nobody has to know of two formats."""
    ran = check(written(tmp_path, interface_graph()), "--json")
    assert ran.code == 0, ran.err
    assert {"positive", "negative", "seed", "width", "height", "batch"} <= ran.json["points"].keys()


def test_a_server_says_what_it_lacks(old: str) -> None:
    """Its version, and the file that is there under a similar name, each with the remedy."""
    ran = check(CONTROL, "--server", old, LANG="en_US.UTF-8")
    assert ran.code == 1
    for text in (
        "ComfyUI 0.3.75 cannot run Fun ControlNet of Z-Image (0.4.0 is the first that can)",
        "update ComfyUI",
        "no qwen_3_4b.safetensors for CLIPLoader.clip_name (it has: qwen_3_4b_fp8.safetensors)",
        "put it into models/text_encoders there",
    ):
        assert ran.says(text), (text, ran.out)
    assert not ran.says("product.png"), "a photo is brought there with each job"
    (server,) = check(CONTROL, "--server", old, "--json").json["servers"]
    assert server["version"] == "0.3.75"
    assert [missing["what"] for missing in server["lacks"]] == [
        "ComfyUI 0.4.0: Fun ControlNet of Z-Image",
        "CLIPLoader.clip_name = qwen_3_4b.safetensors",
    ]
    assert all(missing["message_zh"] and missing["remedy_zh"] for missing in server["lacks"])


def test_a_node_that_no_server_has_is_named(tmp_path: Path, new: str) -> None:
    """Custom nodes must be installed there."""
    path = written(tmp_path, graph(n9=node("FaceDetailerDeluxe", image=["n6", 0])))
    ran = check(path, "--server", new, "--json")
    assert ran.code == 1
    lacks = {missing["what"]: missing["remedy_en"] for missing in ran.json["servers"][0]["lacks"]}
    assert "custom node" in lacks["FaceDetailerDeluxe"]


def test_several_servers_are_asked_one_by_one(old: str, new: str) -> None:
    """One that lacks something decides the exit code; one that is away does so only alone."""
    words = ("--server", old, "--server", new, "--server", NOBODY)
    ran = check(CONTROL, *words, "--json")
    assert ran.code == 1
    assert [bool(server["lacks"]) for server in ran.json["servers"]] == [True, False, False]
    assert [server["error"] is not None for server in ran.json["servers"]] == [False, False, True]
    away = check(CONTROL, "--server", NOBODY)
    assert away.code == 75
    assert away.says(NOBODY)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"1": node("SaveImage", filename_prefix="x")}, ["positive, seed, width, height"]),
        (
            graph(n4=node("VAEEncode", pixels=["p", 0]), p=node("LoadImage", image="a.png")),
            ["ImageScale", "size"],
        ),
        ("nothing", ["API-format graph"]),
    ],
)
def test_a_graph_that_cannot_be_used_is_a_mistake_of_config(
    tmp_path: Path, document: object, words: list[str]
) -> None:
    """Exit 2, with file and remedy in both languages."""
    path = written(tmp_path, document)
    assert_explains(check(path), 2, "workflow mine", *words)
    assert_explains(check(path, "--json"), 2, "workflow mine")


def test_what_is_no_server_is_told(tmp_path: Path) -> None:
    """A host name alone is what people try first."""
    assert_explains(check(CONTROL, "--server", "gpu:8188"), 2, "--server gpu:8188", "http://HOST:PORT")
    assert_explains(check(tmp_path / "none.json"), 2, "none.json")
