"""What every catalog looks like once its file format is forgotten: named grids of text cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from catalog_imagegen.domain.catalog import Issue

Nature = Literal["text", "number", "date", "uncalculated", "picture", "binary"]
"""What the source stored, where that matters for a SKU: a *number* has lost its zeros, a *date* its spelling."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value as text, and the place a person finds it, e.g. ``Sheet1!C17``."""

    text: str
    where: str
    nature: Nature = "text"

    @property
    def is_blank(self) -> bool:
        """Nothing was written here, not even a formula."""
        return not self.text.strip() and self.nature == "text"


@dataclass(frozen=True, slots=True)
class Row:
    """Cells by column index (from 0); columns without a value may be absent."""

    where: str
    cells: Mapping[int, Cell]
    locate: Callable[[int], str]
    """Names the place of a cell that is absent."""
    is_hidden: bool = False
    width: int | None = None
    """How many cells the line holds, where a line can be too long for its header (CSV)."""

    def cell(self, column: int) -> Cell:
        """Give the cell in *column*, a blank one if it is absent."""
        return self.cells.get(column) or Cell("", self.locate(column))

    @property
    def is_blank(self) -> bool:
        """No cell of the row holds anything."""
        return all(cell.is_blank for cell in self.cells.values())


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet, CSV file or database table, header row included."""

    name: str
    rows: Sequence[Row]
    header_index: int | None = None
    """Where the header is, when the source says so (a database); None: look for it."""


@dataclass(frozen=True, slots=True)
class Grids:
    """All grids of one catalog and what was noticed while reading them."""

    grids: tuple[Grid, ...]
    issues: tuple[Issue, ...] = ()


def column_letter(index: int) -> str:
    """Spell a column index (from 0) as spreadsheets do: A, B … Z, AA."""
    letters = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def spreadsheet_row(
    grid: str, number: int, cells: Mapping[int, Cell], *, is_hidden: bool = False, width: int | None = None
) -> Row:
    """Make row *number* (from 1) of a sheet or CSV file."""
    return Row(
        where=f"{grid}!{number}",
        cells=cells,
        locate=lambda column: f"{grid}!{column_letter(column)}{number}",
        is_hidden=is_hidden,
        width=width,
    )
