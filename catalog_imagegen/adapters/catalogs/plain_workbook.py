"""Read the values of .xlsb and .ods workbooks; formats, hidden rows and formulas cannot be seen in them."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from catalog_imagegen.adapters.catalogs.embedded import with_pictures
from catalog_imagegen.adapters.catalogs.files import refuse_corrupt
from catalog_imagegen.adapters.catalogs.pictures import pictures_in_ods
from catalog_imagegen.adapters.catalogs.sheets import (
    Sheet,
    grids_of,
    shown,
    wanted_titles,
)

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.embedded import PictureShelf
    from catalog_imagegen.adapters.catalogs.grid import Grids, Nature


def read_plain_workbook(data: bytes, *, name: str, sheet: str = "", shelf: PictureShelf) -> Grids:
    """Read the values of all visible sheets, or of the one called *sheet*.

    Raises CatalogError: ``corrupt_file``, ``table_not_found``.
    """
    try:
        book = CalamineWorkbook.from_filelike(BytesIO(data))
        is_hidden = {
            about.name: about.visible != SheetVisibleEnum.Visible
            for about in book.sheets_metadata
            if about.typ == SheetTypeEnum.WorkSheet
        }
        titles = wanted_titles(list(is_hidden), sheet, name)
        found = pictures_in_ods(data)
        sheets = [
            with_pictures(
                Sheet(title, _cells(book, title), is_hidden=is_hidden[title]), found.get(title), shelf
            )
            for title in titles
        ]
    except (CalamineError, ValueError, OSError) as error:
        raise refuse_corrupt(name, type(error).__name__, "工作簿内容有误") from error
    return grids_of(sheets, wanted=sheet)


def _cells(book: CalamineWorkbook, title: str) -> dict[tuple[int, int], tuple[str, Nature]]:
    rows = book.get_sheet_by_name(title).to_python(skip_empty_area=False)
    return {
        (number, column): shown(value)
        for number, row in enumerate(rows, 1)
        for column, value in enumerate(row)
        if value != ""
    }
