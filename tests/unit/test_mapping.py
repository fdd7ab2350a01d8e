from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_imagegen.adapters.catalogs.columns import Columns, Match
from catalog_imagegen.adapters.catalogs.fingerprints import header_fingerprint
from catalog_imagegen.adapters.catalogs.grid import Block, Grid, Grids, SheetNaming
from catalog_imagegen.adapters.catalogs.mapping import HeaderMapping, Suggestion, TableMapping, map_grids
from catalog_imagegen.bootstrap.profile_text import HINTS, Draft, profile_text
from catalog_imagegen.config.profiles import FIELDS, load_profile
from catalog_imagegen.domain.catalog import FIELD_WORDS
from catalog_imagegen.domain.errors import CatalogError

COLUMNS = Columns.from_toml(
    tomllib.loads((Path(__file__).parents[2] / "config" / "columns.toml").read_text(encoding="utf-8"))
)


def mapped(
    *rows: Sequence[Any], columns: Columns = COLUMNS, header_row: int | None = None
) -> tuple[TableMapping, ...]:
    """The headers of a table with these rows."""
    width = max(map(len, rows))
    full = [[*row, *[None] * (width - len(row))] for row in rows]
    block = Block(range(1, len(full) + 1), dict(enumerate(zip(*full, strict=True))))
    return map_grids(Grids((Grid(SheetNaming("S"), "S", [block]),)), columns, header_row=header_row)


def header_of(*rows: Sequence[Any], text: str) -> HeaderMapping:
    """What is said of the header *text* of a table with these rows."""
    (table,) = mapped(*rows)
    return next(header for header in table.headers if header.text == text)


def test_known_headers_say_by_which_name() -> None:
    """With the spelling of the table of names, whatever the header's own."""
    (table,) = mapped(["＊货 号", "商品名称（必填）", "卖点2", "备注"])
    assert [(h.field, h.alias) for h in table.headers] == [
        ("sku", "货号"),
        ("name", "商品名称"),
        ("features", "卖点"),
        ("", ""),
    ]
    assert [h.where for h in table.headers] == ["S!A1", "S!B1", "S!C1", "S!D1"]
    assert (table.line, table.is_guessed, table.missing) == (1, False, ())


def test_likeness_suggests_and_never_maps() -> None:
    """A misspelling has suggestions, and no field."""
    header = header_of(["商品编马", "商品名称", "颜色"], text="商品编马")
    assert header.field == ""
    assert header.suggestions[0] == Suggestion("sku", "商品编码", 75.0)


def test_a_longer_header_is_not_its_part() -> None:
    """市场价格说明 is not 价格, which WRatio would say at 90; nor is a header that merely has a word of another."""
    header = header_of(["货号", "商品名称", "价格区间说明"], text="价格区间说明")
    assert header.suggestions == ()


def test_a_remark_in_brackets_does_not_count() -> None:
    """It is suggested, for 港币 is not 元."""
    header = header_of(["货号", "商品名称", "价格(港币)"], text="价格(港币)")
    assert header.suggestions[0] == Suggestion("price", "价格", 100.0)


def test_a_field_that_has_a_column_is_not_suggested_again() -> None:
    """Unless it is a list, of which there may be several columns."""
    rows = ["货号", "商品名称", "卖点", "商品编马", "卖点们"]
    assert "sku" not in {one.field for one in header_of(rows, text="商品编马").suggestions}
    assert header_of(rows, text="卖点们").suggestions[0].field == "features"


VALUES = {
    "codes": ("sku", ["A-001", "A-002", "B7"]),
    "pictures": ("images", ["https://x.cn/1.jpg", "b.png", "-"]),
    "money": ("price", ["89元", "¥1,299.00", "5"]),
    "dates": ("date", ["2026-01-02", "2026年3月4日", "面议"]),
    "colors": ("color", ["墨绿色", "黑", "红色、白色"]),
    "sizes": ("size", ["10x20cm", "10 * 20 * 30 mm", "大"]),
    "lists": ("features", ["保温、防漏", "轻\n不烫手", "好用"]),
    "names": ("name", ["便携咖啡杯", "无线蓝牙耳机", "保温水壶"]),
}


@pytest.mark.parametrize("hint", VALUES)
def test_values_speak_for_a_field(hint: str) -> None:
    """Where the header says nothing; a field that is missing or free is suggested, with the reason."""
    field, values = VALUES[hint]
    known = ["货号" if field != "sku" else "款号", "商品名称" if field != "name" else "品牌"]
    rows = [[*known, "其他"], *([f"x{n}", f"y{n}", value] for n, value in enumerate(values))]
    assert header_of(*rows, text="其他").suggestions == (Suggestion(field, hint=hint),)
    assert hint in HINTS


@pytest.mark.parametrize(
    "values",
    [["1", "2", "3"], ["59.90", "8.00", "12.50"], ["A1", "A1", "A2"], ["2026-01-02", "2026-01-03", "2026-01-04"], ["ABC", "DEF", "GHI"]],
)  # fmt: skip
def test_what_is_no_sku(values: list[str]) -> None:
    """Counts, amounts, repeated codes, dates and words."""
    rows = [["商品名称", "品牌", "其他"], *([f"名称{n}", "x", value] for n, value in enumerate(values))]
    assert "sku" not in {one.field for one in header_of(*rows, text="其他").suggestions}


def test_totals_are_no_values() -> None:
    """A row below the table does not spoil what the column looks like."""
    rows = [["编", "商品名称", "颜色"], ["A1", "杯", ""], ["A2", "碗", ""], ["合计", "", ""]]
    assert header_of(*rows, text="编").suggestions[0].hint == "codes"


def test_an_unknown_header_is_guessed_and_said_to_be() -> None:
    """The first row with many short texts, not the title above it nor the numbers below."""
    rows = [["2026 报价单"], [], ["代号", "款式", "到店"], ["A1", "便携咖啡杯", "5"], ["A2", "无线耳机", "6"]]
    (table,) = mapped(*[[text.replace("款式", "样子") for text in row] for row in rows])
    assert (table.line, table.is_guessed, table.missing) == (3, True, ("sku", "name"))
    (table,) = mapped(*rows, header_row=4)
    assert (table.line, table.is_guessed) == (4, False)


def test_no_header_at_all_is_refused() -> None:
    """With the options that help."""
    with pytest.raises(CatalogError, match="--header-row"):
        mapped(["1", "2"], ["3", "4"])


def test_fingerprints_are_golden() -> None:
    """A change makes every profile in every shop unknown: raise VERSION with it."""
    assert header_fingerprint(["货号", "商品名称", "价格(元)"]) == "fa2535a1567980d4"


@given(st.lists(st.sampled_from(["货号", "名 称", "ＰＲＩＣＥ", "卖点1"]), min_size=1), st.randoms())
def test_fingerprints_do_not_see_order_or_dressing(headers: list[str], random: Any) -> None:
    """Two files of one supplier differ in such things."""
    other = [header.replace(" ", "").lower() + "*" for header in headers]
    random.shuffle(other)
    assert header_fingerprint([*other, " "]) == header_fingerprint(headers)
    assert header_fingerprint([*headers, "新的"]) != header_fingerprint(headers)


def test_a_lone_surrogate_does_no_harm() -> None:
    """Damaged files have them."""
    assert header_fingerprint(["\ud800"]) == header_fingerprint(["?"])


ADAPTED = COLUMNS.adapted(
    {"货号": "spu", "代号": "sku", "卖点二": "features", "亮点3": "features", "价格": "list_price"},
    splitters={"features": ("+",)},
    defaults={"brand": "甲"},
    ignored=["内部备注"],
    footers=["以上"],
)


def test_own_headers_come_before_shared_ones() -> None:
    """For this catalog; whatever else is known stays so, and the shared columns are not changed."""
    assert ADAPTED.match("货 号") == Match("spu")
    assert ADAPTED.match("价格(元)") == Match("list_price")
    assert ADAPTED.match("亮点3") == Match("features", 3)
    assert ADAPTED.match("商品名称") == Match("name")
    assert ADAPTED.match("内部备注") is None
    assert ADAPTED.is_ignored("内 部备注")
    assert ADAPTED.is_footer("以上为本月新品")
    assert COLUMNS.match("货号") == Match("sku")
    assert not COLUMNS.is_own("代号")


header_texts = st.text(
    st.characters(codec="utf-8") | st.sampled_from('"\\\n\t\x00\x7f[]#*?=、'), min_size=1, max_size=20
)


@given(
    texts=st.lists(header_texts, min_size=1, max_size=6, unique=True),
    is_accepted=st.booleans(),
    file_name=header_texts,
)
def test_what_is_written_can_be_read(
    texts: list[str], is_accepted: bool, file_name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever stands in a header or a file's name: the file is a profile that says what was proposed."""
    offers = (Suggestion("sku", "货号", 80.0), Suggestion("features", hint="lists"))
    known, *others = texts
    headers = (
        HeaderMapping("S!A1", known, "name", "商品名称"),
        *(HeaderMapping("S!B1", text, suggestions=offers) for text in others),
    )
    table = TableMapping("S", 1, is_guessed=False, fingerprint="0" * 16, headers=headers, missing=())
    draft = Draft("甲", file_name, (table,), is_accepted=is_accepted)
    path = tmp_path_factory.mktemp("profile") / "甲.toml"
    path.write_text(profile_text(draft), encoding="utf-8", newline="")
    profile = load_profile(path)
    assert profile.is_for(file_name)
    accepted = ["sku", *["features"] * len(others)][: len(others)] if is_accepted else []
    assert list(profile.table.columns.values()) == ["name", *accepted]
    assert list(profile.table.columns) == [known, *others][: 1 + len(accepted)]


def test_every_field_has_a_word() -> None:
    """In the list that merchandisers choose from."""
    assert set(FIELD_WORDS) == set(FIELDS)
