"""Product-like silhouettes with soft shading, drawn on a grid of 100 by 100."""

from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from catalog_imagegen.simulator.palette import WHITE, Colour, mix

INK: Colour = (28, 28, 34)
OVERSAMPLED = 2
TONES: dict[str, Colour] = {
    "black": (46, 46, 52),
    "white": (246, 246, 244),
    "metal": (186, 190, 198),
    "wood": (190, 148, 108),
    "glass": (222, 234, 240),
    "dim": (176, 192, 202),
    "glow": (255, 228, 164),
    "nut": (178, 124, 76),
    "cake": (232, 188, 104),
    "skin": (240, 214, 184),
}
# "name left right foot": where it meets the ground. Then strokes, one a line: kind, tone (a share of white, or
# of ink if negative, mixed into the product's colour; or a word of TONES), coordinates.
#   oval l t r b | poly x y … | round l t r b radius | ring l t r b width | arc l t r b from to width
#   line width x y … | pie l t r b from to | grid l t r b columns rows gap
DRAWINGS = """
box 22 80 87
poly 0 16 32 58 40 58 90 16 78 | poly -.25 58 40 86 30 86 76 58 90 | poly .3 16 32 46 23 86 30 58 40
poly .45 33 35.2 42 37 42 85.4 33 82.8 | poly .6 33 35.2 62 25.8 70 27.2 42 37
cup 28 66 87
ring -.06 61 36 87 70 5.5 | poly 0 23 26 71 26 67 78 27 78 | round 0 27 66 67 88 11
oval .22 23 20 71 33 | oval -.28 26 22 68 31.5
tumbler 35 65 91
poly 0 31 24 69 24 65 86 35 86 | round 0 35 78 65 91 4 | poly -.2 32.4 46 67.6 46 66.6 64 33.4 64
round black 29 15 71 27 4 | round black 37 8 57 17 2.5 | line .2 .8 31.5 29 68.5 29
bottle 34 66 91
round .1 43 12 57 36 3 | round -.45 41 8 59 23 3.5 | oval 0 33 27 67 56 | round 0 33 40 67 92 7
round .55 33 54 67 76 .5 | line -.15 1.1 40 60 59 60 | line -.15 1.1 40 65 61 65 | line -.15 1.1 40 70 53 70
dropper 33 67 92
round black 45 3 55 21 5 | round metal 41 18 59 30 2 | oval 0 32 29 68 53 | round 0 32 40 68 93 5
round .7 32 54 68 80 .5 | line -.2 1.1 40 61 60 61 | line -.2 1.1 40 67 56 67
baby_bottle 36 64 92
oval skin 44 3 56 17 | poly skin 45 10 55 10 63 23 37 23 | round 0 33 21 67 35 3 | oval glass 31 33 69 66
oval glass 30 54 70 93 | round glass 34 42 66 84 8 | round white 34 62 66 90 12
line dim .9 57 46 64 46 | line dim .9 54 53 64 53 | line dim .9 57 60 64 60 | line dim .9 54 67 64 67
line dim .9 57 74 64 74 | line -.2 .7 34 28 66 28
jar 24 76 82
round 0 18 44 82 83 9 | round white 16 26 84 47 5 | line dim .8 16.5 42 83.5 42
round .6 37 56 63 72 1 | line -.2 1 42 61 58 61 | line -.2 1 42 66 54 66
honey 32 68 90
poly 0 27 42 36 33 64 33 73 42 73 82 66 90 34 90 27 82 | round wood 33 17 67 33 3 | line -.15 .9 39 34 39 90
line -.15 .9 61 34 61 90 | poly .75 50 50 61 56 61 70 50 76 39 70 39 56 | oval 0 45 58 55 68
canister 28 72 92
round glass 25 24 75 93 7 | oval nut 29 76 44 88 | oval nut 44 78 58 90 | oval nut 57 75 71 88
oval cake 35 68 48 79 | oval nut 51 67 63 78 | oval cake 61 64 72 75 | oval nut 28 63 39 75 | oval nut 41 58 53 69
oval cake 30 53 41 63 | oval nut 54 55 67 66 | oval cake 44 48 56 58 | oval nut 60 45 71 56 | oval nut 30 43 42 53
round 0 23 11 77 27 4 | line -.2 .8 23.5 20 76.5 20 | round .5 36 56 64 78 1.5 | line -.3 1 42 63 58 63
line -.3 1 42 68 54 68
coffee 26 76 90
poly 0 20 18 64 18 64 91 20 91 | poly -.28 64 18 80 14 80 84 64 91 | poly .3 20 18 38 11 80 14 64 18
round .8 27 36 57 72 2 | poly -.2 34 52 48 52 46 65 36 65 | ring -.2 45 54 52 62 1.4 | line -.2 1 38 43 39 49
line -.2 1 43 43 44 49
cakes 10 90 82
poly -.15 17 10 83 10 86 36 14 36 | poly .35 14 36 86 36 94 60 6 60 | grid cake 16 38 84 46 6 1 1.8
grid cake 12 49 88 58 6 1 2 | poly 0 6 60 94 60 92 82 8 82 | round .5 40 65 60 77 1 | line -.2 1 44 71 56 71
pouch 26 74 90
poly 0 24 14 76 14 74 30 80 90 20 90 26 30 | line -.25 1 25 22 75 22 | round .6 34 40 66 72 3
line -.2 1.2 40 50 60 50 | line -.2 1.2 40 57 56 57
lipstick 32 80 92
poly 0 35 48 35 22 48 10 48 48 | round metal 33 42 50 64 1 | round black 30 60 53 92 2
round black 60 50 81 92 2 | round metal 60 84 81 92 1
brushes 34 66 92
line black 2.6 46 66 31 40 | line metal 4.4 32 42 28 34 | poly -.1 25 36 31 33 33 16 26 6 17 13 15 22
poly .35 31 24 33 16 26 6 17 13 16 20 | line black 2.4 54 66 70 40 | line metal 4 69 42 73 34
poly -.1 70 32 76 36 87 16 82 9 | poly .35 79 18 84 21 87 16 82 9 | line black 3 50 66 50 38
line metal 6 50 38 50 29 | poly -.1 47 29 53 29 61 12 59 6 54 2 46 2 41 6 39 12
poly .35 40 15 60 15 61 12 59 6 54 2 46 2 41 6 39 12 | line black 1.8 42 66 39 48 | line metal 2.6 39.4 50 38.4 45
poly -.1 36.8 45 40.2 45 39.6 37 36.4 34 | line black 1.8 58 66 61 50 | line metal 2.6 60.6 51 61.6 46
poly -.1 59.8 46 63.4 46 64.6 37 61 37 | round .45 33 58 67 92 3 | round .65 33 58 67 63 1
earphones 27 73 89
round .06 32.8 22 39.2 47 3.2 | oval .1 25 10 43 29 | oval -.5 28 14 36 24 | round .06 60.8 22 67.2 47 3.2
oval .1 57 10 75 29 | oval -.5 64 14 72 24 | round 0 20 50 80 90 18 | line -.35 .9 20.5 62 79.5 62
oval .7 48.4 69 51.6 72.2
speaker 26 74 90
round 0 24 12 76 90 9 | round -.22 28 20 72 86 6 | grid -.4 31 23 69 83 13 20 1.5 | ring .25 35 44 65 74 2
oval -.5 38 47 62 71 | oval -.2 45 54 55 64 | ring .25 43 25 57 39 1.4 | oval -.5 45 27 55 37 | round metal 44 8 56 13 1.5
power_bank 30 70 91
line -.4 2.8 62 18 62 7 80 7 80 36 | round metal 77 35 83 44 1 | round 0 27 15 73 91 9
poly .65 53 42 41 59 49 59 46 72 59 54 51 54 | oval white 36 22 39 25 | oval white 42 22 45 25 | oval white 48 22 51 25
oval -.3 54 22 57 25 | round -.5 44 87 56 89.6 1.2
keyboard 6 94 76
round -.4 3 38 97 77 4 | round -.12 3 33 97 73 4 | grid .3 6 36 86 62 14 4 1 | grid .45 88 43 94.5 62 1 3 1
oval metal 88 35.5 94 41.5 | grid .45 6 63.5 26 69.5 3 1 1 | round .3 27 63.5 66 69.3 1 | grid .45 67 63.5 94.5 69.5 5 1 1
humidifier 34 66 90
oval dim 47 5 52 10 | oval dim 52 2 58 8 | oval dim 43 1 48 6 | poly .1 50 10 57 22 69 48 31 48 43 22
oval .1 28 36 72 82 | round wood 32 76 68 91 4 | oval glow 46 81 54 85
bedding 10 90 86
round -.06 10 66 90 87 8 | round .12 10 54 90 74 8 | round 0 12 42 88 60 7 | line -.2 .8 14 66 86 66
line -.2 .8 14 52 86 52 | round .45 16 22 54 46 10 | round .35 46 22 84 46 10 | line -.15 .8 22 27 48 27
line -.15 .8 54 27 78 27
shoe 12 90 81
poly 0 12 74 11 50 15 36 24 33 33 40 42 42 50 46 62 57 78 61 88 66 91 74 | oval 0 64 58 91 80
poly -.14 12 60 22 56 30 74 12 74 | round .75 9 72 93 82 5 | line .8 1.8 41 42 34 53 | line .8 1.8 47 46.5 40 57.2
line .8 1.8 53 51 46 61.4
garment 28 72 88
poly 0 36 14 64 14 76 18 94 42 80 52 73 43 74 88 26 88 27 43 20 52 6 42 24 18 | poly -.12 27 43 29 34 33 88 26 88
poly -.12 73 43 71 34 67 88 74 88 | oval -.3 36 6 64 24 | oval -.55 38 3 62 19 | line -.2 .7 27 85 73 85
shirt 30 70 91
poly -.1 26 17 35 26 23 84 9 80 | poly -.1 74 17 65 26 77 84 91 80 | poly .2 10 76 25 80 23 87 8 83
poly .2 90 76 75 80 77 87 92 83 | poly 0 36 13 64 13 75 18 73 91 27 91 25 18 | poly -.5 39 12 61 12 50 27
poly .25 37 10 50 26 41 32 33 15 | poly .25 63 10 50 26 59 32 67 15 | line -.25 .8 50 27 50 91 | round .12 57 40 68 53 1
oval -.45 49 36 51.4 38.4 | oval -.45 49 49 51.4 51.4 | oval -.45 49 62 51.4 64.4 | oval -.45 49 75 51.4 77.4
jacket 28 72 91
poly -.14 26 19 36 30 22 86 7 81 | poly -.14 74 19 64 30 78 86 93 81 | poly -.4 9 77 24 81 22 87 7 82
poly -.4 91 77 76 81 78 87 93 82 | oval -.1 31 1 69 34 | poly 0 34 20 66 20 76 20 75 92 25 92 24 20
oval -.6 38 6 62 30 | poly -.25 25 20 75 20 72 38 28 38 | line -.6 1.8 50 30 50 92 | line -.5 1.4 32 60 41 72
line -.5 1.4 68 60 59 72 | line -.3 1 25 88 75 88
romper 30 70 91
poly -.1 30 18 37 32 18 60 6 52 | poly -.1 70 18 63 32 82 60 94 52 | poly .3 8 47 20 56 17 61 5 53
poly .3 92 47 80 56 83 61 95 53 | poly 0 36 14 64 14 72 19 70 54 78 86 58 91 50 74 42 91 22 86 30 54 28 19
poly .3 23 81 43 86 42 92 21 87 | poly .3 77 81 57 86 58 92 79 87 | oval .3 37 9 63 24 | oval -.4 40 8 60 20
line -.2 .8 50 24 50 74 | oval .7 48.8 31 51.6 33.8 | oval .7 48.8 42 51.6 44.8 | oval .7 48.8 53 51.6 55.8
dress 26 74 89
poly -.1 36 14 42 28 26 38 20 28 | poly -.1 64 14 58 28 74 38 80 28 | poly 0 36 13 64 13 63 44 82 89 18 89 37 44
oval -.45 41 8 59 20 | poly -.25 37 42 63 42 63.5 46 36.5 46 | line -.15 .8 44 46 36 89 | line -.15 .8 56 46 64 89
trousers 28 72 91
poly 0 32 10 68 10 74 91 55 91 50 38 45 91 26 91 | poly -.2 32 10 68 10 68.6 17 31.4 17 | line -.3 .8 50 17 50 38
line -.15 .7 40 24 36 91 | line -.15 .7 60 24 64 91
lamp 32 68 90
round -.3 48 40 52 86 2 | oval -.2 30 82 70 92 | poly 0 36 10 64 10 80 50 20 50 | oval .7 20 45 80 55
oval -.15 36 8 64 12
arm_lamp 26 60 91
oval -.2 24 83 62 93 | oval 0 24 81 62 91 | line -.08 3.4 43 86 28 48 | line 0 3.4 28 48 58 18 | oval metal 24.5 44 32 52
poly 0 50 13 57 10 88 28 84 34 | poly glow 54 19 81.5 34.5 84 34 55 17 | oval metal 55 14 62 21
lantern 30 70 92
arc metal 27 2 73 66 184 356 2 | oval 0 40 13 60 27 | poly 0 40 20 60 20 68 34 32 34 | round glow 34 33 66 70 7
oval white 45 44 55 64 | line -.2 1.4 34 34 34 70 | line -.2 1.4 66 34 66 70 | line -.2 1.2 34 52 66 52
round 0 29 69 71 93 5 | round -.25 29 69 71 75 2 | oval -.4 46 79 54 87
tent 6 94 82
poly 0 50 18 96 82 4 82 | poly -.25 50 18 96 82 66 82 | poly -.6 46 30 60 82 26 82 | poly .3 46 30 36 82 26 82
line -.4 1.4 50 18 50 12
backpack 26 74 92
arc -.45 40 2 60 24 180 360 2.6 | round -.35 17 44 30 86 5 | round -.35 70 44 83 86 5 | round 0 23 9 77 92 16
round .1 31 52 69 87 6 | line -.55 1.2 31 60 69 60 | arc -.5 29 17 71 62 195 345 1.3 | round .55 45 36 55 41 1
round metal 62 60 64 67 1
tote 20 80 89
arc -.35 33 8 67 70 180 360 3 | poly 0 18 38 82 38 86 89 14 89 | line -.25 .9 17 45 83 45 | round .5 43 58 57 66 1
stroller 22 78 91
line metal 2.6 28 82 66 52 | line metal 2.6 74 82 40 54 | line metal 2.6 64 56 84 25 | line black 4 80 25 90 25
pie 0 18 10 74 66 178 318 | pie -.18 18 10 74 66 178 225 | poly .12 20 39 66 39 62 62 34 64 | round -.35 36 68 64 76 3
ring black 19 73 37 91 3.6 | ring black 65 73 83 91 3.6 | oval metal 26.5 80.5 29.5 83.5 | oval metal 72.5 80.5 75.5 83.5
chair 18 82 90
line metal 2.6 17 64 81 90 | line metal 2.6 83 64 19 90 | line metal 2.6 27 12 23 64 | line metal 2.6 73 12 77 64
round 0 25 12 75 52 3 | line -.2 .8 26 18 74 18 | poly -.14 24 50 76 50 85 66 15 66 | line -.3 1 15.6 65 84.4 65
line metal 2.4 13 46 16 64 | line metal 2.4 87 46 84 64 | round wood 8 41 28 47 3 | round wood 72 41 92 47 3
"""


class _Pen:
    """Draws on the grid, into the colours and the outline at once."""

    def __init__(self, side: int, colour: Colour) -> None:
        self.scale = side / 100
        self.colour = colour
        self.flat = Image.new("RGB", (side, side), colour)
        self.mask = Image.new("L", (side, side))
        self._draws = ImageDraw.Draw(self.flat), ImageDraw.Draw(self.mask)

    def stroke(self, kind: str, tone: str, values: list[float]) -> None:
        self._draw(self._draws[0], self._tint(tone), kind, values)
        self._draw(self._draws[1], 255, kind, values)

    def _tint(self, tone: str) -> Colour:
        if tone in TONES:
            return TONES[tone]
        share = float(tone)
        return mix(self.colour, WHITE if share > 0 else INK, abs(share))

    def _draw(self, draw: ImageDraw.ImageDraw, fill: Colour | int, kind: str, values: list[float]) -> None:
        scaled = [value * self.scale for value in values]
        width = max(round(scaled[0 if kind == "line" else -1]), 1)
        match kind:
            case "oval":
                draw.ellipse(scaled, fill)
            case "poly":
                draw.polygon(scaled, fill)
            case "round":
                draw.rounded_rectangle(scaled[:4], scaled[4], fill)
            case "ring":
                draw.ellipse(scaled[:4], outline=fill, width=width)
            case "arc":
                draw.arc(scaled[:4], values[4], values[5], fill, width)
            case "line":
                draw.line(scaled[1:], fill, width, joint="curve")
            case "pie":
                draw.pieslice(scaled[:4], values[4], values[5], fill)
            case "grid":
                left, top, right, bottom = scaled[:4]
                across, down = (right - left) / values[4], (bottom - top) / values[5]
                for cell in range(int(values[4] * values[5])):
                    row, column = divmod(cell, int(values[4]))
                    x, y = left + column * across, top + row * down
                    box = (x, y, x + across - scaled[6], y + down - scaled[6])
                    draw.rounded_rectangle(box, scaled[6] * 0.6, fill)


def _drawings() -> tuple[dict[str, list[str]], dict[str, tuple[int, int, int]]]:
    drawn: dict[str, list[str]] = {}
    ground: dict[str, tuple[int, int, int]] = {}
    kinds = ("oval", "poly", "round", "ring", "arc", "line", "pie", "grid")
    name = ""
    for line in DRAWINGS.strip().splitlines():
        if line.startswith(kinds):
            drawn[name] += line.split(" | ")
        else:
            name, *numbers = line.split()
            left, right, foot = map(int, numbers)
            drawn[name], ground[name] = [], (left, right, foot)
    return drawn, ground


_STROKES, GROUND = _drawings()


@lru_cache(maxsize=24)
def product(shape: str, colour: Colour, size: int, oversampled: int = OVERSAMPLED) -> Image.Image:
    """Draw a product, *size* pixels square, RGBA on nothing."""
    pen = _Pen(size * oversampled, colour)
    for stroke in _STROKES[shape]:
        kind, tone, *numbers = stroke.split()
        pen.stroke(kind, tone, [float(number) for number in numbers])
    flat, mask = pen.flat.reduce(oversampled), pen.mask.reduce(oversampled)
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
