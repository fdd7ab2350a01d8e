"""Floods the background from the edge of the frame, in a grid of the light that each cell has as a share of it.

A background is what can be reached without crossing an edge or changing colour. A soft shadow is reached too, for it
begins without an edge; a near-white product is not, for it ends in one, however faint.
"""

from __future__ import annotations

import numpy as np

from catalog_imagegen.stages.product.grids import Flags, Plane, grown, highest, mean, spread, widened, window
from catalog_imagegen.stages.product.regions import regions

REACH = 2
"""Cells from an edge in which it is felt: where the mean of 5 × 5 cells holds both sides."""
EDGE = 1.4 / 255
"""By how much a cell differs from the 5 × 5 around it at an edge. A soft shadow stays below 1 level of 255; a step of six
levels, the faintest outline of a white mug on a grey wall, gives 2.4."""
EDGE_IN_SHADOW = 2.4 / 255
"""The same in a shadow, which bends more the deeper it is; products differ from it by more too."""
GAP = 12
"""Cells: an outline that cannot be seen for less than twice as many is closed all the same."""
SHARP, BETWEEN_SHARP = 6 / 255, 0.8
"""An edge that no outline has beside a place where it vanishes, and the share of it around a narrow opening."""
LONE = 2
"""Cells: fewer edges together are noise, and narrow no opening."""
POCKET = 24
"""Cells: smaller pockets are left alone."""
GREY = 0.045
"""How far the channels of a shadow part from each other; beside a product, as a share of its light."""
DEEPEST = 0.28
"""The light that a soft shadow leaves."""
BRIGHTER = 1.03
"""The light above the background's that is still background; a white product in front of a grey one has more."""
ALIKE = 0.012
"""Three levels of 255: what differs by less becomes white, and nobody sees it."""
SHALLOW = 0.965
"""Light above which there is background; below it is in shadow, for a surface is fitted to 2.5 levels in a hundred."""
LEAST_RING = 0.6
"""The share of the frame's edge that must be background; a product cut off at one side leaves 0.75."""
WHOLE_SIDE, MOST_CUT = 0.97, 2
"""A side of the frame of which less is background is cut by something; a product may be cut off by two."""
SOFT_RIM = 0.25
"""The share of the background's rim that may lie beside no edge."""
MOST_SHADOW = 3
"""Times a product's area: a larger shadow is no shadow, but the product, its outline too faint to be seen in noise."""
CLOSE, MOST_BETWEEN = 8, 0.16
"""Cells, and the share of the product's area: of drawn products that were told well 0.12 at most lies in shadow between
parts so close, of those into which the flood broke through an outline lost in noise 0.16 and more."""
STRONG = 20 / 255
"""A difference from the background that makes an edge sharp."""
STEEP = 12 / 255
"""From cell to cell: soft shadows fall off by 9 levels of 255 where they are steepest."""
BLEED, BLED_SHARE, BLEEDING = 3, 0.2, 24 / 255
"""How far, in cells, the colours of a JPEG run over an edge, which share of them, and how much at most."""
FRONT = 2.5 / 9
"""The share of the cells around one that are background where it goes on in a line; in a gap there are fewer."""
SPECK = 3
"""Cells: what has fewer that differ, and no middle, is dust."""


def edges_of(fine: Plane) -> Plane:
    """How much each cell differs from those around it, beyond the bend that a soft shadow has at any scale."""
    near = mean(fine, REACH)
    bend = (near - mean(near, 1, apart=2 * REACH + 1)) * np.float32(
        0.12
    )  # variances of the windows: 2 to 16.7
    step = fine - near
    edges: Plane = np.minimum(np.abs(step), np.abs(step - bend))
    inner = edges[REACH:-REACH, REACH:-REACH]  # at the frame's edge half of the neighbours are made up
    return widened(inner, REACH)


def passable_in(light: Plane, edges: Plane, noise: float) -> Flags:
    """Where there is no edge, the light is the background's or less, and as grey as the background."""
    red, green, blue, luma = light
    parted = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    least = np.where(luma < SHALLOW, np.float32(EDGE_IN_SHADOW), np.float32(EDGE))
    is_edge = edges >= np.maximum(least, 5 * _typical(edges))
    passable: Flags = ~is_edge & (parted < GREY + noise) & (luma > DEEPEST) & (luma < BRIGHTER)
    return passable


def flooded(passable: Flags, fine: Plane, edges: Plane) -> Flags | None:
    """Background and soft shadow, reached from the edge of the frame; None where that is no plain background."""
    reached = _reached(passable, fine, edges)
    shadow = reached & (fine < SHALLOW)
    if shadow.sum() > MOST_SHADOW * (reached.size - reached.sum()):
        reached = _reached(passable & (fine > SHALLOW), fine, edges)
        return reached if _is_plain(reached, fine) else None
    rim = grown(reached, 1) & ~reached
    ends_anywhere = rim.any() and (edges[rim] < EDGE).mean() > SOFT_RIM
    return reached if _is_plain(reached, fine) and not ends_anywhere else None


def bleeding_of(light: Plane, is_sharp: Flags) -> Plane:
    """How much of a colour that is no product's each cell may have: what a JPEG lets run over a sharp edge."""
    most = highest(_colour_of(light), BLEED) * np.float32(BLED_SHARE)
    bleeding: Plane = np.minimum(most, np.float32(BLEEDING)) * is_sharp
    return bleeding


def continued(
    reached: Flags, light: Plane, *, faintest: float, is_sharp: Flags, bleeding: Plane
) -> tuple[Flags, Plane]:
    """Let the background go on, cell by cell, up to the product; give also its shade, gone on a little farther.

    Edges are felt before they are met, so that the flood stops short of them.
    """
    whole, shades = reached.copy(), np.where(reached, light[3], np.float32(1))
    part = window(~reached, 1)
    reached, luma, is_sharp, shade = reached[part], light[3][part], is_sharp[part], shades[part]
    colour = _colour_of(light[:, *part]) - bleeding[part]
    known = reached.astype(np.float32)
    for _ in range(3 * REACH):
        weight = mean(known, 1)
        beside = (weight > 0) & (known == 0)
        before = np.where(beside, mean(shade * known, 1) / np.maximum(weight, np.float32(0.1)), shade)
        in_shadow = before < SHALLOW
        is_alike = np.abs(luma - before) < np.where(in_shadow, np.float32(STEEP), np.float32(faintest))
        is_alike &= colour < np.where(in_shadow, GREY * before, np.float32(faintest))
        is_front = mean(reached.astype(np.float32), 1) > FRONT
        goes_on = beside & is_alike & grown(reached, 1) & (is_front | is_sharp)
        reached = reached | goes_on
        shade = np.where(goes_on, luma, before)
        known = np.maximum(known, beside)
    whole[part], shades[part] = reached, shade
    return whole, shades


def differing(light: Plane, shade: Plane, bleeding: Plane) -> Plane:
    """How much each cell differs from a grey of that shade, in the channel where that is most."""
    red, green, blue, luma = np.abs(light - shade)
    made: Plane = np.maximum(np.maximum(np.maximum(red, green), blue) - bleeding, luma)
    return made


def _colour_of(light: Plane) -> Plane:
    """How far each cell is from the grey that is as light."""
    red, green, blue = np.abs(light[:3] - light[3])
    made: Plane = np.maximum(np.maximum(red, green), blue)
    return made


def without_specks(reached: Flags, is_plain: Flags) -> Flags:
    """Let the background go on over what is too small to be product, or goes on as it does itself."""
    found = regions(~reached, is_diagonal=True)
    middle = ~grown(reached, REACH)
    is_speck = (found.totals(middle) == 0) & (found.totals(is_plain) < SPECK)
    return reached | found.painted(is_speck)


def is_eaten(reached: Flags, fine: Plane) -> bool:
    """Whether much of what lies between parts of the product is darker than the background: part of it, very likely."""
    product = ~reached
    between = ~grown(~grown(product, CLOSE), CLOSE) & reached & (fine < 1 - ALIKE)
    return bool(between.sum() > MOST_BETWEEN * product.sum())


def _reached(passable: Flags, fine: Plane, edges: Plane) -> Flags:
    """What is reached by wide openings; by narrow ones only what is surely background.

    That is what has just the background's light, or what opens between sharp edges: where a white product's outline
    cannot be seen for a while, it fades before and after.
    """
    everywhere = _from_border(passable, fine)
    walls = regions(~everywhere, is_diagonal=True)
    wide = _from_border(~grown(walls.painted(walls.areas() > LONE), GAP), fine)
    reached = spread(wide, everywhere, GAP)
    pockets = regions(everywhere & ~reached)
    areas = pockets.areas()
    chosen = pockets.totals(np.abs(fine - 1) < ALIKE) >= 0.9 * areas
    is_sharp = grown(edges > SHARP, 1)
    for label in np.flatnonzero(~chosen & (areas >= POCKET)):
        one = np.zeros(pockets.count, np.bool_)
        one[label] = True
        pocket = pockets.painted(one)
        posts = grown(grown(pocket, 1) & reached, 2) & ~everywhere
        chosen[label] = posts.any() and is_sharp[posts].mean() > BETWEEN_SHARP
    return reached | pockets.painted(chosen)


def _from_border(passable: Flags, fine: Plane) -> Flags:
    """The regions that reach the edge of the frame and are light for a good part."""
    found = regions(passable)
    is_light = found.totals(fine > SHALLOW) * 5 >= found.areas()
    return found.painted(found.on_border() & is_light)


def _is_plain(reached: Flags, fine: Plane) -> bool:
    """Whether the edge of the frame is background for the most part."""
    plain = reached & (np.abs(fine - 1) < 1 - SHALLOW)
    sides = [float(side.mean()) for side in (plain[0], plain[-1], plain[:, 0], plain[:, -1])]
    return sum(sides) >= LEAST_RING * len(sides) and sum(share < WHOLE_SIDE for share in sides) <= MOST_CUT


def _typical(edges: Plane) -> float:
    """What noise alone makes of *edges*, from the frame's margin."""
    margin = 2 * REACH
    parts = (edges[:margin], edges[-margin:], edges[:, :margin], edges[:, -margin:])
    return float(np.median(np.concatenate([part.ravel() for part in parts]))) / 0.6745
