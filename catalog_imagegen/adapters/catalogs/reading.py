"""Turn grids into products, and everything wrong with them into issues."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.blocks import TableReader
from catalog_imagegen.adapters.catalogs.defaults import told
from catalog_imagegen.adapters.catalogs.duplicates import without_duplicates
from catalog_imagegen.adapters.catalogs.files import refuse_too_large
from catalog_imagegen.adapters.catalogs.grid import rows_of
from catalog_imagegen.adapters.catalogs.header import ROWS_SEARCHED, ColumnMissing, find_header
from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.domain.catalog import CatalogPicture, Issue, Product, Reading
from catalog_imagegen.domain.errors import CatalogError

_MOST_ISSUES = 5_000_000
"""Beyond this they fill the memory, and nobody reads them."""

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.blocks import BlockPictures
    from catalog_imagegen.adapters.catalogs.columns import Columns
    from catalog_imagegen.adapters.catalogs.grid import Block, Grid, Grids, Row

Look = Callable[[Sequence["Row"]], None]


def read_grids(
    source: Grids, columns: Columns, *, header_row: int | None = None, look: Look | None = None
) -> Reading:
    """Read the products of every grid with a header, which is in line *header_row* where that is told.

    *look* is called with the first rows of every grid before it is read; it may raise to end the reading.

    Raises CatalogError when no grid can be read at all, or when headers stand over nothing.
    """
    tables = _Tables(columns, header_row, look)
    with _nothing_thrown_away():
        for grid in source.grids:
            tables.read(grid)
    tables.refuse_nothing()
    kept, more = without_duplicates(tables.products, is_row_number=columns.is_row_number)
    issues = (*source.issues, *tables.issues(), *more)
    pictures = _Pictures(tuple(tables.pictures))
    return Reading(products=kept, issues=issues, pictures=pictures, header_rows=tables.header_rows)


@contextmanager
def _nothing_thrown_away() -> Iterator[None]:
    """All that is made meanwhile is kept; to search it for garbage again and again would take a sixth of the time.

    Afterwards it counts among what is old, which is searched seldom, instead of being searched at once as new.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()
        if was_enabled:
            gc.enable()


@dataclass(frozen=True, slots=True)
class _Pictures:
    """The pictures in and named by rows, in their order."""

    found: tuple[BlockPictures, ...]

    def __iter__(self) -> Iterator[CatalogPicture]:
        return iter(dict.fromkeys(chain.from_iterable(self.found)))  # one in merged cells is of several rows


class _Tables:
    """What the grids of one catalog have given so far."""

    def __init__(self, columns: Columns, header_row: int | None, look: Look | None) -> None:
        self._columns, self._header_row, self._look = columns, header_row, look
        self.products: list[Product] = []
        self.pictures: list[BlockPictures] = []
        self._issues: list[Issue] = []
        self._refused: list[ColumnMissing] = []
        self._names: list[str] = []
        self._filled: Counter[str] = Counter()
        self._first_header = ""
        self.header_rows: dict[str, int] = {}
        self._is_anything_written = False
        self._has_rows = False

    def read(self, grid: Grid) -> None:
        """Take what a grid has; one that is no catalog matters only when no other one is."""
        self._names.append(grid.name)
        blocks = iter(grid.blocks)
        first, rows = beginning(blocks, grid, self._header_row)
        if not rows:
            return
        self._is_anything_written = True
        if self._look is not None:
            self._look(rows)
        try:
            header = find_header(grid, rows, self._columns, self._header_row)
        except ColumnMissing as error:
            self._refused.append(error)
            return
        if header is None:
            code = "no_header_found" if self._header_row is None else "header_row_blank"
            self._issues.append(issue(code, grid.name, line=self._header_row))
            return
        self._first_header = self._first_header or header.row.where
        if isinstance(header.row.label, int):
            self.header_rows[grid.name] = header.row.label
        table = TableReader(grid, header, self._columns)
        self._issues += header.issues
        at = next(place for place, block in enumerate(first) if block is header.row.block)
        for block in first[:at]:
            table.notice_above(block, len(block.labels))
        self.products += table.read(first[at], header.row.place + 1)
        for block in chain(first[at + 1 :], blocks):
            if len(self._issues) + len(table.issues) > _MOST_ISSUES:
                raise refuse_too_large(grid.name)
            self.products += table.read(block)
        self._issues += table.issues
        self.pictures += table.pictures
        self._filled.update(table.defaults.filled)
        self._has_rows = self._has_rows or table.has_rows
        if not table.has_rows:
            self._issues.append(issue("sheet_without_rows", header.row.where))

    def issues(self) -> list[Issue]:
        """What was said about rows, and about the grids that were not read."""
        refused = [
            Issue(missing.where, missing.code, "error", missing.message_zh, missing.message_en)
            for missing in self._refused
        ]
        return self._issues + refused + told(self._filled, self._columns.defaults)

    def refuse_nothing(self) -> None:
        """Raises CatalogError where no grid had a header, or none had rows."""
        if not self._first_header:
            raise self._refused[0] if self._refused else self._no_header()
        if not self._has_rows:
            raise CatalogError(
                f"{self._first_header}: there is a header but no product below it; add rows and import again",
                zh=f"{self._first_header}：只有表头，没有商品；请填写商品后重新导入",
                code="empty_catalog",
            )

    def _no_header(self) -> CatalogError:
        names = ", ".join(self._names) or "-"
        if not self._is_anything_written:
            return CatalogError(
                f"nothing is written in {names}; fill in the catalog (or unhide its sheet) and import again",
                zh=f"{names} 中没有内容；请填写商品资料（或取消隐藏工作表）后重新导入",
                code="empty_catalog",
            )
        if self._header_row is not None:
            return CatalogError(
                f"line {self._header_row} of {names}, which is to have the header, is blank; correct header_row",
                zh=f"{names} 的第 {self._header_row} 行是空行，不是表头；请改正 header_row",
                code="header_row_blank",
            )
        return CatalogError(
            f"no header row was found in {names}; give the table a header with at least a SKU and a name column, "
            "or make an import profile of your headers (catalog-imagegen catalog map)",
            zh=f"在 {names} 中没有找到表头；请加一行表头（至少有货号和商品名称），或为您的表头生成导入方案（catalog-imagegen catalog map）",
            code="no_header_found",
        )


def beginning(
    blocks: Iterator[Block], grid: Grid, header_row: int | None = None
) -> tuple[list[Block], list[Row]]:
    """Blocks and the rows in them that are not blank, as far as a header is looked for; no rows: the grid is blank."""
    last = header_row or 0
    first: list[Block] = []
    rows: list[Row] = []
    for block in blocks:
        first.append(block)
        for row in rows_of(block, grid.naming):
            if not row.is_blank:
                rows.append(row)
            is_far_enough = not isinstance(row.label, int) or row.label >= last
            if len(rows) >= ROWS_SEARCHED and is_far_enough:
                return first, rows
    return first, rows
