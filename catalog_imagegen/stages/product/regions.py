"""Connected regions of a grid of yes and no, found by runs: a flood that takes a millisecond, not a second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Regions:
    """The runs of a grid's rows; runs that touch share a label."""

    shape: tuple[int, int]
    rows: Indices
    starts: Indices
    ends: Indices
    labels: Indices
    """Of each run; 0 … count − 1."""
    count: int

    def areas(self) -> Indices:
        """Cells of each region."""
        return self._totals(self.ends - self.starts)

    def totals(self, flags: Flags) -> Indices:
        """Cells of each region where *flags* says yes."""
        height, width = self.shape
        until = np.zeros(height * width + 1, np.int32)
        np.cumsum(flags.ravel(), out=until[1:])
        first = self.rows * width
        return self._totals(until[first + self.ends] - until[first + self.starts])

    def on_border(self) -> Flags:
        """Whether each region reaches the edge of the grid."""
        height, width = self.shape
        outer = (self.rows == 0) | (self.rows == height - 1) | (self.starts == 0) | (self.ends == width)
        return self._totals(outer.astype(np.intp)) > 0

    def painted(self, chosen: Flags) -> Flags:
        """The grid of the chosen regions."""
        height, width = self.shape
        runs = chosen[self.labels]
        first = self.rows[runs] * width
        bounds = np.full(2 * len(first) + 1, height * width)  # of no and yes in turns
        bounds[:-1:2], bounds[1::2] = first + self.starts[runs], first + self.ends[runs]
        is_run = np.zeros(len(bounds), np.bool_)
        is_run[1::2] = True
        return np.repeat(is_run, np.diff(bounds, prepend=0)).reshape(height, width)

    def _totals(self, weights: Indices) -> Indices:
        return np.bincount(self.labels, weights=weights, minlength=self.count).astype(np.intp)


def regions(flags: Flags, *, is_diagonal: bool = False) -> Regions:
    """The regions of *flags*, connected across and down, and at corners too if *is_diagonal*."""
    height, width = flags.shape
    framed = np.zeros((height, width + 2), np.bool_)
    framed[:, 1:-1] = flags
    flat = framed.ravel()
    changes = np.flatnonzero(
        flat[1:] != flat[:-1]
    )  # into a run and out of it in turns, for the frame says no
    rows, starts = np.divmod(changes[::2], width + 2)
    ends = changes[1::2] - rows * (width + 2)
    labels = _joined(len(rows), *_touching(rows, starts, ends, width + 2, reach=int(is_diagonal)))
    names, labels = np.unique(labels, return_inverse=True)
    return Regions((height, width), rows, starts, ends, labels, len(names))


def _touching(
    rows: Indices, starts: Indices, ends: Indices, width: int, *, reach: int
) -> tuple[Indices, Indices]:
    """Pairs of runs in neighbouring rows of which one lies above the other."""
    below = (rows + 1) * width
    first = np.searchsorted(rows * width + ends + reach, below + starts, side="right")
    last = np.searchsorted(rows * width + starts - reach, below + ends, side="left")
    counts = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(rows)), counts)
    lower = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    return upper, lower


def _joined(count: int, one: Indices, other: Indices) -> Indices:
    """The smallest member that each of *count* things is joined to by the pairs."""
    root = np.arange(count)
    while True:
        a, b = root[one], root[other]
        if np.array_equal(a, b):
            return root
        np.minimum.at(root, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(root, root[root]):
            root = root[root]
