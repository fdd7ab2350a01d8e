"""The writing on a placeholder: the mark across its centre, the caption at its foot."""

import math
from functools import lru_cache

from noto_cjk_sans_otc import FONT_PATH
from PIL import Image, ImageDraw, ImageFont

from catalog_imagegen.simulator.palette import WHITE
from catalog_imagegen.simulator.silhouettes import INK

MARK = "样张 PREVIEW"
FACE = "Noto Sans CJK SC"  # the collection starts with the Japanese face
ROLES = {
    "main": "主图",
    "main_portrait": "竖版主图",
    "lifestyle": "场景图",
    "detail": "细节图",
    "comparison": "对比图",
    "comparison_without": "对比图·无",
    "comparison_with": "对比图·有",
    "poster": "海报",
}


@lru_cache(maxsize=1)
def _face_index() -> int:
    index = 0
    while ImageFont.truetype(str(FONT_PATH), 10, index=index).getname()[0] != FACE:
        index += 1  # past the last face Pillow raises OSError
    return index


@lru_cache(maxsize=64)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Open the Simplified Chinese face, *size* pixels high."""
    return ImageFont.truetype(str(FONT_PATH), max(size, 1), index=_face_index())


@lru_cache(maxsize=8)
def _mark_masks(width: int, height: int) -> tuple[Image.Image, Image.Image]:
    """Give the band and the letters crossing the centre, as masks."""
    diagonal = math.hypot(width, height)
    angle = math.degrees(math.atan2(height, width)) * 0.72
    reach = round(diagonal * 0.6)
    face = font(round(100 * reach / font(100).getlength(MARK)))
    side = round(diagonal)
    tall = round(face.size * 1.5)
    band, letters = Image.new("L", (side, tall)), Image.new("L", (side, tall))
    ImageDraw.Draw(band).rectangle((0, 0, side, tall), 84)
    draw = ImageDraw.Draw(letters)
    draw.text((side / 2, tall / 2), MARK, 118, face, anchor="mm")
    start, line = (side - reach) // 2, max(side // 700, 1)
    for y in (round(tall * 0.06), round(tall * 0.92)):
        draw.rectangle((start, y, side - start, y + line), 104)
    return _turned(band, angle, width, height), _turned(letters, angle, width, height)


def _turned(strip: Image.Image, angle: float, width: int, height: int) -> Image.Image:
    side = strip.width
    square = Image.new("L", (side, side))
    square.paste(strip, (0, (side - strip.height) // 2))
    turned = square.rotate(angle, Image.Resampling.BICUBIC)
    left, top = (side - width) // 2, (side - height) // 2
    return turned.crop((left, top, left + width, top + height))


def write_mark(canvas: Image.Image) -> None:
    """Write the mark across the centre, where no crop can lose it."""
    band, letters = _mark_masks(*canvas.size)
    canvas.paste(WHITE, (0, 0), band)
    canvas.paste((40, 42, 54), (0, 0), letters)


def write_caption(canvas: Image.Image, *, name: str, role: str, item: str) -> None:
    """Write what the picture stands for along the bottom edge; on the white main picture without a strip."""
    width, height = canvas.size
    tall = max(round(min(width, height) * 0.052), 8)
    top, pad = height - tall, tall // 2
    is_white = role in {"", "main", "main_portrait"}
    if is_white:
        top -= round(tall * 0.6)  # marketplaces look whether the border is white
    else:
        strip = canvas.crop((0, top, width, height))
        canvas.paste(Image.blend(strip, Image.new("RGB", strip.size, INK), 0.8), (0, top))
    ink = (112, 114, 122) if is_white else (246, 246, 244)
    draw = ImageDraw.Draw(canvas)
    size = f"{width}×{height}"
    small = font(round(tall * 0.44))
    draw.text((width - pad, top + tall / 2), size, ink, small, anchor="rm")
    room = width - 3 * pad - small.getlength(size)
    text = " · ".join(part for part in (name, ROLES.get(role, role), item) if part)
    text, face = _fitted(text.replace("\n", " "), room, round(tall * 0.56), round(tall * 0.4))
    draw.text((pad, top + tall / 2), text, ink, face, anchor="lm")


def _fitted(text: str, room: float, size: int, least: int) -> tuple[str, ImageFont.FreeTypeFont]:
    """Shrink *text* to fit, down to *least* pixels; then cut it."""
    text = text[:160]
    size = min(size, max(math.floor(size * room / max(font(size).getlength(text), 1)), least))
    face = font(size)
    if face.getlength(text) <= room:
        return text, face
    while text and face.getlength(f"{text}…") > room:
        text = text[:-1]
    return f"{text}…", face
