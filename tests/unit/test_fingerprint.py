from __future__ import annotations

import copy
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_imagegen.domain.fingerprint import Digest, Fingerprint, digest, fingerprint
from catalog_imagegen.domain.imaging import (
    SEED_SPACE,
    Citation,
    Figure,
    ImageKey,
    Render,
    Take,
    item_id,
    seed_for,
)
from catalog_imagegen.stages.listing import VERSION as LISTING_VERSION
from catalog_imagegen.stages.listing import Entry, listing_key
from catalog_imagegen.stages.rendition import VERSION as RENDITION_VERSION
from catalog_imagegen.stages.rendition import rendition_key
from catalog_imagegen.stages.workflow import VERSION as RENDER_VERSION
from catalog_imagegen.stages.workflow import render_key
from tests.unit.builders import figure, graph, key, node, placement, platform, render, shown

KEPT = "bump VERSION if output changed on purpose: this key names results that ledgers and disks already hold"
RENDER = Render(Fingerprint("f" * 64), Digest("0" * 64), 1280, 1280)
PLACEHOLDER = replace(RENDER, placeholder=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_a_fingerprint_keeps_its_value() -> None:
    """A result made yesterday is found today, on any machine."""
    made = fingerprint("step", 1, {"b": [1, 2.5, None, True], "a": "白色"})
    assert made == "cc5cb792d9d7f07166cb9c4a446e045ad70a44d3249731d747b87ace0ef27601", KEPT


def test_a_render_key_keeps_its_value() -> None:
    """No upgrade makes the GPU paint the same picture again."""
    assert RENDER_VERSION == 1, KEPT
    assert (
        render_key(graph(), take=1) == "0929c49598d4d50cde53b1cced439b1f9a372ed82568dda324d675ceac81f8bb"
    ), KEPT
    assert (
        render_key(graph(), take=2, pictures=("ab",))
        == "2d4759efb43ece5e16151ce557a43c2ca2a7a5241c4b1222ab774421fa4bae2a"
    ), KEPT


def test_a_rendition_key_keeps_its_value() -> None:
    """No upgrade encodes every file of every listing again."""
    assert RENDITION_VERSION == 4, KEPT
    assert (
        rendition_key(RENDER, placement())
        == "ac777b5412e09d6ea61381a722b7ce1e71ae31d6c3d75cd64bc43de9a868c1fa"
    ), KEPT
    assert (
        rendition_key(PLACEHOLDER, placement())
        == "cf2116343f305f0d4e332c64671615725a2a413e0e13ed15cdb1e306c1101a86"
    ), KEPT


def test_a_listing_key_keeps_its_value() -> None:
    """No upgrade writes every listing again."""
    assert LISTING_VERSION == 1, KEPT
    entries = [Entry("A1_01_main.jpg", placement(), shown())]
    assert (
        listing_key(platform(placement()), "sku:A1", entries, ["ab"])
        == "19a42d39e8690a5df39169c5f0f48c57f04c5b75d2d491458bb07b5cd12ede67"
    ), KEPT


@pytest.mark.parametrize(
    ("text", "made"),
    [("正面", "740f5e8102e08ac4"), ("USB-C 接口", "9ddfceb3272a04b8"), ("", "e3b0c44298fc1c14")],
)
def test_an_item_keeps_its_identity(text: str, made: str) -> None:
    """Approvals and takes hang on item ids: they may never change."""
    assert item_id(text) == made, KEPT


def test_a_derived_seed_keeps_its_value() -> None:
    """The seed is part of the render key, so it may not change either."""
    assert seed_for(key(), Take()) == 276_491_153_537_913, KEPT
    assert seed_for(key(), Take(number=2)) == 1_100_539_283_190_138, KEPT


def test_a_digest_is_the_plain_sha256() -> None:
    """Blobs can be checked with sha256sum."""
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(st.dictionaries(st.text(), JSON, max_size=5), st.randoms())
@settings(max_examples=60, deadline=None)
def test_the_order_of_keys_does_not_matter(inputs: dict[str, Any], random: Any) -> None:
    """Two dicts that are equal name the same result, however they were built."""
    names = list(inputs)
    random.shuffle(names)
    assert fingerprint("s", 1, inputs) == fingerprint("s", 1, {name: inputs[name] for name in names})


@given(JSON, JSON)
@settings(max_examples=60, deadline=None)
def test_step_version_and_inputs_all_matter(one: Any, other: Any) -> None:
    """Nothing is reused across steps, versions or different inputs."""
    made = fingerprint("s", 1, one)
    assert made != fingerprint("t", 1, one)
    assert made != fingerprint("s", 2, one)
    assert made != fingerprint("s", 1, [one, other])
    assert len(made) == 64


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_has_no_json_is_refused(value: float) -> None:
    """NaN equals nothing, itself included, so it cannot name a result."""
    with pytest.raises(ValueError, match="JSON"):
        fingerprint("s", 1, {"cfg": value})


def test_where_the_server_files_its_copy_does_not_matter() -> None:
    """Titles and the file name prefix change no pixel, so they renew no picture."""
    moved = graph(n7=node("SaveImage", images=["n6", 0], filename_prefix="elsewhere", title="Save here"))
    assert render_key(moved, take=1) == render_key(graph(), take=1)


def test_the_order_of_nodes_does_not_matter() -> None:
    """ComfyUI may export the nodes in another order."""
    assert render_key(dict(reversed(graph().items())), take=1) == render_key(graph(), take=1)


@pytest.mark.parametrize(
    ("at", "name"),
    [(n, i) for n, body in graph().items() for i in body["inputs"] if i != "filename_prefix"],
)
def test_every_other_input_of_every_node_matters(at: str, name: str) -> None:
    """A change anywhere in the graph is never missed."""
    changed = copy.deepcopy(graph())
    changed[at]["inputs"][name] = "changed"
    assert render_key(changed, take=1) != render_key(graph(), take=1)


def test_node_classes_takes_and_input_pictures_matter() -> None:
    """Another node, another take and another product photo are each another picture."""
    other = copy.deepcopy(graph())
    other["n4"]["class_type"] = "EmptySD3LatentImage"
    made = {
        render_key(graph(), take=1),
        render_key(other, take=1),
        render_key(graph(), take=2),
        render_key(graph(), take=1, pictures=("ab",)),
        render_key(graph(), take=1, pictures=("ab", "cd")),
        render_key(graph(), take=1, pictures=("cd", "ab")),
    }
    assert len(made) == 6


@pytest.mark.parametrize(
    "where",
    [
        {"name": "hero"},
        {"title": "主图"},
        {"roles": ("poster",)},
        {"count": 5},
        {"file_name": "{sku}.MAIN"},
        {"figures": (figure("size", (900, 900)), figure("background", "white recommended"))},
    ],
)
def test_where_a_rendition_is_listed_does_not_matter(where: dict[str, Any]) -> None:
    """Renaming a placement or its files encodes nothing again."""
    assert rendition_key(RENDER, placement(**where)) == rendition_key(RENDER, placement())


@pytest.mark.parametrize(
    "wish",
    [
        {"width": 801},
        {"height": 801},
        {"fit": "pad"},
        {"format": "PNG"},
        {"quality": 91},
        {"max_bytes": 99_999},
        {"min_width": 500},
        {"min_height": 500},
    ],
)
def test_what_file_is_wanted_matters(wish: dict[str, Any]) -> None:
    """Every figure of a placement that shapes the file renews it."""
    assert rendition_key(RENDER, placement(**wish)) != rendition_key(RENDER, placement())


def test_figures_count_as_far_as_they_are_judged() -> None:
    """Another verdict is another rendition; another source or note of the same figure is not."""
    asked = figure("min_size", (500, 500), "secondary")

    def named(*figures: Figure) -> str:
        return rendition_key(RENDER, placement(figures=figures))

    made = {
        named(),
        named(asked),
        named(replace(asked, value=(600, 600))),
        named(replace(asked, confidence="official")),
        named(asked, figure("ratio", "1:1")),
    }
    assert len(made) == 5
    assert named(replace(asked, confidence="memory", note="x", source=Citation("b", "B", "code"))) == named(
        asked
    )
    assert named(asked, figure("count", (1, 5))) == named(asked)


def test_another_render_or_a_placeholder_is_another_rendition() -> None:
    """A simulator's file never stands in for a real one; what labels say is part of a file."""
    made = {
        rendition_key(RENDER, placement()),
        rendition_key(replace(RENDER, digest=Digest("1" * 64)), placement()),
        rendition_key(replace(RENDER, render_key=Fingerprint("1" * 64)), placement()),
        rendition_key(RENDER, placement(), maker=("0011",)),
        rendition_key(PLACEHOLDER, placement()),
    }
    assert len(made) == 5


def test_whatever_a_listing_shows_is_in_its_key() -> None:
    """Files, order, names and standing: each change writes the listing again."""
    place, shop = placement(), platform(placement())
    one, two = Entry("1.jpg", place, shown()), Entry("2.jpg", place, shown(key(item="背面"), slot=2))
    made = [
        listing_key(shop, "sku:A1", [one, two], ["a", "b"]),
        listing_key(shop, "sku:A1", [two, one], ["b", "a"]),
        listing_key(shop, "sku:A1", [one], ["a"]),
        listing_key(shop, "sku:A2", [one, two], ["a", "b"]),
        listing_key(platform(place, name="other"), "sku:A1", [one, two], ["a", "b"]),
        listing_key(shop, "sku:A1", [one, two], ["a", "c"]),
        listing_key(shop, "sku:A1", [one, Entry("3.jpg", place, two.picture)], ["a", "b"]),
        listing_key(shop, "sku:A1", [one, Entry("2.jpg", placement("hero"), two.picture)], ["a", "b"]),
        listing_key(shop, "sku:A1", [one, Entry("2.jpg", place, shown(two.picture.key, slot=3))], ["a", "b"]),
        listing_key(
            shop,
            "sku:A1",
            [one, Entry("2.jpg", place, shown(two.picture.key, slot=2, is_approved=True))],
            ["a", "b"],
        ),
        listing_key(
            shop,
            "sku:A1",
            [one, Entry("2.jpg", place, shown(two.picture.key, slot=2, is_current=False))],
            ["a", "b"],
        ),
    ]
    assert len(set(made)) == len(made)


def test_a_listing_key_needs_one_rendition_per_entry() -> None:
    """A missing rendition is a bug, not a shorter listing."""
    with pytest.raises(ValueError, match="zip"):
        listing_key(platform(), "sku:A1", [Entry("1.jpg", placement(), shown())], [])


@pytest.mark.parametrize(
    "spelling", ["USB-C 接口", " usb-c接口 ", "ＵＳＢ－Ｃ　接口", "Usb-C\n接口", "usb-c\u00a0接口"]
)
def test_spelling_does_not_change_an_item(spelling: str) -> None:
    """Spaces, full-width forms and case are how a row was typed, not what it says."""
    assert item_id(spelling) == item_id("USB-C 接口")


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_an_item_survives_respelling(text: str) -> None:
    """However Unicode writes it down, an item is itself; any other letter makes another."""
    spaced = " ".join(unicodedata.normalize("NFD", text))
    assert item_id(unicodedata.normalize("NFC", text)) == item_id(text)
    assert item_id(f"\t{text} ") == item_id(text)
    assert item_id(text + "钮") != item_id(text)
    assert len(item_id(spaced)) == 16


@given(st.integers(1, 99), st.text(max_size=5))
@settings(max_examples=60, deadline=None)
def test_seeds_fit_and_differ(number: int, item: str) -> None:
    """JavaScript front ends show every seed exactly; each take and item has its own."""
    seed = seed_for(key(item=item), Take(number=number))
    assert 0 <= seed < SEED_SPACE
    assert seed != seed_for(key(item=item), Take(number=number + 1))
    assert seed != seed_for(key(item=item + "钮"), Take(number=number))


def test_a_note_alone_keeps_the_derived_seed_and_a_given_seed_wins() -> None:
    """``--note`` changes the words only; ``--seed`` is taken as it is, 0 too."""
    assert seed_for(key(), Take(note="亮一点")) == seed_for(key(), Take())
    assert seed_for(key(), Take(number=3, seed=0)) == 0


@given(st.text(), st.text(alphabet="abc_"), st.text(alphabet="0123456789abcdef"))
@settings(max_examples=60, deadline=None)
def test_an_image_key_reads_back(subject: str, role: str, item: str) -> None:
    """What the ledger writes down is what it reads, whatever the SKU looks like."""
    written = ImageKey(f"sku:{subject}", role, item)
    assert ImageKey.parse(str(written)) == written


def test_a_render_names_its_placeholder() -> None:
    """Nothing is a placeholder unless said."""
    assert not render().placeholder
    assert render(placeholder=True).placeholder
