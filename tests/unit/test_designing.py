"""What files show beside their renders, decided without a picture."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from catalog_imagegen.config import Workspace, load_gates
from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.design import PLAIN, Design
from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.domain.imaging import Blocked, ImageKey, Prompt, Take, Wanted
from catalog_imagegen.domain.lettering import Area, Layout, OwnFont, TextBox
from catalog_imagegen.pipeline.changes import setup_name
from catalog_imagegen.pipeline.designing import text_templates
from catalog_imagegen.pipeline.publication import compose, publications
from catalog_imagegen.pipeline.quoting import NO_TEXT
from catalog_imagegen.pipeline.want import Setup, deciding_columns, want
from catalog_imagegen.stages.prompt import PromptBook
from tests.docs.pages import ROOT
from tests.unit.builders import key, picture_status, placement, platform, product, role
from tests.unit.test_plan import TURBO

TEMPLATES = {
    "main.j2": "{{ product.name }}",
    "poster.j2": '{{ "写着“" ~ product.promo_text ~ "”" if text == "model" else "留白" }}{{ note }}',
    "without.j2": "没有 {{ item }}",
    "with.j2": "{{ product.name }} {{ item }}",
}
PRICE = TextBox("price", Area(0, 0, 1, 0.2), "{{ product.price }}元")
SALE = TextBox("sale", Area(0, 0.8, 1, 1), "{{ product.promo_text }}")
PARTS = (role("without", items=("防漏",)), role("with", items=("防漏",)))
PAIR = role(
    "pair",
    workflow="",
    items=("防漏",),
    stitch=("without", "with"),
    labels=("没有它", "有{{ product.brand }}"),
)
KETTLE = product(price="99", brand="白榆")


def shop(*roles: Any, boxes: Sequence[TextBox] = (PRICE, SALE), **changes: Any) -> Setup:
    """A workspace with a layout called "plain", whose one platform takes all roles but the halves of a pair."""
    by_name = {each.name: each for each in roles}
    layouts = {"plain": Layout("plain", tuple(boxes))}
    taken = [placement(name) for name in by_name if name not in ("without", "with")]
    made = Setup(
        roles=by_name,
        platforms={"shop": platform(*taken)},
        workflows={"turbo": TURBO},
        prompts=PromptBook(TEMPLATES, {}, text_templates(by_name, layouts)),
        layouts=layouts,
    )
    return replace(made, **changes)


def poster(text: str = "overlay", layout: str = "plain") -> Any:
    """A role whose texts are set."""
    return role("poster", text=text, layout=layout)


def wants(
    of: Setup, one: Product = KETTLE, takes: Mapping[ImageKey, Take] | None = None
) -> tuple[list[Wanted], list[Blocked]]:
    """What is wanted and what is blocked."""
    return want([(0, one)], of, platforms=["shop"], takes=takes or {})


def designs(of: Setup, one: Product = KETTLE, prompt: str = "留白") -> dict[str, Design]:
    """Role → what is drawn on its picture, where all pictures are there."""
    statuses = [
        picture_status(key=key(role=name, item=each.items[0]), item_text=each.items[0], prompt=Prompt(prompt))
        for name, each in of.roles.items()
        if not each.stitch
    ]
    (listing,) = publications(of.platforms.values(), [one], statuses, of.designer())
    return {picture.key.role: picture.design for picture in listing.pictures}


def test_texts_are_filled_and_empty_boxes_left_out() -> None:
    """The others keep their places; roles without a layout stay as they are."""
    found = designs(shop(role("main"), poster()))
    assert found["main"] is PLAIN
    assert [(box.name, box.text, box.area) for box in found["poster"].boxes] == [
        ("price", "99元", PRICE.area)
    ]


def test_catalog_values_are_drawn_as_they_are_written() -> None:
    """Quotation marks are harmless here, and nothing is cut."""
    long = "「新品」" + "好" * 200
    (_, sale) = designs(shop(poster()), replace(KETTLE, promo_text=long))["poster"].boxes
    assert sale.text == long


def test_a_price_changes_the_file_and_not_the_render() -> None:
    """The key of one, not of the other; a design is plain data."""
    of = shop(poster())
    before, after = KETTLE, replace(KETTLE, price="79")
    (one,), _ = wants(of, before)
    (other,), _ = wants(of, after)
    assert one.render_key == other.render_key

    def keys(each: Product) -> Sequence[str]:
        statuses = [picture_status(key=key(role="poster"))]
        (listing,) = publications(of.platforms.values(), [each], statuses, of.designer())
        return compose(listing, ("",)).keys

    assert keys(before) != keys(after)
    assert keys(after) == keys(replace(after, list_price="199"))
    design = designs(of)["poster"]
    assert pickle.loads(pickle.dumps(design)) == design  # noqa: S301 - our own


def test_where_a_font_lies_names_nothing() -> None:
    """Its bytes do."""
    box = replace(PRICE, font="招牌体")
    named = [
        designs(shop(poster(), boxes=[box], fonts={"招牌体": OwnFont("招牌体", path, Digest(digest))}))[
            "poster"
        ].named()
        for path, digest in (("/a", "1"), ("/b", "1"), ("/a", "2"))
    ]
    assert named[0] == named[1] != named[2]


def test_columns_of_texts_decide() -> None:
    """Also those of labels, and the dates that offers need."""
    of = shop(role("main"))
    assert not {"price", "promo_start"} & set(deciding_columns(of) or ())
    assert {"price", "promo_text", "promo_start", "promo_end"} <= set(deciding_columns(shop(poster())) or ())
    assert {"brand"} <= set(deciding_columns(shop(*PARTS, PAIR)) or ())
    any_column = replace(PRICE, text="{{ product[item] }}")
    assert deciding_columns(shop(poster(), boxes=[any_column])) is None


def test_another_layout_is_another_setup() -> None:
    """So the next sync looks at every row again."""
    moved = replace(PRICE, area=Area(0, 0.1, 1, 0.3))
    names = {setup_name(shop(poster(), boxes=[box]), ["shop"]) for box in (PRICE, moved, PRICE)}
    assert len(names) == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"promo_text": "限时特价"}, "promo_start"),
        (
            {"promo_text": "限时特价", "promo_start": "2026-12-12", "promo_end": "2026-12-01"},
            "before it starts",
        ),
        ({"price": "９９\U0001f1e8"}, "U+1F1E8"),
    ],
)
def test_what_words_alone_can_tell_blocks_and_a_file_made_before_says_it(change: Any, code: str) -> None:
    """No GPU time is spent; a picture that is there already is shown without its texts, and fails."""
    of, one = shop(poster()), replace(KETTLE, **change)
    made, (blocked,) = wants(of, one)
    assert made == []
    assert code in blocked.reason_en
    assert blocked.reason_zh != blocked.reason_en
    design = designs(of, one)["poster"]
    if "promo_text" in change:  # what fonts lack shows when it is drawn
        assert design.boxes == ()
        assert [fault.severity for fault in design.faults] == ["fail"]


@pytest.mark.parametrize(
    ("text", "layout", "drawn", "lettered"),
    [
        ("新品", "plain", ["“新品”"], False),
        ("新品上市全场八折起", "plain", [], True),
        ("", "plain", ["“”"], False),
    ],
)
def test_the_model_draws_what_it_can(text: str, layout: str, drawn: list[str], lettered: bool) -> None:
    """What is too long is left to the layout, and only then set by it."""
    of, one = shop(poster("model", layout)), replace(KETTLE, promo_text=text)
    (picture,), _ = wants(of, one)
    assert [mark for mark in drawn if mark in picture.prompt.positive] == drawn
    assert bool(designs(of, one, picture.prompt.positive)["poster"].boxes) is lettered


def test_too_much_for_the_model_and_no_layout_is_blocked() -> None:
    """With the text and both remedies."""
    _, (blocked,) = wants(shop(poster("model", "")), replace(KETTLE, promo_text="新品上市全场八折起"))
    assert "新品上市全场八折起" in blocked.reason_zh
    assert "give the role a layout" in blocked.reason_en


def test_a_note_can_leave_the_text_to_the_layout() -> None:
    """What else it says stays in the prompt; notes of others are not touched."""
    of, one = shop(poster("model"), role("main")), replace(KETTLE, promo_text="新品")
    take = Take(2, note=f"再亮一点，{NO_TEXT}")
    made, _ = wants(of, one, {key(role="poster"): take})
    assert [each.prompt.positive for each in made if each.key.role == "poster"] == ["留白再亮一点"]
    assert load_gates(Workspace(ROOT), None)["poster"].wordings["wrong_text"] == (NO_TEXT,)


def test_only_the_halves_of_a_pair_are_rendered() -> None:
    """As many as places of the pair ask for."""
    made, blocked = wants(shop(role("main"), *PARTS, PAIR))
    assert [picture.key.role for picture in made] == ["main", "without", "with"]
    assert blocked == []
    off, _ = wants(shop(role("main"), *PARTS, replace(PAIR, enabled=False)))
    assert [picture.key.role for picture in off] == ["main"]


def test_a_name_of_a_role_is_never_nothing() -> None:
    """Who names a pair means its halves; one that is switched off means no picture, not all of them."""
    designer = shop(role("main"), *PARTS, PAIR).designer()
    assert list(designer.rendered(["main", "pair"])) == ["main", "without", "with"]
    off = shop(*PARTS, replace(PAIR, enabled=False)).designer()
    assert list(off.rendered(["pair"])) == ["pair"]


def test_a_pair_stands_with_both_halves() -> None:
    """Approved with both, current with both, gone with either; its label may name the shop's own brand."""
    of = shop(*PARTS, PAIR)

    def pairs(*states: Any, item: str = "防漏") -> list[tuple[bool, bool]]:
        statuses = [
            picture_status(
                state, key=key(role=part, item=item if part == "with" else "防漏"), item_text="防漏"
            )
            for part, state in zip(("without", "with"), states, strict=True)
        ]
        found = publications(of.platforms.values(), [KETTLE], statuses, of.designer())
        return [
            (picture.is_approved, picture.is_current)
            for listing in found
            for picture in listing.pictures
            if picture.key.role == "pair"
        ]

    assert pairs("draft", "draft") == [(False, True)]
    assert pairs("approved", "draft") == [(False, True)]
    assert pairs("approved", "approved") == [(True, True)]
    assert pairs("approved", "planned") == []
    assert pairs("draft", "draft", item="静音") == []
    design = designs(of)["pair"]
    assert design.pair is not None
    assert design.pair.labels == ("没有它", "有白榆")
    assert designs(of, replace(KETTLE, brand="同行"))["pair"].faults == ()


def test_a_label_that_names_others_goods_blocks_both_halves() -> None:
    """And a pair that is there already has no labels, and fails."""
    of = shop(*PARTS, replace(PAIR, labels=("其他品牌", "本品")))
    made, blocked = wants(of)
    assert (made, [each.key.role for each in blocked]) == ([], ["without", "with"])
    design = designs(of)["pair"]
    assert design.pair is not None
    assert design.pair.labels == ("", "")
    assert [fault.code for fault in design.faults] == ["rival_named"]
