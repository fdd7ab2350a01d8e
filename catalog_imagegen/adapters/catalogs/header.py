"""Find a grid's header row and say which column holds which field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from itertools import count, islice
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.columns import Columns, plain
from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.domain.catalog import LIST_FIELDS, Issue
from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from catalog_imagegen.adapters.catalogs.grid import Cell, Grid, Row

ROWS_SEARCHED = 30
_MOST_COMPARED = 500
"""Headers that are compared with aliases letter by letter; no table has more."""
_ENOUGH_HITS = 2
_ALIKE = 0.7
"""difflib ratio from which a header is worth suggesting; it separates 商品编马/商品编码 (.75) from chance."""


@dataclass(frozen=True)
class Header:
    """Which column holds which field, and what the others are called."""

    index: int
    row: Row
    fields: Mapping[str, tuple[int, ...]]
    """Field → its columns; only a list field may have several (卖点1, 卖点2 …), and pictures always may."""
    extras: Mapping[int, str]
    ignored: frozenset[int] = frozenset()
    """Columns that the catalog's own rules leave out."""
    width: int | None = None
    """How many cells a line may hold, where one can be too long for its header (CSV)."""
    issues: tuple[Issue, ...] = ()

    @cached_property
    def mapped(self) -> frozenset[int]:
        """The columns of all fields."""
        return frozenset(column for places in self.fields.values() for column in places)


class ColumnMissing(CatalogError):
    """A required column is not in the header; carries the likeliest misspelling as ``suggestion``."""

    def __init__(self, column: str, *, row: Row, columns: Columns) -> None:
        found = _suggest(column, row, columns)
        self.column = column
        self.suggestion = f"{found[1]} -> {found[2]}?" if found else ""
        known = columns.aliases[column][1] if len(columns.aliases[column]) > 1 else column
        named_en, named_zh = f"name the column {known!r}", f"请把该列的表头写成“{known}”"
        if found:
            where, text, alias = found
            named_en = f"did you mean {alias!r} by {text!r} in {where}? Rename it"
            named_zh = f"{where} 的“{text}”是不是“{alias}”？请改名"
        super().__init__(
            f"{row.where}: no column for the required field {column!r}; {named_en}, "
            f"or add your header to [fields.{column}] aliases in config/columns.toml, "
            "or to an import profile (catalog-imagegen catalog map)",
            zh=f"{row.where}：缺少必填列 {column}；{named_zh}，或把您的表头加到 config/columns.toml 的 [fields.{column}] aliases 中，"
            "或加到导入方案中（catalog-imagegen catalog map）",
            code="required_column_missing",
        )
        self.where = row.where


def find_header(
    grid: Grid, rows: Sequence[Row], columns: Columns, header_row: int | None = None
) -> Header | None:
    """Find which of the first *rows* has the most known headers; None if no row looks like a header.

    The line *header_row* has it, where that is told, unless the source itself says where it is.

    Raises ColumnMissing when that row lacks the SKU or name column, and CatalogError (``ambiguous_columns``)
    when two columns claim one field.
    """
    index = header_index(grid, rows, columns, header_row)
    if index is None:
        return None
    row = rows[index]
    fields = _fields(row, columns)
    for name in sorted(columns.required, key=lambda field: (field != "sku", field)):
        if name not in fields:
            raise ColumnMissing(name, row=row, columns=columns)
    extras, issues = _extras(row, columns, {column for places in fields.values() for column in places})
    ignored = frozenset(column for column, cell in row.cells.items() if columns.is_ignored(cell.text))
    line = row.label if isinstance(row.label, int) else 0
    width = grid.widths[line - 1] if 0 < line <= len(grid.widths) else None
    return Header(
        index=index, row=row, fields=fields, extras=extras, ignored=ignored, width=width, issues=issues
    )


def header_index(
    grid: Grid, rows: Sequence[Row], columns: Columns, header_row: int | None = None
) -> int | None:
    """Which of the first *rows* is the header; None if none looks like one, or the line that has it is blank."""
    if grid.header_index is not None:
        return grid.header_index
    if header_row is None:
        return _best(rows, columns)
    return next((index for index, row in enumerate(rows) if row.label == header_row), None)


def count_fields(texts: Sequence[str], columns: Columns) -> int:
    """Count the product fields that *texts* would name as a header."""
    return len(_hits(texts, columns))


def _hits(texts: Sequence[str], columns: Columns) -> set[str]:
    return {found.field for text in texts if text.strip() and (found := columns.match(text))}


def _best(rows: Sequence[Row], columns: Columns) -> int | None:
    hits = [_hits([cell.text for cell in row.cells.values()], columns) for row in rows]
    likely = [index for index, found in enumerate(hits) if len(found) >= _ENOUGH_HITS]
    if not likely:
        likely = [index for index, found in enumerate(hits) if found & {"sku", "name"}]
    return max(likely, key=lambda index: len(hits[index]), default=None)


def _fields(row: Row, columns: Columns) -> dict[str, tuple[int, ...]]:
    found: dict[str, dict[tuple[int, int], int]] = {}
    for column, cell in sorted(row.cells.items()):
        match = columns.match(cell.text) if cell.text.strip() else None
        if match is None:
            continue
        places = found.setdefault(match.field, {})
        # 主图 beside 图片链接 is no contradiction: every picture is wanted, in the order of the columns.
        # So is every list that the catalog's own rules name.
        is_own = columns.is_own(cell.text)
        is_joined = match.field == "images" or (is_own and match.field in LIST_FIELDS)
        ordinal = match.ordinal, column + 1 if is_joined else 0
        if ordinal in places:
            other = row.cell(places[ordinal])
            if columns.is_own(other.text) == is_own:
                _refuse_ambiguous(match.field, [other, cell])
            if not is_own:
                continue
        places[ordinal] = column
    return {field: tuple(column for _, column in sorted(places.items())) for field, places in found.items()}


def _refuse_ambiguous(field: str, cells: Sequence[Cell]) -> None:
    named = [f"{cell.where} {cell.text.strip()!r}" for cell in cells]
    raise CatalogError(
        f"two columns claim the field {field!r}: {' and '.join(named)}; rename or delete one of them",
        zh=f"有两列都对应字段 {field}：{' 和 '.join(named)}；请改名或删除其中一列",
        code="ambiguous_columns",
    )


def _extras(row: Row, columns: Columns, mapped: Collection[int]) -> tuple[dict[int, str], tuple[Issue, ...]]:
    """What the other columns are called: never like a field, whose values would be taken for it."""
    extras: dict[int, str] = {}
    issues = []
    taken = set(columns.aliases)
    names: dict[str, Iterator[str]] = {}
    for column, cell in sorted(row.cells.items()):
        text = cell.text.strip()
        if not text or column in mapped or columns.is_ignored(text):
            continue
        numbered = names.setdefault(text, _numbered(text))
        name = next(name for name in numbered if name not in taken)
        if name != text:
            issues.append(issue("repeated_header", cell.where, header=text, renamed=name))
        taken.add(name)
        extras[column] = name
    return extras, tuple(issues)


def _numbered(text: str) -> Iterator[str]:
    """The names that columns of one header may have, one after the other."""
    yield text
    yield from (f"{text}_{number}" for number in count(2))


def _suggest(field: str, row: Row, columns: Columns) -> tuple[str, str, str] | None:
    """Give the place and text of the unknown header most like an alias of *field*, and that alias."""
    best, found = _ALIKE, None
    for cell in islice(row.cells.values(), _MOST_COMPARED):
        text = cell.text.strip()
        if not text or columns.match(text):
            continue
        bare = plain(text, columns.ignored_in_brackets)
        for alias in columns.aliases[field]:
            matcher = SequenceMatcher(None, bare, plain(alias))
            if min(matcher.real_quick_ratio(), matcher.quick_ratio()) < best:  # ratio is never more, but slow
                continue
            likeness = matcher.ratio()
            if likeness >= best and (found is None or likeness > best):
                best, found = likeness, (cell.where, text, alias)
    return found
