"""Writes on a generated picture that it is one, where everybody sees it."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.lettering import Rect, Weight
from catalog_imagegen.stages.lettering.errors import LetteringError
from catalog_imagegen.stages.lettering.fonts import Fonts
from catalog_imagegen.stages.lettering.overlay import SHIPPED_FONTS
from catalog_imagegen.stages.lettering.painting import Colour, Laid, contrast, ink_in, letters, plate, seen
from catalog_imagegen.stages.lettering.spacing import Line, Ruler, prepared

Corner = Literal["top_left", "top_right", "bottom_left", "bottom_right"]

LEAST_HEIGHT = 0.05
"""Of the picture's shortest side, and of each letter's ink: GB 45438-2025, read strictly, so that Latin letters count."""
READABLE = 4.5
"""The contrast a text needs: WCAG 2.2, 1.4.3."""
_AI = re.compile(r"(?<![A-Za-z])AI(?![A-Z])|人工智能")
_GENERATED = re.compile(r"生成|合成|generated", re.IGNORECASE)
"""GB 45438-2025 asks for both elements; the English word is for shops elsewhere."""
_FLAT = frozenset("一")
"""Its ink is a tenth of its size, so it says nothing of how large it is."""
_INKED = 128
"""From how much of a pixel ink counts."""
_OUTLINE, _PADDING, _RADIUS = 0.05, 0.28, 0.22
_LIGHT: Colour = (255, 255, 255)
_DARK: Colour = (24, 24, 24)
_OPACITIES = (0.0, 0.6, 0.7, 0.8, 0.9)
"""Of the plate; one that is needed at all may be seen."""


@dataclass(frozen=True, slots=True)
class LabelStyle:
    """What a label says and where it stands."""

    text: str = "AI生成"
    corner: Corner = "bottom_right"
    margin: float = 0.02
    """From the edges, as a share of the shortest side."""
    font: str = ""
    weight: Weight = "medium"


DEFAULT_STYLE = LabelStyle()


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture with its label."""

    image: Image.Image
    box: Rect
    """All that was drawn, with its plate or outline."""
    ink: Rect
    """The letters."""
    letter_height: int
    """Pixels of ink of the lowest letter."""
    contrast: float


def add_label(
    image: Image.Image, style: LabelStyle = DEFAULT_STYLE, *, fonts: Fonts = SHIPPED_FONTS
) -> Labelled:
    """Label a copy of an RGB or RGBA picture at the size in which it is shown: a later resize would shrink the label.

    Raises ``ConfigError`` for a text that does not say both "AI" and "generated", and ``LetteringError`` if the picture
    is too narrow for it.
    """
    text = prepared(style.text)
    _check(text)
    fonts.check(text, style.font, where="visible_label")
    canvas = image.copy()
    line = Ruler(fonts, style.font, style.weight).line(text)
    size, height = _size_for(line, math.ceil(min(image.size) * LEAST_HEIGHT))
    box, laid = _placed(line, size, image.size, style)
    colour, opacity = _readable(canvas, box)
    other = _DARK if colour == _LIGHT else _LIGHT
    if opacity:
        ink_in(canvas, plate(box, radius=_RADIUS, opacity=opacity), other)
    found = contrast(canvas, box, colour)
    fill = letters((laid,), size)
    if not opacity:
        ink_in(canvas, letters((laid,), size, stroke=_OUTLINE), other)
    ink_in(canvas, fill, colour)
    return Labelled(canvas, box, fill.ink, height, round(found, 2))


def _check(text: str) -> None:
    if "\n" in text or not (_AI.search(text) and _GENERATED.search(text)):
        raise ConfigError(
            f"the visible label {text!r} must say in one line that the picture is made by AI; write for example AI生成",
            zh=f"显式标识“{text}”须为一行，且同时含有“AI”或“人工智能”以及“生成”或“合成”；请改为例如“AI生成”",
            code="label_text",
        )


def _size_for(line: Line, least: int) -> tuple[int, int]:
    """The smallest size at which the ink of each letter is *least* pixels high, and how high the lowest then is."""
    counted = [
        Line(placed.glyph.character, (placed,), placed.x + 1, placed.glyph.ink.top, placed.glyph.ink.bottom)
        for placed in {each.glyph.character: each for each in line.placed}.values()
        if unicodedata.category(placed.glyph.character)[0] in "LN" and placed.glyph.character not in _FLAT
    ]
    lowest = min(each.bottom - each.top for each in counted)
    size = math.floor(least / lowest)
    while (height := min(_height(each, size) for each in counted)) < least:
        size += 1
    return size, height


def _height(line: Line, size: int) -> int:
    """Rows with ink; those that are touched but faintly do not count."""
    mask = letters((Laid(line, 0.0, size),), size).image.point(lambda value: 255 if value >= _INKED else 0)
    box = mask.getbbox()
    return box[3] - box[1] if box else 0


def _placed(line: Line, size: int, frame: tuple[int, int], style: LabelStyle) -> tuple[Rect, Laid]:
    """The box in its corner, and the line in it."""
    padding = math.ceil(_PADDING * size)
    width = math.ceil(line.width * size) + 2 * padding
    top, bottom = math.ceil(-line.top * size), math.ceil(line.bottom * size)
    height = top + bottom + 2 * padding
    margin = round(min(frame) * style.margin)
    if width + 2 * margin > frame[0] or height + 2 * margin > frame[1]:
        raise LetteringError(
            f"the visible label {line.text!r} is {width} pixels wide and the picture {frame[0]}; choose a shorter text",
            zh=f"显式标识“{line.text}”宽 {width} 像素，图片宽仅 {frame[0]} 像素；请改用更短的文字",
            code="label_too_wide",
        )
    left = margin if style.corner.endswith("left") else frame[0] - margin - width
    upper = margin if style.corner.startswith("top") else frame[1] - margin - height
    box = Rect(left, upper, left + width, upper + height)
    return box, Laid(line, left + padding, upper + padding + top)


def _readable(image: Image.Image, box: Rect) -> tuple[Colour, float]:
    """Light or dark letters, and how opaque the plate behind them must be to be read."""
    behind = seen(image, box)
    whole = Rect(0, 0, *behind.size)
    best = (0.0, _LIGHT, _OPACITIES[-1])
    for opacity in _OPACITIES:
        for colour, other in ((_LIGHT, _DARK), (_DARK, _LIGHT)):
            covered = Image.blend(behind, Image.new("RGB", behind.size, other), opacity)
            best = max(best, (contrast(covered, whole, colour), colour, opacity))
        if best[0] >= READABLE:
            break
    return best[1], best[2]
