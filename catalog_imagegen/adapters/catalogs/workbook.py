"""Read the visible sheets of an .xlsx or .xlsm workbook."""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from python_calamine import CalamineError, CalamineWorkbook

from catalog_imagegen.adapters.catalogs.archive import BROKEN_ZIP
from catalog_imagegen.adapters.catalogs.embedded import PictureShelf, PlacedPictures
from catalog_imagegen.adapters.catalogs.files import refuse_corrupt
from catalog_imagegen.adapters.catalogs.grid import BLOCK_ROWS, Block, Grid, Grids, SheetNaming
from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.adapters.catalogs.layout import Layout, place_of, read_layout
from catalog_imagegen.adapters.catalogs.number_formats import styles_that_change_numbers
from catalog_imagegen.adapters.catalogs.opc import Package, SheetPart
from catalog_imagegen.adapters.catalogs.pictures import CellPictures
from catalog_imagegen.adapters.catalogs.plain_copy import has_high_escapes, is_plain, plain_copy
from catalog_imagegen.adapters.catalogs.sheets import (
    is_picture_text,
    moment_text,
    number_text,
    pictures_of,
    wanted_titles,
)
from catalog_imagegen.adapters.catalogs.special_cells import marked_content

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

    from catalog_imagegen.adapters.catalogs.layout import Area, Place
    from catalog_imagegen.adapters.catalogs.sheets import Content
    from catalog_imagegen.domain.catalog import CatalogPicture, Issue

_MOST_CELLS = 40_000_000
"""A table with room for more is read cell by cell instead: mostly it is empty, but for one cell far away."""
_UNREADABLE = (CalamineError, ParseError, OverflowError, *BROKEN_ZIP)


def read_workbook(data: bytes, *, name: str, sheet: str = "", shelf: PictureShelf) -> Grids:
    """Read the cells of all visible sheets, or of the one called *sheet*, as a person would see them.

    Raises CatalogError: ``corrupt_file``, ``table_not_found``.
    """
    try:
        book = _Book(Package(data), data, shelf)
        titles = wanted_titles([part.title for part in book.package.sheets], sheet, name)
    except _UNREADABLE as error:
        raise _damaged(name, error) from error
    if not book.package.sheets:
        raise refuse_corrupt(name, "it has no sheets", "没有工作表")
    known = set(titles)
    parts = [part for part in book.package.sheets if part.title in known]
    if any(book.room(part) > _MOST_CELLS for part in parts if sheet or not part.is_hidden):
        from catalog_imagegen.adapters.catalogs.sparse_workbook import read_sparse_workbook  # noqa: PLC0415  # slow

        return read_sparse_workbook(book.package, parts, name=name, sheet=sheet, shelf=shelf)
    issues: list[Issue] = []
    return Grids(_grids(book, parts, name, issues, is_wanted=bool(sheet)), issues)


def _grids(
    book: _Book, parts: Sequence[SheetPart], name: str, issues: list[Issue], *, is_wanted: bool
) -> Iterator[Grid]:
    for part in parts:
        naming = SheetNaming(part.title)
        if part.is_hidden and not is_wanted:
            issues.append(issue("hidden_sheet_skipped", naming.sheet, sheet=part.title))
            continue
        try:
            reader = book.sheet(part)
        except _UNREADABLE as error:
            raise _damaged(name, error) from error
        yield Grid(naming, naming.sheet, _blocks(reader, name))
        issues += [*reader.pictures.issues, *reader.pictures.left_over()]


def _blocks(reader: _SheetReader, name: str) -> Iterator[Block]:
    """The rows of a sheet. Raises CatalogError where calamine finds a value only now that it cannot give."""
    try:
        yield from reader.blocks()
    except (CalamineError, OverflowError, ValueError) as error:
        raise _damaged(name, error) from error


def _damaged(name: str, error: Exception) -> Exception:
    return refuse_corrupt(name, type(error).__name__, "工作簿内容有误")


@dataclass(frozen=True, slots=True)
class _SharedTexts:
    """What stands in the part with the texts of all cells."""

    have_high_escapes: bool
    have_pictures: bool
    """Some look like the formula by which WPS shows a picture."""


@dataclass(frozen=True)
class _Book:
    """A workbook, as calamine and as its parts."""

    package: Package
    data: bytes
    shelf: PictureShelf

    @cached_property
    def _values(self) -> CalamineWorkbook:
        return CalamineWorkbook.from_filelike(BytesIO(self.data))

    @cached_property
    def formats(self) -> Mapping[int, str]:
        """Style → its number format, of those in which a number looks different."""
        return styles_that_change_numbers(self.package)

    @cached_property
    def _shared_texts(self) -> _SharedTexts:
        """What must be known of the texts of all cells, which are not kept."""
        xml = self.package.shared_strings()
        return _SharedTexts(has_high_escapes(xml), b"DISPIMG(" in xml)

    def room(self, part: SheetPart) -> int:
        """How many cells the sheet says to have room for."""
        told = re.search(rb'<(?:\w+:)?dimension [^>]*\bref="([^"]+)"', self.package.beginning(part.part))
        last = place_of(told[1].decode(errors="replace").rpartition(":")[2]) if told else None
        return last[0] * (last[1] + 1) if last else 0

    def sheet(self, part: SheetPart) -> _SheetReader:
        """Both readings of one sheet, at the same time: calamine leaves the other processor to us."""
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(self._beyond_values, part)
            is_alike = is_plain(self.package, part) and not self._shared_texts.have_high_escapes
            values = self._values.get_sheet_by_name(part.title) if is_alike else self._values_of_copy(part)
            found, has_escapes = reading.result()
        if has_escapes and is_alike:
            values = self._values_of_copy(part)
        return _SheetReader(
            values, found, self.formats, self._pictures(part, found, values), self._shared_texts.have_pictures
        )

    def _beyond_values(self, part: SheetPart) -> tuple[Layout, bool]:
        """The layout of a sheet, and whether it spells characters as calamine does not know them."""
        xml = self.package.read(part.part)
        return read_layout(xml, self.formats.keys()), has_high_escapes(xml)

    def _values_of_copy(self, part: SheetPart) -> CalamineSheet:
        copy = CalamineWorkbook.from_filelike(BytesIO(plain_copy(self.package, [part])))
        return copy.get_sheet_by_name(part.title)

    def _pictures(self, part: SheetPart, layout: Layout, values: CalamineSheet) -> PlacedPictures:
        found = self.cell_pictures.of_sheet(part, layout)
        asked = {picture.cell for picture in found.pictures if picture.cell is not None}
        texts = dict(_texts_at(values, asked)) if asked else {}
        return PlacedPictures(found, title=part.title, merged=layout.merged, shelf=self.shelf, values=texts)

    @cached_property
    def cell_pictures(self) -> CellPictures:
        """What its sheets share of pictures."""
        return CellPictures(self.package)


@dataclass
class _SheetReader:
    """Puts together what calamine and the layout say."""

    values: CalamineSheet
    layout: Layout
    formats: Mapping[int, str]
    pictures: PlacedPictures
    has_picture_texts: bool
    """Whether a cell's text may be the formula by which WPS shows a picture."""
    _merged: dict[int, tuple[Any, int]] = field(default_factory=dict)
    """Column → the value that is repeated there, and down to which row."""

    def blocks(self) -> Iterator[Block]:
        """Its rows."""
        if self.values.start is None:
            return
        first_column = self.values.start[1]
        rows = iter(self.values.iter_rows())
        number = 1
        while chunk := list(islice(rows, BLOCK_ROWS)):
            labels = range(number, number + len(chunk))
            number += len(chunk)
            if not self._marked(labels) and all(row.count("") == len(row) for row in chunk):
                continue  # one cell far below makes a million of these
            if self.layout.merged:
                self._fill_merged(chunk, labels, first_column)
            columns: dict[int, Sequence[Any]] = dict(enumerate(zip(*chunk, strict=True), start=first_column))
            yield self._block(labels, columns)

    def _block(self, labels: range, columns: dict[int, Sequence[Any]]) -> Block:
        special: dict[tuple[int, int], Content] = {}
        for column, values in columns.items():
            types = set(map(type, values))
            if types == {str}:
                columns[column] = _each_once(values)
            elif types - {str, float, int, bool}:
                columns[column] = _without_moments(values, column, special)
            if self.has_picture_texts:
                _note_pictures(values, column, special)
        for row, column in self._marked(labels):
            stored = columns.get(column)
            content = self._content((row, column), stored[row - labels.start] if stored else None)
            if content is not None:
                special[row - labels.start, column] = content
        hidden = {place for place, row in enumerate(labels) if row in self.layout.hidden_rows}
        pictures = pictures_of(self.pictures, labels, special)
        return Block(list(labels), columns, special, hidden, _telling(pictures, columns))

    @cached_property
    def _special(self) -> list[Place]:
        """The cells of which the layout says anything, in the order of rows."""
        return sorted(self.layout.marks.keys() | self.layout.styled.keys())

    def _marked(self, labels: range) -> list[Place]:
        first, last = (bisect_left(self._special, (row, 0)) for row in (labels.start, labels.stop))
        return self._special[first:last]

    def _content(self, place: tuple[int, int], value: Any) -> Content | None:
        """What a special cell shows, where its value does not tell."""
        mark = self.layout.marks.get(place)
        if mark is not None:
            content = marked_content(mark, value, is_explained=self.pictures.explains(place))
            if content is not None:
                return content
        style = self.layout.styled.get(place)
        if style is None or not isinstance(value, int | float) or isinstance(value, bool):
            return None
        text = number_text(value, self.formats[style])
        return text, "number" if text[:1].isdigit() or text.startswith("-") else "text"

    def _fill_merged(self, chunk: list[list[Any]], labels: range, first_column: int) -> None:
        """Repeat a merged cell's value down its own range, in rows that hold something of their own."""
        for number, row in zip(labels, chunk, strict=True):
            is_blank = not self._merged or not any(cell != "" for cell in row)
            for column, (value, bottom) in list(self._merged.items()):
                if number > bottom:
                    del self._merged[column]
                elif row[column] == "" and not is_blank:
                    row[column] = value
            for area in self._tall.get(number, ()):
                column = area.left - first_column
                if 0 <= column < len(row) and row[column] != "":
                    self._merged[column] = row[column], area.bottom

    @cached_property
    def _tall(self) -> Mapping[int, Sequence[Area]]:
        """Row → the merged areas that reach down from it."""
        found: dict[int, list[Area]] = {}
        for area in self.layout.merged:
            if area.bottom > area.top:
                found.setdefault(area.top, []).append(area)
        return found


def _telling(
    pictures: Mapping[tuple[int, int], tuple[CatalogPicture, ...]], columns: Mapping[int, Sequence[Any]]
) -> Mapping[tuple[int, int], tuple[CatalogPicture, ...]]:
    """The pictures without the links that Excel lays behind a text which is that address already."""
    return {
        (place, column): found
        for (place, column), found in pictures.items()
        if column not in columns
        or any(each.kind != "url" or each.reference != columns[column][place] for each in found)
    }


def _texts_at(values: CalamineSheet, places: Collection[Place]) -> Iterator[tuple[Place, str]]:
    """What stands in some cells of a sheet."""
    first_column = values.start[1] if values.start else 0
    wanted: dict[int, list[int]] = {}
    for row, column in places:
        wanted.setdefault(row, []).append(column)
    for number, cells in enumerate(values.iter_rows() if values.start else (), 1):
        for column in wanted.get(number, ()):
            if 0 <= column - first_column < len(cells):
                yield (number, column), str(cells[column - first_column])


def _each_once(texts: Sequence[str]) -> Sequence[str]:
    """The same texts, equal ones being one object: calamine makes each anew, and words come again and again."""
    known: dict[str, str] = {}
    return list(map(known.setdefault, texts, texts))


def _without_moments(
    values: Sequence[Any], column: int, special: dict[tuple[int, int], Content]
) -> list[Any]:
    """The values with nothing in place of dates and times, which are *special*."""
    plain = list(values)
    for place, value in enumerate(values):
        if isinstance(value, dt.datetime | dt.date | dt.time):
            special[place, column] = moment_text(value), "date"
            plain[place] = None
        elif isinstance(value, dt.timedelta):
            plain[place] = str(value)
    return plain


def _note_pictures(values: Sequence[Any], column: int, special: dict[tuple[int, int], Content]) -> None:
    for place, value in enumerate(values):
        if isinstance(value, str) and is_picture_text(value):
            special[place, column] = "", "picture"
