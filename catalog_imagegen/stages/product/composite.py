"""Places a cut-out product in a scene: the scene gets its shadow, the product keeps its pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image, ImageChops

from catalog_imagegen.stages.product.box import Box
from catalog_imagegen.stages.product.cutout import Cutout
from catalog_imagegen.stages.product.lighting import AMBIENT, Light, ShadowStyle, light_of, shadow_of
from catalog_imagegen.stages.product.scaling import scaled

MAX_ENLARGEMENT = 1.25
"""Above this a resize invents pixels: the product stays smaller."""
AS_IT_IS = 0.01
"""A product that would be scaled by less is not scaled at all, and keeps its pixels bit by bit."""
SOFT = ShadowStyle()
EDGE = 4
"""Pixels around the product's box that are scaled with it, in the scene: more than Lanczos looks at."""


@dataclass(frozen=True, slots=True)
class Composite:
    """A product in a scene."""

    image: Image.Image
    """RGB, of the scene's size."""
    mask: Image.Image
    """How much of each pixel the product covers (mode ``L``). Where it covers all, there is nothing else in the pixel."""
    shadow: Image.Image
    """How dark the shadow is at each pixel (mode ``L``); all else of the scene is as it was."""
    box: Box
    """Of the product, in pixels of the scene."""
    scale: float
    """Pixels of the scene per pixel of the photo; 1 means that the product's pixels are the photo's."""


def compose(
    scene: Image.Image,
    cutout: Cutout,
    place: tuple[float, float, float, float],
    *,
    shadow: ShadowStyle | None = SOFT,
    light: Light | None = None,
    max_enlargement: float = MAX_ENLARGEMENT,
) -> Composite:
    """Stand a product in an RGB scene.

    *place* is left, top, right and bottom, as shares of the scene's width and height. The product becomes as large as
    the place allows, stands on its lower edge and in the middle of its width. Its *shadow* falls as the scene's *light*
    does, which is looked at if it is not given.
    """
    scale, box = _standing(scene.size, cutout.box, place, max_enlargement)
    colours, mask = _placed(scene.size, cutout, box, scale)
    darkness = Image.new("L", scene.size)
    under = scene
    if shadow is not None and shadow.strength > 0:
        light = light or light_of(scene)
        darkness = shadow_of(mask, box, light, shadow)
        under = _darkened(scene, darkness, light)
    return Composite(Image.composite(colours, under, mask), mask, darkness, box, scale)


def _standing(
    size: tuple[int, int], product: Box, place: tuple[float, float, float, float], max_enlargement: float
) -> tuple[float, Box]:
    """How much the product is scaled, and its box in the scene."""
    left, top, right, bottom = (share * side for share, side in zip(place, size * 2, strict=True))
    scale = min((right - left) / product.width, (bottom - top) / product.height, max_enlargement)
    if scale <= 0:
        raise ValueError(f"no room at {place}")
    if abs(scale - 1) < AS_IT_IS:
        scale = 1.0
    width, height = max(1, round(product.width * scale)), max(1, round(product.height * scale))
    x, foot = round((left + right - width) / 2), round(bottom)
    return scale, Box(x, foot - height, x + width, foot)


def _placed(size: tuple[int, int], cutout: Cutout, box: Box, scale: float) -> tuple[Image.Image, Image.Image]:
    """Colours and mask of the product, each in the scene's size."""
    image, product = cutout.image, cutout.box
    margin = EDGE if scale <= 1 else round(EDGE * scale)
    across, down = box.width / product.width, box.height / product.height
    wide, tall = margin / across, margin / down
    left, top = product.left - math.ceil(wide), product.top - math.ceil(tall)
    right, bottom = product.right + math.ceil(wide), product.bottom + math.ceil(tall)
    part = image.crop((left, top, right, bottom))  # beyond the photo there is nothing, and so no cover
    region = (
        math.ceil(wide) - wide,
        math.ceil(tall) - tall,
        math.ceil(wide) + product.width + wide,
        math.ceil(tall) + product.height + tall,
    )
    wanted = (box.width + 2 * margin, box.height + 2 * margin)
    colours, mask = Image.new("RGB", size), Image.new("L", size)
    at = (box.left - margin, box.top - margin)
    colours.paste(scaled(part.convert("RGB"), wanted, region), at)
    mask.paste(scaled(part.getchannel("A"), wanted, region), at)
    return colours, mask


def _darkened(scene: Image.Image, darkness: Image.Image, light: Light) -> Image.Image:
    """The scene in the shadow, which has the tone of what light is left there."""
    channels = []
    for channel, tone in zip(scene.split(), light.tone, strict=True):
        taken = 1 - AMBIENT * tone
        left = darkness.point([255 - round(value * taken) for value in range(256)])
        channels.append(ImageChops.multiply(channel, left))
    return Image.merge("RGB", channels)
