"""Tells the product from a light background, and from the soft shadow it throws there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from catalog_imagegen.stages.product.backdrop import Backdrop, backdrop
from catalog_imagegen.stages.product.flood import (
    ALIKE,
    BLEED,
    STRONG,
    bleeding_of,
    continued,
    differing,
    edges_of,
    flooded,
    is_eaten,
    passable_in,
    without_specks,
)
from catalog_imagegen.stages.product.grids import LUMA, Flags, Plane, grown
from catalog_imagegen.stages.product.holes import Holes, openings
from catalog_imagegen.stages.product.refusal import Refusal

CELLS = 256
"""Cells, about, along the longer side of the grid in which product and background are told apart."""
FAINT = 3 / 255
"""How much a pixel must differ from the background to be product."""
LEAST_PRODUCT, LEAST_BACKGROUND = 0.001, 0.08
"""Shares of the frame."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A photo on a light background, told apart in cells of *step* × *step* pixels."""

    step: int
    surface: Plane
    """The background's light without any shadow, of 255: red, green, blue and luma of each cell."""
    shade: Plane
    """The light of background and soft shadow, as a share of the surface's; gone on a little into the product."""
    differs: Plane
    """How much a cell differs from the background beside it, in the channel where that is most, as a share."""
    bleeding: Plane
    """How much of that is but a colour which a JPEG lets run over an edge."""
    reached: Flags
    """Background and soft shadow."""
    noise: float
    """Standard deviation of a pixel of the background, as a share of 255."""


def outline(photo: Image.Image, *, holes: Holes = "matching") -> Outline | Refusal:
    """Find the product of an RGB photo on a light background."""
    step = max(1, round(max(photo.size) / CELLS))
    small = photo.reduce(step)
    found = backdrop(small)
    return found if isinstance(found, Refusal) else _told(photo, small, found, step, holes)


def _told(
    photo: Image.Image, small: Image.Image, drop: Backdrop, step: int, holes: Holes
) -> Outline | Refusal:
    """Flood the background, and see what it leaves."""
    surface = drop.planes(small.height, small.width)
    light = _planes(small) / surface
    fine, noise = light[3], _noise(photo)
    edges = edges_of(fine)
    passable = passable_in(light, edges, noise)
    reached = flooded(passable, fine, edges)
    if reached is None:
        return Refusal("uneven")
    if reached.all():
        return Refusal("empty")
    reached |= openings(passable, reached, light, surface, holes=holes, alike=ALIKE)
    is_sharp = grown(edges > STRONG / 2, BLEED)
    bleeding = bleeding_of(light, is_sharp)
    faintest = max(FAINT, 4 * noise / step)
    reached, shade = continued(reached, light, faintest=faintest, is_sharp=is_sharp, bleeding=bleeding)
    differs = differing(light, shade, bleeding)
    is_plain = differs >= max(2 * FAINT, 5 * noise / step)
    reached = without_specks(reached, is_plain)
    if reached.mean() < LEAST_BACKGROUND:
        return Refusal("crowded")
    if (is_plain & ~reached).mean() < LEAST_PRODUCT:
        return Refusal("empty")
    if is_eaten(reached, fine):
        return Refusal("faint")
    return Outline(step, surface, shade, differs, bleeding, reached, noise)


def _planes(image: Image.Image) -> Plane:
    """Red, green, blue and luma."""
    red, green, blue = (np.asarray(plane, np.float32) for plane in image.split())
    luma = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue  # in whole levels noise would be told as edges
    return np.stack([red, green, blue, luma])


def _noise(photo: Image.Image) -> float:
    """Standard deviation of a background pixel, from neighbours along the edges of the frame."""
    width, height = photo.size
    strips = (
        (0, 0, width, 8),
        (0, height - 8, width, height),
        (0, 0, 8, height),
        (width - 8, 0, width, height),
    )
    steps = []
    for strip in strips:
        luma = np.asarray(photo.crop(strip).convert("L"), np.int16)
        steps.append(np.abs(luma[:, 2:] - luma[:, :-2]).ravel())
    return (
        float(np.minimum(np.concatenate(steps), 12).mean()) / 1.128 / 255
    )  # the mean difference of two is 1.128 σ
