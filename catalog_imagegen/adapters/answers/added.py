"""How the columns that are added look: which there are, how wide, and how high rows must be for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from catalog_imagegen.adapters.answers.content import MAX_LINKS, RowAnswer, SheetAnswers, Titles
from catalog_imagegen.adapters.reports.excel import clean

MAX_PICTURES = 3_000
"""Of one sheet: it must still open."""
_STATUS_WIDTH, _PICTURE_WIDTH = 12.0, 15.0
"""In characters."""
_REASONS_WIDTHS = (28.0, 46.0, 60.0, 74.0, 90.0)
"""The first in which no sentence breaks; the second where rows can grow; else one in which all fit into their rows."""
_LINK_WIDTHS = 12.0, 30.0
PICTURE_PIXELS = 105
"""The least that a column of pictures has: how wide a character is depends on the font."""
PICTURE_POINTS = 68.0
LEAST_POINTS, MOST_POINTS = 20.0, 180.0
_LINE_POINTS, _MARGIN_POINTS = 15.0, 6.0
_WIDE = 0x2E80
"""From here on characters take the room of two."""


@dataclass(frozen=True, slots=True)
class Added:
    """The columns that are added to one sheet, from left to right."""

    first: int
    """From 0."""
    titles: Titles
    has_pictures: bool
    reasons_width: float
    link_widths: tuple[float, ...]

    @classmethod
    def of(
        cls, answers: SheetAnswers, first: int, titles: Titles, points: Callable[[int], float] | None
    ) -> Added:
        """The columns that these answers need; *points* tells how high rows are that cannot grow."""
        rows = answers.rows.values()
        has_pictures = any(row.thumbnail for row in rows)
        links = min(max((len(row.links) for row in rows), default=0), MAX_LINKS)
        narrow, wide = _LINK_WIDTHS
        link_widths = tuple(
            min(
                max(narrow, 3 + max(_taken(row.links[place].text) for row in rows if place < len(row.links))),
                wide,
            )
            for place in range(links)
        )
        return cls(first, titles, has_pictures, _reasons_width(answers.rows, points), link_widths)

    @property
    def headers(self) -> tuple[str, ...]:
        """What stands above them."""
        pictures = (self.titles.picture,) if self.has_pictures else ()
        return (self.titles.status, self.titles.reasons, *pictures, *self.titles.links(self.links))

    @property
    def links(self) -> int:
        """How many columns of links there are."""
        return len(self.link_widths)

    @property
    def widths(self) -> tuple[float, ...]:
        """In characters."""
        pictures = (_PICTURE_WIDTH,) if self.has_pictures else ()
        return (_STATUS_WIDTH, self.reasons_width, *pictures, *self.link_widths)

    @property
    def last(self) -> int:
        """The last of them."""
        return self.first + len(self.headers) - 1

    @property
    def picture(self) -> int:
        """The column of the pictures."""
        return self.first + 2

    @property
    def link(self) -> int:
        """The first column of links."""
        return self.first + 2 + self.has_pictures

    def points(self, row: RowAnswer) -> float:
        """How high a row should be for all that is said of it."""
        lines = _lines(row.status, _STATUS_WIDTH)
        for link, width in zip(row.links, self.link_widths, strict=False):
            lines = max(lines, _lines(link.text, width))
        return max(
            _points(lines), self.reasons_points(row), PICTURE_POINTS if row.thumbnail else LEAST_POINTS
        )

    def reasons_points(self, row: RowAnswer) -> float:
        """How high its sentences are."""
        return _points(_reasons_lines(row, self.reasons_width))


def _reasons_width(rows: Mapping[int, RowAnswer], points: Callable[[int], float] | None) -> float:
    if all(_reasons_lines(row, _REASONS_WIDTHS[0]) == 1 for row in rows.values()):
        return _REASONS_WIDTHS[0]
    if points is None:
        return _REASONS_WIDTHS[1]
    for width in _REASONS_WIDTHS[1:]:
        if all(_points(_reasons_lines(row, width)) <= points(number) for number, row in rows.items()):
            return width
    return _REASONS_WIDTHS[-1]


def _reasons_lines(row: RowAnswer, width: float) -> int:
    return sum(_lines(line, width) for line in reasons_text(row.reasons).split("\n"))


def _points(lines: int) -> float:
    return min(lines * _LINE_POINTS + _MARGIN_POINTS, MOST_POINTS) if lines > 1 else 0.0


def _lines(line: str, width: float) -> int:
    return 1 + int(max(_taken(line) - 1, 0) // (width - 3))


@lru_cache(maxsize=20_000)
def _taken(line: str) -> int:
    """The room that a line takes, in characters."""
    return sum(2 if ord(each) >= _WIDE else 1 for each in line)


@lru_cache(maxsize=20_000)
def reasons_text(reasons: tuple[str, ...]) -> str:
    """The sentences as one text, numbered where there are several."""
    if len(reasons) < 2:  # noqa: PLR2004 - one needs no number
        return clean("".join(reasons))
    return clean("\n".join(f"{number}. {text}" for number, text in enumerate(reasons, 1)))
