"""Workbooks as merchandisers have them, with everything that an answer must leave alone, and what programs ask of a workbook."""

from __future__ import annotations

import posixpath
import re
import zipfile
from io import BytesIO
from xml.etree import ElementTree as ET

import xlsxwriter
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image as Picture
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils.cell import coordinate_to_tuple
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table

from catalog_imagegen.adapters.answers.sheet_xml import ORDER
from catalog_imagegen.adapters.catalogs.opc import Package, attribute, local
from tests.integration.picture_workbooks import BLUE, GREEN, RED, wps

SHEET = "商品"
HEADER = ("货号", "商品名称", "颜色", "价格", "图片")
ROWS = (("A-1", "红杯子", "红", 19.5), ("A-2", "绿杯子", "绿", 20), ("A-3", "蓝杯子", "蓝", 21))
FIRST = 3
"""The row of the first product, below a title and the header."""


def saved(book: Workbook) -> bytes:
    """The bytes of a workbook."""
    buffer = BytesIO()
    book.save(buffer)
    book.close()
    return buffer.getvalue()


def full() -> bytes:
    """A workbook by openpyxl that uses most of what there is, on two sheets."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = SHEET
    sheet.append(["春季新品"])
    sheet.merge_cells("A1:E1")
    sheet["A1"].alignment = Alignment(horizontal="center")
    sheet.append(list(HEADER))
    for row in ROWS:
        sheet.append(list(row))
    sheet.append(["合计", None, None, "=SUM(D3:D5)"])
    for number in range(FIRST, FIRST + len(ROWS)):
        sheet.cell(number, 4).number_format = '"¥"0.00'
    sheet["C3"].fill = PatternFill("solid", fgColor="FFFFFF00")
    sheet["C3"].font = Font(bold=True, color="FF00AA00")
    sheet["C3"].comment = Comment("颜色以实物为准", "小王")
    sheet["B5"].comment = Comment("新品", "小王")
    sheet["B4"].hyperlink = "https://shop.example.com/a-2?x=1&y=2"
    sheet.row_dimensions[3].height = 120
    sheet.row_dimensions[4].hidden = True
    sheet.column_dimensions["B"].width = 30
    sheet.freeze_panes = "B3"
    sheet.auto_filter.ref = "A2:E5"
    rule = CellIsRule("greaterThan", ["20"], fill=PatternFill(bgColor="FFFF0000"))  # type: ignore[no-untyped-call]
    sheet.conditional_formatting.add("D3:D5", rule)
    validation = DataValidation("list", formula1='"红,绿,蓝"', prompt="a > b", showInputMessage=True)
    validation.add("C3:C5")
    sheet.add_data_validation(validation)
    sheet.protection.sheet = True
    other = book.create_sheet("说明")
    other.append(["列", "含义"])
    other.append(["货号", "唯一"])
    other.add_table(Table(name="说明表", displayName="说明表", ref="A1:B2"))
    other.add_image(Picture(BytesIO(BLUE)), "D2")
    return saved(book)


def drawn() -> bytes:
    """A workbook by XlsxWriter: a picture in each row, one in a cell, comments, a logo, a chart, a picture in the page's head."""
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = book.add_worksheet(SHEET)
    sheet.write_row(1, 0, HEADER)
    for place, row in enumerate(ROWS):
        sheet.set_row(FIRST - 1 + place, 60)
        sheet.write_row(FIRST - 1 + place, 0, row)
        sheet.insert_image(
            FIRST - 1 + place,
            4,
            "p.png",
            {"image_data": BytesIO((RED, GREEN, BLUE)[place]), "x_offset": 5, "y_offset": 30},
        )
    sheet.embed_image("F3", "q.png", {"image_data": BytesIO(GREEN)})
    sheet.insert_image("A1", "logo.png", {"image_data": BytesIO(RED)})
    sheet.write_comment("B4", "这里有批注", {"author": "小李"})
    sheet.set_header("&L&G", {"image_left": "h.png", "image_data_left": BytesIO(BLUE)})
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": f"={SHEET}!$D$3:$D$5"})
    sheet.insert_chart("H20", chart)
    book.close()
    return buffer.getvalue()


def in_cells() -> bytes:
    """A workbook as WPS writes it, with pictures in its cells."""
    cells = "".join(
        f'<row r="{number}">'
        + "".join(
            f'<c r="{column}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
            for column, text in zip("ABC", row, strict=True)
        )
        + (
            f'<c r="E{number}" t="str"><f>_xlfn.DISPIMG("ID_{number - 1}",1)</f><v>=DISPIMG("ID_{number - 1}",1)</v></c>'
            if number > 1
            else '<c r="E1" t="inlineStr"><is><t>图片</t></is></c>'
        )
        + "</row>"
        for number, row in enumerate((HEADER[:3], *(row[:3] for row in ROWS[:2])), 1)
    )
    return with_types(wps(cells))


def with_types(data: bytes) -> bytes:
    """A workbook that was made by hand, which says of what type its parts are."""
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    word = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    said = (
        f'<Types xmlns="{types}"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{word}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{word}.worksheet+xml"/>'
        '<Override PartName="/xl/cellimages.xml" ContentType="application/vnd.wps-officedocument.cellimage+xml"/></Types>'
    )
    buffer = BytesIO(data)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("[Content_Types].xml", said)
    return buffer.getvalue()


def members(data: bytes) -> dict[str, bytes]:
    """What is in a zip; each part once."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(set(names)) == len(names)
        return {name: archive.read(name) for name in names}


def replaced(data: bytes, part: str, content: bytes) -> bytes:
    """A workbook with another part."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, was in members(data).items():
            archive.writestr(name, content if name == part else was)
    return buffer.getvalue()


def check(data: bytes) -> None:
    """What Excel asks of a workbook, or else repairs it: parts well-formed, typed and related, cells and elements in their order."""
    parts = {
        name.lstrip("/"): content for name, content in members(data).items()
    }  # XlsxWriter begins some with it
    named = [name for name in parts if name.endswith((".xml", ".rels", ".vml"))]
    roots = {name: ET.fromstring(parts[name]) for name in named}  # noqa: S314 - we made them
    if "[Content_Types].xml" in roots:
        types = roots["[Content_Types].xml"]
        known = {each.get("Extension", "").lower() for each in types} | {
            each.get("PartName", "").lower() for each in types
        }
        for name in parts:
            assert (
                name == "[Content_Types].xml" or {name.rpartition(".")[2].lower(), f"/{name}".lower()} & known
            ), name
    for name, root in roots.items():
        if name.endswith(".rels"):
            owner = posixpath.dirname(posixpath.dirname(name))
            keys = [each.get("Id") for each in root]
            assert len(set(keys)) == len(keys), name
            for each in root:
                target = each.get("Target", "")
                path = posixpath.normpath(
                    target.lstrip("/") if target.startswith("/") else posixpath.join(owner, target)
                )
                assert each.get("TargetMode") == "External" or path in parts, (name, target)
    package = Package(data)
    styles = package.related(package.workbook, "styles")
    formats = (
        next((len(each) for each in package.xml(styles) if local(each.tag) == "cellXfs"), 0) if styles else 0
    )
    for sheet in package.sheets:
        _check_sheet(package, sheet.part, formats)


def _check_sheet(package: Package, part: str, formats: int) -> None:
    root = package.xml(part)
    ranks = [ORDER.index(name) for each in root if (name := local(each.tag).encode()) in ORDER]
    assert ranks == sorted(ranks)
    relations = package.relations(part)
    for each in root.iter():
        if local(each.tag) in ("hyperlink", "drawing", "legacyDrawing", "tablePart") and attribute(
            each, "id"
        ):
            assert attribute(each, "id") in relations
    last = 0
    for row in (each for each in root.iter() if local(each.tag) == "row"):
        number = int(row.get("r", last + 1))
        assert number > last
        last = number
        places = [coordinate_to_tuple(cell.get("r", "")) for cell in row if cell.get("r")]
        assert places == sorted(set(places))
        assert {place[0] for place in places} <= {number}
        assert all(int(cell.get("s", "0")) < max(formats, 1) for cell in row)
        spans = re.fullmatch(r"(\d+):(\d+)", row.get("spans", ""))
        assert spans is None or not places or places[-1][1] <= int(spans[2])
    for key in (relation.target for relation in relations.values() if relation.kind == "drawing"):
        drawing = package.xml(key)
        keys = {
            value
            for each in drawing.iter()
            for name, value in each.items()
            if local(name) in ("embed", "id") and name.startswith("{")
        }
        assert keys <= set(package.relations(key))
