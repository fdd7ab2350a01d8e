"""Workbooks whose zip, parts or XML are unusual: all of it allowed, or all of it to be refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.hostile import dangerous
from tests.hostile.catalog import Fields, HostileCatalog, Refusal, row
from tests.hostile.opc import (
    DECLARATION,
    MAIN,
    OFFICE,
    Book,
    Relation,
    Rows,
    Xml,
    parts,
    relations,
    sheet,
    workbook,
    zipped,
)

_PLAIN: Rows = {
    1: ["货号", "商品名称", "价格"],
    2: ["00123", "保温杯", 59.9],
    3: ["00124", "纯棉T恤", 129],
}
_ROWS: tuple[Fields, ...] = (
    row("商品!2", "00123", "保温杯", price="59.9"),
    row("商品!3", "00124", "纯棉T恤", price="129"),
)
_SHEET = "xl/worksheets/sheet1.xml"


def _every() -> dict[str, str | bytes]:
    return parts(Book({"商品": sheet(_PLAIN)}))


def strict() -> bytes:
    """Strict Open XML: every namespace and every kind of relation is another one."""
    purl = "http://purl.oclc.org/ooxml"
    every = {}
    for name, data in _every().items():
        text = str(data).replace(MAIN, f"{purl}/spreadsheetml/main")
        every[name] = text.replace(OFFICE, f"{purl}/officeDocument/relationships")
    every["xl/workbook.xml"] = every["xl/workbook.xml"].replace(
        "<workbook ", '<workbook conformance="strict" '
    )
    return zipped(every)


def prefixed() -> bytes:
    """Every element has a prefix, as the libraries of .NET write them."""
    texts = "".join(
        f"<x:si><x:t>{text}</x:t></x:si>" for text in ("货号", "商品名称", "价格", "00123", "保温杯")
    )
    page = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="1">{_shared("A1", 0)}{_shared("B1", 1)}{_shared("C1", 2)}'
        f'</x:row><x:row r="2">{_shared("A2", 3)}{_shared("B2", 4)}<x:c r="C2"><x:f>50+9.9</x:f><x:v>59.9</x:v></x:c></x:row>'
        '<x:row r="3"><x:c r="A3" t="str"><x:v>00124</x:v></x:c><x:c r="B3" t="inlineStr"><x:is><x:t>纯棉T恤</x:t></x:is>'
        '</x:c><x:c r="C3"><x:v>129</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    )
    every = parts(
        Book(
            {"商品": page},
            parts={"xl/sharedStrings.xml": f'<x:sst xmlns:x="{MAIN}">{texts}</x:sst>'},
            relations=[Relation("rId2", "sharedStrings", "sharedStrings.xml")],
        )
    )
    every["xl/workbook.xml"] = (
        f'{DECLARATION}<x:workbook xmlns:x="{MAIN}" xmlns:r="{OFFICE}"><x:sheets><x:sheet name="商品" sheetId="1" '
        'r:id="rId1"/></x:sheets></x:workbook>'
    )
    return zipped(every)


def _shared(place: str, index: int) -> str:
    return f'<x:c r="{place}" t="s"><x:v>{index}</x:v></x:c>'


def odd_part_names() -> bytes:
    """Names in another case than they are asked for by, targets from the root, with a stroke to the left and escapes."""
    every = _every()
    page = every.pop(_SHEET)
    every["XL/Worksheets/Blatt 1.XML"] = page
    every["xl/_rels/workbook.xml.rels"] = relations(
        Relation("rId1", "worksheet", "\\xl\\worksheets\\blatt%201.xml")
    )
    return zipped(every)


def other_numbering() -> bytes:
    """The first tab is sheet2.xml, and the relations count backwards."""
    pages = {"商品": sheet(_PLAIN), "说明": sheet({1: ["请勿修改"]})}
    every = parts(Book(pages))
    first, second = _SHEET, "xl/worksheets/sheet2.xml"
    every[first], every[second] = every[second], every[first]
    every["xl/_rels/workbook.xml.rels"] = relations(
        Relation("rId2", "worksheet", "worksheets/sheet1.xml"),
        Relation("rId1", "worksheet", "worksheets/sheet2.xml"),
    )
    return zipped(every)


def unnumbered() -> bytes:
    """Rows and cells that do not say where they are follow the ones before; what says so may leave gaps."""
    page = (
        f'<worksheet xmlns="{MAIN}"><dimension ref="A1"/><sheetData><row><c t="inlineStr"><is><t>货号</t></is></c>'
        '<c t="inlineStr"><is><t>商品名称</t></is></c><c r="D1" t="inlineStr"><is><t>价格</t></is></c></row>'
        '<row><c t="inlineStr"><is><t>00123</t></is></c><c t="inlineStr"><is><t>保温杯</t></is></c><c/><c><v>59.9</v></c>'
        '</row><row r="5"><c t="inlineStr"><is><t>00124</t></is></c><c t="inlineStr"><is><t>纯棉T恤</t></is></c>'
        '<c r="D5"><v>129</v></c></row></sheetData></worksheet>'
    )
    return workbook(Book({"商品": page}))


def rich_texts() -> bytes:
    """Texts in runs, with readings above them, with blanks and breaks to be kept."""
    items = (
        "<si><t>货号</t></si>",
        '<si><r><rPr><b/></rPr><t>商品</t></r><r><t xml:space="preserve">名称 </t></r></si>',
        "<si><t>卖点</t></si>",
        '<si><t>00123</t><phoneticPr fontId="1"/></si>',
        '<si><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><phoneticPr fontId="1"/></si>',
        '<si><r><t xml:space="preserve"> 轻 </t></r><r><t>便</t></r><rPh sb="0" eb="1"><t>ケイ</t></rPh></si>',
        "<si><t>ABC</t></si>",
        "<si><t>杯_x000D_\n盖</t></si>",
        '<si><t xml:space="preserve">一\n二&#10;三</t></si>',
        "<si/>",
    )
    strings = f'{DECLARATION}<sst xmlns="{MAIN}" count="99" uniqueCount="1">{"".join(items)}</sst>'
    at = [Xml('t="s"', f"<v>{number}</v>") for number in range(len(items))]
    rows: Rows = {1: at[:3], 2: at[3:6], 3: [at[6], at[7], at[8]], 4: ["X9", "盘", at[9]]}
    return workbook(
        Book(
            {"商品": sheet(rows)},
            parts={"xl/sharedStrings.xml": strings},
            relations=[Relation("rId2", "sharedStrings", "sharedStrings.xml")],
        )
    )


def escaped_characters() -> bytes:
    """Characters spelled by their numbers, as the standard has it, and a spelling that is itself escaped."""
    rows: Rows = {1: ["货号", "商品名称"], 2: ["A_x0042_C", "_x676F_子"], 3: ["D_x005F_x0045_", "盘"]}
    return workbook(Book({"商品": sheet(rows)}))


def utf_16_parts() -> bytes:
    """XML in UTF-16, with its mark."""
    every = _every()
    text = str(every[_SHEET])
    every[_SHEET] = f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode("utf-16")
    return zipped(every)


def lost_strings() -> bytes:
    """Its cells count shared strings that are not there."""
    at = [Xml('t="s"', f"<v>{number}</v>") for number in range(4)]
    return workbook(Book({"商品": sheet({1: at[:2], 2: at[2:]})}))


def cut_off() -> bytes:
    """Half a download."""
    whole = zipped(_every())
    return whole[: len(whole) * 2 // 3]


def document() -> bytes:
    """A letter, called .xlsx."""
    return zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w:document xmlns:w='x'/>"})


def _read(name: str, make: Callable[[], bytes], why: str, rows: tuple[Fields, ...] = _ROWS) -> HostileCatalog:
    return HostileCatalog(name, make, why, rows=rows)


def _refused(name: str, make: Callable[[], bytes], why: str, code: str) -> HostileCatalog:
    return HostileCatalog(name, make, why, refusal=Refusal(code))


ODD = (
    _read("strict.xlsx", strict, "namespaces of the other standard"),
    _read("prefixed.xlsx", prefixed, "prefixes, and texts in three places"),
    _read(
        "odd_part_names.xlsx",
        odd_part_names,
        "part names are compared as the standard says, not letter by letter",
    ),
    HostileCatalog(
        "other_numbering.xlsx",
        other_numbering,
        "a tab is found through its relation, not by its number",
        rows=_ROWS,
        issues=[("说明", "no_header_found")],
    ),
    _read(
        "unnumbered.xlsx",
        unnumbered,
        "places are counted where they are not told",
        (_ROWS[0], {**_ROWS[1], "where": "商品!5"}),
    ),
    HostileCatalog(
        "rich_texts.xlsx",
        rich_texts,
        "a text is what its runs say together, without the readings above it",
        rows=(
            row("商品!2", "00123", "東京", features=("轻 便",)),
            row("商品!3", "ABC", "杯\n盖", features=("一", "二", "三")),
            row("商品!4", "X9", "盘"),
        ),
    ),
    _read(
        "escaped_characters.xlsx",
        escaped_characters,
        "a text is what Excel shows of it",
        (row("商品!2", "ABC", "杯子"), row("商品!3", "D_x0045_", "盘")),
    ),
    _read("utf_16_parts.xlsx", utf_16_parts, "XML says its encoding itself"),
    HostileCatalog(
        "workbook_as_text.txt",
        partial(workbook, Book({"商品": sheet(_PLAIN)})),
        "a workbook called .txt",
        rows=_ROWS,
        issues=[("file", "format_mismatch")],
    ),
)

REFUSED = (
    _refused(
        "lost_strings.xlsx", lost_strings, "texts that are gone must not be read as none", "corrupt_file"
    ),
    _refused("cut_off.xlsx", cut_off, "the end with the directory is missing", "corrupt_file"),
    _refused("letter.xlsx", document, "a zip without a workbook", "unknown_format"),
    _refused(
        "many_sheets_bomb.xlsx", dangerous.many_sheets_bomb, "the sum counts, not the sheet", "unsafe_archive"
    ),
    _refused(
        "lying_directory.xlsx",
        dangerous.lying_directory,
        "no more is unpacked than was promised",
        "corrupt_file",
    ),
    _refused("external_entity.xlsx", dangerous.external_entity, "it asks for a local file", "unsafe_xml"),
    _refused("parameter_entity.xlsx", dangerous.parameter_entity, "it asks for declarations", "unsafe_xml"),
    _refused("external_subset.xlsx", dangerous.external_subset, "it asks for a document type", "unsafe_xml"),
    _refused(
        "entity_in_utf_16.xlsx", dangerous.entity_in_utf_16, "its declaration has zeros inside", "unsafe_xml"
    ),
)

VARIATIONS = (*ODD, *REFUSED)
