"""Read a workbook that Excel 2003 saved as XML (SpreadsheetML), as some shop systems still export."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from catalog_imagegen.adapters.catalogs.archive import refuse_dtd
from catalog_imagegen.adapters.catalogs.files import refuse_corrupt
from catalog_imagegen.adapters.catalogs.layout import Area
from catalog_imagegen.adapters.catalogs.sheets import (
    Sheet,
    grids_of,
    moment_text,
    shown_number,
    shown_text,
    wanted_titles,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from catalog_imagegen.adapters.catalogs.grid import Grids, Nature

NAMESPACE = "urn:schemas-microsoft-com:office:spreadsheet"
_SS = f"{{{NAMESPACE}}}"
_HIDDEN = "{urn:schemas-microsoft-com:office:excel}Visible"
_DECLARATION = re.compile(r"\s*<\?xml[^>]*>")
_DTD = re.compile(r"<!(?:DOCTYPE|ENTITY)")
_MOST_COVERED = 1_000_000


def read_xml_2003(text: str, *, name: str, sheet: str = "") -> Grids:
    """Read the cells of all visible sheets, or of the one called *sheet*, as a person would see them.

    Raises CatalogError: ``corrupt_file``, ``unsafe_xml``, ``table_not_found``.
    """
    if _DTD.search(text):
        refuse_dtd(name)
    try:
        book = ET.fromstring(_without_declaration(text))  # noqa: S314  # it has no DTD
        formats = _formats(book)
        sheets = [_sheet(each, formats) for each in book.iter(f"{_SS}Worksheet")]
    except (ET.ParseError, ValueError) as error:
        raise refuse_corrupt(name, type(error).__name__, "XML 内容有误") from error
    titles = wanted_titles([each.title for each in sheets], sheet, name)
    return grids_of([each for each in sheets if each.title in titles], wanted=sheet)


def _without_declaration(text: str) -> str:
    """Its encoding is known by now, and the parser would believe it."""
    found = _DECLARATION.match(text)
    return text[found.end() :] if found else text


def _formats(book: ET.Element) -> Mapping[str, str]:
    """The number format of each style."""
    return {
        style.get(f"{_SS}ID", ""): number.get(f"{_SS}Format", "")
        for style in book.iter(f"{_SS}Style")
        for number in style.iter(f"{_SS}NumberFormat")
    }


def _sheet(worksheet: ET.Element, formats: Mapping[str, str]) -> Sheet:
    title = worksheet.get(f"{_SS}Name", "")
    cells: dict[tuple[int, int], tuple[str, Nature]] = {}
    merged, hidden = [], set()
    for number, row in _placed(worksheet.iterfind(f"{_SS}Table/{_SS}Row"), over="Span"):
        if row.get(f"{_SS}Hidden") == "1":
            hidden.add(number)
        for place, cell in _placed(row.iterfind(f"{_SS}Cell"), over="MergeAcross"):
            cells[number, place - 1] = _content(cell, formats)
            down, across = (_whole(cell.get(f"{_SS}{side}")) for side in ("MergeDown", "MergeAcross"))
            if down:
                merged.append(Area(number, place - 1, number + down, place - 1 + across))
    return Sheet(
        title,
        cells,
        merged=merged,
        hidden_rows=hidden,
        is_hidden=any(shown.text != "SheetVisible" for shown in worksheet.iter(_HIDDEN)),
    )


def _placed(elements: Iterator[ET.Element], *, over: str) -> Iterator[tuple[int, ET.Element]]:
    """Elements with their numbers from 1: each says its own or follows the one before and what that covers."""
    place = 0
    for element in elements:
        place = _whole(element.get(f"{_SS}Index")) or place + 1
        yield place, element
        place += _whole(element.get(f"{_SS}{over}"))


def _whole(told: str | None) -> int:
    return max(0, min(int(told), _MOST_COVERED)) if told else 0


def _content(cell: ET.Element, formats: Mapping[str, str]) -> tuple[str, Nature]:
    data = cell.find(f"{_SS}Data")
    if data is None:
        return "", "uncalculated" if cell.get(f"{_SS}Formula") else "text"
    text, kind = "".join(data.itertext()), data.get(f"{_SS}Type")
    with suppress(ValueError):  # what is not of its type is shown as it stands
        if kind == "Number":
            return shown_number(float(text), formats.get(cell.get(f"{_SS}StyleID", ""), ""))
        if kind == "DateTime":
            return moment_text(dt.datetime.fromisoformat(text)), "date"
    if kind == "Boolean":
        return str(text == "1").upper(), "text"
    return shown_text(text)
