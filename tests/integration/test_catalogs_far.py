"""Workbooks with cells far away, of which only those that exist may cost anything, and with spellings few readers know."""

from __future__ import annotations

import struct
import time
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
import xlwt

from catalog_imagegen.adapters.catalogs import read_catalog
from catalog_imagegen.adapters.catalogs.xml_encoding import utf_8
from catalog_imagegen.domain.catalog import Product, Reading
from catalog_imagegen.domain.errors import CatalogError
from tests.hostile.binaries import ods, ods_row, record, saved_by_xlwt, table, wide, xlsb
from tests.hostile.cell_pictures import DRAWING, RED
from tests.hostile.drawings import Pinned, drawing, images, one_cell, picture
from tests.hostile.opc import MAIN, Book, Relation, Rows, Xml, parts, relations, sheet, workbook, zipped
from tests.hostile.pictures import sha1
from tests.integration.catalogs_support import COLUMNS, csv_text, places

HEADER = ("货号", "商品名称", "颜色", "价格")
FAR = (1_048_575, 16_383)


def read(folder: Path, name: str, data: bytes) -> Reading:
    """Read a catalog of these bytes."""
    path = folder / name
    path.write_bytes(data)
    return read_catalog(str(path), columns=COLUMNS)


def refusal(folder: Path, name: str, data: bytes) -> str:
    """The code with which it is refused."""
    with pytest.raises(CatalogError) as caught:
        read(folder, name, data)
    return caught.value.code


def names(reading: Reading) -> list[tuple[str, str]]:
    """SKU and name of each product."""
    return [(product.sku, product.name) for product in reading.products]


# --- .xlsx ---------------------------------------------------------------------------------------------------


def far_workbook() -> bytes:
    """A far blank beside pictures, links, escapes, an error, a formula without a value, merged cells and a hidden row."""
    rows: Rows = {
        1: [*HEADER, "图片"],
        2: ["A_x0042_C", "_x676F_子", "白", 1],
        3: ["D_x005F_x0045_", None, "红", Xml('t="e"', "<v>#N/A</v>")],
        4: ["A4", "盘", "蓝", Xml("", "<f>1+1</f>")],
        1_048_576: [None] * 4 + [Xml('t="inlineStr"', "<is><t> </t></is>")],
    }
    after = f'<mergeCells><mergeCell ref="B2:B3"/></mergeCells><hyperlinks><hyperlink ref="A2" r:id="rId7"/></hyperlinks>{DRAWING}'
    page = sheet(rows, attributes={2: 'hidden="1"'}, before='<dimension ref="A1:XFD1048576"/>', after=after)
    anchors = drawing(one_cell(Pinned(1, column=4), picture(1, "rId1"), extent='cx="90000" cy="70000"'))
    return workbook(
        Book(
            {"商品": page},
            parts={
                "xl/drawings/drawing1.xml": anchors,
                "xl/drawings/_rels/drawing1.xml.rels": relations(*images("../media/image1.png")),
                "xl/media/image1.png": RED,
            },
            sheet_relations={
                "商品": [
                    Relation("rId1", "drawing", "../drawings/drawing1.xml"),
                    Relation("rId7", "hyperlink", "https://x.cn/", is_external=True),
                ]
            },
        )
    )


def test_a_far_cell_hides_nothing_else_of_a_workbook(tmp_path: Path) -> None:
    """It is read cell by cell then, with all that is seen of others: pictures too."""
    reading = read(tmp_path, "a.xlsx", far_workbook())
    assert names(reading) == [("ABC", "杯子")]
    assert places(reading, "hidden_row") == ["商品!2"]
    assert places(reading, "error_cell") == ["商品!D3"]
    assert places(reading, "formula_not_calculated") == ["商品!D4"]
    pictures = [each for each in reading.pictures if each.kind == "floating"]
    assert [(each.where, each.sha1) for each in pictures] == [("商品!E2", sha1(RED))]


def test_the_texts_of_a_workbook_may_be_in_another_place(tmp_path: Path) -> None:
    """Their relation says where, in whichever case and encoding."""
    strings = "".join(f"<si><t>{text}</t></si>" for text in (*HEADER, "A_x0031_", "_xD83C__xDF75_茶", "白"))
    at = [Xml('t="s"', f"<v>{number}</v>") for number in range(7)]
    text = f'<?xml version="1.0" encoding="GB2312"?><sst xmlns="{MAIN}">{strings}</sst>'
    book = Book(
        {"商品": sheet({1: at[:4], 2: [*at[4:], 9]})},
        parts={"xl/Texts/Strings.XML": text.encode("gb2312")},
        relations=[Relation("rId2", "sharedStrings", "/xl/texts/strings.xml")],
    )
    assert names(read(tmp_path, "a.xlsx", workbook(book))) == [("A1", "🍵茶")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_every_part_may_be_in_utf_16(encoding: str, tmp_path: Path) -> None:
    """With its mark or without, whatever the declaration says."""
    every = parts(Book({"商品": sheet({1: HEADER, 2: ["A1", "杯", "白", 1]})}))
    coded = {
        name: str(data).replace("UTF-8", "UTF-16").encode(encoding)
        if name.endswith((".xml", ".rels"))
        else data
        for name, data in every.items()
    }
    assert names(read(tmp_path, "a.xlsx", zipped(coded))) == [("A1", "杯")]


@pytest.mark.parametrize("encoding", ["utf-7", "cp037", "unicode_escape", "base64", "no-such-thing"])
def test_no_encoding_can_hide_a_declaration(encoding: str) -> None:
    """Only those are converted in which a smaller-than is what it is in ASCII: others were not seen through."""
    xml = f'<?xml version="1.0" encoding="{encoding}"?><x/>'.encode()
    assert utf_8(xml) is xml


def test_what_is_called_utf_16_may_be_utf_8() -> None:
    """.NET writes it so."""
    assert utf_8('<?xml version="1.0" encoding="utf-16"?><x>杯</x>'.encode()) == "<x>杯</x>".encode()


# --- .xls ----------------------------------------------------------------------------------------------------


def test_formats_down_to_the_last_row_of_an_xls(tmp_path: Path) -> None:
    """Blank cells are none; a time of day has no day."""
    book = xlwt.Workbook(encoding="utf-8")
    page = book.add_sheet("商品")
    for column, text in enumerate(HEADER):
        page.write(0, column, text)
    for column, text in enumerate(("00123", "杯")):
        page.write(1, column, text)
    page.write(1, 2, 0.5, xlwt.easyxf(num_format_str="hh:mm:ss"))
    page.write(65_535, 255, "", xlwt.easyxf("font: bold on"))
    began = time.monotonic()
    reading = read(tmp_path, "a.xls", saved_by_xlwt(book))
    assert time.monotonic() - began < 20
    assert names(reading) == [("00123", "杯")]
    assert reading.products[0].color == "12:00:00"


# --- .xlsb ---------------------------------------------------------------------------------------------------

_TABLE = (HEADER, ("00123", "杯", "白", 1.5), ("00124", "盘", "红", 2.0))


def with_parts(data: bytes, **changed: bytes) -> bytes:
    """A binary workbook with other parts; of a worksheet only what stands behind its cells."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        every = {name: archive.read(name) for name in archive.namelist()}
    every["xl/styles.bin"] = changed.get("styles", b"")
    every["xl/workbook.bin"] = changed.get("before", b"") + every["xl/workbook.bin"]
    every["xl/worksheets/sheet1.bin"] += changed.get("after", b"")
    listed = every["xl/_rels/workbook.bin.rels"].decode()
    rels = relations(Relation("rId3", "styles", "styles.bin"))
    joined = listed.replace("</Relationships>", rels[rels.index("<Relationship ") :])
    return zipped({**every, "xl/_rels/workbook.bin.rels": joined})


def cell(kind: int, column: int, value: bytes, style: int = 0) -> bytes:
    """A record of a cell."""
    return record(kind, struct.pack("<II", column, style) + value)


def test_a_far_cell_of_a_binary_workbook_costs_nothing(tmp_path: Path) -> None:
    """It is only a word beside the table."""
    reading = read(tmp_path, "a.xlsb", xlsb({**table(_TABLE), FAR: "x"}))
    assert names(reading) == [("00123", "杯"), ("00124", "盘")]
    assert places(reading, "row_without_fields") == ["商品!1048576"]


def test_a_binary_workbook_shows_what_excel_shows(tmp_path: Path) -> None:
    """Formats, days counted from 1904, packed numbers, errors, rich texts, merged cells, hidden rows."""
    formats = (164, "00000000"), (165, 'yyyy"年"m"月"d"日"')
    styles = b"".join(
        (
            *(record(44, struct.pack("<H", number) + wide(code)) for number, code in formats),
            record(47, struct.pack("<HH", 0, 165) + bytes(12)),  # styles of styles, which no cell counts
            record(617),
            *(record(47, struct.pack("<HH", 0, number) + bytes(12)) for number in (0, 164, 165, 10)),
            record(618),
        )
    )
    rows = (
        (cell(2, 0, struct.pack("<I", 123 << 2 | 2), 1), cell(62, 1, b"\0" + wide("杯")), cell(5, 2, struct.pack("<d", 0.125), 3)),
        (cell(6, 0, wide("A2")), cell(2, 2, struct.pack("<i", -250 << 2 | 3)), cell(9, 3, struct.pack("<d", 43_000.0), 2)),
        (cell(8, 0, wide("A3")), cell(11, 1, b"\x2a")),
        (cell(8, 0, wide("A4")), cell(10, 1, b"\1"), cell(2, 3, struct.pack("<I", 0x3FF0_0000))),
    )  # fmt: skip
    body = b"".join(
        record(0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0x10 * (number == 4), 0, 0)) + b"".join(cells)
        for number, cells in enumerate(rows, 1)
    )
    merged = record(176, struct.pack("<IIII", 1, 2, 1, 1))
    data = with_parts(
        xlsb(table([HEADER])), styles=styles, before=record(153, struct.pack("<I", 1)), after=body + merged
    )
    reading = read(tmp_path, "a.xlsb", data)
    assert [(p.sku, p.name, p.color, p.price) for p in reading.products] == [
        ("00000123", "杯", "12.5%", ""),
        ("A2", "杯", "-2.5", ""),
        ("A4", "TRUE", "", "1"),
    ]
    assert places(reading, "error_cell") == ["商品!B4"]
    assert places(reading, "hidden_row") == ["商品!5"]
    assert [issue.message_en for issue in reading.issues if issue.code == "price_not_number"] == [
        "the price '2021-09-23' is no number and was left out; write digits only"
    ]


@pytest.mark.parametrize("size", [0, 1, 30])
def test_a_binary_workbook_that_ends_inside_a_record_is_damaged(size: int, tmp_path: Path) -> None:
    """Whichever part ends there."""
    with zipfile.ZipFile(BytesIO(xlsb(table(_TABLE)))) as archive:
        every = {name: archive.read(name) for name in archive.namelist()}
    for name in ("xl/workbook.bin", "xl/worksheets/sheet1.bin", "xl/sharedStrings.bin"):
        damaged = zipped({**every, name: every[name][:size]})
        assert refusal(tmp_path, "a.xlsb", damaged) in ("corrupt_file", "empty_catalog", "no_header_found")


# --- .ods ----------------------------------------------------------------------------------------------------


def text_cell(inside: str, attributes: str = "") -> str:
    """A cell of text."""
    return f'<table:table-cell office:value-type="string"{attributes}>{inside}</table:table-cell>'


def test_an_open_document_shows_what_its_program_shows(tmp_path: Path) -> None:
    """Blanks, breaks, remarks, numbers with zeros, days, errors, merged, covered and hidden cells."""
    lines = (
        '<text:p>一 <text:s text:c="2"/>二<text:tab/>三<text:line-break/>四\n   <text:span>五</text:span></text:p><text:p>六</text:p>'
        "<office:annotation><text:p>批注</text:p></office:annotation>"
    )
    rows = (
        ods_row(*HEADER, "卖点", "上架日期", "备注"),
        '<table:table-row><table:table-cell office:value-type="float" office:value="123"><text:p>00000123</text:p></table:table-cell>'
        + text_cell("<text:p>杯</text:p>", ' table:number-rows-spanned="2" table:number-columns-spanned="1"')
        + text_cell("<text:p>白</text:p>")
        + '<table:table-cell office:value-type="currency" office:value="59.9"><text:p>¥60</text:p></table:table-cell>'
        + text_cell(lines)
        + '<table:table-cell office:value-type="date" office:date-value="2024-05-01"><text:p>5月1日</text:p></table:table-cell>'
        + '<table:table-cell office:value-type="percentage" office:value="0.125"><text:p>13%</text:p></table:table-cell>'
        + "</table:table-row>",
        '<table:table-row table:visibility="filter">'
        + text_cell("<text:p>A2</text:p>")
        + '<table:covered-table-cell office:value-type="string"><text:p>没有人看见</text:p></table:covered-table-cell>'
        + text_cell("<text:p>红</text:p>")
        + "</table:table-row>",
        ods_row("A3").replace(
            "</table:table-row>",
            '<table:table-cell table:formula="of:=NA()" office:value-type="string" office:string-value=""><text:p>#N/A</text:p>'
            '</table:table-cell><table:table-cell table:formula="of:=1+1"/></table:table-row>',
        ),
        ods_row("A4", "盘", "蓝").replace(
            "<table:table-row", '<table:table-row table:number-rows-repeated="2"'
        ),
    )
    reading = read(tmp_path, "a.ods", ods("".join(rows)))
    first, second, last = reading.products
    assert (first.sku, first.name, first.price, first.date) == ("00000123", "杯", "59.9", "2024-05-01")
    assert (first.features, first.extra) == (("一   二\t三", "四 五", "六"), {"备注": "12.5%"})
    assert (second.sku, second.name, second.color, last.where) == ("A2", "杯", "红", "商品!5")
    assert places(reading, "hidden_row") == ["商品!3"]
    assert places(reading, "error_cell") == ["商品!B4"]
    assert places(reading, "formula_not_calculated") == ["商品!C4"]
    assert places(reading, "duplicate_identical") == ["商品!A6"]


def test_sheets_of_an_open_document_that_nobody_sees(tmp_path: Path) -> None:
    """Hidden ones are told; copies of another workbook's sheets are none."""
    data = ods(ods_row(*HEADER) + ods_row("A1", "杯", "白", 1))
    with zipfile.ZipFile(BytesIO(data)) as archive:
        every = {name: archive.read(name) for name in archive.namelist()}
    text = every["content.xml"].decode()
    style = "urn:oasis:names:tc:opendocument:xmlns:style:1.0"
    begin = text.index("<table:table ")
    page = text[begin : text.index("</office:spreadsheet>")]
    hidden = page.replace('table:name="商品"', 'table:name="旧" table:style-name="ta2"')
    copied = page.replace('table:name="商品"', """table:name="'file:///b.ods'#$Sheet1" """)
    styles = (
        f'<office:automatic-styles xmlns:style="{style}"><style:style style:name="ta2" style:family="table">'
        '<style:table-properties table:display="false"/></style:style></office:automatic-styles><office:body>'
    )
    text = text.replace("<office:body>", styles).replace(
        "</office:spreadsheet>", f"{hidden}{copied}</office:spreadsheet>"
    )
    reading = read(tmp_path, "a.ods", zipped({**every, "content.xml": text}))
    assert [product.where for product in reading.products] == ["商品!2"]
    assert places(reading, "hidden_sheet_skipped") == ["旧"]
    assert [issue.code for issue in reading.issues] == ["hidden_sheet_skipped"]


def test_more_cells_than_a_catalog_has_are_refused(tmp_path: Path) -> None:
    """Written out they would fill all memory: a few bytes say so of 16 thousand million."""
    far = text_cell("<text:p>x</text:p>", ' table:number-columns-repeated="16000"')
    rows = f'{ods_row(*HEADER)}<table:table-row table:number-rows-repeated="1000000">{far}</table:table-row>'
    assert refusal(tmp_path, "a.ods", ods(rows)) == "file_too_large"


def test_an_open_document_with_a_password_says_so(tmp_path: Path) -> None:
    """Its manifest tells, for its content is noise."""
    every: dict[str, str | bytes] = {
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "META-INF/manifest.xml": "<manifest><file-entry><encryption-data/></file-entry></manifest>",
        "content.xml": bytes(range(256)),
    }
    assert refusal(tmp_path, "a.ods", zipped(every)) == "password_protected"


# --- footers -------------------------------------------------------------------------------------------------


def products_of(folder: Path, *rows: tuple[str, ...]) -> tuple[Product, ...]:
    """The products of a text table with these rows among many others."""
    others = [(f"S{number}", "杯", "白", "1") for number in range(2_500)]
    return read(folder, "a.csv", csv_text([HEADER, *others, *rows]).encode()).products[len(others) :]


@pytest.mark.parametrize("word", ["合计", "合 计：", "總計", "Total:", "ＴＯＴＡＬ", "备注", "注："])
def test_a_footer_may_have_words_where_skus_and_names_stand(word: str, tmp_path: Path) -> None:
    """Its first cell is a footer's word and nothing else."""
    assert not products_of(tmp_path, (word, "3 件", "", "9"))


@pytest.mark.parametrize("sku", ["TOTAL-1", "合计A", "备注01", "注", "X总计"])
def test_a_sku_may_begin_as_a_footer_does(sku: str, tmp_path: Path) -> None:
    """With a name beside it it is a product."""
    kept = [product.sku for product in products_of(tmp_path, (sku, "杯", "白", "1"))]
    assert kept == ([] if sku == "注" else [sku])
