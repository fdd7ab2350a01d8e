"""Makes the sample workbooks with pictures, in each of the ways in which cells have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO

import xlsxwriter

from tests.hostile.drawings import (
    CELL_IMAGE,
    XDR,
    A,
    Pinned,
    alternative,
    cell_images,
    drawing,
    grouped,
    images,
    nowhere,
    one_cell,
    picture,
)
from tests.hostile.opc import (
    OFFICE,
    Book,
    Relation,
    Value,
    Xml,
    formula,
    relations,
    sheet,
    workbook,
)
from tests.hostile.pictures import jpeg, png
from tests.hostile.workbooks import ABSOLUTE, CREATED, escaped_sheet

RED, GREEN, BLUE, YELLOW, PURPLE = (
    png(color) for color in ("#c82828", "#28a03c", "#2850c8", "#dcbe1e", "#8232a0")
)
PHOTO = jpeg("#808080")
HEADER = ("商品编码", "商品名称", "图片", "颜色")
PRODUCTS = (("00123", "纯棉T恤", "红"), ("00124", "牛仔裤", "绿"), ("00125", "连衣裙", "蓝"))
HIGH = dict.fromkeys((2, 3, 4), 'ht="72" customHeight="1"')
DRAWING = '<drawing r:id="rId1"/>'


def catalog_rows(*shown: Value) -> dict[int, Sequence[Value]]:
    """Three products with these picture cells."""
    cells = [*shown, *[None] * 3]
    return {1: HEADER} | {
        number: (sku, name, cells[number - 2], color) for number, (sku, name, color) in enumerate(PRODUCTS, 2)
    }


def with_drawing(
    page: str | bytes,
    anchors: str,
    targets: Sequence[Relation],
    media: Mapping[str, bytes],
    *,
    folder: str = "",
) -> bytes:
    """A sheet and its drawing."""
    return workbook(
        Book(
            {"商品": page},
            folder=folder,
            parts={
                "xl/drawings/drawing1.xml": anchors,
                "xl/drawings/_rels/drawing1.xml.rels": relations(*targets),
                **{f"xl/media/{name}": data for name, data in media.items()},
            },
            sheet_relations={
                "商品": [Relation("rId1", "drawing", f"{folder or '../'}drawings/drawing1.xml")]
            },
        )
    )


def floating_openpyxl() -> bytes:
    """a1: no prefix in the drawing, namespaces declared where they are used, absolute targets, empty text cells."""
    anchors = "".join(
        f"<oneCellAnchor><from><col>2</col><colOff>0</colOff><row>{number}</row><rowOff>0</rowOff></from>"
        f'<ext cx="1143000" cy="857250"/><pic><nvPicPr><cNvPr id="{number}" name="Image {number}" descr="Picture"/>'
        f'<cNvPicPr/></nvPicPr><blipFill><a:blip xmlns:a="{A}" xmlns:r="{OFFICE}" cstate="print" r:embed="rId{number}"/>'
        f'<a:stretch xmlns:a="{A}"><a:fillRect/></a:stretch></blipFill><spPr><a:prstGeom xmlns:a="{A}" prst="rect"/>'
        "</spPr></pic><clientData/></oneCellAnchor>"
        for number in (1, 2, 3)
    )
    empty = Xml('t="inlineStr"')
    page = escaped_sheet(catalog_rows(empty, empty, empty), used="A1:D4", attributes=HIGH, after=DRAWING)
    return with_drawing(
        page,
        f'<wsDr xmlns="{XDR}">{anchors}</wsDr>',
        images(*(f"/xl/media/image{number}.png" for number in (1, 2, 3))),
        {"image1.png": RED, "image2.png": GREEN, "image3.png": BLUE},
        folder=ABSOLUTE,
    )


def floating_twocell() -> bytes:
    """a2: one dropped 80 pixels too high, two in one cell, a small one inside merged cells."""
    saved = BytesIO()
    with xlsxwriter.Workbook(saved) as book:
        book.set_properties({"created": CREATED})
        page = book.add_worksheet("商品")
        for number, cells in catalog_rows().items():
            page.write_row(number - 1, 0, cells)
        for number in (1, 2, 3):
            page.set_row(number, 72)
        page.write_column("A6", ["A1", "A2", "A3"])
        page.merge_range("C6:C8", "")
        half, tenth = {"x_scale": 0.4, "y_scale": 0.4}, {"x_scale": 0.1, "y_scale": 0.1}
        for place, data, options in (
            ("C2", RED, {"y_offset": 80, "description": "r.png"}),
            ("C4", BLUE, {**half, "description": "主图"}),
            ("C4", YELLOW, {**half, "x_offset": 60, "description": "细节图"}),
            ("C7", PURPLE, {**tenth, "object_position": 2, "description": "p.png"}),
        ):
            position = {"object_position": 1, **options}
            page.insert_image(place, "x.png", {"image_data": BytesIO(data), **position})
    return saved.getvalue()


def floating_odd_anchors() -> bytes:
    """a3: two in a group, one for newer programs only, one that is a link, one pinned to the page, an absolute target."""
    page = sheet(
        catalog_rows(), attributes=HIGH, before='<sheetFormatPr defaultRowHeight="14.25"/>', after=DRAWING
    )
    anchors = drawing(
        one_cell(Pinned(1), picture(1, "rId1")),
        one_cell(Pinned(2), grouped(picture(2, "rId2"), picture(3, "rId3"))),
        alternative(one_cell(Pinned(3), picture(4, "rId4"))),
        one_cell(Pinned(1, column=4), picture(5, "rId5", by="link")),
        nowhere(picture(6, "rId6")),
    )
    targets = images(
        "../media/image1.png",
        "/xl/media/image2.png",
        "../media/image3.jpeg",
        "../media/image4.png",
        "https://img.example.com/p/00123.jpg",
        "../media/image1.png",
    )
    media = {"image1.png": RED, "image2.png": GREEN, "image3.jpeg": PHOTO, "image4.png": BLUE}
    return with_drawing(page, anchors, targets, media)


IDS = tuple(
    f"ID_{name}"
    for name in (
        "61D876205F66486D86027D500BCA1C31",
        "551876A0BB4341C480237B706FE48328",
        "CBD7CEBC94B44923A5B447F3F21C1995",
    )
)


def cell_image_parts() -> dict[str, str | bytes]:
    """The pictures of three cells as WPS keeps them."""
    return {
        "xl/cellimages.xml": cell_images(dict(zip(IDS, ("rId1", "rId2", "rId3"), strict=True))),
        "xl/_rels/cellimages.xml.rels": relations(*images(*(f"media/image{n}.png" for n in (1, 2, 3)))),
        "xl/media/image1.png": RED,
        "xl/media/image2.png": GREEN,
        "xl/media/image3.png": BLUE,
    }


def dispimg(name: str, *, value: str | None = None, kind: str = "str") -> Xml:
    """The formula by which WPS shows a picture; its value is the formula once more."""
    called = f'DISPIMG("{name}",1)'
    return formula(f"_xlfn.{called}", f"={called}" if value is None else value, kind=kind)


def wps_dispimg() -> bytes:
    """b1: pictures inside cells, as WPS saves them."""
    page = sheet(
        catalog_rows(*map(dispimg, IDS)),
        attributes=HIGH,
        before='<sheetFormatPr defaultRowHeight="14.25"/>',
    )
    book = Book(
        {"商品": page}, parts=cell_image_parts(), relations=[Relation("rId5", CELL_IMAGE, "cellimages.xml")]
    )
    return workbook(book)


def wps_dispimg_resaved_by_excel() -> bytes:
    """b2: Excel knows no such function: #NAME?; two cells show one picture, one shows none that is there, one is text."""
    unknown = [
        dispimg(name, value="#NAME?", kind="e")
        for name in (IDS[0], IDS[0], "ID_00000000000000000000000000000000")
    ]
    rows: dict[int, Sequence[Value]] = {1: HEADER}
    for number, cell in enumerate(unknown, 2):
        rows[number] = (*PRODUCTS[number - 2][:2], cell)
    rows[5] = ("00126", "帽子", f'=DISPIMG("{IDS[2]}",1)')
    book = Book(
        {"商品": sheet(rows)},
        parts=cell_image_parts(),
        relations=[Relation("rId5", CELL_IMAGE, "cellimages.xml")],
    )
    return workbook(book)


def place_in_cell() -> bytes:
    """c1: Excel's own pictures in cells; an older program sees #VALUE!."""
    saved = BytesIO()
    with xlsxwriter.Workbook(saved) as book:
        book.set_properties({"created": CREATED})
        page = book.add_worksheet("商品")
        for number, cells in catalog_rows().items():
            page.write_row(number - 1, 0, cells)
        for number, data in enumerate((RED, GREEN, BLUE), 1):
            page.set_row(number, 72)
            options = {"image_data": BytesIO(data), "description": PRODUCTS[number - 1][1]}
            page.embed_image(number, 2, f"{number}.png", options)
    return saved.getvalue()


def address(sku: str) -> str:
    """Where the picture of a product would be fetched."""
    return f"https://img.example.com/p/{sku}.jpg?x=1&y=2"


def image_function() -> bytes:
    """d1: =IMAGE() never calculated: its value is the number 0; the last one takes its address from another cell."""
    saved = BytesIO()
    with xlsxwriter.Workbook(saved) as book:
        book.set_properties({"created": CREATED})
        page = book.add_worksheet("商品")
        page.write_row("A1", (*HEADER, "图片链接"))
        for number, (sku, name, color) in enumerate(PRODUCTS, 2):
            page.write_row(f"A{number}", (sku, name, None, color))
            page.write_string(f"E{number}", address(sku))
            argument = "E4" if number == 4 else f'"{address(sku)}"'
            page.write_formula(f"C{number}", f"=_xlfn.IMAGE({argument})")
    return saved.getvalue()


def url_path_columns() -> bytes:
    """e1: addresses, file names and paths as text; a link behind a text, and a link that is a formula without a value."""
    link = '=HYPERLINK("https://img.example.com/p/00124.jpg","查看")'
    rows: dict[int, Sequence[Value]] = {
        1: (*HEADER[:3], "图片文件名", "图片路径", "查看"),
        2: (
            "00123",
            "纯棉T恤",
            "https://img.example.com/a.jpg；https://img.example.com/b.jpg",
            "00123.jpg",
            "D:\\商品图\\2024\\00123 主图.JPG",
            "点击查看",
        ),
        3: (
            "00124",
            "牛仔裤",
            "//img.example.com/c.webp\nhttps://img.example.com/d.png",
            "00124-1.jpg,00124-2.jpg",
            "\\\\NAS\\pics\\00124.png",
            formula(link[1:], ""),
        ),
    }
    linked = f'<hyperlinks><hyperlink xmlns:r="{OFFICE}" ref="F2" r:id="rId1"/></hyperlinks>'
    target = Relation("rId1", "hyperlink", "https://img.example.com/p/00123.png", is_external=True)
    page = escaped_sheet(rows, used="A1:F3", after=linked)
    return workbook(Book({"商品": page}, sheet_relations={"商品": [target]}, folder=ABSOLUTE))
