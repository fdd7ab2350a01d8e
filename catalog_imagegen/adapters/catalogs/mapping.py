"""What the headers of a catalog mean, and what those may mean that nobody has told; suggestions map nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from rapidfuzz import fuzz

from catalog_imagegen.adapters.catalogs.columns import plain
from catalog_imagegen.adapters.catalogs.fingerprints import fingerprint_of
from catalog_imagegen.adapters.catalogs.grid import rows_of
from catalog_imagegen.adapters.catalogs.header import header_index
from catalog_imagegen.adapters.catalogs.hints import Column, hints
from catalog_imagegen.adapters.catalogs.reading import beginning
from catalog_imagegen.domain.catalog import LIST_FIELDS
from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.columns import Columns
    from catalog_imagegen.adapters.catalogs.grid import Block, Cell, Grid, Grids, Row
    from catalog_imagegen.adapters.catalogs.reading import Look

_ALIKE = 70.0
"""``fuzz.ratio`` from which a name is worth suggesting. ``WRatio`` would find 价格 in 市场价格, which is another price."""
_HINT_RANK = 65.0
"""Where a suggestion stands that only the values speak for: behind all names that are alike."""
_MISSING_RANK = 20.0
"""How much a field gains that every catalog must have and this one seems not to."""
_MOST_SUGGESTIONS = 3
_ROWS_LOOKED_AT = 200
_LONGEST_HEADER = 20
_NEARLY = 0.8
"""Share of the most texts in a row that makes a row a likely header."""
_ANY_BRACKETS = re.compile(r"[(\[【〔][^()\[\]【】〔〕]*[)\]】〕]")
_NUMBER = re.compile(r"[¥$€]?[\d.,:/%-]+")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A field that a header may mean: one of its names is *alike* (of 100), or its values look so (*hint*)."""

    field: str
    alias: str = ""
    alike: float = 0.0
    hint: str = ""


@dataclass(frozen=True, slots=True)
class HeaderMapping:
    """One header."""

    where: str
    text: str
    field: str = ""
    """What it means; empty where nobody has told."""
    alias: str = ""
    """The name of the field that it was known by."""
    is_own: bool = False
    """The catalog's own rules say so."""
    is_ignored: bool = False
    suggestions: tuple[Suggestion, ...] = ()


@dataclass(frozen=True, slots=True)
class TableMapping:
    """The headers of one sheet or table."""

    name: str
    line: int | None
    """The line of the headers, where the source has lines."""
    is_guessed: bool
    """No header is known, so the line is a guess."""
    fingerprint: str
    headers: tuple[HeaderMapping, ...]
    missing: tuple[str, ...]
    """Required fields that no header means."""


def map_grids(
    source: Grids, columns: Columns, *, header_row: int | None = None, look: Look | None = None
) -> tuple[TableMapping, ...]:
    """The headers of every grid in which anything may be one. Raises CatalogError where there are none."""
    found = []
    for grid in source.grids:
        blocks = iter(grid.blocks)
        first, rows = beginning(blocks, grid, header_row)
        if rows and look is not None:
            look(rows)
        index = header_index(grid, rows, columns, header_row)
        guessed = _likely(rows) if index is None and header_row is None else index
        if guessed is not None:
            values = _below(rows[guessed], first, grid, columns)
            found.append(_table(grid, rows[guessed], values, columns, is_guessed=index is None))
    if not found:
        raise CatalogError(
            "nothing here looks like a header; name its line with --header-row, or its sheet with --table",
            zh="没有找到像表头的一行；请用 --header-row 指定表头所在的行，或用 --table 指定工作表",
            code="no_header_found",
        )
    return tuple(found)


def _likely(rows: Sequence[Row]) -> int | None:
    """The first row that has nearly as many short texts of its own as any."""
    counts = [len({cell.text.strip() for cell in row.cells.values() if _may_be_header(cell)}) for row in rows]
    enough = max(2.0, _NEARLY * max(counts, default=0))
    return next((index for index, count in enumerate(counts) if count >= enough), None)


def _may_be_header(cell: Cell) -> bool:
    text = cell.text.strip()
    is_number = cell.nature != "text" or _NUMBER.fullmatch(text) is not None
    return 0 < len(text) <= _LONGEST_HEADER and not is_number and "://" not in text


def _below(header: Row, blocks: Sequence[Block], grid: Grid, columns: Columns) -> list[Row]:
    """The first rows under a header that may be products."""
    at = next(place for place, block in enumerate(blocks) if block is header.block)
    rows = (row for block in blocks[at:] for row in rows_of(block, grid.naming))
    below = (row for row in islice(rows, header.place + 1, None) if row.cells or row.pictures)
    wanted = (row for row in below if not any(columns.is_footer(c.text) for c in [*row.cells.values()][:1]))
    return list(islice(wanted, _ROWS_LOOKED_AT))


def _table(grid: Grid, row: Row, below: Sequence[Row], columns: Columns, *, is_guessed: bool) -> TableMapping:
    cells = {place: cell for place, cell in sorted(row.cells.items()) if cell.text.strip()}
    known = {place: match.field for place, cell in cells.items() if (match := columns.match(cell.text))}
    taken = {name for name in known.values() if name not in LIST_FIELDS}
    missing = columns.required - set(known.values())
    spellings = _Spellings(columns)
    headers = []
    for place, cell in cells.items():
        text = cell.text.strip()
        is_ignored = columns.is_ignored(text)
        is_open = place not in known and not is_ignored and not columns.is_row_number(text)
        column = Column(text, [below_row.cell(place) for below_row in below], _pictures(below, place))
        headers.append(
            HeaderMapping(
                where=cell.where,
                text=text,
                field=known.get(place, ""),
                alias=spellings.of(text, known[place]) if place in known else "",
                is_own=columns.is_own(text),
                is_ignored=is_ignored,
                suggestions=tuple(spellings.suggested(column, taken, missing)) if is_open else (),
            )
        )
    return TableMapping(
        name=grid.name,
        line=row.label if isinstance(row.label, int) else None,
        is_guessed=is_guessed,
        fingerprint=fingerprint_of(row),
        headers=tuple(headers),
        missing=tuple(sorted(missing, key=list(columns.aliases).index)),
    )


def _pictures(rows: Sequence[Row], place: int) -> int:
    return sum(place in row.pictures for row in rows)


class _Spellings:
    """All names of all fields, as they are compared."""

    def __init__(self, columns: Columns) -> None:
        self._brackets = columns.ignored_in_brackets
        self._names: Mapping[str, Mapping[str, str]] = {
            field: {plain(alias, self._brackets): alias for alias in reversed(aliases)}
            for field, aliases in columns.aliases.items()
        }

    def of(self, text: str, field: str) -> str:
        """The name of *field* by which a header is known."""
        name, names = plain(text, self._brackets), self._names[field]
        return names.get(name) or names.get(name.rstrip("0123456789"), "")

    def suggested(
        self, column: Column, taken: Collection[str], missing: Collection[str]
    ) -> Iterator[Suggestion]:
        """What a header may mean, the likeliest first.

        Of *taken* fields there is a column already; those that are *missing* must be somewhere.
        """
        alike = {
            field: best for field in self._names if field not in taken and (best := self._best(column, field))
        }
        said = {field: hint for field, hint in hints(column, taken).items() if field not in taken}
        found = [
            Suggestion(field, *alike.get(field, ("", 0.0)), said.get(field, ""))
            for field in {**alike, **said}
        ]

        def rank(one: Suggestion) -> float:
            return one.alike + _HINT_RANK * bool(one.hint) + _MISSING_RANK * (one.field in missing)

        found.sort(key=rank, reverse=True)
        return islice(found, _MOST_SUGGESTIONS)

    def _best(self, column: Column, field: str) -> tuple[str, float] | None:
        """The name of *field* that is most like a header, without its remarks in brackets."""
        name = plain(_ANY_BRACKETS.sub("", column.header) or column.header)
        scores = ((fuzz.ratio(name, other), alias) for other, alias in self._names[field].items())
        score, alias = max(scores, default=(0.0, ""))
        return (alias, round(score, 1)) if score >= _ALIKE else None
