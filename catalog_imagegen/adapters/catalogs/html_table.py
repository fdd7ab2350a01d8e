"""Read the tables of a web page, which old shop systems export under the name .xls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree, html

from catalog_imagegen.adapters.catalogs.files import refuse_corrupt
from catalog_imagegen.adapters.catalogs.layout import Area
from catalog_imagegen.adapters.catalogs.sheets import Sheet, grids_of, shown_text, wanted_titles

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.grid import Grids

_MOST_SPANNED = 1000
"""Cells that one cell may cover in a direction; browsers stop there too."""
_UNSEEN = ("script", "style")
_BLOCKS = ("p", "div", "li")
_LINE_BREAKS = {"start": (*_BLOCKS, "br"), "end": _BLOCKS, "comment": (), "pi": ()}
_LINES = re.compile(r"[\r\n]+[ \t\r\n]*")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


def read_html(text: str, *, name: str, sheet: str = "") -> Grids:
    """Read every table that is not part of another; the first is called like the file, others are numbered.

    Raises CatalogError: ``corrupt_file``, ``table_not_found``.
    """
    try:
        page = html.document_fromstring(
            text.encode(), parser=html.HTMLParser(encoding="utf-8", huge_tree=True)
        )
    except (etree.LxmlError, ValueError) as error:
        raise refuse_corrupt(name, type(error).__name__, "网页内容有误") from error
    tables = page.xpath("//table[not(ancestor::table)]")
    sheets = {
        (name if number == 1 else f"{name} ({number})"): table for number, table in enumerate(tables, 1)
    }
    if not sheets:
        raise refuse_corrupt(name, "it is a web page without a table", "网页中没有表格")
    titles = wanted_titles(list(sheets), sheet, name)
    return grids_of((_sheet(title, sheets[title]) for title in titles), wanted=sheet)


def _sheet(title: str, table: html.HtmlElement) -> Sheet:
    cells, merged, hidden = {}, [], set()
    covered: dict[int, tuple[int, int]] = {}
    """Column → down to which row, and to which column, a cell above covers it."""
    rows = table.xpath("./tr | ./thead/tr | ./tbody/tr | ./tfoot/tr")
    for number, row in enumerate(rows, 1):
        if _HIDDEN.search(row.get("style", "")):
            hidden.add(number)
        column = 0
        for cell in row.xpath("./td | ./th"):
            while (area_above := covered.get(column, (0, 0)))[0] >= number:
                column = area_above[1] + 1
            area = Area(
                number, column, number + _span(cell, "rowspan") - 1, column + _span(cell, "colspan") - 1
            )
            cells[number, column] = shown_text(_text(cell))
            if area.bottom > area.top:
                merged.append(area)
                for beside in range(column, area.right + 1):
                    covered[beside] = max(covered.get(beside, (0, 0)), (area.bottom, area.right))
            column = area.right + 1
    return Sheet(title, cells, merged=merged, hidden_rows=hidden)


def _span(cell: html.HtmlElement, name: str) -> int:
    told = cell.get(name, "1").strip()
    return min(max(int(told[:6]), 1), _MOST_SPANNED) if told.isascii() and told.isdigit() else 1


def _text(cell: html.HtmlElement) -> str:
    """The text of a cell: only <br> and blocks break its lines, the source's own line breaks are blanks."""
    pieces: list[str] = []
    for event, element in etree.iterwalk(cell, events=("start", "end", "comment", "pi")):
        if event == "start" and element.tag in _UNSEEN:
            element.clear(keep_tail=True)
        if element.tag in _LINE_BREAKS[event]:
            pieces.append("\n")
        text = element.text if event == "start" else element.tail if element is not cell else ""
        pieces.append(" ".join(_LINES.split(text or "")))
    lines = "".join(pieces).replace("\xa0", " ").split("\n")
    return "\n".join(line.strip(" \t") for line in lines).strip()
