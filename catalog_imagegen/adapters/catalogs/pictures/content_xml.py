"""The content of an OpenDocument spreadsheet as far as it places pictures, read without building a tree."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers.expat import ExpatError, ParserCreate

from catalog_imagegen.adapters.catalogs.layout import Area
from catalog_imagegen.adapters.catalogs.pictures.bands import LAST_ROW
from catalog_imagegen.adapters.catalogs.pictures.formulas import calls_dispimg, first_argument, web_address
from catalog_imagegen.adapters.catalogs.pictures.found import SheetPicture

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.layout import Place

_LENGTH = re.compile(r"(-?[0-9]*\.?[0-9]+)(pt|cm|mm|in|pc|px)")
_DIGITS = re.compile("[0-9]{1,9}")
_POINTS = {"pt": 1.0, "cm": 72 / 2.54, "mm": 72 / 25.4, "in": 72.0, "pc": 12.0, "px": 0.75}
_USUAL_HEIGHT = 12.8
"""LibreOffice's, in points."""
Attributes = Mapping[str, str]
_OF_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"


@dataclass(slots=True)
class Frame:
    """A frame with a picture."""

    place: Place | None
    """The cell it is anchored to; None: to the page."""
    offset: float = 0.0
    """How far below the top of its cell it begins, in points."""
    height: float = 0.0
    hrefs: list[str] = field(default_factory=list)
    """The same picture in several formats."""
    content: bytes = b""
    is_object: bool = False
    """The picture only stands for a chart or a document."""


@dataclass(slots=True)
class Table:
    """A sheet."""

    title: str
    frames: list[Frame] = field(default_factory=list)
    links: list[SheetPicture] = field(default_factory=list)
    dispimg: list[Place] = field(default_factory=list)
    """Cells for which WPS had a picture before the workbook was saved in this format."""
    merged: list[Area] = field(default_factory=list)
    heights: list[tuple[int, int, float]] = field(default_factory=list)
    """Runs of rows: the first, how many, their height in points."""
    default_height: float = _USUAL_HEIGHT
    is_damaged: bool = False


def read_tables(content: bytes) -> list[Table]:
    """The sheets up to where *content* is damaged, which the last of them says."""
    reader = _Reader()
    try:
        reader.read(content)
    except (ExpatError, ValueError, LookupError):
        if reader.tables:
            reader.tables[-1].is_damaged = True
    return reader.tables


class _Reader:
    """Counts rows and cells on the way; repeated ones are not written out, for there may be a million."""

    def __init__(self) -> None:
        self.tables: list[Table] = []
        self._table: Table | None = None
        self._nested = 0
        """Tables in tables: those of charts, whose rows are no rows of the sheet."""
        self._row, self._next_row = 0, 1
        self._next_column = 0
        self._place: Place | None = None
        self._frames: list[Frame] = []
        self._groups = 0
        self._style = ""
        self._style_heights: dict[str, float] = {}
        self._text: list[str] = []
        self._starts: Mapping[str, Callable[[Attributes], None]] = {
            "style": self._start_style, "table-row-properties": self._row_properties, "table": self._start_table,
            "table-row": self._start_row, "table-cell": self._start_cell, "covered-table-cell": self._start_cell,
            "g": self._start_group, "frame": self._start_frame, "image": self._start_image,
            "object": self._object, "object-ole": self._object, "binary-data": self._start_text,
        }  # fmt: skip
        self._ends: Mapping[str, Callable[[], None]] = {
            "table": self._end_table, "table-cell": self._end_cell, "covered-table-cell": self._end_cell,
            "g": self._end_group, "frame": self._end_frame, "binary-data": self._end_binary,
        }  # fmt: skip

    def read(self, content: bytes) -> None:
        """Read it all. Raises ExpatError."""
        parser = ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.Parse(content, True)  # noqa: FBT003 - all there is

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, tag = name.rpartition(" ")
        if self._nested and tag != "table":
            return
        if tag == "a" and namespace == _OF_TEXT:
            self._link(attributes.get("http://www.w3.org/1999/xlink href", ""))
        handler = self._starts.get(tag)
        if handler is not None:
            handler({key.rpartition(" ")[2]: value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        tag = name.rpartition(" ")[2]
        handler = self._ends.get(tag)
        if handler is not None and (tag == "table" or not self._nested):
            handler()

    def _start_style(self, attributes: Attributes) -> None:
        self._style = attributes.get("name", "")

    def _row_properties(self, attributes: Attributes) -> None:
        height = _points(attributes.get("row-height", ""))
        if height is not None:
            self._style_heights[self._style] = height

    def _start_table(self, attributes: Attributes) -> None:
        if self._table is not None:
            self._nested += 1
            return
        self._table = Table(attributes.get("name", ""))
        self.tables.append(self._table)
        self._row, self._next_row, self._next_column, self._place = 0, 1, 0, None

    def _end_table(self) -> None:
        if self._nested:
            self._nested -= 1
        else:
            self._table = None

    def _start_row(self, attributes: Attributes) -> None:
        count = _count(attributes, "number-rows-repeated")
        self._row, self._next_row, self._next_column = self._next_row, self._next_row + count, 0
        height = self._style_heights.get(attributes.get("style-name", ""))
        if self._table is not None and height is not None:
            self._table.heights.append((self._row, count, height))

    def _start_cell(self, attributes: Attributes) -> None:
        column = self._next_column
        self._place = self._row, column
        self._next_column += _count(attributes, "number-columns-repeated")
        self._text.clear()
        if self._table is None:
            return
        rows, columns = (_count(attributes, f"number-{each}-spanned") for each in ("rows", "columns"))
        if rows > 1 or columns > 1:
            self._table.merged.append(Area(self._row, column, self._row + rows - 1, column + columns - 1))
        formula = attributes.get("formula", "")
        if formula:
            link = first_argument(formula, "HYPERLINK")
            self._link(link.text if link is not None else "")
            self._text.append(formula)

    def _end_cell(self) -> None:
        if self._table is not None and self._place is not None and calls_dispimg("".join(self._text)):
            self._table.dispimg.append(self._place)
        self._place = None
        self._text.clear()

    def _link(self, address: str) -> None:
        url = web_address(address)
        if url and self._table is not None and self._place is not None:
            self._table.links.append(SheetPicture(self._place, "url", address=url))

    def _start_group(self, _attributes: Attributes) -> None:
        self._groups += 1

    def _end_group(self) -> None:
        self._groups -= 1

    def _start_frame(self, attributes: Attributes) -> None:
        offset = 0.0 if self._groups else _points(attributes.get("y", "")) or 0.0
        height = 0.0 if self._groups else _points(attributes.get("height", "")) or 0.0
        self._frames.append(Frame(self._place, max(offset, 0.0), height))

    def _start_image(self, attributes: Attributes) -> None:
        href = attributes.get("href", "")
        if self._frames and href:
            self._frames[-1].hrefs.append(href)

    def _object(self, _attributes: Attributes) -> None:
        if self._frames:
            self._frames[-1].is_object = True

    def _start_text(self, _attributes: Attributes) -> None:
        self._text.clear()

    def _end_binary(self) -> None:
        with suppress(ValueError):
            content = base64.b64decode("".join(self._text))
            if self._frames:
                self._frames[-1].content = content
        self._text.clear()

    def _end_frame(self) -> None:
        if not self._frames:
            return
        frame = self._frames.pop()
        if self._table is not None and not frame.is_object and (frame.hrefs or frame.content):
            self._table.frames.append(frame)


def _points(length: str) -> float | None:
    match = _LENGTH.fullmatch(length.strip())
    return float(match[1]) * _POINTS[match[2]] if match else None


def _count(attributes: Attributes, name: str) -> int:
    text = attributes.get(name, "1")
    return min(max(int(text), 1), LAST_ROW) if _DIGITS.fullmatch(text) else 1
