"""Centres a product in a frame of another size and shape, and lets it fill as much of it as a platform asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image

from catalog_imagegen.stages.product.box import Box, Side
from catalog_imagegen.stages.product.scaling import Region, scaled

MAX_ENLARGEMENT = 1.25
"""Above this a resize invents pixels: the product stays smaller."""


class SafeZone(NamedTuple):
    """What the product must leave free at each edge, as shares of the frame's width or height."""

    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0


NO_ZONE = SafeZone()


@dataclass(frozen=True, slots=True)
class Reframing:
    """Which part of a picture becomes the whole of the new one."""

    source: Region
    """Left, top, right and bottom in the picture's pixels; where it reaches beyond the picture there is white."""
    size: tuple[int, int]
    """The new picture's, in pixels."""
    scale: float
    """New pixels per pixel."""
    box: Region
    """Where the product comes to stand in the new picture, in its pixels."""
    fill: float
    """The share of the frame that the product fills: less than was asked for where the photo is too small, or the safe
    zone or the frame's shape leave no more."""


def plan_reframing(
    box: Box,
    target: tuple[int, int],
    *,
    fill: float,
    of: Side = "longest",
    safe: SafeZone = NO_ZONE,
    max_enlargement: float = MAX_ENLARGEMENT,
) -> Reframing:
    """Let the product in *box* fill a share of a frame of *target* pixels, centred.

    *fill* is of the frame's width or height, whichever the product fills more of (``longest``), or of its area
    (``area``). A product that would reach into the *safe* zone becomes smaller, and is moved no farther than it must be.
    """
    width, height = target
    room = (width * (1 - safe.left - safe.right), height * (1 - safe.top - safe.bottom))
    if min(room) <= 0 or not 0 < fill <= 1:
        raise ValueError(f"no room: {safe}, {fill}")
    wanted = {
        "longest": fill * min(width / box.width, height / box.height),
        "area": math.sqrt(fill * width * height / (box.width * box.height)),
    }[of]
    scale = min(wanted, room[0] / box.width, room[1] / box.height, max_enlargement)
    across, down = box.width * scale, box.height * scale
    left = _within(width - across, safe.left * width, width * (1 - safe.right) - across)
    top = _within(height - down, safe.top * height, height * (1 - safe.bottom) - down)
    from_left, from_top = box.left - left / scale, box.top - top / scale
    return Reframing(
        source=(from_left, from_top, from_left + width / scale, from_top + height / scale),
        size=target,
        scale=scale,
        box=(left, top, left + across, top + down),
        fill=across * down / (width * height) if of == "area" else max(across / width, down / height),
    )


def reframe(
    image: Image.Image, plan: Reframing, *, white: tuple[int, int, int] = (255, 255, 255)
) -> Image.Image:
    """The new picture of an RGB one."""
    left, top, right, bottom = plan.source
    outer = (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))
    if outer[0] < 0 or outer[1] < 0 or outer[2] > image.width or outer[3] > image.height:
        wider = Image.new(image.mode, (outer[2] - outer[0], outer[3] - outer[1]), white)
        wider.paste(image, (-outer[0], -outer[1]))
        image, left, top, right, bottom = (
            wider,
            left - outer[0],
            top - outer[1],
            right - outer[0],
            bottom - outer[1],
        )
    return scaled(image, plan.size, (left, top, right, bottom))


def _within(free: float, least: float, most: float) -> float:
    """The middle of what is *free*, moved between two limits."""
    return max(least, min(free / 2, most))
