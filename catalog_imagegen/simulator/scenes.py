"""The surroundings of a lifestyle picture, painted at half size: soft light hides the low resolution."""

import random
import re
from collections.abc import Callable
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter

from catalog_imagegen.simulator.palette import WHITE, Colour, mix
from catalog_imagegen.simulator.silhouettes import INK

Size = tuple[int, int]
SETTINGS = [
    ("room", r"客厅|沙发|婴儿房|儿童房|阳台"),
    ("outdoors", r"户外|露营|帐篷|营地|山野|徒步|登山|公园|草[坡地]|湖边|郊外|慢跑|林间|雨天"),
    ("train", r"地铁|通勤|车厢|高铁|机场|候机"),
    ("bathroom", r"浴室|梳妆|化妆台|洗手台|护肤"),
    ("bedroom", r"卧室|床头|床边|床上|睡前"),
    ("kitchen", r"厨房|餐桌|早餐|下午茶"),
    ("office", r"办公|书房|书桌|开会|校园"),
]


def setting(words: str) -> str:
    """Choose where a scene plays: the place named first in *words*, or a room."""
    found = [(match.start(), name) for name, pattern in SETTINGS if (match := re.search(pattern, words))]
    return min(found)[1] if found else "room"


def surroundings(place: str, size: Size, rng: random.Random) -> tuple[Image.Image, float]:
    """Paint a place; give also where across it the product stands, as a share of the width."""
    is_left = rng.random() < 0.5  # noqa: PLR2004 -- heads or tails
    brush = _Brush(size, rng, is_left=is_left)
    _PLACES[place](brush)
    brush.canvas.paste((255, 248, 232), (0, 0), _sunbeam(size, is_left=is_left))
    return brush.canvas, 0.56 if is_left else 0.44


def gradient(size: Size, top: Colour, bottom: Colour) -> Image.Image:
    """Fade from one colour at the top to another."""
    column = Image.new("RGB", (1, 2))
    column.putdata([top, bottom])
    return column.resize(size, Image.Resampling.BILINEAR)


@lru_cache(maxsize=32)
def glow(size: Size, box: tuple[int, int, int, int], blur: int, strength: int) -> Image.Image:
    """A soft ellipse of light or shadow, as a mask."""
    small = max(size[0] // 4, 1), max(size[1] // 4, 1)
    mask = Image.new("L", small)
    ImageDraw.Draw(mask).ellipse([value // 4 for value in box], strength)
    return mask.filter(ImageFilter.GaussianBlur(blur / 4)).resize(size, Image.Resampling.BILINEAR)


class _Brush:
    """A canvas whose coordinates are shares of its width and height, mirrored when the light is on the right."""

    def __init__(self, size: Size, rng: random.Random, *, is_left: bool) -> None:
        self.size, self.rng, self.is_left = size, rng, is_left
        self.canvas = Image.new("RGB", size, WHITE)
        self.draw = ImageDraw.Draw(self.canvas)

    def _points(self, values: tuple[float, ...]) -> list[tuple[float, float]]:
        width, height = self.size
        return [
            ((x if self.is_left else 1 - x) * width, y * height)
            for x, y in zip(values[::2], values[1::2], strict=True)
        ]

    def _box(self, values: tuple[float, ...]) -> tuple[float, float, float, float]:
        (a, top), (b, bottom) = self._points(values)
        return min(a, b), top, max(a, b), bottom

    def fade(self, top: float, bottom: float, upper: Colour, lower: Colour) -> None:
        """Fill a band across the canvas."""
        width, height = self.size
        start, end = round(top * height), round(bottom * height)
        self.canvas.paste(gradient((width, max(end - start, 1)), upper, lower), (0, start))

    def box(self, colour: Colour, *values: float, radius: float = 0) -> None:
        """Draw a rectangle, its corners rounded by a share of the width."""
        self.draw.rounded_rectangle(self._box(values), radius * self.size[0], colour)

    def oval(self, colour: Colour, *values: float) -> None:
        """Draw an ellipse."""
        self.draw.ellipse(self._box(values), colour)

    def poly(self, colour: Colour, *values: float) -> None:
        """Draw a polygon."""
        self.draw.polygon(self._points(values), colour)

    def line(self, colour: Colour, width: float, *values: float) -> None:
        """Draw a line, its width a share of the canvas."""
        self.draw.line(self._points(values), colour, max(round(width * self.size[0]), 1), joint="curve")

    def soften(self, amount: float = 1) -> None:
        """Put what was drawn so far out of focus."""
        self.canvas = self.canvas.filter(ImageFilter.BoxBlur(max(min(self.size) / 110, 1) * amount))
        self.draw = ImageDraw.Draw(self.canvas)

    def top(self, colour: Colour, horizon: float = 0.66, *, grained: bool = True) -> None:
        """Lay a table's top, or a floor, in the foreground."""
        self.fade(horizon, 1, mix(colour, WHITE, 0.32), mix(colour, INK, 0.22))
        for _ in range(16 if grained else 0):
            y = self.rng.uniform(horizon, 1)
            shade = mix(colour, INK if self.rng.randrange(2) else WHITE, 0.1)
            self.line(shade, 0.001, 0, y, 1, y + self.rng.uniform(-0.004, 0.004))
        self.line(mix(colour, WHITE, 0.5), 0.005, 0, horizon, 1, horizon)

    def plant(self, x: float, ground: float, tall: float) -> None:
        """Draw a plant in a pot."""
        pot = tall / 5
        for _ in range(9):
            lean, reach = self.rng.uniform(-0.5, 0.5) * tall, self.rng.uniform(0.5, 0.9) * tall
            green = mix((92, 130, 98), (150, 176, 140), self.rng.random())
            foot, tip, belly = ground - pot, ground - pot - reach, ground - pot - reach / 2
            self.poly(
                green,
                x,
                foot,
                x + lean / 2 - tall / 16,
                belly,
                x + lean,
                tip,
                x + lean / 2 + tall / 16,
                belly,
            )
        self.poly((206, 196, 184), x - pot, ground - pot, x + pot, ground - pot, x + pot * 0.75, ground + pot,
                  x - pot * 0.75, ground + pot)  # fmt: skip


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


def _window(brush: _Brush, left: float, right: float, bottom: float) -> None:
    brush.box((250, 250, 246), left, 0.06, right, bottom)
    wide, tall = (right - left - 0.045) / 2, (bottom - 0.105) / 2
    for index, tint in enumerate([(196, 218, 232), (214, 230, 238), (222, 234, 228), (232, 240, 234)]):
        x, y = left + 0.015 + index % 2 * (wide + 0.015), 0.075 + index // 2 * (tall + 0.015)
        brush.box(tint, x, y, x + wide, y + tall)
    brush.box((244, 240, 232), left - 0.03, bottom, right + 0.03, bottom + 0.025)


def _wall(brush: _Brush, *tints: Colour) -> Colour:
    wall = brush.rng.choice(tints)
    brush.fade(0, 1, mix(wall, WHITE, 0.35), mix(wall, (150, 130, 112), 0.28))
    return wall


def _room(brush: _Brush) -> None:
    _wall(brush, (236, 226, 212), (222, 228, 226), (232, 222, 222), (226, 228, 218))
    _window(brush, 0.07, 0.43, 0.56)
    brush.plant(0.86, 0.66, 0.36)
    brush.soften()
    brush.top(brush.rng.choice([(178, 138, 102), (198, 166, 132), (156, 118, 88)]))


def _outdoors(brush: _Brush) -> None:
    rng = brush.rng
    sky = rng.choice([(150, 192, 222), (168, 202, 214), (236, 206, 180)])
    brush.fade(0, 0.6, sky, mix(sky, WHITE, 0.75))
    brush.oval((255, 248, 226), 0.1, 0.08, 0.24, 0.08 + 0.14 * brush.size[0] / brush.size[1])
    for base, tint, rise in (
        (0.5, (150, 172, 186), 0.24),
        (0.56, (116, 146, 140), 0.16),
        (0.6, (88, 124, 96), 0.08),
    ):
        x, ridge = -0.2, [-0.2, 0.7]
        while x < 1.2:  # noqa: PLR2004 -- past the right edge
            ridge += [x, base - rng.uniform(0, 0.03), x + 0.14, base - rise * rng.uniform(0.5, 1)]
            x += rng.uniform(0.24, 0.34)
        brush.poly(tint, *ridge, 1.2, 0.7)
    for x in (rng.uniform(0.02, 0.3), rng.uniform(0.72, 0.98), rng.uniform(0.78, 0.98)):
        tall = rng.uniform(0.12, 0.2)
        brush.poly((66, 100, 78), x - 0.05, 0.63, x, 0.63 - tall, x + 0.05, 0.63)
    brush.soften()
    brush.fade(0.62, 1, (142, 172, 104), (84, 122, 66))
    for _ in range(220):
        x, y = rng.random(), rng.uniform(0.63, 1)
        blade = mix((92, 136, 70), (176, 194, 118), rng.random())
        brush.line(blade, 0.003, x, y, x + rng.uniform(-0.01, 0.01), y - 0.012 - (y - 0.62) * 0.05)


def _train(brush: _Brush) -> None:
    brush.fade(0, 1, (224, 228, 232), (190, 196, 204))
    for left in (-0.1, 0.53):
        brush.box((150, 158, 168), left - 0.015, 0.13, left + 0.585, 0.475, radius=0.05)
        brush.box((120, 148, 172), left, 0.14, left + 0.57, 0.465, radius=0.04)
        for _ in range(7):
            x, y = left + brush.rng.uniform(0.04, 0.3), brush.rng.uniform(0.18, 0.42)
            tint = mix((146, 172, 192), (238, 226, 196), brush.rng.random())
            brush.box(tint, x, y, x + brush.rng.uniform(0.08, 0.22), y + 0.014)
    brush.box((206, 210, 216), 0, 0.03, 1, 0.055)
    for x in (0.12, 0.36, 0.64, 0.88):
        brush.line((120, 126, 134), 0.012, x, 0.05, x, 0.13)
        brush.line((236, 190, 84), 0.016, x, 0.12, x - 0.05, 0.19, x + 0.05, 0.19, x, 0.12)
    brush.line((236, 190, 84), 0.022, 0.5, 0.04, 0.5, 0.7)
    for x in (-0.05, 0.29, 0.63, 0.97):
        brush.box((62, 104, 140), x, 0.52, x + 0.32, 0.72, radius=0.03)
    brush.soften()
    brush.top((96, 124, 148), 0.68, grained=False)


def _bathroom(brush: _Brush) -> None:
    tile = brush.rng.choice([(208, 226, 226), (224, 228, 232), (234, 222, 214)])
    brush.fade(0, 1, mix(tile, WHITE, 0.5), mix(tile, INK, 0.08))
    for step in range(1, 12):
        brush.line(mix(tile, WHITE, 0.8), 0.007, 0, step * 0.075, 1, step * 0.075)
        brush.line(mix(tile, WHITE, 0.8), 0.007, step * 0.1, 0, step * 0.1, 0.7)
    tall = 0.52 * brush.size[0] / brush.size[1]
    brush.oval((200, 164, 112), 0.05, 0.06, 0.57, 0.06 + tall)
    brush.oval((226, 238, 242), 0.07, 0.075, 0.55, 0.045 + tall)
    brush.poly((244, 250, 250), 0.14, 0.04 + tall / 2, 0.36, 0.1, 0.44, 0.12, 0.2, 0.06 + tall * 0.75)
    brush.box((246, 244, 240), 0.8, 0.46, 0.96, 0.69, radius=0.03)
    brush.box((200, 164, 112), 0.86, 0.4, 0.9, 0.47)
    brush.line((200, 164, 112), 0.02, 0.88, 0.4, 0.8, 0.4)
    brush.soften()
    brush.top((222, 218, 212), 0.68, grained=False)


def _bedroom(brush: _Brush) -> None:
    wall = _wall(brush, (226, 218, 208), (206, 214, 220), (222, 210, 206))
    brush.box((252, 238, 204), 0.78, 0.2, 0.96, 0.32, radius=0.02)
    brush.line((150, 128, 104), 0.012, 0.87, 0.32, 0.87, 0.48)
    brush.box((176, 136, 100), 0.76, 0.48, 1.02, 0.7)
    brush.box((164, 128, 98), 0.02, 0.26, 0.7, 0.66, radius=0.05)
    brush.box((240, 236, 228), 0.08, 0.4, 0.36, 0.56, radius=0.06)
    brush.box((232, 228, 222), 0.38, 0.4, 0.66, 0.56, radius=0.06)
    brush.box(mix(wall, WHITE, 0.6), -0.05, 0.52, 0.73, 0.75, radius=0.05)
    brush.soften()
    blanket = brush.rng.choice([(206, 196, 182), (178, 192, 200), (208, 190, 184)])
    brush.top(blanket, 0.66, grained=False)
    for _ in range(6):
        x = brush.rng.random()
        brush.line(mix(blanket, INK, 0.1), 0.006, x, 0.68, x + brush.rng.uniform(-0.2, 0.2), 1)


def _kitchen(brush: _Brush) -> None:
    _wall(brush, (238, 228, 210), (228, 232, 220), (240, 226, 214))
    _window(brush, 0.04, 0.34, 0.44)
    brush.box((178, 136, 98), 0.5, 0.26, 1, 0.28)
    for x, tint in (
        (0.56, (196, 120, 92)),
        (0.68, (232, 224, 208)),
        (0.8, (120, 146, 128)),
        (0.9, (226, 192, 120)),
    ):
        brush.box(tint, x, 0.26 - brush.rng.uniform(0.06, 0.11), x + 0.08, 0.26, radius=0.015)
    brush.line((110, 104, 98), 0.006, 0.74, 0, 0.74, 0.04)
    brush.poly((212, 158, 92), 0.7, 0.04, 0.78, 0.04, 0.85, 0.11, 0.63, 0.11)
    for x, tint in ((0.74, (232, 150, 62)), (0.82, (214, 84, 62)), (0.89, (236, 186, 76))):
        brush.oval(tint, x, 0.56, x + 0.1, 0.63)
    brush.poly((246, 244, 238), 0.7, 0.6, 1.02, 0.6, 0.94, 0.69, 0.78, 0.69)
    brush.soften()
    brush.top(brush.rng.choice([(196, 158, 116), (212, 182, 146)]))
    brush.poly((240, 234, 222), 0.14, 0.72, 0.86, 0.72, 0.98, 0.94, 0.02, 0.94)


def _office(brush: _Brush) -> None:
    brush.fade(0, 1, (226, 232, 238), (206, 212, 218))
    brush.box((188, 210, 226), 0, 0.04, 1, 0.5)
    x = 0.0
    while x < 1:
        wide, high = brush.rng.uniform(0.07, 0.14), brush.rng.uniform(0.16, 0.4)
        brush.box(mix((150, 170, 188), (208, 218, 226), brush.rng.random()), x, high, x + wide, 0.5)
        x += wide
    for x in (0, 0.33, 0.66, 0.985):
        brush.box((246, 247, 248), x, 0.02, x + 0.015, 0.52)
    brush.box((246, 247, 248), 0, 0.5, 1, 0.53)
    brush.box((74, 78, 86), 0.62, 0.36, 1.02, 0.6, radius=0.012)
    brush.box((128, 158, 186), 0.635, 0.37, 1.005, 0.585)
    brush.box((150, 154, 160), 0.79, 0.6, 0.85, 0.67)
    brush.plant(0.1, 0.66, 0.2)
    brush.soften()
    brush.top(brush.rng.choice([(214, 206, 196), (196, 172, 146)]), 0.66)
    brush.poly((248, 247, 244), 0.06, 0.84, 0.3, 0.8, 0.36, 0.9, 0.1, 0.95)


_PLACES: dict[str, Callable[[_Brush], None]] = {
    "room": _room,
    "outdoors": _outdoors,
    "train": _train,
    "bathroom": _bathroom,
    "bedroom": _bedroom,
    "kitchen": _kitchen,
    "office": _office,
}
