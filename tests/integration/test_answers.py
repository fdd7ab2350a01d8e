"""The merchandiser's own workbook comes back with an answer in it, and nothing else of it is changed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from openpyxl import load_workbook
from PIL import Image

from catalog_imagegen.adapters.answers.annotate import annotate, answer
from catalog_imagegen.adapters.answers.content import CellAnswer, Link, RowAnswer, titles
from catalog_imagegen.adapters.answers.marker import NAME
from catalog_imagegen.adapters.answers.removal import without_answer
from catalog_imagegen.adapters.answers.stylesheet import FILLS
from catalog_imagegen.adapters.catalogs import read_catalog
from catalog_imagegen.adapters.catalogs.opc import Package
from catalog_imagegen.domain.catalog import Reading
from catalog_imagegen.language import language
from tests.integration.answer_workbooks import (
    FIRST,
    SHEET,
    check,
    drawn,
    full,
    in_cells,
    members,
    replaced,
)
from tests.integration.catalogs_support import COLUMNS
from tests.integration.picture_workbooks import book, read_xlsx, zipped

WORDS = titles(language("zh"))
HEADERS = ["出图状态", "说明与处理", "图片预览", "查看图片", "查看图片 2"]
CHANGED = re.compile(
    r"\[Content_Types\]\.xml|xl/(?:workbook|styles)\.xml|xl/worksheets/(?:_rels/)?sheet1\.xml(?:\.rels)?|xl/drawings/(?:_rels/)?\w+\.(?:xml|vml)(?:\.rels)?|"
    r"xl/(?:comments/)?comment\w*\.xml|xl/_rels/workbook\.xml\.rels"
)
"""The parts that an answer about the first sheet may change."""


def small_picture(color: str = "teal", kind: str = "JPEG") -> bytes:
    """A thumbnail."""
    buffer = BytesIO()
    Image.new("RGB", (120, 90), color).save(buffer, kind)
    return buffer.getvalue()


ANSWERS = [
    RowAnswer(
        f"{SHEET}!3",
        "已完成",
        "good",
        (),
        (Link("淘宝", "output/淘宝/A 1"), Link("网页", "https://x.example/?a=1&b=2")),
        small_picture(),
    ),
    RowAnswer(
        f"{SHEET}!4",
        "待审核",
        "waiting",
        ("请审核",),
        (Link("淘宝", "output/淘宝/A 1"),),
        small_picture("navy", "PNG"),
    ),
    RowAnswer(
        f"{SHEET}!5",
        "有问题",
        "bad",
        ("价格不是数字；请填写", "没有颜色；请填写"),
        (),
        small_picture("gray", "WEBP"),
    ),
]
CELLS = [
    CellAnswer(f"{SHEET}!C3", "颜色太长；请缩短", "warning"),
    CellAnswer(f"{SHEET}!D4", "价格不是数字；请填写", "error"),
    CellAnswer(f"{SHEET}!D4", "另一件事", "note"),
    CellAnswer(f"{SHEET}!E5", "空格", "note"),
]


def answered(data: bytes, header_row: int = FIRST - 1) -> bytes:
    """A workbook with these answers, as sound as programs want it."""
    made = answer(
        data, name="商品.xlsx", rows=ANSWERS, cells=CELLS, words=WORDS, header_rows={SHEET: header_row}
    )
    assert made.troubles == ()
    check(made.content)
    return made.content


def opened(data: bytes) -> Any:
    """The first sheet as openpyxl has it."""
    return load_workbook(BytesIO(data)).worksheets[0]


def said(cell: Any) -> str:
    """The comment of a cell."""
    return cell.comment.text if cell.comment is not None else ""


def target(cell: Any) -> str:
    """Where a cell leads."""
    return cell.hyperlink.target if cell.hyperlink is not None else ""


def reading(data: bytes, folder: Path) -> Reading:
    """What is read of a workbook."""
    path = folder / "商品.xlsx"
    path.write_bytes(data)
    return read_catalog(str(path), columns=COLUMNS)


@pytest.mark.parametrize("make", [full, drawn, in_cells])
def test_what_is_not_answered_keeps_its_bytes(make: Callable[[], bytes]) -> None:
    """Only the sheet, and what styles, names and relates it, is another; all other parts are the same bytes."""
    data = make()
    before, after = members(data), members(answered(data, 1 if make is in_cells else 2))
    changed = {name for name, content in before.items() if after.get(name) != content}
    assert {name for name in changed if not CHANGED.fullmatch(name)} == set()
    assert {
        name for name in before if "media" in name or "cellimages" in name or "haredStrings" in name
    } <= before.keys() - changed


def test_openpyxl_finds_the_answer() -> None:
    """Headers, statuses, sentences, links and pictures stand right of the table, offending cells are coloured."""
    sheet = opened(answered(full()))
    assert sheet.dimensions == "A1:J6"
    assert [sheet.cell(2, column).value for column in range(6, 13)] == [
        "出图状态",
        "说明与处理",
        "图片预览",
        "查看图片",
        "查看图片 2",
        None,
        None,
    ]
    assert [sheet.cell(row, 6).value for row in range(3, 7)] == ["已完成", "待审核", "有问题", None]
    assert sheet["G5"].value == "1. 价格不是数字；请填写\n2. 没有颜色；请填写"
    assert target(sheet["I3"]) == "output/%E6%B7%98%E5%AE%9D/A%201"
    assert target(sheet["J3"]) == "https://x.example/?a=1&b=2"
    assert sheet["C3"].fill.fgColor.rgb == FILLS["warning"]
    assert sheet["D4"].fill.fgColor.rgb == FILLS["error"]
    assert said(sheet["D4"]) == "catalog-imagegen:\n价格不是数字；请填写\n另一件事"
    assert len({sheet.cell(row, 6).fill.fgColor.rgb for row in (3, 4, 5)}) == 3
    pictures = {picture.anchor._from.row + 1: picture for picture in sheet._images}
    assert sorted(pictures) == [3, 4, 5]
    assert {picture.anchor._from.col for picture in pictures.values()} == {7}


def test_what_was_there_is_still_there() -> None:
    """Formats, comments, links, rules, panes, filters, protection, widths and hidden rows are the merchandiser's."""
    before, after = opened(full()), opened(answered(full()))
    for cell in (each for row in before.iter_rows() for each in row):
        other = after[cell.coordinate]
        assert (other.value, other.number_format) == (cell.value, cell.number_format)
        assert (repr(other.font), repr(other.alignment)) == (repr(cell.font), repr(cell.alignment))
        assert repr(other.fill) == repr(cell.fill) or cell.coordinate in ("C3", "D4", "E5")
    assert target(after["B4"]) == "https://shop.example.com/a-2?x=1&y=2"
    assert said(after["C3"]) == "颜色以实物为准\n\ncatalog-imagegen:\n颜色太长；请缩短"
    assert said(after["B5"]) == "新品"
    assert (after.freeze_panes, after.auto_filter.ref, after.merged_cells.ranges) == (
        "B3",
        "A2:E5",
        before.merged_cells.ranges,
    )
    assert [str(each.sqref) for each in after.conditional_formatting] == ["D3:D5"]
    assert [str(each.sqref) for each in after.data_validations.dataValidation] == ["C3:C5"]
    assert (after.protection.sheet, after.row_dimensions[4].hidden, after.column_dimensions["B"].width) == (
        True,
        True,
        30,
    )
    assert after.row_dimensions[3].height == 120  # not shrunk
    assert (after.row_dimensions[5].height or 0) > 60  # grown for its picture
    notes: Any = load_workbook(BytesIO(answered(full())))["说明"]
    assert list(notes.tables) == ["说明表"]
    assert len(notes._images) == 1


def test_rows_that_programs_fit_to_their_texts_stay_so() -> None:
    """A height of ours could be less than what the merchandiser's own texts need; one that is said grows."""
    rows = '<row r="3"><c r="A3"/></row><row r="4" ht="15"><c r="A4"/></row><row r="5" ht="99" customHeight="1"/>'
    data = members(book(rows))["xl/worksheets/sheet1.xml"].replace(b'"72"', b'"15"')
    said = [RowAnswer(f"{SHEET}!{row}", "有问题", "bad", ("很长的说明；" * 20,)) for row in (3, 4, 5)]
    made = annotate(
        replaced(book(), "xl/worksheets/sheet1.xml", data), name="x.xlsx", rows=said, cells=[], words=WORDS
    )
    found = re.findall(rb'<row r="[345]"[^>]*>', members(made)["xl/worksheets/sheet1.xml"])
    assert found[0] == b'<row r="3">'
    assert float(re.findall(rb'ht="([^"]+)"', found[1])[0]) > 60
    assert b"customHeight" not in found[1]
    assert found[2].startswith(b'<row r="5" ht="99" customHeight="1"')


def test_rows_under_floating_pictures_stay_as_high_as_they_are() -> None:
    """By its place over the rows a picture belongs to a product; all kinds of drawings stay beside ours."""
    data = drawn()
    before, after = members(data), members(answered(data))
    heights = [
        re.findall(rb'<row r="(\d+)"[^>]*?ht="(\d+)"', parts["xl/worksheets/sheet1.xml"])
        for parts in (before, after)
    ]
    assert heights[0] == heights[1] != []
    assert after["xl/drawings/drawing1.xml"].startswith(
        before["xl/drawings/drawing1.xml"].removesuffix(b"</xdr:wsDr>")
    )
    assert after["xl/charts/chart1.xml"] == before["xl/charts/chart1.xml"]
    vml = [name for name in before if name.endswith(".vml")]
    assert sum(before[name] == after[name] for name in vml) == 1  # the one of the page's head
    assert b'vm="1"' in after["xl/worksheets/sheet1.xml"]


@pytest.mark.parametrize(("make", "header_row"), [(full, 2), (drawn, 2), (in_cells, 1)])
def test_an_answer_is_read_as_the_catalog_it_was(
    make: Callable[[], bytes], header_row: int, tmp_path: Path
) -> None:
    """Products and the digests of their pictures are the same once the answer is taken out again; else only ours are more."""
    data = make()
    made = answered(data, header_row)
    before, after = reading(data, tmp_path), reading(without_answer(made), tmp_path)
    assert after.products == before.products
    assert list(after.pictures) == list(before.pictures)
    assert {issue.where for issue in after.issues} == {issue.where for issue in before.issues}
    raw = reading(made, tmp_path)
    assert [(each.sku, each.name, each.color, each.price, each.where) for each in raw.products] == [
        (each.sku, each.name, each.color, each.price, each.where) for each in before.products
    ]
    assert set(before.pictures) <= set(raw.pictures)


def test_wps_shows_its_pictures_as_before() -> None:
    """The formulas and the list of pictures that they name are untouched."""
    data = in_cells()
    made = answered(data, 1)
    assert members(made)["xl/cellimages.xml"] == members(data)["xl/cellimages.xml"]
    kinds = [(each.kind, each.place, each.content) for each in read_xlsx(data).pictures]
    assert [each for each in kinds if each[0] == "dispimg"] == [
        (each.kind, each.place, each.content) for each in read_xlsx(made).pictures if each.kind == "dispimg"
    ]
    assert len(kinds) == 2
    assert "xl/styles.xml" in members(made)  # there was none


@pytest.mark.parametrize("make", [full, drawn, in_cells])
def test_answering_again_replaces_the_answer(make: Callable[[], bytes]) -> None:
    """Nothing is there twice, and what is said no more is gone: columns, colours, comments, links, pictures."""
    header_row = 1 if make is in_cells else 2
    once = answered(make(), header_row)
    twice = answered(once, header_row)
    assert members(once).keys() == members(twice).keys()
    assert members(once)["xl/worksheets/sheet1.xml"] == members(twice)["xl/worksheets/sheet1.xml"]
    assert len(members(answered(twice, header_row))["xl/drawings/drawing1.xml"]) == len(
        members(once)["xl/drawings/drawing1.xml"]
    )
    last = [RowAnswer(f"{SHEET}!4", "已完成", "good")]
    sheet = opened(
        annotate(twice, name="商品.xlsx", rows=last, cells=[], words=WORDS, header_rows={SHEET: header_row})
    )
    column = next(cell.column for cell in sheet[header_row] if cell.value == "出图状态")
    assert [sheet.cell(row, column).value for row in (3, 4, 5)] == [None, "已完成", None]
    assert sheet.max_column == column + 1
    assert sheet["D4"].fill.fill_type is None
    assert sheet["D4"].comment is None
    if make is full:
        assert sheet["C3"].fill.fgColor.rgb == "FFFFFF00"  # as it was before it was coloured
        assert said(sheet["C3"]) == "颜色以实物为准"


def test_our_columns_are_found_wherever_they_were_moved() -> None:
    """The name of the headers moves along with them, in every program."""
    made = answered(full())
    moved = members(made)["xl/workbook.xml"].replace(b"$F$2:$J$2", b"$A$2:$C$2")
    assert NAME.encode() in moved
    sheet = opened(without_answer(replaced(made, "xl/workbook.xml", moved)))
    assert [cell.value for cell in sheet[3]][:4] == [None, None, None, 19.5]
    gone = members(made)["xl/workbook.xml"].replace(b"$F$2:$J$2", b"#REF!")
    assert opened(without_answer(replaced(made, "xl/workbook.xml", gone)))["F3"].value == "已完成"


def test_other_workbooks_are_not_touched() -> None:
    """What bears no mark is given back as it is; so is what is no workbook."""
    for data in (full(), b"PK\x03\x04 damaged", "货号,名称".encode()):
        assert without_answer(data) is data


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "<b>&\"'", "_x0041_", "a\x00b\x0bc"]
)
def test_text_is_data(text: str) -> None:
    """No text becomes a formula, a tag or an escape; what XML cannot hold is dropped."""
    rows = [RowAnswer(f"{SHEET}!3", text, "bad", (text,), (Link(text, "a"),))]
    made = annotate(
        full(),
        name="x.xlsx",
        rows=rows,
        cells=[CellAnswer(f"{SHEET}!A3", text, "error")],
        words=WORDS,
        header_rows={SHEET: 2},
    )
    check(made)
    xml = members(made)["xl/worksheets/sheet1.xml"]
    assert xml.count(b"<f>") == 1  # the merchandiser's own sum
    shown = text.replace("\x00", "").replace("\x0b", "")
    sheet = opened(made)
    written = shown.replace("_x0041_", "_x005F_x0041_")  # openpyxl takes no escapes out of such strings
    assert (sheet["F3"].value, sheet["F3"].data_type) in ((shown, "s"), (written, "s"))


def test_texts_are_no_longer_than_a_cell() -> None:
    """Excel repairs a workbook with more."""
    rows = [RowAnswer(f"{SHEET}!3", "x", "bad", ("长" * 40_000,))]
    sheet = opened(annotate(full(), name="x.xlsx", rows=rows, cells=[], words=WORDS))
    assert len(str(sheet["G3"].value)) == 32_767


def strictly(xml: bytes) -> bytes:
    """A part with the namespaces of the strict standard."""
    xml = xml.replace(
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        b"http://purl.oclc.org/ooxml/officeDocument/relationships",
    )
    return xml.replace(
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        b"http://purl.oclc.org/ooxml/spreadsheetml/main",
    )


ODD: dict[str, Callable[[bytes], bytes]] = {
    "prefixes": lambda xml: re.sub(rb"<(/?)(?=[a-z])", rb"<\1x:", xml).replace(
        b"<x:worksheet xmlns=", b"<x:worksheet xmlns:x="
    ),
    "no references": lambda xml: re.sub(rb' r="[A-Z]*\d+"', b"", xml),
    "UTF-16": lambda xml: xml.decode().encode("utf-16"),
    "marked section": lambda xml: xml.replace(
        b"<t>A-1</t>", b"<t><![CDATA[A-1 </row><row>]]></t><!-- </sheetData> -->"
    ),
    "other quotes": lambda xml: re.sub(rb' r="([A-Z]*\d+)"', rb" r='\1'", xml),
}


@pytest.mark.parametrize("name", ODD)
def test_sheets_as_few_programs_write_them(name: str) -> None:
    """They are answered like any other one."""
    texts = "".join(
        f'<row r="{number}"><c r="A{number}" t="inlineStr"><is><t>{sku}</t></is></c><c r="B{number}" s="0"/></row>'
        for number, sku in enumerate(("货号", "x", "A-1", "A-2", "A-3"), 1)
    )
    data = book(texts)
    xml = ODD[name](members(data)["xl/worksheets/sheet1.xml"])
    made = answered(replaced(data, "xl/worksheets/sheet1.xml", xml), 1)
    rows = Package(made).xml("xl/worksheets/sheet1.xml")
    found = ["".join(row.itertext()) for row in rows.iter() if row.tag.endswith("}row")]
    assert [each.count("已完成") + each.count("待审核") + each.count("有问题") for each in found] == [
        0,
        0,
        1,
        1,
        1,
    ]
    assert "".join(HEADERS) in found[0]


def test_a_strict_workbook_stays_strict() -> None:
    """Parts that are added speak of themselves as those that are there."""
    parts = members(book('<row r="3"><c r="A3"/></row>'))
    strict = {name: strictly(content) for name, content in parts.items()}
    data = zipped({name: content.decode() for name, content in strict.items()})
    made = members(answered(data, 1))
    assert {
        name for name, content in made.items() if b"schemas.openxmlformats.org/spreadsheetml" in content
    } == set()
    assert b"http://purl.oclc.org/ooxml/drawingml/spreadsheetDrawing" in made["xl/drawings/drawing1.xml"]
    assert (
        b'Type="http://purl.oclc.org/ooxml/officeDocument/relationships/comments"'
        in made["xl/worksheets/_rels/sheet1.xml.rels"]
    )


@pytest.mark.parametrize(
    "cells", ["", '<row r="3"/><row r="9" ht="30"/>', '<row r="4" spans="1:2" ht="99"><c r="B4"/></row>']
)
def test_rows_that_are_not_there(cells: str) -> None:
    """They are made, each in its place."""
    sheet = members(answered(book(cells), 1))["xl/worksheets/sheet1.xml"]
    numbers = [int(number) for number in re.findall(rb'<row r="(\d+)"', sheet)]
    assert numbers == sorted({1, 3, 4, 5} | ({9} if 'r="9"' in cells else set()))


def test_a_sheet_without_free_columns_only_gets_comments() -> None:
    """Nothing is put beyond the last column XFD; that is told."""
    data = book('<row r="3"><c r="A3"/><c r="XFB3"/></row>')
    made = answer(data, name="x.xlsx", rows=ANSWERS, cells=CELLS, words=WORDS)
    check(made.content)
    assert made.troubles == (f"{SHEET}: no column is free",)
    assert "xl/comments1.xml" in members(made.content)


def test_a_far_word_of_the_sheet_is_not_believed() -> None:
    """A dimension of all columns leaves room where the cells do."""
    data = members(book('<row r="3"><c r="A3"/></row>'))["xl/worksheets/sheet1.xml"]
    far = replaced(
        book(),
        "xl/worksheets/sheet1.xml",
        data.replace(b"<sheetFormatPr", b'<dimension ref="A1:XFD1048576"/><sheetFormatPr'),
    )
    assert b'r="F3"' in members(answered(far, 1))["xl/worksheets/sheet1.xml"]


def test_what_is_damaged_costs_only_itself() -> None:
    """A sheet that is cut off is left as it is, and told; so are answers about a sheet that is not there."""
    data = book('<row r="3"><c r="A3"/>')
    made = answer(
        data, name="x.xlsx", rows=[*ANSWERS, RowAnswer("没有!1", "x", "bad")], cells=[], words=WORDS
    )
    assert [each.partition(":")[0] for each in made.troubles] == [SHEET, "没有"]
    assert members(made.content)["xl/worksheets/sheet1.xml"] == members(data)["xl/worksheets/sheet1.xml"]


def test_merged_cells_are_coloured_where_they_begin() -> None:
    """A comment on a covered cell would never be seen."""
    data = book(
        '<row r="3"><c r="A3"/></row><row r="4"/>',
        end='<mergeCells count="1"><mergeCell ref="D3:D4"/></mergeCells>',
    )
    comments = members(answered(data, 1))["xl/comments1.xml"].decode()
    assert re.findall(r'ref="(\w+)"', comments) == ["C3", "D3", "E5"]


def test_a_hundred_thousand_rows() -> None:
    """Every row is answered within seconds of this processor; the sheet is searched, never built as a tree."""
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"constant_memory": True}) as large:
        page = large.add_worksheet(SHEET)
        for row in range(100_001):
            for column in range(8):
                page.write_string(row, column, f"第 {row} 行第 {column} 列")
    rows = [
        RowAnswer(f"{SHEET}!{row}", "待审核", "waiting", ("请审核",), (Link("打开", f"o/{row}"),))
        for row in range(2, 100_002)
    ]
    cells = [CellAnswer(f"{SHEET}!C{row}", "太长", "warning") for row in range(2, 100_002, 10)]
    started = time.process_time()
    made = annotate(
        buffer.getvalue(), name="x.xlsx", rows=rows, cells=cells, words=WORDS, header_rows={SHEET: 1}
    )
    assert time.process_time() - started < 20
    sheet = members(made)["xl/worksheets/sheet1.xml"]
    assert sheet.count("待审核".encode()) == 100_000
    assert sheet.count(b"<hyperlink ") == 60_000  # Excel follows no more
    assert members(made)["xl/comments1.xml"].count(b"<comment ") == 5_000
