"""Rows read by whole blocks and rows looked at closely give the same products."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from catalog_imagegen.adapters.catalogs.grid import Block, Grid, Grids, Nature, SheetNaming, Value
from catalog_imagegen.adapters.catalogs.reading import read_grids
from catalog_imagegen.domain.catalog import LIST_FIELDS, TEXT_FIELDS, Issue, Product, Reading
from catalog_imagegen.domain.errors import CatalogError
from tests.integration.catalogs_support import COLUMNS

HEADERS = (*TEXT_FIELDS, *LIST_FIELDS, "备注", "主图", "卖点1", "卖点2", "备注", "",
           "extra", "where", "cells", "known_digest")  # fmt: skip
TEXTS = (
    "", " ", "A1", "a1", "00123", "1E5", "1.23E+12", "'007", "ＡＢ１２", "x\ty", "a\r\nb", "\ufeffx\u200b", "无", "-", "NA",
    "#N/A", "#VALUE!", "59.90", "￥1,299元", "面议", "2026.1.2", "45413", "2026-13-40", "1、保温；2、一键开盖", "通勤/露营、车载",
    "a.jpg；https://x.cn/b.jpg?x=1,2", "合计", "备注", "货号", "商品名称", "TRUE", "x" * 65, "\x01", "①甲②乙", "\u3000白\xa0",
)  # fmt: skip
NUMBERS = (0.0, 1.5, -3.0, 123.0, 1e15, 123456789012345.0, 1e21, 45413.0, float("nan"), float("inf"), 7)
SHOWN: tuple[tuple[str, Nature], ...] = (
    ("2026-01-02", "date"), ("0012", "number"), ("15%", "text"), ("", "uncalculated"), ("", "picture"), ("#N/A", "text"),
)  # fmt: skip

values: st.SearchStrategy[Value] = st.one_of(
    st.sampled_from(TEXTS), st.text(max_size=5), st.sampled_from(NUMBERS), st.booleans(), st.none()
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Sequence[str], Sequence[Sequence[Value]], dict[tuple[int, int], Any]]:
    """A header with a SKU and a name, rows below it, and what some of their cells show."""
    others = draw(st.lists(st.sampled_from(HEADERS), max_size=8, unique=True))
    header = draw(st.permutations(["货号", "商品名称", *others]))
    rows = draw(
        st.lists(st.lists(values, min_size=len(header), max_size=len(header)), min_size=1, max_size=6)
    )
    places = st.tuples(st.integers(1, len(rows)), st.integers(0, len(header) - 1))
    return header, rows, draw(st.dictionaries(places, st.sampled_from(SHOWN), max_size=4))


def read(
    header: Sequence[str], rows: Sequence[Sequence[Value]], special: dict[Any, Any], *, is_hidden: bool
) -> Reading | str:
    """Read such a table, or say why it is refused. A row that is hidden is looked at closely."""
    lines = [header, *rows]
    columns = dict(enumerate(map(list, zip(*lines, strict=True))))
    block = Block(range(1, len(lines) + 1), columns, special, range(1, len(lines)) if is_hidden else ())
    try:
        return read_grids(Grids((Grid(SheetNaming("表"), "表", (block,)),)), COLUMNS)
    except CatalogError as error:
        return error.code


def whole(product: Product) -> list[Any]:
    """All fields, also those that no comparison of products looks at."""
    return [
        dict(product.cells),
        *(
            getattr(product, each.name)
            for each in fields(Product)
            if each.name not in ("cells", "known_digest")
        ),
        product.digest,
    ]


def told(issues: Iterable[Issue]) -> list[tuple[str, ...]]:
    """What is said of cells, in any order; nothing of rows that are hidden."""
    return sorted(
        (said.where, said.code, said.severity, said.message_zh, said.message_en, said.sku)
        for said in issues
        if said.code != "hidden_row"
    )


@given(tables())
@example((["货号", "商品名称", "卖点1", "颜色", "卖点2"], [["A1", "杯", "", "白", "保温"]], {}))
def test_plain_rows_are_read_as_if_they_were_looked_at_closely(table: Any) -> None:
    """Products with all their fields and cells, issues, and pictures."""
    plain, close = (read(*table, is_hidden=hidden) for hidden in (False, True))
    if isinstance(plain, str) or isinstance(close, str):
        assert plain == close
        return
    assert [p.digest for p in plain.products] == [replace(p).digest for p in plain.products]
    assert list(map(whole, plain.products)) == list(map(whole, close.products))
    assert told(plain.issues) == told(close.issues)
    assert list(plain.pictures) == list(close.pictures)
