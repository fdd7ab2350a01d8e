"""Saved values by the widgets that a class declares."""

from __future__ import annotations

from typing import Any

import pytest

from catalog_imagegen.stages.conversion import convert
from tests.unit.pages import Json, Page, declared, values

SEED = ["INT", {"default": 3}]
STEPS = ["INT", {"default": 20}]
COMBO = ["COMBO", {"options": ["a", "b"]}]
DYNAMIC = [
    "COMFY_DYNAMICCOMBO_V3",
    {
        "options": [
            {"key": "plain", "inputs": {"required": {}}},
            {
                "key": "full",
                "inputs": {
                    "required": {"seed": SEED, "picture": ["IMAGE", {}]},
                    "optional": {"deep": ["COMFY_DYNAMICCOMBO_V3", {"options": [
                        {"key": "x", "inputs": {"required": {"y": ["FLOAT", {"default": 0.5}]}}},
                    ]}]},
                },
            },
        ]
    },
]  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    [
        ["a", "b"],
        *("COMBO", "INT", "FLOAT", "STRING", "BOOLEAN", "COLOR", "COLORS", "CURVE", "BOUNDING_BOX"),
        *("BOUNDING_BOXES", "COMPOSITOR", "COMFY_DYNAMICCOMBO_V3", "AUDIO_RECORD", "LOAD_3D", "WEBCAM"),
    ],
)
def test_what_is_a_widget(kind: Any) -> None:
    """Its value is taken as it is, whatever it is."""
    assert values({"input": [kind, {}], "steps": STEPS}, ["b", 5]) == {"input": "b", "steps": 5}


@pytest.mark.parametrize(
    "body",
    [
        ["IMAGE"],
        ["*", {}],
        ["INT,FLOAT", {"default": 1}],
        ["COMFY_MATCHTYPE_V3", {"template": {}}],
        [
            "COMFY_AUTOGROW_V3",
            {"template": {"input": {"required": {"value": ["INT", {}]}}, "prefix": "value"}},
        ],
        ["STRING", {"forceInput": True}],
        ["INT", {"forceInput": True, "control_after_generate": True}],
        [["a", "b"], {"forceInput": True}],
        [],
        "nonsense",
    ],
)
def test_what_is_a_socket(body: Any) -> None:
    """It takes no place among the saved values."""
    assert values({"seed": body, "steps": STEPS}, [5]) == {"steps": 5}


@pytest.mark.parametrize("option", ["advanced", "hidden", "socketless", "lazy", "display_name", "multiline"])
def test_options_that_make_no_difference(option: str) -> None:
    """They only change how a widget looks."""
    assert values({"input": ["STRING", {option: True}], "steps": STEPS}, ["x", 5]) == {
        "input": "x",
        "steps": 5,
    }


def test_a_union_with_a_type_of_its_own_for_the_widget() -> None:
    """It is a widget of that type."""
    body = ["FLOAT,INT", {"widgetType": "FLOAT"}]
    assert values({"input": body, "steps": STEPS}, []) == {"input": 0, "steps": 20}


def test_the_order_of_values_is_the_order_of_the_class() -> None:
    """Required before optional, each by input_order; what that leaves out comes behind."""
    info = {
        "input": {
            "optional": {"e": STEPS},
            "required": {"c": STEPS, "a": STEPS, "b": STEPS},
            "hidden": {"prompt": ["PROMPT"], "h": STEPS},
        },
        "input_order": {"required": ["a", "b", "gone"], "optional": ["e"]},
    }
    sent = convert(Page().node(1, "X", [1, 2, 3, 4, 5]).file, {"X": info})["1"]["inputs"]
    assert sent == {"a": 1, "b": 2, "c": 3, "e": 4}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("seed", SEED),
        ("noise_seed", SEED),
        ("seed", ["INT", {"control_after_generate": None}]),
        ("any", ["INT", {"control_after_generate": True}]),
        ("any", ["INT", {"control_after_generate": "fixed"}]),
        ("any", ["COMBO", {"options": ["a"], "control_after_generate": True}]),
        ("any", [["a"], {"control_after_generate": True}]),
    ],
)
def test_a_control_takes_one_place_and_is_not_sent(name: str, body: Any) -> None:
    """Also where the saved value does not look like one."""
    assert values({name: body, "steps": STEPS}, [1, "randomize", 5]) == {name: 1, "steps": 5}
    assert values({name: body, "steps": STEPS}, [1, 5]) == {name: 1, "steps": 20}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("seed", ["FLOAT", {}]),
        ("seed", ["INT", {"control_after_generate": False}]),
        ("my_seed", SEED),
        ("text", ["STRING", {"control_after_generate": True}]),
    ],
)
def test_what_has_no_control(name: str, body: Any) -> None:
    """Only whole numbers and combos, by name or by flag."""
    assert values({name: body, "steps": STEPS}, [1, 5]) == {name: 1, "steps": 5}


@pytest.mark.parametrize(
    ("body", "default"),
    [
        (["INT", {}], 0),
        (["FLOAT", {}], 0),
        (["STRING", {}], ""),
        (["BOOLEAN", {}], False),
        (["INT", {"default": 4}], 4),
        (["BOOLEAN", {"default": True}], True),
        (COMBO, "a"),
        (["COMBO", {"options": ["a", "b"], "default": "b"}], "b"),
        (["COMBO", {"options": ["a"], "default": "not there"}], "not there"),
        ([["a", "b"]], "a"),
        (DYNAMIC, "plain"),
        (["BOUNDING_BOXES", {"default": []}], {"__value__": []}),
    ],
)
@pytest.mark.parametrize("saved", [None, []])
def test_a_missing_value_is_the_default(body: Any, default: Any, saved: Any) -> None:
    """Or the first choice, or nothing of its kind."""
    assert values({"input": body}, saved) == {"input": default}


@pytest.mark.parametrize("body", [["COMBO", {"options": []}], [[], {}], ["COMBO", {"remote": {}}], ["COLOR"]])
def test_nothing_to_hold_is_left_out(body: Any) -> None:
    """The server then says what it lacks."""
    assert values({"input": body, "steps": STEPS}, []) == {"steps": 20}


@pytest.mark.parametrize(
    ("body", "sent"),
    [(STEPS, None), (["STRING", {"default": "x"}], None), (COMBO, "a"), ([["a"]], "a"), (DYNAMIC, "plain")],
)
def test_a_null(body: Any, sent: Any) -> None:
    """Numbers and texts stay null, which the server refuses; combos fall back."""
    assert values({"input": body}, [None]) == {"input": sent}


@pytest.mark.parametrize("value", [99999, -5, "20", 42.7, "no such choice", True, {"x": 1}])
def test_nothing_is_checked(value: Any) -> None:
    """The server judges."""
    assert values({"number": STEPS, "choice": COMBO}, [value, value]) == {"number": value, "choice": value}


def test_surplus_values_are_left_out() -> None:
    """Upload buttons and what another version had."""
    assert values({"steps": STEPS}, [1, "image", {}]) == {"steps": 1}


def test_a_whole_number_stays_exact() -> None:
    """ComfyUI's page would send 18446744073709552000, which the server refuses."""
    assert values({"seed": SEED}, [2**64 - 1]) == {"seed": 18446744073709551615}


def test_a_list_is_wrapped_and_an_object_is_not() -> None:
    """A bare list would be taken for a link."""
    sent = values({"a": ["CURVE"], "b": ["CURVE"]}, [[[0, 1]], {"points": [1]}])
    assert sent == {"a": {"__value__": [[0, 1]]}, "b": {"points": [1]}}


def test_values_by_name() -> None:
    """As packs of third parties save them; also those below a dynamic combo."""
    saved = {"steps": 9, "mode": "full", "mode.seed": 8, "mode.deep.y": 0.1, "unknown": 1, "seed": 2}
    sent = values({"seed": SEED, "steps": STEPS, "mode": DYNAMIC}, saved)
    assert sent == {
        "seed": 2, "steps": 9, "mode": "full", "mode.seed": 8, "mode.deep": "x", "mode.deep.y": 0.1,
    }  # fmt: skip


def test_a_dynamic_combo_brings_widgets() -> None:
    """Those of the choice, behind it and in each other; a seed among them has no control."""
    sent = values({"mode": DYNAMIC, "steps": STEPS}, ["full", 1, "x", 0.25, 5])
    assert sent == {"mode": "full", "mode.seed": 1, "mode.deep": "x", "mode.deep.y": 0.25, "steps": 5}
    assert values({"mode": DYNAMIC, "steps": STEPS}, ["plain", 5]) == {"mode": "plain", "steps": 5}
    assert values({"mode": DYNAMIC, "steps": STEPS}, ["nokey", 5]) == {"mode": "nokey", "steps": 5}


def test_a_comparison_takes_no_place() -> None:
    """And is always sent the same."""
    sent = values({"view": ["IMAGECOMPARE", {}], "steps": STEPS}, [5])
    assert sent == {"view": {"__value__": ["", ""]}, "steps": 5}


PAGE_WIDGETS: list[tuple[str, Json, list[Any], Json]] = [
    ("CustomCombo", {"choice": ["COMBO", {"options": []}]}, ["b", 1, "a", "b"],
     {"choice": "b", "index": 1, "option1": "a", "option2": "b", "option3": ""}),
    ("CustomCombo", {"choice": ["COMBO", {"options": []}]}, ["b", 1, "a", "b", ""],
     {"choice": "b", "index": 1, "option1": "a", "option2": "b", "option3": ""}),
    ("CustomCombo", {"choice": ["COMBO", {"options": []}]}, [], {"index": 0, "option1": ""}),
    ("SaveGLB", {"mesh": ["MESH"], "filename_prefix": ["STRING"]}, ["x", "shot"], {"filename_prefix": "x", "image": "shot"}),
    ("Preview3D", {"model_file": ["STRING"]}, ["m.glb"], {"model_file": "m.glb", "image": ""}),
    ("Load3D", {"model_file": COMBO, "image": ["LOAD_3D"], "width": STEPS, "height": STEPS},
     ["a", "upload3dmodel", "uploadExtraResources", "clear", "", 640, 480],
     {"model_file": "a", "upload 3d model": "upload3dmodel", "upload extra resources": "uploadExtraResources",
      "clear": "clear", "image": "", "width": 640, "height": 480}),
    ("LoadAudio", {"audio": COMBO, "start": STEPS}, ["b", None, 4], {"audio": "b", "start": 4}),
    ("LoadImageOutput", {"image": COMBO}, ["b"], {"image": "b", "refresh": "refresh"}),
    ("LoadImageMask", {"image": COMBO, "channel": COMBO}, ["b", "a", "image"], {"image": "b", "channel": "a"}),
    ("ImageCropV2", {"image": ["IMAGE"], "region": ["BOUNDING_BOX"]}, [{"x": 1}, 1, 2, 3, 4], {"region": {"x": 1}}),
    ("PreviewAny", {"source": ["*"]}, [None, None, None], {}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "inputs", "saved", "sent"), PAGE_WIDGETS)
def test_widgets_that_only_the_page_knows(kind: str, inputs: Json, saved: list[Any], sent: Json) -> None:
    """ComfyUI's page adds them to some classes; no declaration tells."""
    graph = convert(Page().node(1, kind, saved).file, {kind: declared(inputs)})
    assert graph["1"]["inputs"] == sent


def test_choices_of_a_custom_combo_by_name() -> None:
    """They go on as long as there are some."""
    infos = {"CustomCombo": declared({"choice": ["COMBO", {"options": []}]})}
    saved = {"choice": "a", "index": 0, "option1": "a"}
    assert convert(Page().node(1, "CustomCombo", saved).file, infos)["1"]["inputs"] == {
        **saved,
        "option2": "",
    }


def test_titles() -> None:
    """The node's own, else what the class is called, else its name."""
    page = Page().node(1, "X", title="mine").node(2, "X").node(3, "Y")
    graph = convert(page.file, {"X": declared({}, display_name="Shown"), "Y": {"input": {"required": {}}}})
    assert [body["_meta"]["title"] for body in graph.values()] == ["mine", "Shown", "Y"]
    assert graph["1"] == {"inputs": {}, "class_type": "X", "_meta": {"title": "mine"}}
