"""Writes into the rows of a worksheet: cells to the right of all others, other styles, more height."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from catalog_imagegen.adapters.answers.columns import ColumnList
from catalog_imagegen.adapters.answers.markup import Splice, attribute, with_attribute
from catalog_imagegen.adapters.answers.sheet_xml import RowSpan, SheetXml
from catalog_imagegen.adapters.catalogs.grid import column_letter

Restyled = Callable[[int], int]
"""The index of a style → that of another one."""


@dataclass(slots=True)
class RowEdit:
    """What is to be done to one row."""

    added: bytes = b""
    """Cells, to the right of all others."""
    last_column: int = -1
    """Of the cells that are added."""
    styles: Mapping[int, Restyled] = field(default_factory=dict)
    """Column → what becomes of its style; a cell that is not there is made."""
    height: float = 0.0
    """In points; 0: as it is."""
    is_kept: bool = False
    """Whether the height stays whatever is written into the row."""


def row_splices(sheet: SheetXml, edits: Mapping[int, RowEdit], columns: ColumnList) -> Iterator[Splice]:
    """What changes in the XML for these rows, by number; one that is not there is made."""
    pending = dict(edits)
    for row in sheet.rows:
        edit = pending.pop(row.number, None)
        if edit is not None:
            yield from _RowChange(sheet, row, edit, columns).splices()
    if pending:
        yield from _new_rows(sheet, pending, columns)


@dataclass(frozen=True, slots=True)
class _RowChange:
    sheet: SheetXml
    row: RowSpan
    edit: RowEdit
    columns: ColumnList

    def splices(self) -> Iterator[Splice]:
        row, edit = self.row, self.edit
        before = self.sheet.xml[row.start : row.inner]
        tag = _with_span(_with_height(before, edit), edit.last_column)
        if row.is_empty_tag:
            opened = tag[:-2].rstrip() + b">"
            cells = b"".join(self._made(column) for column in sorted(edit.styles)) + edit.added
            yield row.start, row.inner, opened + cells + b"</" + self.sheet.prefix + b"row>"
            return
        if tag != before:
            yield row.start, row.inner, tag
        if edit.styles:
            yield from self._restyled()
        if edit.added:
            yield row.outer, row.outer, edit.added

    def _restyled(self) -> Iterator[Splice]:
        """Other styles of cells; those that are not there are put before the next one."""
        missing = sorted(self.edit.styles)
        for column, start, end in self.sheet.cells(self.row.inner, self.row.outer):
            while missing and missing[0] < column:
                yield start, start, self._made(missing.pop(0))
            if missing and missing[0] == column:
                tag = self.sheet.xml[start:end]
                told = attribute(tag, b"s")
                style = self.edit.styles[missing.pop(0)](int(told) if told.isdigit() else 0)
                yield start, end, with_attribute(tag, b"s", str(style))
        for column in missing:
            yield self.row.outer, self.row.outer, self._made(column)

    def _made(self, column: int) -> bytes:
        """A cell that is not there yet."""
        tag = self.sheet.xml[self.row.start : self.row.inner]
        told = attribute(tag, b"s")
        of_row = int(told) if told.isdigit() and attribute(tag, b"customFormat") in ("1", "true") else None
        return _cell(self.sheet, self.row.number, column, self.edit, self.columns, of_row=of_row)


def _cell(
    sheet: SheetXml,
    number: int,
    column: int,
    edit: RowEdit,
    columns: ColumnList,
    *,
    of_row: int | None = None,
) -> bytes:
    style = edit.styles[column](columns.style(column) if of_row is None else of_row)
    return b'<%sc r="%s%d" s="%d"/>' % (sheet.prefix, column_letter(column).encode(), number, style)


def _with_height(tag: bytes, edit: RowEdit) -> bytes:
    if not edit.height:
        return tag
    tag = with_attribute(tag, b"ht", f"{edit.height:g}")
    return with_attribute(tag, b"customHeight", "1") if edit.is_kept else tag


def _with_span(tag: bytes, last_column: int) -> bytes:
    """Programs may take a row's word for which cells it has."""
    first, _, last = attribute(tag, b"spans").partition(":")
    if not (first.isdigit() and last.isdigit()) or int(last) > last_column:
        return tag
    return with_attribute(tag, b"spans", f"{first}:{last_column + 1}")


def _new_rows(sheet: SheetXml, edits: Mapping[int, RowEdit], columns: ColumnList) -> Iterator[Splice]:
    """Rows that are not there, each before the next one."""
    p = sheet.prefix
    numbers = [row.number for row in sheet.rows]
    is_sorted = all(first <= second for first, second in pairwise(numbers))
    made: list[tuple[int, bytes]] = []
    for number, edit in sorted(edits.items()):
        cells = b"".join(_cell(sheet, number, column, edit, columns) for column in sorted(edit.styles))
        tag = _with_height(b'<%srow r="%d">' % (p, number), edit)
        index = bisect_left(numbers, number) if is_sorted else len(numbers)
        place = sheet.rows[index].start if index < len(numbers) else sheet.rows_end
        made.append((place, tag + cells + edit.added + b"</" + p + b"row>"))
    if sheet.has_one_tag:
        opened = sheet.xml[sheet.data_start : sheet.rows_start - 2].rstrip() + b">"
        rows = b"".join(row for _, row in made)
        yield sheet.data_start, sheet.rows_start, opened + rows + b"</" + p + b"sheetData>"
        return
    yield from ((place, place, row) for place, row in made)
