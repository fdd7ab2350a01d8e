"""What a sheet holds, whichever workbook format it comes from, and the grid that is made of it."""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.grid import BLOCK_ROWS, Block, Grid, Grids, SheetNaming, plain_number
from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.embedded import PlacedPictures
    from catalog_imagegen.adapters.catalogs.grid import Nature, Value
    from catalog_imagegen.adapters.catalogs.layout import Area
    from catalog_imagegen.domain.catalog import CatalogPicture, Issue

_ZEROS = re.compile(r'(?:"([^"]*)")?(0+)')
_CACHED_PICTURE = re.compile(r"=(?:_xlfn\.)?DISPIMG\(", re.IGNORECASE)

Content = tuple[str, "Nature"]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One worksheet as its file has it."""

    title: str
    cells: Mapping[tuple[int, int], Content]
    """(row from 1, column from 0) → what it shows, as far as it shows anything."""
    merged: Sequence[Area] = ()
    hidden_rows: Collection[int] = frozenset()
    is_hidden: bool = False
    pictures: PlacedPictures | None = None


def grids_of(sheets: Iterable[Sheet], *, wanted: str = "") -> Grids:
    """The grids of visible sheets, or of the one that was *wanted* by name."""
    issues: list[Issue] = []

    def visible() -> Iterator[Grid]:
        for sheet in sheets:
            naming = SheetNaming(sheet.title)
            if sheet.is_hidden and not wanted:
                issues.append(issue("hidden_sheet_skipped", naming.sheet, sheet=sheet.title))
            else:
                yield Grid(naming, naming.sheet, _blocks(sheet))
                if sheet.pictures is not None:
                    issues.extend((*sheet.pictures.issues, *sheet.pictures.left_over()))

    return Grids(visible(), issues)


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


def _blocks(sheet: Sheet) -> Iterator[Block]:
    rows: dict[int, dict[int, Content]] = {}
    for (row, column), (text, nature) in sheet.cells.items():
        if text.strip() or nature != "text":
            rows.setdefault(row, {})[column] = text, nature
    _fill_merged(sheet, rows)
    numbers = iter(sorted(rows))
    while labels := list(islice(numbers, BLOCK_ROWS)):
        yield _block(labels, rows, sheet)


def _block(labels: list[int], rows: dict[int, dict[int, Content]], sheet: Sheet) -> Block:
    columns: dict[int, list[Value]] = {}
    special: dict[tuple[int, int], Content] = {}
    for place, label in enumerate(labels):
        for column, content in rows[label].items():
            value = _plain(*content)
            if value is None:
                special[place, column] = content
                continue
            if column not in columns:
                columns[column] = [None] * len(labels)
            columns[column][place] = value
    hidden = {place for place, label in enumerate(labels) if label in sheet.hidden_rows}
    return Block(labels, columns, special, hidden, pictures_of(sheet.pictures, labels, special))


def pictures_of(
    placed: PlacedPictures | None, labels: Sequence[int], special: dict[tuple[int, int], Content]
) -> Mapping[tuple[int, int], tuple[CatalogPicture, ...]]:
    """The pictures of some rows; cells of which it is known what they show, or why not, need no words any more."""
    if placed is None:
        return {}
    for (place, column), (_, nature) in special.items():
        if nature == "picture" and placed.explains((labels[place], column)):
            special[place, column] = "", "text"
    taken = ((place, placed.take(label)) for place, label in enumerate(labels)) if placed.has_more else ()
    return {(place, column): found for place, columns in taken for column, found in columns.items()}


def _plain(text: str, nature: Nature) -> Value:
    """The value that is shown so, or None."""
    if nature == "text":
        return text
    if nature == "number" and not text.endswith("%"):
        value = float(text)
        return value if plain_number(value) == text else None
    return None


def _fill_merged(sheet: Sheet, rows: dict[int, dict[int, Content]]) -> None:
    """Repeat a merged cell's value down its own range, never sideways: a name is no color.

    Only rows that hold something of their own are filled, so a merged area below the table adds no rows.
    """
    numbers = sorted(rows)
    reached: dict[int, int] = {}
    for area in sorted(sheet.merged, key=lambda each: (each.left, each.top)):
        top = rows.get(area.top, {}).get(area.left)
        if top is None:
            continue
        first = max(area.top, reached.get(area.left, 0))  # in damaged files they lie upon each other
        reached[area.left] = max(first, area.bottom)
        for number in numbers[bisect_right(numbers, first) : bisect_right(numbers, area.bottom)]:
            rows[number].setdefault(area.left, top)


def is_picture_text(value: str) -> bool:
    """Whether a text is the formula by which WPS shows a picture."""
    return _CACHED_PICTURE.match(value) is not None


def shown_text(value: str) -> Content:
    """A text as its cell shows it; a formula that WPS keeps as one is a picture."""
    text = value.replace("_x000D_", "")  # how some writers spell a carriage return
    return ("", "picture") if is_picture_text(text) else (text, "text")


def shown_number(value: float, number_format: str = "General") -> Content:
    """A number as its cell shows it. With letters from its format it is no number any more."""
    text = number_text(value, number_format)
    return text, "number" if text[:1].isdigit() or text.startswith("-") else "text"


def shown(value: object, number_format: str = "General") -> Content:
    """A value as a reader of workbooks gives it, as its cell shows it."""
    if isinstance(value, bool):
        return str(value).upper(), "text"
    if isinstance(value, int | float):
        return shown_number(value, number_format)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return moment_text(value), "date"
    return shown_text(str(value))


def changes_numbers(number_format: str) -> bool:
    """Whether a number format shows other digits than the number's own."""
    return (
        number_format.endswith("%") or _ZEROS.fullmatch(number_format.split(";", maxsplit=1)[0]) is not None
    )


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
