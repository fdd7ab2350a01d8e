"""Which cell styles of a workbook show a number otherwise than by its own digits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.opc import local
from catalog_imagegen.adapters.catalogs.sheets import changes_numbers

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from catalog_imagegen.adapters.catalogs.opc import Package

_BUILT_IN = {9: "0%", 10: "0.00%"}
"""By ECMA-376, 18.8.30; the others leave the digits as they are, or are dates, which calamine knows."""


def styles_that_change_numbers(package: Package) -> Mapping[int, str]:
    """Index of a cell's style → its number format, such as ``00000000`` or ``0%``."""
    part = package.related(package.workbook, "styles")
    if part is None:
        return {}
    root = package.xml(part)
    formats = _BUILT_IN | {
        int(element.get("numFmtId", "0")): element.get("formatCode", "")
        for element in root.iter()
        if local(element.tag) == "numFmt" and element.get("numFmtId", "").isdigit()
    }
    used = enumerate(_formats_of_cells(root))
    return {style: code for style, number in used if changes_numbers(code := formats.get(number, ""))}


def _formats_of_cells(root: Element) -> list[int]:
    cells = next((element for element in root if local(element.tag) == "cellXfs"), None)
    numbers = [element.get("numFmtId", "0") for element in (cells if cells is not None else ())]
    return [int(number) if number.isdigit() else 0 for number in numbers]
