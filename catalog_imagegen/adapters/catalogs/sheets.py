"""What a sheet holds, whichever workbook format it comes from, and the grid that is made of it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.grid import Cell, Grid, Grids, column_letter, spreadsheet_row
from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from catalog_imagegen.adapters.catalogs.grid import Nature

_ZEROS = re.compile(r'(?:"([^"]*)")?(0+)')
_CACHED_PICTURE = re.compile(r"=(?:_xlfn\.)?DISPIMG\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Area:
    """Merged cells; rows count from 1, columns from 0, both ends belong to it."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One worksheet as its file has it."""

    title: str
    cells: Mapping[tuple[int, int], tuple[str, Nature]]
    """(row from 1, column from 0) → what it shows, as far as it shows anything."""
    merged: Sequence[Area] = ()
    hidden_rows: Collection[int] = frozenset()
    is_hidden: bool = False
    has_floating_pictures: bool = False


def grids_of(sheets: Iterable[Sheet], *, wanted: str = "") -> Grids:
    """The grids of visible sheets, or of the one that was *wanted* by name."""
    grids, issues = [], []
    for sheet in sheets:
        if sheet.is_hidden and not wanted:
            issues.append(issue("hidden_sheet_skipped", sheet.title, sheet=sheet.title))
            continue
        grids.append(_grid(sheet))
        if sheet.has_floating_pictures:
            issues.append(issue("floating_pictures_not_read", sheet.title))
    return Grids(tuple(grids), tuple(issues))


def wanted_titles(titles: Sequence[str], wanted: str, name: str) -> Sequence[str]:
    """The titles of the sheets to be read. Raises CatalogError (``table_not_found``)."""
    if not wanted:
        return titles
    if wanted in titles:
        return [wanted]
    raise CatalogError(
        f"{name} has no sheet {wanted!r}; use one of {', '.join(titles)}",
        zh=f"{name} 中没有工作表“{wanted}”；可用的工作表：{'、'.join(titles)}",
        code="table_not_found",
    )


def _grid(sheet: Sheet) -> Grid:
    rows: dict[int, dict[int, Cell]] = {}
    for (row, column), (text, nature) in sheet.cells.items():
        if text.strip() or nature != "text":
            where = f"{sheet.title}!{column_letter(column)}{row}"
            rows.setdefault(row, {})[column] = Cell(text, where, nature)
    _fill_merged(sheet, rows)
    return Grid(
        sheet.title,
        [
            spreadsheet_row(sheet.title, number, cells, is_hidden=number in sheet.hidden_rows)
            for number, cells in sorted(rows.items())
        ],
    )


def _fill_merged(sheet: Sheet, rows: dict[int, dict[int, Cell]]) -> None:
    """Repeat a merged cell's value down its own range, never sideways: a name is no color.

    Only rows that hold something of their own are filled, so a merged area below the table adds no rows.
    """
    last = max(rows, default=0)
    for area in sheet.merged:
        top = rows.get(area.top, {}).get(area.left)
        if top is None:
            continue
        for number in range(area.top + 1, min(area.bottom, last) + 1):
            if number in rows:
                where = f"{sheet.title}!{column_letter(area.left)}{number}"
                rows[number].setdefault(area.left, Cell(top.text, where, top.nature))


def shown_text(value: str) -> tuple[str, Nature]:
    """A text as its cell shows it; a formula that WPS keeps as one is a picture."""
    text = value.replace("_x000D_", "")  # how some writers spell a carriage return
    return ("", "picture") if _CACHED_PICTURE.match(text) else (text, "text")


def shown_number(value: float, number_format: str = "General") -> tuple[str, Nature]:
    """A number as its cell shows it. With letters from its format it is no number any more."""
    text = number_text(value, number_format)
    return text, "number" if text[:1].isdigit() or text.startswith("-") else "text"


def shown(value: object, number_format: str = "General") -> tuple[str, Nature]:
    """A value as a reader of workbooks gives it, as its cell shows it."""
    if isinstance(value, bool):
        return str(value).upper(), "text"
    if isinstance(value, int | float):
        return shown_number(value, number_format)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return moment_text(value), "date"
    return shown_text(str(value))


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
