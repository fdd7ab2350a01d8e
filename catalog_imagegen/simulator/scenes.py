"""The compositions, one per role, painted at half size: soft light hides the low resolution."""

import random
from collections.abc import Callable
from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from catalog_imagegen.simulator.palette import Colour, mix
from catalog_imagegen.simulator.silhouettes import GROUND, INK, WHITE, product

Size = tuple[int, int]


def scene(role: str, shape: str, colour: Colour, size: Size, seed: int) -> Image.Image:
    """Paint the composition of *role*, an unknown one as the main picture."""
    return _SCENES.get(role, _main)(shape, colour, size, random.Random(seed))


def _gradient(size: Size, top: Colour, bottom: Colour) -> Image.Image:
    column = Image.new("RGB", (1, 2))
    column.putdata([top, bottom])
    return column.resize(size, Image.Resampling.BILINEAR)


@lru_cache(maxsize=32)
def _glow(size: Size, box: tuple[int, int, int, int], blur: int, strength: int) -> Image.Image:
    """A soft ellipse of light or shadow, as a mask."""
    small = max(size[0] // 4, 1), max(size[1] // 4, 1)
    mask = Image.new("L", small)
    ImageDraw.Draw(mask).ellipse([value // 4 for value in box], strength)
    return mask.filter(ImageFilter.GaussianBlur(blur / 4)).resize(size, Image.Resampling.BILINEAR)


def _stand(
    canvas: Image.Image, shape: str, colour: Colour, *, centre: int, ground: int, side: int, depth: int = 120
) -> None:
    """Put the product on the ground with a contact shadow and a wider soft one."""
    left, right, foot = GROUND[shape]
    x, y = centre - side // 2, ground - side * foot // 100
    a, b = x + side * left // 100, x + side * right // 100
    wide = (a - side // 12, ground - side // 30, b + side // 7, ground + side // 18)
    close = (a, ground - side // 55, b, ground + side // 50)
    canvas.paste(INK, (0, 0), _glow(canvas.size, wide, max(side // 18, 1), depth // 2))
    canvas.paste(INK, (0, 0), _glow(canvas.size, close, max(side // 60, 1), depth))
    drawn = product(shape, colour, side)
    canvas.paste(drawn, (x, y), drawn)


def _main(shape: str, colour: Colour, size: Size, _: random.Random) -> Image.Image:
    width, height = size
    canvas = Image.new("RGB", size, WHITE)
    side = round(min(width, height) * 0.74)
    _stand(canvas, shape, colour, centre=width // 2, ground=height // 2 + side * 38 // 100, side=side)
    return canvas


def _lifestyle(shape: str, colour: Colour, size: Size, rng: random.Random) -> Image.Image:
    width, height = size
    wall = rng.choice([(236, 226, 212), (222, 228, 226), (232, 222, 222), (226, 228, 218)])
    horizon = round(height * 0.66)
    canvas = _gradient(size, mix(wall, WHITE, 0.35), mix(wall, (150, 130, 112), 0.28))
    draw = ImageDraw.Draw(canvas)
    is_left = rng.random() < 0.5  # noqa: PLR2004 -- heads or tails
    _window(draw, size, horizon, is_left=is_left)
    _plant(draw, round(width * (0.86 if is_left else 0.14)), horizon, round(min(width, height) * 0.4), rng)
    canvas = canvas.filter(ImageFilter.BoxBlur(max(min(size) / 110, 1)))
    table = rng.choice([(178, 138, 102), (198, 166, 132), (156, 118, 88)])
    top = _gradient((width, height - horizon), mix(table, WHITE, 0.32), mix(table, INK, 0.22))
    grain = ImageDraw.Draw(top)
    for _ in range(16):
        y = rng.randrange(top.height)
        grain.line([(0, y), (width, y + rng.randint(-3, 3))], mix(table, INK, 0.12 if y % 2 else 0.04))
    canvas.paste(top.filter(ImageFilter.BoxBlur(1)), (0, horizon))
    ImageDraw.Draw(canvas).line(
        [(0, horizon), (width, horizon)], mix(table, WHITE, 0.5), max(height // 300, 1)
    )
    canvas.paste((255, 248, 232), (0, 0), _sunbeam(size, is_left=is_left))
    side = round(min(width, height) * 0.56)
    place = round(width * (0.56 if is_left else 0.44))
    _stand(canvas, shape, colour, centre=place, ground=round(height * 0.8), side=side, depth=150)
    return canvas


def _window(draw: ImageDraw.ImageDraw, size: Size, horizon: int, *, is_left: bool) -> None:
    width, height = size
    left = round(width * (0.07 if is_left else 0.57))
    right, top, bottom = left + round(width * 0.36), round(height * 0.06), round(horizon * 0.86)
    draw.rectangle((left, top, right, bottom), (250, 250, 246))
    bar = max(width // 70, 2)
    glass = ((196, 218, 232), (214, 230, 238), (222, 234, 228), (232, 240, 234))
    for index, tint in enumerate(glass):
        column, row = index % 2, index // 2
        wide, tall = (right - left - 3 * bar) // 2, (bottom - top - 3 * bar) // 2
        x, y = left + bar + column * (wide + bar), top + bar + row * (tall + bar)
        draw.rectangle((x, y, x + wide, y + tall), tint)
    draw.rectangle((left - 2 * bar, bottom, right + 2 * bar, bottom + 2 * bar), (244, 240, 232))


def _plant(draw: ImageDraw.ImageDraw, x: int, ground: int, tall: int, rng: random.Random) -> None:
    pot = tall // 5
    for _ in range(9):
        lean, reach = rng.uniform(-0.55, 0.55), rng.uniform(0.5, 0.95)
        tip = x + round(lean * tall), ground - pot - round(reach * tall * 0.85)
        green = mix((92, 130, 98), (150, 176, 140), rng.random())
        belly = (x + tip[0]) // 2, (ground - pot + tip[1]) // 2
        draw.polygon(
            [(x, ground - pot), (belly[0] - tall // 16, belly[1]), tip, (belly[0] + tall // 16, belly[1])],
            green,
        )
    foot = pot * 3 // 4
    corners = [
        (x - pot, ground - pot),
        (x + pot, ground - pot),
        (x + foot, ground + pot),
        (x - foot, ground + pot),
    ]
    draw.polygon(corners, (206, 196, 184))


@lru_cache(maxsize=8)
def _sunbeam(size: Size, *, is_left: bool) -> Image.Image:
    width, height = size[0] // 8, size[1] // 8
    mask = Image.new("L", (width, height))
    points = [(0.1, 0.1), (0.42, 0.08), (1.0, 0.86), (0.52, 1.0)]
    draw = ImageDraw.Draw(mask)
    draw.polygon(
        [((across if is_left else 1 - across) * width, down * height) for across, down in points], 74
    )
    return mask.filter(ImageFilter.GaussianBlur(max(width / 24, 1))).resize(size, Image.Resampling.BILINEAR)


def _detail(_: str, colour: Colour, size: Size, rng: random.Random) -> Image.Image:
    """A crop so close that only a curved surface with its highlight and a seam is seen."""
    width, height = size
    canvas = _gradient(size, mix(colour, (250, 248, 244), 0.82), mix(colour, (206, 202, 198), 0.7))
    reach = max(width, height)
    left, top = round(width * rng.uniform(0.08, 0.2)), round(height * rng.uniform(0.12, 0.24))
    body = (left, top, left + reach * 2, top + reach * 2)
    mask = Image.new("L", (width * 2, height * 2))
    ImageDraw.Draw(mask).ellipse([value * 2 for value in body], 255)
    surface = _gradient(size, mix(colour, WHITE, 0.16), mix(colour, INK, 0.36))
    draw = ImageDraw.Draw(surface)
    for step, tint in ((0.16, mix(colour, INK, 0.4)), (0.168, mix(colour, WHITE, 0.34))):
        inset = round(reach * step)
        draw.ellipse(
            [body[0] + inset, body[1] + inset, body[2] - inset, body[3] - inset],
            outline=tint,
            width=max(reach // 260, 1),
        )
    surface = surface.filter(ImageFilter.GaussianBlur(0.7))
    for depth, wide, light in ((0.055, 0.04, 150), (0.3, 0.13, 58)):
        shine = _arc(size, body, round(reach * depth), max(round(reach * wide), 1), light)
        surface = ImageChops.screen(surface, shine.convert("RGB"))
    canvas.paste(
        INK, (0, 0), mask.reduce(2).filter(ImageFilter.BoxBlur(reach / 40)).point(lambda v: v * 70 // 255)
    )
    canvas.paste(surface, (0, 0), mask.reduce(2))
    return canvas


def _arc(size: Size, body: tuple[int, int, int, int], inset: int, wide: int, light: int) -> Image.Image:
    small = max(size[0] // 4, 1), max(size[1] // 4, 1)
    layer = Image.new("L", small)
    box = [(body[0] + inset) / 4, (body[1] + inset) / 4, (body[2] - inset) / 4, (body[3] - inset) / 4]
    ImageDraw.Draw(layer).arc(box, 196, 262, light, max(wide // 4, 1))
    blurred = layer.filter(ImageFilter.GaussianBlur(max(wide / 9, 1)))
    return blurred.resize(size, Image.Resampling.BILINEAR)


def _comparison(shape: str, colour: Colour, size: Size, rng: random.Random) -> Image.Image:
    """The dull other on the left, the product on the right."""
    del rng
    width, height = size
    half = width // 2
    canvas = _gradient(size, mix(colour, WHITE, 0.88), mix(colour, WHITE, 0.66))
    canvas.paste(_gradient((half, height), (226, 227, 229), (196, 198, 202)), (0, 0))
    ground = round(height * 0.72)
    side = round(min(half * 0.92, height * 0.6))
    dull = mix((158, 160, 164), colour, 0.12)
    small = side * 84 // 100
    _stand(canvas, shape, dull, centre=half // 2, ground=ground, side=small, depth=80)
    _stand(canvas, shape, colour, centre=half + half // 2, ground=ground, side=side)
    draw = ImageDraw.Draw(canvas)
    bar, radius = max(width // 160, 2), max(min(size) // 22, 4)
    draw.rectangle((half - bar // 2, 0, half + bar // 2, height), WHITE)
    middle = round(height * 0.16)
    draw.ellipse((half - radius, middle - radius, half + radius, middle + radius), WHITE)
    arrow = [
        (half - radius // 3, middle - radius // 2),
        (half + radius // 2, middle),
        (half - radius // 3, middle + radius // 2),
    ]
    draw.polygon(arrow, mix(colour, INK, 0.2))
    return canvas


def _poster(shape: str, colour: Colour, size: Size, rng: random.Random) -> Image.Image:
    width, height = size
    deep = mix(colour, rng.choice([(250, 214, 190), (204, 220, 240), (236, 214, 232)]), 0.72)
    canvas = _gradient(size, mix(deep, WHITE, 0.5), mix(deep, INK, 0.1))
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
    _stand(canvas, shape, colour, centre=middle, ground=ground + rise // 4, side=side, depth=110)
    return canvas


def _disc(canvas: Image.Image, box: tuple[int, int, int, int], colour: Colour) -> None:
    """Draw an ellipse with smooth edges."""
    left, top, right, bottom = box
    mask = Image.new("L", ((right - left) * 4, (bottom - top) * 4))
    ImageDraw.Draw(mask).ellipse((0, 0, mask.width - 1, mask.height - 1), 255)
    canvas.paste(colour, (left, top), mask.reduce(4))


_SCENES: dict[str, Callable[[str, Colour, Size, random.Random], Image.Image]] = {
    "main": _main,
    "lifestyle": _lifestyle,
    "detail": _detail,
    "comparison": _comparison,
    "poster": _poster,
}
