"""Measures whether a result still shows the product of the photo: its colours, its structure, its outline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from catalog_imagegen.stages.product.box import HALF, Box, mask_box
from catalog_imagegen.stages.product.cutout import Cutout, Segment, cut_out
from catalog_imagegen.stages.product.grids import Flags, Plane, grown, mean
from catalog_imagegen.stages.product.refusal import Refusal
from catalog_imagegen.stages.product.scaling import scaled

LOOK = 160
"""Pixels along the longer side in which products are compared: letters a tenth as high as the product can be told."""
RIM = 2
"""Pixels along the edge that are not compared: there backgrounds mix in."""
DIMMER, BRIGHTER = 0.8, 1.25
"""How much darker or brighter a result may be as a whole: exposure is no property of a product."""
HALF_COLOUR = 18.0
"""Levels of 255 in chroma at which a colour counts half; a white mug in warm light differs by 6, red from orange by 30."""
SHIFT, WARP = 4, 2
"""Pixels by which the whole, and each spot beside it, may be somewhere else."""
WORST = 0.2
"""The share of the product that counts as much as all of it: a false label is a small part of a bottle."""
_STEADY = (0.03 * 255) ** 2  # the constant of SSIM (Wang et al. 2004) that keeps flat places from counting


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How like a product in a result is to that of the photo; each from 0, another product, to 1, the same."""

    colour: float
    structure: float
    outline: float

    @property
    def score(self) -> float:
        """All of them, for one that fails is not made good by the others; an outline must be wrong by much to say little."""
        return self.colour * self.structure * self.outline**2


def fidelity(
    photo: Image.Image, photo_mask: Image.Image, result: Image.Image, result_mask: Image.Image
) -> Fidelity | Refusal:
    """Compare products in two RGB pictures, each inside of its mask; sizes and places may differ."""
    one, other = mask_box(photo_mask), mask_box(result_mask)
    if one is None or other is None:
        return Refusal("empty")
    size = _common(one)
    mine, its = (
        np.asarray(scaled(mask.crop(box), size)) >= HALF
        for mask, box in ((photo_mask, one), (result_mask, other))
    )
    inside = ~grown(~(mine & its), RIM)
    if not inside.any():
        return Fidelity(0.0, 0.0, 0.0)
    before, after = (
        _opponents(scaled(picture.crop(box), size)) for picture, box in ((photo, one), (result, other))
    )
    before *= _exposure(before[0], after[0], inside)
    structure, shift = _structure(before[0], after[0], inside)
    colour = _colour(before, np.roll(after, shift, axis=(1, 2)), inside)
    aspects = (one.width / one.height) / (other.width / other.height)
    shape = float((mine & its).sum() / (mine | its).sum()) * min(aspects, 1 / aspects)
    return Fidelity(colour, structure, shape)


def fidelity_of(
    cutout: Cutout, result: Image.Image, *, box: Box | None = None, segment: Segment | None = None
) -> Fidelity | Refusal:
    """Compare a cut-out with a picture in which the product has to be found first.

    It is found on a light background, else by *segment*, else in *box*, where it is thought to have the same outline.
    """
    if box is None:
        found = cut_out(result, segment=segment)
        if isinstance(found, Refusal):
            return found
        mask = found.mask
    else:
        mask = Image.new("L", result.size)
        mask.paste(scaled(cutout.mask.crop(cutout.box), (box.width, box.height)), box[:2])
    return fidelity(cutout.image.convert("RGB"), cutout.mask, result, mask)


def _common(box: Box) -> tuple[int, int]:
    by = LOOK / max(box.width, box.height)
    return max(4 * RIM, round(box.width * by)), max(4 * RIM, round(box.height * by))


def _opponents(image: Image.Image) -> Plane:
    """Luma, blue and red difference, of 255."""
    planes = np.asarray(image.convert("YCbCr"), np.float32).transpose(2, 0, 1).copy()
    planes[1:] -= 128
    return planes


def _exposure(before: Plane, after: Plane, inside: Flags) -> float:
    """By how much the result is brighter as a whole, as far as that is forgiven."""
    gain = float(after[inside].mean()) / max(1.0, float(before[inside].mean()))
    return max(DIMMER, min(gain, BRIGHTER))


def _colour(before: Plane, after: Plane, inside: Flags) -> float:
    """How alike the colours of spots are; light counts half, for it changes with the surroundings."""
    luma, blue, red = (mean(one - other, 2) for one, other in zip(before, after, strict=True))
    far = (luma * luma / 4 + blue * blue + red * red) / HALF_COLOUR**2
    return _pooled((1 / (1 + far))[inside], np.ones(int(inside.sum()), np.float32))


def _structure(before: Plane, after: Plane, inside: Flags) -> tuple[float, tuple[int, int]]:
    """How alike the patterns are where there are any, and how far the result has to be moved for it."""
    steps = [(down, across) for down in range(-SHIFT, SHIFT + 1) for across in range(-SHIFT, SHIFT + 1)]
    own = _Patterns(before)
    weights = np.sqrt(own.variance + _Patterns(after).variance) + 1
    best = max(
        steps, key=lambda step: float((own.likeness(np.roll(after, step, (0, 1))) * weights)[inside].sum())
    )
    near = [
        (best[0] + down, best[1] + across)
        for down in range(-WARP, WARP + 1)
        for across in range(-WARP, WARP + 1)
    ]
    likeness = own.likeness(np.roll(after, near[0], (0, 1)))
    for step in near[1:]:
        likeness = np.maximum(likeness, own.likeness(np.roll(after, step, (0, 1))))
    return max(0.0, _pooled(likeness[inside], weights[inside])), best


class _Patterns:
    """A plane's spots of 7 × 7 pixels."""

    def __init__(self, plane: Plane) -> None:
        self.off = plane - mean(plane, 3)
        self.variance = mean(self.off * self.off, 3)

    def likeness(self, other: Plane) -> Plane:
        """The contrast and structure terms of SSIM."""
        off = other - mean(other, 3)
        both = mean(self.off * off, 3)
        made: Plane = (2 * both + _STEADY) / (self.variance + mean(off * off, 3) + _STEADY)
        return made


def _pooled(values: Plane, weights: Plane) -> float:
    """The mean of all and of the worst, by weight."""
    order = np.argsort(values)
    values, weights = values[order], weights[order]
    upto = int(np.searchsorted(np.cumsum(weights), WORST * weights.sum())) + 1
    return float(np.average(values, weights=weights) + np.average(values[:upto], weights=weights[:upto])) / 2
