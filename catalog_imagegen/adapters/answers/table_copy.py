"""Copies the texts and pictures of any catalog into a new workbook, cell by cell where they stood."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import xlsxwriter
from PIL import Image
from xlsxwriter.worksheet import Worksheet

from catalog_imagegen.adapters.catalogs import Columns, Way, _File
from catalog_imagegen.adapters.catalogs.apart import grids_apart
from catalog_imagegen.adapters.catalogs.files import recognise, refuse_format
from catalog_imagegen.adapters.catalogs.grid import Grid, Grids, Row, rows_of
from catalog_imagegen.adapters.catalogs.pictures.bands import is_on_sheet
from catalog_imagegen.adapters.reports.excel import as_jpeg, clean

MAX_PICTURES = 2_000
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_LONGEST_TITLE = 31
_SIDE, _ROW_PIXELS, _PICTURE_COLUMN_PIXELS = 84, 92, 96
_NARROWEST, _WIDEST = 9, 36
"""Columns, in characters."""
_ROWS_MEASURED = 200
_WIDE = 0x2E80


def copied(
    data: bytes, *, name: str, columns: Columns, way: Way, header_rows: Mapping[str, int]
) -> tuple[bytes, Mapping[str, str]]:
    """A workbook of the texts, and the title in it of each sheet. Raises CatalogError."""
    if recognise(data, name) == "sqlite":
        refuse_format(name, "a database, which no answer can be written into", "数据库，无法写入处理结果")
    saved = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    renamed: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder, xlsxwriter.Workbook(saved, options) as book:
        shelf = Path(folder)
        with _grids(_File(Path(name), columns, replace(way, pictures=shelf)), data) as source:
            for grid in source.grids:
                renamed[grid.name] = _title(grid.name, renamed.values())
                sheet = book.add_worksheet(renamed[grid.name])
                _Copy(book, sheet, shelf).write(grid, header_rows.get(grid.name, 0))
        if not renamed:
            book.add_worksheet()
    return saved.getvalue(), renamed


@contextmanager
def _grids(file: _File, data: bytes) -> Iterator[Grids]:
    """The grids as the catalog's reader has them: text is read here, whatever has a structure apart."""
    if recognise(data, file.name) == "csv":
        yield file.grids(data)
        return
    with grids_apart(_File.grids, file, data, name=file.name) as grids:
        yield grids


def _title(name: str, taken: Collection[str]) -> str:
    """A title that a sheet can have, as much like *name* as may be."""
    plain = _FORBIDDEN.sub("_", name).strip("' ") or "1"
    plain = plain if plain.casefold() != "history" else f"{plain}_"
    others = {each.casefold() for each in taken}
    for number in range(1, 1 << 16):
        end = "" if number == 1 else f" ({number})"
        title = plain[: _LONGEST_TITLE - len(end)] + end
        if title.casefold() not in others:
            return title
    raise ValueError("too many sheets")


class _Copy:
    """Writes one sheet."""

    def __init__(self, book: xlsxwriter.Workbook, sheet: Worksheet, shelf: Path) -> None:
        self._sheet = sheet
        self._shelf = shelf
        self._cell = book.add_format({"valign": "vcenter", "text_wrap": True})
        self._header = book.add_format(
            {"bold": True, "valign": "vcenter", "text_wrap": True, "bg_color": "#F2F1ED"}
        )
        self._widths: dict[int, int] = {}
        self._with_pictures: set[int] = set()
        self._pictures = 0

    def write(self, grid: Grid, header_row: int) -> None:
        """Write its rows where they were, so that places still have their names."""
        for block in grid.blocks:
            for row in rows_of(block, grid.naming):
                number = row.label
                if isinstance(number, int) and is_on_sheet((number, 0)):
                    self._row(row, number, is_header=number == header_row)
        for column, width in self._widths.items():
            self._sheet.set_column(column, column, min(max(width + 2, _NARROWEST), _WIDEST))
        for column in self._with_pictures:
            self._sheet.set_column_pixels(column, column, _PICTURE_COLUMN_PIXELS)
        if header_row:
            self._sheet.freeze_panes(header_row, 0)

    def _row(self, row: Row, number: int, *, is_header: bool) -> None:
        for column, cell in row.cells.items():
            if not is_on_sheet((number, column)):
                continue
            shown = clean(cell.text)
            self._sheet.write_string(number - 1, column, shown, self._header if is_header else self._cell)
            if number <= _ROWS_MEASURED and (not is_header or len(shown) < _WIDEST):
                self._widths[column] = max(self._widths.get(column, 0), _width(shown))
        for column, pictures in row.pictures.items():
            contents = [content for each in pictures if (content := self._content(each.reference))]
            if contents and self._pictures < MAX_PICTURES:
                self._insert(number - 1, column, contents[0])

    def _content(self, reference: str) -> bytes:
        """A picture that was found in the table; none for one that is elsewhere."""
        path = self._shelf / Path(reference.replace("\\", "/")).name
        return path.read_bytes() if reference and path.is_file() else b""

    def _insert(self, row: int, column: int, content: bytes) -> None:
        """The picture itself, shown small: whoever reads the answer as a catalog gets the same photo."""
        try:
            with Image.open(io.BytesIO(content)) as image:
                size, kind = image.size, image.format
            content = content if kind in ("JPEG", "PNG") else as_jpeg(content)[0]
        except (OSError, SyntaxError, ValueError):
            return
        scale = _SIDE / max(size)
        dots = {"image_data": io.BytesIO(content), "x_scale": scale, "y_scale": scale, "object_position": 1}
        with Image.open(io.BytesIO(content)) as image:
            across, down = image.info.get("dpi", (96, 96))[:2]
        dots |= {
            "x_scale": scale * (across or 96) / 96,
            "y_scale": scale * (down or 96) / 96,
            "x_offset": 5,
            "y_offset": 4,
        }
        self._sheet.set_row_pixels(row, _ROW_PIXELS)
        self._sheet.insert_image(row, column, "picture", dots)
        self._with_pictures.add(column)
        self._pictures += 1


def _width(shown: str) -> int:
    lines = shown.split("\n")
    return max(sum(2 if ord(each) >= _WIDE else 1 for each in line) for line in lines)
