"""Reads off a scene how light falls in it, and draws the shadow that a product would throw there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from catalog_imagegen.stages.product.box import Box

Colour = tuple[float, float, float]

LOOK = 64
"""Pixels along the longer side in which a scene's light is looked at."""
MOST_SIDEWAYS = 0.9
"""How far the light may come from one side; a shadow always lies a little before the product too."""
WINDOW = 6
"""The power by which bright spots outweigh dim ones: a window is twice as bright as the wall beside it."""
SIDE = 0.12
"""How far from the middle, which is 0 and an edge 1, the light of a scene lies that has a window at one side."""
HARD_CONTRAST = 0.55
"""The spread of brightness, as a share of its mean, of a sunny scene; an overcast one has 0.15."""
DETAIL = 256
"""Pixels of a product's shorter side in which its shadow is drawn: it is soft."""
FOOT = 0.1
"""The lowest share of a product, which throws the shadow where it touches the ground."""
RISE = 0.3
"""How far back on the ground a shadow reaches in the picture for its length: seen from a little above."""
AMBIENT = 0.18
"""The share of light that a full shadow leaves."""
_BILINEAR = Image.Resampling.BILINEAR


@dataclass(frozen=True, slots=True)
class Light:
    """How light falls in a scene."""

    sideways: float
    """Where it comes from: −1 is the left, 1 the right, 0 both or the front."""
    hardness: float
    """From 0, light from everywhere, to 1, the sun."""
    tone: Colour
    """What light there is in a shadow, for red, green and blue, as a share of the brightest of them."""


@dataclass(frozen=True, slots=True)
class ShadowStyle:
    """How a product's shadow looks."""

    strength: float = 0.6
    """How dark it is where the product stands, from 0 (none) to 1."""
    softness: float = 1.0
    """How wide its edges are, as a multiple of what the scene's light makes of them."""
    reach: float = 0.55
    """How far it falls beside the product, as a share of the product's height."""


def light_of(scene: Image.Image) -> Light:
    """Look at an RGB scene."""
    small = scene.reduce(max(1, max(scene.size) // LOOK))
    colours = np.asarray(small, np.float32)
    luma = np.asarray(small.convert("L"), np.float32)
    upper = luma[: max(1, luma.shape[0] * 2 // 3)]  # the light, not what it falls on
    weights = ((upper / max(1.0, float(upper.max()))) ** WINDOW).sum(axis=0)
    middle = float((weights * np.linspace(-1, 1, len(weights))).sum() / weights.sum())
    sideways = middle / SIDE
    hardness = float(luma.std()) / max(1.0, float(luma.mean())) / HARD_CONTRAST
    ambient = np.maximum(colours[luma <= np.median(luma)].mean(axis=0), 1)
    red, green, blue = (float(channel) for channel in ambient / ambient.max())
    return Light(
        sideways=max(-MOST_SIDEWAYS, min(sideways, MOST_SIDEWAYS)),
        hardness=max(0.0, min(hardness, 1.0)),
        tone=(red, green, blue),
    )


def shadow_of(mask: Image.Image, box: Box, light: Light, style: ShadowStyle) -> Image.Image:
    """How dark the shadow of the product in *mask* is at each pixel (mode ``L``): close under it, and falling from it.

    The product stands on the lower edge of its *box*. Its shadow is its mask, laid down on the ground away from the
    light, paler and softer the farther it falls; and a dark, narrow one where it touches the ground.
    """
    step = max(1, round(min(box.width, box.height) / DETAIL))
    frame = (-(-mask.width // step), -(-mask.height // step))
    place = Box(box.left // step, box.top // step, -(-box.right // step), -(-box.bottom // step))
    product = mask.reduce(step).crop(place)
    side, foot = min(place.width, place.height), _foot(product)
    layers = [
        _Layer(foot, tall=0.045, below=0.02, blur=0.012 * style.softness, depth=1.0),
        _Layer(foot, tall=0.2, below=0.08, blur=(0.07 - 0.03 * light.hardness) * style.softness, depth=0.6),
        _Layer(
            _paling(product),
            tall=style.reach * RISE * place.height / side,
            below=0.0,
            blur=(0.05 - 0.03 * light.hardness) * style.softness,
            depth=0.35 + 0.3 * light.hardness,
            slant=-light.sideways * style.reach * place.height / side,
        ),
    ]
    deep = Image.new("L", frame)
    for layer in layers:  # each takes its share of the light that the others leave
        deep = ImageChops.screen(deep, layer.drawn(frame, place, strength=style.strength))
    return (
        deep
        if step == 1
        else deep.resize((frame[0] * step, frame[1] * step), _BILINEAR).crop((0, 0, *mask.size))
    )


@dataclass(frozen=True, slots=True)
class _Layer:
    """A shape laid down on the ground; lengths are shares of the product's shorter side."""

    shape: Image.Image
    tall: float
    """What is left of its height."""
    below: float
    """How far before the product's foot it begins."""
    blur: float
    depth: float
    slant: float = 0.0
    """How far its top is moved to the right."""

    def drawn(self, frame: tuple[int, int], place: Box, *, strength: float) -> Image.Image:
        side = min(place.width, place.height)
        tall = max(2.0, self.tall * side)
        foot, squeeze, lean = (
            place.bottom + self.below * side,
            self.shape.height / tall,
            self.slant * side / tall,
        )
        across = (1, lean, -place.left - lean * foot)
        down = (0, squeeze, self.shape.height - squeeze * foot)
        laid = self.shape.transform(frame, Image.Transform.AFFINE, (*across, *down), _BILINEAR)
        soft = laid.filter(ImageFilter.GaussianBlur(max(0.5, self.blur * side)))
        return soft.point([round(value * strength * self.depth) for value in range(256)])


def _foot(shape: Image.Image) -> Image.Image:
    """What of a shape is near the ground."""
    return shape.crop((0, shape.height - max(1, round(shape.height * FOOT)), *shape.size))


def _paling(shape: Image.Image) -> Image.Image:
    """A shape that fades towards its top."""
    fade = (
        Image.linear_gradient("L").resize(shape.size).point([70 + value * 185 // 255 for value in range(256)])
    )
    return ImageChops.multiply(shape, fade)
