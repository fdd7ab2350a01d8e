"""Values that a catalog's own rules give to empty cells."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from catalog_imagegen.adapters.catalogs import values
from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.domain.catalog import LIST_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from catalog_imagegen.domain.catalog import Issue


def as_read(field: str, texts: Sequence[str]) -> str | tuple[str, ...] | None:
    """What a product has where these *texts* were written for a field; None where they cannot be its value."""
    tidy = tuple(dict.fromkeys(text for text in map(values.trimmed, texts) if text))
    if field in LIST_FIELDS:
        return tidy or None
    if len(tidy) != 1:
        return None
    if field in values.PRICE_FIELDS:
        return values.price(tidy[0])
    return values.date(tidy[0]) if field in values.DATE_FIELDS else tidy[0]


class Defaults:
    """Fills the empty cells of one table, and counts those of its products."""

    def __init__(self, defaults: Mapping[str, Any]) -> None:
        self._values = defaults
        self._blank: dict[str, list[bool]] = {}
        self.filled: Counter[str] = Counter()

    def fill(self, made: dict[str, list[Any]], count: int) -> None:
        """Fill whole columns of *count* rows."""
        for name, value in self._values.items():
            column = made.get(name)
            self._blank[name] = [True] * count if column is None else [not each for each in column]
            made[name] = [value] * count if column is None else [each or value for each in column]

    def count(self, plain: Sequence[bool]) -> None:
        """Count those of the columns filled last, in rows that became products."""
        for name, blank in self._blank.items():
            self.filled[name] += sum(map(bool.__and__, blank, plain))


def fill_row(fields: dict[str, Any], defaults: Mapping[str, Any]) -> tuple[str, ...]:
    """Fill the empty ones of a row's fields, and tell which."""
    blank = tuple(name for name in defaults if not fields.get(name))
    for name in blank:
        fields[name] = defaults[name]
    return blank


def told(filled: Counter[str], defaults: Mapping[str, Any]) -> list[Issue]:
    """Say once per catalog what was filled in."""
    used = [(name, _text(defaults[name]), count) for name, count in filled.items() if count]
    if not used:
        return []
    en = ", ".join(f"{name} {value!r} ({count}×)" for name, value, count in used)
    zh = "、".join(f"{name}“{value}”（{count} 处）" for name, value, count in used)
    return [issue("default_used", "file", filled=en, filled_zh=zh)]


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else "、".join(value)
