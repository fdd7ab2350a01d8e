"""Cuts a product out of its photo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from catalog_imagegen.stages.product.box import Box, mask_box
from catalog_imagegen.stages.product.coverage import coverage
from catalog_imagegen.stages.product.edges import bled, parted
from catalog_imagegen.stages.product.grids import Plane
from catalog_imagegen.stages.product.holes import Holes
from catalog_imagegen.stages.product.outline import Outline, outline
from catalog_imagegen.stages.product.refusal import Refusal
from catalog_imagegen.stages.product.regions import regions

Segment = Callable[[Image.Image], Image.Image]
"""Finds the product of an RGB picture: a mask (mode ``L``), 255 where it is; of any size."""
How = Literal["alpha", "background", "segmenter"]

MARGIN = 32
"""Pixels around the product in which its colours go on."""
LEAST_CLEAR, LEAST_COVERED = 0.01, 0.002
"""Shares of the frame from which a photo's transparency says something."""
CRUMB = 0.0005
"""Share of a product's largest piece: what is smaller and stands alone is noise beside its edge."""
LEAST_SEGMENT, MOST_SEGMENT = 0.005, 0.95
"""Shares of the frame that a product found by a segmenter may cover."""
UNSURE = (112, 160)
"""Of 255: what a segmenter says of the pixels that its edge runs through. Its softer edges are its own, not the product's:
drawn products in drawn scenes come out at an IoU of 0.991 to 0.999 so, and at 0.95 to 0.98 with 32 to 224."""
SHARP = 500
"""Pixels of a photo's longer side for each pixel that an edge is wide."""
MOST_DOUBT = 0.3
"""The share of what a segmenter found that it may be unsure of: 0.02 to 0.1 where it sees a thing, 0.5 and more where not."""


@dataclass(frozen=True, slots=True)
class Cutout:
    """A product without its background."""

    image: Image.Image
    """RGBA, of the photo's size. Wholly covered pixels have the photo's colours; others are free of the background's."""
    box: Box
    """Of the product, in pixels."""
    how: How

    @property
    def mask(self) -> Image.Image:
        """How much of each pixel the product covers (mode ``L``)."""
        return self.image.getchannel("A")


def cut_out(
    photo: Image.Image, *, segment: Segment | None = None, holes: Holes = "matching"
) -> Cutout | Refusal:
    """Cut the product out of a photo (mode ``RGB`` or ``RGBA``).

    A photo's own transparency comes first, then what tells a product from a light background, then *segment*.
    """
    if photo.mode == "RGBA":
        alpha = photo.getchannel("A")
        if _says_something(alpha):
            return _finished(photo.convert("RGB"), alpha, alpha, "alpha")
        white = Image.new("RGB", photo.size, (255, 255, 255))
        white.paste(photo, mask=alpha)
        photo = white
    found = outline(photo, holes=holes)
    if isinstance(found, Outline):
        return _from_background(photo, found)
    return found if segment is None else _from_segmenter(photo, segment)


def _from_background(photo: Image.Image, found: Outline) -> Cutout | Refusal:
    mask = coverage(photo, found)
    place = _around(mask, photo.size)
    if place is None:
        return Refusal("empty")
    step = found.step
    cells = tuple(
        slice(first // step, -(-last // step))
        for first, last in ((place.top, place.bottom), (place.left, place.right))
    )
    behind = (found.surface[:3] * found.shade)[:, *cells].repeat(step, axis=1).repeat(step, axis=2)
    down, across = place.top % step, place.left % step
    behind = behind[:, down : down + place.height, across : across + place.width]
    return _parted(photo, mask, place, behind, how="background")


def _from_segmenter(photo: Image.Image, segment: Segment) -> Cutout | Refusal:
    mask = segment(photo)
    if mask.size != photo.size:
        mask = mask.resize(photo.size, Image.Resampling.BICUBIC)
    counts = mask.histogram()
    covered, doubtful = sum(counts[128:]), sum(counts[32:224])
    share = covered / (photo.width * photo.height)
    if not LEAST_SEGMENT <= share <= MOST_SEGMENT or doubtful > MOST_DOUBT * covered:
        return Refusal("unclear")
    mask = mask.point(
        [max(0, min((value - UNSURE[0]) * 255 // (UNSURE[1] - UNSURE[0]), 255)) for value in range(256)]
    )
    place = _around(mask, photo.size)
    if place is None:
        return Refusal("unclear")
    return _parted(photo, mask, place, None, how="segmenter")


def _parted(
    photo: Image.Image, mask: Image.Image, place: Box, behind: Plane | None, *, how: How
) -> Cutout | Refusal:
    """The cut-out after its edge has been looked at."""
    part, given = np.asarray(photo.crop(place)), np.asarray(mask.crop(place))
    colours, cover = parted(part, given, behind, width=max(2, round(max(photo.size) / SHARP)))
    found = regions(cover > 0, is_diagonal=True)
    areas = found.areas()
    cover[found.painted(areas < CRUMB * areas.max(initial=0))] = 0
    whole, alpha = photo.copy(), Image.new("L", photo.size)
    whole.paste(Image.fromarray(colours), place[:2])
    alpha.paste(Image.fromarray(cover), place[:2])
    return _finished(whole, alpha, mask, how)


def _finished(colours: Image.Image, alpha: Image.Image, mask: Image.Image, how: How) -> Cutout | Refusal:
    box, place = mask_box(alpha), _around(mask, colours.size)
    if box is None or place is None:
        return Refusal("empty")
    whole = colours.copy()
    whole.paste(bled(colours.crop(place), alpha.crop(place)), place[:2])
    whole.putalpha(alpha)
    return Cutout(whole, box, how)


def _around(mask: Image.Image, size: tuple[int, int]) -> Box | None:
    """The box of all that is covered at all, with a margin."""
    box = mask.getbbox()
    if box is None:
        return None
    left, top, right, bottom = box
    return Box(
        max(0, left - MARGIN),
        max(0, top - MARGIN),
        min(size[0], right + MARGIN),
        min(size[1], bottom + MARGIN),
    )


def _says_something(alpha: Image.Image) -> bool:
    counts = alpha.histogram()
    pixels = alpha.width * alpha.height
    return sum(counts[:16]) >= LEAST_CLEAR * pixels and sum(counts[240:]) >= LEAST_COVERED * pixels
