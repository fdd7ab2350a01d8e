"""Sheets with unclosed tags, areas without end and pictures by the thousand, which the fuzzer and a look at it found."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog_imagegen.adapters.catalogs.embedded import PictureShelf, PlacedPictures
from catalog_imagegen.adapters.catalogs.layout import Area, Mark, read_layout
from catalog_imagegen.adapters.catalogs.opc import Package
from catalog_imagegen.adapters.catalogs.pictures import CellPictures, SheetPicture, SheetPictures
from catalog_imagegen.adapters.catalogs.pictures.bands import MergedAreas
from tests.fuzz.corpus import members
from tests.integration import picture_workbooks as new
from tests.integration.catalogs_support import inline_row, kept, read_file
from tests.integration.workbook_writers import SPREADSHEETML, write_xml_2003

pytestmark = pytest.mark.timeout(60)
"""What is quick now took minutes or all memory: that it ends is what most of these tests are about."""

HEADER = inline_row(1, "货号", "商品名称", "颜色")


# --- what a sheet says beyond its values ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "piece",
    [
        "<f/>",
        "<f>",
        '<c r="A1"><f>',
        '<c s="1" ',
        "<row ",
        '<row ht="1" ',
        "<v>",
        "<mergeCell ",
        '<c r="A1"><f/></c>',
    ],
)
def test_no_piece_of_a_sheet_is_passed_again_and_again(piece: str) -> None:
    """Tags that are never closed, and formulas in no cell, by the hundred thousand."""
    layout = read_layout(f'<worksheet><sheetData><row ht="9">{piece * 300_000}</sheetData>'.encode(), {5})
    assert layout.marks.keys() <= {(1, 0)}


def test_a_cell_may_begin_with_its_type() -> None:
    """The mark was given to the cell before."""
    xml = (
        b'<worksheet><sheetData><c r="A1"><v>1</v></c><c t="e" r="B1"><v>#N/A</v></c></sheetData></worksheet>'
    )
    assert read_layout(xml).marks == {(1, 1): Mark(value="#N/A", is_error=True)}


def test_a_formula_in_no_cell_belongs_to_none() -> None:
    """It was given to the last cell above."""
    xml = b'<worksheet><sheetData><c r="A1"><v>1</v></c><c><f>1</f></c></sheetData></worksheet>'
    assert read_layout(xml).marks == {}


@pytest.mark.parametrize("first", ["IMAGE(B2", 'IMAGE("', "IMAGE(B2)" + "+1" * 9000, "IMAGE(#)"])
def test_a_shared_formula_may_be_none(first: str) -> None:
    """What openpyxl raises is of its own kinds; so it has to be calculated by somebody else."""
    cells = f'<c r="C2"><f t="shared" si="0">{first}</f></c><c r="C3"><f t="shared" si="0"/></c>'
    marks = read_layout(f"<worksheet><sheetData>{cells}</sheetData></worksheet>".encode()).marks
    assert marks[3, 2].formula.startswith("IMAGE(")


def test_merged_areas_may_lie_upon_each_other(tmp_path: Path) -> None:
    """Each of a thousand columns would be filled for each of the areas that begin in it, in all rows."""
    rows = "".join(inline_row(number, f"S{number}", "杯", "白" * (number == 2)) for number in range(2, 5000))
    areas = "".join(f'<mergeCell ref="C2:C{1048576 - number}"/>' for number in range(50_000))
    merged = f"<mergeCells>{areas}</mergeCells>"
    reading = read_file(kept(tmp_path / "a.xlsx", new.book(HEADER + rows, end=merged)))
    assert {product.color for product in reading.products} == {"白"}


def test_merged_areas_of_an_old_sheet_may_reach_down_for_ever(tmp_path: Path) -> None:
    """Rows that are not there were counted through for each of them."""
    head = '<Row><Cell><Data ss:Type="String">货号</Data></Cell><Cell><Data ss:Type="String">商品名称</Data></Cell></Row>'
    cell = '<Cell ss:MergeDown="1000000"><Data ss:Type="String">杯</Data></Cell>'
    rows = "".join(
        f'<Row ss:Index="{number}"><Cell><Data ss:Type="String">S{number}</Data></Cell>{cell}</Row>'
        for number in (*range(2, 5000), 1_000_000)
    )
    reading = read_file(
        write_xml_2003(tmp_path / "a.xml", 商品=f'<Table xmlns:ss="{SPREADSHEETML}">{head}{rows}</Table>')
    )
    assert len(reading.products) == 4999


@pytest.mark.parametrize("at", ["</worksheet>", "<sheetData>", "<row "])
def test_a_sheet_that_is_read_cell_by_cell_may_be_one_merged_area(tmp_path: Path, at: str) -> None:
    """Of its seventeen billion places, or those below a hyperlink, openpyxl made cells."""
    area = '<mergeCells><mergeCell ref="D1:XFD1048576"/></mergeCells><hyperlinks><hyperlink ref="D1:XFD1048576"/></hyperlinks>'
    parts = members(new.book(HEADER + inline_row(2, "A", "杯")))
    name = "xl/worksheets/sheet1.xml"
    xml = parts[name].decode().replace(at, area + at, 1)
    parts[name] = xml.replace("<sheetFormatPr", '<dimension ref="A1:XFD1048576"/><sheetFormatPr').encode()
    reading = read_file(kept(tmp_path / "a.xlsx", new.zipped(parts)))
    assert [product.sku for product in reading.products] == ["A"]


def test_a_picture_on_a_merged_cell_is_not_written_out_for_all_of_its_rows() -> None:
    """There may be a million, and thousands of pictures; below the table nothing is said of them."""
    pictures = tuple(SheetPicture((2, 0), "floating", new.RED) for _ in range(3000))
    placed = PlacedPictures(
        SheetPictures(pictures), title="商品", merged=[Area(2, 0, 1 << 20, 0)], shelf=PictureShelf()
    )
    assert placed.explains((1_000_000, 0))
    assert len(placed.take(2)[0]) == 3000
    assert {len(placed.take(row)[0]) for row in range(3, 2000)} == {50}
    assert list(placed.left_over()) == []


def test_pictures_are_looked_for_in_few_columns_of_merged_areas() -> None:
    """All columns were asked for each picture."""
    merged = MergedAreas(Area(1, column, 1, column + 2) for column in range(16_000))
    assert {merged.corner((row, 16_383)) for row in range(1, 20_000)} == {
        (row, 16_383) for row in range(1, 20_000)
    }


def test_a_hyperlink_may_lie_on_a_thousand_cells_but_not_thousands_of_them() -> None:
    """Sixty kilobytes would make sixty million pictures."""
    package = Package(
        new.book(
            end='<hyperlink ref="A1:A1000" r:id="rId1"/>' * 5000,
            sheet={"rId1": ("x/hyperlink", "https://x.cn")},
        )
    )
    sheet = package.sheets[0]
    pictures = CellPictures(package).of_sheet(sheet, read_layout(package.read(sheet.part))).pictures
    assert len(pictures) < 210_000


def test_a_cell_far_below_costs_no_more_than_its_own_block(tmp_path: Path) -> None:
    """A million blank rows above it were told one by one."""
    data = new.book(HEADER + inline_row(2, "A", "杯") + inline_row(1_048_576, "B", "碗"))
    assert [product.sku for product in read_file(kept(tmp_path / "a.xlsx", data)).products] == ["A", "B"]
