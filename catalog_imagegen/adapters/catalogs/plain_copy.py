"""A copy of some sheets of a workbook that also readers understand that are stricter or less thorough than Excel."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.opc import local, relations_part

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.opc import Package, SheetPart

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRICT_MAIN = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_WORKBOOK = "xl/workbook.xml"
_SHARED = {"sharedStrings": "xl/sharedStrings.xml", "styles": "xl/styles.xml"}
"""Kind of relation → the only place where calamine looks for the part."""
_ESCAPES = re.compile(rb"(?:_x[0-9A-Fa-f]{4}_)+")
_HIGH_ESCAPE = re.compile(rb"_x(?!00)[0-9A-Fa-f]{4}_")
_LAST_KNOWN = 0xFF
_ROOT = re.compile(rb"<((?:\w+:)?worksheet)\b")
_BEGINNING = 4096
_COVERING = (b"mergeCell", b"hyperlink")
_COVERING_TAG = re.compile(rb"<(/?(?:\w+:)?)(?=mergeCell|hyperlink)")
_XML = '<?xml version="1.0" encoding="UTF-8"?>'


def is_plain(package: Package, sheet: SheetPart) -> bool:
    """Whether calamine finds the parts of a sheet, which it asks for letter by letter, and can read them all.

    What is written in the sheet itself, and in the texts that sheets share, is not looked at.
    """
    if not all(map(package.has, (_WORKBOOK, relations_part(_WORKBOOK)))) or package.workbook != _WORKBOOK:
        return False
    for relation in package.relations(_WORKBOOK).values():
        written = relation.written
        if relation.target == sheet.part:
            if not package.has(written[1:] if written.startswith("/xl/") else f"xl/{written}"):
                return False
        elif (
            relation.kind in _SHARED
            and relation.target in package
            and not package.has(_SHARED[relation.kind])
        ):
            return False
    return True


def has_high_escapes(xml: bytes) -> bool:
    """Whether a text may spell a character as ``_x676F_``, which calamine resolves up to ``_x00FF_`` only."""
    return b"_x" in xml and _HIGH_ESCAPE.search(xml) is not None


def plain_copy(package: Package, sheets: Sequence[SheetPart]) -> bytes:
    """A workbook of nothing but the cells of these sheets, their texts and styles. Raises KeyError, ParseError."""
    copied = BytesIO()
    with zipfile.ZipFile(copied, "w") as archive:
        for name, data in _parts(package, sheets):
            archive.writestr(name, data)
    return copied.getvalue()


def _parts(package: Package, sheets: Sequence[SheetPart]) -> Iterator[tuple[str, str | bytes]]:
    numbered = dict(enumerate(sheets, 1))
    targets = {f"rId{number}": ("worksheet", f"xl/worksheets/sheet{number}.xml") for number in numbered}
    for number, sheet in numbered.items():
        yield targets[f"rId{number}"][1], _tidied(_only_cells(package.read(sheet.part)))
    for kind, name in _SHARED.items():
        part = package.related(package.workbook, kind)
        if part is not None:
            targets[kind] = kind, name
            yield name, _tidied(package.read(part))
    listed = "".join(
        f'<sheet name="{escape(sheet.title)}" sheetId="{number}" r:id="rId{number}"/>'
        for number, sheet in numbered.items()
    )
    yield (
        _WORKBOOK,
        (
            f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><workbookPr date1904="{int(_counts_from_1904(package))}"/>'
            f"<sheets>{listed}</sheets></workbook>"
        ),
    )
    yield relations_part(_WORKBOOK), _relations(targets)
    yield "_rels/.rels", _relations({"rId1": ("officeDocument", _WORKBOOK)})
    yield "[Content_Types].xml", _content_types({"": ("sheet.main", _WORKBOOK), **targets})


def _counts_from_1904(package: Package) -> bool:
    properties = (each for each in package.xml(package.workbook).iter() if local(each.tag) == "workbookPr")
    return any(each.get("date1904") in {"1", "true"} for each in properties)


def _relations(targets: dict[str, tuple[str, str]]) -> str:
    each = "".join(
        f'<Relationship Id="{key}" Type="{_OFFICE}/{kind}" Target="/{name}"/>'
        for key, (kind, name) in targets.items()
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'


def _content_types(targets: dict[str, tuple[str, str]]) -> str:
    each = "".join(
        f'<Override PartName="/{name}" ContentType="{_TYPE}.{kind}+xml"/>' for kind, name in targets.values()
    )
    rels = (
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    )
    return f'{_XML}<Types xmlns="{_PACKAGE}/content-types">{rels}{each}</Types>'


def _only_cells(sheet: bytes) -> bytes:
    """A sheet without what follows its cells, which refers to other parts, or stands among them where it must not.

    In a merged area and below a hyperlink openpyxl makes a cell of each place: seventeen billion, if somebody says so.
    """
    cells_end = sheet.rfind(b"sheetData")
    end = sheet.find(b">", cells_end) + 1
    root = _ROOT.search(sheet, 0, _BEGINNING)
    if cells_end >= 0 and end and root is not None:
        sheet = sheet[:end] + b"</" + root[1] + b">"
    if any(name in sheet for name in _COVERING):
        sheet = _COVERING_TAG.sub(rb"<\1no-", sheet)
    return sheet


def _tidied(xml: bytes) -> bytes:
    if has_high_escapes(xml):
        xml = _ESCAPES.sub(_resolved, xml)
    return xml.replace(_STRICT_MAIN, _MAIN.encode(), 1)


def _resolved(found: re.Match[bytes]) -> bytes:
    """Characters for their numbers (ECMA-376, 22.9.2.19), which may be halves; those calamine knows are left to it."""
    text, units = b"", b""
    for spelling in re.findall(rb"_x[0-9A-Fa-f]{4}_", found[0]):
        code = int(spelling[2:6], 16)
        if code > _LAST_KNOWN:
            units += code.to_bytes(2, "big")
            continue
        text += _characters(units) + spelling
        units = b""
    return text + _characters(units)


def _characters(units: bytes) -> bytes:
    return units.decode("utf-16-be", "replace").encode()
