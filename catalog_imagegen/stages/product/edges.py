"""Takes the old background out of the pixels along a product's edge, so that no halo of it shows on a new one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog_imagegen.stages.product.box import WHOLE
from catalog_imagegen.stages.product.grids import Flags, Plane, grown, mean

Pixels = NDArray[np.uint8]

CONTRAST = 24.0
"""Levels of 255 between product and background from which their mixture tells how much there is of each."""
OPAQUE, CLEAR = 250, 5
"""Of 255: a pixel that is covered by more is product, by less background; noise does not tell finer."""


def parted(pixels: Pixels, mask: Pixels, behind: Plane | None, *, width: int) -> tuple[Pixels, Pixels]:
    """The colours and the coverage of a product along an edge up to *width* pixels wide.

    *mask* says where the edge is, about; *behind* is the background's colour at each pixel, if it is known. A pixel is
    a mixture of what lies inside and what lies outside of the edge. Wholly covered pixels keep their colour.
    """
    seen = pixels.astype(np.float32).transpose(2, 0, 1)
    inside = ~grown(mask < WHOLE, width)
    outside = ~grown(mask > 0, width)
    band = grown(mask > 0, 1) & ~inside if behind is not None else ~(inside | outside)
    back = _around(seen, outside, width) if behind is None else behind
    off = np.abs(seen - back).max(axis=0)
    front = _around(seen, inside, width, otherwise=off * band)
    axis = front - back
    length = (axis * axis).sum(axis=0)
    share = ((seen - back) * axis).sum(axis=0) / np.maximum(length, 1) * 255
    is_told = band & (length >= CONTRAST**2)
    cover = np.where(is_told, np.clip(share, 0, 255), mask).astype(np.float32)
    cover[cover >= OPAQUE] = 255
    cover[cover <= CLEAR] = 0
    cover = np.rint(cover)
    return _cleaned(pixels, seen, back, front, cover), cover.astype(np.uint8)


def bled(colours: Image.Image, cover: Image.Image) -> Image.Image:
    """The colours, gone on beyond the product's edge, so that scaling mixes nothing else into it."""
    levels = [Image.merge("RGBA", [*colours.split(), cover])]
    while max(levels[-1].size) > 4:  # noqa: PLR2004 - hardly more than one colour
        levels.append(levels[-1].reduce(2))
    made = levels.pop().convert("RGB")
    for level in reversed(levels):
        made = made.resize(level.size, Image.Resampling.BILINEAR)
        made.paste(level.convert("RGB"), mask=level.getchannel("A").point(lambda value: 255 if value else 0))
    return made


def _around(seen: Plane, sure: Flags, width: int, *, otherwise: Plane | None = None) -> Plane:
    """The mean colour of the *sure* pixels around each pixel; where there are none, of those that weigh most *otherwise*."""
    weights = sure.astype(np.float32)
    if otherwise is not None:
        weights += (otherwise / 255) ** 4 * np.float32(1e-3)
    total = np.maximum(mean(weights, width + 1, apart=1), np.float32(1e-12))
    made: Plane = np.stack([mean(plane * weights, width + 1) / total for plane in seen])
    return made


def _cleaned(pixels: Pixels, seen: Plane, back: Plane, front: Plane, cover: Plane) -> Pixels:
    """The product's own colours: what a half covered pixel has beside the background's share, or its neighbours'."""
    is_mixed = (cover > 0) & (cover < WHOLE)
    share = cover[is_mixed] / 255
    own = back[:, is_mixed] + (seen[:, is_mixed] - back[:, is_mixed]) / share
    made = pixels.copy()
    made[is_mixed] = np.clip(own * share + front[:, is_mixed] * (1 - share) + 0.5, 0, 255).T.astype(np.uint8)
    return made
