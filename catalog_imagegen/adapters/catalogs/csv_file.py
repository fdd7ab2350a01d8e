"""Read a text table, whatever its encoding and separator."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from io import BytesIO, StringIO
from itertools import count, islice, zip_longest
from typing import TYPE_CHECKING, Any

import pandas as pd

from catalog_imagegen.adapters.catalogs.files import refuse_corrupt
from catalog_imagegen.adapters.catalogs.grid import BLOCK_ROWS, Block, Grid, Grids, SheetNaming, Value
from catalog_imagegen.adapters.catalogs.header import ROWS_SEARCHED, count_fields
from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.columns import Columns

_SEPARATORS = (",", ";", "\t", "|")
_SEP_LINE = re.compile(r'"?sep=([^"\r\n])"?\r?\n', re.IGNORECASE)
_FORCED_TEXT = re.compile(r'\s*="([^"]*)"\s*')
"""How exports keep Excel from reading 00123 as a number."""

_MOST_CELLS, _MOST_COLUMNS = 40_000_000, 16_384
"""What pandas makes room for. One long line among many short ones is read line by line instead."""
_BLOCK_CELLS = 2_000_000
_MOST_FIELD_CHARACTERS = 10_000_000
_BEGINNING_CHARACTERS = 1_000_000


def read_text_table(text: str, *, name: str, columns: Columns) -> Grids:
    """Read the cells of a CSV or TSV file exactly as written; pandas splits it but never infers a type.

    Raises CatalogError (``corrupt_file``) for a quote that never ends.
    """
    csv.field_size_limit(_MOST_FIELD_CHARACTERS)
    told = _SEP_LINE.match(text)
    text = text[told.end() :] if told else text
    separator = told[1] if told and told[1].isascii() else _separator(text, columns)
    widths = _widths(text[:_BEGINNING_CHARACTERS], separator, name)
    blocks = _blocks_of(text, separator, max(widths, default=1), name)
    if blocks is None:  # a later line is longer than the first ones, or a quote does not end
        widths = _widths(text, separator, name)
        blocks = _blocks_of(text, separator, max(widths, default=1), name)
    if blocks is None:
        raise _open_quote(name, len(widths))
    return Grids((Grid(SheetNaming(name), name, blocks, widths=widths),))


def _blocks_of(text: str, separator: str, width: int, name: str) -> Iterator[Block] | None:
    """The rows of a table whose lines have up to *width* cells; None where one has more, or a quote does not end."""
    if width > _MOST_COLUMNS or width * (text.count("\n") + text.count("\r")) > _MOST_CELLS:
        return _blocks_by_line(text, separator, name)
    try:
        return _blocks(_split(text, separator, width))  # all are split before the first is read
    except pd.errors.ParserError:
        return None


def _blocks_by_line(text: str, separator: str, name: str) -> Iterator[Block]:
    """Blocks of lines that are alike in length, so that a short one takes no room for what only a long one has."""
    lines: list[list[str]] = []
    width = first = 0
    for line in _lines(text, separator, name):
        widest = max(width, len(line))
        if lines and (len(lines) == BLOCK_ROWS or widest * (len(lines) + 1) > _BLOCK_CELLS):
            yield _block_of(lines, first)
            first, widest = first + len(lines), len(line)
            lines = []
        lines.append(line)
        width = widest
    if lines:
        yield _block_of(lines, first)


def _block_of(lines: Sequence[Sequence[str]], first: int) -> Block:
    columns = dict(enumerate(map(_texts, map(list, zip_longest(*lines)))))
    return Block(range(first + 1, first + 1 + len(lines)), columns)


def _split(text: str, separator: str, width: int) -> list[pd.DataFrame]:
    """A table in parts of BLOCK_ROWS, which takes pandas less time than one whole.

    Raises ParserError for a line of more than *width* cells: pandas must be told the widest.
    """
    with pd.read_csv(
        BytesIO(text.encode(errors="surrogatepass")),  # a text it would encode by itself, piece by piece
        encoding_errors="surrogatepass",
        sep=separator,
        header=None,
        names=range(width or 1),
        index_col=False,
        dtype=object,
        keep_default_na=False,
        na_filter=False,
        skip_blank_lines=False,
        engine="c",
        chunksize=BLOCK_ROWS,
    ) as parts:
        return list(parts)


def _blocks(parts: Sequence[pd.DataFrame]) -> Iterator[Block]:
    end = 0
    for part in parts:
        start, end = end, end + len(part)
        columns = dict(enumerate(map(_texts, part.to_numpy().T.tolist())))
        if any(map(any, columns.values())):  # else these are blank lines
            yield Block(range(start + 1, end + 1), columns)


def _texts(column: list[Any]) -> Sequence[Value]:
    """Cells that a short line lacks are nothing; texts are freed of what marks them as texts."""
    try:
        is_any_forced = '="' in "".join(column)
    except TypeError:  # they are not all texts
        return [_unforced(value) if isinstance(value, str) else None for value in column]
    return [_unforced(text) for text in column] if is_any_forced else column


def _unforced(text: str) -> str:
    forced = _FORCED_TEXT.fullmatch(text) if '="' in text else None
    return forced[1] if forced else text


def _separator(text: str, columns: Columns) -> str:
    """Choose the separator under which one of the first lines names most fields, then the one that splits most."""
    beginning = text[:_BEGINNING_CHARACTERS]

    def fit(separator: str) -> tuple[int, int]:
        reader = csv.reader(StringIO(beginning, newline=""), delimiter=separator)
        lines = list(islice(reader, ROWS_SEARCHED))
        return max(((count_fields(line, columns), len(line)) for line in lines), default=(0, 0))

    return max(_SEPARATORS, key=fit)


def _widths(text: str, separator: str, name: str) -> list[int]:
    """Count the cells of each line."""
    return [len(line) for line in _lines(text, separator, name)]


def _lines(text: str, separator: str, name: str) -> Iterator[list[str]]:
    """The cells of each line. Raises CatalogError for a cell that is far too long, which is a quote that does not end."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator)
    for number in count(1):
        try:
            line = next(reader, None)
        except csv.Error as error:
            raise _open_quote(name, number) from error
        if line is None:
            return
        yield line


def _open_quote(name: str, row: int) -> CatalogError:
    return refuse_corrupt(
        name, f"a double quote in row {row} never ends; close it", f"第 {row} 行的双引号没有结束；请补上"
    )
