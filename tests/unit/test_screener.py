"""What becomes of pictures whose products have words that pictures must not show."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from catalog_imagegen.domain.catalog import Issue, Product
from catalog_imagegen.domain.imaging import Blocked, ImageRole, Wanted
from catalog_imagegen.pipeline import screener
from catalog_imagegen.pipeline.changes import setup_name
from catalog_imagegen.pipeline.prepare import screened
from catalog_imagegen.pipeline.want import Setup, want
from catalog_imagegen.stages.prompt import drawn
from catalog_imagegen.stages.screening import Screen, WordList
from tests.unit.builders import placement, platform, product, role
from tests.unit.test_plan import setup

TEMPLATES = {
    "main.j2": "{{ product.name }}正面",
    "poster.j2": '海报，写着 "{{ product.promo_text }}"，{{ product.name }}',
    "label.j2": '瓶身写着 "{{ product.brand }}"',
    "any.j2": "{% for column in [product] %}{{ column.name }}{% endfor %}",
    "extra.j2": '{{ product["产地"] }}',
}
POSTER = role("poster", items=("促销",))


def listed(*words: str, name: str = "bad", **fields: Any) -> WordList:
    """A list with these words."""
    return WordList(name=name, words=words, source="a rule", **fields)


def shop(*roles: ImageRole, lists: Sequence[WordList] = (listed("最佳"),), **fields: Any) -> Setup:
    """A workspace with these roles, all of which its one platform takes."""
    of = roles or (role("main"), POSTER)
    places = [placement(each.name, count=9) for each in of]
    made = setup(*of, platforms=[platform(*places), platform(*places, name="other")], templates=TEMPLATES)
    return replace(made, screen=Screen(lists), **fields)


def wants(
    of: Setup, *products: Product, platforms: Sequence[str] = ("shop",)
) -> tuple[list[Wanted], list[Blocked]]:
    """What is wanted and what is blocked."""
    return want(list(enumerate(products)), of, platforms=platforms, takes={})


def told(found: Sequence[Wanted]) -> list[Issue]:
    """What is said of pictures."""
    return [remark for each in found for remark in each.remarks]


def fate(of: Setup, *products: Product, platforms: Sequence[str] = ("shop",)) -> dict[str, str]:
    """Role → what becomes of its picture."""
    made, blocked = wants(of, *products, platforms=platforms)
    good = {each.key.role: "warn" if each.remarks else "pass" for each in made}
    return good | {each.key.role: "block" for each in blocked}


def test_what_would_be_shown_is_blocked_what_only_steers_is_told() -> None:
    """A promotion is made to be shown; a name is not, where no template quotes it."""
    assert fate(shop(), product(promo_text="音质最 佳")) == {"main": "pass", "poster": "block"}
    assert fate(shop(), product(name="最佳水壶", promo_text="新品")) == {"main": "warn", "poster": "warn"}
    assert fate(shop(), product(promo_text="新品")) == {"main": "pass", "poster": "pass"}


def test_what_a_template_quotes_is_shown() -> None:
    """The model draws it, whichever column it comes from."""
    of = shop(role("label"), role("main"))
    assert fate(of, product(brand="最佳")) == {"label": "block", "main": "pass"}


def test_quotation_marks_that_ask_for_drawing() -> None:
    """All those that are taken out of catalog values."""
    prompt = '写着 "一" 和 “二”，「三」『四』《五》【六】，不写七'
    assert drawn(prompt) == list("一二三四五六")


def test_a_column_that_no_template_reads_reaches_no_picture() -> None:
    """Nothing is said of it."""
    assert fate(shop(), product(spec="最佳", category="最佳", extra={"产地": "最佳"})) == {
        "main": "pass",
        "poster": "pass",
    }
    assert fate(shop(role("extra")), product(extra={"产地": "最佳"})) == {"extra": "warn"}


def test_where_anything_may_be_read_all_is_screened() -> None:
    """A template that does more with a product than read columns."""
    assert fate(shop(role("any")), product(material="最佳")) == {"any": "warn"}


def test_an_item_is_screened_with_its_own_picture_only() -> None:
    """The other scenarios of the same column are in other pictures."""
    of = shop(role("lifestyle", items=(), items_from="usage_scenarios", max=3))
    made, _ = wants(of, product(usage_scenarios=("露营", "最佳搭档")))
    assert [bool(each.remarks) for each in made] == [False, True]


def test_a_message_names_cell_word_rule_and_remedy() -> None:
    """In both languages, of what is blocked and of what is told."""
    cells = {"name": "商品!C5", "promo_text": "商品!H5"}
    lists = [listed("最佳", name="absolutes", suggestion_en="say why", suggestion_zh="请写明依据")]
    made, (blocked,) = wants(
        shop(lists=lists), product(name="最佳水壶", promo_text="最\u200b佳", where="商品!5", cells=cells)
    )
    assert blocked.reason_en.endswith(
        "商品!H5: promo_text has “最\u200b佳” (最佳) (list absolutes: a rule); say why"
    )
    assert blocked.reason_zh.endswith(
        "商品!H5：促销文案中有“最\u200b佳” (最佳)（词表 absolutes：a rule）；请写明依据"
    )
    (issue,) = told(made)
    assert (issue.where, issue.code, issue.severity, issue.sku) == (
        "商品!C5",
        "screened_words",
        "warning",
        "A1",
    )
    assert issue.message_en == "name has “最佳” (list absolutes: a rule); say why"
    assert issue.message_zh == "商品名称中有“最佳”（词表 absolutes：a rule）；请写明依据"


@pytest.mark.parametrize(("fields", "place"), [({"where": "商品!5"}, "商品!5"), ({}, "A1")])
def test_without_cells_the_row_or_the_sku_is_named(fields: dict[str, str], place: str) -> None:
    """Rows from the ledger and from databases have no cells."""
    made, _ = wants(shop(role("main")), product(name="最佳", **fields))
    assert [issue.where for issue in told(made)] == [place]


def test_a_list_without_suggestion_has_a_remedy_too() -> None:
    """Every message ends with one."""
    made, _ = wants(shop(role("main")), product(name="最佳"))
    (issue,) = told(made)
    assert issue.message_en.endswith("; say it in other words")
    assert issue.message_zh.endswith("；请改用其他说法")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("warn", "block")),
        ({"severity": "warn"}, ("warn", "warn")),
        ({"elsewhere": "ignore"}, ("pass", "block")),
        ({"elsewhere": "block"}, ("block", "block")),
        ({"roles": frozenset({"poster"})}, ("pass", "block")),
        ({"platforms": frozenset({"other"})}, ("pass", "pass")),
        ({"platforms": frozenset({"shop", "other"})}, ("warn", "block")),
        ({"categories": ("家居",)}, ("warn", "block")),
        ({"categories": ("食品",)}, ("pass", "pass")),
        ({"not_categories": ("家居",)}, ("pass", "pass")),
    ],
)
def test_per_role_platform_and_category(fields: dict[str, Any], expected: tuple[str, str]) -> None:
    """Each list says what it is about and what is done."""
    of = shop(lists=[listed("最佳", **fields)])
    one = product(name="最佳水壶", promo_text="最佳", category="家居")
    assert fate(of, one) == dict(zip(("main", "poster"), expected, strict=True))


def test_where_a_product_has_no_category_its_name_counts() -> None:
    """It is all that there is."""
    of = shop(role("main"), lists=[listed("最佳", categories=("饼干",))])
    assert fate(of, product(name="最佳饼干")) == {"main": "warn"}
    assert fate(of, product(name="最佳饼干", category="家居")) == {"main": "pass"}


def test_a_picture_that_several_platforms_take_is_blocked_for_all() -> None:
    """It is one picture."""
    of = shop(lists=[listed("最佳", platforms=frozenset({"other"}))])
    assert fate(of, product(promo_text="最佳"), platforms=["shop", "other"])["poster"] == "block"


def test_a_word_across_clauses_is_never_blocked() -> None:
    """It may be none."""
    assert fate(shop(), product(promo_text="容量最，佳节礼")) == {"main": "pass", "poster": "warn"}


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ([listed("最", name="a"), listed("最佳", name="b")], ["b"]),
        ([listed("最佳", name="a"), listed("最佳", name="b")], ["a"]),
        ([listed("最佳", name="a"), listed("最佳", name="b", categories=("壶",))], ["b"]),
        ([listed("最", name="a"), listed("最佳", name="b", elsewhere="ignore")], ["a"]),
        ([listed("最佳", name="a", categories=("食品",)), listed("最", name="b")], ["b"]),
    ],
)
def test_one_word_is_told_once(lists: list[WordList], expected: list[str]) -> None:
    """By the list that has most of it, of those that hold."""
    made, _ = wants(shop(role("main"), lists=lists), product(name="最佳水壶"))
    assert [issue.message_en.partition("(list ")[2][:1] for issue in told(made)] == expected


def test_a_block_is_not_hidden_by_a_longer_warning() -> None:
    """What more is done about comes through."""
    lists = [listed("最", name="a", elsewhere="block"), listed("最佳", name="b")]
    assert fate(shop(role("main"), lists=lists), product(name="最佳")) == {"main": "block"}


def test_render_keys_stay() -> None:
    """No picture is rendered again because of a list."""
    one = product(name="最佳水壶", promo_text="新品")
    with_lists, _ = wants(shop(), one)
    without, _ = wants(shop(lists=()), one)
    assert [each.render_key for each in with_lists] == [each.render_key for each in without]
    assert not told(without)


def test_other_lists_are_another_setup() -> None:
    """A sync looks at every row again."""
    names = {setup_name(of, ["shop"]) for of in (shop(), shop(lists=[listed("最好")]), shop(lists=()))}
    assert len(names) == 3


def test_what_is_told_travels_to_other_processes() -> None:
    """With the picture."""
    made, _ = wants(shop(role("main")), product(name="最佳"))
    assert pickle.loads(pickle.dumps(made[0])).remarks == made[0].remarks  # noqa: S301 - our own


def test_what_is_forgotten_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large catalog has more clean texts than are kept in mind."""
    monkeypatch.setattr(screener, "REMEMBERED", 1)
    rows = [
        product(f"A{number}", name=name) for number, name in enumerate(("壶", "杯", "最佳", "壶", "最佳"))
    ]
    made, _ = wants(shop(role("main")), *rows)
    assert [bool(each.remarks) for each in made] == [False, False, True, False, True]


# A catalog that nobody plans


def test_a_check_tells_what_can_be_known_without_prompts() -> None:
    """Of promotions that they block, of names that they steer; each once, however many roles read it."""
    rows = [product(name="最佳水壶", promo_text="最佳"), product("B2", name="水壶", promo_text="新品")]
    found = list(screened(rows, shop(role("main"), role("label"), POSTER), ["shop", "other"]))
    assert [issue.message_en.partition(" (")[0] for issue in found] == [
        "name has “最佳”",
        "no picture poster is made: promo_text has “最佳”",
    ]
    assert all(issue.severity == "warning" for issue in found)
    assert found[1].message_zh.startswith("不会生成 poster 图：促销文案中有“最佳”")


def test_a_check_looks_at_roles_that_are_made() -> None:
    """Not at those that are switched off, or that no enabled platform takes."""
    of = shop(role("main"), replace(POSTER, enabled=False))
    assert list(screened([product(promo_text="最佳")], of, ["shop"])) == []
    assert list(screened([product(promo_text="最佳")], shop(), [])) == []


def test_a_check_looks_at_items_that_become_pictures() -> None:
    """Not at those beyond the most of a role."""
    of = shop(role("lifestyle", items=(), items_from="usage_scenarios", max=1))
    assert list(screened([product(usage_scenarios=("露营", "最佳"))], of, ["shop"])) == []
    assert len(list(screened([product(usage_scenarios=("最佳", "露营"))], of, ["shop"]))) == 1
