"""Where things stand in the XML of a worksheet, found by searching: it may have 100 MB."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from catalog_imagegen.adapters.answers.markup import Element, attribute, children, is_name, root_of
from catalog_imagegen.adapters.catalogs.layout import Area, place_of
from catalog_imagegen.adapters.catalogs.pictures.bands import LAST_COLUMN, LAST_ROW

ORDER = (
    b"sheetPr", b"dimension", b"sheetViews", b"sheetFormatPr", b"cols", b"sheetData", b"sheetCalcPr", b"sheetProtection",
    b"protectedRanges", b"scenarios", b"autoFilter", b"sortState", b"dataConsolidate", b"customSheetViews", b"mergeCells",
    b"phoneticPr", b"conditionalFormatting", b"dataValidations", b"hyperlinks", b"printOptions", b"pageMargins",
    b"pageSetup", b"headerFooter", b"rowBreaks", b"colBreaks", b"customProperties", b"cellWatches", b"ignoredErrors",
    b"smartTags", b"drawing", b"legacyDrawing", b"legacyDrawingHF", b"drawingHF", b"picture", b"oleObjects", b"controls",
    b"webPublishItems", b"tableParts", b"extLst",
)  # fmt: skip
"""In which the children of a worksheet must stand (ECMA-376, part 1, 18.3.1.99)."""
_RANK = {name: rank for rank, name in enumerate(ORDER)}
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,3})[0-9]{1,7}["']""")
_AREA = re.compile(rb"""\sref\s*=\s*["']([^"']*)["']""")
_HEIGHT = re.compile(rb"""\sht\s*=\s*["']([0-9]+(?:\.[0-9]+)?)["']""")
_NUMBER = re.compile(rb"""\sr\s*=\s*["']\s*([0-9]{1,7})\s*["']""")


@dataclass(frozen=True, slots=True)
class RowSpan:
    """Where a row stands."""

    number: int
    start: int
    inner: int
    """Where its opening tag ends."""
    outer: int
    """Where its closing tag begins; *inner* where it is written as one tag."""
    is_empty_tag: bool
    last_column: int
    """From 0; -1: it has no cells."""


class SheetXml:
    """A worksheet in UTF-8. Raises ValueError for what is none."""

    def __init__(self, xml: bytes) -> None:
        self.xml = xml
        self.root = root_of(xml)
        self.prefix = self.root.prefix
        if self.root.name != b"worksheet" or self.root.is_empty:
            raise ValueError("no worksheet")
        opening = re.compile(rb"<%ssheetData(?:\s[^>]*?)?(/?)>" % re.escape(self.prefix)).search(
            xml, self.root.inner
        )
        if opening is None:
            raise ValueError("no cells")
        self.has_one_tag = bool(opening[1])
        self.data_start, self.rows_start = opening.span()
        self.rows_end = self.rows_start
        self.data_end = self.rows_start
        if not self.has_one_tag:
            self.rows_end = xml.rfind(b"</" + self.prefix + b"sheetData")
            self.data_end = xml.find(b">", self.rows_end) + 1
            if self.rows_end < self.rows_start:
                raise ValueError("cells that do not end")

    @property
    def opening(self) -> bytes:
        """The opening tag of the worksheet."""
        return self.xml[self.root.start : self.root.inner]

    @cached_property
    def head(self) -> list[Element]:
        """What stands before the cells."""
        return list(children(self.xml, self.root.inner, self.data_start))

    @cached_property
    def tail(self) -> list[Element]:
        """What stands behind the cells."""
        return list(children(self.xml, self.data_end, self.root.outer))

    def part(self, name: bytes) -> Element | None:
        """The first child of this name."""
        return next((each for each in (*self.head, *self.tail) if each.name == name), None)

    def tag(self, element: Element) -> bytes:
        """Its opening tag."""
        return self.xml[element.start : element.inner]

    def place_for(self, name: bytes) -> int:
        """Where a child of this name has to be put."""
        rank = _RANK[name]
        for each in self.head if rank < _RANK[b"sheetData"] else self.tail:
            if self._rank(each) > rank:
                return each.start
        return self.data_start if rank < _RANK[b"sheetData"] else self.root.outer

    def _rank(self, element: Element) -> int:
        """Alternatives for old and new programs stand where what is in them would."""
        if element.name in _RANK:
            return _RANK[element.name]
        inside = self.xml[element.inner : element.end]
        found = re.findall(rb"<(?:[\w.-]+:)?(\w+)", inside)
        return next((_RANK[name] for name in found if name in _RANK), _RANK[b"oleObjects"])

    @cached_property
    def rows(self) -> list[RowSpan]:
        """All rows, as they come."""
        xml, end = self.xml, self.rows_end
        opens, closes = b"<" + self.prefix + b"row", b"</" + self.prefix + b"row"
        found: list[RowSpan] = []
        at, number = self.rows_start, 0
        while (start := xml.find(opens, at, end)) >= 0:
            at = start + len(opens)
            if not is_name(xml, at):
                continue
            inner = xml.find(b">", at, end) + 1
            told = _NUMBER.search(xml, at, inner)
            number = int(told[1]) if told else number + 1
            is_empty_tag = xml[inner - 2 : inner - 1] == b"/"
            outer = inner if is_empty_tag else xml.find(closes, inner, end)
            if inner <= 0 or outer < 0 or not 0 < number <= LAST_ROW:
                raise ValueError("a row that does not end")
            found.append(RowSpan(number, start, inner, outer, is_empty_tag, self._last_column(inner, outer)))
            at = outer
        return found

    def _last_column(self, start: int, end: int) -> int:
        xml, opens = self.xml, b"<" + self.prefix + b"c"
        last = xml.rfind(opens + b" ", start, end)
        if not self._has_bare_cells:
            if last < 0:
                return -1
            told = _REFERENCE.search(xml, last, xml.find(b">", last, end))
            if told is not None:
                return column_of(told[1])
        return max((column for column, _, _ in self.cells(start, end)), default=-1)

    def cells(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """The cells of a row: column, and where their opening tag begins and ends."""
        column = -1
        for found in self._cell.finditer(self.xml, start, end):
            told = _REFERENCE.search(found[0])
            column = column_of(told[1]) if told else column + 1
            yield column, found.start(), found.end()

    @cached_property
    def _has_bare_cells(self) -> bool:
        """Whether there are cells of which nothing is said but what they hold."""
        opens = b"<" + self.prefix + b"c"
        return any(
            self.xml.find(opens + end, self.rows_start, self.rows_end) >= 0
            for end in (b">", b"/", b"\n", b"\t")
        )

    @cached_property
    def _cell(self) -> re.Pattern[bytes]:
        return re.compile(rb"<%sc(?=[\s/>])[^>]*>" % re.escape(self.prefix))

    @cached_property
    def heights(self) -> Mapping[int, float]:
        """Row → its height in points, where it has one of its own."""
        if b" ht=" not in self.xml:
            return {}
        told = ((row.number, _HEIGHT.search(self.xml, row.start, row.inner)) for row in self.rows)
        return {number: float(found[1]) for number, found in told if found is not None}

    @cached_property
    def merged(self) -> list[Area]:
        """The merged cells."""
        element = self.part(b"mergeCells")
        found = _AREA.findall(self.xml, element.inner, element.end) if element is not None else []
        ends = (tuple(map(place_of, each.decode().partition(":")[::2])) for each in found)
        return [Area(first[0], first[1], last[0], last[1]) for first, last in ends if first and last]

    @cached_property
    def last_cell_column(self) -> int:
        """The last column, from 0, that has a cell."""
        return max((row.last_column for row in self.rows), default=-1)

    def last_used_column(self) -> int:
        """The last column, from 0, in which cells, merged cells or the sheet's own word say that there is something."""
        told = self.part(b"dimension")
        said = last_of(attribute(self.tag(told), b"ref")) if told is not None else None
        merged = max((area.right for area in self.merged), default=-1)
        return min(max(self.last_cell_column, merged, -1 if said is None else said), LAST_COLUMN)


def column_of(letters: bytes) -> int:
    """A column's index from 0."""
    index = 0
    for letter in letters.upper():
        index = index * 26 + letter - 64
    return index - 1


def last_of(area: str) -> int | None:
    """The last column of an area such as A1:C9."""
    place = place_of(area.rpartition(":")[2])
    return place[1] if place is not None else None
