"""Read an .xlsx or .xlsm workbook cell by cell: slowly, but as if what is not there did not exist."""

from __future__ import annotations

import re
import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Any

from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.exceptions import InvalidFileException

from catalog_imagegen.adapters.catalogs.files import refuse_corrupt
from catalog_imagegen.adapters.catalogs.layout import Area
from catalog_imagegen.adapters.catalogs.sheets import (
    Sheet,
    grids_of,
    shown,
    wanted_titles,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openpyxl.cell.cell import Cell as SheetCell
    from openpyxl.cell.cell import MergedCell
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    from catalog_imagegen.adapters.catalogs.grid import Grids, Nature

_PICTURE_FORMULA = re.compile(r"\b(?:DISPIMG|IMAGE)\(", re.IGNORECASE)
_UNREADABLE = (
    SyntaxError, InvalidFileException, KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, EOFError,
)  # fmt: skip
"""What openpyxl lets through when a part is missing or malformed; both of its XML parsers raise a SyntaxError."""


class _Reader(ExcelReader):
    """openpyxl 3.1.5 crashes on a chart sheet without relations; charts are no products anyway."""

    def read_chartsheet(self, sheet: Any, rel: Any) -> None:
        """Skip the sheet."""


def read_sparse_workbook(data: bytes, *, name: str, sheet: str = "") -> Grids:
    """Read the cells of all visible sheets, or of the one called *sheet*, as a person would see them.

    Raises CatalogError: ``corrupt_file``, ``table_not_found``.
    """
    book = _load(data, name, data_only=True)
    formulas = _load(data, name, data_only=False)
    titles = wanted_titles([worksheet.title for worksheet in book.worksheets], sheet, name)
    return grids_of((_sheet(book[title], _formulas(formulas, title)) for title in titles), wanted=sheet)


def _load(data: bytes, name: str, *, data_only: bool) -> Workbook:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # openpyxl warns of styles and extensions it drops; values are complete
            reader = _Reader(BytesIO(data), data_only=data_only, keep_links=False)
            reader.read()
    except _UNREADABLE as error:
        raise refuse_corrupt(name, type(error).__name__, "工作簿内容有误") from error
    return reader.wb


def _cells(worksheet: Worksheet) -> Mapping[tuple[int, int], SheetCell | MergedCell]:
    """Give the cells that exist; walking rows and columns would visit 17 billion for one cell in XFD1048576."""
    cells: Mapping[tuple[int, int], SheetCell | MergedCell] = worksheet._cells  # noqa: SLF001  # openpyxl has no public sparse view
    return cells


def _formulas(book: Workbook, title: str) -> dict[tuple[int, int], str]:
    """Give the text of each formula by (row, column)."""
    return {
        place: getattr(cell.value, "text", None) or str(cell.value)
        for place, cell in _cells(book[title]).items()
        if cell.data_type == "f"
    }


def _sheet(worksheet: Worksheet, formulas: Mapping[tuple[int, int], str]) -> Sheet:
    return Sheet(
        worksheet.title,
        {
            (row, column - 1): _content(cell, formulas.get((row, column)))
            for (row, column), cell in _cells(worksheet).items()
        },
        merged=[
            Area(merged.min_row, merged.min_col - 1, merged.max_row, merged.max_col - 1)
            for merged in worksheet.merged_cells.ranges
        ],
        hidden_rows={number for number, row in worksheet.row_dimensions.items() if row.hidden},
        is_hidden=worksheet.sheet_state != "visible",
    )


def _content(cell: SheetCell | MergedCell, formula: str | None) -> tuple[str, Nature]:
    value = cell.value
    if formula is not None and _PICTURE_FORMULA.search(formula):
        return "", "picture"
    if value is None:
        is_empty_result = cell.data_type == "str"  # a formula such as =IF(A1="","",A1) that gave ""
        return "", "text" if formula is None or is_empty_result else "uncalculated"
    return shown(value, str(cell.number_format))
