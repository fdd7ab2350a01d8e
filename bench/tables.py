"""Large catalogs to read, made once and kept in ``build/``; the same every time."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path("build/bench")
HEADER = (
    "货号", "款号", "商品名称", "品牌", "类目", "颜色", "材质", "形状", "尺码", "规格", "价格", "市场价", "卖点", "使用场景",
    "细节", "图片", "备注", "供应商", "库存", "上架日期",
)  # fmt: skip
Row = tuple[str | float | int, ...]


def rows(count: int) -> Iterator[Row]:
    """What shops write: names, prices and texts that differ from row to row, and words that come again."""
    chance = random.Random(5)
    pick = chance.choice
    points = (
        "耐高温",
        "防滑底",
        "加厚",
        "双层隔热",
        "可进洗碗机",
        "轻便",
        "不漏水",
        "易清洗",
        "大容量",
        "静音",
    )
    places = ("办公室", "厨房", "户外露营", "卧室", "客厅", "车载")
    for number in range(count):
        kind = pick(("马克杯", "保温杯", "台灯", "花瓶", "收纳盒"))
        yield (
            f"SK{number:06}",
            f"F{number // 4:05}",
            f"{pick(('陶瓷', '不锈钢', '玻璃', '竹木'))}{kind}{number}",
            pick(("木白", "山也", "南物", "None")),
            pick(("餐具", "家居", "灯具")),
            pick(("白色", "黑色", "蓝色", "米色", "墨绿色")),
            pick(("陶瓷", "不锈钢", "玻璃")),
            pick(("圆柱形", "方形", "椭圆形")),
            pick(("S", "M", "L", "350ml")),
            f"一只装 {chance.randint(1, 400)} 号",
            round(chance.randint(10, 500) + 0.9, 2),
            chance.randint(500, 900),
            "；".join(chance.sample(points, 3)),
            "、".join(chance.sample(places, 1 + number % 2)),
            f"{pick(points)}的杯口\n第 {number % 997} 批",
            f"https://img.example.com/p/{number:06}.jpg",
            f"第 {number} 行的备注，供内部使用",
            pick(("甲厂", "乙厂", "丙厂")),
            chance.randint(0, 9999),
            f"2026-{1 + number % 12:02}-{1 + number % 28:02}",
        )


def workbook(count: int) -> Path:
    """The catalog as Excel writes it: texts shared, numbers as numbers."""
    path = FOLDER / f"catalog-{count}.xlsx"
    if not path.exists():
        from xlsxwriter import Workbook  # noqa: PLC0415  # takes long to import, and the file is there mostly

        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with Workbook(unfinished, {"strings_to_urls": False}) as book:
            sheet = book.add_worksheet("商品")
            sheet.write_row(0, 0, HEADER)
            for number, row in enumerate(rows(count), 1):
                sheet.write_row(number, 0, row)
        unfinished.replace(path)
    return path


def text_table(count: int) -> Path:
    """The catalog as a CSV file in UTF-8."""
    path = FOLDER / f"catalog-{count}.csv"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([HEADER, *rows(count)])
    return path
