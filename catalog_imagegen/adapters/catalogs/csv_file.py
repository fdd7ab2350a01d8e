"""Read a text table, whatever its encoding and separator."""

from __future__ import annotations

import csv
import re
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING

import pandas as pd

from catalog_imagegen.adapters.catalogs.files import refuse_corrupt
from catalog_imagegen.adapters.catalogs.grid import Cell, Grid, Grids, Row, column_letter, spreadsheet_row
from catalog_imagegen.adapters.catalogs.header import ROWS_SEARCHED, count_fields
from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.columns import Columns

_SEPARATORS = (",", ";", "\t", "|")
_SEP_LINE = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)
_FORCED_TEXT = re.compile(r'="([^"]*)"')
"""How exports keep Excel from reading 00123 as a number."""

_MOST_FIELD_CHARACTERS = 10_000_000


def read_text_table(text: str, *, name: str, columns: Columns) -> Grids:
    """Read the cells of a CSV or TSV file exactly as written; pandas splits it but never infers a type.

    Raises CatalogError (``corrupt_file``) for a quote that never ends.
    """
    told = _SEP_LINE.match(text)
    text = text[told.end() :] if told else text
    separator = told[1] if told else _separator(text, columns)
    widths = _widths(text, separator, name)
    try:
        frame = pd.read_csv(
            StringIO(text, newline=""),
            sep=separator,
            header=None,
            names=range(max(widths, default=1) or 1),
            index_col=False,
            dtype=str,
            keep_default_na=False,
            na_filter=False,
            skip_blank_lines=False,
            engine="c",
        )
    except pd.errors.ParserError as error:
        raise _open_quote(name, len(widths)) from error
    records = frame.itertuples(index=False, name=None)
    return Grids(
        (Grid(name, [_row(name, n, r, w) for n, (r, w) in enumerate(zip(records, widths, strict=True), 1)]),)
    )


def _row(name: str, number: int, record: tuple[object, ...], width: int) -> Row:
    cells = {
        column: Cell(_unforced(text), f"{name}!{column_letter(column)}{number}")
        for column, text in enumerate(record)
        if isinstance(text, str) and text.strip()
    }
    return spreadsheet_row(name, number, cells, width=width)


def _unforced(text: str) -> str:
    forced = _FORCED_TEXT.fullmatch(text.strip())
    return forced[1] if forced else text


def _separator(text: str, columns: Columns) -> str:
    """Choose the separator under which one of the first lines names most fields, then the one that splits most."""

    def fit(separator: str) -> tuple[int, int]:
        lines = list(islice(csv.reader(StringIO(text, newline=""), delimiter=separator), ROWS_SEARCHED))
        return max(((count_fields(line, columns), len(line)) for line in lines), default=(0, 0))

    csv.field_size_limit(_MOST_FIELD_CHARACTERS)
    return max(_SEPARATORS, key=fit)


def _widths(text: str, separator: str, name: str) -> list[int]:
    """Count the cells of each record: pandas must be told the widest, or it fails at the first longer line."""
    csv.field_size_limit(_MOST_FIELD_CHARACTERS)
    widths: list[int] = []
    try:
        widths.extend(len(record) for record in csv.reader(StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise _open_quote(name, len(widths) + 1) from error
    return widths


def _open_quote(name: str, row: int) -> CatalogError:
    return refuse_corrupt(
        name, f"a double quote in row {row} never ends; close it", f"第 {row} 行的双引号没有结束；请补上"
    )
