from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_imagegen.adapters.catalogs import Columns
from catalog_imagegen.adapters.catalogs.columns import Match
from catalog_imagegen.adapters.catalogs.lists import split_list, split_references
from catalog_imagegen.adapters.catalogs.record import CatalogRow
from catalog_imagegen.adapters.catalogs.values import date, price, sku_trouble, tidy_sku
from catalog_imagegen.domain.catalog import LIST_FIELDS, TEXT_FIELDS, Product
from catalog_imagegen.domain.errors import ConfigError

PACKAGED = tomllib.loads(
    (Path(__file__).parents[2] / "config" / "columns.toml").read_text(encoding="utf-8"),
)
COLUMNS = Columns.from_toml(PACKAGED)


def test_the_packaged_table_names_every_field_in_both_languages() -> None:
    """Each product field has Chinese and English headers, and none is claimed twice (or loading would fail)."""
    for field in (*TEXT_FIELDS, *LIST_FIELDS):
        names = PACKAGED["fields"][field]["aliases"]
        assert any(not name.isascii() for name in names), field
        assert any(name.isascii() for name in names), field
        assert COLUMNS.match(field) == Match(field)


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("货号", "sku"),
        ("商品编码", "sku"),
        ("商家编码", "sku"),
        (" *ＳＫＵ 编码 ", "sku"),
        ("SKU\u200b", "sku"),
        ("商品\n编码：", "sku"),
        ("seller_sku", "sku"),
        ("款号", "spu"),
        ("标题", "name"),
        ("Product Name*", "name"),
        ("商品名称（必填）", "name"),
        ("零售价（元）", "price"),
        ("Price (USD)", "price"),
        ("市场价格", "list_price"),
        ("款式", "shape"),
        ("产品特点", "features"),
        ("适用场景", "usage_scenarios"),
        ("细节卖点", "detail_features"),
        ("包装清单", "accessories"),
        ("促销文案", "promo_text"),
        ("主图", "images"),
    ],
)
def test_headers_are_compared_without_their_dressing(header: str, field: str) -> None:
    """Width, case, spaces, invisible characters, asterisks and unit brackets do not matter."""
    assert COLUMNS.match(header) == Match(field)


@pytest.mark.parametrize("header", ["商品编马", "备注2", "价格(港币)", "SKU2", "", "促销价"])
def test_likeness_never_maps_a_header(header: str) -> None:
    """A misspelling, an unknown remark in brackets or a numbered SKU column stays unmapped."""
    assert COLUMNS.match(header) is None


def test_list_columns_may_be_numbered() -> None:
    """卖点1 and 卖点2 are both features and keep their order; a price has no second column."""
    assert COLUMNS.match("卖点2") == Match("features", 2)
    assert COLUMNS.match("bullet point 3") == Match("features", 3)
    assert COLUMNS.match("价格2") is None


def test_a_workspace_table_extends_what_is_known() -> None:
    """Columns are built from merged tables, so a shop's own header is one more alias."""
    aliases = [*PACKAGED["fields"]["sku"]["aliases"], "内部编号"]
    merged = PACKAGED | {"fields": PACKAGED["fields"] | {"sku": {"required": True, "aliases": aliases}}}
    assert Columns.from_toml(merged).match("内部编号") == Match("sku")
    assert Columns.from_toml(merged).match("商品名称") == Match("name")


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"fields": {"colour": {"aliases": ["颜色"]}}}, "fields.colour"),
        ({"fields": {"sku": {"alias": ["货号"]}}}, "fields.sku.alias"),
        ({"fields": {"sku": {"aliases": ["编号"]}, "name": {"aliases": ["编 号"]}}}, "编 号"),
        ({"header": {}}, "header"),
    ],
)
def test_a_wrong_table_is_refused_by_name(data: dict[str, object], named: str) -> None:
    """Unknown fields and keys, and a name that two fields claim, stop the run and say which."""
    with pytest.raises(ConfigError) as caught:
        Columns.from_toml(data)
    assert named in caught.value.message_en
    assert named in caught.value.message_zh
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("", ()),
        ("透气", ("透气",)),
        ("透气；不起球;可机洗；", ("透气", "不起球", "可机洗")),
        ("高腰、显瘦", ("高腰", "显瘦")),
        ("容量:500ml\r\n口径、杯高:4cm\n\n", ("容量:500ml", "口径、杯高:4cm")),
        ("保温、保冷；一键开盖", ("保温、保冷", "一键开盖")),
        ("1、保温12小时；2、316不锈钢；3、一键开盖", ("保温12小时", "316不锈钢", "一键开盖")),
        ("1.透气 2.柔软", ("透气", "柔软")),
        ("（1）透气\n（2）柔软", ("透气", "柔软")),
        ("①不粘②少油烟", ("不粘", "少油烟")),
        ("1、透气", ("透气",)),
        ("• 透气\n- 柔软\n- 透气", ("透气", "柔软")),
        ("-5℃可用；+86热线", ("-5℃可用", "+86热线")),
        ("1.5L大容量；2.4G无线", ("1.5L大容量", "2.4G无线")),
        ("36、37、38", ("36", "37", "38")),
        ("直径:28cm,30cm", ("直径:28cm,30cm",)),
    ],
)
def test_lists_split_at_the_strongest_separator(text: str, items: tuple[str, ...]) -> None:
    """Line breaks beat ；, which beats 、; enumeration marks go, values that look like them stay."""
    assert split_list(text) == items


def test_extra_splitters_come_from_the_table() -> None:
    """Scenarios also split at 或 and /, other fields do not."""
    splitters = COLUMNS.splitters["usage_scenarios"]
    assert split_list("通勤/露营、车载", splitters=splitters) == ("通勤", "露营", "车载")
    assert split_list("在办公室或家里使用", splitters=splitters) == ("在办公室", "家里使用")
    assert split_list("防水/防尘") == ("防水/防尘",)
    assert set(COLUMNS.splitters) == {"usage_scenarios"}


def test_references_keep_the_commas_inside_urls() -> None:
    """Only a comma before another URL ends one."""
    text = "https://x.cn/a.jpg?x=1,2,https://x.cn/b.jpg；c,d.jpg"
    assert split_references("https://x.cn/a.jpg?x=1,2, https://x.cn/b.jpg") == (
        "https://x.cn/a.jpg?x=1,2",
        "https://x.cn/b.jpg",
    )
    assert split_references(text)[-1] == "c,d.jpg"
    assert split_references("1,a.JPG,2.png；D:\\图\\3 主图.jpg") == ("1,a.JPG", "2.png", "D:\\图\\3 主图.jpg")
    assert split_references("//x.cn/a.jpg,b.jpg") == ("//x.cn/a.jpg,b.jpg",)


_ITEM = (
    st.text(alphabet=st.sampled_from("透气防水abc甲乙5℃ .,:（）"), min_size=1)
    .map(str.strip)
    .filter(lambda text: bool(text) and not text[0].isdigit() and text[0] not in "（(.")
    .filter(lambda text: "5）" not in text)  # looks like the number of a further item
)


@given(st.lists(_ITEM, unique=True), st.sampled_from(["\n", "；", ";", "\r\n"]))
def test_joining_items_and_splitting_them_gives_them_back(items: list[str], separator: str) -> None:
    """No item is lost, changed or invented."""
    assert split_list(separator.join(items)) == tuple(items)


@given(st.lists(_ITEM, unique=True, min_size=1, max_size=9))
def test_numbering_a_list_changes_nothing(items: list[str]) -> None:
    """A list reads the same with 1、2、3、 in front of its lines."""
    assert split_list("\n".join(f"{place}、{item}" for place, item in enumerate(items, 1))) == tuple(items)


@given(st.text())
def test_any_text_splits_into_clean_items(text: str) -> None:
    """Whatever is typed, items are not blank, not repeated and found in the text."""
    items = split_list(text)
    assert len(set(items)) == len(items)
    assert all(item and item == item.strip() and item in text for item in items)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("199", "199"),
        ("199.90", "199.90"),
        ("¥1,299.00", "1299.00"),
        ("￥５９.9 元", "59.9"),
        ("USD 12", "12"),
        ("59-99", None),
        ("面议", None),
        ("-5", None),
        ("1,29", None),
    ],
)
def test_prices_are_decimal_text_as_written(text: str, expected: str | None) -> None:
    """Currency and thousands marks go, digits stay; what is no number is told."""
    assert price(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024.5.1", "2024-05-01"),
        ("2024/05/01", "2024-05-01"),
        ("2024年5月1日", "2024-05-01"),
        ("45413", "2024-05-01"),
        ("2024-13-01", "2024-13-01"),
        ("双11", "双11"),
    ],
)
def test_dates_are_written_one_way(text: str, expected: str) -> None:
    """Usual spellings and day numbers become ISO dates; other text is kept."""
    assert date(text) == expected


def test_only_damage_by_a_spreadsheet_makes_a_sku_unusable() -> None:
    """Text that merely looks like a number, an exponent or a date is a SKU like any other."""
    for text in ("00123", "1E5", "TRUE", "2026-01-02", "12345678901234567890", "NA", "1.5"):
        assert sku_trouble(text, "text") is None
    assert sku_trouble("1.23E+12", "text") == "scientific_text"
    assert sku_trouble("12345678901234", "number") is None
    assert sku_trouble("123456789012345", "number") == "precision_lost"
    assert sku_trouble("1.5", "number") == "sku_not_integer"
    assert sku_trouble("2026-01-02", "date") == "sku_is_date"


def test_a_sku_keeps_everything_that_can_be_seen() -> None:
    """Full-width digits and invisible characters are folded; case, zeros and inner spaces stay."""
    assert tidy_sku("Ａ４\u200b") == "A4"
    assert tidy_sku("'00777") == "00777"
    assert tidy_sku("aB 001-x①") == "aB 001-x①"


def test_a_row_is_validated_for_every_field_of_a_product() -> None:
    """The model that checks rows and the product they become have the same fields."""
    assert set(CatalogRow.model_fields) == {*TEXT_FIELDS, *LIST_FIELDS}
    given = {field.name for field in fields(Product) if field.init}
    assert set(CatalogRow.model_fields) == given - {"extra", "where", "cells"}
