"""Paints docs/contact-sheet.jpg from the placeholders that ``make demo`` leaves."""  # noqa: INP001 - a script beside the page it is for

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from catalog_imagegen.simulator.lettering import font

HERE = Path(__file__).parent
OUTPUT = HERE.parent / "demo" / "output-simulated"
PRODUCTS = {
    "LS-E100": "LS-E100-BK",
    "BY-C350": "BY-C350-GN",
    "SY-BP15": "SY-BP15",
    "HS-DC10": "HS-DC10",
    "YJ-T2": "YJ-T2-GN",
    "XY-B240": "XY-B240",
}
"""Family → the variant that is shown."""
COLUMNS = {
    "main": ("main", "1 : 1", 1.0),
    "main_portrait": ("portrait", "3 : 4", 0.75),
    "lifestyle": ("lifestyle", "3 : 4", 0.75),
    "detail": ("detail", "1 : 1", 1.0),
    "comparison": ("comparison", "3 : 2", 1.5),
}
"""Role → what it is called, its shape in words and as width to height."""
HEIGHT, GAP, MARGIN, LABEL, HEAD, FOOT = 236, 12, 36, 190, 92, 74
PAPER, INK, FAINT, LINE = "#f6f4ef", "#26231d", "#857f73", "#d9d4c8"
CAPTION = (
    "样张：由模拟器绘制，不是生成的图片  ·  Placeholders painted by the simulator, not generated pictures"
)
MOST_BYTES = 400_000


def listing(family: str) -> list[dict[str, Any]]:
    """The files of a family's listing."""
    manifest = OUTPUT / "taobao_tmall" / family / "listing.json"
    if not manifest.is_file():
        sys.exit(f"{manifest} is not there; run make demo first")
    files: list[dict[str, Any]] = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    return files


def picture(family: str, sku: str, role: str) -> Image.Image | None:
    """The first file of a role that shows this variant, if there is one."""
    width = round(HEIGHT * COLUMNS[role][2])
    for file in listing(family):
        if file["role"] == role and file["picture"].startswith(f"sku:{sku}/") and file["placeholder"]:
            with Image.open(OUTPUT / "taobao_tmall" / family / file["name"]) as opened:
                shape = opened.width / opened.height
                if abs(shape / COLUMNS[role][2] - 1) < 0.02:  # noqa: PLR2004 - a rounded shape
                    return opened.convert("RGB").resize((width, HEIGHT), Image.Resampling.LANCZOS)
    return None


def sheet(names: dict[str, tuple[str, str]]) -> Image.Image:
    """The whole sheet; *names* are name and category by SKU."""
    widths = [round(HEIGHT * shape) for *_, shape in COLUMNS.values()]
    size = (
        2 * MARGIN + LABEL + sum(widths) + GAP * (len(widths) - 1),
        HEAD + len(PRODUCTS) * (HEIGHT + GAP) + FOOT,
    )
    page = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(page)
    draw.line((MARGIN, HEAD - 14, size[0] - MARGIN, HEAD - 14), LINE, 2)
    lefts = [MARGIN + LABEL + sum(widths[:i]) + GAP * i for i in range(len(widths))]
    for left, (name, shape, _) in zip(lefts, COLUMNS.values(), strict=True):
        draw.text((left, 30), name, INK, font(22))
        draw.text((left + draw.textlength(name, font(22)) + 12, 36), shape, FAINT, font(16))
    for row, (family, sku) in enumerate(PRODUCTS.items()):
        top = HEAD + row * (HEIGHT + GAP)
        name, category = names[sku]
        draw.text((MARGIN, top + 4), category, FAINT, font(17))
        for line, text in enumerate([name[:8], name[8:16]]):
            draw.text((MARGIN, top + 32 + 28 * line), text, INK, font(21))
        draw.text((MARGIN, top + HEIGHT - 28), sku, FAINT, font(17))
        for left, width, role in zip(lefts, widths, COLUMNS, strict=True):
            found = picture(family, sku, role)
            if found is None:
                draw.rectangle((left, top, left + width - 1, top + HEIGHT - 1), outline=LINE, width=2)
            else:
                page.paste(found, (left, top))
    draw.text((size[0] / 2, size[1] - FOOT / 2), CAPTION, INK, font(21), anchor="mm")
    return page


def main() -> None:
    """Write the sheet as large as it may be."""
    from catalog_imagegen.bootstrap import Way, read_source  # noqa: PLC0415 - slow to import
    from catalog_imagegen.config import Workspace  # noqa: PLC0415 - the same

    reading = read_source(
        str(HERE.parent / "sample_catalog" / "products.xlsx"), Way(), Workspace(HERE.parent)
    )
    page = sheet({p.sku: (p.name, p.category) for p in reading.products})
    target = HERE / "contact-sheet.jpg"
    for quality in (90, 86, 82, 78, 74, 70):
        page.save(target, "JPEG", quality=quality, optimize=True, subsampling="4:4:4")
        if target.stat().st_size < MOST_BYTES:
            break


if __name__ == "__main__":
    main()
