"""Writes workbooks with pictures in every form that spreadsheet programs know, part by part."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Mapping
from html import escape
from io import BytesIO

from PIL import Image

from catalog_imagegen.adapters.catalogs.layout import Area, Layout, Mark
from catalog_imagegen.adapters.catalogs.opc import Package, local
from catalog_imagegen.adapters.catalogs.pictures import CellPictures, SheetPictures
from catalog_imagegen.adapters.catalogs.pictures.formulas import cell_named

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RICH = "http://schemas.microsoft.com/office"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_SPECIAL = re.compile(r"(?:IMAGE|DISPIMG|HYPERLINK)\(", re.IGNORECASE)
ROW_EMU = 72 * 12700
"""The height of rows in the workbooks of ``book``, where nothing else is said."""
DRAWN = '<drawing r:id="rId1"/>'

Relations = Mapping[str, tuple[str, str]]
"""Id → type and target; a target that begins with http is external."""


def png(color: str, size: int = 8) -> bytes:
    """A small picture."""
    saved = BytesIO()
    Image.new("RGB", (size, size), color).save(saved, "PNG")
    return saved.getvalue()


RED, GREEN, BLUE = png("red"), png("green"), png("blue")


# --- .xlsx -----------------------------------------------------------------------------------------------------------


def book(
    cells: str = "",
    *,
    end: str = "",
    parts: Mapping[str, str | bytes] | None = None,
    sheet: Relations | None = None,
    workbook: Relations | None = None,
) -> bytes:
    """An .xlsx with one sheet, 商品, of these cells: rows of XML, and what comes after them."""
    listed = {"rId1": (f"{OFFICE}/worksheet", "worksheets/sheet1.xml"), **(workbook or {})}
    return zipped(
        {
            "_rels/.rels": relations({"rId1": (f"{OFFICE}/officeDocument", "xl/workbook.xml")}),
            "xl/workbook.xml": (
                f'<workbook xmlns="{_SHEET}" xmlns:r="{OFFICE}"><sheets><sheet name="商品" sheetId="1" r:id="rId1"/>'
                "</sheets></workbook>"
            ),
            "xl/_rels/workbook.xml.rels": relations(listed),
            "xl/worksheets/sheet1.xml": (
                f'<worksheet xmlns="{_SHEET}" xmlns:r="{OFFICE}"><sheetFormatPr defaultRowHeight="72"/>'
                f"<sheetData>{cells}</sheetData>{end}</worksheet>"
            ),
            "xl/worksheets/_rels/sheet1.xml.rels": relations(sheet or {}),
            **(parts or {}),
        }
    )


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """A zip of these parts."""
    saved = BytesIO()
    with zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return saved.getvalue()


def relations(targets: Relations) -> str:
    """The part that says what another one refers to."""
    each = "".join(
        f'<Relationship Id="{key}" Type="{kind}" Target="{escape(target)}"'
        + (' TargetMode="External"/>' if target.startswith("http") else "/>")
        for key, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}">{each}</Relationships>'


def images(*targets: str) -> str:
    """Relations rId1, rId2 … to pictures."""
    return relations(
        {f"rId{number}": (f"{OFFICE}/image", target) for number, target in enumerate(targets, 1)}
    )


def drawn(anchors: str, *targets: str, cells: str = "", end: str = "") -> bytes:
    """An .xlsx with a drawing; its media are 1.png red, 2.png green and 3.png blue."""
    names = (
        f'xmlns:xdr="x" xmlns:a="a" xmlns:r="{OFFICE}" xmlns:mc="{_MC}"'  # only local names matter to anybody
    )
    return book(
        cells,
        end=f"{end}{DRAWN}",
        sheet={"rId1": (f"{OFFICE}/drawing", "../drawings/drawing1.xml")},
        parts={
            "xl/drawings/drawing1.xml": f"<xdr:wsDr {names}>{anchors}</xdr:wsDr>",
            "xl/drawings/_rels/drawing1.xml.rels": images(*targets),
            **media("xl/media/"),
        },
    )


def media(folder: str) -> dict[str, str | bytes]:
    """Three pictures: red, green and blue."""
    return {f"{folder}{number}.png": content for number, content in enumerate((RED, GREEN, BLUE), 1)}


def corner(name: str, row: int, offset: int = 0, column: int = 2) -> str:
    """One end of an anchor; all from 0."""
    return (
        f"<xdr:{name}><xdr:col>{column}</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>{row}</xdr:row>"
        f"<xdr:rowOff>{offset}</xdr:rowOff></xdr:{name}>"
    )


def two_cells(start: str, end: str, inside: str) -> str:
    """Anchored between two corners."""
    return f"<xdr:twoCellAnchor>{start}{end}{inside}<xdr:clientData/></xdr:twoCellAnchor>"


def one_cell(row: int, inside: str, *, height: int = ROW_EMU // 2, offset: int = 0) -> str:
    """Anchored at one corner, with a size."""
    return (
        f'<xdr:oneCellAnchor>{corner("from", row, offset)}<xdr:ext cx="9" cy="{height}"/>{inside}<xdr:clientData/>'
        "</xdr:oneCellAnchor>"
    )


def pic(key: str, *, by: str = "embed", name: str = "图片", y: int = 0, height: int = 0) -> str:
    """A picture that shows the relation *key*."""
    return (
        f'<xdr:pic><xdr:nvPicPr><xdr:cNvPr id="2" name="{name}"/></xdr:nvPicPr><xdr:blipFill>'
        f'<a:blip r:{by}="{key}"/></xdr:blipFill><xdr:spPr>{transform(y, height)}</xdr:spPr></xdr:pic>'
    )


def transform(y: int, height: int, inside: str = "") -> str:
    """Where in its group something is, and how tall."""
    return f'<a:xfrm><a:off x="0" y="{y}"/><a:ext cx="1" cy="{height}"/>{inside}</a:xfrm>' if height else ""


def group(*inside: str, y: int = 0, height: int = 0) -> str:
    """Shapes that are moved together, and the coordinates they lie in."""
    own = f'<a:chOff x="0" y="{y}"/><a:chExt cx="1" cy="{height}"/>'
    return f"<xdr:grpSp><xdr:grpSpPr>{transform(y, height, own)}</xdr:grpSpPr>{''.join(inside)}</xdr:grpSp>"


def cell(place: str, *, formula: str = "", value: str = "", attributes: str = "") -> str:
    """A row with one cell."""
    number = re.sub("[A-Z]", "", place)
    f = f"<f>{escape(formula)}</f>" if formula else ""
    v = f"<v>{escape(value)}</v>" if value else ""
    return f'<row r="{number}"><c r="{place}" {attributes}>{f}{v}</c></row>'


def inline(place: str, text: str) -> str:
    """A row with one cell of text."""
    number = re.sub("[A-Z]", "", place)
    return f'<row r="{number}"><c r="{place}" t="inlineStr"><is><t>{escape(text)}</t></is></c></row>'


def wps(cells: str, *, part: str = "xl/cellimages.xml", kind: str = "http://www.wps.cn/x/cellImage") -> bytes:
    """An .xlsx with the cell images ID_1 red, ID_2 green and ID_3 from the web."""
    web = "https://img.example.com/3.jpg"
    listed = "".join(
        f"<etc:cellImage>{pic(f'rId{number}', name=f'ID_{number}', by='link' if number == 3 else 'embed')}</etc:cellImage>"
        for number in (1, 2, 3)
    )
    folder, _, name = part.rpartition("/")
    return book(
        cells,
        workbook={"rId9": (kind, part.removeprefix("xl/"))},
        parts={
            part: f'<etc:cellImages xmlns:etc="e" xmlns:xdr="x" xmlns:a="a" xmlns:r="{OFFICE}">{listed}</etc:cellImages>',
            f"{folder}/_rels/{name}.rels": images("/xl/media/1.png", "/xl/media/2.png", web),
            **media("xl/media/"),
        },
    )


# --- reading ---------------------------------------------------------------------------------------------------------


def read_xlsx(data: bytes) -> SheetPictures:
    """The pictures of the first sheet."""
    package = Package(data)
    sheet = package.sheets[0]
    return CellPictures(package).of_sheet(sheet, layout_of(package, sheet.part))


def layout_of(package: Package, part: str) -> Layout:
    """The layout of a small sheet."""
    root = package.xml(part)
    marks: dict[tuple[int, int], Mark] = {}
    heights, merged, usual = {}, [], 15.0
    for element in root.iter():
        tag = local(element.tag)
        if tag == "sheetFormatPr":
            usual = float(element.get("defaultRowHeight", "15"))
        elif tag == "row" and element.get("ht"):
            heights[int(element.get("r", "0"))] = float(element.get("ht", "0"))
        elif tag == "mergeCell":
            first, last = (cell_named(each) or (1, 0) for each in element.get("ref", "").split(":"))
            merged.append(Area(*first, *last))
        elif tag == "c":
            text = {local(each.tag): each.text or "" for each in element.iter()}
            formula, value = text.get("f", ""), text.get("v") or text.get("t", "")
            mark = Mark(formula, value, element.get("t") == "e", int(element.get("vm", "0")))
            place = cell_named(element.get("r", ""))
            if place and (_SPECIAL.search(formula) or "DISPIMG(" in value or mark.rich_value):
                marks[place] = mark
    return Layout(marks, merged, heights=heights, default_height=usual)


# --- .ods ------------------------------------------------------------------------------------------------------------


def ods(tables: str, parts: Mapping[str, str | bytes] | None = None) -> bytes:
    """An OpenDocument spreadsheet with the pictures 1.png, 2.png and 3.png; rows of style *tall* have 72 points."""
    prefixes = ("office", "table", "text", "style", "drawing", "svg-compatible")
    names = " ".join(f'xmlns:{each.split("-")[0]}="{_ODF}:{each}:1.0"' for each in prefixes)
    content = (
        f'<office:document-content {names} xmlns:xlink="http://www.w3.org/1999/xlink"><office:automatic-styles>'
        '<style:style style:name="tall" style:family="table-row"><style:table-row-properties style:row-height="1in"/>'
        f"</style:style></office:automatic-styles><office:body><office:spreadsheet>{tables}</office:spreadsheet>"
        "</office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return zipped({"mimetype": kind, "content.xml": content, **media("Pictures/"), **(parts or {})})


def frame(*hrefs: str, attributes: str = "", inside: str = "") -> str:
    """A frame that shows one picture, in all these formats."""
    shown = "".join(f'<drawing:image xlink:href="{href}"/>' for href in hrefs)
    return f"<drawing:frame {attributes}>{shown}{inside}</drawing:frame>"


def ods_rows(*rows: Iterable[str]) -> str:
    """Rows of cells, each given as what is in it."""
    lines = ("".join(f"<table:table-cell>{content}</table:table-cell>" for content in row) for row in rows)
    return "".join(f'<table:table-row table:style-name="tall">{line}</table:table-row>' for line in lines)
