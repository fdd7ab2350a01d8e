"""The thirty-two shared files, made again: what each is called, why it is hostile and what must be read from it.

07 and 08 seem to contradict each other. In 07 sheet 女装 has W1 半裙 and sheet 男装 has W1 半裙（男款）, both for 99; its
manifest keeps 女装!2 and reports only 男装!C3. In 08 one sheet has A2 乙 for 10 and for 12; its manifest takes neither row
and reports A4 and A5. Nothing else is wrong with any of these rows, and the code is the same. Both hold if a conflict is
judged sheet by sheet: rows of one sheet that contradict each other are all refused, as RULES says, and a row of a later
sheet that contradicts one taken from an earlier sheet is refused alone.
That is what is expected here. A reader that judges all sheets together agrees with 08, but refuses 女装!A2 in 07 as well.
"""

from __future__ import annotations

from tests.hostile import binaries, dangerous, texts, workbooks
from tests.hostile.catalog import Fields, HostileCatalog, Refusal, Shown, row
from tests.hostile.catalogs_with_pictures import PICTURES

WORKBOOKS = (
    HostileCatalog(
        "01_title_rows_totals.xlsx",
        workbooks.title_rows_totals,
        "the table begins below a title and ends above a total, a remark and fifty formatted rows",
        rows=(
            row(
                "2024春夏!5",
                "00123",
                "纯棉T恤",
                brand="优衣",
                price="59.9",
                features=("透气", "不起球", "可机洗"),
            ),
            row("2024春夏!6", "00124", "牛仔裤", brand="None", price="129", features=("高腰", "显瘦")),
            row("2024春夏!8", "00125", "连衣裙", brand="NA", price="199"),
        ),
        issues=[("2024春夏!A9", "footer_row_skipped"), ("2024春夏!A10", "footer_row_skipped")],
    ),
    HostileCatalog(
        "03_spu_merged_variants.xlsx",
        workbooks.spu_merged_variants,
        "merged cells reach as far as they are merged; a name that is missing is not taken from above",
        rows=[
            row(
                f"商品!{number}",
                sku,
                name,
                spu=sku[:4],
                color=color,
                size=size,
                price=price,
                images=(picture,),
            )
            for number, sku, name, color, size, price, picture in (
                (2, "K100-R-M", "圆领卫衣", "红", "M", "99", "K100红.jpg"),
                (3, "K100-R-L", "圆领卫衣", "红", "L", "99", "K100红.jpg"),
                (4, "K100-B-M", "圆领卫衣", "蓝", "M", "99", "K100蓝.jpg"),
                (5, "K200", "短裤", "黑", "均码", "49", "K200.jpg"),
            )
        ],
        issues=[("商品!B7", "missing_name")],
        pictures=[
            Shown(f"商品!G{number}", "path", f"K{name}.jpg")
            for number, name in ((2, "100红"), (3, "100红"), (4, "100蓝"), (5, "200"))
        ],
    ),
    HostileCatalog(
        "04_sku_types.xlsx",
        workbooks.sku_types,
        "a SKU is what the cell shows, and three of them show what can no longer be trusted",
        rows=[
            row(f"商品!{number}", sku, f"商品{number - 2}", price="10")
            for number, sku in (
                (2, "00123"),
                (3, "00000123"),
                (4, "6901234567892"),
                (5, "1001"),
                (8, "00777"),
                (9, "0088"),
                (10, "45"),
            )
        ],
        issues=[
            ("商品!A6", "precision_lost"),
            ("商品!A7", "scientific_text"),
            ("商品!A11", "sku_not_integer"),
        ],
    ),
    HostileCatalog(
        "06_hidden_rows_sheets.xlsx",
        workbooks.hidden_rows_sheets,
        "what a filter hides is still a product, what stands on a hidden sheet is none",
        rows=[row(f"商品!{n + 2}", f"0{n}", f"商品{n}", price=f"1{n}") for n in range(4)],
        issues=[
            ("商品!3", "hidden_row"),
            ("旧数据", "hidden_sheet_skipped"),
            ("字典", "hidden_sheet_skipped"),
        ],
    ),
    HostileCatalog(
        "07_multi_sheets.xlsx",
        workbooks.multi_sheets,
        "each sheet has its own header; a later sheet contradicts an earlier one (see above)",
        rows=(
            row("女装!2", "W1", "半裙", price="99"),
            row("女装!3", "W2", "衬衫", price="89"),
            row("男装!2", "M1", "短袖", price="79"),
        ),
        issues=[("男装!C3", "duplicate_sku_conflict"), ("填写说明", "no_header_found")],
    ),
    HostileCatalog(
        "08_duplicate_skus.xlsx",
        workbooks.duplicate_skus,
        "of identical rows one counts, of contradicting ones none",
        rows=(row("商品!2", "A1", "甲", price="10"), row("商品!8", "A4", "丁", price="1")),
        issues=[
            ("商品!A3", "duplicate_identical"),
            ("商品!A4", "duplicate_sku_conflict"),
            ("商品!A5", "duplicate_sku_conflict"),
            ("商品!A6", "duplicate_sku_case"),
            ("商品!A7", "duplicate_sku_case"),
            ("商品!A9", "duplicate_identical"),
        ],
    ),
    HostileCatalog(
        "10_multivalue.xlsx",
        workbooks.multivalue,
        "one cell holds a list, in every way people write one",
        rows=(
            row(
                "商品!2",
                "M1",
                "杯子",
                features=("保温12小时", "316不锈钢", "一键开盖"),
                usage_scenarios=("通勤", "露营", "车载"),
                detail_features=("容量:500ml", "重量:300g", "口径:4.5cm"),
                images=("a.jpg", "b.jpg", "c.jpg"),
            ),
            row(
                "商品!3",
                "M2",
                "锅",
                features=("不粘", "少油烟"),
                usage_scenarios=("家用",),
                detail_features=("直径:28cm,30cm",),
                images=("https://x.cn/a.jpg?x=1,2", "https://x.cn/b.jpg"),
            ),
        ),
        pictures=(
            *(Shown("商品!F2", "path", name) for name in ("a.jpg", "b.jpg", "c.jpg")),
            *(Shown("商品!F3", "url", url) for url in ("https://x.cn/a.jpg?x=1,2", "https://x.cn/b.jpg")),
        ),
    ),
    HostileCatalog(
        "11_dates_errors_na.xlsx",
        workbooks.dates_errors_na,
        "three spellings of one day; errors spoil their rows; NA is a brand and 无 is none",
        rows=(
            row("商品!2", "D1", "甲", price="10", date="2024-05-01"),
            row("商品!3", "D2", "乙", price="10", date="2024-05-01", brand="NA"),
            row("商品!4", "D3", "丙", price="10", date="2024-05-01", brand="null"),
        ),
        issues=[
            ("商品!C5", "error_cell"),
            ("商品!B6", "error_cell"),
            ("商品!E2", "na_like"),
            ("商品!F2", "na_like"),
        ],
    ),
    HostileCatalog(
        "15_xlsx_renamed.csv",
        workbooks.xlsx_renamed,
        "its name says text and its bytes say workbook; its header has two rows",
        rows=[
            row(
                f"商品!{number}",
                f"A00{number - 2}",
                "羽绒服",
                color=color,
                size=size,
                list_price="1299",
                price="899",
            )
            for number, color, size in ((3, "黑色", "L"), (4, "白色", "M"))
        ],
        issues=[("file", "format_mismatch")],
    ),
    HostileCatalog(
        "27_far_corner_cell.xlsx",
        workbooks.far_corner_cell,
        "whoever makes room for every cell up to the last one needs half a terabyte",
        rows=(
            row("商品!2", "00123", "纯棉T恤", price="59.9"),
            row("商品!3", "00124", "牛仔裤", price="129"),
        ),
    ),
    HostileCatalog(
        "34_typo_header.xlsx",
        workbooks.typo_header,
        "a likely header is suggested, never taken",
        refusal=Refusal("required_column_missing", column="sku", suggestion="商品编马 -> 商品编码?"),
    ),
)


def _text_rows(name: str) -> tuple[Fields, Fields]:
    return (
        row(f"{name}!2", "00123", "纯棉T恤", price="59.9"),
        row(f"{name}!3", "00124", "牛仔裤", price="129"),
    )


TEXTS = (
    HostileCatalog(
        "12_formula_injection.csv",
        texts.formula_injection,
        "what looks like a formula or a command is a text",
        rows=[
            row(f"12_formula_injection.csv!{number}", f"I{number - 1}", name, features=(feature,))
            for number, name, feature in (
                (2, '=HYPERLINK("http://evil","点我")', "+86热线"),
                (3, "@SUM(1)", "-5℃可用"),
                (4, "=cmd|' /C calc'!A0", "=1+1"),
            )
        ],
    ),
    HostileCatalog(
        "14_csv_renamed.xlsx",
        texts.csv_renamed,
        "its name says workbook and its bytes are GBK",
        rows=_text_rows("14_csv_renamed.xlsx"),
        issues=[("file", "format_mismatch")],
    ),
    HostileCatalog(
        "16_gb18030_quotes_mixed_eol.csv",
        texts.gb18030_quotes_mixed_eol,
        "two line ends, a line break inside quotes, zeros kept by a formula, a character outside GBK",
        rows=(
            row(
                "16_gb18030_quotes_mixed_eol.csv!2",
                "00123",
                '纯棉"T恤", 短袖',
                features=("透气", "不起球"),
                price="59.9",
            ),
            row(
                "16_gb18030_quotes_mixed_eol.csv!3",
                "6901234567892",
                "𠮷祥如意杯",
                features=("可机洗", "耐用"),
                price="129",
            ),
        ),
    ),
    HostileCatalog(
        "17_unicode_text.txt",
        texts.unicode_text,
        "UTF-16 with tabs",
        rows=_text_rows("17_unicode_text.txt"),
    ),
    HostileCatalog(
        "23_zero_bytes.xlsx",
        texts.zero_bytes,
        "there is nothing in it yet",
        refusal=Refusal("empty_file"),
    ),
)

DANGEROUS = (
    HostileCatalog(
        "20_password.xlsx",
        dangerous.password,
        "only who knows the password can read it",
        refusal=Refusal("password_protected", words="密码"),
    ),
    HostileCatalog(
        "25_zip_bomb.xlsx",
        dangerous.zip_bomb,
        "it grows four hundredfold; its directory says so",
        refusal=Refusal("unsafe_archive"),
    ),
    HostileCatalog(
        "32_xml_entities.xlsx",
        dangerous.xml_entities,
        "its texts read files of this machine and fill its memory",
        refusal=Refusal("unsafe_xml"),
    ),
)

_BINARY_ROWS = (
    row("商品!2", "00123", "纯棉T恤", price="59.9"),
    row("商品!3", "00124", "牛仔裤", price="129"),
    row("商品!4", "6901234567892", "帽子", price="39"),
)
_DATES: tuple[Fields, ...] = ({"date": "2024-05-01"}, {"date": "2024-05-02"}, {})

BINARIES = (
    HostileCatalog(
        "28_biff8.xls",
        binaries.biff8,
        "numbers in three encodings, dates, a SKU of 13 digits",
        rows=[{**fields, **date} for fields, date in zip(_BINARY_ROWS, _DATES, strict=True)],
    ),
    HostileCatalog("29_binary.xlsb", binaries.binary, "no XML in it", rows=_BINARY_ROWS),
)


GIVEN = (*WORKBOOKS, *TEXTS, *DANGEROUS, *BINARIES, *PICTURES)
