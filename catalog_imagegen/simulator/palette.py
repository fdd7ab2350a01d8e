"""Reads the product's colour and kind from Chinese prompt words."""

import hashlib
import re

Colour = tuple[int, int, int]

COLOURS: dict[str, Colour] = {
    "黑": (52, 53, 58),
    "白": (240, 240, 238),
    "灰": (150, 154, 160),
    "红": (196, 58, 56),
    "粉": (238, 172, 184),
    "橙": (232, 134, 58),
    "黄": (240, 198, 78),
    "绿": (92, 148, 108),
    "青": (78, 158, 164),
    "蓝": (70, 116, 176),
    "紫": (138, 108, 172),
    "棕": (134, 94, 66),
    "褐": (118, 84, 62),
    "咖": (122, 88, 66),
    "米": (232, 218, 192),
    "金": (206, 172, 104),
    "银": (196, 200, 206),
}
PLEASANT = [COLOURS[word] for word in "红橙黄绿青蓝紫粉棕米"]
_WORDS = "".join(COLOURS)
# "厘米" is a length, "金属" a material, and a background is not the product.
NAMED = re.compile(rf"(?P<shade>[浅淡深墨藏]?)(?P<word>[{_WORDS}])色(?!.{{0,3}}背景)")
BARE = re.compile(rf"(?P<shade>[浅淡深墨藏]?)(?<![厘毫分平纯])(?P<word>[{_WORDS}])(?![属融方.]|.{{0,3}}背景)")

SHAPES: list[tuple[str, str]] = [
    ("earphones", r"耳机"),
    ("cup", r"杯|碗"),
    ("bottle", r"瓶|壶|精华|香水|洗发|乳液"),
    ("shoe", r"鞋|靴"),
    ("garment", r"衣|衫|裤|裙|外套|T恤|毛衣"),
    ("lamp", r"灯"),
    ("tent", r"帐篷|天幕"),
]


def product_colour(text: str, seed: int) -> Colour:
    """Take the first colour *text* names; without one, a pleasant colour that depends on *seed* only."""
    match = NAMED.search(text) or BARE.search(text)
    if not match:
        digest = hashlib.sha256(str(seed).encode()).digest()
        return PLEASANT[digest[0] % len(PLEASANT)]
    colour = COLOURS[match["word"]]
    if match["shade"] in {"浅", "淡"}:
        return mix(colour, (255, 255, 255), 0.4)
    return mix(colour, (24, 24, 30), 0.4) if match["shade"] else colour


def product_shape(text: str) -> str:
    """Choose the silhouette whose words come first in *text*; a box if none do."""
    found = [(match.start(), shape) for shape, words in SHAPES if (match := re.search(words, text))]
    return min(found)[1] if found else "box"


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Blend *share* of *other* into *one*."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
