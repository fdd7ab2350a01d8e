"""Workbooks of the same families as the shared ones: tables that lie otherwise, and numbers that look otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tests.hostile.catalog import HostileCatalog, Refusal, row
from tests.hostile.opc import (
    Book,
    Rows,
    Value,
    Xml,
    formula,
    merged,
    sheet,
    styled,
    with_styles,
    workbook,
)

HEADER = ("货号", "商品名称", "颜色", "价格")


def below_titles(title_rows: int) -> bytes:
    """Merged titles, a gap, the header on row 7, products with a gap, and four kinds of remark."""
    titles: dict[int, Sequence[Value]] = {
        n: [f"第{n}行标题：货号与商品名称见下表"] for n in range(1, title_rows + 1)
    }
    rows: Rows = titles | {
        7: HEADER,
        8: ["A1", "杯", "白", 1],
        9: [],
        10: ["A2", "小计算器", "黑", 2],
        11: ["小 计", None, None, 3],
        12: [None, "总计：", None, 3],
        14: ["备注：价格含税"],
        15: ["制表人：李四", None, "审核：王五"],
    }
    areas = [f"A{number}:D{number}" for number in titles] + ["A15:B15"]
    return workbook(Book({"目录": sheet(rows, after=merged(*areas))}))


def remark_in_two_cells() -> bytes:
    """A remark whose first word stands where SKUs stand, and its text where names stand; a total in the same way."""
    rows: Rows = {
        1: HEADER,
        2: ["A1", "杯", "白", 1],
        3: ["合计", "1 件", None, 1],
        4: ["备注", "价格含税"],
    }
    return workbook(Book({"商品": sheet(rows)}))


def merged_sideways() -> bytes:
    """A name over its neighbour column, a block of two rows and two columns, and a merged remark below the table."""
    rows: Rows = {
        1: ["货号", "商品名称", "颜色", "尺码", "吊牌价", "售价"],
        2: ["B1", "杯", None, "M", 9, 8],
        3: ["B2", "盘", "红", "L", 7],
        4: ["B3", "碗", "蓝", "L", None, 6],
        5: ["说明：均为含税价"],
    }
    return workbook(Book({"商品": sheet(rows, after=merged("B2:C2", "E3:E4", "A5:F6"))}))


def grouped_header() -> bytes:
    """Below a title a header of two rows: one heading merged over two, one over one, and the rest downwards."""
    rows: Rows = {
        1: ["报价单"],
        2: ["货号*", "商品名称", "规格属性", None, "价格信息（元）", None, "卖点"],
        3: [None, None, "颜色", "尺寸(cm)", "市场价", "售价"],
        4: ["C1", "箱", "灰", "20寸", 399, 299, "轻；静音"],
    }
    areas = merged("A1:G1", "A2:A3", "B2:B3", "C2:D2", "E2:F2", "G2:G3")
    return workbook(Book({"报价": sheet(rows, after=areas)}))


def sku_formats() -> bytes:
    """Numbers that are SKUs: padded, prefixed, as text, in powers of ten in the file or on the screen only."""
    skus: list[Value] = [
        styled(77, 1),
        styled(12, 2),
        styled(45, 3),
        styled(6901234567892, 4),
        Xml("", "<v>6.901234567893E12</v>"),
        styled("7.0", 3),
        styled(1234, 5),
        styled(1234567890123456, 6),
        "6901234567890123456",
        "9.01E+15",
        "1E5",
    ]
    rows: dict[int, Sequence[Value]] = {1: HEADER[:2]}
    rows |= {number: [sku, f"品{number}"] for number, sku in enumerate(skus, 2)}
    formats = ("00000000", '"EB-"0000', "@", "0.00E+00", "#,##0", "0")
    return workbook(with_styles({"商品": sheet(rows)}, *formats))


def sku_spellings() -> bytes:
    """SKUs with what nobody sees: blanks of every width, marks without width, a byte order mark, an apostrophe."""
    skus = [" D1 ", "D2\u200b", "\ufeffD3", "D4\u3000", "Ｄ５", "'D6", "D 7", "D8\n"]
    rows: dict[int, Sequence[Value]] = {1: HEADER[:2]}
    rows |= {number: [sku, f" 品{number}\t"] for number, sku in enumerate(skus, 2)}
    return workbook(Book({"商品": sheet(rows)}))


def other_duplicates() -> bytes:
    """Three times the same; twice the same and once not; rows that differ only by their running number; another case."""
    told: list[list[Value]] = [
        [1, "E1", "杯", "白"],
        [2, "E1", "杯", "白"],
        [3, "E1", "杯", "白"],
        [4, "E2", "盘", "白"],
        [5, "E2", "盘", "白"],
        [6, "E2", "盘", "黑"],
        [7, "e3x", "碗", "白"],
        [8, "E3X", "锅", "黑"],
        [9, "E4", "壶", "白"],
    ]
    rows: dict[int, Sequence[Value]] = {1: ("序号", *HEADER[:3]), **dict(enumerate(told, 2))}
    return workbook(Book({"商品": sheet(rows)}))


def errors_and_formulas() -> bytes:
    """Errors with and without a formula, results and missing results, a formula that gave nothing, shared formulas."""
    rows: Rows = {
        1: ["货号", "商品名称", "颜色", "价格", "备注栏"],
        2: [
            "F1",
            formula('"杯"&"子"', "杯子", kind="str"),
            "白",
            formula("1+1", "2"),
            formula("1/0", "#DIV/0!", kind="e"),
        ],
        3: ["F2", formula("B99&C99"), "白", 1],
        4: ["F3", "盘", Xml('t="e"', "<v>#VALUE!</v>"), 1],
        5: [formula("A99", "#N/A", kind="e"), "碗", "白", 1],
        6: ["F5", "锅", formula('IF(A1="","",A1)', "", kind="str"), 1],
        7: ["F6", "壶", "白", Xml("", '<f t="shared" ref="D7:D8" si="0">D2*2</f>')],
        8: ["F7", "勺", "白", Xml("", '<f t="shared" si="0"/>')],
        9: ["F8", "=1+1", "#N/A", 1],
    }
    return workbook(Book({"商品": sheet(rows)}))


def other_days() -> bytes:
    """The calendar that begins in 1904, days as ISO texts of their own type, truth values as words."""
    rows: Rows = {
        1: ["货号", "商品名称", "上架日期", "品牌"],
        2: ["G1", "杯", styled(43951, 1), Xml('t="b"', "<v>1</v>")],
        3: ["G2", "盘", Xml('s="1" t="d"', "<v>2024-05-01T00:00:00</v>"), Xml('t="b"', "<v>0</v>")],
        4: ["G3", "碗", "2024年5月1日", "TRUE"],
        5: ["G4", "锅", "二〇二四年", "x"],
    }
    book = with_styles({"商品": sheet(rows)}, "yyyy\\-mm\\-dd", properties='<workbookPr date1904="1"/>')
    return workbook(book)


def only_hidden() -> bytes:
    """The products are on a hidden sheet, the visible one is empty."""
    pages = {"封面": sheet({}), "商品": sheet({1: HEADER, 2: ["H1", "杯", "白", 1]})}
    return workbook(Book(pages, states={"商品": "hidden"}))


def _refused(name: str, header: Sequence[str], why: str, refusal: Refusal) -> HostileCatalog:
    page = sheet({1: header, 2: ["1"] * len(header)})
    return HostileCatalog(name, partial(workbook, Book({"商品": page})), why, refusal=refusal)


def _titled(title_rows: int) -> HostileCatalog:
    return HostileCatalog(
        f"titles_{title_rows}.xlsx",
        partial(below_titles, title_rows),
        "the header is on row 7 below titles that name its columns; 小计 ends a table and 小计算器 is a product",
        rows=(
            row("目录!8", "A1", "杯", color="白", price="1"),
            row("目录!10", "A2", "小计算器", color="黑", price="2"),
        ),
        issues=[(f"目录!{place}", "footer_row_skipped") for place in ("A11", "B12", "A14", "A15")],
    )


TABLES = (
    _titled(1),
    _titled(3),
    HostileCatalog(
        "remark_in_two_cells.xlsx",
        remark_in_two_cells,
        "totals and remarks are no products where their text looks like a name",
        rows=[row("商品!2", "A1", "杯", color="白", price="1")],
        issues=[("商品!A3", "footer_row_skipped"), ("商品!A4", "footer_row_skipped")],
    ),
    HostileCatalog(
        "merged_sideways.xlsx",
        merged_sideways,
        "merged cells fill downwards inside their range; a name that is merged over the color is no color",
        rows=(
            row("商品!2", "B1", "杯", size="M", list_price="9", price="8"),
            row("商品!3", "B2", "盘", color="红", size="L", list_price="7"),
            row("商品!4", "B3", "碗", color="蓝", size="L", list_price="7", price="6"),
        ),
        issues=[("商品!A5", "footer_row_skipped")],
    ),
    HostileCatalog(
        "grouped_header.xlsx",
        grouped_header,
        "the second row of the header names the fields, where the first one groups them",
        rows=[
            row(
                "报价!4",
                "C1",
                "箱",
                color="灰",
                size="20寸",
                list_price="399",
                price="299",
                features=("轻", "静音"),
            )
        ],
    ),
    HostileCatalog(
        "only_hidden.xlsx",
        only_hidden,
        "what is hidden is not read, so nothing is left",
        refusal=Refusal("empty_catalog", words="隐藏"),
    ),
    _refused(
        "two_names.xlsx",
        ["货号", "商品名称", "标题"],
        "two columns claim the name",
        Refusal("ambiguous_columns"),
    ),
    _refused(
        "misspelt_sku.xlsx",
        ["Seller SKV", "商品名称"],
        "another misspelling",
        Refusal("required_column_missing", column="sku", suggestion="Seller SKV -> Seller SKU?"),
    ),
)

VALUES = (
    HostileCatalog(
        "sku_formats.xlsx",
        sku_formats,
        "a number is the SKU that its cell shows, unless it shows a rounded one",
        rows=[
            row(f"商品!{number}", sku, f"品{number}")
            for number, sku in (
                (2, "00000077"),
                (3, "EB-0012"),
                (4, "45"),
                (5, "6901234567892"),
                (6, "6901234567893"),
                (7, "7"),
                (8, "1234"),
                (10, "6901234567890123456"),
                (12, "1E5"),
            )
        ],
        issues=[("商品!A9", "precision_lost"), ("商品!A11", "scientific_text")],
    ),
    HostileCatalog(
        "sku_spellings.xlsx",
        sku_spellings,
        "what nobody sees is no part of a SKU; a blank inside is",
        rows=[
            row(f"商品!{number}", sku, f"品{number}")
            for number, sku in enumerate(("D1", "D2", "D3", "D4", "D5", "D6", "D 7", "D8"), 2)
        ],
    ),
    HostileCatalog(
        "other_duplicates.xlsx",
        other_duplicates,
        "one contradiction refuses all rows of a SKU; running numbers contradict nothing",
        rows=(
            row("商品!2", "E1", "杯", color="白"),
            row("商品!10", "E4", "壶", color="白"),
        ),
        issues=[
            *(("商品!B3", "duplicate_identical"), ("商品!B4", "duplicate_identical")),
            *((f"商品!B{number}", "duplicate_sku_conflict") for number in (5, 6, 7)),
            *((f"商品!B{number}", "duplicate_sku_case") for number in (8, 9)),
        ],
    ),
    HostileCatalog(
        "errors_and_formulas.xlsx",
        errors_and_formulas,
        "an error spoils its row but not in a column of one's own; a formula is worth what it gave, and '' is nothing",
        rows=(
            row("商品!2", "F1", "杯子", color="白", price="2"),
            row("商品!6", "F5", "锅", price="1"),
        ),
        issues=[
            ("商品!E2", "error_cell"),
            ("商品!B3", "formula_not_calculated"),
            ("商品!C4", "error_cell"),
            ("商品!A5", "error_cell"),
            ("商品!D7", "formula_not_calculated"),
            ("商品!D8", "formula_not_calculated"),
            ("商品!C9", "error_cell"),
        ],
    ),
    HostileCatalog(
        "other_days.xlsx",
        other_days,
        "one day in four spellings; what is no day stays what it is",
        rows=(
            row("商品!2", "G1", "杯", date="2024-05-01", brand="TRUE"),
            row("商品!3", "G2", "盘", date="2024-05-01", brand="FALSE"),
            row("商品!4", "G3", "碗", date="2024-05-01", brand="TRUE"),
            row("商品!5", "G4", "锅", date="二〇二四年", brand="x"),
        ),
    ),
)

VARIATIONS = (*TABLES, *VALUES)
