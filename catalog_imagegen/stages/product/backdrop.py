"""The light that falls on a plain background: how bright each spot would be if no product stood before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog_imagegen.stages.product.grids import LUMA, Flags, Plane
from catalog_imagegen.stages.product.refusal import Refusal

CELLS = 64
"""Cells along the longer side of the reduction that the surface is fitted to."""
RING = 3
"""Cells from the edge of the frame that are asked first: a product seldom comes so near."""
DARKEST = 140.0
"""Of 255: below this a cell is not light. A grey card in the shade of a room has 150 to 170, white paper there 200."""
MOST_COLOUR = 0.14
"""How much less of one channel than of another a light background has: cream paper 0.1, a pastel poster 0.2 and more."""
MOST_CHANGE = 0.05
"""How much a channel's share of the light may change across the frame: two lamps 0.03, the gradient of a poster 0.08."""
MOST_FALL = 0.6
"""The darkest corner as a share of the brightest spot: strong vignettes keep 0.7."""
LIKE = 0.02
"""A cell that differs by less from the surface belongs to the background; a near-white mug differs by 0.03 and more."""
LEAST_RING = 0.6
"""The share of the ring that must belong to the background; a product cut off at one side leaves 0.75."""
_TRIMS = (0.2, 0.1, 0.06, 0.04, LIKE, LIKE)


@dataclass(frozen=True, slots=True)
class Backdrop:
    """A quadratic surface for each channel, over coordinates from −1 to 1."""

    terms: NDArray[np.float64]
    """Six coefficients, for red, green, blue and luma."""

    def planes(self, height: int, width: int) -> Plane:
        """The surface at the middle of each cell of a grid: four planes, of 255."""
        across = _middles(width).astype(np.float32)
        down = _middles(height).astype(np.float32)[None, :, None]
        one, x, y, xx, xy, yy = self.terms.astype(np.float32)[:, :, None, None]
        made: Plane = xx * across + (x + xy * down)
        made *= across
        made += one + (y + yy * down) * down
        np.maximum(made, np.float32(DARKEST / 2), out=made)
        np.minimum(made, np.float32(255), out=made)
        return made


def backdrop(image: Image.Image) -> Backdrop | Refusal:
    """Fit the background of an RGB photo, if it has a light and even one."""
    if min(image.size) < CELLS:
        return Refusal("small")
    cells = _cells(image)
    ring = np.ones(cells.shape[1:], np.bool_)
    ring[RING:-RING, RING:-RING] = False
    light = ring & (cells[3] >= DARKEST)
    if light.sum() < LEAST_RING * ring.sum():
        outermost = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
        return Refusal("crowded" if outermost.mean() >= LEAST_RING else "dark")
    terms = _fitted(cells, light)
    surface = Backdrop(terms).planes(len(ring), ring.size // len(ring))
    return _judged(Backdrop(terms), surface, is_like=_is_like(cells, surface, LIKE * 1.5), ring=ring)


def _judged(found: Backdrop, surface: Plane, *, is_like: Flags, ring: Flags) -> Backdrop | Refusal:
    """What was fitted, unless it is no plain light background."""
    if (is_like & ring).sum() < LEAST_RING * ring.sum():
        return Refusal("uneven")
    luma, colours = surface[3], surface[:3].mean(axis=(1, 2))
    if colours.min() < (1 - MOST_COLOUR) * colours.max():
        return Refusal("coloured")
    if np.ptp(surface[:3] / luma, axis=(1, 2)).max() > MOST_CHANGE:
        return Refusal("coloured")
    if luma.min() < MOST_FALL * luma.max():
        return Refusal("uneven")
    return found if luma.mean() >= DARKEST else Refusal("dark")


def _cells(image: Image.Image) -> Plane:
    """Red, green, blue and luma of a reduction to CELLS along the longer side."""
    small = image.reduce(-(-max(image.size) // CELLS))
    colours = np.asarray(small, np.float32).transpose(2, 0, 1)
    return np.concatenate([colours, np.tensordot(LUMA, colours, 1)[None]])


def _fitted(cells: Plane, light: Flags) -> NDArray[np.float64]:
    """Coefficients by least squares, first to the light cells of the ring, then to all that prove alike.

    The ring alone says little about the middle, so cells inside count as soon as they fit.
    """
    height, width = light.shape
    x, y = (grid.ravel() for grid in np.meshgrid(_middles(width), _middles(height)))
    basis = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y])
    seen = cells.reshape(4, -1).astype(np.float64)
    asked = chosen = light.ravel()
    for trim in _TRIMS:
        some = basis[:, chosen]
        terms: NDArray[np.float64] = np.linalg.solve(some @ some.T, some @ seen[:, chosen].T)
        if trim <= LIKE * 2:
            asked = np.ones_like(asked)
        found = asked & _is_like(seen, terms.T @ basis, trim)
        if found.sum() < len(terms) * 4:
            break
        chosen = found
    return terms


def _is_like(seen: NDArray[np.floating], surface: NDArray[np.floating], tolerance: float) -> Flags:
    """Where no channel differs by more than a share of the surface's luma; planes come first."""
    red, green, blue, luma = np.abs(seen - surface)
    differs = np.maximum(np.maximum(red, green), np.maximum(blue, luma))
    alike: Flags = differs <= tolerance * surface[3]
    return alike


def _middles(count: int) -> NDArray[np.float64]:
    return (np.arange(count, dtype=np.float64) + 0.5) * (2 / count) - 1
