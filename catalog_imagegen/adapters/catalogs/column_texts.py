"""A column's values as texts, of which some want a closer look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from catalog_imagegen.adapters.catalogs import values
from catalog_imagegen.adapters.catalogs.grid import plain_number
from catalog_imagegen.adapters.catalogs.record import SKU_LIMIT

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.grid import Value

_TOLD = values.NA_LIKE | values.ERRORS
"""Texts of which something is said."""


def is_said(value: Value) -> bool:
    """Whether a cell with this value is not blank."""
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def texts_of(column: Sequence[Value] | None, count: int, odd: set[int]) -> list[str]:
    """A column's values as texts, trimmed."""
    if column is None:
        return [""] * count
    try:
        texts: list[str] = list(map(str.strip, column))  # type: ignore[arg-type]  # mostly they are all texts
    except TypeError:
        texts = [value.strip() if isinstance(value, str) else _number(value) for value in column]
    together = "".join(texts)
    if "\r" in together or "\ufeff" in together or "\u200b" in together:
        texts = list(map(values.trimmed, texts))
    mark(texts, _TOLD, odd)
    return texts


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return str(value).upper() if isinstance(value, bool) else plain_number(value)


def mark(texts: Sequence[Any], told: Any, odd: set[int]) -> None:
    """Add the rows whose text is among those *told*."""
    told = frozenset(told)
    if not told.isdisjoint(texts):
        odd.update(place for place, text in enumerate(texts) if text in told)


def look_at_skus(skus: list[str], column: Sequence[Value] | None, odd: set[int]) -> None:
    """Numbers, and whatever is not spelled as most SKUs are, must be looked at closely."""
    together = "".join(skus)
    if not (together.isascii() and together.isprintable() and "'" not in together):
        odd.update(
            place
            for place, sku in enumerate(skus)
            if values.tidy_sku(sku) != sku or values.has_control_character(sku)
        )
    if "E+" in together or "e+" in together:
        odd.update(place for place, sku in enumerate(skus) if values.sku_trouble(sku, "text"))
    if max(map(len, skus), default=0) > SKU_LIMIT:
        odd.update(place for place, sku in enumerate(skus) if len(sku) > SKU_LIMIT)
    if column is not None and set(map(type, column)) - {str, type(None), bool}:
        odd.update(
            place
            for place, value in enumerate(column)
            if isinstance(value, int | float)
            and not isinstance(value, bool)
            and values.sku_trouble(skus[place], "number")
        )
