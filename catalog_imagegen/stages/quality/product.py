"""Finds roughly where the product stands on an even background: enough to see that there is one, whole and large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

CELLS = 80
"""About how many cells the longer side is looked at in."""
BORDER = 2
"""Cells: the background is known from so many along each edge."""
EVEN = 10
"""Levels of 255 by which a cell may differ from the background in any channel; grain is gone from means of cells."""
OUTLIER = 40
"""Levels from the border's median beyond which a cell is no background at first sight."""
MOSTLY = 0.6
"""Share of the border that must be background."""
FEWEST = 2
"""Cells of a row or column that must differ, so that a speck is no product."""

Cells = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Product:
    """Where something stands on an even background."""

    box: tuple[int, int, int, int]
    """Pixels: left, top, right, bottom."""
    share: float
    """Its longer side as a share of the frame's: thin products are long."""
    touching: float
    """Share of the picture's edge that it covers."""


def find_product(image: Image.Image) -> Product | None:
    """What differs from the border of a picture in colour; None if the border is not even, or nothing differs."""
    factor = max(1, round(max(image.size) / CELLS))
    cells = np.asarray(image.reduce(factor), dtype=np.float32)
    background = _background(cells)
    if background is None:
        return None
    differs = np.abs(cells - background).max(axis=2) > EVEN
    rows = np.flatnonzero(differs.sum(axis=1) >= FEWEST)
    columns = np.flatnonzero(differs.sum(axis=0) >= FEWEST)
    if not rows.size or not columns.size:
        return None
    height, width = differs.shape
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    edge = np.concatenate([differs[0], differs[-1], differs[1:-1, 0], differs[1:-1, -1]])
    return Product(
        box=(
            left * factor,
            top * factor,
            min(right * factor, image.width),
            min(bottom * factor, image.height),
        ),
        share=max(bottom - top, right - left) / max(height, width),
        touching=float(edge.mean()),
    )


def _background(cells: Cells) -> Cells | None:
    """The background of each cell: the surface of second degree through the border, which lights and vignettes bend."""
    height, width, _ = cells.shape
    down, across = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    terms = np.stack([np.ones_like(down), down, across, down * across, down**2, across**2], axis=-1)
    is_border = np.ones((height, width), dtype=bool)
    is_border[BORDER:-BORDER, BORDER:-BORDER] = False
    at, seen = terms[is_border], cells[is_border]
    fits = np.abs(seen - np.median(seen, axis=0)).max(axis=1) < OUTLIER
    for _ in range(2):  # what does not fit the first surface must not bend the second
        if fits.mean() < MOSTLY:
            return None
        surface, *_ = np.linalg.lstsq(at[fits], seen[fits], rcond=None)
        fits = np.abs(at @ surface - seen).max(axis=1) < EVEN
    background: Cells = terms @ surface
    return background if fits.mean() >= MOSTLY else None
