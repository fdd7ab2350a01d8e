"""Measures what tells a good picture from a bad one although both are good files, and compares it with a role's gates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from catalog_imagegen.domain.gates import Gates, Stopped
from catalog_imagegen.stages.quality.likeness import look_of
from catalog_imagegen.stages.quality.product import Product, find_product

LOOKED_AT = 640
"""Pixels: about the longer side at which pictures are looked at, halves and thirds of renders. Softness of a pixel or
two in a render is not seen in a listing, and it costs a quarter of the time."""
SPOT = 32
"""Pixels: the side of the parts of which the sharpest counts. Sharpness is nowhere in a blurred picture; a good one may
be blank or out of focus everywhere else, so that the whole says little."""
PURE_WHITE, PURE_BLACK = 254, 1
"""Luma from which, and up to which, nothing can be seen."""

Luma = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured of one picture."""

    sharpness: float
    """Variance of the Laplacian of luma (0 to 255) in the sharpest spot."""
    highlights: float
    shadows: float
    """Shares of the pixels that are pure white, or black."""
    product: Product | None
    """What stands out from an even background."""
    look: str
    """See ``likeness``."""


def measure(image: Image.Image) -> Measures:
    """Look at a picture in colour."""
    small = reduced(image, LOOKED_AT)
    luma = np.asarray(small.convert("L"))
    product = find_product(small)
    return Measures(
        sharpness=_sharpness(luma),
        highlights=float(np.count_nonzero(luma >= PURE_WHITE) / luma.size),
        shadows=float(np.count_nonzero(luma <= PURE_BLACK) / luma.size),
        product=product,
        look=look_of(small if product is None else small.crop(product.box)),
    )


def reduced(image: Image.Image, side: int) -> Image.Image:
    """A picture whose longer side is about *side*, by a whole factor; a smaller one stays as it is."""
    factor = round(max(image.size) / side)
    return image.reduce(factor) if factor > 1 else image


def stopped_by(measures: Measures, gates: Gates) -> Stopped | None:
    """The first gate that a picture does not pass."""
    return next(_stops(measures, gates), None)


def _stops(measures: Measures, gates: Gates) -> Iterator[Stopped]:
    if measures.sharpness < gates.min_sharpness:
        yield Stopped("blurred", f"{measures.sharpness:.0f} < {gates.min_sharpness:g}")
    if measures.highlights > gates.max_highlights:
        yield Stopped("overexposed", f"{measures.highlights:.0%} > {gates.max_highlights:.0%}")
    if measures.shadows > gates.max_shadows:
        yield Stopped("underexposed", f"{measures.shadows:.0%} > {gates.max_shadows:.0%}")
    if not gates.min_product:
        return
    product = measures.product
    if product is None:
        yield Stopped("no_product", "–")
        return
    if product.share < gates.min_product:
        yield Stopped("small_product", f"{product.share:.0%} < {gates.min_product:.0%}")
    if product.touching > gates.max_touching:
        yield Stopped("cut_product", f"{product.touching:.0%} > {gates.max_touching:.0%}")


def _sharpness(luma: Luma) -> float:
    wide = luma.astype(np.int16)
    laplacian = 4 * wide[1:-1, 1:-1] - wide[:-2, 1:-1] - wide[2:, 1:-1] - wide[1:-1, :-2] - wide[1:-1, 2:]
    height, width = (side - side % SPOT if side >= SPOT else side for side in laplacian.shape)
    rows, columns = max(1, height // SPOT), max(1, width // SPOT)
    spots = laplacian[:height, :width].astype(np.float32)
    spots = spots.reshape(rows, height // rows, columns, width // columns)
    squares = np.einsum("abcd,abcd->ac", spots, spots) / (height // rows * (width // columns))
    return float((squares - spots.mean(axis=(1, 3)) ** 2).max())
