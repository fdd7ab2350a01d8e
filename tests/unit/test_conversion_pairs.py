from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from catalog_imagegen.config.declarations import packaged_declarations
from catalog_imagegen.stages.conversion import ConversionError, UnknownClasses, convert

PAIRS = Path(__file__).parents[1] / "data" / "ui2api"
NAMES = sorted(path.name.removesuffix(".json.gz") for path in PAIRS.glob("*.json.gz"))
RECORDED = datetime(2026, 11, 22, 12)  # noqa: DTZ001 - in local time; only year and month are in the answers

REFUSED: Mapping[str, str] = {
    "c10f_subgraph_passthrough": "conversion_passthrough",
    "c18a_dangling_linkid": "conversion_dangling_link",
    "c18b_link_missing_in_table": "conversion_dangling_link",
}
"""Where ComfyUI's page gives up too, and our reason."""

UNKNOWN: Mapping[str, set[str]] = {
    "c11e_unknown_named_widgets": {"NoSuchNode_XYZ"},
    "template_rob_realistic_2k_images_quick_variations": {
        "AILab_QwenVL",
        "GrokImageNode",
        "ImageRemoveAlpha+",
    },
    "templates_ohneis_i2v": {"GeminiImage2Node", "KlingImageToVideoWithAudio"},
}
"""Where the page sends nodes without a class, which the server refuses; we refuse them, by these names."""

DIFFERENT: Mapping[str, str] = {
    "c12d_values_dict": "the page loses values that are saved by name; we take them by name",
    "c12g_big_seed": "the page rounds whole numbers above 2**53; we keep them",
    "e12b_nested_multi": "the page loses the values of nested hosts; we keep them",
}
"""Where we do otherwise on purpose, and why."""


def pair(name: str) -> dict[str, Any]:
    """A workflow in both formats."""
    found: dict[str, Any] = json.loads(gzip.decompress((PAIRS / f"{name}.json.gz").read_bytes()))
    return found


def shape(graph: Mapping[str, Any]) -> Counter[str]:
    """A graph without its ids: every node as its class, its title, its values and, again so, what it is linked to."""

    @cache
    def text_of(node: str) -> str:
        body = graph[node]
        inputs = {name: linked(value) for name, value in body["inputs"].items()}
        return json.dumps([body.get("class_type"), body["_meta"], inputs], sort_keys=True)

    def linked(value: Any) -> Any:
        if isinstance(value, list):
            return {"from": text_of(value[0]), "output": value[1]}
        return alike(value)

    return Counter(text_of(node) for node in graph)


def alike(value: Any) -> Any:
    """Values as JavaScript tells them apart: 8.0 is 8, and no more."""
    if isinstance(value, dict):
        return {name: alike(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [alike(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def test_the_exceptions_are_pairs() -> None:
    """No exception stands for a file that is gone, and none twice."""
    assert len(NAMES) == 142
    assert len({*REFUSED, *UNKNOWN, *DIFFERENT}) == len(REFUSED) + len(UNKNOWN) + len(DIFFERENT)
    assert {*REFUSED, *UNKNOWN, *DIFFERENT} <= set(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in {*REFUSED, *UNKNOWN, *DIFFERENT}])
def test_the_graph_is_the_one_of_comfyuis_own_page(name: str) -> None:
    """The same nodes with the same titles, values and links, whatever their ids."""
    known = pair(name)
    assert shape(convert(known["ui"], packaged_declarations(), now=RECORDED)) == shape(known["api"])


@pytest.mark.parametrize("name", DIFFERENT)
def test_an_exception_is_still_one(name: str) -> None:
    """One that comes to match is to be taken off the list."""
    known = pair(name)
    assert shape(convert(known["ui"], packaged_declarations(), now=RECORDED)) != shape(known["api"])


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_page_refuses_is_refused(name: str) -> None:
    """There is no graph to compare with; we say what to mend."""
    known = pair(name)
    assert known["api"] is None
    with pytest.raises(ConversionError) as caught:
        convert(known["ui"], packaged_declarations())
    assert caught.value.code == REFUSED[name]


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_classes_are_all_named(name: str) -> None:
    """The page sends these nodes as UNKNOWN, without a class."""
    known = pair(name)
    assert any("class_type" not in body for body in known["api"].values())
    with pytest.raises(UnknownClasses) as caught:
        convert(known["ui"], packaged_declarations())
    assert set(caught.value.places) == UNKNOWN[name]


def test_rounded_numbers_are_the_only_difference_of_a_big_seed() -> None:
    """The exception is no wider than its reason."""
    known = pair("c12g_big_seed")
    ours = convert(known["ui"], packaged_declarations())
    assert ours["3"]["inputs"]["seed"] == 2**64 - 1
    assert known["api"]["3"]["inputs"]["seed"] == 18446744073709552000
    ours["3"]["inputs"]["seed"] = known["api"]["3"]["inputs"]["seed"]
    assert shape(ours) == shape(known["api"])


def test_values_by_name_are_taken_by_name() -> None:
    """As packs of third parties save them."""
    known = pair("c12d_values_dict")
    sampler = convert(known["ui"], packaged_declarations())["3"]["inputs"]
    assert (sampler["seed"], sampler["steps"], sampler["cfg"]) == (5, 6, 7)
    assert (sampler["sampler_name"], sampler["scheduler"], sampler["denoise"]) == ("ddim", "karras", 0.5)


def test_nested_hosts_keep_their_values() -> None:
    """In e12b the page falls back to the inner defaults; in e12f, listed the other way round, it does not."""
    ours = convert(pair("e12b_nested_multi")["ui"], packaged_declarations())
    steps = {node: body["inputs"]["steps"] for node, body in ours.items() if "steps" in body["inputs"]}
    assert steps == {"100:50:3": 12, "100:51:3": 13}
