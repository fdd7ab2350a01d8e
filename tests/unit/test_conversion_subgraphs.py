"""Subgraphs: their links, and whose value counts."""

from __future__ import annotations

from typing import Any

import pytest

from catalog_imagegen.stages.conversion import convert
from tests.unit.pages import BYPASSED, INSIDE, KNOWN, MUTED, Json, Page

SIZE = (INSIDE, 0, "INT")


def sized(page: Page, *, name: str = "sg") -> Page:
    """A subgraph with the inputs size (both sides of a picture) and count (how many)."""
    inner = page.subgraph(name, "size", "count")
    inner.node(5, "EmptyLatentImage", [1, 2, 3], slots={
        "width": SIZE, "height": SIZE, "batch_size": (INSIDE, 1, "INT"),
    })  # fmt: skip
    inner.node(6, "Number", [4])
    inner.out(5)
    return page


def sent(page: Page, node: str = "1:5") -> tuple[Any, ...]:
    """Width, height and count as they are sent."""
    inputs = page.inputs_of(node)
    return tuple(inputs[name] for name in ("width", "height", "batch_size"))


def proxies(*entries: Any) -> Json:
    """The property that says for which inner widgets the values of a host are."""
    return {"proxyWidgets": list(entries)}


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (None, (1, 1, 3)),
        ([], (1, 1, 3)),
        ([10], (10, 10, 3)),
        ([10, 20], (10, 10, 20)),
        ([10, 20, 30], (10, 10, 20)),
        ([None, 20], (None, None, 20)),
        ({"count": 20, "other": 5}, (1, 1, 20)),
    ],
)
def test_a_host_holds_values_by_place(held: Any, expected: tuple[Any, ...]) -> None:
    """For its inputs in the order of the definition; without one the first widget behind the input counts."""
    assert sent(sized(Page().node(1, "sg", held))) == expected


@pytest.mark.parametrize(
    ("entries", "held", "expected", "number"),
    [
        ([["5", "batch_size"], ["5", "width"]], [7, 8], (8, 8, 7), 4),
        ([["6", "number"], ["5", "height"]], [7, 8], (8, 8, 8), 7),
        ([["-1", "count"], ["-1", "size"], ["-1", "nope"]], [7, 8, 9], (8, 8, 7), 4),
        ([["-1", "size"], ["6", "control_after_generate"], ["6", "number"]], [7, 8, 9], (7, 7, 8), 9),
        ([["99", "nope"], ["6", "nope"], ["6", "number"]], [7, 8, 9], (7, 7, 8), 9),
        ([["6", "number"], ["5", "width"]], [None, None], (None, None, None), 4),
        ([["6", "number"], "nonsense", ["6"], [6, "number"]], [1, 2, 3, 5], (1, 1, 2), 5),
        ([["6", "number"], ["5", "width"]], [7], (7, 7, 3), 7),
        ([], [7], (7, 7, 3), 4),
        ("nonsense", [7], (7, 7, 3), 4),
    ],
)
def test_a_host_names_inner_widgets(entries: Any, held: Any, expected: tuple[Any, ...], number: Any) -> None:
    """Both readings count, this one over that by place; null says nothing of a node."""
    page = sized(Page().node(1, "sg", held, properties={"proxyWidgets": entries}))
    assert (sent(page), page.inputs_of("1:6")["number"]) == (expected, number)


def test_an_input_stands_for_the_first_widget_in_its_order_of_links() -> None:
    """Not for the first in the file; a socket before it gets the value too."""
    page = Page().node(1, "sg")
    inner = page.subgraph("sg", "v")
    inner.node(5, "Any", slots={"anything": SIZE}).node(6, "Number", [10], slots={"number": SIZE})
    inner.node(7, "Number", [20], slots={"number": SIZE})
    document = page.file
    ports = document["definitions"]["subgraphs"][0]["inputs"]
    for order, value in (([1, 2, 3], 10), ([1, 3, 2], 20), ([3], 20), ([], 10), ([77, 2], 10)):
        ports[0]["linkIds"] = order
        graph = convert(document, KNOWN)
        assert [graph[f"1:{n}"]["inputs"] for n in (5, 6, 7)] == [
            {"anything": value}, {"number": value}, {"number": value},
        ]  # fmt: skip


def test_an_input_without_a_widget_holds_nothing() -> None:
    """And takes no place among the values."""
    page = Page().node(1, "sg", [5])
    inner = page.subgraph("sg", "socket", "n")
    inner.node(5, "Any", slots={"anything": (INSIDE, 0, "X")})
    inner.node(6, "Number", [1], slots={"number": (INSIDE, 1, "INT")})
    graph = page.graph()
    assert (graph["1:5"]["inputs"], graph["1:6"]["inputs"]) == ({}, {"number": 5})


def test_a_proxy_for_what_is_no_widget() -> None:
    """A socket that hangs on an input without a widget: nothing is set."""
    page = Page().node(1, "sg", [5], properties=proxies(["5", "anything"]))
    page.subgraph("sg", "socket").node(5, "Any", slots={"anything": (INSIDE, 0, "X")})
    assert page.inputs_of("1:5") == {}


def test_a_widget_of_an_unknown_class_takes_its_place() -> None:
    """It is muted, so nobody misses its class; the values behind it must not move up."""
    page = Page().node(1, "sg", [5, 6])
    inner = page.subgraph("sg", "a", "b")
    inner.node(5, "Unheard", [0], mode=MUTED, slots={"x": (INSIDE, 0, "INT")})
    inner.nodes[0]["inputs"][0]["widget"] = {"name": "x"}
    inner.node(6, "Number", [1], slots={"number": (INSIDE, 1, "INT")})
    assert page.inputs_of("1:6") == {"number": 6}


def test_a_widget_that_holds_nothing_is_promoted_too() -> None:
    """An empty combo without a saved value: left out, but its place is kept."""
    page = Page().node(1, "sg")
    inner = page.subgraph("sg", "model", "n")
    inner.node(5, "CheckpointLoaderSimple", slots={"ckpt_name": (INSIDE, 0, "COMBO")})
    inner.node(7, "Number", [1], slots={"number": (INSIDE, 1, "INT")})
    assert page.inputs_of("1:5") == {}
    page.nodes[0]["widgets_values"] = ["a.safetensors", 9]
    assert page.inputs_of("1:5") == {"ckpt_name": "a.safetensors"}
    assert page.inputs_of("1:7") == {"number": 9}


@pytest.mark.parametrize("mode", [0, MUTED])
def test_a_link_into_a_host(mode: int) -> None:
    """It counts for all behind the input; where it leads nowhere, inner widgets keep their own stored values."""
    page = Page().node(1, "sg", [10, 20], slots={"count": "INT", "size": (2, 0, "INT")})
    page.node(2, "PrimitiveInt", [5], mode=mode)
    assert sent(sized(page)) == ((["2", 0], ["2", 0], 20) if mode == 0 else (1, 2, 20))


def test_instances_share_no_values() -> None:
    """Two hosts of one subgraph, in order of the file."""
    page = sized(Page().node(1, "sg", [10]).node(2, "sg", [20], properties=proxies(["6", "number"])))
    assert (sent(page, "1:5"), sent(page, "2:5")) == ((10, 10, 3), (20, 20, 3))
    assert (page.inputs_of("1:6"), page.inputs_of("2:6")) == ({"number": 4}, {"number": 20})
    assert list(page.graph()) == ["1:5", "1:6", "2:5", "2:6"]


def nested(
    *, outer: Any = None, middle: Any = None, outer_names: Any = None, middle_names: Any = None
) -> Page:
    """A subgraph in a subgraph; the size goes through both, the count and the number do not."""
    page = Page().node(1, "outer", outer, properties=proxies(*outer_names) if outer_names else None)
    inner = page.subgraph("outer", "big")
    inner.node(
        2, "sg", middle, properties=proxies(*middle_names) if middle_names else None, slots={"size": SIZE}
    )
    inner.out(2)
    return sized(page)


@pytest.mark.parametrize(
    ("held", "expected", "number"),
    [
        ({}, (1, 1, 3), 4),
        ({"middle": [10, 20]}, (10, 10, 20), 4),
        ({"outer": [30], "middle": [10, 20]}, (30, 30, 20), 4),
        ({"outer": [30], "outer_names": [["2", "size"]], "middle": [10, 20]}, (30, 30, 20), 4),
        ({"outer": [30, 40], "outer_names": [["-1", "big"], ["2", "count"]], "middle": [10, 20]}, (30, 30, 40), 4),
        ({"middle": [10, 20, 9], "middle_names": [["5", "width"], ["5", "batch_size"], ["6", "number"]]}, (10, 10, 20), 9),
        (
            {"outer": [8], "outer_names": [["2", "number"]], "middle": [10, 20], "middle_names": [["6", "number"]]},
            (8, 8, 20), 8,
        ),
        ({"outer": [8], "outer_names": [["2", "nobody"]]}, (8, 8, 3), 4),
    ],
)  # fmt: skip
def test_values_of_nested_hosts(held: Any, expected: tuple[Any, ...], number: int) -> None:
    """The outermost that says something counts."""
    page = nested(**held)
    assert sent(page, "1:2:5") == expected
    assert page.inputs_of("1:2:6") == {"number": number}


def test_links_out_of_subgraphs() -> None:
    """Through two walls, by place."""
    page = nested().node(3, "VAEDecode", slots={"samples": (1, 0, "LATENT"), "vae": (1, 1, "VAE")})
    assert page.inputs_of("3") == {"samples": ["1:2:5", 0]}


@pytest.mark.parametrize("mode", [MUTED, BYPASSED])
@pytest.mark.parametrize(("at", "sent"), [("outer", []), ("inner", ["1:2:5", "1:2:6"])])
def test_a_dropped_subgraph_takes_its_inside_with_it(mode: int, at: str, sent: list[str]) -> None:
    """One inside another does not: ComfyUI's page sends its nodes all the same, for nobody."""
    page = nested().node(3, "VAEDecode", slots={"samples": (1, 0, "LATENT")})
    (page if at == "outer" else page.subgraphs[0]).nodes[0]["mode"] = mode
    assert page.graph()["3"]["inputs"] == {}
    assert sorted(page.graph()) == sorted(["3", *sent])


def test_a_bypassed_host_hands_on_an_input() -> None:
    """As any node does."""
    page = sized(
        Page().node(1, "sg", [10], mode=BYPASSED, slots={"size": (2, 0, "INT")}).node(2, "PrimitiveInt", [5])
    )
    page.node(3, "Number", slots={"number": (1, 0, "INT")})
    assert page.graph()["3"]["inputs"] == {"number": ["2", 0]}


def test_inner_nodes_that_are_dropped() -> None:
    """Muted, nothing comes out; bypassed, what came in."""
    for mode, expected in ((MUTED, {}), (BYPASSED, {"images": ["2", 0]})):
        page = Page().node(1, "sg", slots={"picture": (2, 0, "IMAGE")}).node(2, "LoadImage", ["a.png"])
        inner = page.subgraph("sg", "picture")
        inner.node(5, "ImageInvert", mode=mode, slots={"image": (INSIDE, 0, "IMAGE")}).out(5)
        page.node(3, "PreviewImage", slots={"images": (1, 0, "IMAGE")})
        assert page.inputs_of("3") == expected


def test_host_inputs_are_found_by_name() -> None:
    """Their order may differ from the definition's, and some may be absent."""
    page = Page().node(1, "sg", [10, 20], slots={"count": (2, 0, "INT")}).node(2, "PrimitiveInt", [5])
    assert sent(sized(page)) == (10, 10, ["2", 0])


def test_an_unwired_output_gives_nothing() -> None:
    """The input behind it is left out."""
    page = Page().node(1, "sg").node(3, "PreviewImage", slots={"images": (1, 0, "IMAGE")})
    page.subgraph("sg").node(5, "LoadImage", ["a.png"])
    assert page.inputs_of("3") == {}


def test_ids_that_clash_stay_apart() -> None:
    """The path of hosts makes them unique; nothing is renumbered, so proxies still find their nodes."""
    page = Page().node(5, "sg", [10], properties=proxies(["6", "number"])).node(6, "Number", [1])
    assert list(sized(page).graph()) == ["5:5", "5:6", "6"]
    assert page.inputs_of("5:6") == {"number": 10}


def test_notes_reroutes_and_primitives_inside() -> None:
    """They work as outside."""
    page = Page().node(1, "sg", slots={"picture": (2, 0, "IMAGE")}).node(2, "LoadImage", ["a.png"])
    inner = page.subgraph("sg", "picture")
    inner.node(5, "Reroute", slots={"": (INSIDE, 0, "*")}).node(6, "PrimitiveNode", [640]).node(
        7, "Note", ["n"]
    )
    inner.node(
        8,
        "ImageScale",
        ["lanczos", 1, 1, "disabled"],
        slots={"image": (5, 0, "IMAGE"), "width": (6, 0, "INT")},
    )
    graph = page.graph()
    assert list(graph) == ["1:8", "2"]
    assert graph["1:8"]["inputs"] == {
        "upscale_method": "lanczos", "width": 640, "height": 1, "crop": "disabled", "image": ["2", 0],
    }  # fmt: skip


@pytest.mark.parametrize("names", [None, [["5", "resize_type"], ["5", "resize_type.multiplier"]]])
def test_a_promoted_dynamic_combo(names: Any) -> None:
    """Its choice on the host brings the widgets inside."""
    page = Page().node(1, "sg", ["scale by multiplier", 2.5], properties=proxies(*names) if names else None)
    page.subgraph("sg", *([] if names else ["way"])).node(
        5, "ResizeImageMaskNode", ["scale dimensions", 640, 480, "center", "area"],
        slots={"input": "IMAGE", "resize_type": "X" if names else (INSIDE, 0, "X")},
    )  # fmt: skip
    assert page.inputs_of("1:5") == {
        "resize_type": "scale by multiplier",
        "resize_type.multiplier": 2.5 if names else 1.0,
        "scale_method": "area",
    }


def test_a_promoted_list_is_wrapped() -> None:
    """It would be taken for a link."""
    page = Page().node(1, "sg", [[1, 2]])
    page.subgraph("sg", "n").node(5, "Number", [3], slots={"number": SIZE})
    assert page.inputs_of("1:5") == {"number": {"__value__": [1, 2]}}
