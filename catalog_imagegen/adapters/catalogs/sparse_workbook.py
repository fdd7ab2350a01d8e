"""Read an .xlsx or .xlsm workbook cell by cell: slowly, but as if what is not there did not exist."""

from __future__ import annotations

import re
import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Any

from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.xml.functions import fromstring

from catalog_imagegen.adapters.catalogs.embedded import PictureShelf, PlacedPictures
from catalog_imagegen.adapters.catalogs.files import refuse_corrupt
from catalog_imagegen.adapters.catalogs.layout import read_layout
from catalog_imagegen.adapters.catalogs.pictures import CellPictures
from catalog_imagegen.adapters.catalogs.plain_copy import plain_copy
from catalog_imagegen.adapters.catalogs.sheets import Sheet, grids_of, shown
from catalog_imagegen.adapters.catalogs.special_cells import marked_content

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from openpyxl.cell.cell import Cell as SheetCell
    from openpyxl.cell.cell import MergedCell
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    from catalog_imagegen.adapters.catalogs.grid import Grids
    from catalog_imagegen.adapters.catalogs.layout import Layout, Place
    from catalog_imagegen.adapters.catalogs.opc import Package, SheetPart
    from catalog_imagegen.adapters.catalogs.sheets import Content

_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_UNREADABLE = (
    SyntaxError, InvalidFileException, KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, EOFError,
)  # fmt: skip
"""What openpyxl lets through when a part is missing or malformed; both of its XML parsers raise a SyntaxError."""


class _Reader(ExcelReader):
    """openpyxl 3.1.5 cuts ``x005F_`` out of shared texts, so that nobody can tell any more what was an escape."""

    def read_strings(self) -> None:
        """Read the texts as they are."""
        if "xl/sharedStrings.xml" in self.valid_files:
            root: Any = fromstring(self.archive.read("xl/sharedStrings.xml"))
            self.shared_strings = [getattr(Text.from_tree(item), "content", "") for item in root]


def read_sparse_workbook(
    package: Package, parts: Sequence[SheetPart], *, name: str, sheet: str = "", shelf: PictureShelf
) -> Grids:
    """Read the cells of these sheets, but for hidden ones that nobody asked for, as a person would see them.

    Raises CatalogError: ``corrupt_file``.
    """
    wanted = [part for part in parts if sheet or not part.is_hidden]
    try:
        book = _load(plain_copy(package, wanted))
        found = CellPictures(package)
        read = {part.title: _sheet(book[part.title], part, package, found, shelf) for part in wanted}
    except _UNREADABLE as error:
        raise refuse_corrupt(name, type(error).__name__, "工作簿内容有误") from error
    return grids_of(
        [read.get(part.title, Sheet(part.title, {}, is_hidden=True)) for part in parts], wanted=sheet
    )


def _load(data: bytes) -> Workbook:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # openpyxl warns of styles and extensions it drops; values are complete
        reader = _Reader(BytesIO(data), data_only=True, keep_links=False)
        reader.read()
    return reader.wb


def _sheet(
    worksheet: Worksheet, part: SheetPart, package: Package, found: CellPictures, shelf: PictureShelf
) -> Sheet:
    layout = read_layout(package.read(part.part))
    cells = dict(_cells(worksheet))
    placed = PlacedPictures(
        found.of_sheet(part, layout),
        title=part.title,
        merged=layout.merged,
        shelf=shelf,
        values={place: text for place, (text, _) in cells.items()},
    )
    cells |= _special(layout, cells, placed)
    return Sheet(
        part.title,
        cells,
        merged=layout.merged,
        hidden_rows=layout.hidden_rows,
        is_hidden=part.is_hidden,
        pictures=placed,
    )


def _cells(worksheet: Worksheet) -> Iterator[tuple[Place, Content]]:
    """The cells that exist; walking rows and columns would visit 17 billion for one cell in XFD1048576."""
    cells: Mapping[Place, SheetCell | MergedCell] = worksheet._cells  # noqa: SLF001  # openpyxl has no public sparse view
    for (row, column), cell in cells.items():
        if cell.value is not None:
            value = _resolved(cell.value) if isinstance(cell.value, str) else cell.value
            yield (row, column - 1), shown(value, str(cell.number_format))


def _special(
    layout: Layout, cells: Mapping[Place, Content], placed: PlacedPictures
) -> Iterator[tuple[Place, Content]]:
    for place, mark in layout.marks.items():
        value = cells.get(place, ("", "text"))[0]
        content = marked_content(mark, value, is_explained=placed.explains(place))
        if content is not None:
            yield place, content


def _resolved(text: str) -> str:
    """Characters for their numbers (ECMA-376, 22.9.2.19), as far as the copy has any left."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text
