from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.stages.workflow import (
    POINTS,
    REQUIRED,
    RenderKeys,
    Workflow,
    parse_workflow,
    render_key,
)
from tests.unit.builders import Node, graph, node

SHIPPED = Path(__file__).parents[2] / "config" / "workflows"
TURBO, LARGE, BASE = "z_image_turbo", "z_image_turbo_2k", "z_image_base"
WHERE = {
    "positive": ("CLIPTextEncode", "text", "Positive prompt"),
    "seed": ("KSampler", "seed", "Sampler"),
    "width": ("EmptySD3LatentImage", "width", "Size"),
    "height": ("EmptySD3LatentImage", "height", "Size"),
    "steps": ("KSampler", "steps", "Sampler"),
    "cfg": ("KSampler", "cfg", "Sampler"),
    "filename_prefix": ("SaveImage", "filename_prefix", "Save"),
    "sampler": ("KSampler", "sampler_name", "Sampler"),
    "scheduler": ("KSampler", "scheduler", "Sampler"),
    "denoise": ("KSampler", "denoise", "Sampler"),
    "shift": ("ModelSamplingAuraFlow", "shift", "Shift"),
}
BATCH = {"batch": ("EmptySD3LatentImage", "batch_size", "Size")}
PHOTO = {"reference": ("LoadImage", "image", "reference")}
SCALED = {"width": ("ImageScale", "width", "size"), "height": ("ImageScale", "height", "size")}
PROMPTED = {"positive": ("TextEncodeQwenImageEditPlus", "prompt", "Positive prompt")}
EXPECTED: Mapping[str, Mapping[str, tuple[str, str, str]]] = {
    TURBO: WHERE | BATCH,
    LARGE: WHERE | BATCH | {"seed": ("PrimitiveInt", "value", "Seed of both samplers")},
    BASE: WHERE | BATCH | {"negative": ("CLIPTextEncode", "text", "Negative prompt")},
    "z_image_turbo_img2img": WHERE | SCALED | PHOTO,
    "z_image_turbo_controlnet": WHERE
    | SCALED
    | PHOTO
    | {"batch": ("EmptySD3LatentImage", "batch_size", "Latent")},
    "qwen_image_edit_2511": WHERE
    | BATCH
    | PHOTO
    | PROMPTED
    | {"negative": ("TextEncodeQwenImageEditPlus", "prompt", "Negative prompt")},
    "qwen_image_edit_2511_lightning": WHERE
    | BATCH
    | PHOTO
    | PROMPTED
    | {
        "lora": ("LoraLoaderModelOnly", "lora_name", "Four steps"),
        "lora_strength": ("LoraLoaderModelOnly", "strength_model", "Four steps"),
    },
}


def parse(nodes: Mapping[str, Any], mapping: Mapping[str, str] | None = None) -> Workflow:
    """Read a graph as if from a file."""
    return parse_workflow("mine", json.dumps(nodes), mapping)


def shipped(name: str) -> dict[str, Node]:
    """Read a shipped graph."""
    nodes: dict[str, Node] = json.loads((SHIPPED / f"{name}.json").read_text(encoding="utf-8"))
    return nodes


def places(workflow: Workflow) -> dict[str, tuple[str, str, str]]:
    """Point → (class, input, title): where it is, whatever the node's id."""
    return {
        point: (
            workflow.graph[at.node]["class_type"],
            at.input,
            workflow.graph[at.node].get("_meta", {}).get("title", ""),
        )
        for point, at in workflow.points.items()
    }


def found(nodes: Mapping[str, Any], mapping: Mapping[str, str] | None = None) -> dict[str, tuple[str, str]]:
    """Point → (node id, input)."""
    return {point: (at.node, at.input) for point, at in parse(nodes, mapping).points.items()}


def refusal(nodes: Any, mapping: Mapping[str, str] | None = None) -> ConfigError:
    """The error that a graph gives."""
    with pytest.raises(ConfigError) as caught:
        parse(nodes, mapping)
    assert "mine" in caught.value.message_en
    assert "mine" in caught.value.message_zh
    return caught.value


def custom(guider: Node, **changes: Node | None) -> dict[str, Node]:
    """A graph whose sampler takes its guider, noise and sigmas from nodes of their own."""
    return graph(
        n5=node(
            "SamplerCustomAdvanced",
            noise=["noise", 0],
            guider=["guider", 0],
            sampler=["k", 0],
            sigmas=["sigmas", 0],
            latent_image=["n4", 0],
        ),
        guider=guider,
        noise=node("RandomNoise", noise_seed=7),
        k=node("KSamplerSelect", sampler_name="euler"),
        sigmas=node("BasicScheduler", model=["n1", 0], scheduler="simple", steps=20, denoise=1.0),
        **changes,
    )


CFG_GUIDER = node("CFGGuider", model=["n1", 0], positive=["n2", 0], negative=["n3", 0], cfg=5.0)
PLAIN = {
    "positive": ("n2", "text"),
    "negative": ("n3", "text"),
    "seed": ("n5", "seed"),
    "width": ("n4", "width"),
    "height": ("n4", "height"),
    "steps": ("n5", "steps"),
    "cfg": ("n5", "cfg"),
    "filename_prefix": ("n7", "filename_prefix"),
    "batch": ("n4", "batch_size"),
}


def test_every_shipped_graph_is_looked_at() -> None:
    """A graph that ships is one of those below."""
    assert {path.stem for path in SHIPPED.glob("*.json")} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_shipped_graphs_offer_their_points(name: str) -> None:
    """Out of the box prompt, seed, size and photo reach the right nodes; at cfg 1 there is no negative."""
    workflow = parse_workflow(name, (SHIPPED / f"{name}.json").read_text(encoding="utf-8"))
    assert places(workflow) == EXPECTED[name]
    assert workflow.lacks("negative") is (workflow.typed("cfg") == 1)
    assert not any(workflow.lacks(point) for point in REQUIRED)
    assert workflow.lacks("reference") is (name in (TURBO, LARGE, BASE))


@pytest.mark.parametrize("name", EXPECTED)
def test_reading_a_shipped_graph_changes_nothing(name: str) -> None:
    """What is sent is what the file says, or every picture would be rendered again under another name."""
    assert parse(shipped(name)).graph == shipped(name)


@given(st.sampled_from(sorted(EXPECTED)), st.data())
@settings(max_examples=80, deadline=None)
def test_node_ids_and_their_order_mean_nothing(name: str, data: st.DataObject) -> None:
    """ComfyUI numbers nodes as they were drawn: any numbering gives the same points."""
    nodes = shipped(name)
    ids = st.lists(st.text(min_size=1), min_size=len(nodes), max_size=len(nodes), unique=True)
    names = dict(zip(nodes, data.draw(ids | st.permutations(list(nodes))), strict=True))
    drawn = data.draw(st.permutations(list(nodes)))
    renamed = {
        names[old]: nodes[old]
        | {
            "inputs": {
                k: [names[v[0]], v[1]] if isinstance(v, list) else v for k, v in nodes[old]["inputs"].items()
            }
        }
        for old in drawn
    }
    assert places(parse(renamed)) == EXPECTED[name]


def test_a_plain_graph_is_traced_from_its_sampler() -> None:
    """Nobody has to title a node for an ordinary graph to work."""
    assert found(graph()) == PLAIN
    assert {at.found_by for at in parse(graph()).points.values()} == {"tracing"}


@pytest.mark.parametrize("point", ["positive", "seed", "width", "steps", "filename_prefix"])
def test_a_title_wins_over_tracing(point: str) -> None:
    """A node titled like a point is that point, wherever it hangs."""
    carrier = {"positive": "text"}.get(point, point)
    workflow = parse(graph(mine=node("Anything", title=point, **{carrier: 1})))
    at = workflow.points[point]
    assert (at.node, at.input, at.found_by) == ("mine", carrier, "title")


def test_a_titled_primitive_takes_the_value() -> None:
    """A primitive node has no other name for what it holds."""
    assert found(graph(p=node("PrimitiveInt", title="seed", value=3)))["seed"] == ("p", "value")


def test_a_title_on_a_node_without_such_an_input_is_only_a_title() -> None:
    """A note or group that happens to be called ``seed`` does no harm."""
    assert found(graph(note=node("Note", title="seed", words="hello"))) == PLAIN


def test_a_mapping_wins_over_titles_and_tracing() -> None:
    """The workspace's config has the last word; nodes are named by title or by id."""
    nodes = graph(
        a=node("Anything", title="positive", text=""),
        b=node("Mine", title="My. prompt", words=""),
        c=node("Mine", number=1),
    )
    workflow = parse(nodes, {"positive": "My. prompt.words", "seed": "c.number"})
    assert (workflow.points["positive"].node, workflow.points["positive"].input) == ("b", "words")
    assert (workflow.points["seed"].node, workflow.points["seed"].input) == ("c", "number")
    assert workflow.points["seed"].found_by == "mapping"
    assert workflow.points["width"].found_by == "tracing"


@pytest.mark.parametrize("target", ["nowhere.text", "n2.words", "n2", "text", ".text", "Positive.text"])
def test_a_wrong_mapping_says_how_to_write_one(target: str) -> None:
    """A typing error in config is not silently traced around."""
    error = refusal(graph(), {"positive": target})
    assert error.code == "workflow_mapping_wrong"
    assert repr(target) in error.message_en
    assert "title.input or id.input" in error.message_en


@pytest.mark.parametrize("mapping", [{}, {"positive": "positive.text"}])
def test_an_ambiguous_title_is_refused(mapping: dict[str, str]) -> None:
    """Of two nodes with one title nobody can say which is meant."""
    twice = graph(a=node("X", title="positive", text=""), b=node("Y", title="positive", text=""))
    error = refusal(twice, mapping)
    assert error.code == "workflow_title_ambiguous"
    assert "2 nodes are titled 'positive'" in error.message_en


def test_a_custom_sampler_with_cfg_guider_is_traced() -> None:
    """Guider, noise and scheduler as separate nodes hold the same points."""
    assert found(custom(CFG_GUIDER)) == PLAIN | {
        "seed": ("noise", "noise_seed"),
        "steps": ("sigmas", "steps"),
        "cfg": ("guider", "cfg"),
        "sampler": ("k", "sampler_name"),
        "scheduler": ("sigmas", "scheduler"),
        "denoise": ("sigmas", "denoise"),
    }


def test_a_basic_guider_has_neither_negative_nor_cfg() -> None:
    """Its one conditioning is the positive text."""
    points = found(custom(node("BasicGuider", model=["n1", 0], conditioning=["n2", 0])))
    assert points["positive"] == ("n2", "text")
    assert "negative" not in points
    assert "cfg" not in points


def test_primitives_that_feed_by_link_take_the_value() -> None:
    """The value must go where the number is typed, or the link would override it."""
    nodes = graph(
        p1=node("PrimitiveInt", value=1),
        p2=node("PrimitiveInt", value=512),
        p3=node("PrimitiveStringMultiline", value="old"),
    )
    nodes["n5"]["inputs"]["seed"] = ["p1", 0]
    nodes["n4"]["inputs"]["width"] = ["p2", 0]
    nodes["n2"]["inputs"]["text"] = ["p3", 0]
    assert found(nodes) == PLAIN | {
        "seed": ("p1", "value"),
        "width": ("p2", "value"),
        "positive": ("p3", "value"),
    }


def test_a_primitive_that_feeds_something_else_is_left_alone() -> None:
    """The seed never lands in a prompt's primitive, nor cfg in the seed's."""
    nodes = custom(
        CFG_GUIDER,
        words=node("PrimitiveStringMultiline", value="old"),
        number=node("PrimitiveInt", value=1),
    )
    nodes["n2"]["inputs"]["text"] = ["words", 0]
    nodes["noise"]["inputs"]["noise_seed"] = ["number", 0]
    points = found(nodes)
    assert points["positive"] == ("words", "value")
    assert points["seed"] == ("number", "value")
    nodes["guider"] = node("BasicGuider", model=["n1", 0], conditioning=["n2", 0])
    assert "cfg" not in found(nodes)


def test_text_joined_from_parts_is_found_behind_the_join() -> None:
    """A text node without text of its own passes the search on to what feeds it."""
    nodes = graph(
        join=node("StringConcatenate", string_a=["p", 0], delimiter=""), p=node("StringBox", text="old")
    )
    nodes["n2"]["inputs"]["text"] = ["join", 0]
    assert found(nodes)["positive"] == ("p", "text")


def test_zeroed_conditioning_means_no_negative() -> None:
    """The zeroed text is the positive one; writing the negative there would replace the prompt."""
    assert "negative" not in found(graph(n3=node("ConditioningZeroOut", conditioning=["n2", 0])))


def test_one_text_on_both_sides_means_no_negative() -> None:
    """Graphs for cfg 1 link one encoder twice; a negative text must not replace the positive."""
    nodes = graph(n3=None)
    nodes["n5"]["inputs"]["negative"] = ["n2", 0]
    workflow = parse(nodes)
    assert workflow.lacks("negative")
    assert workflow.bind({"positive": "壶", "negative": "水印"})["n2"]["inputs"]["text"] == "壶"


@pytest.mark.parametrize("depth", [1, 3])
def test_both_sides_are_followed_through_a_control_net(depth: int) -> None:
    """A node that passes positive and negative on keeps them apart."""
    sides = ("n2", "n3")
    nodes = graph(net=node("ControlNetLoader", control_net_name="a"), photo=node("LoadImage", image="a.png"))
    for i in range(depth):
        nodes[f"c{i}"] = node(
            "ControlNetApplyAdvanced",
            positive=[sides[0], 0],
            negative=[sides[1], 0 if i == 0 else 1],
            control_net=["net", 0],
            image=["photo", 0],
            strength=1.0,
        )
        sides = (f"c{i}", f"c{i}")
    nodes["n5"]["inputs"] |= {"positive": [sides[0], 0], "negative": [sides[1], 1]}
    assert found(nodes) == PLAIN | {"reference": ("photo", "image")}


def test_a_chain_of_conditioning_is_followed_to_its_text() -> None:
    """Guidance and combining nodes stand between text and sampler; the nearest text counts."""
    nodes = graph(
        far=node("CLIPTextEncode", clip=["n1", 1], text="far"),
        mix=node("ConditioningCombine", conditioning_1=["n2", 0], conditioning_2=["g", 0]),
        g=node("FluxGuidance", conditioning=["far", 0], guidance=3.5),
    )
    nodes["n5"]["inputs"]["positive"] = ["mix", 0]
    assert found(nodes) == PLAIN


def test_a_loop_ends_the_search() -> None:
    """A graph linked in a circle gives an error, not a hang."""
    nodes = graph(n2=node("A", conditioning=["n3", 0]), n3=node("B", conditioning=["n2", 0]))
    assert "positive" in refusal(nodes).message_en


def two_branches() -> dict[str, Node]:
    """A graph in which two pictures of equal rank are blended."""
    nodes = graph()
    nodes["n8"] = copy.deepcopy(nodes["n5"])
    nodes["blend"] = node("LatentBlend", samples1=["n5", 0], samples2=["n8", 0], blend_factor=0.5)
    nodes["n6"]["inputs"]["samples"] = ["blend", 0]
    return nodes


def test_two_samplers_must_be_told_apart() -> None:
    """Where neither comes before the other nothing is guessed; the message names both nodes."""
    error = refusal(two_branches())
    assert error.code == "workflow_sampler_ambiguous"
    assert "n5, n8" in error.message_en
    assert "[workflows.mine.points]" in error.message_en


def test_two_samplers_are_fine_once_every_point_is_mapped() -> None:
    """The remedy that the message names works."""
    mapping = {point: ".".join(at) for point, at in PLAIN.items()}
    assert found(two_branches(), mapping) == PLAIN


def test_the_interface_format_is_refused_by_name() -> None:
    """What the Save button writes looks right to a user: say which menu entry is meant."""
    error = refusal({"nodes": [{"id": 1, "type": "KSampler"}], "links": [], "version": 0.4})
    assert error.code == "workflow_ui_format"
    assert "Export (API)" in error.message_en
    assert "导出 (API)" in error.message_zh


@pytest.mark.parametrize("text", ["", "{", "not json", '{"1": {"class_type": "A", "inputs": {"x": NaN}}}'])
def test_what_is_no_json_is_refused(text: str) -> None:
    """A half-copied file stops the run with a remedy; so does NaN, which could name no render."""
    with pytest.raises(ConfigError, match=r"workflow mine: not JSON .*Export \(API\)") as caught:
        parse_workflow("mine", text)
    assert caught.value.code == "workflow_not_json"


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        3,
        None,
        "graph",
        {"1": 2},
        {"1": {"class_type": "A"}},
        {"1": {"inputs": {}}},
        {"1": {"class_type": 5, "inputs": {}}},
        {"1": {"class_type": "A", "inputs": []}},
        {"1": {"class_type": "A", "inputs": {}, "_meta": None}},
        {"prompt": graph()},
        {**graph(), "version": 1},
    ],
)
def test_other_json_is_refused(data: Any) -> None:
    """Any JSON that is no graph gives one message, never a traceback."""
    error = refusal(data)
    assert error.code == "workflow_wrong_format"
    assert "Export (API)" in error.message_en


@pytest.mark.parametrize("point", REQUIRED)
def test_a_missing_point_says_how_to_add_it(point: str) -> None:
    """Without prompt, seed, size or file name no picture can be asked for."""
    where, name = PLAIN[point]
    nodes = graph()
    del nodes[where]["inputs"][name]
    error = refusal(nodes)
    assert error.code == "workflow_point_missing"
    assert f"no input point for {point};" in error.message_en
    assert "[workflows.mine.points]" in error.message_en
    assert point in error.message_zh


def test_a_graph_without_a_sampler_lists_all_that_is_missing() -> None:
    """One message for everything, so that one visit to ComfyUI mends it."""
    error = refusal({"1": node("SaveImage", filename_prefix="x")})
    assert "positive, seed, width, height;" in error.message_en


def test_a_link_to_a_node_that_is_not_there_is_not_followed() -> None:
    """A node deleted by hand leaves a dangling link: an error with a remedy, not a KeyError."""
    assert refusal(graph(n2=None)).code == "workflow_point_missing"
    assert refusal(graph(n4=None)).code == "workflow_point_missing"


def test_values_land_at_their_points_and_nowhere_else() -> None:
    """Binding changes exactly the inputs named."""
    values = {point: f"new {point}" for point in POINTS}
    bound = parse(graph()).bind(values)
    expected = graph()
    for point, (where, name) in PLAIN.items():
        expected[where]["inputs"][name] = f"new {point}"
    assert bound == expected


def test_a_value_without_a_point_is_left_out() -> None:
    """A negative text for Turbo goes nowhere, and the render key does not see it."""
    workflow = parse(graph(n3=node("ConditioningZeroOut", conditioning=["n2", 0])))
    bound = workflow.bind({"negative": "水印", "unheard of": 1})
    assert bound == workflow.graph
    assert render_key(bound, take=1) == render_key(workflow.graph, take=1)


@given(st.dictionaries(st.sampled_from(POINTS), st.text() | st.integers(), max_size=8))
@settings(max_examples=60, deadline=None)
def test_binding_never_changes_the_workflow(values: dict[str, Any]) -> None:
    """One workflow serves every picture; what one binds, the next does not see."""
    workflow = parse(graph())
    workflow.bind(values)
    assert workflow.graph == graph()
    assert workflow.bind({}) == graph()


@given(positive=st.text(), negative=st.text(), seed=st.integers(0, 2**64 - 1), take=st.integers(1, 99))
@settings(max_examples=100, deadline=None)
def test_names_made_by_pieces_are_the_same(positive: str, negative: str, seed: int, take: int) -> None:
    """What pictures share is written out once; their names must not show it."""
    workflow = parse(graph())
    marks = {name: f"\ue000{name}" for name in ("positive", "negative", "seed")}
    keys = RenderKeys(workflow.bind(marks), marks)
    values = {"positive": positive, "negative": negative, "seed": seed}
    name = keys.of(values, take=take, pictures=("ab", "cd"))
    assert name == render_key(workflow.bind(values), take=take, pictures=("ab", "cd"))
