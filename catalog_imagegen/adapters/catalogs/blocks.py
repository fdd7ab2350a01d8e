"""Read whole blocks of a table at once; rows about which there is anything to say are left to ``rows``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import compress, repeat
from typing import TYPE_CHECKING, Any, TypeVar

from catalog_imagegen.adapters.catalogs import values
from catalog_imagegen.adapters.catalogs.column_texts import is_said, look_at_skus, mark, texts_of
from catalog_imagegen.adapters.catalogs.defaults import Defaults
from catalog_imagegen.adapters.catalogs.files import refuse_too_large
from catalog_imagegen.adapters.catalogs.footers import footer_rows
from catalog_imagegen.adapters.catalogs.grid import Label, Naming, rows_of
from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.adapters.catalogs.lists import references_of, split_list
from catalog_imagegen.adapters.catalogs.many import maker_of
from catalog_imagegen.adapters.catalogs.rows import read_row
from catalog_imagegen.domain.catalog import (
    APPEARANCE_FIELDS,
    LIST_FIELDS,
    TEXT_FIELDS,
    CatalogPicture,
    Issue,
    Product,
    one_text,
    row_digest,
)

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.columns import Columns
    from catalog_imagegen.adapters.catalogs.grid import Block, Grid, Nature
    from catalog_imagegen.adapters.catalogs.header import Header

_MOST_REMEMBERED = 50_000
_MOST_EXTRA_CELLS, _MOST_IN_WIDE, _WIDE = 50_000_000, 10_000_000, 500
"""Every product has every extra column, also where it is blank: long headers over many rows would take all memory."""
_ORDER = tuple(each.name for each in fields(Product))
_products = maker_of(Product)
_WRITTEN: frozenset[Nature] = frozenset({"text", "number", "date"})

T = TypeVar("T")


class _Memo(dict[str, T]):
    """What a function makes of a text; the same words stand in many rows."""

    def __init__(self, make: Callable[[str], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, text: str) -> T:
        if len(self) > _MOST_REMEMBERED:
            self.clear()
        made = self[text] = self._make(text)
        return made


@dataclass(slots=True)
class RowCells(Mapping[str, str]):
    """Field (or header of an extra column) → its cell; names are only made where somebody asks."""

    naming: Naming
    label: Label
    places: Mapping[str, int]

    def __getitem__(self, name: str) -> str:
        return self.naming.cell(self.label, self.places[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def get(self, name: str, default: Any = None) -> Any:
        """As of any mapping, without its exceptions."""
        return self[name] if name in self.places else default


@dataclass(slots=True)
class BlockPictures:
    """The pictures of a block's rows, in their order; those that plain rows name are only listed where somebody asks."""

    naming: Naming
    labels: Sequence[Label]
    named: dict[int, Sequence[tuple[str, ...]]] = field(default_factory=dict)
    """Column → what each row names there."""
    close: dict[int, tuple[CatalogPicture, ...]] = field(default_factory=dict)
    """Row of the block that was looked at closely → its pictures."""

    def __iter__(self) -> Iterator[CatalogPicture]:
        for place, label in enumerate(self.labels):
            if place in self.close:
                yield from self.close[place]
                continue
            for column, references in self.named.items():
                where = self.naming.cell(label, column) if references[place] else ""
                yield from (
                    CatalogPicture(where, values.kind_of(each), reference=each) for each in references[place]
                )


class TableReader:
    """The rows under one header."""

    def __init__(self, grid: Grid, header: Header, columns: Columns) -> None:
        self._name, self._naming, self._header, self._columns = grid.name, grid.naming, header, columns
        self._places = {name: places[0] for name, places in header.fields.items()} | {
            title: column for column, title in header.extras.items()
        }
        self._prices = _Memo(_price)
        self._dates = _Memo(values.date)
        self._lists: Mapping[str, _Memo[tuple[str, ...]]] = {
            name: _Memo(_splitter(columns.splitters.get(name, ()))) for name in LIST_FIELDS
        }
        self._header_texts = {header.row.cell(self._places[name]).text.strip() for name in ("sku", "name")}
        self._headless: set[int] = set()
        self._extra_cells = 0
        self.defaults = Defaults(columns.defaults)
        self.issues: list[Issue] = []
        self.pictures: list[BlockPictures] = []
        self.has_rows = False
        """Whether any row was to describe a product, well or not."""

    def read(self, block: Block, start: int = 0) -> list[Product]:
        """The products of a block's rows from *start* on. Raises CatalogError (``file_too_large``)."""
        self._extra_cells += len(block.labels) * len(self._header.extras)
        if self._extra_cells > (_MOST_IN_WIDE if len(self._header.extras) > _WIDE else _MOST_EXTRA_CELLS):
            raise refuse_too_large(self._name)
        odd = set(range(start)) | set(block.hidden) | {place for place, _ in block.pictures}
        block = self._with_written(block, odd)
        self._notice_headless(block, start, odd)
        self.notice_above(block, start)
        above: dict[int, tuple[CatalogPicture, ...]] = dict.fromkeys(range(start), ())
        self.pictures.append(BlockPictures(self._naming, block.labels, close=above))
        made = self._fields(block, odd)
        plain = [place not in odd for place in range(len(block.labels))]
        self.defaults.count(plain)
        products: list[Product] = []
        if any(plain):
            self.has_rows = True
            labels = list(compress(block.labels, plain))
            products = _products(
                zip(*(self._plain(made, name, labels, plain) for name in _ORDER), strict=False)
            )
        close = sorted(place for place in odd if place >= start)
        return self._merged(block, products, plain, close) if close else products

    def notice_above(self, block: Block, end: int) -> None:
        """Say of each picture above the table, in rows of a block before *end*, that it is no product's."""
        lying = {
            picture.where: None
            for (place, _), pictures in block.pictures.items()
            for picture in pictures
            if place < end and picture.kind != "url"
        }
        self.issues += [issue("picture_outside_table", where) for where in lying]

    def _with_written(self, block: Block, odd: set[int]) -> Block:
        """The block with dates and shown numbers as texts among its values; rows with anything else become *odd*."""
        written: dict[int, dict[int, str]] = {}
        for (place, column), (text, nature) in block.special.items():
            if nature in _WRITTEN and column != self._places["sku"]:
                written.setdefault(column, {})[place] = text
            else:
                odd.add(place)
        if not written:
            return block
        columns = dict(block.columns)
        for column, texts in written.items():
            values = list(columns.get(column, [None] * len(block.labels)))
            for place, text in texts.items():
                values[place] = text
            columns[column] = values
        return replace(block, columns=columns)

    def _merged(
        self, block: Block, products: list[Product], plain: list[bool], close: list[int]
    ) -> list[Product]:
        """All products in their order, with those of the rows that are looked at closely."""
        by_place: dict[int, Product] = dict(zip(compress(range(len(plain)), plain), products, strict=True))
        rows = list(rows_of(block, self._naming))
        for place in close:
            row = rows[place]
            self.pictures[-1].close[place] = ()
            if row.is_blank and not row.pictures:
                continue
            reading = read_row(row, self._header, self._columns)
            self.issues += reading.issues
            self.pictures[-1].close[place] = reading.pictures
            self.has_rows = self.has_rows or not reading.is_skipped
            self.defaults.filled.update(reading.defaulted)
            if reading.product is not None:
                by_place[place] = reading.product
        return [by_place[place] for place in sorted(by_place)]

    def _plain(
        self, made: Mapping[str, list[Any]], name: str, labels: Sequence[Label], plain: Sequence[bool]
    ) -> Iterable[Any]:
        """One field of all plain rows, which have these *labels*."""
        if name == "cells":
            return map(RowCells, repeat(self._naming), labels, repeat(self._places))
        if name == "where":
            return map(self._naming.row, labels)
        if name == "extra":
            return self._extras(made, plain)
        if name == "known_digest":
            return self._digests(made, labels, plain)
        if name not in made:
            return repeat(() if name in LIST_FIELDS else "")
        return made[name] if len(labels) == len(plain) else compress(made[name], plain)

    def _extras(self, made: Mapping[str, list[Any]], plain: Sequence[bool]) -> Iterable[Mapping[str, str]]:
        titles = list(self._header.extras.values())
        if not titles:
            return ({} for is_plain in plain if is_plain)
        extras = zip(*(made[title] for title in titles), strict=True)
        return map(dict, map(zip, repeat(titles), compress(extras, plain)))

    def _digests(
        self, made: Mapping[str, list[Any]], labels: Sequence[Label], plain: Sequence[bool]
    ) -> Iterable[str]:
        """What names each plain row: made of whole columns it takes two thirds of the time that row by row it would."""
        titles = self._header.extras.values()  # any, also such as those of a product's own attributes
        texts = [self._plain(made, name, labels, plain) for name in TEXT_FIELDS]
        lists = [map(one_text, self._plain(made, name, labels, plain)) for name in LIST_FIELDS]
        extras = [compress(made[title], plain) for title in titles]
        return map(row_digest, zip(*texts, *lists, *map(repeat, titles), *extras, strict=False))

    def _fields(self, block: Block, odd: set[int]) -> dict[str, list[Any]]:
        """Field or title → the value of each row; rows of which more is to be said are added to *odd*."""
        made: dict[str, list[Any]] = {}
        for name, places in self._header.fields.items():
            if name in LIST_FIELDS:
                made[name] = self._listed(block, name, places, odd)
                continue
            column = block.columns.get(places[0])
            texts = texts_of(column, len(block.labels), odd)
            if name == "sku":
                look_at_skus(texts, column, odd)
                mark(texts, self._header_texts, odd)
            elif name in values.PRICE_FIELDS:
                texts = self._priced(texts, odd)
            elif name in values.DATE_FIELDS:
                texts = list(map(self._dates.__getitem__, texts))
            made[name] = texts
        for column_index, title in self._header.extras.items():
            made[title] = texts_of(block.columns.get(column_index), len(block.labels), odd)
        self.defaults.fill(made, len(block.labels))
        for name in self._columns.required | {"sku", "name"}:
            mark(made.get(name, ()), ("", ()), odd)
        odd.update(footer_rows(block, min(self._places["sku"], self._places["name"]), self._columns))
        self._look_at_appearance(made, odd)
        return made

    def _priced(self, texts: list[str], odd: set[int]) -> list[str]:
        prices = list(map(self._prices.__getitem__, texts))
        if None not in prices:
            return prices  # type: ignore[return-value]  # they are all texts
        odd.update(place for place, price in enumerate(prices) if price is None)
        return [price or "" for price in prices]

    def _listed(self, block: Block, name: str, places: Sequence[int], odd: set[int]) -> list[tuple[str, ...]]:
        parts = []
        for column in places:
            texts = texts_of(block.columns.get(column), len(block.labels), odd)
            found = (
                references_of(texts) if name == "images" else list(map(self._lists[name].__getitem__, texts))
            )
            parts.append(found)
            if name == "images":
                self.pictures[-1].named[column] = found
        if len(parts) == 1:
            return parts[0]
        by_row = list(zip(*parts, strict=True))
        odd.update(
            place for place, row in enumerate(by_row) if not row[0] and any(row)
        )  # it names another cell
        return [tuple(dict.fromkeys(item for part in row for item in part)) for row in by_row]

    def _look_at_appearance(self, made: Mapping[str, list[Any]], odd: set[int]) -> None:
        given = [made[name] for name in APPEARANCE_FIELDS if name in made]
        if not given:
            odd.update(range(len(made["sku"])))
        elif not any(all(column) for column in given):
            odd.update(place for place, row in enumerate(zip(*given, strict=True)) if not any(row))

    def _notice_headless(self, block: Block, start: int, odd: set[int]) -> None:
        """Values in columns without a header are told once; beyond the header's own line they spoil their row."""
        header = self._header
        known = header.mapped | header.extras.keys() | header.ignored | self._headless
        for column in block.columns.keys() - known:
            found = [
                place
                for place, value in enumerate(block.columns[column])
                if place >= start and is_said(value)
            ]
            if not found:
                continue
            if self._header.width is not None and column >= self._header.width:
                odd.update(found)
            else:
                self._headless.add(column)
                where = self._naming.cell(block.labels[found[0]], column)
                self.issues.append(issue("column_without_header", where))


def _splitter(splitters: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    return lambda text: split_list(text, splitters=splitters) if text else ()


def _price(text: str) -> str | None:
    return values.price(text) if text else ""
