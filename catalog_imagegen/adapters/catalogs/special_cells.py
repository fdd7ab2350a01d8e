"""What a cell of a workbook shows where its value does not tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.layout import Mark
    from catalog_imagegen.adapters.catalogs.sheets import Content

_PICTURE_FORMULA = re.compile(r"\b(?:DISPIMG|IMAGE)\(", re.IGNORECASE)
_LINK_FORMULA = re.compile(
    r'HYPERLINK\(\s*"(?P<address>[^"]*)"\s*(?:,\s*"(?P<label>[^"]*)"\s*)?\)', re.IGNORECASE
)
"""Needs no calculating."""


def shows_picture(formula: str) -> bool:
    """Whether a cell with this formula shows a picture, in programs that know it."""
    return _PICTURE_FORMULA.search(formula) is not None


def marked_content(mark: Mark, value: object, *, is_explained: bool) -> Content | None:
    """What a marked cell shows; None: its *value*.

    *is_explained*: it is known what picture it shows, or why not. Only then an error with a rich value is none.
    """
    if shows_picture(mark.formula) or (mark.is_error and mark.rich_value and is_explained):
        return "", "picture"
    if mark.is_error:
        return mark.value, "text"
    if mark.formula and not mark.is_calculated and value in ("", None):
        link = _LINK_FORMULA.fullmatch(mark.formula.strip())
        return (link["label"] or link["address"], "text") if link else ("", "uncalculated")
    return None
