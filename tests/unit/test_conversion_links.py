"""Which nodes are sent, and what their inputs get over links."""

from __future__ import annotations

from typing import Any

import pytest

from catalog_imagegen.stages.conversion import LeftOut, convert, left_out
from tests.unit.pages import BYPASSED, INSIDE, KNOWN, MUTED, Page, Wire, declared


def source(page: Page | None = None) -> Page:
    """A page with two pictures: nodes 1 and 2."""
    return (page or Page()).node(1, "LoadImage", ["a.png"]).node(2, "LoadImage", ["b.png"])


def saving(page: Page, wire: Wire) -> Any:
    """What a SaveImage gets over this wire; nothing where it gets nothing."""
    return page.node(9, "SaveImage", ["x"], slots={"images": wire}).inputs_of("9").get("images")


def test_modes() -> None:
    """Only muted and bypassed nodes are left out; a node that nothing needs is sent."""
    page = Page()
    for mode in range(5):
        page.node(mode, "Number", [mode], mode=mode)
    page.nodes[0].pop("mode")
    assert set(page.graph()) == {"0", "1", "3"}


def test_nodes_of_the_page_alone_are_not_sent() -> None:
    """Notes, reroutes and primitives."""
    page = (
        Page()
        .node(1, "Note", ["n"])
        .node(2, "MarkdownNote", ["n"])
        .node(3, "Reroute")
        .node(4, "PrimitiveNode", [1])
    )
    assert page.graph() == {}
    assert left_out(page.file) == [LeftOut("1 Note", "note"), LeftOut("2 MarkdownNote", "note")]


def test_what_is_left_out_is_told() -> None:
    """By id and class, or by the name of the subgraph; also inside subgraphs."""
    page = Page().node(1, "Number", mode=MUTED).node(2, "sg", mode=BYPASSED)
    page.subgraph("sg").node(5, "Number", mode=BYPASSED).node(6, "Number")
    assert left_out(page.file) == [
        LeftOut("1 Number", "muted"), LeftOut("2 sg", "bypassed"), LeftOut("5 Number", "bypassed"),
    ]  # fmt: skip


def test_both_forms_of_links_and_ids() -> None:
    """Lists and objects, numbers and texts, whichever the file mixes."""
    page = (
        Page()
        .node("a", "LoadImage", ["a.png"])
        .node(9, "SaveImage", ["x"], slots={"images": ("a", 0, "IMAGE")})
    )
    document = page.file
    assert convert(document, KNOWN)["9"]["inputs"]["images"] == ["a", 0]
    document["links"] = [
        {"id": "1", "origin_id": "a", "origin_slot": "0", "target_id": 9.0, "target_slot": 0, "parentId": 3}, None,
    ]  # fmt: skip
    document |= {"reroutes": [{"id": 3}], "groups": [{}], "version": 1}
    assert convert(document, KNOWN)["9"]["inputs"]["images"] == ["a", 0]


def test_a_link_counts_where_the_input_carries_it() -> None:
    """A line of the table alone is nothing; the table's own idea of the target is not asked."""
    page = source().node(9, "SaveImage", ["x"], slots={"images": (1, 0, "IMAGE"), "more": "IMAGE"})
    page.links += [[8, 2, 0, 9, 1, "IMAGE"]]
    page.links[0][3:5] = [77, 5]
    assert page.inputs_of("9") == {"filename_prefix": "x", "images": ["1", 0]}


def test_a_link_replaces_the_value_of_a_widget() -> None:
    """Names come from the file, also one that the class lacks; outputs are not checked."""
    page = (
        Page()
        .node(1, "PrimitiveInt", [5])
        .node(2, "Number", [3], slots={"number": (1, 0, "INT"), "unheard": (1, 17, "X")})
    )
    assert page.inputs_of("2") == {"number": ["1", 0], "unheard": ["1", 17]}


def test_inputs_below_a_dynamic_combo() -> None:
    """A link into one that the choice does not bring is dropped; growing inputs inside are kept."""
    grown = ["COMFY_AUTOGROW_V3", {"template": {"prefix": "image"}}]
    options = [
        {"key": "one", "inputs": {"required": {"size": ["INT"], "images": grown}}},
        {"key": "other", "inputs": {"required": {"deep": ["COMFY_DYNAMICCOMBO_V3", {"options": [
            {"key": "k", "inputs": {"required": {"v": ["INT"]}}}]}]}}},
    ]  # fmt: skip
    infos = {**KNOWN, "D": declared({"mode": ["COMFY_DYNAMICCOMBO_V3", {"options": options}]})}
    names = ["mode.size", "mode.images.image0", "mode.deep.v", "mode.deep.w", "mode.gone", "x.y"]
    kept = {"one": {0, 1, 5}, "other": {2, 5}, "neither": {5}}
    for choice, left in kept.items():
        page = Page().node(1, "PrimitiveInt", [5])
        page.node(2, "D", [choice], slots=dict.fromkeys(names, (1, 0, "INT")))
        inputs = convert(page.file, infos)["2"]["inputs"]
        assert {name for name, value in inputs.items() if value == ["1", 0]} == {names[i] for i in left}


def test_growing_inputs_keep_their_names() -> None:
    """As many as the file has."""
    page = source().node(
        3, "BatchImagesNode", [], slots={"images.image0": (1, 0, "IMAGE"), "images.image1": "IMAGE", "images.image2": (2, 0, "IMAGE")}
    )  # fmt: skip
    assert page.inputs_of("3") == {"images.image0": ["1", 0], "images.image2": ["2", 0]}


def test_nothing_comes_from_a_muted_node() -> None:
    """A socket is then left out, a widget keeps its value."""
    page = Page().node(1, "PrimitiveInt", [5], mode=MUTED)
    page.node(2, "Number", [3], slots={"number": (1, 0, "INT"), "socket": (1, 0, "INT")})
    assert page.inputs_of("2") == {"number": 3}


@pytest.mark.parametrize(
    ("slots", "output", "wanted", "expected"),
    [
        ({"a": (1, 0, "IMAGE"), "b": (2, 0, "IMAGE")}, 0, "IMAGE", "1"),
        ({"a": (1, 0, "IMAGE"), "b": (2, 0, "IMAGE")}, 1, "IMAGE", "2"),
        ({"a": (1, 0, "MODEL"), "b": (2, 0, "IMAGE")}, 0, "IMAGE", "2"),
        ({"a": (1, 0, "*"), "b": (2, 0, "IMAGE")}, 0, "IMAGE", "1"),
        ({"x": "MODEL", "a": (1, 0, "*"), "b": (2, 0, "IMAGE")}, 0, "IMAGE", "2"),
        ({"x": "MODEL", "a": (1, 0, "*")}, 0, "IMAGE", "1"),
        ({"x": "MODEL", "a": (1, 0, "MASK,IMAGE")}, 0, "IMAGE", "1"),
        ({"x": "MODEL", "a": (1, 0, "MASK, IMAGE")}, 5, "LATENT,IMAGE", "1"),
        ({"x": "MODEL", "a": (1, 0, "COMFY_MATCHTYPE_V3")}, 0, "IMAGE", "1"),
        ({"a": (1, 0, "MODEL")}, 0, "*", "1"),
        ({"a": (1, 0, "MODEL"), "b": (2, 0, "IMAGE")}, 7, "*", "1"),
        ({"a": (1, 0, "MODEL")}, 0, "COMFY_MATCHTYPE_V3", "1"),
        ({"a": (1, 0, "MODEL")}, 0, "", "1"),
        ({"a": "IMAGE", "b": (2, 0, "IMAGE")}, 0, "IMAGE", None),
        ({"x": "MODEL", "a": "IMAGE", "b": (2, 0, "IMAGE")}, 0, "IMAGE", None),
        ({"x": "MODEL", "a": "IMAGE", "b": (2, 0, "IMAGE")}, -1, "IMAGE", None),
        ({"a": (1, 0, "MODEL")}, 0, "IMAGE", None),
        ({}, 0, "IMAGE", None),
    ],
)
def test_a_bypassed_node_hands_on_one_input(
    slots: Any, output: int, wanted: str, expected: str | None
) -> None:
    """The one at the same place if it fits, else the first of the type, else the first that fits; linked or not."""
    page = source().node(5, "Unknown here", mode=BYPASSED, slots=slots)
    assert saving(page, (5, output, wanted)) == (expected and [expected, 0])


def test_chains_of_bypassed_nodes_and_reroutes() -> None:
    """The type that is wanted stays that of the first input."""
    page = source().node(3, "Reroute", slots={"": (2, 0, "*")})
    page.node(4, "A", mode=BYPASSED, slots={"m": (1, 0, "MODEL"), "i": (3, 0, "IMAGE")})
    page.node(5, "Reroute", mode=BYPASSED, slots={"": (4, 0, "*")})
    page.node(6, "B", mode=BYPASSED, slots={"any": (5, 0, "*")})
    assert saving(page, (6, 0, "IMAGE")) == ["2", 0]


@pytest.mark.parametrize("slots", [{}, {"": "*"}, {"": (4, 0, "*")}])
def test_reroutes_that_lead_nowhere(slots: Any) -> None:
    """Without an input, unlinked, or muted further up."""
    page = source().node(4, "Reroute", mode=MUTED, slots={"": (1, 0, "*")}).node(3, "Reroute", slots=slots)
    assert saving(page, (3, 0, "IMAGE")) is None


def test_a_note_gives_nothing() -> None:
    """Whatever is linked to it."""
    assert saving(Page().node(1, "Note", ["n"]), (1, 0, "IMAGE")) is None


@pytest.mark.parametrize("mode", [0, MUTED, BYPASSED])
def test_a_primitive_writes_its_value(mode: int) -> None:
    """Into every widget that it is linked to, over what is saved there, whatever its mode."""
    page = Page().node(1, "PrimitiveNode", [640, "fixed"], mode=mode)
    page.node(2, "EmptyLatentImage", [1, 2, 3], slots={"width": (1, 0, "INT"), "height": (1, 0, "INT")})
    assert page.inputs_of("2") == {"width": 640, "height": 640, "batch_size": 3}


@pytest.mark.parametrize("value", [None, [], [None], {"x": 1}])
def test_a_primitive_without_a_value(value: Any) -> None:
    """The widget keeps its own."""
    page = Page().node(1, "PrimitiveNode", value).node(2, "Number", [3], slots={"number": (1, 0, "INT")})
    assert page.inputs_of("2") == {"number": 3}


def test_a_primitive_writes_directly_only() -> None:
    """Not through a reroute, not into the widget of a host, not into a socket."""
    page = Page().node(1, "PrimitiveNode", [640]).node(3, "Reroute", slots={"": (1, 0, "*")})
    page.node(2, "Number", [3], slots={"number": (3, 0, "INT"), "socket": (1, 0, "INT")})
    page.node(4, "sg", [5], slots={"n": (1, 0, "INT")})
    page.subgraph("sg", "n").node(7, "Number", [6], slots={"number": (INSIDE, 0, "INT")})
    graph = page.graph()
    assert (graph["2"]["inputs"], graph["4:7"]["inputs"]) == ({"number": 3}, {"number": 6})


def test_a_primitive_that_changes_a_dynamic_combo() -> None:
    """Other widgets come with the other choice."""
    page = Page().node(1, "PrimitiveNode", ["scale by multiplier"])
    page.node(
        2, "ResizeImageMaskNode", ["scale dimensions", 640, 480, "center", "area"],
        slots={"resize_type": (1, 0, "COMFY_DYNAMICCOMBO_V3")},
    )  # fmt: skip
    assert page.inputs_of("2") == {
        "resize_type": "scale by multiplier", "resize_type.multiplier": 1.0, "scale_method": "area",
    }  # fmt: skip
