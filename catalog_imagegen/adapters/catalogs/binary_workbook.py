"""Read the sheets of a binary workbook (.xlsb), of which only the cells that exist cost anything."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from xlrd.biffh import error_text_from_code

from catalog_imagegen.adapters.catalogs.biff12 import Styles, records, text_at
from catalog_imagegen.adapters.catalogs.files import refuse_corrupt
from catalog_imagegen.adapters.catalogs.layout import Area
from catalog_imagegen.adapters.catalogs.opc import Package, SheetPart
from catalog_imagegen.adapters.catalogs.pictures.found import UNREADABLE
from catalog_imagegen.adapters.catalogs.sheets import Sheet, grids_of, shown_text, wanted_titles

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.grid import Grids
    from catalog_imagegen.adapters.catalogs.layout import Place
    from catalog_imagegen.adapters.catalogs.sheets import Content

_WORKBOOK = "xl/workbook.bin"
_ROW, _MERGED = 0, 176
_TEXT_ITEM, _PROPERTIES, _TAB = 19, 153, 156
_FROM_1904 = 1
_HIDDEN = 0x10
_STYLE = 0xFF_FFFF
_VALUE = 8
"""Where the value of a cell begins, behind its column and style."""


def read_binary_workbook(data: bytes, *, name: str, sheet: str = "") -> Grids:
    """Read the cells of all visible sheets, or of the one called *sheet*, as a person would see them.

    Raises CatalogError: ``corrupt_file``, ``table_not_found``.
    """
    try:
        book = _Book(Package(data))
        titles = wanted_titles([part.title for part in book.parts], sheet, name)
        sheets = [book.sheet(part, sheet) for part in book.parts if part.title in titles]
    except UNREADABLE as error:
        raise refuse_corrupt(name, type(error).__name__, "工作簿内容有误") from error
    if not sheets:
        raise refuse_corrupt(name, "it has no sheets", "没有工作表")
    return grids_of(sheets, wanted=sheet)


class _Book:
    """What the sheets of a workbook share."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._part = package.workbook if package.workbook.endswith(".bin") else _WORKBOOK
        self._data = package.read(self._part)
        self._cells: Mapping[int, Callable[[bytes, int], Content]] = {
            2: self._short_number, 3: _error, 4: _truth, 5: self._real, 6: _text, 7: self._shared_text,
            8: _text, 9: self._real, 10: _truth, 11: _error, 62: _rich_text,
        }  # fmt: skip
        """Kind of record → what the cell shows; from 8 to 11 formulas gave it."""

    @cached_property
    def parts(self) -> list[SheetPart]:
        """The worksheets in the order of their tabs; charts and macro sheets are none."""
        targets = self._package.relations(self._part)
        found = []
        for kind, place in records(self._data):
            if kind != _TAB:
                continue
            state, _ = struct.unpack_from("<II", self._data, place)
            key, end = text_at(self._data, place + 8)
            relation = targets.get(key)
            if relation is not None and relation.kind == "worksheet":
                found.append(SheetPart(text_at(self._data, end)[0], relation.target, bool(state)))
        return found

    def sheet(self, part: SheetPart, wanted: str) -> Sheet:
        """A sheet, with its cells if it is visible or wanted."""
        if part.is_hidden and not wanted:
            return Sheet(part.title, {}, is_hidden=True)
        cells: dict[Place, Content] = {}
        merged, hidden = [], set()
        row = 0
        data = self._package.read(part.part)
        for kind, place in records(data):
            if kind == _ROW:
                row = struct.unpack_from("<I", data, place)[0] + 1
                if data[place + 11] & _HIDDEN:
                    hidden.add(row)
            elif kind == _MERGED:
                top, bottom, left, right = struct.unpack_from("<IIII", data, place)
                merged.append(Area(top + 1, left, bottom + 1, right))
            elif kind in self._cells:
                column = struct.unpack_from("<I", data, place)[0]
                cells[row, column] = self._cells[kind](data, place)
        return Sheet(part.title, cells, merged=merged, hidden_rows=hidden, is_hidden=part.is_hidden)

    def _shared_text(self, data: bytes, place: int) -> Content:
        return shown_text(self._texts[struct.unpack_from("<I", data, place + _VALUE)[0]])

    def _real(self, data: bytes, place: int) -> Content:
        style, value = struct.unpack_from("<Id", data, place + 4)
        return self._styles.shown(value, style & _STYLE)

    def _short_number(self, data: bytes, place: int) -> Content:
        style, packed = struct.unpack_from("<II", data, place + 4)
        return self._styles.shown(_number(packed), style & _STYLE)

    @cached_property
    def _texts(self) -> list[str]:
        part = self._package.related(self._part, "sharedStrings")
        data = self._package.read(part) if part is not None else b""
        return [text_at(data, place + 1)[0] for kind, place in records(data) if kind == _TEXT_ITEM]

    @cached_property
    def _styles(self) -> Styles:
        part = self._package.related(self._part, "styles")
        flags = (self._data[place] for kind, place in records(self._data) if kind == _PROPERTIES)
        return Styles(
            self._package.read(part) if part is not None else b"",
            counts_from_1904=bool(next(flags, 0) & _FROM_1904),
        )


def _text(data: bytes, place: int) -> Content:
    return shown_text(text_at(data, place + _VALUE)[0])


def _rich_text(data: bytes, place: int) -> Content:
    return shown_text(text_at(data, place + _VALUE + 1)[0])


def _truth(data: bytes, place: int) -> Content:
    return str(bool(data[place + _VALUE])).upper(), "text"


def _error(data: bytes, place: int) -> Content:
    return error_text_from_code.get(data[place + _VALUE], "#N/A"), "text"


def _number(packed: int) -> float:
    """A number of which only 30 bits are kept: the highest of a float or all of a whole one, perhaps its hundredfold."""
    if packed & 2:
        value = float((packed >> 2) - (1 << 30 if packed & 0x8000_0000 else 0))
    else:
        (value,) = struct.unpack("<d", struct.pack("<II", 0, packed & 0xFFFF_FFFC))
    return value / 100 if packed & 1 else value
