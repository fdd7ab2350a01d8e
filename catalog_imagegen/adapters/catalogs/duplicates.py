"""Decide between rows that claim the same SKU."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.domain.catalog import Issue, Product

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def without_duplicates(
    products: Sequence[Product], *, is_row_number: Callable[[str], bool]
) -> tuple[tuple[Product, ...], tuple[Issue, ...]]:
    """Keep the first of identical rows, and none of those that contradict each other.

    Columns for which *is_row_number* holds count the rows, so they say nothing about the product.
    """
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
    differing = sorted(
        {name for product in group for name in _differences(first, product) if not is_row_number(name)}
    )
    if not differing:
        found = [
            issue("duplicate_identical", _cell(product), sku=product.sku, others=_cell(first))
            for product in group[1:]
        ]
        return found, {id(product) for product in group[1:]}
    found = [
        issue(
            "duplicate_sku_conflict",
            _cell(product),
            sku=product.sku,
            others=_others(product, group),
            fields=", ".join(differing),
        )
        for product in group
    ]
    return found, {id(product) for product in group}


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
    return ", ".join(_cell(other) for other in group if other is not product)
