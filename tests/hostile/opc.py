"""Writes the parts of Office Open XML workbooks by hand, to make what no library writes."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from io import BytesIO

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_KINDS = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_TYPES = {
    "xl/workbook.xml": f"{_KINDS}.sheet.main",
    "xl/worksheets/sheet": f"{_KINDS}.worksheet",
    "xl/chartsheets/sheet": f"{_KINDS}.chartsheet",
    "xl/sharedStrings.xml": f"{_KINDS}.sharedStrings",
    "xl/styles.xml": f"{_KINDS}.styles",
    "xl/metadata.xml": f"{_KINDS}.sheetMetadata",
    "xl/drawings/drawing": "application/vnd.openxmlformats-officedocument.drawing",
    "xl/cellimages.xml": "application/vnd.wps-officedocument.cellimage",
    "xl/richData/rdrichvalue.xml": "application/vnd.ms-excel.rdrichvalue",
    "xl/richData/rdrichvaluestructure.xml": "application/vnd.ms-excel.rdrichvaluestructure",
    "xl/richData/richValueRel.xml": "application/vnd.ms-excel.richvaluerel",
    "xl/richData/rdRichValueWebImage.xml": "application/vnd.ms-excel.rdrichvaluewebimage",
}
"""What the parts are whose names begin so."""
_CLOCK = (2024, 5, 1, 0, 0, 0)

Parts = Mapping[str, str | bytes]


@dataclass(frozen=True, slots=True)
class Xml:
    """A cell that is written as it stands here: the attributes behind its place, and what is inside."""

    attributes: str
    inside: str = ""


Value = str | int | float | Xml | None
Rows = Mapping[int, Sequence[Value]]
"""Row number → its cells from column A; None leaves one out."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What one part says of another; a kind without a scheme is one of the common ones."""

    key: str
    kind: str
    target: str
    is_external: bool = False


@dataclass(frozen=True, slots=True)
class Book:
    """The sheets of a workbook by title, and what else is in its zip."""

    sheets: Mapping[str, str | bytes]
    states: Mapping[str, str] = field(default_factory=dict)
    parts: Parts = field(default_factory=dict)
    relations: Sequence[Relation] = ()
    """Of the workbook, beside those to its sheets."""
    sheet_relations: Mapping[str, Sequence[Relation]] = field(default_factory=dict)
    properties: str = ""
    """Stands before the list of sheets."""
    folder: str = ""
    """Stands before the targets of the sheets."""


def reference(column: int, number: int) -> str:
    """Spell a place as spreadsheets do; columns count from 0."""
    letters = ""
    rest = column + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{number}"


def cell(place: str, value: Value) -> str:
    """A cell as openpyxl writes it: texts inline, numbers with their type."""
    if isinstance(value, Xml):
        return f'<c r="{place}" {value.attributes}>{value.inside}</c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is>{run(value)}</is></c>'
    return f'<c r="{place}" t="n"><v>{value!r}</v></c>'


def run(text: str) -> str:
    """A text element; outer blanks must be asked for, and a carriage return survives only as a reference."""
    kept = ' xml:space="preserve"' if text != text.strip() else ""
    return f"<t{kept}>{escape(text, quote=False).replace(chr(13), '&#13;')}</t>"


def styled(value: float | str, style: int) -> Xml:
    """A number in one of the formats of ``styles``."""
    return Xml(f's="{style}" t="n"', f"<v>{value}</v>")


def formula(text: str, value: str | None = None, *, kind: str = "") -> Xml:
    """A formula and what it gave; None where nobody has calculated it."""
    result = "" if value is None else f"<v>{escape(value, quote=False)}</v>"
    return Xml(f't="{kind}"' if kind else "", f"<f>{escape(text, quote=False)}</f>{result}")


def sheet(
    rows: Rows, *, attributes: Mapping[int, str] | None = None, before: str = "", after: str = ""
) -> str:
    """A worksheet: *before* and *after* stand around its rows, *attributes* are those of single rows."""
    lines = []
    for number, values in rows.items():
        cells = (
            cell(reference(column, number), value) for column, value in enumerate(values) if value is not None
        )
        told = (attributes or {}).get(number, "")
        lines.append(f'<row r="{number}"{told and " " + told}>{"".join(cells)}</row>')
    return (
        f'<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}">{before}<sheetData>{"".join(lines)}</sheetData>'
        f"{after}</worksheet>"
    )


def merged(*areas: str) -> str:
    """The list of merged areas."""
    return f'<mergeCells count="{len(areas)}">{"".join(f"""<mergeCell ref="{area}"/>""" for area in areas)}</mergeCells>'


def styles(*formats: str) -> str:
    """A style sheet whose style *n*, from 1, is the *n*th of these number formats; style 0 is a plain one."""
    numbers = "".join(
        f'<numFmt numFmtId="{164 + n}" formatCode="{escape(code)}"/>' for n, code in enumerate(formats)
    )
    plain = '<xf numFmtId="{}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    every = "".join(plain.format(164 + n) for n in range(len(formats)))
    return (
        f'<styleSheet xmlns="{MAIN}"><numFmts count="{len(formats)}">{numbers}</numFmts><fonts count="1"><font>'
        '<sz val="11"/><name val="宋体"/></font></fonts><fills count="1"><fill><patternFill/></fill></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" '
        f'borderId="0"/></cellStyleXfs><cellXfs count="{len(formats) + 1}">{plain.format(0)}{every}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="常规" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )


def relations(*listed: Relation) -> str:
    """The part that lists what another one refers to."""
    lines = []
    for relation in listed:
        kind = relation.kind if "://" in relation.kind else f"{OFFICE}/{relation.kind}"
        mode = ' TargetMode="External"' if relation.is_external else ""
        target = escape(relation.target)
        lines.append(f'<Relationship Id="{relation.key}" Type="{kind}" Target="{target}"{mode}/>')
    return f'{DECLARATION}<Relationships xmlns="{PACKAGE}/relationships">{"".join(lines)}</Relationships>'


def content_types(names: Iterable[str]) -> str:
    """The types of those of these parts that need one of their own."""
    pictures = "".join(f'<Default Extension="{x}" ContentType="image/{x}"/>' for x in ("png", "jpeg"))
    overrides = "".join(
        f'<Override PartName="/{name}" ContentType="{kind}+xml"/>'
        for name in names
        for start, kind in _TYPES.items()
        if name.startswith(start)
    )
    return (
        f'{DECLARATION}<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f"{pictures}{overrides}</Types>"
    )


def parts(book: Book) -> dict[str, str | bytes]:
    """Every part of a workbook by name."""
    numbered = {title: f"rId{number}" for number, title in enumerate(book.sheets, 1)}
    states = {title: f' state="{state}"' for title, state in book.states.items()}
    listed = "".join(
        f'<sheet name="{escape(title)}" sheetId="{key[3:]}"{states.get(title, "")} r:id="{key}"/>'
        for title, key in numbered.items()
    )
    found: dict[str, str | bytes] = {
        "[Content_Types].xml": "",
        "_rels/.rels": relations(Relation("rId1", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": (
            f'{DECLARATION}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{book.properties}<sheets>{listed}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": relations(
            *(
                Relation(key, "worksheet", f"{book.folder}worksheets/sheet{key[3:]}.xml")
                for key in numbered.values()
            ),
            *book.relations,
        ),
    }
    for title, key in numbered.items():
        found[f"xl/worksheets/sheet{key[3:]}.xml"] = book.sheets[title]
        if title in book.sheet_relations:
            found[f"xl/worksheets/_rels/sheet{key[3:]}.xml.rels"] = relations(*book.sheet_relations[title])
    found |= book.parts
    return found | {"[Content_Types].xml": content_types(found)}


def workbook(book: Book) -> bytes:
    """The whole file."""
    return zipped(parts(book))


def with_styles(
    sheets: Mapping[str, str | bytes], *formats: str, properties: str = "", folder: str = ""
) -> Book:
    """Sheets whose numbers are shown in these formats."""
    return Book(
        sheets,
        folder=folder,
        parts={"xl/styles.xml": styles(*formats)},
        relations=[Relation("rId90", "styles", "styles.xml")],
        properties=properties,
    )


def zipped(every: Parts, *, encoding: str = "utf-8") -> bytes:
    """A zip of these parts in this order, the same at any time of day."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in every.items():
            member = zipfile.ZipInfo(name, _CLOCK)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(
                member, data if isinstance(data, bytes) else data.encode(encoding, "xmlcharrefreplace")
            )
    return packed.getvalue()


# --- members that no zip library would write ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a zip as its directory has it, true or not."""

    name: str
    packed: bytes
    crc: int
    size: int


def deflated(data: bytes) -> bytes:
    """A raw deflate stream."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeezer.compress(data) + squeezer.flush()


def honest(name: str, data: bytes) -> Member:
    """A member that is what it says."""
    return Member(name, deflated(data), zlib.crc32(data), len(data))


def zip_of(members: Sequence[Member]) -> bytes:
    """A zip of members whose sizes and sums are taken on trust."""
    body, directory = bytearray(), bytearray()
    for member in members:
        name = member.name.encode()
        about = struct.pack(
            "<HHHHHIIIHH",
            20, 0, 8, 0, 0x21, member.crc, len(member.packed), member.size, len(name), 0,
        )  # fmt: skip
        directory += b"PK\1\2\x14\0" + about + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name
        body += b"PK\3\4" + about + name + member.packed
    count = len(members)
    return bytes(
        body
        + directory
        + b"PK\5\6"
        + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)
    )
