"""Text tables of the same families as the shared ones: other encodings, separators, names and heads."""

from __future__ import annotations

import codecs
import random
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle

from tests.hostile.catalog import Fields, HostileCatalog, Refusal, Shown, row

_LINES = ("商品编码,商品名称,颜色,价格", "00123,保温杯,白色,59.9", "00124,纯棉T恤,黑色,129")
_TRADITIONAL = ("商品編號,商品名稱,顏色,價格", "00123,保溫杯,白色,59.9", "00124,純棉T恤,黑色,129")


def text(*lines: str, encoding: str = "utf-8", mark: bytes = b"", ends: Sequence[str] = ("\r\n",)) -> bytes:
    """These lines, with the *ends* in turn."""
    joined = "".join(line + end for line, end in zip(lines, cycle(ends), strict=False))
    return mark + joined.encode(encoding)


def _products(name: str, *names: str) -> tuple[Fields, Fields]:
    first, second = names or ("保温杯", "纯棉T恤")
    return (
        row(f"{name}!2", "00123", first, color="白色", price="59.9"),
        row(f"{name}!3", "00124", second, color="黑色", price="129"),
    )


def _table(name: str, why: str, make: Callable[[], bytes], *names: str, **more: str) -> HostileCatalog:
    """Two products that must be read whatever the file looks like."""
    issues = [("file", code) for code in more.values()]
    return HostileCatalog(name, make, why, rows=_products(name, *names), issues=issues)


def _with(separator: str) -> tuple[str, ...]:
    return tuple(line.replace(",", separator) for line in _LINES)


ENCODINGS = (
    _table(
        "gbk_mixed_eol.csv",
        "GBK, with both line ends",
        partial(text, *_LINES, encoding="gbk", ends=("\r\n", "\n")),
    ),
    _table(
        "gb18030_declared_bom.csv",
        "GB18030 has a byte order mark too",
        partial(text, *_LINES, encoding="gb18030", mark="\ufeff".encode("gb18030")),
    ),
    _table(
        "big5.csv",
        "Big5, with headers in its own characters",
        partial(text, *_TRADITIONAL, encoding="big5"),
        "保溫杯",
        "純棉T恤",
    ),
    _table(
        "utf16_le_bom.csv",
        "UTF-16 with commas",
        partial(text, *_LINES, encoding="utf-16-le", mark=codecs.BOM_UTF16_LE),
    ),
    _table(
        "utf16_be_bom.csv",
        "the bytes the other way round",
        partial(text, *_LINES, encoding="utf-16-be", mark=codecs.BOM_UTF16_BE),
    ),
    _table(
        "utf16_le_bare.csv", "no mark: only the zero bytes tell", partial(text, *_LINES, encoding="utf-16-le")
    ),
    _table(
        "utf16_be_bare.csv", "no mark, and the other way round", partial(text, *_LINES, encoding="utf-16-be")
    ),
    _table(
        "two_boms.csv",
        "a program has put a second mark before the first",
        partial(text, *_LINES, mark=codecs.BOM_UTF8 * 2),
    ),
)

SEPARATORS = (
    _table(
        "semicolons.csv",
        "as Excel writes where the comma is for decimals",
        partial(text, *_with(";"), mark=codecs.BOM_UTF8),
    ),
    _table("bars_cr.csv", "bars, and the line ends of old Macs", partial(text, *_with("|"), ends=("\r",))),
    _table(
        "csv_as_old.xls",
        "a text called .xls",
        partial(text, *_LINES, encoding="gbk"),
        mismatch="format_mismatch",
    ),
    _table("csv_as_binary.xlsb", "a text called .xlsb", partial(text, *_LINES), mismatch="format_mismatch"),
    HostileCatalog(
        "told_separator.csv",
        partial(text, "sep=;", "商品编码;商品名称;卖点,细说", '="00123";杯, 大;轻便', mark=codecs.BOM_UTF8),
        "the first line says that semicolons separate, and commas are text",
        rows=[row("told_separator.csv!2", "00123", "杯, 大")],
    ),
    HostileCatalog(
        "forced_text.txt",
        partial(
            text, "货号\t商品名称\t价格", '="007"\t="8寸盘"\t59.9\t', "'008\t碗\t1,299.00", "9.00E+12\t盆\t3"
        ),
        "zeros kept by formulas and apostrophes; one number already spoilt",
        rows=(
            row("forced_text.txt!2", "007", "8寸盘", price="59.9"),
            row("forced_text.txt!3", "008", "碗", price="1299.00"),
        ),
        issues=[("forced_text.txt!A4", "scientific_text")],
    ),
)


def header_on_row_seven(*, title_rows: int, footers: tuple[str, ...]) -> bytes:
    """Titles, blank lines, the header on row 7, a gap among the products, and what people write below."""
    titles = ["春季新品目录,,,", "供应商：XX日用,,,", "日期：2024-05-01,,电话：123,"][:title_rows]
    lines = [*titles, *[",,,"] * (6 - title_rows), "序号,货号,商品名称,价格", "1,A1,杯,1", ",,,", "2,A2,盘,2"]
    return text(*lines, *footers, encoding="gb18030")


def _headed(title_rows: int) -> HostileCatalog:
    name = f"titles_{title_rows}.csv"
    footers = ("小计,,,3", "总计,,,3", "备注：含税,,,", ",制表人：李四,,")
    return HostileCatalog(
        name,
        partial(header_on_row_seven, title_rows=title_rows, footers=footers),
        "the header stands on row 7 below titles, and four kinds of remark end the table",
        rows=(row(f"{name}!8", "A1", "杯", price="1"), row(f"{name}!10", "A2", "盘", price="2")),
        issues=[(f"{name}!{place}", "footer_row_skipped") for place in ("A11", "A12", "A13", "B14")],
    )


_INVISIBLE = "\u200b"

HEADS = (
    _headed(1),
    _headed(3),
    HostileCatalog(
        "decorated_header.csv",
        partial(
            text,
            f"*货 号（必填）,{_INVISIBLE}商品名称{_INVISIBLE},价格(元) ,ｂｒａｎｄ,备注,备注",
            f"A1{_INVISIBLE},杯 ,1, 某牌 ,甲,乙",
        ),
        "stars, spaces, remarks, invisible and wide letters in the header; two headers alike",
        rows=[row("decorated_header.csv!2", "A1", "杯", price="1", brand="某牌")],
        issues=[("decorated_header.csv!F1", "repeated_header")],
    ),
    HostileCatalog(
        "two_prices.csv",
        partial(text, "货号,商品名称,价格,售价", "A1,杯,1,2"),
        "two columns claim one field",
        refusal=Refusal("ambiguous_columns"),
    ),
    HostileCatalog(
        "misspelt_name.csv",
        partial(text, "货号,Prodct Name,价格", "A1,杯,1"),
        "the name's header is misspelt",
        refusal=Refusal("required_column_missing", column="name", suggestion="Prodct Name -> Product Name?"),
    ),
    HostileCatalog(
        "likely_price.csv",
        partial(text, "货号,商品名称,市场价格高", "A1,杯,9"),
        "a header much like another is left alone where its field need not be there",
        rows=[row("likely_price.csv!2", "A1", "杯")],
    ),
    HostileCatalog(
        "no_header.csv",
        partial(text, "A1,杯,1", "A2,盘,2"),
        "nothing says what is what",
        refusal=Refusal("no_header_found"),
    ),
)


def scrambled() -> bytes:
    """What company software leaves of a file on a machine without its key."""
    return b"E-SafeNet\0\0\0LOCK\0" + random.Random(3).randbytes(6000)


VALUES = (
    HostileCatalog(
        "words_for_nothing.csv",
        partial(
            text, "货号,商品名称,品牌,颜色,材质,规格", "A1,无框画,None,无,-,/", "A2,NA,null,N/A,红/白,-5℃"
        ),
        "无, - and / alone mean nothing; None, NA and null are somebody's words",
        rows=(
            row("words_for_nothing.csv!2", "A1", "无框画", brand="None"),
            row(
                "words_for_nothing.csv!3", "A2", "NA", brand="null", color="N/A", material="红/白", spec="-5℃"
            ),
        ),
        issues=[(f"words_for_nothing.csv!{letter}2", "na_like") for letter in "DEF"],
    ),
    HostileCatalog(
        "lists.csv",
        partial(
            text,
            "货号,商品名称,卖点,图片",
            '1,杯,"1）轻、薄\n2）不漏","http://a.cn/1.jpg?w=1,2,http://a.cn/2.jpg"',
            "2,盘,①轻②薄,a.jpg；b.jpg",
            "3,碗,轻、薄；耐摔,//a.cn/c.png",
            "4,锅,1.5升、2.5升,D:\\图\\d.png",
        ),
        "、 splits only where nothing stronger does, and 1.5 is no mark",
        rows=(
            row(
                "lists.csv!2",
                "1",
                "杯",
                features=("轻、薄", "不漏"),
                images=("http://a.cn/1.jpg?w=1,2", "http://a.cn/2.jpg"),
            ),
            row("lists.csv!3", "2", "盘", features=("轻", "薄"), images=("a.jpg", "b.jpg")),
            row("lists.csv!4", "3", "碗", features=("轻、薄", "耐摔"), images=("//a.cn/c.png",)),
            row("lists.csv!5", "4", "锅", features=("1.5升", "2.5升"), images=("D:\\图\\d.png",)),
        ),
        pictures=[
            Shown(f"lists.csv!D{number}", kind, reference)
            for number, kind, reference in (
                (2, "url", "http://a.cn/1.jpg?w=1,2"),
                (2, "url", "http://a.cn/2.jpg"),
                (3, "path", "a.jpg"),
                (3, "path", "b.jpg"),
                (4, "url", "//a.cn/c.png"),
                (5, "path", "D:\\图\\d.png"),
            )
        ],
    ),
    HostileCatalog(
        "company_lock.xlsx",
        scrambled,
        "no table any more, and its message says why",
        refusal=Refusal("unknown_format", words="加密"),
    ),
    HostileCatalog(
        "open_quote.csv",
        partial(text, "货号,商品名称", '1,"杯', "2,盘"),
        "a quote that never ends swallows the rest",
        refusal=Refusal("corrupt_file"),
    ),
)

VARIATIONS = (*ENCODINGS, *SEPARATORS, *HEADS, *VALUES)
