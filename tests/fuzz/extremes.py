"""Values and pieces of XML at and beyond the limits of what a spreadsheet may hold."""

from __future__ import annotations

from collections.abc import Mapping

_PLACES = (
    b"A1", b"XFD1048576", b"XFE1", b"A0", b"A1048577", b"ZZZ9999999", b"AAAA1", b"$A$1", b"a1", b"B", b"7",
    b"0", b"-1", b"99999999", b"1048576", b"1048577", b"9" * 5000, b"",
)  # fmt: skip
_AREAS = (
    b"A1:XFD1048576", b"A1:A1048576", b"A2:C3", b"XFD1048576:A1", b"A1:ZZZ9999999", b"A0:B0", b"A:A", b"1:1", b"A1 B2",
    b":", b"A1:", b"",
)  # fmt: skip
_NUMBERS = (
    b"0", b"-1", b"1", b"2", b"255", b"65536", b"1048576", b"99999999", b"4294967296", b"-2147483649",
    b"9" * 400, b"9" * 5000, b"1.5", b"1e308", b"1e999", b"NaN", b"-INF", b"0x10", "²".encode(), "٣".encode(), b"",
)  # fmt: skip
_KINDS = (b"s", b"e", b"b", b"n", b"d", b"str", b"inlineStr", b"zzz", b"shared", b"array", b"")
_TARGETS = (
    b"../../../../etc/passwd", b"/etc/passwd", b"file:///etc/passwd", b"worksheets/sheet1.xml", b"workbook.xml",
    b"../media/1.png", b"_rels/workbook.xml.rels", b"..\\..\\x", b"%2e%2e/%2e%2e/x", b"%00", b".", b"/", b"//",
    b"http://[", b"https://x.cn/1.png", b"#", b"",
)  # fmt: skip
_IDS = (b"rId1", b"rId2", b"rId999", b"ID_1", b"ID_" + b"F" * 300, b"")
_FORMATS = (b"0" * 100_000, b'"x"000', b"0%", b"%", b";;;", b"yyyy-mm-dd", b"[h]:mm", b'"' * 99, b"")
_LENGTHS = (
    b"0in",
    b"-5cm",
    b"1e9in",
    b"99999999999cm",
    b"1",
    b"12700000000000",
    b"-12700",
    b"2147483648",
    b"",
)
_WORDS = (
    b"", b"0", b"-1", b"x" * 70_000, b"&#0;", b"&#xD800;", b"&#1114112;", b"&lt;&amp;", b"&unknown;", b"\0", b"\xff",
    "𠮷".encode(), "̧̀".encode() * 500, b"'", b"%s{0}", b"true", b"hidden", b"=1+1", b"_x000D_", b"\xef\xbf\xbf",
)  # fmt: skip
_SERIALS = (
    b"45413", b"45413.5", b"60", b"0", b"-1", b"-0.5", b"2958465", b"2958466", b"99999999999", b"1e308", b"1e-320",
)  # fmt: skip

ATTRIBUTES: Mapping[bytes, tuple[bytes, ...]] = {
    b"r": _PLACES,
    **dict.fromkeys((b"ref", b"sqref", b"spans", b"topLeftCell"), _AREAS),
    b"t": _KINDS,
    **dict.fromkeys(
        (b"s", b"vm", b"cm", b"si", b"ht", b"min", b"max", b"count", b"uniqueCount", b"numFmtId", b"xfId", b"sheetId",
         b"v", b"i", b"defaultRowHeight", b"number-rows-repeated", b"number-columns-repeated", b"number-rows-spanned",
         b"number-columns-spanned", b"rowspan", b"colspan", b"Index", b"MergeDown", b"MergeAcross", b"Span", b"value",
         b"date1904"),
        _NUMBERS,
    ),
    **dict.fromkeys((b"Target", b"href"), _TARGETS),
    **dict.fromkeys((b"Id", b"id", b"embed", b"link", b"relid", b"name"), _IDS),
    **dict.fromkeys((b"formatCode", b"Format"), _FORMATS),
    **dict.fromkeys((b"y", b"x", b"cx", b"cy", b"height", b"width", b"row-height"), _LENGTHS),
    **dict.fromkeys((b"date-value", b"time-value"), (b"9999-99-99", b"0000-00-00", b"PT99999999H", b"x", b"")),
    b"encoding": (b"utf-7", b"utf-16", b"gbk", b"unicode_escape", b"punycode", b"rot13", b"zlib", b"x" * 99),
    b"TargetMode": (b"External", b"Internal", b""),
    b"state": (b"hidden", b"veryHidden", b"visible", b"zzz"),
}  # fmt: skip
"""Name of an attribute without its prefix → what it may be set to."""

WORDS = _WORDS
TEXTS: tuple[bytes, ...] = (
    *_NUMBERS, *_SERIALS, *_WORDS, b"#VALUE!", b"#N/A", b"TRUE", b"2026-01-02T03:04:05Z", b"PT1H",
    b'IMAGE("https://x.cn/a.png")', b"IMAGE(A1)", b"IMAGE(A9999999)", b'_xlfn.IMAGE("a" &amp; "b")', b"IMAGE(" * 300,
    b'DISPIMG("ID_1",1)', b'=DISPIMG("ID_1",1)', b'HYPERLINK("https://x.cn","x")', b'HYPERLINK("', b"\"'({[" * 60,
    b"1" + b"," * 3000, b"a.jpg," * 900, b"(" * 3000, "①".encode() * 900, "；".encode() * 3000,
)  # fmt: skip
"""What may stand between two tags."""

MERGES = b'<mergeCells count="1">%s</mergeCells>'
FRAGMENTS: tuple[bytes, ...] = (
    MERGES % b'<mergeCell ref="A1:XFD1048576"/>',
    MERGES % b"".join(b'<mergeCell ref="A%d:C%d"/>' % (row, row + 9) for row in range(1, 4000, 10)),
    MERGES % b"".join(b'<mergeCell ref="A1:A%d"/>' % (1048576 - row) for row in range(3000)),
    b'<dimension ref="A1:XFD1048576"/>',
    b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
    b'<row r="99999999"><c r="A99999999"><v>1</v></c></row>',
    b'<row r="2"><c r="A2"><f t="shared" si="0" ref="A2:A9999">IMAGE(B2)</f></c><c r="A3"><f t="shared" si="0"/></c></row>',
    b'<row><c><f t="shared" si="1">IMAGE(B2</f></c><c r="B3"><f t="shared" si="1"/><v/></c></row>',
    b"".join(b'<row r="%d" hidden="1" ht="%d"/>' % (row, row % 500) for row in range(1, 3000)),
    b"".join(b'<row r="%d"><c r="C%d" t="e" vm="%d"><v>#VALUE!</v></c></row>' % (n, n, n) for n in range(1, 900)),
    b'<c r="A2" t="e" vm="1"/>' * 900,
    b"<f/>" * 3000, b"<f>" * 3000, b"<c " * 3000, b"<row " * 3000, b"<v>" * 3000, b"<mergeCell " * 3000, b'<c s="1" ' * 3000,
    b'<hyperlink ref="A1:A1000" r:id="rId1"/>' * 50,
    b'<drawing r:id="rId1"/>' * 30, b'<legacyDrawing r:id="rId1"/>' * 30,
    b'<sheet name="x" sheetId="9" r:id="rId1"/>' * 60, b'<sheet name="" sheetId="" r:id=""/>',
    b'<Relationship Id="rId1" Type="x/worksheet" Target="workbook.xml"/>',
    b'<Relationship Id="rId1" Type="x/drawing" Target="../worksheets/sheet1.xml"/>',
    b'<Relationship Id="rId1" Type="x/image" Target="../../../../../etc/passwd"/>',
    b'<!DOCTYPE x [<!ENTITY a "b">]>', b"<!-- <row ", b"<![CDATA[", b"]]>", b"<?xml version='1.0'?>", b"<?x", b"</",
    b"<is><t>x</t></is>" * 500, b"<si/>" * 900, b"<xf numFmtId='164'/>" * 500, b'<numFmt numFmtId="164" formatCode="000000"/>',
    b'<table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>',
    b'<table:table-row table:number-rows-repeated="99"><table:table-cell table:number-columns-repeated="99">', b"<text:p>x</text:p>",
    b"<table><tr><td rowspan=1000 colspan=1000>x" * 30, b"<tr><td>x" * 900, b"<table>" * 900, b"<td " * 3000,
)  # fmt: skip
"""What may stand anywhere."""
