"""Read the sheets of an OpenDocument workbook (.ods), in which a single element may stand for a million cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from xml.parsers.expat import ParserCreate

from catalog_imagegen.adapters.catalogs.embedded import with_pictures
from catalog_imagegen.adapters.catalogs.files import refuse_corrupt, refuse_password
from catalog_imagegen.adapters.catalogs.layout import Area
from catalog_imagegen.adapters.catalogs.opc import Package
from catalog_imagegen.adapters.catalogs.open_document_cells import OFFICE, TABLE, TEXT, Paragraphs, content
from catalog_imagegen.adapters.catalogs.pictures import pictures_in_ods
from catalog_imagegen.adapters.catalogs.pictures.found import UNREADABLE
from catalog_imagegen.adapters.catalogs.sheets import Sheet, grids_of, wanted_titles

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.embedded import PictureShelf
    from catalog_imagegen.adapters.catalogs.grid import Grids
    from catalog_imagegen.adapters.catalogs.layout import Place
    from catalog_imagegen.adapters.catalogs.sheets import Content

_STYLE = "urn:oasis:names:tc:opendocument:xmlns:style:1.0 "
_DRAW = "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0 "
_NOT_IN_TEXTS = (
    f"{OFFICE}annotation", f"{OFFICE}forms", f"{TABLE}shapes", f"{TABLE}detective", f"{TABLE}dde-links",
    f"{TEXT}ruby-text", f"{TEXT}note", f"{_DRAW}frame", f"{_DRAW}g", f"{_DRAW}custom-shape",
)  # fmt: skip
"""Elements whose texts are none of their cell."""
_OF_ANOTHER_FILE = re.compile(r"'.*'#", re.DOTALL)
"""How the copies of other workbooks' sheets are called that LibreOffice keeps for formulas."""
_ROWS_REPEATED, _COLUMNS_REPEATED = f"{TABLE}number-rows-repeated", f"{TABLE}number-columns-repeated"
_ROWS_SPANNED, _COLUMNS_SPANNED = f"{TABLE}number-rows-spanned", f"{TABLE}number-columns-spanned"
_VISIBILITY = f"{TABLE}visibility"
_MOST_CELLS, _MOST_REPEATED = 5_000_000, 100_000
"""Cells, and rows that say the same as the one above: products do not."""
_LAST_ROW, _LAST_COLUMN = 1 << 20, 1 << 14
_DIGITS = re.compile("[0-9]{1,9}")
Attributes = Mapping[str, str]


def read_open_document(data: bytes, *, name: str, sheet: str = "", shelf: PictureShelf) -> Grids:
    """Read the cells of all visible sheets, or of the one called *sheet*, as a person would see them.

    Raises CatalogError: ``corrupt_file``, ``password_protected``, ``table_not_found``. Raises MemoryError where cells are
    said to be repeated more often than any catalog has cells.
    """
    try:
        package = Package(data)
        if "META-INF/manifest.xml" in package and b"encryption-data" in package.read("META-INF/manifest.xml"):
            refuse_password(name)
        sheets = {each.title: each for each in read_sheets(package.read("content.xml"))}
    except UNREADABLE as error:
        raise refuse_corrupt(name, type(error).__name__, "工作簿内容有误") from error
    if not sheets:
        raise refuse_corrupt(name, "it has no sheets", "没有工作表")
    titles = wanted_titles(list(sheets), sheet, name)
    found = pictures_in_ods(data)
    return grids_of((with_pictures(sheets[title], found.get(title), shelf) for title in titles), wanted=sheet)


def read_sheets(xml: bytes) -> list[Sheet]:
    """The sheets in the order of their tabs. Raises ExpatError, ValueError, MemoryError."""
    reader = _Reader()
    parser = ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.Parse(xml, True)  # noqa: FBT003 - all there is
    return reader.sheets


class _Reader:
    """Counts rows and cells; those with nothing in them are never written out."""

    def __init__(self) -> None:
        self.sheets: list[Sheet] = []
        self._hidden_styles: set[str] = set()
        self._style = ""
        self._skipped = 0
        """How deep in something that is not read."""
        self._cells: dict[Place, Content] = {}
        self._merged: list[Area] = []
        self._hidden: set[int] = set()
        self._about: Attributes | None = None
        """The attributes of the sheet that is read."""
        self._row_cells: list[tuple[int, int, Content]] = []
        """Of the row: the first column, how many, and what they show."""
        self._row, self._rows, self._column = 0, 0, 0
        self._is_hidden = False
        self._cell: Attributes | None = None
        self._paragraphs = Paragraphs()
        self._count, self._repeated = 0, 0
        self._starts: Mapping[str, Callable[[Attributes], None]] = {
            f"{_STYLE}style": self._start_style,
            f"{_STYLE}table-properties": self._style_of_sheet,
            f"{TABLE}table": self._start_sheet,
            f"{TABLE}table-row": self._start_row,
            f"{TABLE}table-cell": self._start_cell,
            f"{TABLE}covered-table-cell": self._start_covered,
            **self._paragraphs.starts,
            **dict.fromkeys(_NOT_IN_TEXTS, self._skip),
        }
        self._ends: Mapping[str, Callable[[], None]] = {
            f"{TABLE}table": self._end_sheet,
            f"{TABLE}table-row": self._end_row,
            f"{TABLE}table-cell": self._end_cell,
            **self._paragraphs.ends,
        }
        self.text = self._paragraphs.characters

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        if self._skipped:
            self._skipped += 1
            return
        handler = self._starts.get(name)
        if handler is not None:
            handler(attributes)

    def end(self, name: str) -> None:
        """End an element."""
        if self._skipped:
            self._skipped -= 1
            if not self._skipped:
                self._paragraphs.is_muted = False
            return
        handler = self._ends.get(name)
        if handler is not None:
            handler()

    def _skip(self, _attributes: Attributes) -> None:
        self._skipped = 1
        self._paragraphs.is_muted = True

    def _start_style(self, attributes: Attributes) -> None:
        self._style = attributes.get(f"{_STYLE}name", "")

    def _style_of_sheet(self, attributes: Attributes) -> None:
        if attributes.get(f"{TABLE}display") == "false":
            self._hidden_styles.add(self._style)

    def _start_sheet(self, attributes: Attributes) -> None:
        if self._about is not None or _OF_ANOTHER_FILE.match(attributes.get(f"{TABLE}name", "")):
            self._skip(attributes)  # a table in a cell, or no sheet
            return
        self._about = attributes
        self._cells, self._merged, self._hidden, self._rows = {}, [], set(), 0

    def _end_sheet(self) -> None:
        about = self._about or {}
        is_hidden = (
            about.get(f"{TABLE}display") == "false" or about.get(f"{TABLE}style-name") in self._hidden_styles
        )
        title = about.get(f"{TABLE}name", "")
        self.sheets.append(
            Sheet(title, self._cells, merged=self._merged, hidden_rows=self._hidden, is_hidden=is_hidden)
        )
        self._about = None

    def _start_row(self, attributes: Attributes) -> None:
        self._row = self._rows + 1
        self._rows += _number(attributes, _ROWS_REPEATED, _LAST_ROW)
        self._column = 0
        self._row_cells = []
        self._is_hidden = attributes.get(_VISIBILITY, "visible") != "visible"

    def _end_row(self) -> None:
        if not self._row_cells:
            return
        rows = range(self._row, self._rows + 1)
        self._count += len(rows) * sum(count for _, count, _ in self._row_cells)
        self._repeated += len(rows) - 1
        if self._count > _MOST_CELLS or self._repeated > _MOST_REPEATED:
            raise MemoryError("more cells than a catalog has")
        for row in rows:
            for first, count, shown in self._row_cells:
                for column in range(first, first + count):
                    self._cells[row, column] = shown
        if self._is_hidden:
            self._hidden.update(rows)

    def _start_covered(self, attributes: Attributes) -> None:
        """What another cell lies upon is not seen."""
        self._column += _number(attributes, _COLUMNS_REPEATED, _LAST_COLUMN)
        self._skip(attributes)

    def _start_cell(self, attributes: Attributes) -> None:
        self._cell = attributes
        self._paragraphs.clear()
        rows = _number(attributes, _ROWS_SPANNED, _LAST_ROW)
        if rows > 1:
            columns = _number(attributes, _COLUMNS_SPANNED, _LAST_COLUMN)
            area = Area(self._row, self._column, self._row + rows - 1, self._column + columns - 1)
            self._merged.append(area)

    def _end_cell(self) -> None:
        if self._cell is None:
            return
        count = _number(self._cell, _COLUMNS_REPEATED, _LAST_COLUMN)
        shown = content(self._cell, self._paragraphs.text())
        if shown[0].strip() or shown[1] != "text":
            self._row_cells.append((self._column, count, shown))
        self._column += count
        self._cell = None


def _number(attributes: Attributes, name: str, most: int) -> int:
    told = attributes.get(name)
    if told is None:
        return 1
    return min(max(int(told), 1), most) if _DIGITS.fullmatch(told) else 1
