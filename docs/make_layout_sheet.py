"""Draws docs/lettering.jpg: every way in which text comes onto pictures."""  # noqa: INP001 - a script beside the page it is for

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from catalog_imagegen.simulator.scenes import glow, gradient, surroundings
from catalog_imagegen.simulator.silhouettes import GROUND, product
from catalog_imagegen.stages.lettering import (
    Area,
    Drawn,
    Labelled,
    LabelStyle,
    Layout,
    Plate,
    Stroke,
    TextBox,
    add_label,
    check_promotion,
    compare,
    draw,
)

HERE = Path(__file__).parent
MOST_BYTES = 300_000
PAPER, CARD, INK, FAINT, LINE, RED = "#f6f4ef", "#ffffff", "#26231d", "#857f73", "#d9d4c8", "#c8321f"
WIDTH, MARGIN, GAP, HEAD, CAPTION = 1640, 40, 28, 150, 44
GREEN, STEEL, BLUE = (46, 92, 78), (150, 152, 156), (58, 92, 150)
Colour = tuple[int, int, int]
Size = tuple[int, int]


@dataclass
class Sheet:
    """The page, and what was set on it: each picture's size and boxes with what came of them."""

    image: Image.Image
    set: list[tuple[Size, TextBox, Drawn]] = field(default_factory=list)
    labels: list[tuple[Size, Labelled]] = field(default_factory=list)

    def letter(self, image: Image.Image, boxes: Sequence[TextBox], safe_zone: float = 0.0) -> Image.Image:
        """Draw boxes and keep account of them."""
        lettered = draw(image, boxes, safe_zone=safe_zone)
        by_name = {box.name: box for box in boxes}
        self.set += [(image.size, by_name[drawn.box], drawn) for drawn in lettered.drawn]
        return lettered.image

    def label(self, image: Image.Image, style: LabelStyle) -> Image.Image:
        """Label a picture and keep account of it."""
        labelled = add_label(image, style)
        self.labels.append((image.size, labelled))
        return labelled.image

    def show(self, image: Image.Image, at: tuple[int, int], caption: str) -> None:
        """Put a picture on the page with its caption below."""
        self.image.paste(image, at)
        strip = self.image.crop(
            (at[0], at[1] + image.height, at[0] + image.width, at[1] + image.height + CAPTION)
        )
        box = TextBox(
            "caption", Area(0, 0.12, 1, 1), caption, max_size=0.44, min_size=0.3, colour=FAINT, max_lines=1
        )
        self.image.paste(self.letter(strip, [box]), (at[0], at[1] + image.height))


def stand(
    canvas: Image.Image, shape: str, colour: Colour, *, centre: float, ground: float, side: float
) -> None:
    """Put a product on the ground, with its shadow; places in shares of the canvas."""
    width, height = canvas.size
    pixels, foot = round(side * min(canvas.size)), round(ground * height)
    left, right, bottom = GROUND[shape]
    x, y = round(centre * width) - pixels // 2, foot - pixels * bottom // 100
    a, b = x + pixels * left // 100, x + pixels * right // 100
    shadow = glow(
        canvas.size,
        (a - pixels // 12, foot - pixels // 30, b + pixels // 7, foot + pixels // 18),
        pixels // 18,
        70,
    )
    canvas.paste((32, 30, 28), (0, 0), shadow)
    drawn = product(shape, colour, pixels)
    canvas.paste(drawn, (x, y), drawn)


def poster(sheet: Sheet, size: Size) -> Image.Image:
    """A poster whose offer says its dates."""
    canvas = gradient(size, (238, 243, 236), (196, 214, 202))
    canvas.paste((255, 255, 255), (0, 0), glow(size, (20, 190, size[0] - 20, 190 + size[0]), 60, 190))
    stand(canvas, "tumbler", GREEN, centre=0.47, ground=0.85, side=0.82)
    layout = Layout(
        "poster",
        (
            TextBox(
                "title", Area(0.06, 0.055, 0.94, 0.19), "{name}", weight="black", max_size=0.082, colour="#173c31",
                align="centre", valign="middle", line_spacing=1.16, max_lines=2,
            ),
            TextBox(
                "selling", Area(0.08, 0.195, 0.92, 0.245), "{features}", max_size=0.031, colour="#3c5a4e",
                align="centre", valign="middle", max_lines=1,
            ),
            TextBox(
                "promotion", Area(0.06, 0.27, 0.6, 0.345), "{promo}", weight="bold", max_size=0.03, colour="#ffffff",
                valign="middle", plate=Plate(colour=RED, opacity=1, radius=0.5, padding=0.5), max_lines=1,
            ),
            TextBox(
                "price", Area(0.6, 0.74, 0.96, 0.85), "{price}", weight="black", max_size=0.085, min_size=0.05,
                colour=RED, stroke=Stroke("#ffffff", 0.07), align="right", valign="bottom", max_lines=1,
            ),
            TextBox(
                "foot", Area(0, 0.9, 1, 1), "{service}", weight="medium", max_size=0.03, colour="#ffffff",
                align="centre", valign="middle", plate=Plate(colour="#173c31", opacity=0.92, radius=0, is_close=False),
            ),
        ),
    )  # fmt: skip
    boxes = layout.filled(
        {
            "title": "316不锈钢真空咖啡杯，一杯装下整个清晨",
            "selling": "480ml大容量 · 保温12小时 · 轻至230g",
            "promotion": "限时优惠 11月1日—11月11日",
            "price": "¥199",
            "foot": "七天无理由退换｜一年质保｜全国包邮",
        }
    )
    check_promotion(boxes, starts="2026-11-01", ends="2026-11-11")
    return sheet.letter(canvas, boxes, safe_zone=0.02)


def lifestyle(sheet: Sheet, size: Size) -> Image.Image:
    """A scene with its selling points, and the label."""
    canvas, place = surroundings("office", (2 * size[0], 2 * size[1]), random.Random("lifestyle"))
    canvas = canvas.reduce(2)
    stand(canvas, "earphones", (52, 56, 64), centre=place, ground=0.84, side=0.5)
    boxes = [
        TextBox(
            "title", Area(0.06, 0.05, 0.94, 0.22), "戴上，“整个世界”就安静了……", weight="bold", max_size=0.066,
            colour="#ffffff", stroke=Stroke("#1f2a33", 0.06), align="centre", line_spacing=1.25,
        ),
        TextBox(
            "points", Area(0.06, 0.235, 0.7, 0.5), "✔ 主动降噪 45dB\n✔ 单次续航 8小时\n✔ 支持 Wi-Fi 6 与 Type-C 快充",
            weight="medium", max_size=0.03, colour="#20242a", line_spacing=1.5,
            plate=Plate(colour="#ffffff", opacity=0.78, radius=0.12, padding=0.7),
        ),
    ]  # fmt: skip
    return sheet.label(sheet.letter(canvas, boxes, safe_zone=0.03), LabelStyle())


def comparison(sheet: Sheet, size: Size) -> Image.Image:
    """Without and with: both pictures are our own."""
    half = (size[0] // 2, size[1])
    without, with_it = (
        gradient(half, (226, 227, 229), (196, 198, 202)),
        gradient(half, (232, 238, 246), (186, 204, 230)),
    )
    stand(without, "backpack", STEEL, centre=0.5, ground=0.94, side=0.86)
    stand(with_it, "backpack", BLUE, centre=0.5, ground=0.94, side=0.86)
    made = compare(without.filter(ImageFilter.GaussianBlur(1.2)), with_it, size, ("使用前", "使用后"))
    boxes = [TextBox(drawn.box, Area(0, 0, 1, 1), drawn.lines[0]) for drawn in made.drawn]
    sheet.set += [(size, box, drawn) for box, drawn in zip(boxes, made.drawn, strict=True)]
    return made.image


def labels(sheet: Sheet, size: Size) -> Image.Image:
    """The label on backgrounds that leave it no colour of its own."""
    page = Image.new("RGB", size, CARD)
    cell = ((size[0] - 12) // 2, (size[1] - 12) // 2)
    noise = Image.frombytes("RGB", (40, 26), random.Random(3).randbytes(3 * 40 * 26))
    checks = Image.new("RGB", cell, "#ffffff")
    pen = ImageDraw.Draw(checks)
    for x in range(0, cell[0], 36):
        for y in range((x // 18) % 4 * 9, cell[1], 36):
            pen.rectangle((x, y, x + 17, y + 17), fill="#111111")
    backgrounds = (
        (Image.new("RGB", cell, "#ffffff"), "bottom_right"),
        (gradient(cell, (20, 24, 40), (120, 60, 70)), "bottom_left"),
        (noise.resize(cell, Image.Resampling.NEAREST), "top_left"),
        (checks, "top_right"),
    )
    for number, (background, corner) in enumerate(backgrounds):
        at = (number % 2 * (cell[0] + 12), number // 2 * (cell[1] + 12))
        page.paste(sheet.label(background, LabelStyle(corner=corner)), at)  # type: ignore[arg-type]
        ImageDraw.Draw(page).rectangle((*at, at[0] + cell[0] - 1, at[1] + cell[1] - 1), outline=LINE)
    return page


LONG = (
    "【新品】主动降噪无线蓝牙耳机，单次续航8小时，充电盒内含500mAh电池（约可充3次）；支持3.5mm音源、Type-C快充与"
    "Wi-Fi 6。“轻到忘记它的存在！”——《耳机评测》2026年11月号。原价¥1,299.00，到手价￥999起……"
)


def breaking(sheet: Sheet, size: Size) -> Image.Image:
    """The same text in four widths and alignments."""
    page = Image.new("RGB", size, CARD)
    pen = ImageDraw.Draw(page)
    columns = (
        (Area(0.02, 0.08, 0.315, 0.92), "left", "top", 0.066),
        (Area(0.345, 0.08, 0.59, 0.92), "centre", "middle", 0.066),
        (Area(0.62, 0.08, 0.8, 0.92), "right", "bottom", 0.066),
        (Area(0.83, 0.08, 0.98, 0.92), "left", "top", 0.066),
    )
    boxes = []
    for number, (area, align, valign, most) in enumerate(columns):
        left, top, right, bottom = area.within(size)
        pen.rectangle((left - 10, top - 10, right + 10, bottom + 10), outline=LINE, width=1)
        boxes.append(
            TextBox(
                f"column {number}", area, LONG, max_size=most, min_size=0.03, colour=INK, align=align,  # type: ignore[arg-type]
                valign=valign, line_spacing=1.42,  # type: ignore[arg-type]
            )
        )  # fmt: skip
    return sheet.letter(page, boxes)


def weights(sheet: Sheet, size: Size) -> Image.Image:
    """Weights, strokes and plates."""
    page = Image.new("RGB", size, CARD)
    page.paste(gradient((size[0], size[1] // 2), (250, 200, 120), (228, 96, 70)), (0, size[1] // 2))
    boxes = [
        TextBox(
            weight, Area(0.05, 0.05 + 0.11 * row, 0.95, 0.16 + 0.11 * row), f"真材实料，骨直有型 {name} ¥199",
            weight=weight, max_size=0.075, colour=INK, valign="middle", max_lines=1,  # type: ignore[arg-type]
        )
        for row, (weight, name) in enumerate(
            {"regular": "Regular", "medium": "Medium", "bold": "Bold", "black": "Black"}.items()
        )
    ]  # fmt: skip
    fancy = TextBox(
        "stroke", Area(0.05, 0.54, 0.95, 0.7), "夏日清凉季", weight="black", max_size=0.15, colour="#ffffff",
        stroke=Stroke("#a3271b", 0.08), align="centre", valign="middle", max_lines=1,
    )  # fmt: skip
    boxes += [
        fancy,
        TextBox(
            "pill", Area(0.05, 0.73, 0.48, 0.84), "满300减50", weight="bold", max_size=0.07, colour="#a3271b",
            align="right", valign="middle", plate=Plate("#fff3d6", 1, 0.5, 0.45), max_lines=1,
        ),
        TextBox(
            "thin plate", Area(0.52, 0.73, 0.95, 0.84), "第2件半价", weight="bold", max_size=0.07, colour="#ffffff",
            valign="middle", plate=Plate("#5b120c", 0.55, 0.18, 0.45), max_lines=1,
        ),
        TextBox(
            "thin stroke", Area(0.05, 0.86, 0.95, 0.97), "细描边也清楚：0.03 em", max_size=0.06, colour="#5b120c",
            stroke=Stroke("#ffe9c9", 0.03), align="centre", valign="middle", max_lines=1,
        ),
    ]  # fmt: skip
    return sheet.letter(page, boxes)


def characters(sheet: Sheet, size: Size) -> Image.Image:
    """Characters that many fonts lack, each in the first font that has it."""
    page = Image.new("RGB", size, CARD)
    rows = (
        ("生僻字", "㐂𠮷家、喆堃淼犇骉、㙍䶮"),
        ("单位", "25℃±1℃ 12㎡ 5㎏ 8Ω ≤0.5‰ №3"),
        ("符号", "★★★★☆ ①②③ → ✓✔ ☑ ❤ ® ™ ⚡"),
        ("表情", "🔋超长续航 🚚次日达 🎁买一送一"),
        ("外文", "Café Größe Ωμέγα Привет かな 한글"),
    )
    boxes = []
    for row, (name, text) in enumerate(rows):
        top = 0.06 + 0.18 * row
        boxes += [
            TextBox(
                f"kind {name}",
                Area(0.05, top, 0.22, top + 0.16),
                name,
                max_size=0.05,
                colour=FAINT,
                valign="middle",
            ),
            TextBox(
                name,
                Area(0.23, top, 0.96, top + 0.16),
                text,
                max_size=0.064,
                colour=INK,
                valign="middle",
                max_lines=1,
            ),
        ]
    return sheet.letter(page, boxes)


def shrinking(sheet: Sheet, size: Size) -> Image.Image:
    """Longer texts in the same box are set smaller, and balanced."""
    page = Image.new("RGB", size, CARD)
    pen = ImageDraw.Draw(page)
    texts = (
        "便携咖啡杯",
        "真空保温便携咖啡杯",
        "316不锈钢真空保温便携咖啡杯，480ml",
        "316不锈钢真空保温便携咖啡杯，480ml大容量，办公室、通勤、露营都好用",
    )
    boxes = []
    for number, text in enumerate(texts):
        top = 0.045 + 0.235 * number
        area = Area(0.07, top + 0.015, 0.93, top + 0.195)
        left, upper, right, lower = area.within(size)
        pen.rectangle((left - 8, upper - 6, right + 8, lower + 6), outline=LINE, width=1)
        boxes.append(
            TextBox(
                f"shrunk {number}", area, text, weight="bold", max_size=0.15, min_size=0.03, colour="#173c31",
                align="centre", valign="middle", line_spacing=1.25,
            )
        )  # fmt: skip
    return sheet.letter(page, boxes)


def make_sheet() -> Sheet:
    """Everything on one page."""
    third = (WIDTH - 2 * MARGIN - 2 * GAP) // 3
    tall, low, wide = third * 4 // 3, 452, 440
    height = HEAD + tall + wide + low + 3 * CAPTION + MARGIN + 2 * GAP
    sheet = Sheet(Image.new("RGB", (WIDTH, height), PAPER))
    heading = TextBox(
        "heading",
        Area(0.0, 0.0, 0.6, 1),
        "图片上的文字",
        weight="bold",
        max_size=0.36,
        colour=INK,
        valign="bottom",
    )
    note = replace(
        heading, name="note", area=Area(0.4, 0, 1, 1), text="字体：Noto Sans CJK SC 等（OFL）  ·  画面由模拟器绘制，不是生成的图片",
        weight="regular", max_size=0.15, min_size=0.1, colour=FAINT, align="right",
    )  # fmt: skip
    top = sheet.letter(Image.new("RGB", (WIDTH - 2 * MARGIN, HEAD - 56), PAPER), [heading, note])
    sheet.image.paste(top, (MARGIN, 26))
    ImageDraw.Draw(sheet.image).line((MARGIN, HEAD - 16, WIDTH - MARGIN, HEAD - 16), LINE, 2)
    column = [MARGIN + number * (third + GAP) for number in range(3)]
    sheet.show(
        poster(sheet, (third, tall)), (column[0], HEAD), "海报：字号随文案缩放，“限时优惠”写明起止日期"
    )
    sheet.show(
        lifestyle(sheet, (third, tall)), (column[1], HEAD), "场景图：描边、底板、换字体补字，右下角为显式标识"
    )
    upper = (tall - CAPTION - 8) // 2
    sheet.show(
        comparison(sheet, (third, upper)), (column[2], HEAD), "对比图：两张自家图片，中线与标签由程序绘制"
    )
    second = HEAD + upper + CAPTION + 8
    sheet.show(labels(sheet, (third, upper)), (column[2], second), "显式标识：最矮的字母也不低于短边的 5%")
    row = HEAD + tall + CAPTION + GAP
    sheet.show(
        breaking(sheet, (WIDTH - 2 * MARGIN, wide)),
        (MARGIN, row),
        "断行：行首无“，。）》”等标点，行末无“（《¥”；词、数字与单位不拆开；左对齐、居中、右对齐、窄栏",
    )
    row += wide + CAPTION + GAP
    sheet.show(weights(sheet, (third, low)), (column[0], row), "字重、描边、底板")
    sheet.show(characters(sheet, (third, low)), (column[1], row), "生僻字与符号：逐字换用含有该字的字体")
    sheet.show(
        shrinking(sheet, (third, low)), (column[2], row), "同一文本框：放不下就缩小，仍放不下则报错，从不裁切"
    )
    return sheet


def main() -> None:
    """Write the page as fine as it may be."""
    page = make_sheet().image
    target = HERE / "lettering.jpg"
    for quality in range(90, 40, -3):
        page.save(target, "JPEG", quality=quality, optimize=True, subsampling="4:2:0")
        if target.stat().st_size < MOST_BYTES:
            break


if __name__ == "__main__":
    main()
