"""Makes .xlsx workbooks as merchandisers' programs write them, each with its traps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from io import BytesIO

import xlsxwriter

from tests.hostile.opc import (
    OFFICE,
    Book,
    Relation,
    Rows,
    Value,
    Xml,
    merged,
    parts,
    sheet,
    styled,
    with_styles,
    workbook,
    zipped,
)

CREATED = dt.datetime(2024, 5, 1)  # noqa: DTZ001  # XlsxWriter wants a naive one

ABSOLUTE = "/xl/"
"""openpyxl names sheets from the root of the zip."""

_VIEWS = (
    '<sheetPr><outlinePr summaryBelow="1" summaryRight="1"/><pageSetUpPr/></sheetPr><dimension ref="{}"/>'
    '<sheetViews><sheetView workbookViewId="0"/></sheetViews><sheetFormatPr baseColWidth="8" defaultRowHeight="15"/>'
)
_EMPTY = Xml('s="1" t="n"')


def escaped_sheet(
    rows: Rows,
    *,
    used: str,
    attributes: Mapping[int, str] | None = None,
    before: str = "",
    after: str = "",
) -> bytes:
    """A sheet as openpyxl writes it without lxml: nothing but ASCII, no declaration, every text inline."""
    text = sheet(rows, attributes=attributes, before=_VIEWS.format(used) + before, after=after)
    return text.encode("ascii", "xmlcharrefreplace")


def title_rows_totals() -> bytes:
    """01: a merged title and a row of remarks above the header, a total and a merged remark below, a formatted tail."""
    rows: dict[int, list[Value]] = {
        1: ["XX服饰有限公司2024春夏商品资料表"],
        2: ["制表人：张三", None, None, None, "日期：2024-05-01"],
        4: ["序号", "商品编码", "商品名称", "品牌", "零售价（元）", "卖点"],
        5: [1, "00123", "纯棉T恤", "优衣", 59.9, "透气；不起球；可机洗"],
        6: [2, "00124", "牛仔裤", "None", 129, "高腰、显瘦"],
        7: [],
        8: [3, "00125", "连衣裙", "NA", 199],
        9: ["合计", None, None, None, 387.9],
        10: ["备注：价格含税"],
    }
    rows |= {number: [*[None] * 8, _EMPTY] for number in range(11, 60)}
    page = escaped_sheet(rows, used="A1:I59", after=merged("A1:F1", "A10:F10"))
    return workbook(with_styles({"2024春夏": page}, "General", folder=ABSOLUTE))


def spu_merged_variants() -> bytes:
    """03: style, name and picture merged over their variants; below a blank row one whose name is really missing."""
    rows: Rows = {
        1: ["款号", "商品名称", "SKU", "颜色", "尺码", "价格", "图片"],
        2: ["K100", "圆领卫衣", "K100-R-M", "红", "M", 99, "K100红.jpg"],
        3: [None, None, "K100-R-L", "红", "L", 99],
        4: [None, None, "K100-B-M", "蓝", "M", 99, "K100蓝.jpg"],
        5: ["K200", "短裤", "K200", "黑", "均码", 49, "K200.jpg"],
        6: [],
        7: ["K300", None, "K300-1", "灰", "S", 59],
    }
    page = escaped_sheet(rows, used="A1:G7", after=merged("A2:A4", "G2:G3", "B2:B4"))
    return workbook(Book({"商品": page}, folder=ABSOLUTE))


def sku_types() -> bytes:
    """04: SKUs as text, as numbers with and without a format, rounded, in powers of ten, quoted, with a tab, broken."""
    skus: list[Value] = [
        "00123",
        styled(123, 1),
        6901234567892,
        1001,
        styled("1.234567890123457e+17", 2),
        "1.23E+12",
        "'00777",
        "0088\t",
        45,
        1.5,
    ]
    rows: dict[int, list[Value]] = {1: ["SKU", "商品名称", "价格"]}
    rows |= {number: [sku, f"商品{number - 2}", 10] for number, sku in enumerate(skus, 2)}
    return workbook(
        with_styles({"商品": escaped_sheet(rows, used="A1:C11")}, "00000000", "0", folder=ABSOLUTE)
    )


def hidden_rows_sheets() -> bytes:
    """06: a filter hides a row, the price column is hidden, and two more sheets are hidden in either way."""
    header = ["商品编码", "商品名称", "价格"]
    rows: dict[int, list[Value]] = {1: [*header]}
    rows |= {number: [f"0{number - 2}", f"商品{number - 2}", number + 8] for number in range(2, 6)}
    pages = {
        "商品": escaped_sheet(
            rows,
            used="A1:C5",
            attributes={3: 'hidden="1"'},
            before='<cols><col hidden="1" width="13" customWidth="1" min="3" max="3"/></cols>',
            after='<autoFilter ref="A1:C5"/>',
        ),
        "旧数据": escaped_sheet({1: [*header], 2: ["OLD", "旧", 1]}, used="A1:C2"),
        "字典": escaped_sheet({1: header[:2], 2: ["DICT", "x"]}, used="A1:B2"),
    }
    return workbook(Book(pages, states={"旧数据": "hidden", "字典": "veryHidden"}, folder=ABSOLUTE))


def multi_sheets() -> bytes:
    """07: instructions, two tables with other headers in another order, an empty sheet and a chart that leads nowhere."""
    pages = {
        "填写说明": escaped_sheet({1: ["填写说明：请不要修改表头"], 2: ["商品编码：必填"]}, used="A1:A2"),
        "女装": escaped_sheet(
            {1: ["商品编码", "商品名称", "价格"], 2: ["W1", "半裙", 99], 3: ["W2", "衬衫", 89]}, used="A1:C3"
        ),
        "男装": escaped_sheet(
            {1: ["售价", "标题", "货号"], 2: [79, "短袖", "M1"], 3: [99, "半裙（男款）", "W1"]}, used="A1:C3"
        ),
        "Sheet3": escaped_sheet({}, used="A1:A1"),
    }
    chart = (
        '<chartsheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView '
        f'workbookViewId="0" zoomToFit="1"/></sheetViews><drawing xmlns:r="{OFFICE}" r:id="rId1"/></chartsheet>'
    )
    book = Book(
        pages,
        folder=ABSOLUTE,
        parts={"xl/chartsheets/sheet1.xml": chart},
        relations=[Relation("rId80", "chartsheet", "/xl/chartsheets/sheet1.xml")],
    )
    found = parts(book)
    listed = str(found["xl/workbook.xml"])
    last = '<sheet name="Sheet3"'
    tab = '<sheet name="图表" sheetId="9" state="visible" r:id="rId80"/>'
    found["xl/workbook.xml"] = listed.replace(last, tab + last)
    return zipped(found)


def duplicate_skus() -> bytes:
    """08: the same row twice, one SKU with two prices, SKUs that differ in case only and in width only."""
    told = [
        ("A1", "甲", 10),
        ("A1", "甲", 10),
        ("A2", "乙", 10),
        ("A2", "乙", 12),
        ("a3", "丙", 1),
        ("A3", "丙", 1),
        ("Ａ４", "丁", 1),
        ("A4", "丁", 1),
    ]
    rows: dict[int, tuple[Value, ...]] = {1: ("SKU", "商品名称", "价格"), **dict(enumerate(told, 2))}
    return workbook(Book({"商品": escaped_sheet(rows, used="A1:C9")}, folder=ABSOLUTE))


def multivalue() -> bytes:
    """10: lists by every separator, counted in two ways, with both kinds of line break, and a comma inside a URL."""
    rows: Rows = {
        1: ["商品编码", "商品名称", "卖点", "使用场景", "细节", "图片"],
        2: [
            "M1",
            "杯子",
            "1、保温12小时；2、316不锈钢；3、一键开盖",
            "通勤/露营、车载",
            "容量:500ml\r\n重量:300g\n口径:4.5cm",
            "a.jpg;b.jpg；c.jpg",
        ],
        3: [
            "M2",
            "锅",
            "①不粘；②少油烟；",
            "家用",
            "直径:28cm,30cm",
            "https://x.cn/a.jpg?x=1,2;https://x.cn/b.jpg",
        ],
    }
    return workbook(Book({"商品": escaped_sheet(rows, used="A1:F3")}, folder=ABSOLUTE))


def dates_errors_na() -> bytes:
    """11: one day as a date, as a number and as text; errors of two formulas; words that mean nothing, or might."""
    saved = BytesIO()
    with xlsxwriter.Workbook(saved) as book:
        book.set_properties({"created": CREATED})
        page = book.add_worksheet("商品")
        page.write_row("A1", ["商品编码", "商品名称", "价格", "上架日期", "品牌", "颜色"])
        page.write_row("A2", ["D1", "甲", 10, None, "无", "-"])
        page.write_datetime("D2", CREATED, book.add_format({"num_format": "yyyy-mm-dd"}))
        page.write_row("A3", ["D2", "乙", 10, 45413, "NA"])
        page.write_row("A4", ["D3", "丙", 10, "2024.5.1", "null"])
        page.write_row("A5", ["D4", "丁"])
        page.write_formula("C5", "=VLOOKUP(A5,Z:Z,1,0)", None, "#N/A")
        page.write("E5", "N/A")
        page.write("A6", "D5")
        page.write_formula("B6", "=Sheet9!A1", None, "#REF!")
        page.write("C6", 10)
        page.write_boolean("E6", True)  # noqa: FBT003  # that is its signature
    return saved.getvalue()


def xlsx_renamed() -> bytes:
    """15: a header of two rows, merged downwards and sideways, in a workbook called .csv."""
    rows: Rows = {
        1: ["货号", "品名", "规格", None, "价格"],
        2: [None, None, "颜色", "尺码", "吊牌价", "售价"],
        3: ["A001", "羽绒服", "黑色", "L", 1299, 899],
        4: ["A002", "羽绒服", "白色", "M", 1299, 899],
    }
    page = escaped_sheet(rows, used="A1:F4", after=merged("C1:D1", "B1:B2", "E1:F1", "A1:A2"))
    return workbook(Book({"商品": page}, folder=ABSOLUTE))


def far_corner_cell() -> bytes:
    """27: one blank in the last cell there is makes a dense table of 17 thousand million."""
    rows: Rows = {
        1: ["商品编码", "商品名称", "价格"],
        2: ["00123", "纯棉T恤", 59.9],
        3: ["00124", "牛仔裤", 129],
        1048576: [None] * 16383 + [" "],
    }
    return workbook(Book({"商品": escaped_sheet(rows, used="A1:XFD1048576")}, folder=ABSOLUTE))


def typo_header() -> bytes:
    """34: the one column that must be there is misspelt."""
    rows: Rows = {1: ["商品编马", "产品名", "单价", "备注2"], 2: ["00123", "纯棉T恤", 59.9, "x"]}
    return workbook(Book({"商品": escaped_sheet(rows, used="A1:D2")}, folder=ABSOLUTE))
