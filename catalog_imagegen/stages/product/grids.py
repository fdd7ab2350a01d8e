"""Means and neighbourhoods of whole grids at once: what is done to every cell of a reduced photo."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Flags = NDArray[np.bool_]

LUMA = np.array((0.299, 0.587, 0.114), np.float32)
"""What red, green and blue add to a pixel's light (ITU-R BT.601, as JPEG and Pillow have it)."""


def mean(grid: Plane, reach: int, *, apart: int = 1) -> Plane:
    """Each cell's mean with those *apart* cells away, *reach* times in each direction; beyond the edge the edge goes on."""
    count = 2 * reach + 1
    height, width = grid.shape
    framed = widened(grid, reach * apart)
    rows = framed[:height].copy()
    for by in range(1, count):
        rows += framed[by * apart : by * apart + height]
    total = rows[:, :width].copy()
    for by in range(1, count):
        total += rows[:, by * apart : by * apart + width]
    total *= np.float32(1 / count**2)
    return total


def widened(grid: Plane, by: int) -> Plane:
    """A grid with *by* more cells on each side, in which its edge goes on; ``np.pad`` takes twice as long."""
    height, width = grid.shape
    made = np.empty((height + 2 * by, width + 2 * by), grid.dtype)
    made[by : by + height, by : by + width] = grid
    made[:by, by : by + width], made[by + height :, by : by + width] = grid[0], grid[-1]
    made[:, :by], made[:, by + width :] = made[:, by : by + 1], made[:, by + width - 1 : by + width]
    return made


def highest(grid: Plane, reach: int) -> Plane:
    """The most of each cell and its neighbours that are *reach* cells away or less."""
    rows = grid.copy()
    for by in range(1, reach + 1):
        np.maximum(rows[by:], grid[:-by], out=rows[by:])
        np.maximum(rows[:-by], grid[by:], out=rows[:-by])
    made = rows.copy()
    for by in range(1, reach + 1):
        np.maximum(made[:, by:], rows[:, :-by], out=made[:, by:])
        np.maximum(made[:, :-by], rows[:, by:], out=made[:, :-by])
    return made


def grown(flags: Flags, by: int) -> Flags:
    """Every cell within *by* cells of a true one, diagonals included."""
    made = flags if by else flags.copy()
    done = 0
    while done < by:
        step = min(2 * done + 1, by - done)  # the squares of neighbours so far apart leave no gap
        rows = made.copy()
        rows[step:] |= made[:-step]
        rows[:-step] |= made[step:]
        made = rows.copy()
        made[:, step:] |= rows[:, :-step]
        made[:, :-step] |= rows[:, step:]
        done += step
    return made


def spread(seeds: Flags, within: Flags, by: int) -> Flags:
    """What can be reached from *seeds* in so many steps without leaving *within*."""
    made = seeds & within
    for _ in range(by):
        before, made = made, grown(made, 1) & within
        if np.array_equal(before, made):
            break
    return made


def window(flags: Flags, margin: int) -> tuple[slice, slice]:
    """The rows and columns that hold all true cells, and some more around; nothing where there are none."""
    rows, columns = np.flatnonzero(flags.any(axis=1)), np.flatnonzero(flags.any(axis=0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return (
        slice(max(0, int(rows[0]) - margin), min(flags.shape[0], int(rows[-1]) + margin + 1)),
        slice(max(0, int(columns[0]) - margin), min(flags.shape[1], int(columns[-1]) + margin + 1)),
    )
