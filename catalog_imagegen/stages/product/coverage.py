"""How much of each pixel the product covers: told at full size, and only along its edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog_imagegen.stages.product.box import WHOLE
from catalog_imagegen.stages.product.flood import SHALLOW, STRONG
from catalog_imagegen.stages.product.grids import LUMA, Flags, Plane, grown, mean, widened, window
from catalog_imagegen.stages.product.outline import FAINT, Outline

Pixels = NDArray[np.uint8]

SMOOTH = 2
"""Cells in each direction over which a soft outline is rounded."""
ECHO = 4 / 255
"""How much a cell differs at most that is but the echo of an edge, which a JPEG leaves beside it: light to both sides."""
ROUND = 0.3
"""How much of the cells around a pixel must be product for it to be so: rather too much of the background than too little."""
PLAIN, PLAIN_MEAN = 8 / 255, 4 / 255
"""Between a pixel that is taken for background and one that is taken for product, by itself and by the mean around it."""
UNSURE = 8 / 255
"""How much darker a shadow may be close to the product than its shade, which is told from farther away."""
CRISP = 3 / 255
"""The least range of a channel in a cell, beside what noise makes, in which an edge can be seen; in a shadow STRONG more."""


def coverage(photo: Image.Image, found: Outline) -> Image.Image:
    """The product's mask in the photo's size: 255 where it is, 0 on background and soft shadow, between along the edge.

    At a sharp edge each pixel tells by itself how much it differs from the background beside it, shadow included; at a
    faint one the mean of nine does, for noise would tell; where none is seen, the outline goes on as a smooth line.
    """
    cells = rows, columns = window(~found.reached, 2)
    step, reached = found.step, found.reached[cells]
    place = (columns.start * step, rows.start * step, columns.stop * step, rows.stop * step)
    framed, behind = _framed(photo, place), (found.surface[:3] * found.shade)[:, *cells]
    in_shadow, bleeding = found.shade[cells] < SHALLOW, found.bleeding[cells]
    near_sharp = grown(~reached & (found.differs[cells] > STRONG), 1)
    mask = np.where(reached, 0, WHOLE).astype(np.uint8).repeat(step, axis=0).repeat(step, axis=1)
    by_cell, crisp = mask.reshape(len(reached), step, -1, step).swapaxes(1, 2), np.zeros_like(reached)
    echo = np.zeros_like(reached)

    def tell(some: Flags) -> None:
        patches = _patches(framed, some, step)
        by_cell[some], crisp[some], echo[some] = _covered(
            patches,
            behind[:, some],
            found.noise,
            is_mean=~near_sharp[some],
            in_shadow=in_shadow[some],
            bleeding=bleeding[some],
        )

    edge = grown(reached, 1) & ~reached
    tell(edge)
    further = grown(echo, 1) & ~(reached | edge)
    tell(further)
    edge, crisp = (edge | further) & ~echo, crisp & ~echo
    soft = grown(edge & ~crisp, 1) & ~grown(crisp, 1) | edge & ~crisp
    by_cell[soft] = _rounded(np.where(edge, np.float32(0.5), ~(reached | echo)), soft, step)
    whole = Image.new("L", photo.size)
    whole.paste(Image.fromarray(mask), place[:2])
    return whole


def _framed(photo: Image.Image, place: tuple[int, int, int, int]) -> Pixels:
    """Part of a photo with one more pixel on each side; beyond the photo its edge goes on."""
    left, top, right, bottom = place
    outer = (max(0, left - 1), max(0, top - 1), min(right + 1, photo.width), min(bottom + 1, photo.height))
    pixels = np.asarray(photo.crop(outer))
    more = ((outer[1] - top + 1, bottom + 1 - outer[3]), (outer[0] - left + 1, right + 1 - outer[2]), (0, 0))
    return np.pad(pixels, more, mode="edge") if any(map(any, more)) else pixels


def _patches(framed: Pixels, some: Flags, step: int) -> Pixels:
    """The pixels of some cells, each cell with one more pixel on each side."""
    reach, (rows, columns) = np.arange(step + 2), np.nonzero(some)
    down, across = rows[:, None] * step + reach, columns[:, None] * step + reach
    patches: Pixels = framed[down[:, :, None], across[:, None, :]]
    return patches


def _covered(
    patches: Pixels, behind: Plane, noise: float, *, is_mean: Flags, in_shadow: Flags, bleeding: Plane
) -> tuple[Pixels, Flags, Flags]:
    """How far the pixels inside of patches differ from the background beside them; whether an edge is seen there, or its echo.

    *is_mean* says of which patches the means of nine tell.
    """
    red, green, blue = np.moveaxis((patches - behind.T[:, None, None, :]) * np.float32(1 / 255), -1, 0)
    luma = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
    ranges = [np.ptp(plane, axis=(1, 2)) for plane in (red, green, blue)]
    is_crisp = np.max(ranges, axis=0) > CRISP + 6 * noise + in_shadow * np.float32(STRONG)
    inner = [plane[:, 1:-1, 1:-1] for plane in (red, green, blue)]
    unsure = in_shadow[:, None, None] * (luma[:, 1:-1, 1:-1] < 0) * np.float32(UNSURE)
    differs = _differing(inner, bleeding[:, None, None]) - max(FAINT, 4 * noise) - unsure
    covered = np.clip(differs * np.float32(WHOLE / PLAIN), 0, WHOLE).astype(np.uint8)
    means = [_mean3(plane[is_mean]) for plane in (red, green, blue)]
    differs = _differing(means, np.float32(0)) - max(FAINT * 2 / 3, 4 * noise / 3) - unsure[is_mean]
    covered[is_mean] = np.clip(differs * np.float32(WHOLE / PLAIN_MEAN), 0, WHOLE).astype(np.uint8)
    is_echo = (
        ~is_mean & (covered.max(axis=(1, 2), initial=0) < WHOLE) & (np.abs(luma.mean(axis=(1, 2))) < ECHO)
    )
    return covered, is_crisp, is_echo


def _differing(channels: list[Plane], bleeding: Plane | np.float32) -> Plane:
    """The difference of light, or that of the channel where it is most, as far as it is more than a JPEG's."""
    red, green, blue = channels
    luma = np.abs(LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue)
    colour = np.maximum(np.maximum(np.abs(red), np.abs(green)), np.abs(blue)) - bleeding
    made: Plane = np.maximum(luma, colour)
    return made


def _rounded(product: Plane, soft: Flags, step: int) -> Pixels:
    """How much of each pixel of some cells lies within the smooth line through the edge's cells: what vanishes goes on so."""
    smooth = widened(mean(product, SMOOTH), 1)
    rows, columns = np.nonzero(soft)
    around = smooth[rows[:, None, None] + np.arange(3)[:, None], columns[:, None, None] + np.arange(3)]
    from_middle = (np.arange(step, dtype=np.float32) + 0.5) / step - 0.5
    weights = np.stack([np.maximum(-from_middle, 0), 1 - np.abs(from_middle), np.maximum(from_middle, 0)])
    inside = np.einsum("nij,iy,jx->nyx", around, weights, weights, optimize=True)
    rounded: Pixels = (np.clip((inside - ROUND) * (2 * step) + 0.5, 0, 1) * WHOLE).astype(np.uint8)
    return rounded


def _mean3(patches: Plane) -> Plane:
    """The mean of each pixel and its eight neighbours, of those that have as many."""
    rows = patches[:, :-2] + patches[:, 1:-1] + patches[:, 2:]
    made: Plane = (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) / 9
    return made
