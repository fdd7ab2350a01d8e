"""Decide between rows that claim the same SKU."""

from __future__ import annotations

from dataclasses import fields
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.domain.catalog import Issue, Product

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


_MOST_NAMED = 10


def without_duplicates(
    products: Sequence[Product], *, is_row_number: Callable[[str], bool]
) -> tuple[tuple[Product, ...], tuple[Issue, ...]]:
    """Keep the first of identical rows, and none of those that contradict each other in one sheet.

    Between sheets the earlier one holds: they are often written by different people, the main list first.

    Columns for which *is_row_number* holds count the rows, so they say nothing about the product.
    """
    if len(set(map(str.casefold, map(attrgetter("sku"), products)))) == len(products):
        return tuple(products), ()
    alike: dict[str, list[Product]] = {}
    for product in products:
        alike.setdefault(product.sku.casefold(), []).append(product)
    refused: set[int] = set()
    issues: list[Issue] = []
    for group in alike.values():
        if len(group) > 1:
            found, dropped = _judge(group, is_row_number)
            issues += found
            refused |= dropped
    return tuple(product for product in products if id(product) not in refused), tuple(issues)


def _judge(group: Sequence[Product], is_row_number: Callable[[str], bool]) -> tuple[list[Issue], set[int]]:
    """Give the issues of one group of like SKUs and the ids of its rows that are not taken."""
    if len({product.sku for product in group}) > 1:
        found = [
            issue("duplicate_sku_case", _cell(product), sku=product.sku, others=_others(product, group))
            for product in group
        ]
        return found, {id(product) for product in group}
    first = group[0]
    if not _differing(group, is_row_number):
        found = [
            issue("duplicate_identical", _cell(product), sku=product.sku, others=_cell(first))
            for product in group[1:]
        ]
        return found, {id(product) for product in group[1:]}
    sheet = [product for product in group if _sheet(product) == _sheet(first)]
    if _differing(sheet, is_row_number):
        return _contradiction(group, is_row_number), {id(product) for product in group}
    return _later_sheets(first, group, is_row_number), {id(product) for product in group[1:]}


def _contradiction(group: Sequence[Product], is_row_number: Callable[[str], bool]) -> list[Issue]:
    """Nobody can tell which row of one sheet is meant."""
    fields = _differing(group, is_row_number)
    return [
        _conflict(product, _others(product, group), fields, "none of them was taken", "全部未采用")
        for product in group
    ]


def _later_sheets(
    first: Product, group: Sequence[Product], is_row_number: Callable[[str], bool]
) -> list[Issue]:
    """What an earlier sheet says holds; a later one that says otherwise is told so, and one that agrees as well."""
    found = []
    for product in group[1:]:
        if fields := _differing((first, product), is_row_number):
            found.append(
                _conflict(product, _cell(first), fields, "only that one was taken", "只采用了前面的那一行")
            )
        else:
            found.append(issue("duplicate_identical", _cell(product), sku=product.sku, others=_cell(first)))
    return found


def _conflict(product: Product, others: str, fields: Sequence[str], taken: str, taken_zh: str) -> Issue:
    named = {"others": others, "fields": _listed(fields, len(fields)), "taken": taken, "taken_zh": taken_zh}
    return issue("duplicate_sku_conflict", _cell(product), sku=product.sku, severity=None, **named)


def _differing(group: Sequence[Product], is_row_number: Callable[[str], bool]) -> list[str]:
    names = {name for product in group for name in _differences(group[0], product)}
    return sorted(name for name in names if not is_row_number(name))


def _sheet(product: Product) -> str:
    return product.where.rpartition("!")[0]


def _differences(one: Product, other: Product) -> Iterable[str]:
    for field in fields(Product):
        if field.compare and field.name != "extra" and getattr(one, field.name) != getattr(other, field.name):
            yield field.name
    for header in one.extra.keys() | other.extra.keys():
        if one.extra.get(header) != other.extra.get(header):
            yield header


def _cell(product: Product) -> str:
    return product.cells.get("sku", product.where)


def _others(product: Product, group: Sequence[Product]) -> str:
    return _listed((_cell(other) for other in group if other is not product), len(group) - 1)


def _listed(names: Iterable[str], count: int) -> str:
    """The first of some names: in a column that says the same in every row, each row has all the others."""
    more = f" … (+{count - _MOST_NAMED})" if count > _MOST_NAMED else ""
    return ", ".join(islice(names, _MOST_NAMED)) + more
