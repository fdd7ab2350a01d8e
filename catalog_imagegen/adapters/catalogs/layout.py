"""What a worksheet says beyond the values of its cells."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

_LONGEST_FORMULA = 8192
"""Of Excel."""
_LONGEST_OPENING = 200
"""What may follow the style in the opening tag of a cell."""

Place = tuple[int, int]
"""Row, from 1, and column, from 0."""


@dataclass(frozen=True, slots=True)
class Area:
    """Merged cells; rows count from 1, columns from 0, both ends belong to it."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A cell about which its value does not say all."""

    formula: str = ""
    """Without the equals sign, as the file has it."""
    value: str = ""
    """The stored text, for an error its name; empty for a formula that was never calculated."""
    is_error: bool = False
    rich_value: int = 0
    """Which of the workbook's rich values it shows, counted from 1; 0 for none."""
    is_calculated: bool = True
    """A formula may well have given an empty text."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of a worksheet lie and which of its cells are special."""

    marks: Mapping[Place, Mark]
    merged: Sequence[Area] = ()
    hidden_rows: Collection[int] = frozenset()
    heights: Mapping[int, float] = field(default_factory=dict)
    """Row → its height in points, where it has one of its own."""
    default_height: float = 15.0
    styled: Mapping[Place, int] = field(default_factory=dict)
    """Cell → the index of its style, where that is one of those asked for."""


def read_layout(xml: bytes, styles: Collection[int] = ()) -> Layout:
    """Find what is special in a worksheet's XML, and the cells in one of these *styles*.

    It is searched, not parsed: a sheet of 100,000 rows has 70 MB, in which there is mostly nothing to be found.
    """
    sheet = _Xml(xml)
    tail = xml[xml.rfind(sheet.tag(b"</%ssheetData")) :]
    heights, hidden = _rows(sheet)
    default = re.search(rb'\bdefaultRowHeight="([\d.]+)"', xml[:20_000])
    return Layout(
        marks=_marks(sheet),
        merged=[
            _area(found[1].decode()) for found in sheet.find(rb'<%smergeCell [^<>]*?\bref="([^"]+)"', tail)
        ],
        hidden_rows=hidden,
        heights=heights,
        default_height=float(default[1]) if default else 15.0,
        styled=_styled(sheet, styles) if styles else {},
    )


@dataclass(frozen=True)
class _Xml:
    """A sheet, whose elements may all have a prefix."""

    data: bytes

    def tag(self, pattern: bytes) -> bytes:
        """The *pattern* with the prefix in place of each ``%s``."""
        return pattern.replace(b"%s", self._prefix)

    @property
    def _prefix(self) -> bytes:
        root = re.search(rb"<(\w+:)?worksheet\b", self.data[:4096])
        return root[1] or b"" if root else b""

    def find(self, pattern: bytes, within: bytes | None = None) -> Iterator[re.Match[bytes]]:
        """All matches of a pattern in which ``%s`` stands for the prefix."""
        return re.finditer(self.tag(pattern), self.data if within is None else within)

    def cells_with(self, pattern: bytes) -> Iterator[bytes]:
        """The cells in which *pattern* is found, each whole and once.

        No byte is passed twice, or a file whose cells are never closed would be read for hours.
        """
        opening, end = self.tag(b"<%sc "), 0
        for found in self.find(pattern):
            if found.start() < end:
                continue
            start = self.data.rfind(opening, end, found.start() + 1)  # a pattern may begin with the blank
            if start >= 0:
                end = self._end_of_cell(start)
            if start < 0 or end <= found.start():  # it stands in no cell
                end = found.end()
                continue
            yield self.data[start:end]

    def _end_of_cell(self, start: int) -> int:
        """Where the cell that begins at *start* ends, which need not be closed."""
        opening_ends = self.data.find(b">", start)
        if opening_ends >= 0 and self.data[opening_ends - 1 : opening_ends] == b"/":
            return opening_ends + 1
        end = self.data.find(self.tag(b"</%sc>"), start)
        return end if end >= 0 else len(self.data)

    def first_in(self, cell: bytes, name: bytes) -> tuple[bytes, bytes] | None:
        """The attributes and the content of the first element of a cell that has a *name* like this."""
        opening = re.search(self.tag(rb"<%s(%b)\b([^<>]*)>".replace(b"%b", name)), cell)
        if opening is None:
            return None
        if opening[2].endswith(b"/"):
            return opening[2][:-1], b""
        end = cell.find(self.tag(b"</%s%b>".replace(b"%b", opening[1])), opening.end())
        return (opening[2], cell[opening.end() : end]) if end >= 0 else None


@dataclass(frozen=True)
class _SharedFormula:
    """A formula that stands in the first of its cells, and moves with the others."""

    text: str
    origin: str

    def at(self, reference: str) -> str:
        """As another of its cells would have it; only names of pictures are worth the time."""
        if "IMAGE(" not in self.text.upper():
            return self.text
        try:
            return str(self._translator.translate_formula(reference)).removeprefix("=")
        except Exception:  # noqa: BLE001 - openpyxl has four kinds of its own for formulas and places that are none
            return "IMAGE()"  # which has to be calculated first

    @cached_property
    def _translator(self) -> Any:
        from openpyxl.formula.translate import Translator  # noqa: PLC0415  # slow to import, seldom needed

        if len(self.text) > _LONGEST_FORMULA:
            raise ValueError("no program writes such a formula")
        return Translator(f"={self.text}", origin=self.origin)


def _marks(sheet: _Xml) -> dict[Place, Mark]:
    cells: dict[Place, bytes] = {}
    for pattern in (rb"<%sf[ />]", rb"""[ ]t=["']e["']""", rb"""[ ]vm=["']""", rb"DISPIMG\("):
        for cell in sheet.cells_with(pattern):
            if (place := _place(cell)) is not None:
                cells[place] = cell
    shared: dict[bytes, _SharedFormula] = {}
    return {place: _mark(sheet, cell, shared) for place, cell in sorted(cells.items())}


def _mark(sheet: _Xml, cell: bytes, shared: dict[bytes, _SharedFormula]) -> Mark:
    opening = cell[: cell.find(b">") + 1]
    formula, value = sheet.first_in(cell, b"f"), sheet.first_in(cell, b"v|t")
    rich = _attribute(opening, b"vm")
    return Mark(
        formula=_formula(*formula, _attribute(opening, b"r").decode(), shared) if formula else "",
        value=_text(value[1]) if value else "",
        is_error=_attribute(opening, b"t") == b"e",
        rich_value=int(rich) if rich.isdigit() else 0,
        is_calculated=value is not None and (bool(value[1]) or _attribute(opening, b"t") == b"str"),
    )


def _formula(attributes: bytes, content: bytes, reference: str, shared: dict[bytes, _SharedFormula]) -> str:
    """The text of a formula; one that is shared stands in the first of its cells."""
    text = _text(content)
    group = _attribute(attributes, b"si")
    if group and text:
        shared[group] = _SharedFormula(text, reference)
    return shared[group].at(reference) if not text and group in shared else text


def _rows(sheet: _Xml) -> tuple[dict[int, float], set[int]]:
    """Heights and hidden rows."""
    heights: dict[int, float] = {}
    hidden: set[int] = set()
    if b" ht=" not in sheet.data and b"hidden=" not in sheet.data:
        return heights, hidden
    number = 0
    for found in sheet.find(rb"<%srow\b([^<>]*)>"):
        told = _attribute(found[1], b"r")
        number = int(told) if told.isdigit() else number + 1
        if _attribute(found[1], b"hidden") in (b"1", b"true"):
            hidden.add(number)
        if height := re.fullmatch(rb"\d+(?:\.\d+)?", _attribute(found[1], b"ht")):
            heights[number] = float(height[0])
    return heights, hidden


def _styled(sheet: _Xml, styles: Collection[int]) -> dict[Place, int]:
    found = {}
    for cell in sheet.find(rb"""<%sc [^<>]*?\bs=["'](\d{1,9})["']"""):
        if (style := int(cell[1])) in styles:
            opening = sheet.data[cell.start() : cell.end() + _LONGEST_OPENING]
            if (place := _place(opening)) is not None:
                found[place] = style
    return found


def _attribute(opening: bytes, name: bytes) -> bytes:
    found = re.search(rb"""(?:^|\s)%s\s*=\s*(?:"([^"]*)"|'([^']*)')""" % name, opening)
    return (found[1] if found[1] is not None else found[2]) if found else b""


def _place(cell: bytes) -> Place | None:
    return place_of(_attribute(cell[: cell.find(b">")], b"r").decode(errors="replace"))


def place_of(reference: str) -> Place | None:
    """Row and column of a reference such as ``C17``; None for what is none."""
    found = re.fullmatch(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})", reference)
    return (int(found[2]), column_index(found[1])) if found else None


def column_index(letters: str) -> int:
    """A column's index from 0."""
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - ord("A") + 1
    return index - 1


def _area(reference: str) -> Area:
    first, _, last = reference.partition(":")
    (top, left), (bottom, right) = (place_of(each) or (1, 0) for each in (first, last or first))
    return Area(min(top, bottom), min(left, right), max(top, bottom), max(left, right))


def _text(data: bytes | None) -> str:
    return html.unescape(data.decode(errors="replace")) if data else ""
