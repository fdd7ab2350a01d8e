"""Where the product is in a picture on white, how much of the frame it fills and how well it is centred."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Flags = NDArray[np.bool_]
Side = Literal["longest", "area"]
"""What a share of the frame is of: the longest side of the product's box, or its area. Platforms mean either."""

WHITE = 244
"""Of 255: pixels with less in any channel are product. JPEG leaves 245 and more on white that is not beside an edge."""
STRAY = 5
"""Pixels of a row or column that are product; fewer are noise, unless they go on for as many lines, as a cable does."""
HALF, WHOLE = 128, 255
"""Of 255: from where on a pixel of a mask counts as covered, and what it is where nothing else is in the pixel."""


class Box(NamedTuple):
    """Pixels of a picture: left and top edge belong to it, right and bottom do not."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.bottom - self.top


def product_box(image: Image.Image, *, white: int = WHITE) -> Box | None:
    """The box of all that is darker than *white* in an RGB picture; None where all is white."""
    pixels = np.asarray(image)
    flat = pixels.reshape(image.height, -1)
    rows = np.flatnonzero(flat.min(axis=1) < white)
    columns = np.flatnonzero(flat.min(axis=0).reshape(image.width, -1).min(axis=1) < white)
    return _box_of(rows, columns, lambda part: pixels[part].min(axis=2, initial=WHOLE) < white)


def mask_box(mask: Image.Image) -> Box | None:
    """The box of what a mask covers by half and more; None where it covers nothing."""
    outer = mask.getbbox()
    if outer is None:
        return None
    covered = np.asarray(mask.crop(outer)) >= HALF
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    found = _box_of(rows, columns, lambda part: covered[part])
    left, top, *_ = outer
    return found and Box(left + found.left, top + found.top, left + found.right, top + found.bottom)


def fill_ratio(box: Box, frame: tuple[int, int], *, of: Side = "longest") -> float:
    """How much of the frame the product's box fills, from 0 to 1.

    ``longest`` is the share of the frame's width or height that the box takes, whichever is more; ``area`` the share
    of the frame's area.
    """
    across, down = box.width / frame[0], box.height / frame[1]
    return across * down if of == "area" else max(across, down)


def off_centre(box: Box, frame: tuple[int, int]) -> float:
    """How far the middle of the box is from the middle of the frame, as a share of the frame: 0 is centred, 0.5 the edge."""
    across = abs((box.left + box.right) / 2 / frame[0] - 0.5)
    down = abs((box.top + box.bottom) / 2 / frame[1] - 0.5)
    return max(across, down)


def margins(box: Box, frame: tuple[int, int]) -> tuple[float, float, float, float]:
    """What is free left, above, right and below of the box, as shares of the frame."""
    width, height = frame
    return box.left / width, box.top / height, 1 - box.right / width, 1 - box.bottom / height


def _box_of(
    rows: NDArray[np.intp], columns: NDArray[np.intp], product: Callable[[tuple[slice, slice]], Flags]
) -> Box | None:
    """The box of rows and columns in which there is something, without those in which there are but strays.

    *product* tells of part of the picture which pixels are.
    """
    if not len(rows):
        return None
    across = slice(int(columns[0]), int(columns[-1]) + 1)
    top, bottom = _beyond_strays(rows, lambda lines: product((lines, across)))
    left, right = _beyond_strays(columns, lambda lines: product((slice(top, bottom), lines)).T)
    return Box(left, top, right, bottom) if left < right and top < bottom else None


def _beyond_strays(lines: NDArray[np.intp], product: Callable[[slice], Flags]) -> tuple[int, int]:
    """The first of some rows or columns that begin something, and the one after the last that ends it."""
    first = next((at for at in lines.tolist() if _begins(product(slice(at, at + STRAY)))), 0)
    last = next(
        (at for at in lines[::-1].tolist() if _begins(product(slice(max(0, at + 1 - STRAY), at + 1))[::-1])),
        -1,
    )
    return first, last + 1


def _begins(slab: Flags) -> bool:
    """Whether the first of some lines has more than strays, or what is there goes on through the others."""
    if np.count_nonzero(slab[0]) >= STRAY:
        return True
    beside = np.pad(slab[0], 1)
    beside = beside[:-2] | beside[1:-1] | beside[2:]
    return bool((slab & beside).any(axis=1).all())
