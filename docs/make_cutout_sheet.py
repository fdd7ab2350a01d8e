"""Paints docs/cutout.jpg: photos as a shop takes them, what becomes of them on white, and in scenes."""  # noqa: INP001 - a script beside the page it is for

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from catalog_imagegen.simulator.lettering import font
from catalog_imagegen.simulator.scenes import surroundings
from catalog_imagegen.simulator.silhouettes import GROUND, product
from catalog_imagegen.stages.product import Cutout, White, compose, cut_out, plan_reframing, reframe, whiten

HERE = Path(__file__).parent
SIDE = 1000
"""Pixels of a photo, a picture on white and a scene."""
SHOWN, GAP, MARGIN, HEAD, FOOT = 400, 16, 36, 84, 64
PAPER, INK, FAINT = "#f6f4ef", "#26231d", "#857f73"
HEADINGS = (
    ("实拍图", "photo"),
    ("白底图，阴影去除，居中占 85 %", "on pure white, 85 % filled"),
    ("合成场景图，商品取自实拍图", "in a scene, the product from the photo"),
)
CAPTION = "样张：照片与场景均为程序绘制，处理过程为真实算法  ·  Photos and scenes are drawn; what is done to them is real"
MOST_BYTES = 250_000


class Shoot(NamedTuple):
    """A product, and the conditions it is photographed in."""

    shape: str
    colour: tuple[int, int, int]
    paper: tuple[int, int, int]
    falloff: float
    size: float
    at: tuple[float, float]
    scene: str
    seed: int
    place: tuple[float, float, float, float]


SHOOTS = (
    Shoot(
        "cup",
        (204, 112, 84),
        (232, 233, 236),
        0.24,
        0.8,
        (0.47, 0.52),
        "kitchen",
        4,
        (0.26, 0.36, 0.8, 0.86),
    ),
    Shoot(
        "dropper",
        (176, 112, 52),
        (222, 214, 202),
        0.16,
        0.8,
        (0.56, 0.53),
        "bathroom",
        1,
        (0.3, 0.28, 0.86, 0.86),
    ),
    Shoot(
        "tote",
        (152, 100, 58),
        (214, 216, 214),
        0.18,
        0.7,
        (0.47, 0.5),
        "outdoors",
        2,
        (0.22, 0.34, 0.78, 0.88),
    ),
)


def photograph(shoot: Shoot) -> Image.Image:
    """A photo with a vignette, a soft shadow, the noise of a sensor and the marks of a JPEG."""
    side = round(SIDE * shoot.size)
    drawn = product(shoot.shape, shoot.colour, side)
    left, top = (round(SIDE * at - side / 2) for at in shoot.at)
    x, y = np.meshgrid(np.linspace(-1, 1, SIDE), np.linspace(-1, 1, SIDE))
    light = (1 - shoot.falloff * ((x + 0.25) ** 2 + (y + 0.2) ** 2) / 2)[..., None]
    light = light * (1 - 0.4 * np.asarray(_shadow(shoot, side, left, top), np.float64)[..., None] / 255)
    paper = Image.fromarray(np.clip(np.asarray(shoot.paper) * light, 0, 255).astype(np.uint8))
    paper.paste(drawn, (left, top), drawn)
    rng = np.random.default_rng(shoot.seed)
    grainy = (
        np.asarray(paper, np.float64)
        + rng.normal(0, 1.6, (SIDE, SIDE, 1))
        + rng.normal(0, 0.6, (SIDE, SIDE, 3))
    )
    buffer = io.BytesIO()
    Image.fromarray(np.clip(np.rint(grainy), 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=92)
    return Image.open(buffer).convert("RGB")


def _shadow(shoot: Shoot, side: int, left: int, top: int) -> Image.Image:
    from_left, to_right, foot = (share * side / 100 for share in GROUND[shoot.shape])
    mask = Image.new("L", (SIDE, SIDE))
    ground = top + foot
    box = (
        left + from_left - side * 0.03,
        ground - side * 0.06,
        left + to_right + side * 0.16,
        ground + side * 0.045,
    )
    ImageDraw.Draw(mask).ellipse(box, 255)
    return mask.filter(ImageFilter.GaussianBlur(side / 36))


def row(shoot: Shoot) -> tuple[Image.Image, Image.Image, Image.Image]:
    """The photo, the product on white, the product in a scene."""
    photo = photograph(shoot)
    white, cutout = whiten(photo, shadow="remove"), cut_out(photo)
    if not isinstance(white, White) or not isinstance(cutout, Cutout):
        raise TypeError(f"{shoot.shape}: {white}, {cutout}")
    framed = reframe(white.image, plan_reframing(white.box, (SIDE, SIDE), fill=0.85))
    scene, _ = surroundings(shoot.scene, (SIDE, SIDE), random.Random(shoot.seed))
    return photo, framed, compose(scene, cutout, shoot.place).image


def sheet() -> Image.Image:
    """The whole sheet."""
    width = 2 * MARGIN + 3 * SHOWN + 2 * GAP
    page = Image.new("RGB", (width, HEAD + len(SHOOTS) * (SHOWN + GAP) + FOOT), PAPER)
    draw = ImageDraw.Draw(page)
    lefts = [MARGIN + column * (SHOWN + GAP) for column in range(3)]
    for left, (chinese, english) in zip(lefts, HEADINGS, strict=True):
        draw.text((left, 22), chinese, INK, font(22))
        draw.text((left, 50), english, FAINT, font(16))
    for line, shoot in enumerate(SHOOTS):
        for left, picture in zip(lefts, row(shoot), strict=True):
            page.paste(
                picture.resize((SHOWN, SHOWN), Image.Resampling.LANCZOS), (left, HEAD + line * (SHOWN + GAP))
            )
    draw.text((width / 2, page.height - FOOT / 2), CAPTION, INK, font(18), anchor="mm")
    return page


def main() -> None:
    """Write the sheet as large as it may be."""
    page, target = sheet(), HERE / "cutout.jpg"
    for quality in (92, 88, 84, 80, 76, 72):
        page.save(target, "JPEG", quality=quality, optimize=True)
        if target.stat().st_size < MOST_BYTES:
            break


if __name__ == "__main__":
    main()
