"""Makes old and binary workbooks: .xls, .xlsb, .ods."""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO

import xlwt

from tests.hostile.biff import Placed, xls
from tests.hostile.cell_pictures import BLUE, GREEN, HEADER, PRODUCTS, RED
from tests.hostile.opc import PACKAGE, Parts, Relation, relations, zipped


def saved_by_xlwt(book: xlwt.Workbook) -> bytes:
    """The bytes of an .xls."""
    saved = BytesIO()
    book.save(saved)
    return saved.getvalue()


def biff8() -> bytes:
    """28: dates, prices in two kinds of number, and 13 digits as a number, one row without a date."""
    book = xlwt.Workbook(encoding="utf-8")
    page = book.add_sheet("商品")
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    rows: Sequence[Sequence[object]] = (
        ("商品编码", "商品名称", "价格", "上架日期"),
        ("00123", "纯棉T恤", 59.9, dt.date(2024, 5, 1)),
        ("00124", "牛仔裤", 129, dt.date(2024, 5, 2)),
        (6901234567892, "帽子", 39),
    )
    for number, values in enumerate(rows):
        for column, value in enumerate(values):
            if isinstance(value, dt.date):
                page.write(number, column, value, day)
            else:
                page.write(number, column, value)
    return saved_by_xlwt(book)


def drawn_biff8() -> bytes:
    """g1: pictures over cells as LibreOffice saves them, in a container so small that even the workbook is in its small sectors."""
    rows = [HEADER, *((sku, name, None, color) for sku, name, color in PRODUCTS)]
    return xls(
        rows,
        pictures=(RED, GREEN, BLUE),
        placed=[Placed(number, row=number) for number in (1, 2, 3)],
        heights={1: 1440, 2: 1440, 3: 1440},
    )


# --- .xlsb: records of [MS-XLSB] ------------------------------------------------------------------------------------

_ROW_HEADER, _BOOL, _REAL, _SHARED, _ITEM = 0, 4, 5, 7, 19
_BEGIN_SHEET, _END_SHEET, _BEGIN_BOOK, _END_BOOK = 129, 130, 131, 132
_BEGIN_TABS, _END_TABS, _BEGIN_ROWS, _END_ROWS = 143, 144, 145, 146
_USED, _TAB, _BEGIN_STRINGS, _END_STRINGS = 148, 156, 159, 160

Cells = Mapping[tuple[int, int], str | float | bool]
"""By row and column, both from 0."""


def xlsb(cells: Cells, *, used: tuple[int, int] | None = None) -> bytes:
    """A binary workbook of one sheet whose texts are shared; *used* is the last cell as the sheet has it."""
    texts = list(dict.fromkeys(value for value in cells.values() if isinstance(value, str)))
    last = used or (max(row for row, _ in cells), max(column for _, column in cells))
    tab = struct.pack("<II", 0, 1) + wide("rId1") + wide("商品")
    kinds = (
        ("/xl/worksheets/sheet1.bin", "worksheet"),
        ("/xl/sharedStrings.bin", "sharedStrings"),
    )
    overrides = "".join(
        f'<Override PartName="{name}" ContentType="application/vnd.ms-excel.{kind}"/>' for name, kind in kinds
    )
    parts: Parts = {
        "[Content_Types].xml": (
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="bin" '
            'ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/><Default Extension="rels" '
            f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{overrides}</Types>'
        ),
        "_rels/.rels": relations(Relation("rId1", "officeDocument", "xl/workbook.bin")),
        "xl/workbook.bin": b"".join(
            (
                record(_BEGIN_BOOK),
                record(_BEGIN_TABS),
                record(_TAB, tab),
                record(_END_TABS),
                record(_END_BOOK),
            )
        ),
        "xl/_rels/workbook.bin.rels": relations(
            Relation("rId1", "worksheet", "worksheets/sheet1.bin"),
            Relation("rId2", "sharedStrings", "sharedStrings.bin"),
        ),
        "xl/worksheets/sheet1.bin": b"".join(_page(cells, texts, last)),
        "xl/sharedStrings.bin": record(_BEGIN_STRINGS, struct.pack("<II", len(texts), len(texts)))
        + b"".join(record(_ITEM, b"\0" + wide(text)) for text in texts)
        + record(_END_STRINGS),
    }
    return zipped(parts)


def _page(cells: Cells, texts: Sequence[str], last: tuple[int, int]) -> Iterator[bytes]:
    yield record(_BEGIN_SHEET)
    yield record(_USED, struct.pack("<IIII", 0, last[0], 0, last[1]))
    yield record(_BEGIN_ROWS)
    before = -1
    for (row, column), value in sorted(cells.items()):
        if row != before:
            yield record(_ROW_HEADER, struct.pack("<IIHBBBI", row, 0, 300, 0, 0, 0, 0))
            before = row
        place = struct.pack("<II", column, 0)
        if isinstance(value, str):
            yield record(_SHARED, place + struct.pack("<I", texts.index(value)))
        elif isinstance(value, bool):
            yield record(_BOOL, place + bytes([value]))
        else:
            yield record(_REAL, place + struct.pack("<d", value))
    yield record(_END_ROWS)
    yield record(_END_SHEET)


def record(number: int, data: bytes = b"") -> bytes:
    """A record of an .xlsb: a number and a size in groups of seven bits, then its fields."""
    head = bytes([number]) if number < 0x80 else bytes([number & 0x7F | 0x80, number >> 7])
    count, size = len(data), bytearray()
    while count >> 7:
        size.append(count & 0x7F | 0x80)
        count >>= 7
    return head + bytes([*size, count]) + data


def wide(text: str) -> bytes:
    """A text with its length."""
    encoded = text.encode("utf-16-le")
    return struct.pack("<I", len(encoded) // 2) + encoded


def table(rows: Sequence[Sequence[str | float | bool | None]]) -> dict[tuple[int, int], str | float | bool]:
    """Rows as ``xlsb`` wants them."""
    return {
        (number, column): value
        for number, line in enumerate(rows)
        for column, value in enumerate(line)
        if value is not None
    }


def binary() -> bytes:
    """29: a binary workbook with shared strings."""
    return xlsb(
        table(
            (
                ("商品编码", "商品名称", "价格"),
                ("00123", "纯棉T恤", 59.9),
                ("00124", "牛仔裤", 129.0),
                (6901234567892.0, "帽子", 39.0),
            )
        )
    )


# --- .ods -----------------------------------------------------------------------------------------------------------

_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_ODS = "application/vnd.oasis.opendocument.spreadsheet"


def ods(table_content: str, *, media: Mapping[str, bytes] | None = None) -> bytes:
    """An OpenDocument of one sheet, given as the content of its table."""
    names = " ".join(f'xmlns:{name}="{_ODF}:{name}:1.0"' for name in ("office", "table", "text"))
    more = f'xmlns:draw="{_ODF}:drawing:1.0" xmlns:xlink="http://www.w3.org/1999/xlink"'
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names} {more} office:version="1.2"><office:body>'
        f'<office:spreadsheet><table:table table:name="商品">{table_content}</table:table></office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    manifest = (
        f'<manifest:manifest xmlns:manifest="{_ODF}:manifest:1.0"><manifest:file-entry manifest:full-path="/" '
        f'manifest:media-type="{_ODS}"/></manifest:manifest>'
    )
    pictures = {f"Pictures/{name}": data for name, data in (media or {}).items()}
    return zipped({"mimetype": _ODS, "content.xml": content, "META-INF/manifest.xml": manifest, **pictures})


def ods_row(
    *values: str | float | None, inside: Mapping[int, str] | None = None, attributes: str = ""
) -> str:
    """A row of texts and numbers; *inside* puts more into single cells."""
    cells = []
    for column, value in enumerate(values):
        more = (inside or {}).get(column, "")
        if isinstance(value, str):
            cells.append(
                f'<table:table-cell office:value-type="string">{more}<text:p>{value}</text:p></table:table-cell>'
            )
        elif value is None:
            cells.append(f"<table:table-cell>{more}</table:table-cell>")
        else:
            cells.append(
                f'<table:table-cell office:value-type="float" office:value="{value!r}">{more}<text:p>{value}</text:p>'
                "</table:table-cell>"
            )
    return f"<table:table-row{attributes}>{''.join(cells)}</table:table-row>"
