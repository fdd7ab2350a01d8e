"""Finds the background that is seen through a product: in the handle of a mug, between the slats of a chair.

Nothing but its looks tells a hole from a white label, so a hole must look exactly like the background, differ from
all that is around it, and lie near the product's outline, as the hole of a handle does and a label seldom does. Where
the background is so bright that all whites are one, nothing is taken for a hole.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from catalog_imagegen.stages.product.grids import Flags, Plane, grown
from catalog_imagegen.stages.product.regions import regions

Holes = Literal["matching", "all", "none"]
"""Which enclosed places of the background's light are background: those that cannot well be anything else, all, or none."""

PURE = 0.97
"""The share of a hole that must have the background's light."""
HARD, HARD_SHARE = 6.0, 0.75
"""Levels of 255 by which so much of what is around a hole must differ; a highlight on a white mug has no such rim."""
CLIPPED = 252.0
"""Of 255: from here on a camera makes one white of all."""
SMALLEST = 0.0002
"""Share of the frame: below it nobody sees a hole."""
MOST = 24
"""Holes that are looked at, the largest first; a grille has more, and is left closed."""


def openings(
    passable: Flags, reached: Flags, light: Plane, surface: Plane, *, holes: Holes, alike: float
) -> Flags:
    """The holes among the smooth places that were not *reached*; planes hold red, green, blue and luma."""
    opened = np.zeros_like(reached)
    if holes == "none":
        return opened
    found = regions(passable & ~reached)
    areas = found.areas()
    is_pure = found.totals(np.abs(light[3] - 1) < alike) >= PURE * areas
    candidates = np.flatnonzero(is_pure & ~found.on_border() & (areas >= SMALLEST * reached.size))
    if len(candidates):
        differs = grown(np.abs(light[:3] - 1).max(axis=0) * 255 > HARD, 1)
    for label in candidates[np.argsort(-areas[candidates])][:MOST]:
        chosen = np.zeros(found.count, np.bool_)
        chosen[label] = True
        hole = found.painted(chosen)
        rim = grown(hole, 3) & ~grown(hole, 2)
        if differs[rim].mean() >= HARD_SHARE and (holes == "all" or _is_hole(hole, reached, surface[3])):
            opened |= hole
    return opened


def _is_hole(hole: Flags, reached: Flags, luma: Plane) -> bool:
    """Whether a place is near the outline for its size, and not so bright that it might be any white."""
    near = 5 + round(0.5 * float(np.sqrt(hole.sum())))
    return float(luma[hole].mean()) < CLIPPED and bool((grown(hole, near) & reached).any())
