from __future__ import annotations

from collections.abc import Iterator

import pytest

from catalog_imagegen.simulator import Simulator
from tests.shipped import NAMES, assert_gives_pictures


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A simulator with the model files it has by default, which are those of the shipped graphs."""
    with Simulator(seconds=0.0) as simulator:
        yield simulator.url


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_graph_can_be_tried_without_a_graphics_card(url: str, name: str) -> None:
    """Whoever sets up a shop sees placeholders of each workflow, made from the photos they gave."""
    assert_gives_pictures(url, name)
