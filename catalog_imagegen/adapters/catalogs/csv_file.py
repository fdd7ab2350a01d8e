"""Read a text table, whatever its encoding and separator."""

from __future__ import annotations

import codecs
import csv
import re
import unicodedata
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING

import pandas as pd

from catalog_imagegen.adapters.catalogs.files import refuse_corrupt, refuse_format
from catalog_imagegen.adapters.catalogs.grid import Cell, Grid, Grids, Row, column_letter, spreadsheet_row
from catalog_imagegen.adapters.catalogs.header import ROWS_SEARCHED, count_fields
from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.columns import Columns

_SEPARATORS = (",", ";", "\t", "|")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SEP_LINE = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)
_FORCED_TEXT = re.compile(r'="([^"]*)"')
"""How exports keep Excel from reading 00123 as a number."""

_SAMPLE_CHARACTERS = 4096
_MOST_JUNK = 0.05
"""Share of characters no text has; a file in a wrong or no encoding has far more."""

_MOST_FIELD_CHARACTERS = 10_000_000


def read_text_table(data: bytes, *, name: str, columns: Columns) -> Grids:
    """Read the cells of a CSV or TSV file exactly as written; pandas splits it but never infers a type.

    Raises CatalogError: ``unknown_format`` (no text), ``corrupt_file`` (a quote that never ends).
    """
    text = decode(data, name)
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


def decode(data: bytes, name: str) -> str:
    """The text of a file in an encoding that catalogs come in. Raises CatalogError (``unknown_format``)."""
    text = _decoded(data)
    if text is None or _junk_share(text[:_SAMPLE_CHARACTERS]) > _MOST_JUNK:
        refuse_format(
            name,
            "no text in UTF-8, UTF-16 or GB18030 (encrypted by company software?)",
            "无法识别的内容（不是 UTF-8、UTF-16 或 GB18030 文本，可能被公司软件加密）",
        )
    return text


def _junk_share(sample: str) -> float:
    """Give the share of control, private and unassigned characters."""
    junk = sum(
        unicodedata.category(char) in {"Cc", "Cn", "Co"} and char not in "\t\r\n\f\v" for char in sample
    )
    return junk / max(len(sample), 1)


def _decoded(data: bytes) -> str | None:
    """Decode by byte order mark, else by where the zero bytes are, else as strict UTF-8, else as strict GB18030."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _strict(data[len(mark) :], encoding)
    if b"\0" in data[:_SAMPLE_CHARACTERS]:
        sample = data[: min(len(data), _SAMPLE_CHARACTERS) // 2 * 2]
        high_last = sample[1::2].count(0) >= sample[::2].count(0)
        return _strict(data, "utf-16-le" if high_last else "utf-16-be")
    text = _strict(data, "utf-8")
    return _strict(data, "gb18030") if text is None else text


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


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
