"""Old, binary and disguised workbooks of the same families as the shared ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial

import xlwt

from tests.hostile.biff import Placed, xls
from tests.hostile.binaries import ods, ods_row, saved_by_xlwt, table, xlsb
from tests.hostile.catalog import Fields, HostileCatalog, Refusal, Shown, row
from tests.hostile.cell_pictures import BLUE, GREEN, HEADER, PHOTO, PRODUCTS, RED
from tests.hostile.pictures import noisy_png, sha1

_TABLE = (("商品编码", "商品名称", "价格"), ("00123", "纯棉T恤", 59.9), ("00124", "牛仔裤", 129.0))


def _two(sheet: str = "商品") -> tuple[Fields, Fields]:
    return (
        row(f"{sheet}!2", "00123", "纯棉T恤", price="59.9"),
        row(f"{sheet}!3", "00124", "牛仔裤", price="129"),
    )


def far_corner_xls() -> bytes:
    """A blank in the last cell of 1997."""
    book = xlwt.Workbook(encoding="utf-8")
    page = book.add_sheet("商品")
    for number, values in enumerate(_TABLE):
        for column, value in enumerate(values):
            page.write(number, column, value)
    page.write(65535, 255, " ")
    return saved_by_xlwt(book)


def far_corner_xlsb(text: str) -> bytes:
    """The last cell of a binary workbook."""
    return xlsb({**table(_TABLE), (1048575, 16383): text})


def far_corner_ods() -> bytes:
    """Rows and cells that say how often they are repeated, up to the last one."""
    filler = '<table:table-cell table:number-columns-repeated="16383"/>'
    lines = "".join(ods_row(*values) for values in _TABLE)
    last = f'<table:table-row>{filler}<table:table-cell office:value-type="string"><text:p> </text:p></table:table-cell></table:table-row>'
    gap = (
        '<table:table-row table:number-rows-repeated="1048572"><table:table-cell table:number-columns-repeated="16384"/>'
        "</table:table-row>"
    )
    return ods(lines + gap + last)


def old_oddities() -> bytes:
    """Formats that keep zeros, merged variants, a hidden row, a hidden sheet, an error, a truth value, a rounded SKU."""
    book = xlwt.Workbook(encoding="utf-8")
    page = book.add_sheet("商品")
    rows: Sequence[Sequence[object]] = (
        ("SKU", "商品名称", "颜色", "上架日期", "品牌"),
        (123, None, "红", dt.date(2024, 5, 1), True),
        (124, None, "蓝", None, "None"),
        (125, "盘", "白"),
        (123456789012345678, "碗", "白"),
        ("A9", "锅", xlwt.Formula("1/0")),
    )
    zeros = xlwt.easyxf(num_format_str="00000000")
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    page.write_merge(1, 2, 1, 1, "杯")
    for number, values in enumerate(rows):
        for column, value in enumerate(values):
            if isinstance(value, dt.date):
                page.write(number, column, value, day)
            elif isinstance(value, int) and column == 0 and number < 4:
                page.write(number, column, value, zeros)
            elif value is not None:
                page.write(number, column, value)
    page.row(3).hidden = True
    hidden = book.add_sheet("旧")
    hidden.write(0, 0, "SKU")
    hidden.visibility = 2
    return saved_by_xlwt(book)


CORNERS = (
    HostileCatalog("far_corner.xls", far_corner_xls, "16 million cells", rows=_two()),
    HostileCatalog(
        "far_blank.xlsb",
        partial(far_corner_xlsb, " "),
        "a blank in the last of 17 thousand million cells",
        rows=_two(),
    ),
    HostileCatalog("far_corner.ods", far_corner_ods, "repeated cells up to the last one", rows=_two()),
)

OLD = (
    HostileCatalog(
        "old_oddities.xls",
        old_oddities,
        "what holds for .xlsx holds for .xls",
        rows=(
            row("商品!2", "00000123", "杯", color="红", date="2024-05-01", brand="TRUE"),
            row("商品!3", "00000124", "杯", color="蓝", brand="None"),
            row("商品!4", "00000125", "盘", color="白"),
            row("商品!6", "A9", "锅"),
        ),
        issues=[("商品!4", "hidden_row"), ("商品!A5", "precision_lost"), ("旧", "hidden_sheet_skipped")],
    ),
    HostileCatalog(
        "old_locked.xls",
        partial(xls, _TABLE, is_locked=True),
        "its second record says that the others are encrypted",
        refusal=Refusal("password_protected", words="密码"),
    ),
)


# --- pages and XML that are called workbooks ------------------------------------------------------------------------


def page(encoding: str, *, declares: bool) -> bytes:
    """A table as an old shop system exports it: a title over all columns, a style over two rows, a hidden row, a script."""
    declared = f'<meta http-equiv="Content-Type" content="text/html; charset={encoding}">' if declares else ""
    return (
        f"<html><head>{declared}<style>td {{mso-number-format:'\\@'}}</style></head><body><table border=1>"
        "<tr><td colspan=5><b>商品导出</b></td></tr>"
        "<tr><th>款号</th><th>SKU</th><th>商品名称</th><th>颜色</th><th>卖点</th></tr>"
        "<tr><td rowspan=2>K1</td><td>00123</td><td rowspan=2>杯&nbsp;大</td><td>白</td><td>轻<br>不漏</td></tr>"
        "<tr><td>00124</td><td>黑</td><td><script>alert(1)</script>耐\n摔</td></tr>"
        '<tr style="display:none"><td></td><td>00125</td><td>&lt;盘&gt;</td><td>红</td><td></td></tr>'
        "</table></body></html>"
    ).encode(encoding)


def _page(name: str, encoding: str, *, declares: bool, fits: bool) -> HostileCatalog:
    mismatch = [] if fits else [("file", "format_mismatch")]
    return HostileCatalog(
        name,
        partial(page, encoding, declares=declares),
        "a web page under another name; cells that span rows are merged cells",
        rows=(
            row(f"{name}!3", "00123", "杯 大", spu="K1", color="白", features=("轻", "不漏")),
            row(f"{name}!4", "00124", "杯 大", spu="K1", color="黑", features=("耐 摔",)),
            row(f"{name}!5", "00125", "<盘>", color="红"),
        ),
        issues=[(f"{name}!5", "hidden_row"), *mismatch],
    )


def xml_2003(doctype: str = "") -> bytes:
    """A table as Excel 2003 saved it: places that are told or counted, merged cells, a format, a hidden row."""
    spaces = "urn:schemas-microsoft-com:office:spreadsheet"
    number = _data("123", kind="Number", more=' ss:StyleID="s8"')
    name = _data("杯", more=' ss:MergeDown="1"')
    return (
        f'<?xml version="1.0"?>{doctype}<?mso-application progid="Excel.Sheet"?><Workbook xmlns="{spaces}" xmlns:ss="{spaces}">'
        '<Styles><Style ss:ID="s8"><NumberFormat ss:Format="00000000"/></Style></Styles><Worksheet ss:Name="商品"><Table>'
        f"<Row>{_data('SKU')}{_data('商品名称')}{_data('价格', at=4)}</Row>"
        f'<Row ss:Index="3">{number}{name}'
        f"{_data('59.90', kind='Number', at=4)}</Row>"
        f'<Row ss:Hidden="1">{_data("00124")}{_data("129", kind="Number", at=4)}</Row></Table></Worksheet></Workbook>'
    ).encode()


def _data(text: str, *, kind: str = "String", at: int = 0, more: str = "") -> str:
    place = f' ss:Index="{at}"' if at else ""
    return f'<Cell{place}{more}><Data ss:Type="{kind}">{text}</Data></Cell>'


DISGUISED = (
    _page("page.xls", "gb18030", declares=True, fits=True),
    _page("page_as.xlsx", "gb18030", declares=False, fits=False),
    _page("page_as.csv", "utf-8", declares=True, fits=False),
    HostileCatalog(
        "xml_2003.xls",
        xml_2003,
        "a workbook as one XML document",
        rows=(row("商品!3", "00000123", "杯", price="59.9"), row("商品!4", "00124", "杯", price="129")),
        issues=[("商品!4", "hidden_row")],
    ),
    HostileCatalog(
        "xml_2003_entities.xls",
        partial(xml_2003, '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]>'),
        "the same with declarations",
        refusal=Refusal("unsafe_xml"),
    ),
)


# --- their pictures -------------------------------------------------------------------------------------------------

LARGE = noisy_png()


def large_pictures() -> bytes:
    """A picture longer than three records, a photograph, one picture twice, one that begins low in the row above."""
    return xls(
        [HEADER, *((sku, name, None, color) for sku, name, color in PRODUCTS)],
        pictures=(LARGE, PHOTO, BLUE),
        placed=(
            Placed(1, row=1),
            Placed(2, row=2),
            Placed(1, row=2),
            Placed(3, row=2, row_offset=230, rows=1),
        ),
        heights={1: 1440, 2: 1440, 3: 1440},
    )


def ods_pictures() -> bytes:
    """Frames in cells behind repeated rows and cells, two in one cell, one on the page."""
    frame = (
        '<draw:frame draw:name="x"><draw:image xlink:href="Pictures/{}" xlink:type="simple"/></draw:frame>'
    )
    red, green, blue = (frame.format(f"{name}.png") for name in "abc")
    head = ods_row("商品编码", "备用", "备用", "商品名称", "图片")
    gap = '<table:table-row table:number-rows-repeated="3"><table:table-cell table:number-columns-repeated="5"/></table:table-row>'
    line = (
        '<table:table-row><table:table-cell office:value-type="string"><text:p>00123</text:p></table:table-cell>'
        '<table:table-cell table:number-columns-repeated="2"/><table:table-cell office:value-type="string"><text:p>杯</text:p>'
        f"</table:table-cell><table:table-cell>{red}{green}</table:table-cell></table:table-row>"
    )
    last = ods_row("00124", None, None, "盘", None, inside={4: blue})
    media = {"a.png": RED, "b.png": GREEN, "c.png": BLUE}
    return ods(f"<table:shapes>{red}</table:shapes>{head}{gap}{line}{last}", media=media)


_DRAWN = [
    row(f"商品!{number}", sku, name, color=color) for number, (sku, name, color) in enumerate(PRODUCTS, 2)
]

PICTURES = (
    HostileCatalog(
        "large_pictures.xls",
        large_pictures,
        "a record ends where it must, not where a picture does",
        rows=_DRAWN,
        pictures=(
            Shown("商品!C2", "floating", sha1(LARGE)),
            Shown("商品!C3", "floating", sha1(PHOTO)),
            Shown("商品!C3", "floating", sha1(LARGE)),
            Shown("商品!C4", "floating", sha1(BLUE)),
        ),
    ),
    HostileCatalog(
        "pictures.ods",
        ods_pictures,
        "a cell is found by counting what is repeated before it",
        rows=(row("商品!5", "00123", "杯"), row("商品!6", "00124", "盘")),
        issues=[("商品!C1", "repeated_header"), ("商品", "image_without_cell")],
        pictures=(
            Shown("商品!E5", "floating", sha1(RED)),
            Shown("商品!E5", "floating", sha1(GREEN)),
            Shown("商品!E6", "floating", sha1(BLUE)),
        ),
    ),
)

VARIATIONS = (*CORNERS, *OLD, *DISGUISED, *PICTURES)
