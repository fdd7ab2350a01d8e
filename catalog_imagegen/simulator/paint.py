"""Paints one placeholder: a plausible composition per role, unmistakably marked."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from catalog_imagegen.simulator.lettering import write_caption, write_mark
from catalog_imagegen.simulator.palette import WHITE, Colour, mix, product_colour, product_shape
from catalog_imagegen.simulator.scenes import Size, glow, gradient, setting, surroundings
from catalog_imagegen.simulator.silhouettes import GROUND, INK, product

SMALLEST = 64  # below this there is no room for a composition or for letters
LARGE = {"tent", "stroller", "chair", "bedding"}
SMALL = {"lipstick", "jar", "earphones", "power_bank"}
# Which part of the product a detail shows, as a share of its height, by words of the item.
PARTS = [
    (r"口盖领头嘴帽提顶环雾", 0.24),
    (r"底轮鞋脚座", 0.8),
    (r"面料布织纹质", 0.55),
]
SURFACES = [
    ("weave", "布织纹网料线领袖包走带绳毛巾毯袋"),
    ("brushed", "金属旋钮杆轴架铰拉扣箍"),
    ("grain", "硅胶质膏木底磨粒馅"),
]


@dataclass(frozen=True)
class Look:
    """What a picture shows."""

    shape: str
    colour: Colour
    item: str
    place: str


def paint(
    text: str,
    *,
    width: int,
    height: int,
    seed: int,
    name: str,
    role: str,
    item: str = "",
    photos: Sequence[Image.Image] = (),
) -> Image.Image:
    """Paint what *text* asks for, as far as its words go; the same inputs, the same pixels.

    *name* tells the silhouette, so that every role of a product shows the same thing; it, *role* and *item* are
    written at the foot. An unknown or empty role looks like the main picture. *photos*, what the picture was made
    after, are shown small and framed along its left edge.
    """
    around = text.replace(name, "") if name else text
    look = Look(
        product_shape(text, name), product_colour(text, seed, name), item, setting(f"{item}。{around}")
    )
    half = max(width // 2, SMALLEST), max(height // 2, SMALLEST)
    compose = _COMPOSITIONS.get(role, _main)
    painted = compose(look, half, random.Random(f"{seed}/{item}"))
    canvas = painted.resize((width, height), Image.Resampling.BILINEAR)
    if min(width, height) >= SMALLEST:
        write_mark(canvas)
        write_caption(canvas, name=name, role=role, item=item)
    _hang_up(canvas, photos)
    return canvas


def _hang_up(canvas: Image.Image, photos: Sequence[Image.Image]) -> None:
    """Show each of *photos* once, in a frame with a line around it, down the left edge."""
    side = max(min(canvas.size) // 5, 6)
    margin = max(side // 16, 1)
    hung: list[Image.Image] = []
    for photo in photos:
        small = ImageOps.contain(photo.convert("RGB"), (side, side))
        if small in hung or margin + len(hung) * (side + 5 * margin) + side > canvas.height:
            continue
        top = margin + len(hung) * (side + 5 * margin)
        framed = ImageOps.expand(ImageOps.expand(small, margin, WHITE), 1, INK)
        canvas.paste(framed, (margin, top))
        hung.append(small)


def _stand(
    canvas: Image.Image, shape: str, colour: Colour, *, centre: int, ground: int, side: int, depth: int = 120
) -> None:
    """Put the product on the ground with a contact shadow and a wider soft one."""
    left, right, foot = GROUND[shape]
    x, y = centre - side // 2, ground - side * foot // 100
    a, b = x + side * left // 100, x + side * right // 100
    wide = (a - side // 12, ground - side // 30, b + side // 7, ground + side // 18)
    close = (a, ground - side // 55, b, ground + side // 50)
    canvas.paste(INK, (0, 0), glow(canvas.size, wide, max(side // 18, 1), depth // 2))
    canvas.paste(INK, (0, 0), glow(canvas.size, close, max(side // 60, 1), depth))
    drawn = product(shape, colour, side)
    canvas.paste(drawn, (x, y), drawn)


def _main(look: Look, size: Size, _: random.Random) -> Image.Image:
    width, height = size
    canvas = Image.new("RGB", size, WHITE)
    side = round(min(width, height) * 0.74)
    ground = height // 2 + side * 38 // 100
    _stand(canvas, look.shape, look.colour, centre=width // 2, ground=ground, side=side)
    return canvas


def _lifestyle(look: Look, size: Size, rng: random.Random) -> Image.Image:
    width, height = size
    canvas, place = surroundings(look.place, size, rng)
    share = 0.72 if look.shape in LARGE else 0.46 if look.shape in SMALL else 0.56
    side, ground = round(min(width, height) * share), round(height * 0.82)
    centre = round(width * place)
    _stand(canvas, look.shape, look.colour, centre=centre, ground=ground, side=side, depth=150)
    return canvas


def _detail(look: Look, size: Size, rng: random.Random) -> Image.Image:
    """A tilted crop of the product so close that its surface is seen, sharp only in the middle."""
    width, height = size
    backs = [(250, 248, 244), (214, 210, 206), (226, 230, 234), (236, 224, 210)]
    back = rng.choice(backs)
    canvas = gradient(size, mix(look.colour, back, 0.8), mix(look.colour, mix(back, INK, 0.2), 0.7))
    side = round(min(width, height) * 1.2)
    drawn = product(look.shape, look.colour, side, oversampled=1)
    zoom, angle = rng.uniform(1.15, 1.75), math.radians(rng.uniform(-38, 38))
    x, y = _spot(look, drawn, rng)
    cos, sin = math.cos(angle) / zoom, math.sin(angle) / zoom
    places = (cos, sin, x - (cos * width + sin * height) / 2, -sin, cos, y + (sin * width - cos * height) / 2)
    close = drawn.transform(size, Image.Transform.AFFINE, places, Image.Resampling.BILINEAR)
    mask = close.getchannel("A")
    surface = ImageChops.multiply(close.convert("RGB"), _texture(_surface(look.item, rng), size))
    light = (
        round(width * rng.uniform(0.0, 0.4)),
        0,
        round(width * rng.uniform(0.5, 0.9)),
        round(height * 0.7),
    )
    surface.paste(WHITE, (0, 0), glow(size, light, max(width // 6, 1), 60))
    canvas.paste(
        mix(look.colour, INK, 0.75),
        (width // 40, height // 24),
        mask.filter(ImageFilter.BoxBlur(width / 24)).point(lambda v: v * 90 // 255),
    )
    canvas.paste(surface, (0, 0), mask)
    focus = (round(width * 0.12), round(height * 0.12), round(width * 0.88), round(height * 0.88))
    blurred = canvas.filter(ImageFilter.BoxBlur(max(width / 90, 1)))
    return Image.composite(canvas, blurred, glow(size, focus, max(width // 8, 1), 255))


def _spot(look: Look, drawn: Image.Image, rng: random.Random) -> tuple[float, float]:
    """Where a detail looks: a place on the product, at the height its words speak of."""
    side = drawn.width
    heights = [share for words, share in PARTS if set(words) & set(look.item)]
    alpha = drawn.getchannel("A")
    top, bottom = (alpha.getbbox() or (0, 0, side, side))[1::2]
    for _ in range(24):
        across = rng.uniform(0.2, 0.8)
        down = (heights[0] + rng.uniform(-0.1, 0.1)) if heights else rng.uniform(0.2, 0.85)
        x, y = round(across * side), round(top + down * (bottom - top))
        if alpha.getpixel((x, y)):
            return x, y
    return side / 2, side / 2


def _surface(item: str, rng: random.Random) -> str:
    kinds = [kind for kind, words in SURFACES if set(words) & set(item)]
    return kinds[0] if kinds else rng.choice(["smooth", "brushed", "grain"])


@lru_cache(maxsize=16)
def _texture(kind: str, size: Size) -> Image.Image:
    """The grain of a surface, to multiply with."""
    width, height = size
    canvas = Image.new("RGB", size, WHITE)
    draw = ImageDraw.Draw(canvas)
    rng = random.Random(kind)
    step = max(min(size) // 80, 3)
    match kind:
        case "weave":
            for x in range(0, width, step):
                draw.line([(x, 0), (x, height)], (226, 226, 226), max(step // 3, 1))
            for y in range(0, height, step):
                draw.line([(0, y), (width, y)], (238, 238, 238), max(step // 3, 1))
            for cell in range((width // step + 1) * (height // step + 1)):
                row, column = divmod(cell, width // step + 1)
                if (row + column) % 2:
                    x, y = column * step, row * step
                    draw.rectangle((x, y, x + step // 2, y + step // 2), (212, 212, 212))
        case "brushed":
            for y in range(height):
                shade = 255 - rng.randrange(26)
                draw.line([(0, y), (width, y)], (shade, shade, shade))
        case "grain":
            for _ in range(width * height // 60):
                x, y, shade = rng.randrange(width), rng.randrange(height), 255 - rng.randrange(44)
                draw.rectangle((x, y, x + 1, y + 1), (shade, shade, shade))
    return canvas.filter(ImageFilter.BoxBlur(0.6))


def _comparison(look: Look, size: Size, _: random.Random) -> Image.Image:
    """The dull other on the left, the product on the right, a plain line between."""
    width, height = size
    half = width // 2
    canvas = gradient(size, mix(look.colour, WHITE, 0.84), mix(look.colour, WHITE, 0.58))
    canvas.paste(gradient((half, height), (226, 227, 229), (196, 198, 202)), (0, 0))
    ground = round(height * 0.76)
    side = round(min(half * 0.92, height * 0.66))
    dull = mix((158, 160, 164), look.colour, 0.12)
    _stand(canvas, look.shape, dull, centre=half // 2, ground=ground, side=side * 84 // 100, depth=80)
    _stand(canvas, look.shape, look.colour, centre=half + half // 2, ground=ground, side=side)
    bar = max(width // 160, 2)
    ImageDraw.Draw(canvas).rectangle((half - bar // 2, 0, half + bar // 2, height), WHITE)
    return canvas


def _without(look: Look, size: Size, _: random.Random) -> Image.Image:
    """The dull other by itself."""
    dull = mix((158, 160, 164), look.colour, 0.12)
    return _half(look.shape, dull, gradient(size, (226, 227, 229), (196, 198, 202)), share=0.8)


def _with(look: Look, size: Size, _: random.Random) -> Image.Image:
    """The product where the dull other stood."""
    canvas = gradient(size, mix(look.colour, WHITE, 0.84), mix(look.colour, WHITE, 0.58))
    return _half(look.shape, look.colour, canvas, share=0.92)


def _half(shape: str, colour: Colour, canvas: Image.Image, *, share: float) -> Image.Image:
    width, height = canvas.size
    _stand(canvas, shape, colour, centre=width // 2, ground=round(height * 0.78), side=round(width * share))
    return canvas


def _poster(look: Look, size: Size, rng: random.Random) -> Image.Image:
    width, height = size
    deep = mix(look.colour, rng.choice([(250, 214, 190), (204, 220, 240), (236, 214, 232)]), 0.72)
    canvas = gradient(size, mix(deep, WHITE, 0.5), mix(deep, INK, 0.1))
    side = round(min(width, height) * 0.6)
    middle, ground = width // 2, round(height * 0.74)
    reach, height_of_disc = side * 62 // 100, ground - side // 2
    circle = (middle - reach, height_of_disc - reach, middle + reach, height_of_disc + reach)
    _disc(canvas, circle, mix(deep, WHITE, 0.66))
    wide, thick, rise = side * 66 // 100, side // 7, side // 9
    edge = mix(deep, INK, 0.12)
    _disc(canvas, (middle - wide, ground + thick - rise, middle + wide, ground + thick + rise), edge)
    ImageDraw.Draw(canvas).rectangle((middle - wide, ground, middle + wide - 1, ground + thick), edge)
    _disc(canvas, (middle - wide, ground - rise, middle + wide, ground + rise), mix(deep, WHITE, 0.6))
    _stand(canvas, look.shape, look.colour, centre=middle, ground=ground + rise // 4, side=side, depth=110)
    return canvas


def _disc(canvas: Image.Image, box: tuple[int, int, int, int], colour: Colour) -> None:
    """Draw an ellipse with smooth edges."""
    left, top, right, bottom = box
    mask = Image.new("L", ((right - left) * 4, (bottom - top) * 4))
    ImageDraw.Draw(mask).ellipse((0, 0, mask.width - 1, mask.height - 1), 255)
    canvas.paste(colour, (left, top), mask.reduce(4))


_COMPOSITIONS: dict[str, Callable[[Look, Size, random.Random], Image.Image]] = {
    "main": _main,
    "lifestyle": _lifestyle,
    "detail": _detail,
    "comparison": _comparison,
    "comparison_without": _without,
    "comparison_with": _with,
    "poster": _poster,
}
