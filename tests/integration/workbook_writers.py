"""Writes small workbooks in formats for which no library writes what the readers must bear."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import xlwt
from msoffcrypto.format.ooxml import OOXMLFile

Rows = Sequence[Sequence[Any]]

SPREADSHEETML = "urn:schemas-microsoft-com:office:spreadsheet"
ODF = "urn:oasis:names:tc:opendocument:xmlns"


def write_xls(path: Path, **sheets: Rows) -> Path:
    """BIFF8; strings stay strings."""
    book = xlwt.Workbook(encoding="utf-8")
    for title, rows in sheets.items():
        sheet = book.add_sheet(title)
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if value not in ("", None):
                    sheet.write(number, column, value)
    book.save(str(path))
    return path


def write_html(path: Path, rows: Rows, *, encoding: str = "gb18030") -> Path:
    """One table, as shop systems export it: everything is text, line breaks are <br>."""
    lines = "".join(f"<tr>{''.join(map(_td, row))}</tr>\n" for row in rows)
    page = (
        f"<html><head><meta charset={encoding}></head><body><table border=1>\n{lines}</table></body></html>"
    )
    path.write_bytes(page.encode(encoding))
    return path


def _td(value: Any) -> str:
    text = escape(str(value)).replace("\n", "<br>").replace("\t", "&#9;")
    return f"<td style=\"mso-number-format:'\\@'\">{text}</td>"


def write_xml_2003(path: Path, *, encoding: str = "utf-8", **sheets: str) -> Path:
    """SpreadsheetML: each sheet is given as the content of its Worksheet element."""
    worksheets = "".join(f'<Worksheet ss:Name="{title}">{xml}</Worksheet>' for title, xml in sheets.items())
    head = f'<?xml version="1.0" encoding="{encoding}"?>\n<?mso-application progid="Excel.Sheet"?>\n'
    styles = (
        '<Styles><Style ss:ID="s8"><NumberFormat ss:Format="00000000"/></Style>'
        '<Style ss:ID="plain"/></Styles>'
    )
    book = (
        f'<Workbook xmlns="{SPREADSHEETML}" xmlns:ss="{SPREADSHEETML}" '
        f'xmlns:x="urn:schemas-microsoft-com:office:excel">{styles}{worksheets}</Workbook>'
    )
    path.write_bytes((head + book).encode(encoding))
    return path


def xml_2003_table(rows: Rows) -> str:
    """Rows of text for ``write_xml_2003``."""
    lines = ("".join(_data(value) for value in row) for row in rows)
    return f"<Table>{''.join(f'<Row>{line}</Row>' for line in lines)}</Table>"


def _data(value: Any) -> str:
    text = escape(str(value)).replace("\n", "&#10;")
    return f'<Cell><Data ss:Type="String">{text}</Data></Cell>'


def write_ods(path: Path, **sheets: str) -> Path:
    """OpenDocument: each sheet is given as the content of its table element."""
    tables = "".join(
        f'<table:table table:name="{title}">{xml}</table:table>' for title, xml in sheets.items()
    )
    names = " ".join(f'xmlns:{name}="{ODF}:{name}:1.0"' for name in ("office", "table", "text"))
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names} office:version="1.2">'
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        f'<manifest:manifest xmlns:manifest="{ODF}:manifest:1.0"><manifest:file-entry manifest:full-path="/" '
        f'manifest:media-type="{kind}"/></manifest:manifest>'
    )
    return write_zip(
        path,
        {"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest, "styles.xml": "<x/>"},
    )


def ods_table(rows: Rows) -> str:
    """Rows of text for ``write_ods``."""
    return "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)


def _ods_cell(value: Any) -> str:
    lines = str(value).split("\n") if str(value) else []
    text = "".join(f"<text:p>{escape(line, quote=False)}</text:p>" for line in lines).replace(
        "\t", "<text:tab/>"
    )
    return (
        f'<table:table-cell office:value-type="string">{text}</table:table-cell>'
        if text
        else "<table:table-cell/>"
    )


def write_zip(path: Path, parts: Mapping[str, str | bytes]) -> Path:
    """A zip of these parts, in this order."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


# --- .xlsb: records of [MS-XLSB] 2.1.4: a number and a size in 7-bit groups, then the fields -----------------------

_BRT_ROW_HDR, _BRT_CELL_REAL, _BRT_CELL_ST = 0, 5, 6
_BRT_BEGIN_SHEET, _BRT_END_SHEET, _BRT_BEGIN_BOOK, _BRT_END_BOOK = 129, 130, 131, 132
_BRT_BEGIN_BUNDLE, _BRT_END_BUNDLE, _BRT_BEGIN_DATA, _BRT_END_DATA = 143, 144, 145, 146
_BRT_WS_DIM, _BRT_BUNDLE_SH = 148, 156
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"


def write_xlsb(
    path: Path, sheets: Mapping[str, Mapping[tuple[int, int], Any]], *, hidden: Sequence[str] = ()
) -> Path:
    """Sheets of cells by (row, column), both from 0: text, or a number."""
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": (
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="bin" '
            'ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>'
        ),
        "_rels/.rels": _relations({"rId1": ("officeDocument", "xl/workbook.bin")}),
        "xl/workbook.bin": b"".join(_book(list(sheets), hidden)),
        "xl/_rels/workbook.bin.rels": _relations(
            {f"rId{n}": ("worksheet", f"worksheets/sheet{n}.bin") for n, _ in enumerate(sheets, 1)}
        ),
    }
    for number, cells in enumerate(sheets.values(), 1):
        parts[f"xl/worksheets/sheet{number}.bin"] = b"".join(_worksheet(cells))
    return write_zip(path, parts)


def _relations(targets: Mapping[str, tuple[str, str]]) -> str:
    each = "".join(
        f'<Relationship Id="{key}" Type="{_OFFICE}/relationships/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'


def _book(titles: Sequence[str], hidden: Sequence[str]) -> Iterator[bytes]:
    yield _record(_BRT_BEGIN_BOOK)
    yield _record(_BRT_BEGIN_BUNDLE)
    for number, title in enumerate(titles, 1):
        yield _record(
            _BRT_BUNDLE_SH, struct.pack("<II", title in hidden, number) + _wide(f"rId{number}") + _wide(title)
        )
    yield _record(_BRT_END_BUNDLE)
    yield _record(_BRT_END_BOOK)


def _worksheet(cells: Mapping[tuple[int, int], Any]) -> Iterator[bytes]:
    rows, columns = zip(*cells, strict=True)
    yield _record(_BRT_BEGIN_SHEET)
    yield _record(_BRT_WS_DIM, struct.pack("<IIII", min(rows), max(rows), min(columns), max(columns)))
    yield _record(_BRT_BEGIN_DATA)
    row = -1
    for place in sorted(cells):
        if place[0] != row:
            row = place[0]
            yield _record(_BRT_ROW_HDR, struct.pack("<IIHBBBI", row, 0, 300, 0, 0, 0, 0))
        value, head = cells[place], struct.pack("<II", place[1], 0)
        if isinstance(value, str):
            yield _record(_BRT_CELL_ST, head + _wide(value))
        else:
            yield _record(_BRT_CELL_REAL, head + struct.pack("<d", value))
    yield _record(_BRT_END_DATA)
    yield _record(_BRT_END_SHEET)


def _record(number: int, data: bytes = b"") -> bytes:
    head = bytes([number]) if number < 128 else bytes([number & 0x7F | 0x80, number >> 7])
    return head + _size(len(data)) + data


def _size(count: int) -> bytes:
    groups = bytearray()
    while count >> 7:
        groups.append(count & 0x7F | 0x80)
        count >>= 7
    return bytes([*groups, count])


def _wide(text: str) -> bytes:
    encoded = text.encode("utf-16-le")
    return struct.pack("<I", len(encoded) // 2) + encoded


def cells_of(rows: Rows) -> dict[tuple[int, int], Any]:
    """Rows as ``write_xlsb`` wants them."""
    return {
        (number, column): value
        for number, row in enumerate(rows)
        for column, value in enumerate(row)
        if value not in ("", None)
    }


def encrypt(path: Path, password: str) -> Path:
    """Put a password on a workbook, in its place."""
    plain, hidden = BytesIO(path.read_bytes()), BytesIO()
    OOXMLFile(plain).encrypt(password, hidden)
    path.write_bytes(hidden.getvalue())
    return path
