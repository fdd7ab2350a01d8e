"""Sets the texts of a layout into their boxes, as large as fits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image

from catalog_imagegen.domain.lettering import Rect, TextBox
from catalog_imagegen.stages.lettering.breaking import break_lines
from catalog_imagegen.stages.lettering.errors import LetteringError
from catalog_imagegen.stages.lettering.fonts import Fonts
from catalog_imagegen.stages.lettering.painting import Laid, contrast, ink_in, letters, plate, rgb
from catalog_imagegen.stages.lettering.spacing import Line, Ruler, prepared

SHIPPED_FONTS = Fonts()
ASCENT, DESCENT = 0.88, 0.12
"""The em box of a Chinese font above and below the baseline: what lines take up, if their letters take no more."""
WHOLE_WORDS = 0.85
"""The share of the largest size that is accepted so that no word is broken."""
_EDGE = 1
"""Pixels that letters keep from the sides of their room, for what rounding does."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came of one box."""

    box: str
    lines: tuple[str, ...]
    size: int
    """Pixels per em."""
    ink: Rect
    """All pixels that letters and their strokes touch."""
    plate: Rect | None
    contrast: float
    """Between the letters and the least different part of what is behind them, 1 to 21; 4.5 reads well (WCAG 2.2 1.4.3)."""


@dataclass(frozen=True, slots=True)
class Lettered:
    """A picture with its texts."""

    image: Image.Image
    drawn: tuple[Drawn, ...]


@dataclass(frozen=True, slots=True)
class _Room:
    """Where a box's text and plate may be, in pixels."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class _Setting:
    """A text broken into lines at a size; heights in ems."""

    size: int
    lines: tuple[Line, ...]
    spacing: float
    margin: float
    """Ems that plate and stroke take on each side."""

    @property
    def ascent(self) -> float:
        return max(ASCENT, -self.lines[0].top)

    @property
    def height(self) -> float:
        descent = max(DESCENT, self.lines[-1].bottom)
        return self.ascent + (len(self.lines) - 1) * self.spacing + descent

    def fits(self, room: _Room) -> bool:
        """Whether it is low enough; the lines were broken to be narrow enough."""
        return (self.height + 2 * self.margin) * self.size <= room.bottom - room.top


def draw(
    image: Image.Image,
    boxes: Iterable[TextBox],
    *,
    fonts: Fonts = SHIPPED_FONTS,
    safe_zone: float = 0.0,
) -> Lettered:
    """Draw the boxes' texts on a copy of an RGB or RGBA picture; a box without a text draws nothing.

    Each text is drawn as large as fits, between its box's sizes; letters keep out of the *safe_zone*, a share of the frame
    at each edge. Raises ``LetteringError`` for a text that does not fit even at its smallest size, and for a character that
    no font has; ``ConfigError`` for what is wrong in the layout itself.
    """
    canvas = image.copy()
    drawn = [
        _drawn(canvas, box, text, fonts, safe_zone) for box in boxes if (text := prepared(box.text).strip())
    ]
    return Lettered(canvas, tuple(drawn))


def _drawn(canvas: Image.Image, box: TextBox, text: str, fonts: Fonts, safe_zone: float) -> Drawn:
    fonts.check(text, box.font, where=box.name)
    room = _room(box, canvas.size, safe_zone)
    setting = _fitted(box, text, room, Ruler(fonts, box.font, box.weight), canvas.height)
    laid = _laid(box, setting, room)
    behind = _draw_plate(canvas, box, setting, laid)
    stroke = box.stroke.width if box.stroke else 0.0
    colour, size = rgb(box.colour), setting.size
    fill = letters(laid, size)
    ink, contrasting = fill.ink, contrast(canvas, fill.ink, colour)
    if box.stroke and stroke > 0:
        around = letters(laid, size, stroke=stroke)
        ink = around.ink
        ink_in(canvas, around, rgb(box.stroke.colour))
        contrasting = max(
            contrasting, contrast(Image.new("RGB", (1, 1), box.stroke.colour), Rect(0, 0, 1, 1), colour)
        )
    ink_in(canvas, fill, colour)
    return Drawn(
        box.name, tuple(line.text for line in setting.lines), size, ink, behind, round(contrasting, 2)
    )


def _room(box: TextBox, frame: tuple[int, int], safe_zone: float) -> _Room:
    left, top, right, bottom = box.area.within(frame, safe_zone)
    return _Room(left + _EDGE, top + _EDGE, right - _EDGE, bottom - _EDGE)


def _fitted(box: TextBox, text: str, room: _Room, ruler: Ruler, height: int) -> _Setting:
    """The largest setting that fits; a little smaller where that leaves all words whole."""
    measure = lru_cache(maxsize=None)(ruler.width)
    margin = (box.plate.padding if box.plate else 0.0) + (box.stroke.width if box.stroke else 0.0)

    def at(size: int, most_lines: int, *, whole_words: bool = False) -> _Setting | None:
        across = (room.right - room.left) / size - 2 * margin
        lines = break_lines(text, across, measure, whole_words=whole_words)
        if lines is None or len(lines) > (most_lines or len(lines)):
            return None
        setting = _Setting(size, tuple(map(ruler.line, lines)), box.line_spacing, margin)
        return setting if setting.fits(room) else None

    least, most = max(1, math.ceil(box.min_size * height)), max(1, math.floor(box.max_size * height))
    largest = _largest(lambda size: at(size, box.max_lines), least, max(least, most))
    if largest is None:
        raise _overflow(box, text, least)
    modest = max(least, math.ceil(largest.size * WHOLE_WORDS))
    count = len(largest.lines)
    return _largest(lambda size: at(size, count, whole_words=True), modest, largest.size) or largest


def _largest(at: Callable[[int], _Setting | None], least: int, most: int) -> _Setting | None:
    """The setting at the largest size that has one: what fits at a size fits at those below."""
    found = at(most)
    if found is not None:
        return found
    found = at(least)
    while found is not None and most - least > 1:
        middle = (least + most) // 2
        setting = at(middle)
        if setting is None:
            most = middle
        else:
            found, least = setting, middle
    return found


def _overflow(box: TextBox, text: str, least: int) -> LetteringError:
    lines_en = f" in {box.max_lines} line(s)" if box.max_lines else ""
    lines_zh = f"（最多 {box.max_lines} 行）" if box.max_lines else ""
    return LetteringError(
        f"{box.name}: {text!r} does not fit its box even at {least} pixels{lines_en}; shorten the text, or enlarge the "
        "box or lower its min_size in the layout",
        zh=f"{box.name}：“{text}”缩到 {least} 像素仍放不下{lines_zh}；请缩短文字，或在版式中加大该文本框、减小 min_size",
        code="text_overflow",
    )


def _laid(box: TextBox, setting: _Setting, room: _Room) -> tuple[Laid, ...]:
    """Align the lines in their room; baselines stand on whole pixels, so that lines look alike."""
    size, inset = setting.size, setting.margin * setting.size
    spare = room.bottom - room.top - 2 * inset - setting.height * size
    top = room.top + inset + spare * {"top": 0.0, "middle": 0.5, "bottom": 1.0}[box.valign]
    laid = []
    for number, line in enumerate(setting.lines):
        beside = room.right - room.left - 2 * inset - line.width * size
        x = room.left + inset + beside * {"left": 0.0, "centre": 0.5, "right": 1.0}[box.align]
        laid.append(Laid(line, x, round(top + (setting.ascent + number * setting.spacing) * size)))
    return tuple(laid)


def _draw_plate(canvas: Image.Image, box: TextBox, setting: _Setting, laid: tuple[Laid, ...]) -> Rect | None:
    if box.plate is None:
        return None
    if box.plate.is_close:
        size, margin = setting.size, setting.margin * setting.size
        top = laid[0].baseline - setting.ascent * size
        sides = (
            min(each.x for each in laid) - margin,
            top - margin,
            max(each.x + each.line.width * size for each in laid) + margin,
            top + setting.height * size + margin,
        )
    else:
        sides = box.area.within(canvas.size)
    left, top, right, bottom = map(round, sides)
    rect = Rect(max(left, 0), max(top, 0), min(right, canvas.width), min(bottom, canvas.height))
    ink_in(canvas, plate(rect, radius=box.plate.radius, opacity=box.plate.opacity), rgb(box.plate.colour))
    return rect
