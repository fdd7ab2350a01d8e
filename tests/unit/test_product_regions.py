from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from catalog_imagegen.stages.product.grids import grown, mean, spread, window
from catalog_imagegen.stages.product.regions import regions

GRIDS = st.integers(0, 2**32 - 1).flatmap(
    lambda seed: st.tuples(st.just(seed), st.integers(1, 12), st.integers(1, 12), st.floats(0.1, 0.9))
)


def drawn(*rows: str) -> NDArray[np.bool_]:
    """A grid in which # says yes."""
    return np.array([[letter == "#" for letter in row] for row in rows])


def filled(flags: NDArray[np.bool_], seed: tuple[int, int], *, is_diagonal: bool) -> NDArray[np.bool_]:
    """The region of one cell, found as a child would: from cell to cell."""
    found, todo = np.zeros_like(flags), [seed]
    while todo:
        row, column = todo.pop()
        if not (0 <= row < flags.shape[0] and 0 <= column < flags.shape[1]):
            continue
        if not flags[row, column] or found[row, column]:
            continue
        found[row, column] = True
        steps = [
            (down, across)
            for down in (-1, 0, 1)
            for across in (-1, 0, 1)
            if is_diagonal or not down or not across
        ]
        todo += [(row + down, column + across) for down, across in steps]
    return found


@settings(max_examples=60, deadline=None)
@given(GRIDS, st.booleans())
def test_regions_are_what_a_flood_from_each_cell_finds(
    grid: tuple[int, int, int, float], is_diagonal: bool
) -> None:
    """Whatever the grid: every cell is in one region, and that is what can be reached from it."""
    seed, height, width, share = grid
    flags = np.random.default_rng(seed).random((height, width)) < share
    found = regions(flags, is_diagonal=is_diagonal)
    assert found.areas().sum() == flags.sum()
    for label in range(found.count):
        region = found.painted(np.arange(found.count) == label)
        row, column = (int(places[0]) for places in np.nonzero(region))
        assert (region == filled(flags, (row, column), is_diagonal=is_diagonal)).all()
        assert found.areas()[label] == region.sum()
        rim = np.concatenate([region[0], region[-1], region[:, 0], region[:, -1]])
        assert found.on_border()[label] == rim.any()


def test_corners_join_only_where_they_are_asked_to() -> None:
    """A background does not leak through a corner of the product; a product holds together at one."""
    flags = drawn("#.", ".#")
    assert regions(flags).count == 2
    assert regions(flags, is_diagonal=True).count == 1


def test_a_grid_that_says_no_has_no_regions() -> None:
    """Nothing is found, and nothing is painted."""
    found = regions(drawn("...", "..."))
    assert found.count == 0
    assert not found.painted(np.zeros(0, np.bool_)).any()


def test_cells_of_each_region_are_counted() -> None:
    """Only those where the other grid says yes."""
    found = regions(drawn("##.#", "#..#"))
    assert found.totals(drawn("#..#", "...#")).tolist() == [1, 2]


@pytest.mark.parametrize("by", [1, 2, 3, 5, 12])
def test_growing_reaches_so_many_cells_and_no_more(by: int) -> None:
    """A single cell becomes a square; steps of many cells leave no gap in it."""
    flags = np.zeros((31, 31), np.bool_)
    flags[15, 15] = True
    expected = np.zeros_like(flags)
    expected[15 - by : 16 + by, 15 - by : 16 + by] = True
    assert (grown(flags, by) == expected).all()


def test_spreading_stays_within() -> None:
    """A wall stops it, and so does the number of steps."""
    within = drawn("#####", "##.##", "##.##")
    seeds = drawn("#....", "#....", "#....")
    assert (spread(seeds, within, 2) == drawn("###..", "##...", "##...")).all()


def test_a_mean_goes_on_beyond_the_edge() -> None:
    """An even plane stays even, however far the cells are apart."""
    plane = np.full((5, 9), 3, np.float32)
    assert np.allclose(mean(plane, 2, apart=3), 3)


def test_a_window_holds_all_true_cells() -> None:
    """With its margin it stays in the grid; without a true cell it is empty."""
    flags = drawn("....", ".##.", "....")
    assert flags[window(flags, 0)].all()
    assert window(flags, 5) == (slice(0, 3), slice(0, 4))
    assert flags[window(~flags & flags, 1)].size == 0
