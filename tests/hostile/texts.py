"""Makes text tables: every encoding, separator and oddity of line that exports come with."""

from __future__ import annotations

import codecs


def formula_injection() -> bytes:
    """12: names and selling points that a spreadsheet would carry out."""
    lines = (
        "SKU,商品名称,卖点",
        'I1,"=HYPERLINK(""http://evil"",""点我"")",+86热线',
        "I2,@SUM(1),-5℃可用",
        "I3,=cmd|' /C calc'!A0,\t=1+1",
    )
    return codecs.BOM_UTF8 + "".join(f"{line}\r\n" for line in lines).encode()


def csv_renamed() -> bytes:
    """14: a GBK table, called .xlsx."""
    return "商品编码,商品名称,价格\r\n00123,纯棉T恤,59.9\r\n00124,牛仔裤,129\r\n".encode("gbk")


def gb18030_quotes_mixed_eol() -> bytes:
    """16: quotes in quotes, both line ends, zeros kept by a formula, a tab behind a number, a character of four bytes."""
    return (
        '商品编码,商品名称,卖点,价格,,\r\n="00123","纯棉""T恤"", 短袖","透气\n不起球",59.9,,\n'
        '6901234567892\t,𠮷祥如意杯,"可机洗；耐用",129,,\r\n,,,,,\r\n'
    ).encode("gb18030")


def unicode_text() -> bytes:
    """17: what Excel calls Unicode text: UTF-16 with its mark, and tabs."""
    lines = ("商品编码\t商品名称\t价格", "00123\t纯棉T恤\t59.9", "00124\t牛仔裤\t129")
    return codecs.BOM_UTF16_LE + "".join(f"{line}\r\n" for line in lines).encode("utf-16-le")


def zero_bytes() -> bytes:
    """23: a file that is still being synchronised."""
    return b""
