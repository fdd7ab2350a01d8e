"""Product-like silhouettes with soft shading, drawn on a grid of 100 by 100."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from catalog_imagegen.simulator.palette import Colour, mix

Box = tuple[float, float, float, float]
WHITE: Colour = (255, 255, 255)
INK: Colour = (28, 28, 34)
OVERSAMPLED = 2


class _Pen:
    """Draws on the grid, into the colours and the outline at once."""

    def __init__(self, size: int, colour: Colour) -> None:
        self.scale = size * OVERSAMPLED / 100
        self.colour = colour
        side = size * OVERSAMPLED
        self.flat = Image.new("RGB", (side, side), colour)
        self.mask = Image.new("L", (side, side))
        self._draws = [(ImageDraw.Draw(self.flat), True), (ImageDraw.Draw(self.mask), False)]

    def _each(self, tone: float) -> list[tuple[ImageDraw.ImageDraw, Colour | int]]:
        tint = mix(self.colour, WHITE, tone) if tone >= 0 else mix(self.colour, INK, -tone)
        return [(draw, tint if is_colour else 255) for draw, is_colour in self._draws]

    def rounded(self, box: Box, radius: float, tone: float = 0) -> None:
        for draw, fill in self._each(tone):
            draw.rounded_rectangle([v * self.scale for v in box], radius * self.scale, fill)

    def ellipse(self, box: Box, tone: float = 0) -> None:
        for draw, fill in self._each(tone):
            draw.ellipse([v * self.scale for v in box], fill)

    def ring(self, box: Box, width: float, tone: float = 0) -> None:
        for draw, fill in self._each(tone):
            draw.ellipse([v * self.scale for v in box], outline=fill, width=round(width * self.scale))

    def polygon(self, points: Sequence[tuple[float, float]], tone: float = 0) -> None:
        for draw, fill in self._each(tone):
            draw.polygon([(x * self.scale, y * self.scale) for x, y in points], fill)

    def line(self, points: Sequence[tuple[float, float]], width: float, tone: float = 0) -> None:
        for draw, fill in self._each(tone):
            scaled = [(x * self.scale, y * self.scale) for x, y in points]
            draw.line(scaled, fill, max(round(width * self.scale), 1), joint="curve")


def _cup(pen: _Pen) -> None:
    pen.ring((61, 36, 87, 70), 5.5, -0.06)
    pen.polygon([(23, 26), (71, 26), (67, 78), (27, 78)])
    pen.rounded((27, 66, 67, 88), 11)
    pen.ellipse((23, 20, 71, 33), 0.22)
    pen.ellipse((26, 22, 68, 31.5), -0.28)


def _bottle(pen: _Pen) -> None:
    pen.rounded((43, 12, 57, 36), 3, 0.1)
    pen.rounded((41, 8, 59, 23), 3.5, -0.45)
    pen.ellipse((33, 27, 67, 56))
    pen.rounded((33, 40, 67, 92), 7)
    pen.rounded((33, 54, 67, 76), 0.5, 0.55)
    for y, end in ((60, 59), (65, 61), (70, 53)):
        pen.line([(40, y), (end, y)], 1.1, -0.15)


def _earphones(pen: _Pen) -> None:
    for centre, lean in ((36, -1), (64, 1)):
        pen.rounded((centre - 3.2, 22, centre + 3.2, 47), 3.2, 0.06)
        pen.ellipse((centre - 9 + lean * 2, 10, centre + 9 + lean * 2, 29), 0.1)
        pen.ellipse((centre - 4 + lean * 4, 14, centre + 4 + lean * 4, 24), -0.5)
    pen.rounded((20, 50, 80, 90), 18)
    pen.line([(20.5, 62), (79.5, 62)], 0.9, -0.35)
    pen.ellipse((48.4, 69, 51.6, 72.2), 0.7)


def _shoe(pen: _Pen) -> None:
    pen.polygon(
        [
            (12, 74), (11, 50), (15, 36), (24, 33), (33, 40), (42, 42), (50, 46),
            (62, 57), (78, 61), (88, 66), (91, 74),
        ]
    )  # fmt: skip
    pen.ellipse((64, 58, 91, 80))
    pen.polygon([(12, 60), (22, 56), (30, 74), (12, 74)], -0.14)
    pen.rounded((9, 72, 93, 82), 5, 0.75)
    for x in (41, 47, 53):
        pen.line([(x, 42 + (x - 41) * 0.75), (x - 7, 53 + (x - 41) * 0.7)], 1.8, 0.8)


def _garment(pen: _Pen) -> None:
    pen.polygon(
        [
            (36, 14), (64, 14), (76, 18), (94, 42), (80, 52), (73, 43), (74, 88), (26, 88),
            (27, 43), (20, 52), (6, 42), (24, 18),
        ]
    )  # fmt: skip
    pen.polygon([(27, 43), (29, 34), (33, 88), (26, 88)], -0.12)
    pen.polygon([(73, 43), (71, 34), (67, 88), (74, 88)], -0.12)
    pen.ellipse((36, 6, 64, 24), -0.3)
    pen.ellipse((38, 3, 62, 19), -0.55)
    pen.line([(27, 85), (73, 85)], 0.7, -0.2)


def _lamp(pen: _Pen) -> None:
    pen.rounded((48, 40, 52, 86), 2, -0.3)
    pen.ellipse((30, 82, 70, 92), -0.2)
    pen.polygon([(36, 10), (64, 10), (80, 50), (20, 50)])
    pen.ellipse((20, 45, 80, 55), 0.7)
    pen.ellipse((36, 8, 64, 12), -0.15)


def _tent(pen: _Pen) -> None:
    pen.polygon([(50, 18), (96, 82), (4, 82)])
    pen.polygon([(50, 18), (96, 82), (66, 82)], -0.25)
    pen.polygon([(46, 30), (60, 82), (26, 82)], -0.6)
    pen.polygon([(46, 30), (36, 82), (26, 82)], 0.3)
    pen.line([(50, 18), (50, 12)], 1.4, -0.4)


def _box(pen: _Pen) -> None:
    pen.polygon([(16, 32), (58, 40), (58, 90), (16, 78)])
    pen.polygon([(58, 40), (86, 30), (86, 76), (58, 90)], -0.25)
    pen.polygon([(16, 32), (46, 23), (86, 30), (58, 40)], 0.3)
    pen.polygon([(33, 35.2), (42, 37), (42, 85.4), (33, 82.8)], 0.45)
    pen.polygon([(33, 35.2), (62, 25.8), (70, 27.2), (42, 37)], 0.6)


_DRAWN: dict[str, Callable[[_Pen], None]] = {
    "cup": _cup,
    "bottle": _bottle,
    "earphones": _earphones,
    "shoe": _shoe,
    "garment": _garment,
    "lamp": _lamp,
    "tent": _tent,
    "box": _box,
}
# Where each silhouette meets the ground: left, right and height on the grid.
GROUND = {
    "cup": (28, 66, 87),
    "bottle": (34, 66, 91),
    "earphones": (27, 73, 89),
    "shoe": (12, 90, 81),
    "garment": (28, 72, 88),
    "lamp": (32, 68, 90),
    "tent": (6, 94, 82),
    "box": (22, 80, 87),
}


@lru_cache(maxsize=48)
def product(shape: str, colour: Colour, size: int) -> Image.Image:
    """Draw a product, *size* pixels square, RGBA on nothing."""
    pen = _Pen(size, colour)
    _DRAWN[shape](pen)
    flat, mask = pen.flat.reduce(OVERSAMPLED), pen.mask.reduce(OVERSAMPLED)
    shaded = ImageChops.multiply(flat, _across(size, 255, 168).convert("RGB"))
    shaded = ImageChops.screen(shaded, _shine(size).convert("RGB"))
    inner = mask.filter(ImageFilter.GaussianBlur(size / 40)).point(lambda value: 196 + value * 59 // 255)
    shaded = ImageChops.multiply(shaded, inner.convert("RGB"))
    shaded.putalpha(mask)
    return shaded


@lru_cache(maxsize=16)
def _across(size: int, light: int, dark: int) -> Image.Image:
    """Shade from the lit left to the dark right, with the far edges falling off as on a round body."""
    row = Image.new("L", (9, 1))
    tones = (0.25, 0.1, 0.0, 0.0, 0.1, 0.25, 0.5, 0.8, 1.0)
    row.putdata([round(light + (dark - light) * tone) for tone in tones])
    return row.resize((size, size), Image.Resampling.BICUBIC)


@lru_cache(maxsize=16)
def _shine(size: int) -> Image.Image:
    shine = Image.new("L", (100, 100))
    ImageDraw.Draw(shine).ellipse((30, 24, 40, 78), 84)
    return shine.filter(ImageFilter.GaussianBlur(5)).resize((size, size), Image.Resampling.BICUBIC)
