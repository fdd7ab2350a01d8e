"""Small real catalogs for the reader tests."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from catalog_imagegen.adapters.catalogs import Columns, read_catalog
from catalog_imagegen.domain.catalog import Issue, Reading

COLUMNS = Columns.from_toml(
    tomllib.loads((Path(__file__).parents[2] / "config" / "columns.toml").read_text(encoding="utf-8"))
)
HEADER = ("货号", "商品名称", "颜色", "价格")


def write_xlsx(path: Path, *, with_formulas: bool = True, **sheets: Sequence[Sequence[Any]]) -> Path:
    """Write one sheet per keyword; strings stay strings, but for those that begin with = and may be formulas."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row, 1):
                cell = sheet.cell(number, column, value)
                if isinstance(value, str) and not (with_formulas and value.startswith("=")):
                    cell.data_type = "s"
    book.save(path)
    return path


def csv_text(rows: Sequence[Sequence[str]], *, separator: str = ",") -> str:
    """Write rows as a spreadsheet program exports them."""
    text = StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue()


def found(reading: Reading, code: str) -> list[Issue]:
    """Give the issues of one code."""
    return [issue for issue in reading.issues if issue.code == code]


def places(reading: Reading, code: str) -> list[str]:
    """Give where one code was reported."""
    return [issue.where for issue in found(reading, code)]


def kept(path: Path, data: bytes | str) -> Path:
    """Write a file byte for byte."""
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def read_file(path: Path) -> Reading:
    """Read a catalog as anybody would."""
    return read_catalog(str(path), columns=COLUMNS)


def inline_row(number: int, *texts: str) -> str:
    """The XML of a row of texts."""
    cells = (
        f'<c r="{column}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
        for column, text in zip("ABCDEFGH", texts, strict=False)
    )
    return f'<row r="{number}">{"".join(cells)}</row>'
