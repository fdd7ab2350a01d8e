"""What the values of a column tell of its meaning."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs import values

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.grid import Cell

_MOST = 0.6
"""Share of the values that must look so."""
_NEARLY_ALL = 0.9
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/#-]{1,31}")
_CODE_DIGITS = 5
"""A column of shorter numbers is more likely a quantity, a price or a count."""
_MONEY = re.compile(r"[¥￥$€£]|元|cny|rmb|usd", re.IGNORECASE)
_PRICED = re.compile(r"价|金额|price|[¥￥$]", re.IGNORECASE)
_DATE = re.compile(r"\d{4}[-./年]\d{1,2}[-./月]\d{1,2}日?(?: .*)?")
_COLOR = re.compile(r"[一-鿿]{0,5}色(?:[、/，,+][一-鿿]{0,5}色)*|[黑白红蓝绿灰粉紫黄棕橙青金银]")
_SIZE = re.compile(r"\d+(?:\.\d+)?\s*(?:cm|mm|m)?\s*[x×*＊X]\s*\d+.*", re.IGNORECASE)
_LIST = re.compile(r"[\n；;、]")
_HAN = re.compile(r"[一-鿿]")
_SHORTEST_NAME, _LONGEST_NAME = 4, 80


@dataclass(frozen=True)
class Column:
    """A header, the cells below it and how many of them have a picture."""

    header: str
    cells: Sequence[Cell]
    pictures: int = 0

    @cached_property
    def texts(self) -> Sequence[str]:
        """What is written."""
        texts = (values.trimmed(cell.text) for cell in self.cells)
        return [text for text in texts if text and text not in values.NA_LIKE]

    def share(self, fits: Callable[[str], object]) -> float:
        """Share of what is written that fits."""
        return sum(bool(fits(text)) for text in self.texts) / len(self.texts) if self.texts else 0.0


def _has_pictures(column: Column) -> bool:
    named = column.share(lambda text: values.is_url(text) or values.names_picture(text))
    return column.pictures > 0 or named >= _MOST


def _has_money(column: Column) -> bool:
    is_priced = _PRICED.search(column.header) is not None
    return (
        column.share(lambda text: (is_priced or _MONEY.search(text)) and values.price(text) is not None)
        >= _MOST
    )


def _has_dates(column: Column) -> bool:
    dates = sum(cell.nature == "date" for cell in column.cells)
    return dates > _MOST * len(column.cells) or column.share(_DATE.fullmatch) >= _MOST


def _has_codes(column: Column) -> bool:
    texts = column.texts
    if len(texts) < 2 or len(set(texts)) < len(texts) or _has_dates(column):  # noqa: PLR2004  # one tells nothing
        return False
    if all(text.isdigit() for text in texts):
        return all(len(text) >= _CODE_DIGITS for text in texts)
    is_plain = column.share(lambda text: re.fullmatch(r"[\d.,]+", text)) > 1 - _NEARLY_ALL
    has_digits = column.share(lambda text: any(char.isdigit() for char in text)) >= _NEARLY_ALL
    return column.share(_CODE.fullmatch) == 1 and has_digits and not is_plain


def _has_names(column: Column) -> bool:
    texts = column.texts
    is_name = column.share(
        lambda text: (
            _HAN.search(text) and _SHORTEST_NAME <= len(text) <= _LONGEST_NAME and not _LIST.search(text)
        )
    )
    return len(texts) > 1 and len(set(texts)) >= _NEARLY_ALL * len(texts) and is_name >= _NEARLY_ALL


def _has_lists(column: Column) -> bool:
    return column.share(lambda text: _LIST.search(text) and _HAN.search(text)) >= _MOST


_HINTS: tuple[tuple[str, tuple[str, ...], Callable[[Column], bool]], ...] = (
    ("pictures", ("images",), _has_pictures),
    ("money", ("price", "list_price"), _has_money),
    ("dates", ("date",), _has_dates),
    ("codes", ("sku",), _has_codes),
    ("colors", ("color",), lambda column: column.share(_COLOR.fullmatch) >= _MOST),
    ("sizes", ("size",), lambda column: column.share(_SIZE.fullmatch) >= _MOST),
    ("lists", ("features",), _has_lists),
    ("names", ("name",), _has_names),
)
"""What is found, and the fields it speaks for: the first that no other column has."""


def hints(column: Column, taken: Collection[str]) -> Mapping[str, str]:
    """Field → why the values of a column speak for it; only the first thing that is found counts."""
    for hint, fields, is_found in _HINTS:
        if is_found(column):
            free = [field for field in fields if field not in taken]
            return {free[0]: hint} if free else {}
    return {}
