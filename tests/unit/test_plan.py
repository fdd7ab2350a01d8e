from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.imaging import (
    Blocked,
    ImageKey,
    ImageRole,
    Platform,
    Take,
    Wanted,
    item_id,
    seed_for,
)
from catalog_imagegen.domain.job import Plan, PlannedPicture, Record
from catalog_imagegen.pipeline.plan import plan
from catalog_imagegen.pipeline.publication import publications
from catalog_imagegen.pipeline.want import Setup, want
from catalog_imagegen.stages.prompt import PromptBook
from catalog_imagegen.stages.workflow import parse_workflow
from tests.unit.builders import (
    graph,
    key,
    name_of,
    picture_status,
    placement,
    platform,
    product,
    render,
    role,
    wanted,
)

TEMPLATES = {
    "base.j2": "{{ product.name }}，{% block positive %}{% endblock %}{{ note }}{{ divider }}模糊",
    "main.j2": '{% extends "base.j2" %}{% block positive %}正面{% endblock %}',
    "lifestyle.j2": '{% extends "base.j2" %}{% block positive %}{{ item }}{% endblock %}',
    "detail.j2": '{% extends "base.j2" %}{% block positive %}{{ item }}{% endblock %}',
    "comparison.j2": '{% extends "base.j2" %}{% block positive %}{{ find("evidence", item).left }}{% endblock %}',
}
VOCABULARY = {
    "evidence": [
        {"keywords": ["保温"], "left": "凉茶"},
        {"keywords": ["静音"], "left": "噪音", "wet": "x"},
        {"keywords": ["防水"], "right": "雨"},
    ]
}
ROLES = (
    role("main"),
    role("lifestyle", items=(), items_from="usage_scenarios", default_items=("日常",), max=2),
    role("detail", items=(), items_from="detail_features", max=3),
    role("comparison", items=(), items_from="features", items_need="evidence.left", scope="spu"),
)
SHOP = platform(*(placement(r.name, count=9) for r in ROLES))
TURBO = parse_workflow("turbo", json.dumps(graph()))


def setup(
    *roles: ImageRole,
    platforms: Iterable[Platform] = (SHOP,),
    templates: Mapping[str, str] | None = None,
    vocabulary: Mapping[str, Any] | None = None,
) -> Setup:
    """A workspace as the pure half sees it."""
    return Setup(
        roles={r.name: r for r in roles or ROLES},
        platforms={p.name: p for p in platforms},
        workflows={"turbo": TURBO, "base": replace(TURBO, name="base")},
        prompts=PromptBook({**TEMPLATES, **(templates or {})}, vocabulary or VOCABULARY),
    )


def wants(
    *products: Product,
    of: Setup | None = None,
    platforms: Sequence[str] = ("shop",),
    takes: Mapping[ImageKey, Take] | None = None,
    **narrowing: Any,
) -> list[Wanted]:
    """Everything wanted, none of it blocked."""
    found, blocked = want(
        list(enumerate(products)), of or setup(), platforms=platforms, takes=takes or {}, **narrowing
    )
    assert blocked == []
    return found


def said(found: Iterable[Wanted]) -> list[tuple[str, str, str]]:
    """Subject, role and item of each, in order."""
    return [(w.key.subject, w.key.role, w.item_text) for w in found]


def recorded(before: Wanted, **fields: Any) -> Record:
    """What the ledger holds once *before* has been planned."""
    return replace(
        Record(before.key, take=before.take, render_key=before.render_key, made_of=before.made_of), **fields
    )


def decide(now: Wanted, record: Record | None = None, *, made: Sequence[str] = ()) -> PlannedPicture:
    """Plan one picture."""
    renders = {name_of(text): render(text) for text in made}
    (picture,) = plan([now], {record.key: record} if record else {}, renders).pictures
    return picture


def reason(before: Wanted, now: Wanted) -> str:
    """Why *now* is rendered after *before* had been planned."""
    picture = decide(now, recorded(before))
    assert picture.action == "render"
    return picture.reason


def only(found: Sequence[Wanted], role_name: str) -> Wanted:
    """The single picture of a role."""
    (one,) = [w for w in found if w.key.role == role_name]
    return one


# What to do, and why


def test_what_the_ledger_never_saw_is_new() -> None:
    """A new row, a new item, a new role."""
    assert decide(wanted()) == PlannedPicture(wanted(), "render", "new", "新图片")


def test_a_first_regenerate_is_a_new_take() -> None:
    """Somebody asked for another one before anything was planned under that take."""
    assert decide(wanted(take=Take(2))).reason == "new take 2"
    assert decide(wanted(take=Take(2)), Record(key())).reason == "new take 2"


def test_what_exists_is_reused() -> None:
    """A render found by its key costs nothing, whatever the ledger thought of the picture."""
    for record in (None, recorded(wanted("old")), recorded(wanted(), failed_key=name_of("x"))):
        assert decide(wanted(), record, made=["x"]) == PlannedPicture(wanted(), "reuse", "reused", "沿用")


def test_what_was_planned_and_never_made_is_picked_up() -> None:
    """A run that was cut off goes on."""
    assert reason(wanted(), wanted()) == "not made yet"


def test_a_failure_stands_until_something_changes() -> None:
    """Attempts used up are not paid for again by every night's sync; the failure is handed on."""
    failure = Failure("out_of_memory", "CUDA out of memory")
    record = recorded(wanted(), failed_key=name_of("x"), failure=failure)
    assert decide(wanted(), record) == PlannedPicture(
        wanted(), "failed", failure.reason_en, failure.reason_zh, failure
    )
    changed = decide(wanted("y", made_of={"seed": "2"}), record)
    assert (changed.action, changed.reason, changed.failure) == ("render", "seed changed", None)


def test_a_failure_that_was_cleared_is_tried_again() -> None:
    """``retry`` takes the failure away."""
    assert decide(wanted(), recorded(wanted(), failed_key=name_of("x"))).action == "render"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"take": "1"}, {"take": "2"}, "new take 2"),
        ({"workflow:a.json": "1"}, {"workflow:a.json": "2"}, "workflow changed: a.json"),
        ({"workflow:a.json": "1"}, {"workflow:b.json": "1"}, "workflow changed: b.json"),
        ({"size": "64x64"}, {"size": "64x80"}, "size changed: 64x64 → 64x80"),
        ({}, {"size": "64x80"}, "size changed: ? → 64x80"),
        ({"inputs": "1"}, {"inputs": "2"}, "settings changed"),
        ({"template:main.j2": "1"}, {"template:main.j2": "2"}, "prompt changed: main.j2"),
        (
            {"template:base.j2": "1", "template:main.j2": "1"},
            {"template:base.j2": "2", "template:main.j2": "2"},
            "prompt changed: base.j2, main.j2",
        ),
        ({"template:old.j2": "1"}, {}, "prompt changed: removed"),
        ({"column:name": "1"}, {"column:name": "2"}, "catalog changed: name"),
        (
            {"column:color": "1", "column:name": "1"},
            {"column:color": "2", "column:name": "2"},
            "catalog changed: color, name",
        ),
        ({"column:size": "1"}, {"column:size": "2"}, "catalog changed: size"),
        ({"vocabulary": "1"}, {"vocabulary": "2"}, "prompt changed: vocabulary.toml"),
        ({"seed": "1"}, {"seed": "2"}, "seed changed"),
        ({"item": "1"}, {"item": "2"}, "item reworded"),
        ({}, {}, "changed"),
    ],
)
def test_every_ingredient_explains_itself(
    old: Mapping[str, str], new: Mapping[str, str], expected: str
) -> None:
    """``plan`` says why a picture costs GPU time, by the name of what changed."""
    same = {"other": "same"}
    assert reason(wanted("x", made_of={**same, **old}), wanted("y", made_of={**same, **new})) == expected


def test_of_several_changes_the_first_cause_is_named() -> None:
    """A new take changes the seed too; the take is what somebody did."""
    before = {
        "take": "1",
        "workflow:a": "1",
        "size": "1",
        "inputs": "1",
        "template:t": "1",
        "column:c": "1",
        "vocabulary": "1",
        "seed": "1",
        "item": "1",
    }
    found = []
    after = dict.fromkeys(before, "2")
    for name in before:
        found.append(reason(wanted("x", made_of=before), wanted("y", made_of=after)))
        after[name] = "1"
    assert found == [
        "new take 2",
        "workflow changed: a",
        "size changed: 1 → 2",
        "settings changed",
        "prompt changed: t",
        "catalog changed: c",
        "prompt changed: vocabulary.toml",
        "seed changed",
        "item reworded",
    ]


def test_a_plan_keeps_the_order_and_the_blocked() -> None:
    """What is shown follows the catalog, and nothing blocked is lost."""
    blocked = Blocked(key(), "正面", 1, 0, "A1", "壶", "mend", "修改")
    many = [wanted(str(i), key=key(f"sku:{i}")) for i in range(5)]
    made = plan(iter(many), {}, {}, iter([blocked]))
    assert [p.wanted for p in made.pictures] == many
    assert made.blocked == (blocked,)


def test_only_what_is_missing_is_rendered() -> None:
    """In the order of the catalog; whoever hands it out knows about models."""
    many = [wanted(str(i), order=i) for i in range(4)]
    pictures = [PlannedPicture(w, "render", "new") for w in many]
    pictures[2] = PlannedPicture(many[2], "reuse", "reused")
    pictures.append(PlannedPicture(many[3], "failed", "x"))
    assert [w.order for w in Plan(tuple(pictures)).to_render()] == [0, 1, 3]


# Changes in the catalog and the workspace, from row to reason


def test_an_unchanged_row_changes_nothing() -> None:
    """The same catalog asks for the same renders, run after run."""
    assert wants(product()) == wants(product())
    assert [reason(w, w) for w in wants(product())] == ["not made yet"] * 2


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"roles": (role(width=80),)}, "size changed: 64x64 → 80x64"),
        ({"roles": (role(inputs={"steps": 9}),)}, "settings changed"),
        ({"roles": (role(workflow="base", height=80),)}, "workflow changed: base.json"),
        (
            {"templates": {"main.j2": '{% extends "base.j2" %}{% block positive %}侧面{% endblock %}'}},
            "prompt changed: main.j2",
        ),
        ({"templates": {"base.j2": TEMPLATES["base.j2"].replace("，", "、")}}, "prompt changed: base.j2"),
        ({"products": (product(name="水壶"),)}, "catalog changed: name"),
        ({"takes": {key(): Take(2)}}, "new take 2"),
        ({"takes": {key(): Take(2, note="亮一点")}}, "new take 2"),
        ({"takes": {key(): Take(1, seed=5)}}, "seed changed"),
    ],
)
def test_each_change_is_explained(change: dict[str, Any], expected: str) -> None:
    """Whatever a human touched is what ``plan`` names."""
    (before,) = wants(product(), of=setup(role()))
    (after,) = wants(
        *change.get("products", (product(),)),
        of=setup(*change.get("roles", (role(),)), templates=change.get("templates")),
        takes=change.get("takes"),
    )
    assert before.key == after.key
    assert before.render_key != after.render_key
    assert reason(before, after) == expected


def test_a_workflow_edited_in_place_is_explained() -> None:
    """Swapping the model inside the graph renews every picture made with it."""
    (before,) = wants(product(), of=setup(role()))
    other = graph()
    other["n1"]["inputs"]["ckpt_name"] = "b.safetensors"
    flow = parse_workflow("turbo", json.dumps(other))
    (after,) = wants(product(), of=replace(setup(role()), workflows={"turbo": flow}))
    assert reason(before, after) == "workflow changed: turbo.json"


def test_a_vocabulary_change_is_explained_and_renews_only_what_reads_it() -> None:
    """New words renew the pictures whose prompt has them; the others are the same renders still."""
    row = product(features=("保温",))
    words = {"evidence": [{"keywords": ["保温"], "left": "冰水"}]}
    before, after = wants(row), wants(row, of=setup(vocabulary=words))
    assert reason(only(before, "comparison"), only(after, "comparison")) == "prompt changed: vocabulary.toml"
    assert only(before, "main").render_key == only(after, "main").render_key


def test_respelling_an_item_is_explained() -> None:
    """The same item typed otherwise keeps its identity; if the prompt changes, the item says so."""
    before = only(wants(product(detail_features=("壶嘴 接口",))), "detail")
    after = only(wants(product(detail_features=("壶嘴接口",))), "detail")
    assert before.key == after.key
    assert reason(before, after) == "item reworded"


@pytest.mark.parametrize("column", ["price", "promo_text", "date", "spec", "images"])
def test_what_no_template_reads_costs_nothing(column: str) -> None:
    """A price edit moves no GPU."""
    value: Any = ("a.png",) if column == "images" else "99"
    before, after = wants(product()), wants(product(**{column: value}))
    assert [w.render_key for w in before] == [w.render_key for w in after]


# What is wanted


def test_a_wanted_picture_says_all_that_a_job_needs() -> None:
    """Prompt, seed and size are in the graph; the file name is left for the job."""
    (picture,) = wants(
        product(), of=setup(role(inputs={"steps": 9}, approval="auto", product="generate", height=80))
    )
    nodes = picture.graph
    assert nodes["n2"]["inputs"]["text"] == "电水壶，正面" == picture.prompt.positive
    assert nodes["n3"]["inputs"]["text"] == "模糊" == picture.prompt.negative
    assert nodes["n4"]["inputs"] == {"width": 64, "height": 80, "batch_size": 1}
    assert nodes["n5"]["inputs"]["seed"] == picture.seed == seed_for(key(), Take())
    assert nodes["n5"]["inputs"]["steps"] == 9
    assert nodes["n7"]["inputs"]["filename_prefix"] == "old"
    assert picture.prefix_at == ("n7", "filename_prefix")
    assert (picture.key, picture.sku, picture.name, picture.slot, picture.order) == (
        key(),
        "A1",
        "电水壶",
        1,
        0,
    )
    assert (picture.workflow, picture.approval, picture.width, picture.height) == ("turbo", "auto", 64, 80)
    assert TURBO.graph == graph()


def test_the_current_take_is_what_is_wanted() -> None:
    """A regenerated picture survives every later sync: its note, seed and number go into the render."""
    take = Take(3, seed=5, note="亮一点")
    (picture,) = wants(product(), of=setup(role()), takes={key(): take, key("sku:B"): Take(9)})
    assert (picture.take, picture.seed) == (take, 5)
    assert picture.prompt.positive.endswith("亮一点")
    assert picture.graph["n5"]["inputs"]["seed"] == 5


def test_pictures_come_in_catalog_order() -> None:
    """Row by row, then by role as configured, then item by item."""
    rows = (
        product("B", detail_features=("盖", "嘴")),
        product("A", spu="S", features=("静音", "保温")),
        product("C", spu="S"),
    )
    assert said(wants(*rows)) == [
        ("sku:B", "main", "正面"),
        ("sku:B", "lifestyle", "日常"),
        ("sku:B", "detail", "盖"),
        ("sku:B", "detail", "嘴"),
        ("sku:A", "main", "正面"),
        ("sku:A", "lifestyle", "日常"),
        ("spu:S", "comparison", "保温"),
        ("sku:C", "main", "正面"),
        ("sku:C", "lifestyle", "日常"),
    ]


def test_items_are_compared_normalised() -> None:
    """The same scenario typed twice is one picture, spelt as it came first."""
    row = product(usage_scenarios=("户外 露营", "户外露营", "办公室"))
    found = [w for w in wants(row) if w.key.role == "lifestyle"]
    assert [(w.item_text, w.slot) for w in found] == [("户外 露营", 1), ("办公室", 2)]
    assert found[0].key.item == item_id("户外露营")


@given(
    st.lists(st.sampled_from("盖嘴柄底身钮线"), unique=True, min_size=1, max_size=5),
    st.integers(0, 5),
    st.randoms(),
)
@settings(max_examples=60, deadline=None)
def test_inserting_or_moving_a_detail_leaves_the_others_alone(texts: list[str], at: int, random: Any) -> None:
    """Position is only order: no other picture gets another key or another render."""
    many = setup(role("detail", items=(), items_from="detail_features", max=9))
    before = {w.key: w.render_key for w in wants(product(detail_features=tuple(texts)), of=many)}
    changed = [*texts[:at], "新", *texts[at:]]
    random.shuffle(changed)
    found = wants(product(detail_features=tuple(changed)), of=many)
    after = {w.key: w.render_key for w in found}
    assert after.items() >= before.items()
    assert len(after) == len(before) + 1
    assert [w.slot for w in found] == list(range(1, len(changed) + 1))


@given(st.permutations(["长效保温", "静音", "防水", "易清洗", "保温壶胆"]))
@settings(max_examples=40, deadline=None)
def test_reordering_features_renders_nothing(features: list[str]) -> None:
    """A merchandiser who sorts the selling points does not pay for it."""
    usual = product(features=("保温壶胆", "静音", "防水", "易清洗", "长效保温"))
    of = setup(*(replace(r, max=5) for r in ROLES))
    before = {w.key: w.render_key for w in wants(usual, of=of)}
    assert {w.key: w.render_key for w in wants(replace(usual, features=tuple(features)), of=of)} == before


def test_only_items_that_can_be_shown_are_wanted() -> None:
    """``items_need`` drops selling points without visible evidence, in the vocabulary's order."""
    row = product(features=("防水", "静音", "便宜", "保温"))
    many = setup(replace(ROLES[3], max=5))
    assert [w.item_text for w in wants(row, of=many)] == ["保温", "静音"]
    assert wants(product(features=("便宜",)), of=many) == []


def test_constant_default_and_missing_items() -> None:
    """A constant list needs no column, a default stands in for an empty one, otherwise no picture."""
    of = setup(role("main", items=("正面", "背面"), max=2), *ROLES[1:3])
    assert said(wants(product(), of=of)) == [
        ("sku:A1", "main", "正面"),
        ("sku:A1", "main", "背面"),
        ("sku:A1", "lifestyle", "日常"),
    ]


def test_a_role_makes_no_more_than_its_max() -> None:
    """The first items count."""
    row = product(detail_features=tuple("盖嘴柄底身"))
    found = [w.item_text for w in wants(row) if w.key.role == "detail"]
    assert found == ["盖", "嘴", "柄"]


def test_a_disabled_role_and_an_untaken_one_are_not_wanted() -> None:
    """Nobody pays for what no enabled platform shows."""
    assert wants(product(), of=setup(role(enabled=False))) == []
    assert wants(product(), of=setup(role("detail", items=("盖",)), platforms=[platform(placement())])) == []
    assert wants(product(), platforms=()) == []


def test_platforms_take_as_many_as_their_placements_show() -> None:
    """Placements show the same pictures from the first on, so the largest count decides; none is made for nothing."""
    row = product(detail_features=tuple("盖嘴柄底身"))
    small = platform(placement("detail"), placement("more", roles=("detail", "main")), name="small")
    large = platform(placement("detail", count=4), name="large")
    of = setup(role("detail", items=(), items_from="detail_features", max=9), platforms=(small, large))
    found = wants(row, of=of, platforms=("small", "large"))
    assert [sorted(w.platforms) for w in found] == [["large", "small"]] + [["large"]] * 3
    assert len(wants(row, of=of, platforms=("small",))) == 1


@given(st.permutations(["S-3", "S-1", "S-2"]))
@settings(max_examples=10, deadline=None)
def test_the_smallest_sku_speaks_for_its_variants(skus: list[str]) -> None:
    """Sorting the sheet renews no shared picture."""
    rows = [product(sku, spu="S", name=f"壶 {sku}", features=("保温",)) for sku in skus]
    shared = only(wants(*rows), "comparison")
    assert (shared.key.subject, shared.sku, shared.name, shared.order) == ("spu:S", "S-1", "壶 S-1", 0)


def test_a_relative_that_is_not_in_the_catalog_may_speak() -> None:
    """A sheet with one variant does not renew the family's pictures, nor make pictures of the absent."""
    absent = product("S-1", spu="S", name="壶一", features=("保温",))
    row = product("S-2", spu="S", name="壶二", features=("保温",))
    found = wants(row, relatives=[absent, product("X", spu="other")])
    assert only(found, "comparison").sku == "S-1"
    assert {w.key.subject for w in found} == {"sku:S-2", "spu:S"}


def test_a_product_without_an_spu_stands_for_itself() -> None:
    """It is a family of its own; a parent row joins the family of the variants that name it."""
    assert only(wants(product(features=("保温",))), "comparison").key.subject == "spu:A1"
    family = (product("EB", features=("保温",)), product("EB-1", spu="EB", features=("保温",)))
    assert only(wants(*family), "comparison").sku == "EB"


def test_subjects_narrow_what_is_wanted_down() -> None:
    """``--sku`` makes fewer pictures, never other ones: speakers and positions stay."""
    rows = [product(sku, spu="S", features=("保温",)) for sku in ("S-2", "S-1")]
    everything = wants(*rows)
    narrowed = wants(*rows, subjects={"sku:S-1", "spu:S"})
    assert narrowed == [w for w in everything if w.key.subject != "sku:S-2"]
    assert only(narrowed, "comparison").sku == "S-1"
    assert wants(*rows, subjects=()) == []


def test_a_prompt_that_cannot_be_written_blocks_its_picture_only() -> None:
    """A missing column is told in both languages, and every other picture goes on."""
    templates = {"detail.j2": "{{ product['功率'] }}{{ item }}"}
    rows = (
        product("A", detail_features=("盖",)),
        product("B", detail_features=("盖",), extra={"功率": "9W"}),
    )
    found, blocked = want(list(enumerate(rows)), setup(templates=templates), platforms=["shop"], takes={})
    assert [(b.key, b.item_text, b.slot, b.order, b.sku, b.name) for b in blocked] == [
        (key("sku:A", "detail", "盖"), "盖", 1, 0, "A", "电水壶")
    ]
    assert "功率" in blocked[0].reason_en
    assert "缺少 功率 列" in blocked[0].reason_zh
    assert blocked[0].platforms == {"shop"}
    assert ("sku:B", "detail", "盖") in said(found)
    assert ("sku:A", "main", "正面") in said(found)


@pytest.mark.parametrize("text", ['{% include "main.j2" %}', '{% extends "main.j2" %}'])
def test_a_template_that_includes_itself_blocks_its_picture(text: str) -> None:
    """An endless template is a template to mend, not a crash of the whole run."""
    found, blocked = want([(0, product())], setup(templates={"main.j2": text}), platforms=["shop"], takes={})
    assert [b.key.role for b in blocked] == ["main"]
    assert "main.j2" in blocked[0].reason_en
    assert "mend the template" in blocked[0].reason_en
    assert [w.key.role for w in found] == ["lifestyle"]


# Which listings show them


def listings(listing_per: Any, products: Sequence[Product], *statuses: Any) -> list[tuple[str, Any, Any]]:
    """Subject, SKUs and pictures of each listing of one platform."""
    found = publications([platform(placement(), listing_per=listing_per)], products, statuses)
    return [(p.subject, p.skus, [str(s.key.subject) for s in p.pictures]) for p in found]


FAMILY = (product("S-1", spu="S"), product("S-2", spu="S"), product("X"))
PICTURES = tuple(picture_status(key=key(s)) for s in ("sku:S-2", "spu:S", "sku:S-1", "sku:X"))


def test_a_listing_per_sku_shows_its_own_and_the_shared_pictures() -> None:
    """Every variant has a listing of its own; the shared picture stands in each."""
    assert listings("sku", FAMILY, *PICTURES) == [
        ("sku:S-1", ("S-1",), ["sku:S-1", "spu:S"]),
        ("sku:S-2", ("S-2",), ["sku:S-2", "spu:S"]),
        ("sku:X", ("X",), ["sku:X"]),
    ]


def test_a_listing_per_spu_shows_every_variant_once() -> None:
    """One listing for the family, the shared picture in it once."""
    assert listings("spu", FAMILY, *PICTURES) == [
        ("spu:S", ("S-1", "S-2"), ["sku:S-1", "spu:S", "sku:S-2"]),
        ("spu:X", ("X",), ["sku:X"]),
    ]


def test_without_a_render_there_is_no_listing() -> None:
    """A listing appears with its first picture, be it of an earlier prompt."""
    waiting = picture_status("planned", key=key("sku:X"))
    assert listings("sku", FAMILY, waiting) == []
    assert listings("sku", FAMILY, replace(waiting, render=render())) == [("sku:X", ("X",), ["sku:X"])]


def test_a_listing_says_how_each_picture_stands() -> None:
    """Approval and being current are what ``listing.json`` tells."""
    approved = picture_status("approved", key=key("sku:X"), slot=2, order=7, item_text="背面")
    stale = picture_status("planned", key=key("sku:X", item="旧"), render=render(), is_current=False)
    (publication,) = publications([platform(placement())], FAMILY, [approved, stale])
    first, second = publication.pictures
    assert (first.is_approved, first.is_current, first.slot, first.order) == (True, True, 2, 7)
    assert (first.item_text, first.render) == ("背面", render())
    assert (second.is_approved, second.is_current) == (False, False)


def test_a_listing_folder_is_safe_on_every_disk() -> None:
    """A SKU with a slash or in small letters makes one folder of its own."""
    (publication,) = publications(
        [platform(placement())], [product("a/B")], [picture_status(key=key("sku:a/B"))]
    )
    assert publication.folder == "a%2FB~1"


def test_every_platform_has_its_own_listing() -> None:
    """One picture, two marketplaces, two listings."""
    shops = [platform(placement(), name=name) for name in ("one", "two")]
    found = publications(shops, FAMILY, [picture_status(key=key("sku:X"))])
    assert [(p.platform.name, p.subject) for p in found] == [("one", "sku:X"), ("two", "sku:X")]
