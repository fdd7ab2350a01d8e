from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.stages.workflow import POINTS, Workflow, parse_workflow
from tests.unit.builders import Node, graph, node


def parse(nodes: Mapping[str, Any], mapping: Mapping[str, str] | None = None) -> Workflow:
    """Read a graph as if from a file."""
    return parse_workflow("mine", json.dumps(nodes), mapping)


def at(nodes: Mapping[str, Any], *points: str) -> list[str]:
    """Where points are found, each as ``node.input``; ``–`` for one that is not."""
    workflow = parse(nodes)
    places = [workflow.points.get(point) for point in points]
    return [f"{place.node}.{place.input}" if place else "–" for place in places]


def echoes(nodes: Mapping[str, Any], point: str) -> dict[str, float]:
    """``node.input`` → share of the inputs that go along with a point."""
    return {f"{echo.node}.{echo.input}": echo.share for echo in parse(nodes).points[point].echoes}


def refusal(nodes: Mapping[str, Any]) -> ConfigError:
    """The error that a graph gives, in both languages and with its name."""
    with pytest.raises(ConfigError) as caught:
        parse(nodes)
    assert "workflow mine: " in caught.value.message_en
    assert "工作流 mine：" in caught.value.message_zh
    return caught.value


def linked(nodes: dict[str, Node], **links: str) -> dict[str, Node]:
    """The graph with inputs (``n5__positive = "mix"``) linked to the first output of another node."""
    for place, target in links.items():
        where, _, name = place.partition("__")
        nodes[where]["inputs"][name] = [target, 0]
    return nodes


# The settings of samplers


def test_settings_of_a_plain_sampler_are_points() -> None:
    """Sampler, scheduler, denoise, shift, LoRA and batch stand where a plain graph has them."""
    nodes = graph(
        lora=node("LoraLoaderModelOnly", model=["n1", 0], lora_name="a.safetensors", strength_model=0.8),
        shift=node("ModelSamplingAuraFlow", model=["lora", 0], shift=3.0),
    )
    nodes["n5"]["inputs"] |= {"sampler_name": "euler", "scheduler": "simple", "denoise": 1.0}
    linked(nodes, n5__model="shift")
    assert at(nodes, "sampler", "scheduler", "denoise", "shift", "lora", "lora_strength", "batch") == [
        "n5.sampler_name",
        "n5.scheduler",
        "n5.denoise",
        "shift.shift",
        "lora.lora_name",
        "lora.strength_model",
        "n4.batch_size",
    ]


def test_a_sampler_in_parts_has_its_settings_in_them() -> None:
    """SamplerCustom takes its sampler and its sigmas from nodes that may stand behind others."""
    nodes = graph(
        n5=node(
            "SamplerCustom",
            model=["shift", 0],
            add_noise=True,
            noise_seed=7,
            cfg=5.0,
            positive=["n2", 0],
            negative=["n3", 0],
            sampler=["k", 0],
            sigmas=["split", 0],
            latent_image=["n4", 0],
        ),
        k=node("KSamplerSelect", sampler_name="euler"),
        split=node("SplitSigmas", sigmas=["sigmas", 0], step=0),
        sigmas=node("BasicScheduler", model=["shift", 0], scheduler="simple", steps=20, denoise=0.9),
        shift=node("ModelSamplingSD3", model=["n1", 0], shift=3.0),
    )
    assert at(nodes, "seed", "cfg", "sampler", "scheduler", "steps", "denoise", "shift") == [
        "n5.noise_seed",
        "n5.cfg",
        "k.sampler_name",
        "sigmas.scheduler",
        "sigmas.steps",
        "sigmas.denoise",
        "shift.shift",
    ]


def advanced(guider: Node, **more: Node) -> dict[str, Node]:
    """A graph around SamplerCustomAdvanced."""
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
        sigmas=node("Flux2Scheduler", steps=20, width=512, height=512),
        **more,
    )


def test_a_guider_with_two_prompts_is_asked_for_the_first() -> None:
    """DualCFGGuider calls its sides and its strength otherwise."""
    guider = node(
        "DualCFGGuider",
        model=["n1", 0],
        cond1=["n2", 0],
        cond2=["n8", 0],
        negative=["n3", 0],
        cfg_conds=3.0,
        cfg_cond2_negative=1.5,
    )
    nodes = advanced(guider, n8=node("CLIPTextEncode", clip=["n1", 1], text="far"))
    assert at(nodes, "positive", "negative", "cfg", "seed", "steps") == [
        "n2.text",
        "n3.text",
        "guider.cfg_conds",
        "noise.noise_seed",
        "sigmas.steps",
    ]


def test_the_size_of_a_scheduler_is_not_that_of_the_picture() -> None:
    """Flux2Scheduler has a width too; the picture's way does not come through it."""
    guider = node("BasicGuider", model=["n1", 0], conditioning=["n2", 0])
    assert at(advanced(guider), "width", "height") == ["n4.width", "n4.height"]


def test_a_model_that_comes_through_the_guider_is_followed() -> None:
    """Shift and LoRA of a custom sampler hang on its guider."""
    guider = node("CFGGuider", model=["shift", 0], positive=["n2", 0], negative=["n3", 0], cfg=4.0)
    nodes = advanced(guider, shift=node("ModelSamplingAuraFlow", model=["n1", 0], shift=3.0))
    assert at(nodes, "shift", "cfg") == ["shift.shift", "guider.cfg"]


def test_the_only_seed_is_found_wherever_it_hangs() -> None:
    """Noise that is added to the latent picture beforehand leaves the sampler without any."""
    guider = node("BasicGuider", model=["n1", 0], conditioning=["n2", 0])
    nodes = advanced(guider, real=node("RandomNoise", noise_seed=3))
    nodes["noise"] = node("DisableNoise")
    nodes["add"] = node(
        "AddNoise", model=["n1", 0], noise=["real", 0], sigmas=["sigmas", 0], latent_image=["n4", 0]
    )
    linked(nodes, n5__latent_image="add")
    assert at(nodes, "seed", "width") == ["real.noise_seed", "n4.width"]


def test_one_of_several_loras_is_not_guessed() -> None:
    """A title says which one roles may set."""
    nodes = graph(
        one=node("LoraLoader", model=["n1", 0], clip=["n1", 1], lora_name="a", strength_model=1.0),
        two=node("LoraLoader", model=["one", 0], clip=["n1", 1], lora_name="b", strength_model=1.0),
    )
    linked(nodes, n5__model="two")
    assert at(nodes, "lora", "lora_strength") == ["–", "–"]
    nodes["one"]["_meta"] = {"title": "lora"}
    assert at(nodes, "lora") == ["one.lora_name"]


def test_every_place_that_counts_pictures_is_set() -> None:
    """One picture is kept of a job, so neither the latent nor what repeats it may make more."""
    nodes = graph(more=node("RepeatLatentBatch", samples=["n4", 0], amount=3))
    linked(nodes, n5__latent_image="more")
    workflow = parse(nodes)
    bound = workflow.bind({"batch": 1})
    assert bound["n4"]["inputs"]["batch_size"] == bound["more"]["inputs"]["amount"] == 1


# Texts


@pytest.mark.parametrize(
    "way",
    [
        {"a": node("ConditioningConcat", conditioning_to=["n2", 0], conditioning_from=["far", 0])},
        {"a": node("ConditioningAverage", conditioning_to=["n2", 0], conditioning_from=["far", 0])},
        {"a": node("ConditioningSetTimestepRange", conditioning=["n2", 0], start=0.0, end=0.5)},
        {"a": node("ReferenceLatent", conditioning=["n2", 0], latent=["n4", 0])},
        {
            "a": node(
                "FluxKontextMultiReferenceLatentMethod",
                conditioning=["n2", 0],
                reference_latents_method="index",
            )
        },
        {"a": node("StyleModelApply", conditioning=["n2", 0], style_model=["far", 0])},
        {"a": node("GLIGENTextBoxApply", conditioning_to=["n2", 0], clip=["n1", 1], text="a box")},
        {
            "a": node("ComfySwitchNode", switch=["on", 0], on_false=["n2", 0]),
            "on": node("PrimitiveBoolean", value=False),
        },
        {
            "a": node("FluxGuidance", conditioning=["b", 0], guidance=3.5),
            "b": node("ConditioningSetArea", conditioning=["n2", 0]),
        },
    ],
)
def test_whatever_passes_conditioning_on_is_followed(way: dict[str, Node]) -> None:
    """The text behind it is the prompt; what such a node says of its own is not."""
    nodes = graph(**way, far=node("CLIPTextEncode", clip=["n1", 1], text="far"))
    linked(nodes, n5__positive="a")
    assert at(nodes, "positive", "negative") == ["n2.text", "n3.text"]


def test_zeroed_texts_do_not_hide_others() -> None:
    """Only the zeroed half of a combination is silent."""
    nodes = graph(
        zero=node("ConditioningZeroOut", conditioning=["n2", 0]),
        mix=node("ConditioningCombine", conditioning_1=["zero", 0], conditioning_2=["n3", 0]),
    )
    linked(nodes, n5__negative="mix")
    assert at(nodes, "negative") == ["n3.text"]


@pytest.mark.parametrize(
    ("encoder", "point", "more"),
    [
        (
            node("CLIPTextEncodeFlux", clip=["n1", 1], clip_l="a", t5xxl="b", guidance=3.5),
            "n2.t5xxl",
            {"n2.clip_l"},
        ),
        (
            node("CLIPTextEncodeSDXL", clip=["n1", 1], text_g="a", text_l="a", width=1024, height=1024),
            "n2.text_g",
            {"n2.text_l"},
        ),
        (
            node("CLIPTextEncodeLumina2", clip=["n1", 1], system_prompt="superior", user_prompt="a"),
            "n2.user_prompt",
            set(),
        ),
        (
            node("TextEncodeQwenImageEditPlus", clip=["n1", 1], image1=["photo", 0], prompt="a"),
            "n2.prompt",
            set(),
        ),
    ],
)
def test_every_encoder_hears_the_prompt(encoder: Node, point: str, more: set[str]) -> None:
    """Those that take several texts get the same in each, or half of an old prompt would stay."""
    nodes = graph(n2=encoder, photo=node("LoadImage", image="a.png"))
    assert at(nodes, "positive") == [point]
    assert echoes(nodes, "positive").keys() == more
    bound = parse(nodes).bind({"positive": "壶"})["n2"]["inputs"]
    assert all(bound[place.partition(".")[2]] == "壶" for place in {point, *more})


def test_a_loader_that_holds_both_texts_is_bound() -> None:
    """Some node packs type positive and negative text into one node."""
    nodes = graph(
        n2=None, n3=None, all=node("EasyLoader", ckpt_name="a.ckpt", positive="old", negative="bad")
    )
    linked(nodes, n5__positive="all", n5__negative="all")
    assert at(nodes, "positive", "negative") == ["all.positive", "all.negative"]


def test_of_a_joined_text_the_linked_part_is_the_prompt() -> None:
    """What is typed into the joining node is the style that somebody adds to every prompt."""
    nodes = graph(
        join=node("StringConcatenate", string_a=["p", 0], string_b=", studio light", delimiter=""),
        p=node("PrimitiveStringMultiline", value="old"),
    )
    linked(nodes, n2__text="join")
    assert at(nodes, "positive") == ["p.value"]


def test_a_text_is_followed_through_nodes_that_change_it() -> None:
    """To where it is typed; in a circle the encoder itself gets the prompt."""
    nodes = graph(
        change=node("StringReplace", string=["p", 0], find="a", replace="b"),
        p=node("PrimitiveString", value="old"),
    )
    linked(nodes, n2__text="change")
    assert at(nodes, "positive") == ["p.value"]
    nodes["p"] = node("Reroute", value=["change", 0])
    assert at(nodes, "positive") == ["n2.text"]


def test_a_text_that_is_computed_is_replaced() -> None:
    """A caption of the picture, or parts that are all typed in one node, give way to the prompt."""
    nodes = graph(
        join=node("StringConcatenate", string_a="old", string_b=", studio light", delimiter=""),
        caption=node("Captioner", image=["photo", 0], task="caption"),
        photo=node("LoadImage", image="a.png"),
    )
    for computing in ("join", "caption"):
        linked(nodes, n2__text=computing)
        assert at(nodes, "positive") == ["n2.text"]
        assert parse(nodes).bind({"positive": "壶"})["n2"]["inputs"]["text"] == "壶"


def test_a_switch_is_no_text() -> None:
    """A true or false called ``value`` never gets the prompt."""
    nodes = graph(
        switch=node("ComfySwitchNode", switch=["on", 0], on_false=["p", 0]),
        on=node("PrimitiveBoolean", value=False),
        p=node("PrimitiveString", value="old"),
    )
    linked(nodes, n2__text="switch")
    assert at(nodes, "positive") == ["p.value"]


def test_a_text_that_is_said_to_be_the_prompt_is_no_negative_text() -> None:
    """A title on the encoder of the other side turns both round; the prompt must not be replaced."""
    nodes = graph()
    nodes["n3"]["_meta"] = {"title": "positive"}
    assert at(nodes, "positive", "negative") == ["n3.text", "–"]


def test_a_text_that_feeds_both_sides_is_the_prompt_alone() -> None:
    """Also where it is typed in a node that both encoders share."""
    nodes = graph(p=node("PrimitiveString", value="old"))
    linked(nodes, n2__text="p", n3__text="p")
    assert at(nodes, "positive", "negative") == ["p.value", "–"]


# Numbers that are linked


def test_numbers_are_set_where_they_are_typed() -> None:
    """A node of another pack that holds a seed under its own name is as good as a primitive."""
    nodes = graph(
        a=node("Seed (rgthree)", seed=-1),
        b=node("PrimitiveInt", value=["c", 0]),
        c=node("PrimitiveInt", value=9),
    )
    linked(nodes, n5__seed="a", n5__steps="b")
    assert at(nodes, "seed", "steps") == ["a.seed", "c.value"]


@pytest.mark.parametrize(
    "computing",
    [
        node("ResolutionSelector", aspect_ratio="1:1", megapixels=1, multiple=8),
        node("MathExpression", expression="a*2", value="a*2"),
        node("ComfySwitchNode", on_false=["n1", 0], on_true=["n1", 0]),
        node("PrimitiveInt", value=["c", 0]),
    ],
)
def test_a_number_that_is_computed_is_replaced(computing: Node) -> None:
    """What a role says comes before what the graph would work out, even in a circle of links."""
    nodes = graph(c=computing)
    nodes["n4"]["inputs"] |= {"width": ["c", 0], "height": ["c", 1]}
    assert at(nodes, "width", "height") == ["n4.width", "n4.height"]
    bound = parse(nodes).bind({"width": 640, "height": 480})["n4"]["inputs"]
    assert (bound["width"], bound["height"]) == (640, 480)


def test_one_primitive_for_both_sides_is_refused() -> None:
    """It would make every size square."""
    nodes = graph(c=node("PrimitiveInt", value=512))
    linked(nodes, n4__width="c", n4__height="c")
    error = refusal(nodes)
    assert error.code == "workflow_point_shared"
    assert "width and height are the same input (c.value)" in error.message_en


# The way of the picture


def photo(**changes: Node | None) -> dict[str, Node]:
    """A graph that starts from a photo."""
    nodes: dict[str, Node | None] = {
        "n4": node("VAEEncode", pixels=["scale", 0], vae=["n1", 2]),
        "scale": node("ImageScale", image=["photo", 0], width=1024, height=1024, crop="center"),
        "photo": node("LoadImage", image="left_by_somebody.png"),
    }
    return graph(**nodes | changes)


def test_a_picture_made_from_another_has_the_size_that_one_is_scaled_to() -> None:
    """And the only picture that is loaded is the reference."""
    assert at(photo(), "width", "height", "reference", "batch") == [
        "scale.width",
        "scale.height",
        "photo.image",
        "–",
    ]


@pytest.mark.parametrize(
    "follows",
    [
        {"scale": node("ImageScaleToTotalPixels", image=["photo", 0], upscale_method="area", megapixels=1.0)},
        {"scale": node("FluxKontextImageScale", image=["photo", 0])},
        {"n4": node("VAEEncode", pixels=["photo", 0], vae=["n1", 2])},
    ],
)
def test_a_size_that_follows_the_photo_has_a_remedy(follows: dict[str, Node]) -> None:
    """Nobody could say beforehand whether the picture is right; the message says which node to insert."""
    nodes = photo() | follows
    error = refusal(nodes)
    assert error.code == "workflow_point_missing"
    assert "ImageScale" in error.message_en
    assert '"size"' in error.message_en
    nodes["mine"] = node("ImageScale", title="size", image=["photo", 0], width=1, height=1, crop="center")
    nodes = linked(nodes, n4__pixels="mine")
    assert at(nodes, "width", "height") == ["mine.width", "mine.height"]


def test_a_size_that_is_read_off_a_picture_is_set_where_that_gets_it() -> None:
    """Graphs with a control picture measure it; both must have the role's size."""
    nodes = photo(
        n4=node("EmptySD3LatentImage", width=["size", 0], height=["size", 1], batch_size=1),
        size=node("GetImageSize", image=["edges", 0]),
        edges=node("Canny", image=["scale", 0]),
    )
    assert at(nodes, "width", "height") == ["scale.width", "scale.height"]
    del nodes["scale"]["inputs"]["width"], nodes["scale"]["inputs"]["height"]
    assert at(nodes, "width", "height") == ["n4.width", "n4.height"]


def test_several_pictures_need_titles() -> None:
    """Nobody can say which is the product's; three of them can be."""
    nodes = photo(other=node("LoadImage", image="b.png"), third=node("LoadImage", image="c.png"))
    nodes["n2"]["inputs"] |= {"image1": ["photo", 0], "image2": ["other", 0], "image3": ["third", 0]}
    assert at(nodes, "reference") == ["–"]
    for name, title in (("photo", "reference"), ("other", "reference2"), ("third", "reference3")):
        nodes[name]["_meta"] = {"title": title}
    assert at(nodes, "reference", "reference2", "reference3") == ["photo.image", "other.image", "third.image"]


def test_a_mask_is_no_reference() -> None:
    """LoadImageMask has an input of the same name."""
    nodes = photo(mask=node("LoadImageMask", image="m.png", channel="alpha"))
    linked(nodes, n4__mask="mask")
    assert at(nodes, "reference") == ["photo.image"]


def test_a_node_titled_size_carries_both_sides() -> None:
    """One node has one title, and a size is two numbers."""
    nodes = graph(final=node("ImageScale", title="size", image=["n6", 0], width=1, height=1, crop="center"))
    linked(nodes, n7__images="final")
    assert at(nodes, "width", "height") == ["final.width", "final.height"]
    assert {parse(nodes).points[side].found_by for side in ("width", "height")} == {"title"}


# Several samplers


def hires(scale: Node) -> dict[str, Node]:
    """A graph whose second sampler refines an enlarged copy of what the first made."""
    nodes = graph(scale=scale, again=copy.deepcopy(graph()["n5"]))
    return linked(nodes, scale__samples="n5", again__latent_image="scale", n6__samples="again")


def test_the_first_sampler_of_a_chain_drives() -> None:
    """Seed and steps are those of the sampler that starts from nothing; prompts that both hear count once."""
    nodes = hires(node("LatentUpscale", upscale_method="area", width=1024, height=768, crop="disabled"))
    assert at(nodes, "seed", "steps", "cfg", "positive", "negative") == [
        "n5.seed",
        "n5.steps",
        "n5.cfg",
        "n2.text",
        "n3.text",
    ]


def test_the_last_size_of_a_chain_is_the_pictures_and_the_first_keeps_its_proportion() -> None:
    """A role asks for the size of what is saved; the small picture it grows from has the same shape."""
    nodes = hires(node("LatentUpscale", upscale_method="area", width=1024, height=768, crop="disabled"))
    assert at(nodes, "width", "height") == ["scale.width", "scale.height"]
    assert echoes(nodes, "width") == {"n4.width": 0.5}
    bound = parse(nodes).bind({"width": 1104, "height": 1472})
    assert (bound["scale"]["inputs"]["width"], bound["scale"]["inputs"]["height"]) == (1104, 1472)
    assert bound["n4"]["inputs"]["width"] == 544  # 552 is no multiple of 16
    assert bound["n4"]["inputs"]["height"] == 976  # 512 / 768 of 1472


@pytest.mark.parametrize(
    "scale",
    [
        node("LatentUpscaleBy", upscale_method="area", scale_by=["n1", 0]),
        node("LatentUpscaleBy", upscale_method="area", scale_by=0),
        node("LatentUpscaleBy", upscale_method="area"),
    ],
)
def test_a_size_that_changes_later_is_refused_with_a_remedy(scale: Node) -> None:
    """Every picture would have the wrong size, each after the GPU's work."""
    error = refusal(hires(scale))
    assert error.code == "workflow_size_changes"
    assert "scale (LatentUpscaleBy)" in error.message_en
    nodes = hires(scale)
    nodes["final"] = node("ImageScale", title="size", image=["n6", 0], width=1, height=1, crop="center")
    assert at(linked(nodes, n7__images="final"), "width") == ["final.width"]


def test_a_factor_of_one_changes_nothing() -> None:
    """Switched off is as good as not there."""
    assert at(hires(node("LatentUpscaleBy", upscale_method="area", scale_by=1.0)), "width") == ["n4.width"]


@pytest.mark.parametrize("kind", ["LatentUpscaleBy", "ImageScaleBy"])
@pytest.mark.parametrize("is_in_primitive", [False, True])
def test_a_factor_that_is_typed_is_taken_into_account(kind: str, is_in_primitive: bool) -> None:
    """The role asks for the finished picture; what is made first is so much smaller."""
    nodes = graph(
        up=node(kind, upscale_method="lanczos", scale_by=1.6),
        again=copy.deepcopy(graph()["n5"]),
        f=node("PrimitiveFloat", value=1.6),
    )
    if is_in_primitive:
        linked(nodes, up__scale_by="f")
    if kind == "LatentUpscaleBy":
        linked(nodes, up__samples="n5", again__latent_image="up", n6__samples="again")
    else:
        nodes |= {"e": node("VAEEncode"), "d": node("VAEDecode")}
        linked(nodes, up__image="n6", e__pixels="up", again__latent_image="e", d__samples="again")
        linked(nodes, n7__images="d")
    workflow = parse(nodes)
    assert (workflow.enlarges, workflow.step) == (Fraction(8, 5), 128)
    assert at(nodes, "width", "height") == ["n4.width", "n4.height"]
    bound = workflow.bind({"width": 2048, "height": 1536})
    assert (bound["n4"]["inputs"]["width"], bound["n4"]["inputs"]["height"]) == (1280, 960)


def test_the_picture_before_an_enlargement_has_shares_too() -> None:
    """A small picture, a larger one, and that enlarged: all keep their proportion."""
    nodes = hires(node("LatentUpscale", upscale_method="area", width=1024, height=768, crop="disabled"))
    nodes["up"] = node("ImageScaleBy", image=["n6", 0], upscale_method="lanczos", scale_by=2.0)
    bound = parse(linked(nodes, n7__images="up")).bind({"width": 2048, "height": 1536})
    assert (bound["scale"]["inputs"]["width"], bound["scale"]["inputs"]["height"]) == (1024, 768)
    assert bound["n4"]["inputs"]["width"] == 512


@pytest.mark.parametrize("points", [{"height": "n4.height"}, {"width": "n4.width", "height": "n4.height"}])
def test_a_mapped_size_is_what_somebody_said(points: dict[str, str]) -> None:
    """Who maps a size knows the graph better; half a mapping is no answer."""
    nodes = graph(up=node("ImageScaleBy", image=["n6", 0], upscale_method="lanczos", scale_by=2.0))
    linked(nodes, n7__images="up")
    if "width" in points:
        assert parse(nodes, points).enlarges == 1
    else:
        with pytest.raises(ConfigError) as caught:
            parse(nodes, points)
        assert caught.value.code == "workflow_size_changes"


def test_two_factors_are_refused() -> None:
    """Each rounds, and then nobody can say which sizes come out."""
    nodes = graph(
        up=node("ImageScaleBy", image=["n6", 0], upscale_method="lanczos", scale_by=1.5),
        down=node("ImageScaleBy", image=["up", 0], upscale_method="area", scale_by=0.9),
    )
    assert refusal(linked(nodes, n7__images="down")).code == "workflow_size_changes"


def test_an_upscaler_behind_the_decoder_needs_a_size_behind_it() -> None:
    """Models enlarge by a factor of their own, which no graph tells."""
    nodes = graph(up=node("ImageUpscaleWithModel", upscale_model=["n1", 0], image=["n6", 0]))
    linked(nodes, n7__images="up")
    assert refusal(nodes).code == "workflow_size_changes"
    nodes["final"] = node("ImageScale", image=["up", 0], width=2048, height=2048, crop="disabled")
    assert at(linked(nodes, n7__images="final"), "width") == ["final.width"]
    assert echoes(nodes, "height") == {"n4.height": 0.25}


def refined(**texts: str) -> dict[str, Node]:
    """A base and a refiner that has text encoders of its own."""
    return linked(
        graph(
            again=node("KSamplerAdvanced", noise_seed=0, steps=25, cfg=8.0),
            r2=node("CLIPTextEncode", clip=["n1", 1], text=texts.get("positive", "old positive")),
            r3=node("CLIPTextEncode", clip=["n1", 1], text=texts.get("negative", "old negative")),
        ),
        again__positive="r2",
        again__negative="r3",
        again__latent_image="n5",
        n6__samples="again",
    )


def test_a_refiner_with_a_copy_of_the_prompt_gets_the_new_one_too() -> None:
    """The same text typed twice is one text; an old product must not shine through."""
    assert echoes(refined(), "positive") == {"r2.text": 1.0}
    bound = parse(refined()).bind({"positive": "壶", "negative": "水印"})
    assert [bound[name]["inputs"]["text"] for name in ("n2", "r2", "n3", "r3")] == [
        "壶",
        "壶",
        "水印",
        "水印",
    ]


def test_a_refiner_with_words_of_its_own_keeps_them() -> None:
    """Another text is meant so; ``workflow check`` tells of it."""
    nodes = refined(positive="sharp details")
    assert echoes(nodes, "positive") == {}
    assert parse(nodes).bind({"positive": "壶"})["r2"]["inputs"]["text"] == "sharp details"


# What the picture does not need


def test_leftovers_count_for_nothing() -> None:
    """Muted branches leave nodes behind that no output needs: a second sampler, pictures, LoRAs, seeds."""
    leftovers = {
        "s": copy.deepcopy(graph()["n5"]),
        "l": node("LoraLoaderModelOnly", model=["n1", 0], lora_name="b", strength_model=1.0),
        "i": node("LoadImage", image="b.png"),
        "p": node("PreviewImage", images=["i", 0]),
        "e": node("EmptyLatentImage", width=1, height=1, batch_size=8),
    }
    assert parse(graph(**leftovers)).points == parse(graph()).points


def test_of_two_nodes_with_one_title_the_one_in_use_counts() -> None:
    """A copy that hangs on nothing is no rival."""
    nodes = graph(copy=node("CLIPTextEncode", title="positive", clip=["n1", 1], text="x"))
    nodes["n2"]["_meta"] = {"title": "positive"}
    assert at(nodes, "positive") == ["n2.text"]


def two_savers(**titles: str) -> dict[str, Node]:
    """A graph that also saves an enlarged copy."""
    nodes = graph(
        big=node(
            "ImageScale", image=["n6", 0], upscale_method="area", width=2048, height=2048, crop="disabled"
        ),
        n8=node("SaveImage", images=["big", 0], filename_prefix="big"),
        n9=node("PreviewImage", images=["n8", 0]),
    )
    for name, title in titles.items():
        nodes[name]["_meta"] = {"title": title}
    return nodes


def test_of_two_pictures_somebody_must_say_which_is_kept() -> None:
    """Otherwise whichever comes first would be taken."""
    error = refusal(two_savers())
    assert error.code == "workflow_saver_ambiguous"
    assert "n7 (SaveImage), n8 (SaveImage)" in error.message_en
    assert "filename_prefix" in error.message_en


@pytest.mark.parametrize(("kept", "size", "sent"), [("n7", "n4", "n7"), ("n8", "big", "n8")])
def test_the_other_picture_is_not_made(kept: str, size: str, sent: str) -> None:
    """Nodes that save or show something else are left out of the job."""
    nodes = two_savers(**{kept: "filename_prefix"})
    workflow = parse(nodes)
    assert workflow.points["width"].node == size
    assert workflow.points["filename_prefix"].node == sent
    assert {"n7", "n8"} & workflow.graph.keys() == {sent}
    assert ("n9" in workflow.graph) is (sent == "n8")
    by_mapping = parse(two_savers(), {"filename_prefix": f"{kept}.filename_prefix"})
    assert by_mapping.graph.keys() == workflow.graph.keys()


def test_a_prefix_in_a_primitive_leads_to_the_node_that_saves() -> None:
    """The title may stand on the node that holds the text."""
    nodes = graph(p=node("PrimitiveString", title="filename_prefix", value="x"))
    linked(nodes, n7__filename_prefix="p")
    assert at(nodes, "filename_prefix", "positive") == ["p.value", "n2.text"]


def test_a_saver_of_something_else_is_no_rival() -> None:
    """A copy of the input picture, saved for comparison, was not sampled."""
    nodes = photo(n8=node("SaveImage", images=["photo", 0], filename_prefix="before"))
    assert at(nodes, "filename_prefix") == ["n7.filename_prefix"]
    assert "n8" not in parse(nodes).graph


def test_ids_of_subgraphs_are_ids() -> None:
    """Converted subgraphs number their nodes ``57:3``."""
    ids = {name: f"57:{i}" for i, name in enumerate(graph())}
    nodes = {
        ids[name]: body
        | {"inputs": {k: [ids[v[0]], v[1]] if isinstance(v, list) else v for k, v in body["inputs"].items()}}
        for name, body in graph().items()
    }
    assert at(nodes, "positive", "seed") == ["57:1.text", "57:4.seed"]
    workflow = parse(nodes, {"cfg": "57:4.cfg", "seed": "57:4.seed"})
    assert workflow.points["seed"].found_by == "mapping"


# Binding


@given(
    st.sampled_from(["plain", "hires", "refined", "photo", "advanced"]),
    st.dictionaries(st.sampled_from(POINTS), st.integers(16, 4096), max_size=8),
)
@settings(max_examples=100, deadline=None)
def test_binding_changes_points_and_nothing_else(shape: str, values: dict[str, int]) -> None:
    """Whatever the graph looks like: other inputs, nodes and the workflow itself stay as they are."""
    shapes: Mapping[str, Callable[[], dict[str, Node]]] = {
        "plain": graph,
        "hires": lambda: hires(node("LatentUpscale", width=1024, height=1024)),
        "refined": refined,
        "photo": photo,
        "advanced": lambda: advanced(node("BasicGuider", model=["n1", 0], conditioning=["n2", 0])),
    }
    workflow = parse(shapes[shape]())
    before = copy.deepcopy(workflow.graph)
    bound = workflow.bind(values)
    may = {
        (where, name)
        for point in values
        if point in workflow.points
        for where, name, _ in workflow.points[point].spread(1)
    }
    changed = {
        (where, name)
        for where, body in bound.items()
        for name, value in body["inputs"].items()
        if value != before[where]["inputs"][name]
    }
    assert changed <= may
    assert workflow.graph == before
    assert bound.keys() == before.keys()
    for point, value in values.items():
        if point in workflow.points:
            place = workflow.points[point]
            assert bound[place.node]["inputs"][place.input] == value


def test_values_can_be_bound_in_two_goes() -> None:
    """What all pictures of a role share is bound once, and nodes are shared with it."""
    workflow = parse(graph())
    first = workflow.bind({"width": 640, "height": 480})
    both = workflow.bind({"positive": "壶", "seed": 1}, onto=first)
    assert both == workflow.bind({"positive": "壶", "seed": 1, "width": 640, "height": 480})
    assert both["n4"] is first["n4"]
