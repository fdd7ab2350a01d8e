"""Read the sheets of an old workbook: .xls of Excel 5 to 2003, .et of WPS."""

from __future__ import annotations

import struct
from io import StringIO
from typing import TYPE_CHECKING

import xlrd

from catalog_imagegen.adapters.catalogs.embedded import with_pictures
from catalog_imagegen.adapters.catalogs.files import refuse_corrupt
from catalog_imagegen.adapters.catalogs.layout import Area
from catalog_imagegen.adapters.catalogs.pictures import pictures_in_xls
from catalog_imagegen.adapters.catalogs.sheets import (
    Sheet,
    grids_of,
    moment_text,
    shown_number,
    shown_text,
    wanted_titles,
)

if TYPE_CHECKING:
    from xlrd.book import Book
    from xlrd.sheet import Cell as SheetCell

    from catalog_imagegen.adapters.catalogs.embedded import PictureShelf
    from catalog_imagegen.adapters.catalogs.grid import Grids, Nature

_UNREADABLE = (
    xlrd.XLRDError, xlrd.compdoc.CompDocError, struct.error, ArithmeticError, AssertionError, AttributeError, EOFError,
    LookupError, NameError, RuntimeError, TypeError, ValueError,
)  # fmt: skip
"""What xlrd lets through when a record is missing or malformed."""
_NOTHING = frozenset({xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK})


def read_xls(data: bytes, *, name: str, sheet: str = "", shelf: PictureShelf) -> Grids:
    """Read the cells of all visible sheets, or of the one called *sheet*, as a person would see them.

    Raises CatalogError: ``corrupt_file``, ``table_not_found``.
    """
    try:
        with xlrd.open_workbook(
            file_contents=data, formatting_info=True, ragged_rows=True, logfile=StringIO()
        ) as book:
            titles = wanted_titles(book.sheet_names(), sheet, name)
            found = pictures_in_xls(data)
            sheets = [with_pictures(_sheet(book, title), found.get(title), shelf) for title in titles]
    except _UNREADABLE as error:
        raise refuse_corrupt(name, type(error).__name__, "工作簿内容有误") from error
    return grids_of(sheets, wanted=sheet)


def _sheet(book: Book, title: str) -> Sheet:
    sheet = book.sheet_by_name(title)
    return Sheet(
        title,
        {
            (row + 1, column): _content(book, sheet.cell(row, column))
            for row in range(sheet.nrows)
            for column, kind in enumerate(sheet.row_types(row))
            if kind not in _NOTHING
        },
        merged=[Area(top + 1, left, bottom, right - 1) for top, bottom, left, right in sheet.merged_cells],
        hidden_rows={row + 1 for row, about in sheet.rowinfo_map.items() if about.hidden},
        is_hidden=bool(sheet.visibility),
    )


def _content(book: Book, cell: SheetCell) -> tuple[str, Nature]:
    if cell.ctype == xlrd.XL_CELL_NUMBER:
        return shown_number(cell.value, book.format_map[book.xf_list[cell.xf_index].format_key].format_str)
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            moment = xlrd.xldate_as_datetime(cell.value, book.datemode)
            return moment_text(moment.time() if 0 <= cell.value < 1 else moment), "date"
        except (ValueError, OverflowError):
            return shown_number(cell.value)
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return str(bool(cell.value)).upper(), "text"
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code.get(cell.value, "#N/A"), "text"
    return shown_text(str(cell.value))
