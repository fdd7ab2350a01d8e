"""Brings letters and plates into a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageColor, ImageDraw

from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.lettering import Rect
from catalog_imagegen.stages.lettering.spacing import Line

Colour = tuple[int, int, int]
_FINE = 160
"""Pixels per em below which letters are drawn larger, then reduced: Pillow sets each on a whole pixel."""
_FINEST = 4
_PLATE_OVERSAMPLED = 4
_WORST = (5, 95)
"""Percentiles of a background that letters must stand out from; single pixels do not matter."""


@dataclass(frozen=True, slots=True)
class Laid:
    """A line and where its left end and baseline are, in pixels of the picture."""

    line: Line
    x: float
    baseline: float


@dataclass(frozen=True, slots=True)
class Mask:
    """How far each pixel of a part of the picture is covered."""

    image: Image.Image
    left: int
    top: int

    @property
    def ink(self) -> Rect:
        """What it covers, in pixels of the picture; empty if it covers nothing."""
        box = self.image.getbbox() or (0, 0, 0, 0)
        return Rect(box[0] + self.left, box[1] + self.top, box[2] + self.left, box[3] + self.top)


def letters(lines: Sequence[Laid], size: float, *, stroke: float = 0.0) -> Mask:
    """The ink of lines set at *size* pixels, with *stroke* ems around each letter."""
    fine = max(1, min(_FINEST, int(_FINE // size)))
    rect = _around(lines, size, stroke)
    canvas = Image.new("L", ((rect.right - rect.left) * fine, (rect.bottom - rect.top) * fine))
    pen = ImageDraw.Draw(canvas)
    for laid in lines:
        for placed in laid.line.placed:
            glyph = placed.glyph
            x = laid.x + placed.x * size - rect.left
            y = laid.baseline - glyph.face.lift * size - rect.top
            pen.text(
                (round(x * fine), round(y * fine)),
                glyph.character,
                255,
                glyph.font(size * fine),
                anchor="ls",
                stroke_width=round((glyph.thickened + stroke) * size * fine),
            )
    return Mask(canvas.reduce(fine) if fine > 1 else canvas, rect.left, rect.top)


def _around(lines: Sequence[Laid], size: float, stroke: float) -> Rect:
    """Pixels that hold all ink of these lines, and some more."""
    spare = stroke * size + 2
    return Rect(
        math.floor(min(laid.x for laid in lines) - spare),
        math.floor(min(laid.baseline + laid.line.top * size for laid in lines) - spare),
        math.ceil(max(laid.x + laid.line.width * size for laid in lines) + spare),
        math.ceil(max(laid.baseline + laid.line.bottom * size for laid in lines) + spare),
    )


def plate(rect: Rect, *, radius: float, opacity: float) -> Mask:
    """A rectangle whose corners are round by a share of its shorter side."""
    width, height = rect.right - rect.left, rect.bottom - rect.top
    many = _PLATE_OVERSAMPLED
    canvas = Image.new("L", (width * many, height * many))
    corner = min(width, height) * many * min(radius, 0.5)
    ImageDraw.Draw(canvas).rounded_rectangle(
        (0, 0, canvas.width - 1, canvas.height - 1), corner, round(255 * opacity)
    )
    return Mask(canvas.reduce(many), rect.left, rect.top)


def ink_in(image: Image.Image, mask: Mask, colour: Colour) -> None:
    """Colour a picture where a mask covers it."""
    image.paste(colour, (mask.left, mask.top), mask.image)


def rgb(colour: str) -> Colour:
    """A colour as Pillow writes them: ``#rrggbb`` or an English name."""
    try:
        return ImageColor.getrgb(colour)[:3]
    except ValueError as error:
        raise ConfigError(
            f"{colour!r} is no colour; write it as #RRGGBB",
            zh=f"“{colour}”不是颜色；请写成 #RRGGBB",
            code="colour_wrong",
        ) from error


def seen(image: Image.Image, rect: Rect) -> Image.Image:
    """A part of a picture as it is seen on white, where it is transparent."""
    part = image.crop(rect)
    if part.mode != "RGBA":
        return part.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", part.size, "#ffffff"), part).convert("RGB")


def contrast(image: Image.Image, rect: Rect, colour: Colour) -> float:
    """How a colour stands out from the part of a picture that is most like it: WCAG 2.2's ratio, from 1 to 21."""
    part = np.asarray(seen(image, rect), dtype=np.float32) / 255
    darkest, lightest = np.percentile(_luminance(part), _WORST)
    own = float(_luminance(np.asarray(colour, dtype=np.float32) / 255))
    if darkest <= own <= lightest:
        return 1.0
    nearest = float(min((darkest, lightest), key=lambda value: abs(value - own)))
    return (max(own, nearest) + 0.05) / (min(own, nearest) + 0.05)


def _luminance(values: np.ndarray) -> np.ndarray:
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004 - sRGB
    luminance: np.ndarray = linear @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
    return luminance
