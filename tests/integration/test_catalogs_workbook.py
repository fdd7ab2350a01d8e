from __future__ import annotations

import datetime as dt
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from catalog_imagegen.adapters.catalogs import Way, read_catalog
from catalog_imagegen.adapters.catalogs.sheets import number_text
from catalog_imagegen.domain.catalog import Product, Reading
from catalog_imagegen.domain.errors import CatalogError
from tests.integration.catalogs_support import COLUMNS, HEADER, found, places, write_xlsx


def sheet_of(path: Path) -> tuple[Workbook, Worksheet]:
    """Open a workbook's only sheet for a finishing touch."""
    book = load_workbook(path)
    return book, book.worksheets[0]


def read(path: Path, *, table: str = "") -> Reading:
    """Read a workbook."""
    return read_catalog(str(path), columns=COLUMNS, way=Way(table))


def rewrite(path: Path, member: str, pattern: str, replacement: str) -> Path:
    """Edit one XML part, to make what no library writes."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    text = parts[member].decode()
    assert re.search(pattern, text)
    parts[member] = re.sub(pattern, replacement, text).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def refusal(path: Path, **options: Any) -> CatalogError:
    """Give the error that reading ends with."""
    with pytest.raises(CatalogError) as caught:
        read_catalog(str(path), columns=COLUMNS, way=Way(**options))
    assert caught.value.message_zh != caught.value.message_en
    return caught.value


def test_a_title_above_and_totals_below_are_no_products(tmp_path: Path) -> None:
    """The header is found on row 4; blank rows, a merged remark and the total are not read as products."""
    path = write_xlsx(
        tmp_path / "a.xlsx",
        春夏=[
            ["XX公司商品资料表"],
            ["制表人：张三"],
            [],
            ["序号", *HEADER],
            [1, "00123", "T恤", "白", 59.9],
            [],
            [2, "00124", "裤", "蓝", 129],
            ["合计", None, None, None, 188.9],
            ["备注：价格含税"],
        ],
    )
    book, sheet = sheet_of(path)
    sheet.merge_cells("A1:F1")
    sheet.merge_cells("A9:F9")
    book.save(path)
    reading = read(path)
    assert [(product.sku, product.price, product.where) for product in reading.products] == [
        ("00123", "59.9", "春夏!5"),
        ("00124", "129", "春夏!7"),
    ]
    assert reading.products[0].cells["color"] == "春夏!D5"
    assert places(reading, "footer_row_skipped") == ["春夏!A8", "春夏!A9"]


def test_skus_are_text_or_reported(tmp_path: Path) -> None:
    """Whole numbers and zero formats are read as shown; what a spreadsheet has damaged is an error at its cell."""
    skus = [
        "00123",
        123,
        6901234567892,
        1001.0,
        123456789012345678,
        "1.23E+12",
        "'00777",
        1.5,
        dt.date(2026, 1, 2),
        True,
    ]
    path = write_xlsx(
        tmp_path / "a.xlsx", 商品=[HEADER, *([sku, f"品{n}", "红", 1] for n, sku in enumerate(skus))]
    )
    book, sheet = sheet_of(path)
    sheet["A3"].number_format = "00000000"
    sheet["A6"].number_format = "0"
    book.save(path)
    reading = read(path)
    expected = ["00123", "00000123", "6901234567892", "1001", "00777", "TRUE"]
    assert [product.sku for product in reading.products] == expected
    assert places(reading, "precision_lost") == ["商品!A6"]
    assert places(reading, "scientific_text") == ["商品!A7"]
    assert places(reading, "sku_not_integer") == ["商品!A9"]
    assert places(reading, "sku_is_date") == ["商品!A10"]


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (199.0, "General", "199"),
        (199.9, "0.00", "199.9"),
        (0.1 + 0.2, "General", "0.3"),
        (59.900000000000006, "General", "59.9"),
        (1e-7, "General", "0.0000001"),
        (7, "000", "007"),
        (7, '"EB-"000', "EB-007"),
        (0.95, "0%", "95%"),
        (6901234567892, "0", "6901234567892"),
    ],
)
def test_numbers_are_written_as_shown(value: float, number_format: str, shown: str) -> None:
    """No binary noise, no trailing .0, no exponent; zero formats, prefixes and per cent as a person sees them."""
    assert number_text(value, number_format) == shown


def test_dates_prices_and_error_cells(tmp_path: Path) -> None:
    """Dates are ISO; an error or a formula never calculated refuses the row, in an extra column it only warns."""
    rows: list[list[object]] = [
        ["货号", "商品名称", "颜色", "价格", "上架日期", "备注"],
        ["1", "甲", "红", 199.9, dt.datetime.fromisoformat("2024-05-01"), "x"],
        ["2", "乙", "红", 199.0, 45413, None],
        ["3", "丙", "红", "#N/A", None, None],
        ["4", "丁", "红", 1, None, "#REF!"],
        ["5", "戊", "红", "=1+1", None, None],
    ]
    path = write_xlsx(tmp_path / "a.xlsx", 商品=rows)
    book, sheet = sheet_of(path)
    sheet["D4"].data_type = "e"
    book.save(path)
    reading = read(path)
    assert [(product.sku, product.price, product.date) for product in reading.products] == [
        ("1", "199.9", "2024-05-01"),
        ("2", "199", "2024-05-01"),
        ("4", "1", ""),
    ]
    assert [(issue.where, issue.severity) for issue in found(reading, "error_cell")] == [
        ("商品!D4", "error"),
        ("商品!F5", "warning"),
    ]
    assert "#N/A" in found(reading, "error_cell")[0].message_zh
    assert places(reading, "formula_not_calculated") == ["商品!D6"]


def test_a_formula_that_gave_nothing_is_just_empty(tmp_path: Path) -> None:
    """=IF(…,"",…) with a stored empty text was calculated; its siblings with values are read as values."""
    path = write_xlsx(tmp_path / "a.xlsx", 商品=[HEADER, ["1", "甲", '=IF(1=1,"","x")', "=1+1"]])
    member = "xl/worksheets/sheet1.xml"
    rewrite(path, member, r'<c r="C2"[^>]*><f>(.*?)</f><v ?/?>(</v>)?', r'<c r="C2" t="str"><f>\1</f><v></v>')
    rewrite(path, member, r'<c r="D2"[^>]*><f>(.*?)</f><v ?/?>(</v>)?', r'<c r="D2"><f>\1</f><v>2</v>')
    reading = read(path)
    assert reading.products == (Product(sku="1", name="甲", price="2"),)
    assert not found(reading, "formula_not_calculated")


def test_merged_cells_fill_their_own_range_only(tmp_path: Path) -> None:
    """Variants inherit what was merged over them; a name that is really missing stays missing."""
    path = write_xlsx(
        tmp_path / "a.xlsx",
        商品=[
            ["款号", "商品名称", "SKU", "颜色"],
            ["K1", "卫衣", "K1-R", "红"],
            [None, None, "K1-B", "蓝"],
            ["K3", None, "K3-1", "灰"],
        ],
    )
    book, sheet = sheet_of(path)
    for merged in ("A2:A3", "B2:B3", "A6:D9"):
        sheet.merge_cells(merged)
    book.save(path)
    reading = read(path)
    assert [(p.spu, p.name, p.sku) for p in reading.products] == [
        ("K1", "卫衣", "K1-R"),
        ("K1", "卫衣", "K1-B"),
    ]
    assert places(reading, "missing_name") == ["商品!B4"]


def test_a_header_of_two_rows_is_read_by_its_lower_row(tmp_path: Path) -> None:
    """Group headings merged above the real ones are no ambiguity."""
    path = write_xlsx(
        tmp_path / "a.xlsx",
        商品=[
            ["货号", "品名", "规格", None, "价格", None],
            [None, None, "颜色", "尺码", "吊牌价", "售价"],
            ["A1", "羽绒服", "黑", "L", 1299, 899],
        ],
    )
    book, sheet = sheet_of(path)
    for merged in ("A1:A2", "B1:B2", "C1:D1", "E1:F1"):
        sheet.merge_cells(merged)
    book.save(path)
    (product,) = read(path).products
    assert (product.sku, product.color, product.size, product.list_price, product.price) == (
        "A1",
        "黑",
        "L",
        "1299",
        "899",
    )


def test_every_visible_sheet_with_a_header_is_read(tmp_path: Path) -> None:
    """Sheets may order and name columns differently; hidden and other sheets are noted, a repeated SKU is found."""
    path = write_xlsx(
        tmp_path / "a.xlsx",
        说明=[["请不要修改表头"]],
        女装=[HEADER, ["W1", "裙", "红", 1], ["W2", "衫", "白", 2]],
        男装=[["售价", "标题", "货号"], [3, "短袖", "M1"], [4, "裤", "W1"]],
        旧=[HEADER, ["OLD", "旧", "红", 1]],
        空=[HEADER],
        Sheet6=[],
    )
    book = load_workbook(path)
    book["旧"].sheet_state = "veryHidden"
    book["女装"].row_dimensions[3].hidden = True
    book.save(path)
    reading = read(path)
    assert [product.where for product in reading.products] == ["女装!2", "女装!3", "男装!2"]
    assert places(reading, "duplicate_sku_conflict") == ["男装!C3"], "the earlier sheet holds"
    assert places(reading, "no_header_found") == ["说明"]
    assert places(reading, "hidden_sheet_skipped") == ["旧"]
    assert places(reading, "sheet_without_rows") == ["空!1"]
    assert places(reading, "hidden_row") == ["女装!3"]
    assert [product.sku for product in read(path, table="旧").products] == ["OLD"]
    assert refusal(path, table="童装").code == "table_not_found"


def test_one_sheet_without_a_sku_column_does_not_hide_the_others(tmp_path: Path) -> None:
    """A misspelt header costs its own sheet, as an error issue with the suggestion."""
    path = write_xlsx(
        tmp_path / "a.xlsx",
        甲=[HEADER, ["1", "杯", "红", 1]],
        乙=[["商品编马", "商品名称", "颜色"], ["2", "盘", "红"]],
    )
    reading = read(path)
    assert [product.sku for product in reading.products] == ["1"]
    (issue,) = found(reading, "required_column_missing")
    assert (issue.where, issue.severity) == ("乙!1", "error")
    assert "商品编码" in issue.message_zh


def test_a_lone_far_cell_costs_nothing(tmp_path: Path) -> None:
    """A blank in the last cell of the sheet does not make seventeen billion others."""
    path = write_xlsx(tmp_path / "a.xlsx", 商品=[HEADER, ["1", "杯", "红", 1]])
    book, sheet = sheet_of(path)
    sheet.cell(1048576, 16384, " ")
    book.save(path)
    assert [product.sku for product in read(path).products] == ["1"]


def test_pictures_in_cells_are_named_not_garbled(tmp_path: Path) -> None:
    """A picture formula is no path; the merchandiser is told what to write instead."""
    formula = '=_xlfn.DISPIMG("ID_0123456789ABCDEF0123456789ABCDEF",1)'
    rows: list[list[object]] = [
        [*HEADER, "图片"],
        ["1", "杯", "红", 1, formula],
        ["2", "盘", "红", 1, "a.jpg"],
        ["3", "碗", "红", 1, "#VALUE!"],
    ]
    reading = read(write_xlsx(tmp_path / "a.xlsx", 商品=rows))
    assert [product.images for product in reading.products] == [(), ("a.jpg",), ()]
    assert places(reading, "image_id_dangling") == ["商品!E2"]
    assert places(reading, "cell_picture_not_read") == ["商品!E4"]


def test_a_chart_sheet_without_relations_does_no_harm(tmp_path: Path) -> None:
    """Such a sheet makes openpyxl itself fail."""
    path = write_xlsx(tmp_path / "a.xlsx", 商品=[HEADER, ["1", "杯", "红", 1]])
    book = load_workbook(path)
    book.create_chartsheet("图表")
    book.save(path)
    assert [product.sku for product in read(path).products] == ["1"]


def test_a_swollen_archive_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """The zip directory alone decides, so no parser sees a bomb."""
    path = write_xlsx(tmp_path / "a.xlsx", 商品=[HEADER, ["1", "杯", "红", 1]])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", b" " * 20_000_000)
    assert refusal(path).code == "unsafe_archive"


def test_a_dtd_in_any_part_is_refused(tmp_path: Path) -> None:
    """Entities are how XML reads other files or grows without end."""
    path = write_xlsx(tmp_path / "a.xlsx", 商品=[HEADER, ["1", "杯", "红", 1]])
    rewrite(path, "xl/workbook.xml", "^", '<!DOCTYPE x [<!ENTITY a "b">]>')
    assert refusal(path).code == "unsafe_xml"


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"xl/workbook.bin": b"x"}, "corrupt_file"),
        ({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}, "corrupt_file"),
        ({"mimetype": b"application/vnd.oasis.opendocument.text"}, "unknown_format"),
        ({"word/document.xml": b"<x/>"}, "unknown_format"),
        ({"xl/workbook.xml": b"<x/>"}, "corrupt_file"),
    ],
)
def test_other_archives_are_refused_by_what_they_are(
    tmp_path: Path, members: dict[str, bytes], code: str
) -> None:
    """Documents of other programs and gutted workbooks say what to do."""
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    error = refusal(path)
    assert error.code == code
    assert ".xlsx" in error.message_zh


@pytest.mark.parametrize(
    "part", ["xl/styles.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"]
)
def test_a_workbook_with_a_damaged_part_is_damaged(part: str, tmp_path: Path) -> None:
    """Whichever parser reads it."""
    path = write_xlsx(tmp_path / "a.xlsx", 商品=[HEADER, ["1", "杯", "红", 1]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = parts[part][: len(parts[part]) // 2]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    assert refusal(path).code == "corrupt_file"


def test_a_half_copied_workbook_is_damaged(tmp_path: Path) -> None:
    """A file cut off while it was copied is refused, not half read."""
    path = write_xlsx(tmp_path / "a.xlsx", 商品=[HEADER, ["1", "杯", "红", 1]])
    path.write_bytes(path.read_bytes()[:-2000])
    assert refusal(path).code == "corrupt_file"
