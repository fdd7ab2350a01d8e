"""Which rows a sync has to do with."""

from __future__ import annotations

from dataclasses import replace

from catalog_imagegen.domain.catalog import Product, Settled, Standing, differences
from catalog_imagegen.pipeline.changes import changes

CUP, LAMP, VASE = (Product(sku=sku, name=sku, spu="F") for sku in ("CUP", "LAMP", "VASE"))


def settled(*rows: tuple[int, Product]) -> dict[str, Settled]:
    """Rows about which nothing is left to do."""
    return {p.sku: (p.sku, p.digest, position, p.family) for position, p in rows}


def test_what_stands_is_passed_over() -> None:
    """Rows that only stand elsewhere are moved."""
    rows = [(0, CUP), (1, LAMP)]
    found = changes(rows, settled((0, CUP), (5, LAMP)), {}, source="shop")
    assert (found.todo, found.moved, found.gone, found.had) == ((), {"LAMP": 1}, frozenset(), 2)


def test_other_new_and_unsettled_rows_are_to_be_done() -> None:
    """Also those that another source had, or that were retired: they are settled for nobody here."""
    priced = replace(CUP, price="9")
    known = {"LAMP": Standing("shop", LAMP.digest, 1, "F", is_retired=True)}
    found = changes([(0, priced), (1, LAMP), (2, VASE)], settled((0, CUP)), known, source="shop")
    assert [p.sku for _, p in found.todo] == ["CUP", "LAMP", "VASE"]
    assert found.had == 1


def test_what_left_its_own_source_is_gone() -> None:
    """Settled or not; not what is another's, what is retired already, or what could not be read."""
    known = {
        "UNSETTLED": Standing("shop", "?", 1, "F"),
        "OTHERS": Standing("other", "?", 1, "F"),
        "RETIRED": Standing("shop", "?", 1, "F", is_retired=True),
        "UNREAD": Standing("shop", "?", 1, "F"),
    }
    found = changes([], settled((0, CUP)), known, source="shop", unread={"UNREAD"})
    assert found.gone == {"CUP", "UNSETTLED"}
    assert found.had == 3
    assert not changes([], settled((0, CUP)), known, source="shop", is_whole=False).gone


def test_rows_differ_in_fields_and_in_other_columns() -> None:
    """Where a row came from is no difference."""
    old = replace(CUP, price="1", features=("轻",), extra={"容量": "1L", "产地": "甲"}, where="表!2")
    new = replace(old, price="2", features=("重",), extra={"容量": "2L", "厚": "1"}, where="表!3")
    assert differences(old, new) == {"price", "features", "容量", "产地", "厚"}
    assert differences(old, replace(old, where="表!9")) == set()
