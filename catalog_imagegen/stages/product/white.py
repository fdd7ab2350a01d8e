"""Puts a photo with a light background on pure white."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog_imagegen.stages.product.box import WHOLE, Box, mask_box
from catalog_imagegen.stages.product.coverage import coverage
from catalog_imagegen.stages.product.grids import Plane, window
from catalog_imagegen.stages.product.holes import Holes
from catalog_imagegen.stages.product.outline import Outline, outline
from catalog_imagegen.stages.product.refusal import Refusal

Shadow = Literal["keep", "remove"]
Exposure = Literal["corrected", "as_taken"]
"""Whether the product gets the light that makes its background white, as if more had been given when it was taken, or
stays as it is, bit by bit."""

WHITE_FROM, SHADOW_FROM = 0.975, 0.93
"""Shares of the background's light from which it is white, and to which a shadow is as dark as it was: a fitted surface
is right by 2.5 levels in a hundred, and a shadow that ends in white is softer than one that ends in a step."""
BORDER, FADE = 0.03, 0.09
"""Shares of the frame's shorter side: platforms look at the outermost 2 % for pure white, so shadows fade out there."""
BRIGHT = 248.0
"""Of 255: what the brightest fiftieth of a product may become, so that its outline stays to be seen on white."""
BAND = 8
"""Rows of cells that are painted at once, so that they stay in the processor's cache."""
_MOST_GAIN = (255 / np.maximum(np.arange(256), 1)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class White:
    """A product on pure white."""

    image: Image.Image
    """RGB, of the photo's size."""
    mask: Image.Image
    """How much of each pixel the product covers (mode ``L``): background and soft shadow have 0."""
    box: Box
    """Of the product without its soft shadow, in pixels."""


def whiten(
    photo: Image.Image,
    *,
    shadow: Shadow = "keep",
    exposure: Exposure = "corrected",
    holes: Holes = "matching",
) -> White | Refusal:
    """Make the background of an RGB photo pure white, if it is light and plain.

    One gain of light for all channels corrects the product, so highlights get no tint. Kept shadows become grey. Pixels
    of the product whose *exposure* stays ``as_taken`` are those of the photo wherever the mask is 255.
    """
    found = outline(photo, holes=holes)
    if isinstance(found, Refusal):
        return found
    mask = coverage(photo, found)
    box = mask_box(mask)
    if box is None:
        return Refusal("empty")
    whiteness = np.ones_like(found.shade) if shadow == "remove" else _whiteness(found)
    return White(_painted(photo, mask, found, whiteness, exposure), mask, box)


def _whiteness(found: Outline) -> Plane:
    """How white each cell becomes where it is not product: 1 for background, less in its shadow."""
    ramp = np.clip((found.shade - SHADOW_FROM) / (WHITE_FROM - SHADOW_FROM), 0, 1)
    height, width = ramp.shape
    side = min(height, width)
    rows, columns = (np.minimum(np.arange(count), np.arange(count)[::-1]) / side for count in (height, width))
    inwards = np.minimum(rows[:, None], columns[None, :])
    at_border = np.clip((FADE - inwards) / (FADE - BORDER), 0, 1)
    whiteness: Plane = np.maximum(ramp, at_border).astype(np.float32)
    return whiteness


def _painted(
    photo: Image.Image, mask: Image.Image, found: Outline, whiteness: Plane, exposure: Exposure
) -> Image.Image:
    """What is not all white of the photo, on white."""
    step = found.step
    rows, columns = cells = window(~found.reached | (whiteness < 1), 1)
    right, bottom = min(columns.stop * step, photo.width), min(rows.stop * step, photo.height)
    place = (columns.start * step, rows.start * step, right, bottom)
    part, cover = photo.crop(place), np.asarray(mask.crop(place))
    channels = [np.asarray(channel) for channel in part.split()]
    gains = (255 / found.surface[3][cells]).repeat(step, axis=1)[:, : part.width]
    whites = whiteness[cells].repeat(step, axis=1)[:, : part.width]
    lift = _lift(channels, cover, found) if exposure == "corrected" else 0
    tints = _tints(found.surface)
    made = np.empty((3, part.height, part.width), np.uint8)
    for top in range(0, part.height, step * BAND):
        band, of_cells = slice(top, top + step * BAND), slice(top // step, top // step + BAND)
        height = len(cover[band])
        _paint(
            made[:, band],
            [channel[band] for channel in channels],
            cover=cover[band],
            gain=gains[of_cells].repeat(step, axis=0)[:height],
            white=whites[of_cells].repeat(step, axis=0)[:height],
            tints=tints,
            lift=lift,
        )
    image = Image.new("RGB", photo.size, (255, 255, 255))
    image.paste(Image.merge("RGB", [Image.fromarray(channel) for channel in made]), place[:2])
    return image


def _paint(
    made: NDArray[np.uint8],
    channels: list[NDArray[np.uint8]],
    *,
    cover: NDArray[np.uint8],
    gain: Plane,
    white: Plane,
    tints: Plane,
    lift: float,
) -> None:
    """Some rows: the product with its light, and around it what the shadow leaves of white."""
    covers = cover * np.float32(1 / 255)
    bare = 1 - covers
    of_shadow = None
    if white.min() < 1:
        of_shadow = 1 - white
        of_shadow *= bare
        of_shadow *= gain
        bare *= white
    bare *= 255
    bare += np.float32(0.5)
    if lift:
        brightest = np.maximum(np.maximum(channels[0], channels[1]), channels[2])
        lifted = gain - 1
        lifted *= np.float32(lift)
        lifted += 1
        covers *= np.minimum(lifted, _MOST_GAIN[brightest], out=lifted)
    level = np.empty_like(covers)
    for target, channel, tint in zip(made, channels, tints, strict=True):
        if of_shadow is None:
            np.multiply(covers, channel, out=level)
        else:
            np.multiply(of_shadow, tint, out=level)
            level += covers
            level *= channel
        level += bare
        np.minimum(level, 255, out=level)
        target[:] = level


def _lift(channels: list[NDArray[np.uint8]], cover: NDArray[np.uint8], found: Outline) -> float:
    """How much of the background's gain the product gets, from 0 to 1: as much as leaves its whites short of pure white.

    A white mug may be brighter than the grey wall behind it, and would vanish in it.
    """
    some = (slice(None, None, 4), slice(None, None, 4))
    covered = cover[some] == WHOLE
    if not covered.any():
        return 1.0
    brightest = np.maximum(np.maximum(channels[0][some], channels[1][some]), channels[2][some])[covered]
    brightest.partition(rank := len(brightest) * 98 // 100)
    is_now, gain = float(brightest[rank]), 255 / float(found.surface[3][~found.reached].mean())
    return 1.0 if is_now * gain <= BRIGHT else max(0.0, (BRIGHT / is_now - 1) / (gain - 1))


def _tints(surface: Plane) -> Plane:
    """By how much more each channel must gain than luma for the background to become grey."""
    red, green, blue, luma = surface.mean(axis=(1, 2))
    tints: Plane = luma / np.stack([red, green, blue])
    return tints
