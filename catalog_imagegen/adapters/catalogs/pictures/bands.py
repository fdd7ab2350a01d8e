"""Which row and cell a picture lies on that floats above a sheet."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.layout import Area, Layout, Place

LAST_ROW = 1 << 20
LAST_COLUMN = (1 << 14) - 1
_TALLEST = 1000.0
"""Excel stops at 409.5 points; what lies beyond this is damage."""
_USUAL = 15.0
_MOST_ROWS = 200
"""A picture across more rows than these belongs to none in particular."""
_MOST_LEFTS = 500
"""Columns in which merged areas may begin; all of them are asked for every picture."""


@dataclass(frozen=True, slots=True)
class GroupFrame:
    """How far down a group of shapes reaches, and the coordinates in which it places them."""

    top: float
    bottom: float
    origin: int = 0
    length: int = 0
    """0: each shape is as tall as the group."""

    def within(self, start: int, end: int) -> tuple[float, float]:
        """How far down a shape reaches; one that is nowhere in the group takes all of it."""
        if self.length <= 0:
            return self.top, self.bottom
        scale = (self.bottom - self.top) / self.length
        top = max(self.top + (start - self.origin) * scale, self.top)
        bottom = min(self.top + (end - self.origin) * scale, self.bottom)
        return (top, bottom) if bottom > top else (self.top, self.bottom)


class RowBands:
    """Where the rows of a sheet lie, in points from its top.

    Hidden rows count with the height they would have: a picture that a filter hides with its row still belongs to it.
    """

    def __init__(self, runs: Iterable[tuple[int, int, float]], default: float) -> None:
        """Take *runs* of rows with a height of their own (first row, how many, points) and that of the others."""
        usual = default if 0 < default <= _TALLEST else _USUAL
        self._firsts: list[int] = []
        self._tops: list[float] = []
        self._heights: list[float] = []
        row, top = 1, 0.0
        for first, count, height in sorted(runs):
            if first < row or count < 1:  # two claims on one row
                continue
            if first > row:
                self._add(row, top, usual)
                top += (first - row) * usual
            own = height if 0 <= height <= _TALLEST else usual
            self._add(first, top, own)
            row, top = first + count, top + count * own
        self._add(row, top, usual)

    @classmethod
    def of(cls, layout: Layout) -> RowBands:
        """The rows of a sheet whose layout is known."""
        return cls(((row, 1, height) for row, height in layout.heights.items()), layout.default_height)

    def _add(self, first: int, top: float, height: float) -> None:
        self._firsts.append(first)
        self._tops.append(top)
        self._heights.append(height)

    def top(self, row: int) -> float:
        """Where a row begins."""
        index = bisect_right(self._firsts, row) - 1
        return self._tops[index] + (row - self._firsts[index]) * self._heights[index]

    def height(self, row: int) -> float:
        """How tall a row is."""
        return self._heights[bisect_right(self._firsts, row) - 1]

    def row_at(self, y: float) -> int:
        """The row at a distance from the top."""
        index = bisect_right(self._tops, max(y, 0.0)) - 1
        first, height = self._firsts[index], self._heights[index]
        beyond = self._firsts[index + 1] if index + 1 < len(self._firsts) else LAST_ROW + 1
        within = (y - self._tops[index]) / height if height else 0.0
        return int(min(first + max(within, 0.0), beyond - 1, LAST_ROW))

    def covered_most(self, top: float, bottom: float) -> int:
        """The row that covers most of what lies between; of equal ones the first.

        People drop pictures a few pixels too high, so the row where one begins may be that of another product.
        """
        first, last = self.row_at(top), self.row_at(bottom)
        rows = range(first, min(last, first + _MOST_ROWS) + 1)
        return max(rows, key=lambda row: round(min(bottom, self.top(row + 1)) - max(top, self.top(row)), 3))


class MergedAreas:
    """The merged cells of a sheet; what lies on one of them lies on its first cell."""

    def __init__(self, areas: Iterable[Area]) -> None:
        self._by_left: dict[int, tuple[list[int], list[Area]]] = {}
        for area in sorted(areas, key=lambda each: each.top):
            tops, there = self._by_left.setdefault(area.left, ([], []))
            tops.append(area.top)
            there.append(area)

    def corner(self, place: Place) -> Place:
        """The first cell of the area around *place*, else *place*."""
        row, column = place
        for left, (tops, areas) in islice(self._by_left.items(), _MOST_LEFTS):
            index = bisect_right(tops, row) - 1
            if left <= column and index >= 0:
                area = areas[index]
                if row <= area.bottom and column <= area.right:
                    return area.top, area.left
        return place


def is_on_sheet(place: Place) -> bool:
    """Whether a worksheet is large enough to have this cell."""
    return 1 <= place[0] <= LAST_ROW and 0 <= place[1] <= LAST_COLUMN
