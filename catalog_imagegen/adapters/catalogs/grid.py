"""What every catalog looks like once its file format is forgotten: named grids of values, block by block."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from catalog_imagegen.domain.catalog import CatalogPicture, Issue

Nature = Literal["text", "number", "date", "uncalculated", "picture", "binary"]
"""What the source stored, where that matters for a SKU: a *number* has lost its zeros, a *date* its spelling."""
Value = str | float | bool | None
"""What a cell holds; a number has no format, None is nothing."""
Label = int | str
"""What tells the rows of a grid apart: the number of a line, or what a database's row is known by."""
BLOCK_ROWS = 2000
_LONGEST_TITLE = 200
_EXACT = 2.0**53
"""Below this a float tells whole numbers apart."""


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


class Naming(Protocol):
    """What places are called."""

    def row(self, label: Label) -> str:
        """The name of a row."""
        ...

    def cell(self, label: Label, column: int) -> str:
        """The name of a cell."""
        ...


@dataclass(frozen=True, slots=True)
class SheetNaming:
    """As spreadsheets do: ``Sheet1!5`` and ``Sheet1!C5``."""

    sheet: str

    def __post_init__(self) -> None:
        """Each row has the name in its own: of a title as long as a book they would fill the memory; none tells nothing."""
        if not self.sheet:
            object.__setattr__(self, "sheet", "?")
        if len(self.sheet) > _LONGEST_TITLE:
            object.__setattr__(self, "sheet", f"{self.sheet[:_LONGEST_TITLE]}…")

    def row(self, label: Label) -> str:
        """The name of a row."""
        return f"{self.sheet}!{label}"

    def cell(self, label: Label, column: int) -> str:
        """The name of a cell."""
        return f"{self.sheet}!{column_letter(column)}{label}"


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows, column by column: tables are long, and what is done to a whole column at once costs least."""

    labels: Sequence[Label]
    columns: Mapping[int, Sequence[Value]]
    """Index from 0 → a value for each row; a column without any may be absent."""
    special: Mapping[tuple[int, int], tuple[str, Nature]] = field(default_factory=dict)
    """(row of this block, column) → what a cell shows that no plain value tells; it stands before the value."""
    hidden: Collection[int] = frozenset()
    """Rows of this block."""
    pictures: Mapping[tuple[int, int], tuple[CatalogPicture, ...]] = field(default_factory=dict)
    """(row of this block, column) → the pictures that lie there, the first one first."""


@dataclass(frozen=True)
class Row:
    """One row of a block."""

    block: Block
    place: int
    naming: Naming
    special: Collection[int] = ()
    """Columns in which it has more than plain values."""
    pictured: Collection[int] = ()
    """Columns in which it has pictures."""

    @property
    def label(self) -> Label:
        """What tells it apart."""
        return self.block.labels[self.place]

    @property
    def where(self) -> str:
        """The place a person finds it, e.g. ``Sheet1!17``."""
        return self.naming.row(self.label)

    @property
    def is_hidden(self) -> bool:
        """Whether the program that wrote it does not show it."""
        return self.place in self.block.hidden

    def cell(self, column: int) -> Cell:
        """The cell in *column*, a blank one where there is none."""
        text, nature = self._content(column)
        return Cell(text, self.naming.cell(self.label, column), nature)

    def _content(self, column: int) -> tuple[str, Nature]:
        if (special := self.block.special.get((self.place, column))) is not None:
            return special
        values = self.block.columns.get(column)
        return shown(None if values is None else values[self.place])

    @cached_property
    def cells(self) -> Mapping[int, Cell]:
        """The cells that are not blank, by column."""
        found = ((column, self.cell(column)) for column in sorted(self._columns))
        return {column: cell for column, cell in found if not cell.is_blank}

    @cached_property
    def pictures(self) -> Mapping[int, tuple[CatalogPicture, ...]]:
        """Column → the pictures that lie there."""
        return {column: self.block.pictures[self.place, column] for column in self.pictured}

    @property
    def is_blank(self) -> bool:
        """No cell of the row holds anything."""
        return not self.cells

    @property
    def _columns(self) -> set[int]:
        values = {
            column
            for column, values in self.block.columns.items()
            if (value := values[self.place]) is not None and value != ""
        }
        return values | set(self.special)


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet, CSV file or database table, header row included."""

    naming: Naming
    name: str
    blocks: Iterable[Block]
    """Read once."""
    header_index: int | None = None
    """Where the header is, when the source says so (a database); None: look for it."""
    widths: Sequence[int] = ()
    """How many cells the first lines hold, where a line can be too long for its header (CSV)."""


@dataclass(frozen=True, slots=True)
class Grids:
    """All grids of one catalog, read once and in order, and what was noticed while reading them."""

    grids: Iterable[Grid]
    issues: Iterable[Issue] = ()
    """Complete once the last grid was read."""

    def noting(self, *first: Issue) -> Grids:
        """The same, with issues before the others."""
        return Grids(self.grids, _Joined(first, self.issues))


@dataclass(frozen=True, slots=True)
class _Joined:
    """Issues of which the last ones are not known yet."""

    first: tuple[Issue, ...]
    others: Iterable[Issue]

    def __iter__(self) -> Iterator[Issue]:
        yield from self.first
        yield from self.others


def rows_of(block: Block, naming: Naming) -> Iterator[Row]:
    """The rows of a block, one by one."""
    special, pictured = _by_row(block.special), _by_row(block.pictures)
    return (
        Row(block, place, naming, special.get(place, ()), pictured.get(place, ()))
        for place in range(len(block.labels))
    )


def _by_row(places: Iterable[tuple[int, int]]) -> Mapping[int, Sequence[int]]:
    """Row → columns."""
    found: dict[int, list[int]] = {}
    for place, column in places:
        found.setdefault(place, []).append(column)
    return found


def shown(value: Value) -> tuple[str, Nature]:
    """A plain value as its cell shows it."""
    if isinstance(value, str):
        return value, "text"
    if value is None:
        return "", "text"
    if isinstance(value, bool):
        return str(value).upper(), "text"
    return plain_number(value), "number"


def plain_number(value: float) -> str:
    """Write a number as a cell without a format does: no binary noise, no exponent, no trailing .0."""
    if isinstance(value, int):
        return str(value)
    if value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    text = f"{value:.15g}"
    return text if "e" not in text else f"{Decimal(text):f}"


@lru_cache(maxsize=20_000)
def column_letter(index: int) -> str:
    """Spell a column index (from 0) as spreadsheets do: A, B … Z, AA."""
    letters = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
