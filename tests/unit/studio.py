"""Photos of drawn products whose masks are known to the pixel: what a camera adds is added here on purpose."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from catalog_imagegen.simulator.palette import Colour
from catalog_imagegen.simulator.silhouettes import product as silhouette

FINE = 4
"""Shapes are drawn so many times as large, so that their edges are smooth."""
Shape = Literal["ball", "box", "mug", "ring", "wires"]
PAPER: Colour = (240, 240, 240)


@dataclass(frozen=True)
class Studio:
    """What stands where, and in which light."""

    shape: Shape | str = "ball"
    """One of those drawn here, or one of the simulator's silhouettes."""
    colour: Colour = (176, 60, 48)
    paper: Colour = PAPER
    falloff: float = 0.0
    """How much darker the corners are, as a share."""
    slope: float = 0.0
    """How much darker the lower edge is than the upper, as a share."""
    shadow: float = 0.0
    """How dark the soft shadow below the product is, as a share."""
    grain: float = 0.0
    """Standard deviation of the sensor's noise, of 255."""
    quality: int = 0
    """Of a JPEG the photo went through, if any."""
    size: tuple[int, int] = (512, 512)
    place: tuple[float, float, float, float] = (0.28, 0.24, 0.72, 0.76)
    """The product's box, in shares of the frame."""
    shading: float = 0.35
    """How much darker the far side of the product is."""


@dataclass(frozen=True)
class Shot:
    """A photo, the exact mask of the product, and where its soft shadow lies."""

    photo: Image.Image
    mask: Image.Image
    shadow: Image.Image = field(repr=False)

    @property
    def is_product(self) -> NDArray[np.bool_]:
        """The pixels that the product covers wholly."""
        covered: NDArray[np.bool_] = np.asarray(self.mask) == 255
        return covered

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The smallest box that holds at least half covered pixels."""
        box = self.mask.point(lambda value: 255 if value >= 128 else 0).getbbox()
        assert box is not None
        return box


@lru_cache(maxsize=64)
def shoot(studio: Studio) -> Shot:
    """Take the photo."""
    width, height = studio.size
    colours, mask = _product(studio)
    shadow = _shadow(studio, mask)
    light = _light(studio)[..., None] * (1 - studio.shadow * np.asarray(shadow, np.float64)[..., None] / 255)
    paper = np.asarray(studio.paper, np.float64) * light
    cover = np.asarray(mask, np.float64)[..., None] / 255
    seen = paper * (1 - cover) + np.asarray(colours, np.float64) * cover
    rng = np.random.default_rng(7)
    if studio.grain:
        seen = (
            seen
            + rng.normal(0, studio.grain, (height, width, 1))
            + rng.normal(0, studio.grain / 3, seen.shape)
        )
    photo = Image.fromarray(np.clip(np.rint(seen), 0, 255).astype(np.uint8))
    if studio.quality:
        buffer = io.BytesIO()
        photo.save(buffer, "JPEG", quality=studio.quality)
        photo = Image.open(buffer).convert("RGB")
    return Shot(photo, mask, shadow)


def _light(studio: Studio) -> NDArray[np.float64]:
    width, height = studio.size
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    return (1 - studio.falloff * (x * x + y * y) / 2) * (1 - studio.slope * (y + 1) / 2)


def _product(studio: Studio) -> tuple[Image.Image, Image.Image]:
    """Colours and mask of the product at its place."""
    width, height = studio.size
    left, top, right, bottom = (
        round(share * side) for share, side in zip(studio.place, (width, height) * 2, strict=True)
    )
    size = (right - left, bottom - top)
    if studio.shape in _SHAPES:
        small = _drawn(studio.shape, size)
        body = _shaded(studio, size)
    else:
        drawn = silhouette(studio.shape, studio.colour, max(size)).resize(size, Image.Resampling.LANCZOS)
        small, body = drawn.getchannel("A"), drawn.convert("RGB")
    mask, colours = Image.new("L", studio.size), Image.new("RGB", studio.size, studio.colour)
    mask.paste(small, (left, top))
    colours.paste(body, (left, top))
    return colours, mask


def _shaded(studio: Studio, size: tuple[int, int]) -> Image.Image:
    """A body lit from the left, its texture faint."""
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    tone = 1 - studio.shading * x**2 - 0.06 * y + 0.01 * np.sin(x * 40) * np.sin(y * 40)
    return Image.fromarray(np.clip(tone[..., None] * np.asarray(studio.colour), 0, 255).astype(np.uint8))


def _drawn(shape: str, size: tuple[int, int]) -> Image.Image:
    """The outline of a shape that fills its box."""
    big = Image.new("L", (size[0] * FINE, size[1] * FINE))
    _SHAPES[shape](ImageDraw.Draw(big), big.width - 1, big.height - 1)
    return big.reduce(FINE)


def _mug(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    """A body with a handle whose hole shows the background."""
    draw.rounded_rectangle((0, 0, width * 0.72, height), width * 0.08, 255)
    draw.ellipse((width * 0.5, height * 0.2, width, height * 0.75), outline=255, width=round(width * 0.08))


def _wires(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    """A block on three thin legs, two pixels wide each."""
    draw.rectangle((0, 0, width, height * 0.3), 255)
    for share in (0.1, 0.5, 0.9):
        draw.rectangle((width * share, height * 0.3, width * share + 2 * FINE - 1, height), 255)


_SHAPES = {
    "ball": lambda draw, width, height: draw.ellipse((0, 0, width, height), 255),
    "box": lambda draw, width, height: draw.rounded_rectangle((0, 0, width, height), width * 0.06, 255),
    "ring": lambda draw, width, height: draw.ellipse((0, 0, width, height), outline=255, width=width // 8),
    "mug": _mug,
    "wires": _wires,
}


def _shadow(studio: Studio, mask: Image.Image) -> Image.Image:
    """A soft ellipse around the product's foot."""
    left, top, right, bottom = mask.getbbox() or (0, 0, 1, 1)
    wide, tall = right - left, bottom - top
    flat = Image.new("L", studio.size)
    box = (left - wide * 0.08, bottom - tall * 0.1, right + wide * 0.28, bottom + tall * 0.08)
    ImageDraw.Draw(flat).ellipse(box, 255)
    return flat.filter(ImageFilter.GaussianBlur(max(studio.size) / 48))


def iou(one: Image.Image, other: Image.Image) -> float:
    """How much of two masks is common to both, by coverage."""
    both = np.asarray(ImageChops.darker(one, other), np.float64).sum()
    either = np.asarray(ImageChops.lighter(one, other), np.float64).sum()
    return float(both / either)
