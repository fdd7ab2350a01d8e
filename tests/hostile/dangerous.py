"""Makes files that would harm whoever opens them without looking."""

from __future__ import annotations

import zlib
from io import BytesIO

from msoffcrypto.format.ooxml import OOXMLFile

from tests.hostile.opc import (
    DECLARATION,
    MAIN,
    Book,
    Member,
    Relation,
    Value,
    deflated,
    honest,
    parts,
    sheet,
    workbook,
    zip_of,
    zipped,
)
from tests.hostile.pictures import noisy_png

_ROW = b"<row><c><v>1</v></c></row>"
_ROWS_AT_ONCE = 1_000_000
_TIMES = 60


def encrypted(plain: bytes, password: str) -> bytes:
    """A workbook behind a password."""
    hidden = BytesIO()
    OOXMLFile(BytesIO(plain)).encrypt(password, hidden)
    return hidden.getvalue()


def password() -> bytes:
    """20: it asks for a password."""
    rows: dict[int, list[Value]] = {1: ["商品编码", "商品名称"], 2: ["00123", "纯棉T恤"]}
    large_enough = {"docProps/thumbnail.png": noisy_png((60, 60))}  # msoffcrypto writes no small streams
    return encrypted(workbook(Book({"商品": sheet(rows)}, parts=large_enough)), "88888888")


def zip_bomb() -> bytes:
    """25: 1.5 GB of rows in a few MB.

    Everything in the zip is true. One deflated block is repeated: deflating it all would take as long as the rest of the tests.
    """
    head = f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{MAIN}"><sheetData>'.encode()
    tail = b"</sheetData></worksheet>"
    block = _ROW * _ROWS_AT_ONCE
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    begin = squeezer.compress(head) + squeezer.flush(zlib.Z_FULL_FLUSH)
    again = squeezer.compress(block) + squeezer.flush(zlib.Z_FULL_FLUSH)
    end = squeezer.compress(tail) + squeezer.flush()
    crc = zlib.crc32(head)
    for _ in range(_TIMES):
        crc = zlib.crc32(block, crc)
    size = len(head) + _TIMES * len(block) + len(tail)
    bomb = Member("xl/worksheets/sheet1.xml", begin + again * _TIMES + end, zlib.crc32(tail, crc), size)
    return zip_of([*_others(["xl/worksheets/sheet1.xml"]), bomb])


def _others(sheets: list[str]) -> list[Member]:
    """What a workbook has beside these sheets."""
    every = parts(Book({f"商品{number}": "" for number in range(1, len(sheets) + 1)}))
    return [
        honest(name, data.encode() if isinstance(data, str) else data)
        for name, data in every.items()
        if name not in sheets
    ]


def many_sheets_bomb() -> bytes:
    """No sheet of it is large, but there are eighty."""
    page = f'{DECLARATION}<worksheet xmlns="{MAIN}"><sheetData>'.encode() + _ROW * 300_000
    page += b"</sheetData></worksheet>"
    packed, crc = deflated(page), zlib.crc32(page)
    names = [f"xl/worksheets/sheet{number}.xml" for number in range(1, 81)]
    return zip_of([*_others(names), *(Member(name, packed, crc, len(page)) for name in names)])


def lying_directory() -> bytes:
    """Its directory says 2 KB; 26 MB come out."""
    page = _ROW * _ROWS_AT_ONCE
    name = "xl/worksheets/sheet1.xml"
    return zip_of([*_others([name]), Member(name, deflated(page), zlib.crc32(page[:2048]), 2048)])


_ROWS: dict[int, list[Value]] = {1: ["商品编码", "商品名称"], 2: ["A1", "杯"]}


def xml_entities() -> bytes:
    """32: shared strings that want a local file, and that grow tenfold eight times."""
    growing = "".join(f'<!ENTITY a{n} "{f"&a{n - 1 if n else str()};" * 10}">' for n in range(8))
    texts = "".join(f"<si><t>{text}</t></si>" for text in ("商品编码", "商品名称", "A1", "&a7;&x;"))
    strings = (
        f'<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY a "lollollollol">{growing}]>'
        f'<sst xmlns="{MAIN}">{texts}</sst>'
    )
    page = (
        f'{DECLARATION}<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s">'
        '<v>1</v></c></row><row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2" t="s"><v>3</v></c></row></sheetData></worksheet>'
    )
    book = Book(
        {"商品": page},
        parts={"xl/sharedStrings.xml": strings},
        relations=[Relation("rId2", "sharedStrings", "sharedStrings.xml")],
    )
    return workbook(book)


def _declaring(part: str, doctype: str, *, encoding: str = "utf-8") -> bytes:
    """A workbook with this declaration at the head of one part."""
    every = parts(Book({"商品": sheet(_ROWS)}))
    text = str(every[part]).removeprefix(DECLARATION)
    every[part] = f'<?xml version="1.0" encoding="{encoding}"?>{doctype}{text}'.encode(encoding)
    return zipped(every)


def external_entity() -> bytes:
    """The sheet itself names a file of the machine that reads it."""
    return _declaring(
        "xl/worksheets/sheet1.xml", '<!DOCTYPE worksheet [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    )


def parameter_entity() -> bytes:
    """The list of sheets loads declarations from elsewhere."""
    return _declaring(
        "xl/workbook.xml", '<!DOCTYPE workbook [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]>'
    )


def external_subset() -> bytes:
    """No entity at all, but a document type that must be fetched, in a list of relations."""
    return _declaring(
        "xl/_rels/workbook.xml.rels", '<!DOCTYPE Relationships SYSTEM "http://127.0.0.1:9/x.dtd">'
    )


def entity_in_utf_16() -> bytes:
    """Whoever looks for the letters in a row does not find them."""
    return _declaring(
        "xl/worksheets/sheet1.xml",
        '<!DOCTYPE worksheet [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        encoding="utf-16",
    )
