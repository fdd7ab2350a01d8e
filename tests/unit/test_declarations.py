"""The packaged node declarations, and workflow files that are read with them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from catalog_imagegen.config.declarations import (
    PACKAGED,
    api_graph_text,
    is_api_format,
    packaged_declarations,
    workflow_document,
)
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.stages.workflow import parse_workflow
from tests.declarations import FILE_ENDINGS, OPTIONS, packed, trimmed
from tests.unit.pages import Page
from tests.unit.test_conversion_pairs import pair

MAX_BYTES = 120_000


def texts(value: Any) -> Iterator[str]:
    """Every text in a value, names of keys left out."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(inner)


def test_they_are_small_and_hold_facts_only() -> None:
    """No descriptions, and no files of the server they come from; nothing is left to trim."""
    assert PACKAGED.stat().st_size < MAX_BYTES
    known = packaged_declarations()
    assert len(known) == 156
    assert trimmed(known) == known  # type: ignore[arg-type]  # they are plain objects
    assert {key for info in known.values() for key in info} == {
        "input", "input_order", "output", "output_node", "display_name",
    }  # fmt: skip
    for name, info in known.items():
        assert [text for text in texts(info["input"]) if text.endswith(FILE_ENDINGS)] == [], name


def test_trimming_keeps_what_a_conversion_reads() -> None:
    """And drops the rest; of choices what is a file of that server."""
    options = {"tooltip": "Long.", "default": "a.png", "multiline": True, "options": ["a.png", "none"]}
    below = {"key": "k", "inputs": {"required": {"n": ["INT", {"tooltip": "Long.", "default": 1}]}}}
    info = {
        "input": {
            "required": {"a": ["COMBO", options], "b": [["b.safetensors", "c"], {"tooltip": "x"}], "c": ["IMAGE"]},
            "optional": {"d": ["COMFY_DYNAMICCOMBO_V3", {"options": [below]}]},
            "hidden": {"prompt": ["PROMPT"]},
        },
        "input_order": {"required": ["a", "b", "c"], "optional": ["d"], "hidden": ["prompt"]},
        "output": ["IMAGE"], "output_node": False, "display_name": "X", "description": "Long.",
    }  # fmt: skip
    below_kept = {"key": "k", "inputs": {"required": {"n": ["INT", {"default": 1}]}}}
    assert trimmed({"X": info})["X"] == {
        "input": {
            "required": {"a": ["COMBO", {"options": ["none"]}], "b": [["c"]], "c": ["IMAGE"]},
            "optional": {"d": ["COMFY_DYNAMICCOMBO_V3", {"options": [below_kept]}]},
        },
        "input_order": {"required": ["a", "b", "c"], "optional": ["d"]},
        "output": ["IMAGE"], "output_node": False, "display_name": "X",
    }  # fmt: skip
    assert set(OPTIONS) >= {"forceInput", "dynamicPrompts", "widgetType", "control_after_generate"}


def test_the_same_facts_are_the_same_bytes() -> None:
    """No clock in the file."""
    some: dict[str, dict[str, object]] = {"X": {"input": {}}}
    assert packed(some) == packed(some)
    assert json.loads(gzip.decompress(packed(some))) == some


def test_a_saved_workflow_becomes_one_that_is_driven() -> None:
    """Its input points are found as in any other."""
    text = api_graph_text("turbo", json.dumps(pair("image_z_image_turbo")["ui"]))
    assert is_api_format(json.loads(text))
    found = parse_workflow("turbo", text)
    assert found.points["positive"].node.startswith("57:")
    assert not found.lacks("seed")


def test_the_same_text_gives_the_same_graph() -> None:
    """Whatever the time: a date in a file name stays a token, or the workflow would change every day."""
    page = Page().node(1, "SaveImage", ["%date:yyyy%"])
    assert json.loads(api_graph_text("x", json.dumps(page.file)))["1"]["inputs"] == {
        "filename_prefix": "%date:yyyy%"
    }


@pytest.mark.parametrize(
    "text", ['{"1": {"class_type": "X", "inputs": {}}}', "{", "", "[]", "5", '{"nodes": {}}']
)
def test_other_files_stay_as_they_are(text: str) -> None:
    """Whoever reads them complains."""
    assert api_graph_text("x", text) == text


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        (json.dumps(Page().node(40, "Unheard").file), "conversion_unknown_class", "--server URL --out FILE"),
        (json.dumps(Page().node(40, "Unheard").file), "conversion_unknown_class", "Unheard (40"),
        (json.dumps(Page().node(40, "workflow>Old").file), "conversion_group_node", "40 workflow>Old"),
        ('{"nodes": [5]}', "conversion_malformed", "5"),
        ("[" * 100_000, "conversion_malformed", "nested"),
    ],
)
def test_what_cannot_be_converted(text: str, code: str, word: str) -> None:
    """Names the workflow, and what to do."""
    with pytest.raises(ConfigError, match="my graph") as caught:
        api_graph_text("my graph", text)
    assert caught.value.code == code
    assert word in caught.value.message_en
    assert "my graph" in caught.value.message_zh


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "workflow_not_json"),
        ("[]", "workflow_wrong_format"),
        ("{}", "workflow_wrong_format"),
        ('{"nodes": {}}', "workflow_wrong_format"),
        ('{"1": {"inputs": {}}}', "workflow_wrong_format"),
        ("[" * 100_000, "conversion_malformed"),
    ],
)
def test_a_file_of_neither_format(text: str, code: str) -> None:
    """Is said to be none."""
    with pytest.raises(ConfigError, match="mine") as caught:
        workflow_document("mine", text)
    assert caught.value.code == code
