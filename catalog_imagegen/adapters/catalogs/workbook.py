"""Read the visible sheets of an .xlsx or .xlsm workbook."""

from __future__ import annotations

import datetime as dt
import re
import warnings
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.exceptions import InvalidFileException

from catalog_imagegen.adapters.catalogs.archive import has_formulas
from catalog_imagegen.adapters.catalogs.files import refuse_corrupt
from catalog_imagegen.adapters.catalogs.grid import Cell, Grid, Grids, column_letter, spreadsheet_row
from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openpyxl.cell.cell import Cell as SheetCell
    from openpyxl.cell.cell import MergedCell
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    from catalog_imagegen.adapters.catalogs.grid import Nature

_ZEROS = re.compile(r'(?:"([^"]*)")?(0+)')
_PICTURE_FORMULA = re.compile(r"\b(?:DISPIMG|IMAGE)\(", re.IGNORECASE)
_CACHED_PICTURE = re.compile(r"=(?:_xlfn\.)?DISPIMG\(", re.IGNORECASE)
_UNREADABLE = (
    ParseError, InvalidFileException, KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, EOFError,
)  # fmt: skip
"""What openpyxl lets through when a part is missing or malformed."""


class _Reader(ExcelReader):
    """openpyxl 3.1.5 crashes on a chart sheet without relations; charts are no products anyway."""

    def read_chartsheet(self, sheet: Any, rel: Any) -> None:
        """Skip the sheet."""


def read_workbook(data: bytes, *, name: str, sheet: str = "") -> Grids:
    """Read the cells of all visible sheets, or of the one called *sheet*, as a person would see them.

    Raises CatalogError: ``corrupt_file``, ``table_not_found``, and what :func:`has_formulas` refuses.
    """
    with_formulas = has_formulas(data, name)
    book = _load(data, name, data_only=True)
    formulas = _load(data, name, data_only=False) if with_formulas else None
    issues = []
    grids = []
    for worksheet in _wanted(book, sheet, name):
        if worksheet.sheet_state != "visible" and not sheet:
            issues.append(issue("hidden_sheet_skipped", worksheet.title, sheet=worksheet.title))
        else:
            grids.append(_grid(worksheet, _formulas(formulas, worksheet.title)))
            if getattr(worksheet, "_images", None):  # openpyxl has no public list of pictures
                issues.append(issue("floating_pictures_not_read", worksheet.title))
    return Grids(tuple(grids), tuple(issues))


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


def _wanted(book: Workbook, sheet: str, name: str) -> list[Worksheet]:
    titles = [worksheet.title for worksheet in book.worksheets]
    if sheet and sheet not in titles:
        raise CatalogError(
            f"{name} has no sheet {sheet!r}; use one of {', '.join(titles)}",
            zh=f"{name} 中没有工作表“{sheet}”；可用的工作表：{'、'.join(titles)}",
            code="table_not_found",
        )
    return [worksheet for worksheet in book.worksheets if not sheet or worksheet.title == sheet]


def _cells(worksheet: Worksheet) -> Mapping[tuple[int, int], SheetCell | MergedCell]:
    """Give the cells that exist; walking rows and columns would visit 17 billion for one cell in XFD1048576."""
    cells: Mapping[tuple[int, int], SheetCell | MergedCell] = worksheet._cells  # noqa: SLF001  # openpyxl has no public sparse view
    return cells


def _formulas(book: Workbook | None, title: str) -> dict[tuple[int, int], str]:
    """Give the text of each formula by (row, column)."""
    if book is None:
        return {}
    return {
        place: getattr(cell.value, "text", None) or str(cell.value)
        for place, cell in _cells(book[title]).items()
        if cell.data_type == "f"
    }


def _grid(worksheet: Worksheet, formulas: Mapping[tuple[int, int], str]) -> Grid:
    title = worksheet.title
    rows: dict[int, dict[int, Cell]] = {}
    for (row, column), sheet_cell in _cells(worksheet).items():
        text, nature = _content(sheet_cell, formulas.get((row, column)))
        if text.strip() or nature != "text":
            where = f"{title}!{column_letter(column - 1)}{row}"
            rows.setdefault(row, {})[column - 1] = Cell(text, where, nature)
    _fill_merged(worksheet, rows)
    dimensions = worksheet.row_dimensions
    return Grid(
        title,
        [
            spreadsheet_row(
                title, number, cells, is_hidden=number in dimensions and bool(dimensions[number].hidden)
            )
            for number, cells in sorted(rows.items())
        ],
    )


def _fill_merged(worksheet: Worksheet, rows: dict[int, dict[int, Cell]]) -> None:
    """Repeat a merged cell's value down its own range, never sideways: a name is no color.

    Only rows that hold something of their own are filled, so a merged area below the table adds no rows.
    """
    last = max(rows, default=0)
    for merged in worksheet.merged_cells.ranges:
        column = merged.min_col - 1
        top = rows.get(merged.min_row, {}).get(column)
        if top is None:
            continue
        for number in range(merged.min_row + 1, min(merged.max_row, last) + 1):
            if number in rows:
                where = f"{worksheet.title}!{column_letter(column)}{number}"
                rows[number].setdefault(column, Cell(top.text, where, top.nature))


def _content(cell: SheetCell | MergedCell, formula: str | None) -> tuple[str, Nature]:
    value = cell.value
    if formula is not None and _PICTURE_FORMULA.search(formula):
        return "", "picture"
    if value is None:
        is_empty_result = cell.data_type == "str"  # a formula such as =IF(A1="","",A1) that gave ""
        return "", "text" if formula is None or is_empty_result else "uncalculated"
    if isinstance(value, bool):
        return str(value).upper(), "text"
    if isinstance(value, int | float):
        text = number_text(value, str(cell.number_format))
        return text, "number" if text[:1].isdigit() or text.startswith("-") else "text"
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return moment_text(value), "date"
    text = str(value).replace("_x000D_", "")  # how some writers spell a carriage return
    return ("", "picture") if _CACHED_PICTURE.match(text) else (text, "text")


def number_text(value: float, number_format: str = "General") -> str:
    """Write a number as its cell shows it: no binary noise, no trailing .0, and a format 000000 pads with zeros."""
    percent = number_format.endswith("%")
    plain = format(Decimal(f"{value * 100 if percent else value:.15g}"), "f")
    if isinstance(value, int) and not percent:
        plain = str(value)
    zeros = _ZEROS.fullmatch(number_format.split(";", maxsplit=1)[0])
    if zeros and plain.isdigit():
        return (zeros[1] or "") + plain.zfill(len(zeros[2]))
    return plain + ("%" if percent else "")


def moment_text(value: dt.datetime | dt.date | dt.time) -> str:
    """Write a date as YYYY-MM-DD, with its time only where it has one."""
    if isinstance(value, dt.datetime):
        is_day = value.time() == dt.time() and value.tzinfo is None
        return value.date().isoformat() if is_day else value.isoformat(sep=" ")
    return value.isoformat()
