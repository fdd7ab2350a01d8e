"""Writes what is said of one worksheet into its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from math import inf

from catalog_imagegen.adapters.answers.added import (
    MAX_PICTURES,
    MOST_POINTS,
    PICTURE_PIXELS,
    Added,
    reasons_text,
)
from catalog_imagegen.adapters.answers.attachments import box_of, comment_splices, link_splices, thumb_splices
from catalog_imagegen.adapters.answers.columns import ColumnList
from catalog_imagegen.adapters.answers.content import (
    SEVERITIES,
    CellAnswer,
    RowAnswer,
    SheetAnswers,
    Titles,
)
from catalog_imagegen.adapters.answers.drawings import Drawn, drawing_of, drawn
from catalog_imagegen.adapters.answers.heights import RowHeights
from catalog_imagegen.adapters.answers.links import address
from catalog_imagegen.adapters.answers.markup import Splice, attribute, spliced, text, with_attribute
from catalog_imagegen.adapters.answers.parts import Parts
from catalog_imagegen.adapters.answers.removal import BROKEN
from catalog_imagegen.adapters.answers.row_edits import RowEdit, row_splices
from catalog_imagegen.adapters.answers.sheet_xml import SheetXml, last_of
from catalog_imagegen.adapters.answers.stylesheet import Stylesheet
from catalog_imagegen.adapters.answers.thumbs import Thumb, usable
from catalog_imagegen.adapters.catalogs.grid import column_letter
from catalog_imagegen.adapters.catalogs.layout import Area, Place, place_of
from catalog_imagegen.adapters.catalogs.pictures.bands import LAST_COLUMN, MergedAreas, is_on_sheet
from catalog_imagegen.adapters.reports.excel import MAX_LINKS, clean

MAX_COMMENTS = 5_000
"""Of one sheet: programs draw a box for each. The gravest stay."""


@dataclass
class SheetEditor:
    """Adds what is said to one sheet. Raises KeyError or ValueError where its XML cannot be understood."""

    parts: Parts
    part: str
    answers: SheetAnswers
    styles: Stylesheet
    titles: Titles
    header_row: int
    """0: above the first row of which anything is said."""
    troubles: list[str] = field(default_factory=list)
    """What could not be added."""
    _texts: dict[str, bytes] = field(default_factory=dict)
    """As they are written; many rows have the same."""

    def edit(self) -> Area | None:
        """Write it. Gives the headers of our columns, if there is room and need for them."""
        sheet, added = self._sheet, self._added
        edits: dict[int, RowEdit] = {}
        header_row = self._header_row
        splices: list[Splice] = []
        if added is not None:
            heights = self._heights(added)
            edits[header_row] = RowEdit(self._headers(added, header_row), added.last)
            targets = dict(self._targets(added))
            for number, row in self.answers.rows.items():
                if number != header_row:
                    height = heights.get(number, 0.0)
                    cells = self._cells(added, number, row, targets, height or self._rows.room(number))
                    edits[number] = RowEdit(cells, added.last, height=height, is_kept=bool(row.thumbnail))
            splices += [
                *self._dimension(added),
                self._columns.with_widths(added.first, added.widths).splice(),
            ]
            splices += self._attempt(partial(link_splices, self.parts, self.part, sheet, targets))
            splices += self._attempt(
                partial(thumb_splices, self.parts, self.part, sheet, self._thumbs(added, targets, heights))
            )
        for (number, column), cell in self._offending.items():
            edit = edits.setdefault(number, RowEdit())
            edit.styles = {**edit.styles, column: partial(self.styles.filled, severity=cell.severity)}
        said = {place: clean(self._offending[place].text) for place in self._commented}
        box = box_of(self._columns, self._rows.points)
        splices += self._attempt(partial(comment_splices, self.parts, self.part, sheet, said, box))
        splices += row_splices(sheet, edits, self._columns)
        self.parts.put(self.part, spliced(sheet.xml, splices))
        return Area(header_row, added.first, header_row, added.last) if added is not None else None

    def _attempt(self, step: Callable[[], list[Splice]]) -> list[Splice]:
        """Do one step; what is too damaged for it costs no other one."""
        was = self.parts.state()
        try:
            return step()
        except BROKEN as error:
            self.parts.restore(was)
            self.troubles.append(f"{type(error).__name__}: {error}")
            return []

    @cached_property
    def _sheet(self) -> SheetXml:
        return SheetXml(self.parts.text(self.part))

    @cached_property
    def _columns(self) -> ColumnList:
        return ColumnList(self._sheet)

    @cached_property
    def _header_row(self) -> int:
        return self.header_row or max(min(self.answers.rows, default=1) - 1, 1)

    @cached_property
    def _added(self) -> Added | None:
        """The columns that are added, right of all that is there; None where there are none or no room."""
        if not self.answers.rows:
            return None
        others = max([self._drawn.last_column, *self._tables(), *(column for _, column in self._offending)])
        for used in (self._sheet.last_used_column(), self._sheet.last_cell_column):
            grown = self._rows.points if self._is_fixed else None
            added = Added.of(self.answers, max(used, others) + 1, self.titles, grown)
            if added.last <= LAST_COLUMN:
                return added
        self.troubles.append("no column is free")
        return None

    def _tables(self) -> Iterator[int]:
        """The last columns of the tables within the sheet."""
        for relation in self.parts.relations(self.part).values():
            if relation.kind == "table" and relation.target in self.parts:
                tag = self.parts.text(relation.target)[:4096].partition(b"<autoFilter")[0]
                last = last_of(attribute(tag, b"ref"))
                if last is not None:
                    yield last

    @cached_property
    def _drawn(self) -> Drawn:
        element = self._sheet.part(b"drawing")
        drawing = drawing_of(self.parts, self.part, self._sheet.tag(element)) if element is not None else ""
        if not drawing:
            return Drawn()
        try:
            return drawn(self.parts.text(drawing), self._rows.points)
        except BROKEN:
            return Drawn()

    @cached_property
    def _rows(self) -> RowHeights:
        return RowHeights(self._sheet)

    @cached_property
    def _is_fixed(self) -> bool:
        """Whether no row may grow.

        So it is where the merchandiser's own pictures float among the rows: it is by their place over the rows that they belong to
        products.
        """
        return self._drawn.lies_on(self.answers.rows)

    def _heights(self, added: Added) -> Mapping[int, float]:
        """Row → more height, for its picture and sentences; never less.

        Without a picture a row that has no height of its own needs none: programs fit it to what stands in it.
        """
        if self._is_fixed:
            return {}
        wanted = (
            (number, added.points(row))
            for number, row in self.answers.rows.items()
            if row.thumbnail or self._rows.room(number) < inf
        )
        return {number: height for number, height in wanted if height > self._rows.points(number)}

    def _headers(self, added: Added, row: int) -> bytes:
        style = self.styles.header
        return b"".join(
            self._cell(added.first + place, row, style, title) for place, title in enumerate(added.headers)
        )

    def _cells(
        self, added: Added, number: int, row: RowAnswer, targets: Mapping[Place, str], points: float
    ) -> bytes:
        styles = self.styles
        is_cut = added.reasons_points(row) > points or MOST_POINTS <= points < inf
        sentences = styles.long_text if is_cut else styles.text
        cells = [
            self._cell(added.first, number, styles.tones[row.tone], row.status),
            self._cell(added.first + 1, number, sentences, reasons_text(row.reasons)),
        ]
        if added.has_pictures:
            cells.append(self._cell(added.picture, number, styles.text, ""))
        for place in range(added.links):
            column = added.link + place
            shown = row.links[place].text if place < len(row.links) else ""
            style = styles.link if (number, column) in targets else styles.text
            cells.append(self._cell(column, number, style, shown))
        return b"".join(cells)

    def _cell(self, column: int, row: int, style: int, shown: str) -> bytes:
        """A cell; what it holds is a text, whatever it looks like."""
        p = self._sheet.prefix
        place = column_letter(column).encode()
        written = self._texts.get(shown)
        if written is None:
            written = self._texts[shown] = text(clean(shown))
        if not written:
            return b'<%sc r="%s%d" s="%d"/>' % (p, place, row, style)
        return b'<%sc r="%s%d" s="%d" t="inlineStr"><%sis><%st xml:space="preserve">%s</%st></%sis></%sc>' % (
            p, place, row, style, p, p, written, p, p, p
        )  # fmt: skip

    def _targets(self, added: Added) -> Iterator[tuple[Place, str]]:
        """Where the cells of our columns lead, as far as a sheet can have links."""
        left = MAX_LINKS
        for number, row in self.answers.rows.items():
            for place, link in enumerate(row.links[: added.links]):
                target = address(link)
                if target and link.text and left > 0 and number != self._header_row:
                    left -= 1
                    yield (number, added.link + place), target

    def _thumbs(
        self, added: Added, targets: Mapping[Place, str], heights: Mapping[int, float]
    ) -> list[Thumb]:
        thumbs: list[Thumb] = []
        for number, row in sorted(self.answers.rows.items()):
            found = usable(row.thumbnail) if row.thumbnail and len(thumbs) < MAX_PICTURES else None
            if found is None or number == self._header_row:
                continue
            content, size, extension = found
            points = heights.get(number, self._rows.points(number))
            room = PICTURE_PIXELS, max(points, 1.0)
            target = targets.get((number, added.link), "") if added.links else ""
            place = number, added.picture
            thumbs.append(Thumb(place, content, size, extension, room, clean(row.where), target))
        return thumbs

    def _dimension(self, added: Added) -> Iterator[Splice]:
        told = self._sheet.part(b"dimension")
        if told is None:
            return
        tag = self._sheet.tag(told)
        first, _, last = attribute(tag, b"ref").partition(":")
        start, end = place_of(first), place_of(last or first)
        if start is None or end is None:
            return
        rows = (start[0], end[0], self._header_row, *self.answers.rows)
        columns = (start[1], added.first)
        area = f"{column_letter(min(columns))}{min(rows)}:{column_letter(max(end[1], added.last))}{max(rows)}"
        yield told.start, told.inner, with_attribute(tag, b"ref", area)

    @cached_property
    def _offending(self) -> Mapping[Place, CellAnswer]:
        """The cells that are coloured; of merged ones that is the first."""
        merged = MergedAreas(self._sheet.merged) if self._sheet.merged else None
        found: dict[Place, CellAnswer] = {}
        for place, cell in sorted(self.answers.cells.items()):
            corner = merged.corner(place) if merged is not None else place
            if not is_on_sheet(corner):
                continue
            before = found.get(corner)
            if before is not None:
                gravest = min(before.severity, cell.severity, key=SEVERITIES.index)
                found[corner] = CellAnswer(before.where, f"{before.text}\n{cell.text}", gravest)
            else:
                found[corner] = cell
        return found

    @cached_property
    def _commented(self) -> list[Place]:
        said = [place for place, cell in self._offending.items() if clean(cell.text)]
        return sorted(said, key=lambda place: (SEVERITIES.index(self._offending[place].severity), place))[
            :MAX_COMMENTS
        ]
