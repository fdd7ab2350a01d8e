"""Whatever is done to a file, there is a graph that a server can be sent, or an error that says what to mend."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog_imagegen.stages.conversion import ConversionError, convert, left_out
from tests.unit.pages import KNOWN, Json
from tests.unit.test_conversion_pairs import PAIRS

SOUND = [
    "c05a_primitive_two",
    "c08d_nested_proxy_seed",
    "c10g_virtual_in_subgraph",
    "c16b_dynamic_combo_linked",
    "c21b_custom_combo_previewany",
    "d08j_proxy_minus1_mixed",
    "d11_tokens_in_subgraph",
    "e08_bypass_any_before_exact",
    "e12f_nested_multi",
    "hidream_e1_1",
    "image_z_image",
    "sdxl_refiner_prompt_example",
]
"""Files with all that there is: subgraphs in each other, proxies, primitives, reroutes, dynamic combos."""
FILES: dict[str, Json] = {
    name: json.loads(gzip.decompress((PAIRS / f"{name}.json.gz").read_bytes()))["ui"] for name in SOUND
}

ODD = st.sampled_from(
    [None, True, False, 0, -1, -10, -20, 1, 2, 3, 4, 5, 100, 2**70, 0.5, 4.0, float("nan"), "", "x", "4", "-10", "%a.b%",
     "{a|b}", "\ud800", [], [1], [1, 1, 0, 2, 0, "*"], {}, {"name": "x"}, "Reroute", "PrimitiveNode", "KSampler",
     "11111111-1111-4111-8111-111111110001", "11111111-1111-4111-8111-111111110002", "COMFY_MATCHTYPE_V3"]
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (list or object, index or key) below a value."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from places(value[key])


def converted(document: Any, infos: Any) -> Json | None:
    """A graph, or nothing where the one kind of error was raised."""
    try:
        return convert(document, infos)
    except ConversionError as error:
        if error.message_zh == error.message_en:
            raise
        return None


def assert_one_of_both(document: Any) -> None:
    """A graph that can be written, whose links lead to nodes of it; or one kind of error."""
    graph = converted(document, KNOWN)
    if graph is None:
        return
    json.dumps(graph, allow_nan=False).encode()
    for body in graph.values():
        assert body["class_type"] in KNOWN
        assert isinstance(body["_meta"]["title"], str)
        for value in body["inputs"].values():
            if isinstance(value, list):
                node, output = value
                assert node in graph
                assert isinstance(output, int)
    assert isinstance(left_out(document), list)
    assert convert(document, KNOWN) == graph


@pytest.mark.parametrize("name", SOUND)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_mutated_files(name: str, data: st.DataObject) -> None:
    """Some values are replaced, removed, doubled or swapped."""
    document = copy.deepcopy(FILES[name])
    for _ in range(data.draw(st.integers(1, 4), label="changes")):
        found = list(places(document))
        holder, key = found[data.draw(st.integers(0, len(found) - 1), label="place")]
        match data.draw(st.sampled_from(["replace", "replace", "remove", "copy"]), label="how"):
            case "replace":
                holder[key] = copy.deepcopy(data.draw(ODD | ANYTHING, label="by"))
            case "remove":
                del holder[key]
            case "copy":
                other, there = found[data.draw(st.integers(0, len(found) - 1), label="from")]
                holder[key] = copy.deepcopy(other[there])
    assert_one_of_both(document)


@settings(max_examples=200, deadline=None)
@given(document=ANYTHING, nodes=st.lists(ANYTHING, max_size=3), links=ANYTHING, definitions=ANYTHING)
def test_files_out_of_nothing(document: Any, nodes: Any, links: Any, definitions: Any) -> None:
    """Anything that JSON can hold, and the outline of a file around it."""
    assert_one_of_both(document)
    assert_one_of_both({"nodes": nodes, "links": links, "definitions": {"subgraphs": definitions}})


@settings(max_examples=100, deadline=None)
@given(info=ANYTHING, saved=st.lists(ANYTHING, max_size=4))
def test_declarations_out_of_nothing(info: Any, saved: Any) -> None:
    """What a server says of a class may be anything too."""
    document = {"nodes": [{"id": 1, "type": "X", "widgets_values": saved}]}
    for infos in ({"X": info}, {"X": {"input": info}}, {"X": {"input": {"required": info}}}, info):
        graph = converted(document, infos)
        assert graph is None or set(graph) == {"1"}
