"""Files that cannot be converted: the message names the node and says what to do."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from catalog_imagegen.domain.errors import EXIT_USAGE
from catalog_imagegen.stages.conversion import ConversionError, UnknownClasses, convert, left_out
from tests.unit.pages import BYPASSED, INSIDE, KNOWN, MUTED, OUTSIDE, Json, Page


def refused(document: Any, code: str, *words: str, infos: Any = KNOWN) -> ConversionError:
    """The error of a file, in both languages."""
    with pytest.raises(ConversionError) as caught:
        convert(document, infos)
    error = caught.value
    assert (error.code, error.exit_code) == (f"conversion_{code}", EXIT_USAGE)
    assert error.message_en != error.message_zh
    for word in words:
        assert word in error.message_en, error.message_en
        assert word in error.message_zh, error.message_zh
    return error


@pytest.mark.parametrize(
    "document", [{}, {"nodes": {}}, {"nodes": None}, {"1": {"class_type": "X", "inputs": {}}}, []]
)
def test_what_is_no_ui_format(document: Any) -> None:
    """An API graph, or anything else."""
    refused(document, "not_ui")
    with pytest.raises(ConversionError):
        left_out(document)


def drawn() -> Json:
    """A sound file with a subgraph."""
    page = Page().node(1, "sg", [5], properties={"proxyWidgets": [["5", "number"]]}).node(2, "PreviewAny")
    page.node(3, "PreviewAny", slots={"source": (1, 0, "*")})
    page.subgraph("sg", "n").node(5, "Number", [3], slots={"number": (INSIDE, 0, "INT")}).out(5)
    return page.file


def inner(document: Json) -> Json:
    """The definition in it."""
    found: Json = document["definitions"]["subgraphs"][0]
    return found


Spoil = Callable[[Json], object]
DAMAGES: dict[str, tuple[Spoil, str]] = {
    "a node is a number": (lambda d: d["nodes"].append(5), "nodes"),
    "a node is null": (lambda d: d["nodes"].append(None), "nodes"),
    "no id": (lambda d: d["nodes"][1].pop("id"), "node id"),
    "an id is a list": (lambda d: d["nodes"][1].update(id=[1]), "node id"),
    "an id is true": (lambda d: d["nodes"][1].update(id=True), "True"),
    "an id is half": (lambda d: d["nodes"][1].update(id=1.5), "1.5"),
    "an id twice": (lambda d: d["nodes"][1].update(id="1"), "1"),
    "a type is a number": (lambda d: d["nodes"][1].update(type=7), "node 2"),
    "no type": (lambda d: d["nodes"][1].pop("type"), "node 2"),
    "values are a number": (lambda d: d["nodes"][1].update(widgets_values=7), "node 2 PreviewAny"),
    "values are a text": (lambda d: d["nodes"][1].update(widgets_values="x"), "widgets_values"),
    "inputs are a text": (lambda d: d["nodes"][1].update(inputs="x"), "node 2 PreviewAny"),
    "an input is null": (lambda d: d["nodes"][1].update(inputs=[None]), "node 2 PreviewAny"),
    "a link is a list": (lambda d: d["nodes"][1].update(inputs=[{"name": "x", "link": []}]), "link"),
    "links are a text": (lambda d: d.update(links="x"), "links"),
    "a line is short": (lambda d: d["links"].append([1, 2]), "links"),
    "a line is a text": (lambda d: d["links"].append("x"), "links"),
    "a line lacks a field": (lambda d: d["links"].append({"id": 1}), "links"),
    "an output is a text": (lambda d: d["links"].append([9, 1, "first", 2, 0, "*"]), "first"),
    "an output has an odd digit": (lambda d: d["links"].append([9, 1, "²", 2, 0, "*"]), "²"),
    "definitions are a text": (lambda d: d["definitions"].update(subgraphs="x"), "definitions"),
    "a definition is null": (lambda d: d["definitions"].update(subgraphs=[None]), "definitions"),
    "an inner id twice": (lambda d: inner(d)["nodes"].append(inner(d)["nodes"][0]), "sg"),
    "ports are a text": (lambda d: inner(d).update(inputs="x"), "sg"),
    "a port is null": (lambda d: inner(d).update(inputs=[None]), "sg"),
    "link ids are a number": (lambda d: inner(d)["inputs"][0].update(linkIds=5), "sg"),
    "a number is none": (lambda d: d["nodes"][1].update(widgets_values=[float("nan")]), "nan"),
    "a number is endless": (lambda d: d.update(extra={"x": [float("inf")]}), "inf"),
    "half a character": (lambda d: d["nodes"][1].update(title="x\ud800"), "workflow"),
    "half a character in a name": (lambda d: d.update({"x\ud800": 1}), "workflow"),
}


def test_the_sound_file_is_one() -> None:
    """So each damage below is the only one."""
    assert convert(drawn(), KNOWN)["1:5"]["inputs"] == {"number": 5}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file(name: str) -> None:
    """Says what is odd, where, and to save it again; the same for what is only listed."""
    spoil, word = DAMAGES[name]
    document = drawn()
    spoil(document)
    error = refused(document, "malformed", word)
    assert "save it again" in error.message_en
    with pytest.raises(ConversionError):
        left_out(document)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["nodes"][1].update(mode="odd", title=5, properties=[], inputs=None, widgets_values=None),
        lambda d: d["nodes"][0]["properties"].update(proxyWidgets=[{}, 5, None, [[], {}]]),
        lambda d: d["nodes"][1].update(inputs=[{"name": 5, "type": ["a", "b"]}, {"type": 0}]),
        lambda d: d.update(extra=None, config=[], groups="x", version="y"),
        lambda d: d.update(definitions={**d["definitions"], "more": 1}),
    ],
)
def test_oddities_that_do_no_harm(change: Spoil) -> None:
    """What is never read, or means nothing, is passed over."""
    document = drawn()
    change(document)
    assert set(convert(document, KNOWN)) == {"1:5", "2", "3"}


def test_endless_nesting() -> None:
    """Of lists, wherever they are."""
    document = drawn()
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    document["nodes"][1]["widgets_values"] = [deep]
    refused(document, "malformed", "100")
    while deep:  # freed step by step: the interpreter would go as deep again
        deep = deep.pop()


def test_unknown_classes() -> None:
    """All of them, with their nodes, titles and the names that could have been meant."""
    page = Page().node(1, "KSampla", title="Mine").node(2, "Nothing like it").node(3, "sg").node(4, "KSampla")
    page.subgraph("sg").node(5, "KSampla")
    error = refused(
        page.file, "unknown_class", "KSampla", "1", '"Mine"', "3:5", "Nothing like it", "KSampler"
    )
    assert isinstance(error, UnknownClasses)
    assert error.places == {"KSampla": ['1 "Mine"', "3:5", "4"], "Nothing like it": ["2"]}


@pytest.mark.parametrize("mode", [MUTED, BYPASSED])
def test_unknown_classes_that_are_not_sent(mode: int) -> None:
    """Nobody misses them; nor group nodes."""
    page = Page().node(1, "Unheard", mode=mode).node(2, "workflow>Old", mode=mode).node(3, "sg", mode=mode)
    page.subgraph("sg").node(5, "Unheard")
    assert page.graph() == {}


def test_a_subgraph_without_its_definition() -> None:
    """Is a class that nobody has."""
    refused(Page().node(1, "11111111-1111-4111-8111-111111110001").file, "unknown_class", "11111111-1111")


@pytest.mark.parametrize("kind", ["workflow>Old group", "workflow/Old group"])
def test_group_nodes(kind: str) -> None:
    """The old form of subgraphs, which ComfyUI's page turns into these."""
    refused(Page().node(7, kind, title="Lights").file, "group_node", "7", kind, "Lights")


def test_links_to_nowhere() -> None:
    """Not in the table; from a node that is not there; from a port that is not there. Inside too."""
    page = Page().node(1, "PreviewAny", slots={"source": (44, 0, "*")})
    refused(page.file, "dangling_link", "1 PreviewAny", "source", "44")
    page.links.clear()
    refused(page.file, "dangling_link", "1 PreviewAny", "source", "1")
    page = Page().node(1, "PreviewAny", slots={"source": (INSIDE, 0, "*")})
    refused(page.file, "dangling_link", "-10")
    for wire in ((INSIDE, 7, "*"), (INSIDE, -1, "*"), (55, 0, "*")):
        page = Page().node(1, "sg", title="Host")
        page.subgraph("sg", "a").node(5, "PreviewAny", slots={"source": wire})
        refused(page.file, "dangling_link", "1:5 PreviewAny", "source")


def test_a_link_to_nowhere_that_nobody_follows() -> None:
    """Into a node that is not sent; and past a wall that nothing comes through."""
    page = Page().node(1, "PreviewAny", mode=MUTED, slots={"source": (44, 0, "*")})
    page.node(2, "sg", [5], slots={"n": (1, 0, "*")})
    page.subgraph("sg", "n").node(5, "Number", [3], slots={"number": (INSIDE, 0, "INT")})
    assert page.inputs_of("2:5") == {"number": 3}


def test_a_link_to_nowhere_behind_a_host() -> None:
    """The message names the host and its subgraph."""
    page = Page().node(2, "sg", slots={"n": (44, 0, "*")}, title="My host")
    page.subgraph("sg", "n").node(5, "Number", [3], slots={"number": (INSIDE, 0, "INT")})
    refused(page.file, "dangling_link", '2 subgraph "sg" "My host"', "n", "44")


def test_an_input_wired_straight_to_an_output() -> None:
    """ComfyUI's page gives up on it; unless nobody asks for that output."""
    page = Page().node(1, "sg", slots={"a": (2, 0, "IMAGE")}).node(2, "LoadImage", ["a.png"])
    page.subgraph("sg", "a").out(INSIDE).out(INSIDE, at=1)
    page.node(3, "PreviewImage")
    assert set(page.graph()) == {"2", "3"}
    page.node(4, "PreviewImage", slots={"images": (1, 1, "IMAGE")})
    refused(page.file, "passthrough", "4 PreviewImage", "images", '1 subgraph "sg"')


@pytest.mark.parametrize("names", [("sg",), ("sg", "other"), ("sg", "other", "third")])
def test_subgraphs_that_hold_themselves(names: tuple[str, ...]) -> None:
    """Directly, or by way of others; whatever their mode."""
    page = Page().node(1, "sg", mode=MUTED)
    for name, following in zip(names, [*names[1:], "sg"], strict=True):
        page.subgraph(name).node(5, following)
    refused(page.file, "recursive", "sg", "1:5")


def test_too_many_subgraphs_in_each_other() -> None:
    """None of them holds itself."""
    page = Page().node(1, "s0")
    for depth in range(50):
        page.subgraph(f"s{depth}").node(5, f"s{depth + 1}")
    page.subgraph("s50")
    refused(page.file, "too_large", "40")


def test_too_many_nodes() -> None:
    """Thirty subgraphs of two hosts each are a thousand million nodes."""
    page = Page().node(1, "s0")
    for depth in range(30):
        page.subgraph(f"s{depth}").node(5, f"s{depth + 1}").node(6, f"s{depth + 1}")
    page.subgraph("s30")
    refused(page.file, "too_large", "100000")


def test_links_that_go_round() -> None:
    """Through reroutes, bypassed nodes, and the walls of a subgraph."""
    page = Page().node(1, "Reroute", slots={"": (2, 0, "*")})
    page.node(2, "Reroute", mode=BYPASSED, slots={"": (1, 0, "*")})
    page.node(3, "PreviewAny", slots={"source": (2, 0, "*")})
    refused(page.file, "circle", "2 Reroute")
    page = Page().node(1, "sg", slots={"a": (1, 0, "*")}).node(3, "PreviewAny", slots={"source": (1, 0, "*")})
    page.subgraph("sg", "a").node(5, "Reroute", slots={"": (INSIDE, 0, "*")}).out(5)
    refused(page.file, "circle")


def test_a_long_way() -> None:
    """Ten thousand reroutes are no crash, only a long way."""
    page = Page().node(0, "LoadImage", ["a.png"])
    for number in range(1, 10_000):
        page.node(number, "Reroute", slots={"": (number - 1, 0, "*")})
    page.node("end", "PreviewImage", slots={"images": (9_999, 0, "IMAGE")})
    assert page.inputs_of("end") == {"images": ["0", 0]}


def test_a_node_with_the_path_of_another() -> None:
    """An id may be any text."""
    page = Page().node("1:5", "Number").node(1, "sg")
    page.subgraph("sg").node(5, "Number")
    refused(page.file, "same_id", "1:5", "Number")


@pytest.mark.parametrize("infos", [None, [], "x", 5])
def test_declarations_that_are_none(infos: Any) -> None:
    """Said at once."""
    refused(drawn(), "wrong_declarations", "/object_info", infos=infos)


@pytest.mark.parametrize(
    "info",
    [
        {},
        {"input": None, "display_name": 5},
        {"input": {"required": [], "optional": 5}, "input_order": []},
        {"input": {"required": {"a": None, "b": [], "c": [None], "d": [[], None], "e": ["INT", 5]}}},
        {"input": {"required": {"a": ["INT"]}}, "input_order": {"required": ["a", 5, None, "z", "a"]}},
        {
            "input": {
                "required": {"a": ["COMBO", {"options": 5}], "b": [{}], "c": ["INT", {"widgetType": []}]}
            }
        },
        {"input": {"required": {"a": ["COMFY_DYNAMICCOMBO_V3", {"options": [5, {}, {"key": []}]}]}}},
    ],
)
def test_odd_declarations(info: Any) -> None:
    """Of a class that came from anywhere: read as far as they go."""
    assert convert(Page().node(1, "X", [1, [], {}]).file, {"X": info})["1"]["class_type"] == "X"


def test_what_is_declared_must_be_writable() -> None:
    """A default that JSON cannot hold would end in a graph that no server reads."""
    info = {"input": {"required": {"a": ["FLOAT", {"default": float("inf")}]}}}
    refused(Page().node(1, "X").file, "malformed", "inf", infos={"X": info})


def test_nothing_given_is_changed() -> None:
    """The file and the declarations are shared with others."""
    document, infos = drawn(), copy.deepcopy(dict(KNOWN))
    before = copy.deepcopy(document)
    convert(document, infos)
    assert (document, infos) == (before, KNOWN)


def test_the_ends_of_subgraphs_are_no_nodes() -> None:
    """Links that end at the output side are read where somebody asks for that output."""
    page = Page().node(1, "sg")
    page.subgraph("sg").node(5, "Number").out(5)
    assert page.links == []
    assert inner(page.file)["links"][0]["target_id"] == OUTSIDE
    assert set(page.graph()) == {"1:5"}
